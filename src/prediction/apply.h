/* apply.h: finished models on new patients: external validation.
 *
 * A predictions.h5 holds, for each outcome and set, the model of all its patients at lambda.min and
 * lambda.1se. New files take the places of its sets in their order (prediction.features, then
 * prediction.compare); a feature is found by its name. The score of a patient is the linear
 * predictor of the means of its rows, which is the mean over its rows. With a clinical table that
 * has the outcome, the scores at lambda.min are judged as those of predict are.
 *
 * predictions-applied.h5
 *   family, outcomes, sets, patients
 *   predictions/OUTCOME/SET/ y, score, score_1se [patients], performance/, calibration/, roc/
 * predictions-applied.tsv, predictions-applied-summary.tsv: the same as text */
#ifndef RADMIX_PREDICTION_APPLY_H
#define RADMIX_PREDICTION_APPLY_H

#include "radmix/job.h"
#include "radmix/status.h"

/* Applies prediction.apply. Collective.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT: it is no predictions.h5, a file lacks a feature of a model;
 * RX_ERR_CONFIG: more files than sets; RX_ERR_EXISTS, RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_apply_run(const rx_job *job);

#endif
