/* kept.h: the cells that output = hits keeps, instead of the grid.
 *
 * A grid of 4,096 features and 100,000 factors is 25 GB of numbers of which few are looked at. Of
 * all cells p is made and counted in the adjustment; only those with p <= association.output_p are
 * kept with all their numbers. In the file they are a table, uns/hits, the strongest first: feature
 * and factor (rows of obs and var, from 0), then what is a layer otherwise. There is no X and no
 * layer, and no table either when nothing is kept. */
#ifndef RADMIX_ASSOCIATION_KEPT_H
#define RADMIX_ASSOCIATION_KEPT_H

#include "hits.h"
#include "radmix/store.h"

typedef struct {
  double log10_limit; /* largest log10 p that is kept */
  size_t n, room;
  size_t next; /* to be completed by the second pass, in the order of coming */
  rx_hit *hit; /* owned */
} rx_kept;

/* Errors: RX_ERR_MEMORY. */
rx_status rx_kept_create(double limit, rx_kept **out);
void rx_kept_destroy(rx_kept **kept);
rx_status rx_kept_add(rx_kept *kept, const rx_hit *hit);

/* Brings all to rank 0, the strongest first; the other ranks have none afterwards. Collective.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_kept_gather(MPI_Comm comm, rx_kept *kept);
/* Writes uns/hits, and uns/n_hits_kept. Local (rank 0). */
rx_status rx_kept_put(const rx_kept *kept, bool is_permuted, rx_store *store);

#endif
