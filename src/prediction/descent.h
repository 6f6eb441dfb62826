/* descent.h: coordinate descent for problems with few rows, in double, on one rank.
 *
 * Each Newton step of the binomial family is a weighted least squares problem that is solved by
 * cyclic descent over the features that matter: those that the sequential strong rule lets through
 * (Tibshirani et al. 2012, J R Stat Soc B 74:245) and those that were found wanting since. A step
 * that would raise the objective is halved. A lambda is done when the KKT conditions of all
 * features hold. */
#ifndef RADMIX_PREDICTION_DESCENT_H
#define RADMIX_PREDICTION_DESCENT_H

#include <stddef.h>

#include "prediction/lasso.h"
#include "radmix/status.h"

/* The rows of one problem. */
typedef struct {
  size_t n_rows, n_features, stride;
  const double *x;      /* [n_rows][stride]: row, feature; finite */
  const double *y;      /* [n_rows]; 0 or 1 (binomial) */
  const double *weight; /* [n_rows], >= 0, not all 0; rows of weight 0 are left out */
} rx_lasso_rows;

/* Fits the path. A feature that is constant over the rows is never selected. When no feature
 * varies, or the outcome does not, every coefficient is 0 and lambda_max is 0. Local. out  a new
 * path Errors: RX_ERR_MEMORY. */
rx_status rx_descent_fit(const rx_lasso_rows *rows, const rx_lasso_options *options,
                         rx_lasso **out);

/* ---- kernel: descent.kernel.c ---- */

enum { RX_DESCENT_LANES = 16 }; /* columns are padded with zeros to a multiple of this */

/* A weighted least squares problem on some features. */
typedef struct {
  size_t n;        /* rows, with padding */
  const double *x; /* [feature][n] */
  const double *w; /* [n], curvature of the rows */
  const double *h; /* [feature], sum w x^2 */
  double *r;       /* [n], gradient of the rows at beta */
  double *beta;    /* [feature] */
  double l1, l2;
} rx_descent_quadratic;

#define RX_DESCENT_KERNELS(isa)                                                               \
  double rx_descent_dot_v##isa(const double *a, const double *b, size_t n);                   \
  double rx_descent_dot3_v##isa(const double *a, const double *b, const double *c, size_t n); \
  double rx_descent_sweep_v##isa(rx_descent_quadratic *q, const int *features, size_t n_features);
RX_DESCENT_KERNELS(2)
RX_DESCENT_KERNELS(3)
RX_DESCENT_KERNELS(4)

#endif
