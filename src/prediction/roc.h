/* roc.h: how well scores tell two classes apart. Local.
 *
 * AUC is the share of pairs (one of each class) in which the positive has the higher score, ties
 * counting half. Its variance and covariance are those of DeLong, DeLong & Clarke-Pearson 1988
 * (Biometrics 44:837), by midranks (Sun & Xu 2014, IEEE Signal Process Lett 21:1389). One unit is
 * one patient: slices of a patient are not independent.
 *
 * With one class, or none, all numbers are NAN. */
#ifndef RADMIX_PREDICTION_ROC_H
#define RADMIX_PREDICTION_ROC_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

/* An AUC with its 95 % interval. */
typedef struct {
  double auc, variance, lower, upper;
} rx_auc;

/* The share of pairs. y [n] 0 or 1; score [n]. Errors: RX_ERR_MEMORY. */
rx_status rx_roc_auc(size_t n, const double *y, const double *score, double *auc);

/* The same with DeLong's variance and normal interval, kept within [0,1]. Where all pairs agree the
 * variance is 0 and says nothing: then the bound is that of Clopper and Pearson for the
 * min(positives, negatives) pairs that share no patient, all of which agree: 0.025^(1/pairs).
 * Errors: RX_ERR_MEMORY. */
rx_status rx_roc_delong(size_t n, const double *y, const double *score, rx_auc *out);

/* DeLong's test of two scores of the same patients. z = 0, p = 1 when they order all alike. */
typedef struct {
  double auc[2], z, p;
} rx_auc_test;
rx_status rx_roc_compare(size_t n, const double *y, const double *one, const double *other,
                         rx_auc_test *out);

/* The percentile interval over resamples of the patients of each class (Philox, keyed by the number
 * of the resample). Errors: RX_ERR_MEMORY. */
rx_status rx_roc_bootstrap(size_t n, const double *y, const double *score, int resamples,
                           uint64_t seed, double *lower, double *upper);

/* The points of the curve, from (0,0) to (1,1), one for each different score, falling.
 * threshold, false_positive, true_positive [n + 1] set; score >= threshold is called positive; the
 * first threshold is infinite. Returns RX_OK and n_points. */
rx_status rx_roc_points(size_t n, const double *y, const double *score, double *threshold,
                        double *false_positive, double *true_positive, size_t *n_points);

#endif
