/* optimiser.h: Adam (Kingma & Ba 2015) and Adadelta (Zeiler 2012), in the forms of torch and Keras.
 *
 *   adam        p -= rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + epsilon) torch.optim.Adam
 *   adam-keras  p -= rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)
 *   adadelta    p -= rate g sqrt(d + epsilon) / sqrt(a + epsilon)             the same in torch and
 * Keras, where m, v, a, d are running means of g, g^2, g^2, and the squared step; b1 0.9, b2 0.999.
 */
#ifndef RADMIX_AUTOENCODER_OPTIMISER_H
#define RADMIX_AUTOENCODER_OPTIMISER_H

#include <stddef.h>
#include <stdint.h>

typedef enum { RX_ADAM, RX_ADAM_KERAS, RX_ADADELTA } rx_optimiser_kind;

typedef struct {
  rx_optimiser_kind kind;
  double epsilon, rho; /* rho of Adadelta only */
} rx_optimiser_settings;

typedef struct {
  rx_optimiser_settings settings;
  size_t n;
  int64_t step;  /* steps done */
  float *first;  /* [n], m or a; not owned */
  float *second; /* [n], v or d; not owned */
} rx_optimiser;

/* Takes one step down the gradient. weights, gradient  [n] */
void rx_optimiser_step(rx_optimiser *optimiser, float *weights, const float *gradient, double rate);

#endif
