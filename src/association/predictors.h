/* predictors.h: factors with the same patients, in contrasts, as the kernels read them. Local. */
#ifndef RADMIX_ASSOCIATION_PREDICTORS_H
#define RADMIX_ASSOCIATION_PREDICTORS_H

#include "pattern.h"

typedef struct {
  size_t n_factors, n_tiles; /* tiles of 8 */
  size_t *column;            /* [n_factors], of the block; owned, as all that follows */
  double *g;          /* [n_tiles][n][8], in units of scale; 1 in lanes that are not fitted */
  double *means;      /* [n_tiles][n_ordinary][8], for ordinary regression; g itself without
                         covariates within patients */
  double *g0;         /* [8 n_tiles], sum of squares of means */
  double *g0_means;   /* [8 n_tiles], but for the first n_skipped */
  double *scale;      /* [8 n_tiles], a power of two */
  unsigned char *fit; /* [8 n_tiles], 0, or the rx_fit that the factor alone decides */
} rx_predictors;

/* Prepares some columns of a block.
 * value   [patients of the roster][n_columns]
 * column  [n_factors] */
rx_status rx_predictors_create(const rx_pattern *pattern, const double *value, size_t n_columns,
                               size_t n_factors, const size_t *column, rx_predictors **out);
void rx_predictors_destroy(rx_predictors **predictors);

#endif
