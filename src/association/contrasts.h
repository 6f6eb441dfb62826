/* contrasts.h: patient means with intercept and patient covariates taken out.
 *
 * The means of M patients have variance sigma_e^2 (lambda I + diag(1/n_i)). Let the columns of U be
 * an orthonormal basis of everything orthogonal to the intercept and the covariates, and U'
 * diag(1/n_i) U = Q diag(pole) Q'. Then the contrasts V = (U Q)' of the means are independent, with
 * variances sigma_e^2 (lambda + pole_j) for every lambda at once: a fit with covariates is a fit
 * without them, on M - q numbers instead of M (Patterson & Thompson 1971; the rotation is that of
 * Kang et al. 2008, Genetics 178:1709). Nothing is approximated.
 *
 * Covariates z that vary within patients have, beside their means, products S_zz and S_zy around
 * them. With S_zz = L L' these are as good as further rows that hold L' in z, L^-1 S_zy in y, 0 in
 * all else, whose variance is sigma_e^2 without lambda. Let now U be orthogonal to the intercept,
 * the covariates and z over means and further rows together; then U' (lambda A + B) U, A the
 * identity on the means, B = diag(1/n_i) and the identity on the further rows, becomes diagonal for
 * every lambda at once by the pencil (U'AU, U'BU), and the fit is again one on n independent
 * numbers with variances sigma_e^2 (lambda + pole_j). What L^-1 S_zy takes leaves the sum of
 * squares within. */
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
  int n_images;         /* covariates that vary within patients; 0: all that follows is empty */
  int n_inner;          /* further rows, their number but for collinear ones */
  double *inner;        /* [n_inner][n_images], L^-1; its transpose times the further rows of y are
                           the slopes of y on z within patients */
  int n_ordinary;       /* n_patients - n_columns */
  int n_skipped;        /* the first of them belong to the means of z */
  double *ordinary; /* [n_ordinary][n_patients], an orthonormal basis, for regression of means */
  double *basis;    /* [n][n_patients + n_inner], V */
} rx_contrasts;

/* Covariates that vary within patients. */
typedef struct {
  int n;
  const double *mean;    /* [n_patients][n] */
  const double *product; /* [n][n], around the means, over all patients */
} rx_inner_columns;

/* Makes the contrasts of some patients. Local.
 * rows        [n_patients], n_i >= 1
 * covariates  [n_patients][n_covariates]; may be NULL when there are none
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL (LAPACK). */
rx_status rx_contrasts_create(int n_patients, const double *rows, int n_covariates,
                              const double *covariates, rx_contrasts **out);
/* The same with covariates that vary within patients, at least one. is_deficient also when they
 * are collinear with the others. */
rx_status rx_contrasts_create_inner(int n_patients, const double *rows, int n_covariates,
                                    const double *covariates, const rx_inner_columns *inner,
                                    rx_contrasts **out);
void rx_contrasts_destroy(rx_contrasts **contrasts);

/* Applies V to one vector whose mean is taken out before, which changes nothing but the rounding;
 * its further rows are 0. contrast  [n], set
 * value     [n_patients] */
void rx_contrasts_apply(const rx_contrasts *contrasts, const double *value, double *contrast);

/* The same with the basis for regression of means. contrast  [n_ordinary], set */
void rx_contrasts_apply_ordinary(const rx_contrasts *contrasts, const double *value,
                                 double *contrast);
/* Takes intercept and covariates of the patients out of value [n_patients], in place.
 * contrast  [n_ordinary], room */
void rx_contrasts_residual(const rx_contrasts *contrasts, double *value, double *contrast);

/* Applies V to eight vectors side by side, whose means are out already.
 * value     [n_patients + n_inner][8]
 * contrast  [n][8], set */
#define RX_CONTRASTS_KERNELS(isa)                                                              \
  void rx_contrasts_rotate_v##isa(const rx_contrasts *contrasts, const double *restrict value, \
                                  double *restrict contrast);
RX_CONTRASTS_KERNELS(2)
RX_CONTRASTS_KERNELS(3)
RX_CONTRASTS_KERNELS(4)

#endif
