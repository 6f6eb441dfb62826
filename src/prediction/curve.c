#include "prediction/curve.h"

#include <math.h>
#include <stddef.h>

void rx_curve_combine(double *mean, double *error, int n_lambdas, int n_folds, const double *values,
                      const double *weight) {
  for (int l = 0; l < n_lambdas; l++) {
    double total = 0, sum = 0, squares = 0;
    int n = 0;
    for (int k = 0; k < n_folds; k++) {
      double v = values[(size_t)k * (size_t)n_lambdas + (size_t)l];
      if (isnan(v)) continue;
      total += weight[k];
      sum += weight[k] * v;
      n++;
    }
    mean[l] = n ? sum / total : NAN;
    for (int k = 0; k < n_folds; k++) {
      double v = values[(size_t)k * (size_t)n_lambdas + (size_t)l];
      if (!isnan(v)) squares += weight[k] * (v - mean[l]) * (v - mean[l]);
    }
    error[l] = n > 1 ? sqrt(squares / total / (n - 1)) : NAN;
  }
}

void rx_curve_choose(const double *mean, const double *error, int n_lambdas, bool is_larger_better,
                     int *at_best, int *at_one_error) {
  double sign = is_larger_better ? -1 : 1;
  int best = -1;

  for (int l = 0; l < n_lambdas; l++)
    if (!isnan(mean[l]) && (best < 0 || sign * mean[l] < sign * mean[best])) best = l;
  *at_best = *at_one_error = best < 0 ? 0 : best;
  if (best < 0 || isnan(error[best])) return;
  for (int l = 0; l <= best; l++)
    if (sign * mean[l] <= sign * mean[best] + error[best]) {
      *at_one_error = l;
      return;
    }
}
