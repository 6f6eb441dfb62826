#include "prediction/performance.h"

#include <math.h>
#include <stdlib.h>

#include "radmix/memory.h"

size_t rx_performance_pairs(size_t n_patients, const double *y, const double *score,
                            double *known_y, double *known_score) {
  size_t n = 0;

  for (size_t i = 0; i < n_patients; i++) {
    if (isnan(y[i]) || isnan(score[i])) continue;
    known_y[n] = y[i];
    known_score[n++] = score[i];
  }
  return n;
}

static rx_status judge(size_t n, const double *y, const double *score, int resamples, uint64_t seed,
                       rx_performance *out) {
  rx_status status = rx_roc_delong(n, y, score, &out->auc);

  if (!status)
    status = rx_roc_bootstrap(n, y, score, resamples, seed, &out->bootstrap_lower,
                              &out->bootstrap_upper);
  if (!status) status = rx_calibration_find(n, y, score, &out->calibration);
  out->calls = rx_calibration_calls(n, y, score);
  for (size_t i = 0; i < n; i++) out->n_positive += y[i] > 0.5;
  return status;
}

rx_status rx_performance_find(size_t n_patients, const double *y, const double *score,
                              rx_family family, int resamples, uint64_t seed, rx_performance *out) {
  double *known;
  rx_status status = RX_NEW(&known, "patients", 2 * n_patients);

  *out = (rx_performance){.auc = {NAN, NAN, NAN, NAN},
                          .bootstrap_lower = NAN,
                          .bootstrap_upper = NAN,
                          .calls = {NAN, NAN, NAN},
                          .calibration = {.intercept = NAN, .slope = NAN, .brier = NAN},
                          .fit = {NAN, NAN, NAN}};
  if (status) return status;
  double *known_score = known + n_patients;
  out->n = rx_performance_pairs(n_patients, y, score, known, known_score);
  if (family == RX_BINOMIAL)
    status = judge(out->n, known, known_score, resamples, seed, out);
  else if (out->n)
    out->fit = rx_calibration_fit(out->n, known, known_score);
  free(known);
  return status;
}
