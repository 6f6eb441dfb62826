/* engine.h: what training needs of an engine beyond radmix/autoencoder.h.
 *
 * The gradient is kept packed (coordinates.h) and summed over images in fixed point (fixed.h):
 *   rx_engine_set_weights, then for each image rx_engine_learn, then rx_engine_fold. */
#ifndef RADMIX_AUTOENCODER_ENGINE_H
#define RADMIX_AUTOENCODER_ENGINE_H

#include "loss.h"
#include "radmix/autoencoder.h"

/* What an image is learnt from. */
typedef struct {
  const float *noisy;  /* [size][size] */
  const float *target; /* [size][size] */
  rx_loss loss;
  double weight; /* of its gradient in the sum */
  double limit;  /* of fixed.h */
} rx_lesson;

/* Length of a packed gradient. */
size_t rx_engine_gradient_length(const rx_engine *engine);

/* Computes the loss of an image and adds its gradient to sum [gradient length]; n_bad is increased
 * by the number of values that were not finite or too large to be added. */
double rx_engine_learn(rx_engine *engine, const rx_lesson *lesson, int64_t *sum, int64_t *n_bad);

/* Computes the loss of an image only. */
double rx_engine_loss(rx_engine *engine, const rx_lesson *lesson);

/* Turns a summed gradient into gradient [n_weights], times scale. */
void rx_engine_fold(const rx_engine *engine, float *gradient, const int64_t *sum, double scale);

/* Marks the features that an image makes larger than 0.
 * is_live  [blocks][row][column][16], 0 or 1; image  [size][size] */
void rx_engine_mark_live(rx_engine *engine, unsigned char *is_live, const float *image);

/* Looks at the last image: its logits [size][size], and the channels of a layer after ReLU and
 * pooling, copied to [outputs][output_size][output_size]. */
const float *rx_engine_logits(const rx_engine *engine);
void rx_engine_output(const rx_engine *engine, int layer, float *output);

#endif
