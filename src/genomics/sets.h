/* sets.h: sets of genes as positions. Local. */
#ifndef GENOMICS_SETS_H
#define GENOMICS_SETS_H

#include <stddef.h>

#include "radmix/status.h"

/* Set s holds gene[first[s]] .. gene[first[s + 1] - 1]. */
typedef struct {
  size_t n_sets;
  size_t *first; /* [n_sets + 1]; owned */
  int *gene;     /* [first[n_sets]], rows of the expression matrix; owned */
} rx_sets;

/* Makes room for sets with n_members genes in all. */
rx_status rx_sets_create(size_t n_sets, size_t n_members, rx_sets *sets);
void rx_sets_destroy(rx_sets *sets);

#endif
