/* ranks.h: the ranks of a slice's values. */
#ifndef RADMIX_FEATURES_RANKS_H
#define RADMIX_FEATURES_RANKS_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

/* Memory for ranking n values. */
typedef struct {
  size_t n;
  uint64_t *items, *spare; /* [n], value and place; owned */
} rx_ranking;

rx_status rx_ranking_create(size_t n, rx_ranking **out);
void rx_ranking_destroy(rx_ranking **ranking);

/* Ranks n values.
 * ranks   [n], set: how many values are smaller; may be the memory of values
 * sorted  [n], set: the values in ascending order */
void rx_ranking_rank(rx_ranking *ranking, uint32_t *ranks, float *sorted, const float *values);

#endif
