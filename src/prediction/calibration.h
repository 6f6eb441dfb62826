/* calibration.h: whether predicted probabilities are what happens, and how good the calls are at
 * one half. Local.
 *
 * Calibration intercept a: logit P(y) = a + s; slope b: logit P(y) = a' + b s; s the score, a
 * linear predictor (Cox 1958; Van Calster et al. 2019, BMC Med 17:230). Ideal: 0 and 1. NAN where
 * the likelihood has no maximum (one class; scores that separate the classes). */
#ifndef RADMIX_PREDICTION_CALIBRATION_H
#define RADMIX_PREDICTION_CALIBRATION_H

#include <stddef.h>

#include "radmix/status.h"

enum { RX_CALIBRATION_BINS = 5 };

typedef struct {
  double intercept, slope, brier;
  int n_bins; /* of equal numbers of patients, by score; fewer when there are fewer patients */
  double n[RX_CALIBRATION_BINS], predicted[RX_CALIBRATION_BINS], observed[RX_CALIBRATION_BINS];
} rx_calibration;

/* y [n] 0 or 1; score [n]. Errors: RX_ERR_MEMORY. */
rx_status rx_calibration_find(size_t n, const double *y, const double *score, rx_calibration *out);

/* Calls at probability one half: positive when score > 0. */
typedef struct {
  double f1, f1_all_positive; /* of the calls; of calling everyone positive */
  double balanced_accuracy;   /* mean of sensitivity and specificity; NAN with one class */
} rx_calls;
rx_calls rx_calibration_calls(size_t n, const double *y, const double *score);

/* R^2 and mean squared error, for numbers. */
typedef struct {
  double r2, mse, correlation;
} rx_fit;
rx_fit rx_calibration_fit(size_t n, const double *y, const double *score);

#endif
