/* network.h: the weights that training starts from. */
#ifndef RADMIX_AUTOENCODER_NETWORK_H
#define RADMIX_AUTOENCODER_NETWORK_H

#include "radmix/autoencoder.h"

/* Sets the weights to Glorot's uniform distribution (limit sqrt(6 / (9 inputs + 9 outputs)), as in
 * Keras), the biases to 0.
 * weights  [n_weights] */
void rx_network_initialise(const rx_network *network, uint64_t seed, float *weights);

/* Draws one filter anew, with bias 0. time  not 0; other filters at other times */
void rx_network_draw_filter(const rx_network *network, uint64_t seed, uint32_t time, int l,
                            int output, float *weights);

#endif
