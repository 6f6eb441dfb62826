/* hits.h: the strongest cells of a grid, in order, over all ranks. */
#ifndef RADMIX_ASSOCIATION_HITS_H
#define RADMIX_ASSOCIATION_HITS_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "radmix/frame.h"
#include "radmix/status.h"

/* A cell of the grid with all its numbers. */
typedef struct {
  int64_t feature, factor, n_patients, fit;
  double beta, se, t, df, lambda;
  double log10_p, log10_p_means, log10_q_factor, log10_q_all, log10_q_hierarchical;
  double log10_p_permutation, log10_p_permutation_all;
} rx_hit;

typedef struct {
  size_t most, n;
  rx_hit *hit;    /* [n], strongest first once they are shared; owned */
  size_t room;    /* of hit */
  rx_hit weakest; /* once is_full: most others are sure to beat what is weaker */
  bool is_full;
} rx_hits;

/* Below 0 when hit a is stronger than hit b: hierarchical q, then p, then place; for qsort(). */
int rx_hits_compare(const void *a, const void *b);

/* Errors: RX_ERR_MEMORY. */
rx_status rx_hits_create(size_t most, rx_hits **out);
void rx_hits_destroy(rx_hits **hits);

/* Adds a cell unless it cannot be among the strongest: by hierarchical q, then p, then place.
 * Local. Errors: RX_ERR_MEMORY. */
rx_status rx_hits_offer(rx_hits *hits, const rx_hit *hit);

/* Gives every rank the strongest of all ranks, in order. Collective.
 * Errors: RX_ERR_MEMORY; RX_ERR_CONFIG when they are too many for one message. */
rx_status rx_hits_share(MPI_Comm comm, rx_hits *hits);

/* Prints a table with a line of names. Local. is_permuted: with p by permutation */
void rx_hits_print(const rx_hits *hits, const rx_frame *features, const rx_frame *factors,
                   bool is_permuted, FILE *file);

#endif
