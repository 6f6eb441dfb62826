/* block.h: some factors against some features. Local. */
#ifndef RADMIX_ASSOCIATION_BLOCK_H
#define RADMIX_ASSOCIATION_BLOCK_H

#include "pattern.h"

/* The results of a block, [n_features][n_factors] each; NaN where a cell was not tested. */
typedef struct {
  size_t n_features, n_factors;
  double *t, *beta, *se, *log10_p, *lambda;
  float *df, *log10_p_means;
  unsigned char *fit; /* rx_fit */
} rx_cells;

rx_status rx_cells_create(size_t n_features, size_t n_factors, rx_cells **out);
void rx_cells_destroy(rx_cells **cells);

/* The patterns met so far, the last few kept. */
typedef struct rx_block rx_block;

/* Makes what a rank needs to fit its features with any factors.
 * first, n_features  of the measures */
rx_status rx_block_create(const rx_roster *roster, const rx_fit_options *options, size_t first,
                          size_t n_features, rx_block **out);
void rx_block_destroy(rx_block **block);

/* Fits n_factors factors with all features of the block; sets the first n_factors columns of cells.
 * value  [roster->n_patients][n_factors]; NaN is missing, and so is an infinite value
 * cells  made for n_features and at least n_factors; n_factors is set
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL. */
rx_status rx_block_fit(rx_block *block, const double *value, size_t n_factors, rx_cells *cells);
/* The same for the features marked in is_wanted [n_features] alone; the others' cells stay. */
rx_status rx_block_fit_some(rx_block *block, const bool *is_wanted, const double *value,
                            size_t n_factors, rx_cells *cells);

/* Gives the pattern of some patients, found or made; it stays until seven others have been asked
 * for. member  [n_members], ascending Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL. */
rx_status rx_block_pattern(rx_block *block, size_t n_members, const size_t *member,
                           const rx_pattern **pattern);
/* Gives the pattern of all patients; asked for before any fit, it stays for the life of the block.
 */
rx_status rx_block_whole(rx_block *block, const rx_pattern **pattern);

/* Factors sorted by the patients that they have. */
typedef struct {
  size_t n_patients, n_factors;
  const double *value;       /* [n_patients][n_factors]; not owned */
  size_t n_members, *member; /* the patients of the group at hand; owned, as all that follows */
  size_t n_columns, *column; /* its factors */
  bool *is_done;             /* [n_factors] */
} rx_groups;

rx_status rx_groups_create(size_t n_patients, size_t n_factors, const double *value,
                           rx_groups **out);
void rx_groups_destroy(rx_groups **groups);
/* Goes to the next group; false when there is none. */
bool rx_groups_next(rx_groups *groups);

#endif
