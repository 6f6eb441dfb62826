/* network.h: the weights that training starts from. */
#ifndef RADMIX_AUTOENCODER_NETWORK_H
#define RADMIX_AUTOENCODER_NETWORK_H

#include "radmix/autoencoder.h"

/* Sets the weights to Glorot's uniform distribution (limit sqrt(6 / (9 inputs + 9 outputs)), as in
 * Keras), the biases to 0.
 * weights  [n_weights] */
void rx_network_initialise(const rx_network *network, uint64_t seed, float *weights);

/* Glorot's limit of a layer. */
double rx_network_limit(const rx_layer *layer);

#endif
