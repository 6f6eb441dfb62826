/* awake.h: keeps the features from dying.
 *
 * MR is mostly dark, so that a ReLU whose filter answers the mean image with a negative number may
 * be 0 on every slice; then it has no gradient and stays so. With Glorot's start and biases of 0
 * that takes one channel in eight. Against it (settings: output_bias = logit-mean)
 *   orient  turns the sign of each filter to where the sum of its responses to the mean training
 *           image is positive; a filter is as likely as its negative, so the distribution stays
 *   revive  gives a channel that died the filter of a live one, moved away by a tenth of a new
 *           one, and lets the next layer begin at 0 with it, so that the output stays as it is (of
 *           filters drawn anew most die again)
 * The same on all ranks. Local. */
#ifndef RADMIX_AUTOENCODER_AWAKE_H
#define RADMIX_AUTOENCODER_AWAKE_H

#include "radmix/autoencoder.h"

/* Turns the filters of all ReLU layers. image  [size][size]. Errors: RX_ERR_MEMORY. */
rx_status rx_awake_orient(const rx_network *network, float *weights, const float *image);

/* Finds the places of the features at which the image is black (0) as far as they see; there a
 * feature is constant, whatever the network.
 * is_black  [feature_size][feature_size], set to 0 or 1; image  [size][size] */
void rx_awake_find_black(const rx_network *network, const float *image, unsigned char *is_black);

/* Counts the features that are not live; n_black of them, set, at black places.
 * is_live  [blocks][row][column][16], 0 or 1 */
size_t rx_awake_count_dead(const rx_network *network, const unsigned char *is_live,
                           const unsigned char *is_black, size_t *n_black);

/* The channels of the features, by how many of their places are dead. */
typedef struct {
  size_t *places;     /* [channels], dead places that are not black; not owned, as the others */
  int *live, *dead;   /* [channels] each; live ones with the fewest dead places first */
  int n_live, n_dead; /* at least one is live */
} rx_awake_channels;

/* Sorts the channels. Dead are those with more than 1/4 of the places that are not black more dead
 * than the channel with the fewest. found  its arrays are given, all is set */
void rx_awake_sort(const rx_network *network, const unsigned char *is_live,
                   const unsigned char *is_black, rx_awake_channels *found);

/* Arrays of all weights, and of the optimiser's two memories of each. */
typedef struct {
  float *weights, *first, *second;
} rx_awake_arrays;

/* Gives dead channels of the features the filters of live ones, at the end of an epoch. */
void rx_awake_revive(const rx_network *network, uint64_t seed, int64_t epoch,
                     const rx_awake_channels *found, const rx_awake_arrays *arrays);

#endif
