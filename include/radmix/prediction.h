/* prediction.h: clinical outcomes from features, without leakage.
 *
 * Lasso and elastic net, logistic or linear, with glmnet's objective (Friedman, Hastie & Tibshirani
 * 2010, J Stat Softw 33(1)). Folds hold whole patients, are stratified by all outcomes, and are
 * nested: lambda is chosen within the training patients of each outer fold. A patient's score is
 * the mean linear predictor of its slices, each from a fit that has not seen the patient, averaged
 * over repeats; the AUC that counts is that of the scores, pooled over patients, with DeLong's
 * interval (DeLong et al. 1988, Biometrics 44:837) and one from a bootstrap of patients.
 *
 * What the study's own factors.h5ad scores within the cohort is learned anew in each outer fold,
 * from its training patients alone; with strict_folds so are encoder and normalisation. Their
 * results are kept in study.directory/refit. The model of all patients, and labels permuted, take
 * what was learned on all.
 *
 * predictions.h5
 *   family, outcomes, positive, sets, patients   texts; sets: the files' names, and `union`
 *   folds                                        [repeats][patients], from 0; -1 = left out; the
 *                                                number of folds = always trains (single split)
 *   learned                                      what was learned on all patients without outcomes,
 *                                                and what anew in each outer fold
 *   predictions/OUTCOME/SET/
 *     status                                     ok, one_class, too_few_patients, no_features,
 *                                                fold_one_class; but for ok only y follows
 *     y, score [patients], score_of_repeat [repeats][patients]      NaN = none
 *     performance/                               auc, delong_*, bootstrap_*, f1, f1_all_positive,
 *                                                balanced_accuracy, calibration_*, brier; r2, mse
 *     auc_mean_of_repeats, auc_mean_of_folds, auc_rows
 *     roc/ threshold, false_positive, true_positive
 *     calibration/ patients, predicted, observed                    by fifths of the score
 *     path/ lambda, nonzeros, deviance_ratio, kkt, cv_loss, cv_auc_rows, cv_auc_patients, f1, ...
 *                                                [lambdas], the model of all patients; lambda_min,
 *                                                lambda_1se by cv_loss (deviance), _auc by
 *                                                cv_auc_rows
 *     model_min/, model_1se/                     intercept, feature, coefficient: for apply
 *     folds/ lambda, nonzeros, auc_patients, auc_rows, kkt          [repeats * folds]
 *     selected/ feature, folds, share, auc_alone, channel, row, column
 *     permutation/ observed_auc, mean_auc, p, auc                   when asked for
 *     patient_split/ score, auc_*, performance/, calibration/       with split = image: the same
 *                                                with patients held out
 *   comparisons/ outcome, set, other, n_patients, auc, other_auc, z, p */
#ifndef RADMIX_PREDICTION_H
#define RADMIX_PREDICTION_H

#include "radmix/job.h"
#include "radmix/status.h"

/* The command `predict`. Collective over job->comm.
 * Errors: RX_ERR_CONFIG, RX_ERR_NOINPUT, RX_ERR_INPUT, RX_ERR_EXISTS, RX_ERR_INTERRUPTED,
 * RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_prediction_run(const rx_job *job);

#endif
