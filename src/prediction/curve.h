/* curve.h: cross-validated measures along a path, combined over folds as cv.glmnet does. Local. */
#ifndef RADMIX_PREDICTION_CURVE_H
#define RADMIX_PREDICTION_CURVE_H

#include <stdbool.h>

/* The mean over folds weighted by their rows, and its standard error
 * sqrt(weighted mean of (value - mean)^2 / (folds - 1)). Folds whose value is NAN are left out.
 * mean, error  [n_lambdas], set
 * values [n_folds][n_lambdas]; weight [n_folds] */
void rx_curve_combine(double *mean, double *error, int n_lambdas, int n_folds, const double *values,
                      const double *weight);

/* The lambda (falling with its index) of the best mean, the largest among equals; and the largest
 * whose mean is within one standard error of that: lambda.min and lambda.1se. 0 when all are NAN.
 */
void rx_curve_choose(const double *mean, const double *error, int n_lambdas, bool is_larger_better,
                     int *at_best, int *at_one_error);

#endif
