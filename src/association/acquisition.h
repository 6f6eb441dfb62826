/* acquisition.h: what else could explain the features: the share of their variance that goes with
 * each column known of the patients, beside the share that goes with the factors.
 *
 * Of the patient means, each feature standardised, with K their products over features: a number x
 * around its mean explains x'Kx / x'x, a text the sum over its levels of the sum of K within them
 * over their size, out of the trace of K, all around the mean of the patients that have the column.
 * Chance alone gives a column of d numbers or contrasts a share of d / (n - 1), which
 * 1 - (1 - share) (n - 1) / (n - 1 - d) takes out. */
#ifndef RADMIX_ASSOCIATION_ACQUISITION_H
#define RADMIX_ASSOCIATION_ACQUISITION_H

#include "grid.h"

/* A column of study.clinical or of the patients of the features. */
typedef struct {
  const char *name; /* a view */
  size_t n_patients;
  int n_columns; /* d: 1, or levels less one */
  double share, beyond_chance;
  bool is_known; /* a covariate, association.blocks, or an outcome of prediction */
} rx_acquired;

typedef struct {
  size_t n; /* columns; those that hold one value, or nearly as many as patients, are left out */
  rx_acquired *column;  /* [n], the largest first; owned, as all that follows */
  double *factor_share; /* [n_factors], beyond chance; NaN where a factor has no variance */
  size_t best;          /* factor of the largest share */
} rx_acquisition;

/* Errors: RX_ERR_MEMORY. Collective. */
rx_status rx_acquisition_create(rx_grid *grid, rx_acquisition **out);
void rx_acquisition_destroy(rx_acquisition **acquisition);

/* Says what goes with the features, and warns of what explains more than any factor. */
void rx_acquisition_say(const rx_grid *grid, const rx_acquisition *acquisition);
/* Writes uns/variance_explained, and variance_share of the factors. Local (rank 0). */
rx_status rx_acquisition_put(const rx_acquisition *acquisition, size_t n_factors, rx_store *store);

#endif
