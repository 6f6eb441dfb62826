/* awake.h: keeps the features from dying.
 *
 * MR is mostly dark, so that a ReLU whose filter answers the mean image with a negative number may
 * be 0 on every slice; then it has no gradient and stays so. With Glorot's start and biases of 0
 * that takes one channel in eight. Against it (settings: output_bias = logit-mean)
 *   orient  turns the sign of each filter to where the sum of its responses to the mean training
 *           image is positive; a filter is as likely as its negative, so the distribution stays
 *   revive  draws the filters of channels that died anew and lets what comes after them start at 0,
 *           which leaves the output as it is
 * Both see the mean image only: the same on all ranks. Local. */
#ifndef RADMIX_AUTOENCODER_AWAKE_H
#define RADMIX_AUTOENCODER_AWAKE_H

#include "radmix/autoencoder.h"

/* Turns the filters of all ReLU layers. image  [size][size]. Errors: RX_ERR_MEMORY. */
rx_status rx_awake_orient(const rx_network *network, float *weights, const float *image);

/* Lists the channels of the features that died: those with more than 1/16 of their places more dead
 * than the channel with the fewest (where the images are black, all channels are).
 * channels  [channels], set; is_live  [blocks][row][column][16], 0 or 1. Returns how many. */
int rx_awake_find_dead(const rx_network *network, const unsigned char *is_live, int *channels);

/* Arrays of all weights, and of the optimiser's two memories of each. */
typedef struct {
  float *weights, *first, *second;
} rx_awake_arrays;

/* Starts channels of the features anew at the end of an epoch. Errors: RX_ERR_MEMORY. */
rx_status rx_awake_revive(const rx_network *network, uint64_t seed, int64_t epoch,
                          const int *channels, int n_channels, const float *image,
                          const rx_awake_arrays *arrays);

#endif
