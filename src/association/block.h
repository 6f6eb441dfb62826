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

/* Gives the pattern of all patients; asked for before any fit, it stays for the life of the block.
 */
rx_status rx_block_whole(rx_block *block, const rx_pattern **pattern);

#endif
