/* scalar.h: the network in plain loops and double precision, for any shape. The fast kernels are
 * compared with it; it is compared with PyTorch and with finite differences. */
#ifndef RADMIX_AUTOENCODER_SCALAR_H
#define RADMIX_AUTOENCODER_SCALAR_H

#include "loss.h"
#include "radmix/autoencoder.h"
#include "radmix/status.h"

/* Activations of one image and the gradients of its loss. */
typedef struct {
  rx_network network;
  double *convolved[RX_MAX_LAYERS]; /* [outputs][size][size], before ReLU or sigmoid; owned */
  double *output[RX_MAX_LAYERS];    /* [outputs][output_size][output_size]; owned */
  double *gradient[RX_MAX_LAYERS];  /* of the loss by output; owned */
  double *input;                    /* [size][size], the noisy image; owned */
  double *scratch;                  /* two maps of the largest layer; owned */
} rx_scalar;

rx_status rx_scalar_create(const rx_network *network, rx_scalar **out);
void rx_scalar_destroy(rx_scalar **scalar);

/* Computes all activations of an image.
 * weights  [n_weights]; image  [size][size] */
void rx_scalar_forward(rx_scalar *scalar, const double *weights, const double *image);

/* The same layer by layer: layer 0 takes scalar->input, the others the output of the one before. */
void rx_scalar_forward_layer(rx_scalar *scalar, const double *weights, int l);

/* Returns the loss of the output against target [size][size]; sets the gradient by the output of
 * the last layer. */
double rx_scalar_loss(rx_scalar *scalar, rx_loss loss, const double *target);

/* Adds the gradient by the weights to d_weights [n_weights]. After forward and loss. */
void rx_scalar_backward(rx_scalar *scalar, const double *weights, double *d_weights);

#endif
