/* evaluate.h: predicts all outcomes from one feature set, and judges the predictions. */
#ifndef RADMIX_PREDICTION_EVALUATE_H
#define RADMIX_PREDICTION_EVALUATE_H

#include "prediction/results.h"

/* What the settings say; lambda_ratio "auto" is settled by the rows and columns of a set. */
rx_nested_plan rx_evaluate_plan(const rx_job *job, const rx_panel *panel, const rx_feature_set *set,
                                const rx_folds *folds, int isa);

/* A number made of a name, for keys of random numbers (FNV-1a). */
uint32_t rx_evaluate_key(const char *name);

/* Tells whether an outcome can be predicted from a set with these folds.
 * fold [n_repeats][n_units]; n, n_positive: patients with outcome and rows */
rx_status rx_evaluate_status(const rx_nested_plan *plan, const rx_feature_set *set, const double *y,
                             const int *fold, rx_prediction_status *status, size_t *n,
                             size_t *n_positive);

/* Fills results for one set. Collective. fold [n_repeats][n_units] */
rx_status rx_evaluate_set(const rx_job *job, const rx_nested_plan *plan, const int *fold,
                          rx_results *results, int set);

/* Compares each pair of sets on the patients that both score. Local. */
rx_status rx_evaluate_compare(rx_results *results);

#endif
