/* lasso.h: the lasso or elastic-net path of one problem, as glmnet defines it.
 *
 * Weights v sum to one; a feature is centred and divided by s_j, its weighted standard deviation
 * (divisor 1). A path gives, for falling lambda, the minimum over (b0, b) of
 *
 *     loss(b0, b) + lambda sum_j (alpha |b_j| + (1 - alpha)/2 b_j^2)
 *
 * on the scale of the standardised features; loss is the mean of -log likelihood (binomial), or
 * half the mean squared error of the outcome divided by its standard deviation (gaussian; lambda
 * and coefficients are given back on the scale of the outcome, as glmnet does). lambda_max is the
 * smallest lambda at which all coefficients are 0 (with alpha < 0.001: as if alpha were 0.001).
 * Friedman, Hastie & Tibshirani 2010, J Stat Softw 33(1). */
#ifndef RADMIX_PREDICTION_LASSO_H
#define RADMIX_PREDICTION_LASSO_H

#include <stdbool.h>
#include <stddef.h>

#include "radmix/status.h"

typedef enum { RX_BINOMIAL, RX_GAUSSIAN } rx_family;

typedef struct {
  rx_family family;
  double alpha;          /* 1 = lasso */
  bool is_standardising; /* else s_j = 1 */
  int n_lambdas;
  double lambda_ratio;   /* smallest to largest */
  const double *lambdas; /* [n_lambdas], falling; NULL: from lambda_max down to its ratio */
  double tolerance;      /* of the KKT conditions, relative to lambda_max */
  int most_steps;        /* Newton steps at one lambda */
  int isa;               /* rx_isa_choose() */
} rx_lasso_options;

/* What glmnet takes: lasso, 100 lambdas, standardised. */
rx_lasso_options rx_lasso_defaults(rx_family family);

/* A path; features whose coefficient is 0 are left out. Without lambdas of its own it ends early as
 * glmnet's does: when 0.999 of the deviance is explained (separable outcomes), or when it gains no
 * more than 1e-5. */
typedef struct {
  int n_lambdas;          /* that were reached, >= 1 */
  double *lambda;         /* [n_lambdas], owned as all that follows */
  double *intercept;      /* [n_lambdas], for features as they are */
  double *deviance_ratio; /* [n_lambdas], 1 - deviance / null deviance */
  double *kkt;            /* [n_lambdas], largest violation over all features, / lambda_max */
  size_t *first;          /* [n_lambdas + 1], into feature and value */
  int *feature;           /* [first[n_lambdas]], rising within a lambda */
  double *value;          /* coefficients for features as they are */
  size_t capacity;        /* of feature and value */
  double lambda_max;
  bool is_converged; /* all of kkt within the tolerance */
} rx_lasso;

rx_status rx_lasso_create(int n_lambdas, rx_lasso **out);
void rx_lasso_destroy(rx_lasso **path);

/* Adds the next lambda. beta, scale [n_features]: coefficient = beta / scale; mean [n_features] is
 * taken off the intercept. Errors: RX_ERR_MEMORY. */
rx_status rx_lasso_add(rx_lasso *path, double lambda, double intercept, size_t n_features,
                       const double *beta, const double *mean, const double *scale);

/* The number of coefficients that are not 0. */
size_t rx_lasso_nonzeros(const rx_lasso *path, int step);

/* The linear predictor of rows of features. eta [n_rows] set; x [n_rows][n_features] with stride.
 */
void rx_lasso_predict(double *eta, const rx_lasso *path, int step, const double *x, size_t n_rows,
                      size_t stride);

/* Fills lambda [n_lambdas] from lambda_max down, in equal steps of its logarithm. */
void rx_lasso_lambdas(double *lambda, int n_lambdas, double lambda_max, double ratio);

/* Tells whether glmnet would end the path after this step (from 0). */
bool rx_lasso_ends(const rx_lasso *path, int step, rx_family family);

#endif
