/* partition.h: how work is divided over ranks, in one place. Local. */
#ifndef RADMIX_PARTITION_H
#define RADMIX_PARTITION_H

#include <stddef.h>

/* Gives a rank its run of n things: lengths differ by at most one, the longer runs first. A rank
 * above n gets none. */
void rx_partition(size_t n, int rank, int n_ranks, size_t *first, size_t *count);

/* The same for things of unlike weight (bytes, slices): run r ends where the sum of weights passes
 * (r+1)/n_ranks of the total, at the nearest border. weights  [n], >= 0 */
void rx_partition_weighted(const size_t *weights, size_t n, int rank, int n_ranks, size_t *first,
                           size_t *count);

#endif
