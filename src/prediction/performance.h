/* performance.h: how well patients are predicted by scores that were made without them. Local. */
#ifndef RADMIX_PREDICTION_PERFORMANCE_H
#define RADMIX_PREDICTION_PERFORMANCE_H

#include <stddef.h>
#include <stdint.h>

#include "prediction/calibration.h"
#include "prediction/lasso.h"
#include "prediction/roc.h"

typedef struct {
  size_t n, n_positive;
  rx_auc auc;                              /* binomial, as all but fit */
  double bootstrap_lower, bootstrap_upper; /* of the AUC, over patients; NAN without resamples */
  rx_calls calls;
  rx_calibration calibration;
  rx_fit fit; /* gaussian */
} rx_performance;

/* Judges the patients that have an outcome and a score (neither NAN). y, score [n_patients].
 * Errors: RX_ERR_MEMORY. */
rx_status rx_performance_find(size_t n_patients, const double *y, const double *score,
                              rx_family family, int resamples, uint64_t seed, rx_performance *out);

/* Copies the pairs that are complete. known_y, known_score [n_patients]; returns how many. */
size_t rx_performance_pairs(size_t n_patients, const double *y, const double *score,
                            double *known_y, double *known_score);

#endif
