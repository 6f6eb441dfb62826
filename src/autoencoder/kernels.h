/* kernels.h: what the kernels of a layer read and write, and their three builds (isa.h).
 *
 * A 3 x 3 convolution is computed in transformed coordinates in which it takes fewer products:
 *   first   direct, 9 products a pixel
 *   inner   (pooled, plain) Winograd's F(2 x 2, 3 x 3): 16 products for 4 pixels instead of 36
 *   up      on the small map and its differences: 9 products for 4 pixels instead of 36
 *   last    on the small map: the 16 places of a 4 x 4 window as lanes
 * In all of them weights are T w T' for a matrix T (coordinates.h), and the gradient by w is
 * T' d T, so that only packing and folding know about it. */
#ifndef RADMIX_AUTOENCODER_KERNELS_H
#define RADMIX_AUTOENCODER_KERNELS_H

#include <stdint.h>

#include "loss.h"
#include "map.h"

/* One layer at work on one image. Inputs are outputs of a ReLU (or the image). */
typedef struct {
  rx_plane image;          /* first: read. last: the gradient by the logits, read by backward */
  rx_map input;            /* not of first */
  rx_map output;           /* not of last; after ReLU and pooling; its border stays 0 */
  float *logits;           /* last: [size][size], set */
  rx_map d_input;          /* set. up, last: by the values before the ReLU of the layer below;
                            * inner: by the pooled values below */
  rx_map d_output;         /* the same, from the layer above */
  int *argmax;             /* first, pooled: [n_blocks][output size][output size][16], 0..3 */
  const float *weights;    /* packed: coordinates.h */
  const float *transposed; /* packed for the gradient by the input */
  const float *biases;     /* [outputs] */
  float *d_weights;        /* as weights; added to */
  float *d_biases;         /* [outputs]; added to */
  float *scratch;          /* rx_scratch_length() floats */
} rx_pass;

typedef void rx_layer_kernel(const rx_pass *pass);

rx_layer_kernel rx_first_forward_v2, rx_first_forward_v3, rx_first_forward_v4;
rx_layer_kernel rx_first_backward_v2, rx_first_backward_v3, rx_first_backward_v4;
rx_layer_kernel rx_inner_forward_v2, rx_inner_forward_v3, rx_inner_forward_v4;
rx_layer_kernel rx_inner_backward_v2, rx_inner_backward_v3, rx_inner_backward_v4;
rx_layer_kernel rx_up_forward_v2, rx_up_forward_v3, rx_up_forward_v4;
rx_layer_kernel rx_up_backward_v2, rx_up_backward_v3, rx_up_backward_v4;
rx_layer_kernel rx_last_forward_v2, rx_last_forward_v3, rx_last_forward_v4;
rx_layer_kernel rx_last_backward_v2, rx_last_backward_v3, rx_last_backward_v4;

/* Sets output [n] to 1 / (1 + exp(-logits)). */
typedef void rx_sigmoid_kernel(float *output, const float *logits, size_t n);
rx_sigmoid_kernel rx_sigmoid_v2, rx_sigmoid_v3, rx_sigmoid_v4;

/* Returns the loss of one image (loss.h); sets d_logits [n].
 * output, logits  [n], of the same values; target [n] in [0,1] */
typedef double rx_loss_kernel(float *d_logits, const float *output, const float *logits,
                              const float *target, rx_loss loss, size_t n);
rx_loss_kernel rx_loss_v2, rx_loss_v3, rx_loss_v4;

#endif
