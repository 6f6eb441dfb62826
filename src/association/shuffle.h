/* shuffle.h: which patient's factor goes to which patient in a permutation. Local. */
#ifndef RADMIX_ASSOCIATION_SHUFFLE_H
#define RADMIX_ASSOCIATION_SHUFFLE_H

#include <stdint.h>

#include "roster.h"

/* Patients keep to their block. A permutation is made of a random number for each patient: within a
 * block the patients in the order of these numbers take the places of the patients in their own
 * order. So a factor that misses patients is permuted among the rest by the same numbers. */
typedef struct {
  size_t n_patients;
  int *block;     /* [n_patients]; owned, as all that follows */
  double *key;    /* [n_patients], of the permutation at hand */
  size_t *by_key; /* [n_patients], room */
  int n_blocks;
} rx_shuffle;

/* blocks  a clinical column; "" for none. A patient without a level is in a block of those without.
 * Errors: RX_ERR_CONFIG (no such column), RX_ERR_MEMORY. */
rx_status rx_shuffle_create(const rx_job *job, const rx_roster *roster, const char *blocks,
                            rx_shuffle **out);
void rx_shuffle_destroy(rx_shuffle **shuffle);

/* Draws the numbers of a permutation. */
void rx_shuffle_draw(rx_shuffle *shuffle, int seed, int permutation);

/* Sets from[i], the place among members whose factor goes to place i.
 * member  [n_members], ascending */
void rx_shuffle_places(rx_shuffle *shuffle, size_t n_members, const size_t *member, size_t *from);

#endif
