#include "prediction/lasso.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/memory.h"

rx_lasso_options rx_lasso_defaults(rx_family family) {
  rx_lasso_options options = {.family = family,
                              .alpha = 1,
                              .is_standardising = true,
                              .n_lambdas = 100,
                              .lambda_ratio = 0.01,
                              .tolerance = 1e-6,
                              .most_steps = 1000,
                              .isa = 2};
  return options;
}

rx_status rx_lasso_create(int n_lambdas, rx_lasso **out) {
  size_t n = (size_t)n_lambdas;
  rx_status status = RX_NEW(out, "path", 1);

  if (!status) status = RX_NEW(&(*out)->lambda, "path", n);
  if (!status) status = RX_NEW(&(*out)->intercept, "path", n);
  if (!status) status = RX_NEW(&(*out)->deviance_ratio, "path", n);
  if (!status) status = RX_NEW(&(*out)->kkt, "path", n);
  if (!status) status = RX_NEW(&(*out)->first, "path", n + 1);
  if (status)
    rx_lasso_destroy(out);
  else
    (*out)->is_converged = true;
  return status;
}

void rx_lasso_destroy(rx_lasso **path) {
  if (!*path) return;
  free((*path)->lambda);
  free((*path)->intercept);
  free((*path)->deviance_ratio);
  free((*path)->kkt);
  free((*path)->first);
  free((*path)->feature);
  free((*path)->value);
  free(*path);
  *path = NULL;
}

/* Makes room for n coefficients more. */
static rx_status reserve(rx_lasso *path, size_t n) {
  size_t used = path->first[path->n_lambdas], wanted = used + n;
  int *feature;
  double *value;

  if (wanted <= path->capacity) return RX_OK;
  wanted += path->capacity;
  rx_status status = RX_NEW(&feature, "path", wanted);
  if (status) return status;
  if ((status = RX_NEW(&value, "path", wanted))) {
    free(feature);
    return status;
  }
  if (used) memcpy(feature, path->feature, used * sizeof *feature);
  if (used) memcpy(value, path->value, used * sizeof *value);
  free(path->feature);
  free(path->value);
  path->feature = feature;
  path->value = value;
  path->capacity = wanted;
  return RX_OK;
}

rx_status rx_lasso_add(rx_lasso *path, double lambda, double intercept, size_t n_features,
                       const double *beta, const double *mean, const double *scale) {
  size_t n = 0;

  for (size_t j = 0; j < n_features; j++) n += beta[j] != 0;
  rx_status status = reserve(path, n);
  if (status) return status;
  size_t at = path->first[path->n_lambdas];
  for (size_t j = 0; j < n_features; j++) {
    if (beta[j] == 0) continue;
    path->feature[at] = (int)j;
    path->value[at] = beta[j] / scale[j];
    intercept -= path->value[at++] * mean[j];
  }
  path->lambda[path->n_lambdas] = lambda;
  path->intercept[path->n_lambdas] = intercept;
  path->first[++path->n_lambdas] = at;
  return RX_OK;
}

size_t rx_lasso_nonzeros(const rx_lasso *path, int step) {
  return path->first[step + 1] - path->first[step];
}

void rx_lasso_predict(double *eta, const rx_lasso *path, int step, const double *x, size_t n_rows,
                      size_t stride) {
  for (size_t i = 0; i < n_rows; i++) {
    double sum = path->intercept[step];
    for (size_t k = path->first[step]; k < path->first[step + 1]; k++)
      sum += path->value[k] * x[i * stride + (size_t)path->feature[k]];
    eta[i] = sum;
  }
}

void rx_lasso_lambdas(double *lambda, int n_lambdas, double lambda_max, double ratio) {
  for (int l = 0; l < n_lambdas; l++)
    lambda[l] = n_lambdas > 1 ? lambda_max * pow(ratio, (double)l / (n_lambdas - 1)) : lambda_max;
}

bool rx_lasso_ends(const rx_lasso *path, int step, rx_family family) {
  enum { FEWEST = 5 }; /* glmnet.control: mnlam; devmax 0.999; fdev 1e-5 */

  if (step + 1 < FEWEST) return false;
  double now = path->deviance_ratio[step], gain = now - path->deviance_ratio[step - 1];
  return now > 0.999 || gain < (family == RX_GAUSSIAN ? 1e-5 * now : 1e-5);
}
