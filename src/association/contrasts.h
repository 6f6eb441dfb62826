/* contrasts.h: patient means with intercept and patient covariates taken out.
 *
 * The means of M patients have variance sigma_e^2 (lambda I + diag(1/n_i)). Let the columns of U be
 * an orthonormal basis of everything orthogonal to the intercept and the covariates, and U'
 * diag(1/n_i) U = Q diag(pole) Q'. Then the contrasts V = (U Q)' of the means are independent, with
 * variances sigma_e^2 (lambda + pole_j) for every lambda at once: a fit with covariates is a fit
 * without them, on M - q numbers instead of M (Patterson & Thompson 1971; the rotation is that of
 * Kang et al. 2008, Genetics 178:1709). Nothing is approximated. */
#ifndef RADMIX_ASSOCIATION_CONTRASTS_H
#define RADMIX_ASSOCIATION_CONTRASTS_H

#include <stdbool.h>

#include "radmix/status.h"

typedef struct {
  int n_patients, n_columns; /* n_columns q: the intercept and the covariates */
  int n;                     /* contrasts, n_patients - n_columns; 0 when there are none */
  bool is_deficient;         /* the covariates are collinear: n = 0 */
  bool is_single;            /* every patient has one row */
  double n_rows;             /* N, over all patients */
  double mean_pole, least_pole;
  double *inverse_rows; /* [n_patients] 1/n_i; owned, as all that follows */
  double *pole;         /* [n], ascending */
  double *basis;        /* [n][n_patients], V */
} rx_contrasts;

/* Makes the contrasts of some patients. Local.
 * rows        [n_patients], n_i >= 1
 * covariates  [n_patients][n_covariates]; may be NULL when there are none
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL (LAPACK). */
rx_status rx_contrasts_create(int n_patients, const double *rows, int n_covariates,
                              const double *covariates, rx_contrasts **out);
void rx_contrasts_destroy(rx_contrasts **contrasts);

/* Applies V to one vector whose mean is taken out before, which changes nothing but the rounding.
 * contrast  [n], set
 * value     [n_patients] */
void rx_contrasts_apply(const rx_contrasts *contrasts, const double *value, double *contrast);

/* Applies V to eight vectors side by side, whose means are out already.
 * value     [n_patients][8]
 * contrast  [n][8], set */
#define RX_CONTRASTS_KERNELS(isa)                                                              \
  void rx_contrasts_rotate_v##isa(const rx_contrasts *contrasts, const double *restrict value, \
                                  double *restrict contrast);
RX_CONTRASTS_KERNELS(2)
RX_CONTRASTS_KERNELS(3)
RX_CONTRASTS_KERNELS(4)

#endif
