/* outcome_model.h: the model of all patients: its path, and what cross-validation says of each
 * lambda.
 *
 * The folds are the first repeat's outer folds, all on the lambdas of the path. Loss and AUC of
 * rows are combined over folds as cv.glmnet does; patients are judged together, each by the mean
 * linear predictor of its rows. These curves choose lambda and hence flatter the lambda they
 * choose: the honest figure is that of nested.h. */
#ifndef RADMIX_PREDICTION_OUTCOME_MODEL_H
#define RADMIX_PREDICTION_OUTCOME_MODEL_H

#include "prediction/nested.h"

typedef struct {
  rx_lasso *path; /* owned, as all that follows */
  int n_lambdas;
  double *loss, *loss_error;       /* [n_lambdas], deviance or squared error, of rows */
  double *row_auc, *row_auc_error; /* [n_lambdas] */
  double *patient_auc, *f1, *f1_all_positive, *balanced_accuracy; /* [n_lambdas], of patients */
  int at_min, at_1se;         /* lambda.min and lambda.1se by loss: what models are taken from */
  int at_min_auc, at_1se_auc; /* by row_auc, which is coarse where folds are small */
  double worst_kkt;           /* of this path and those of the folds */
  bool is_converged;
} rx_outcome_model;

/* Fits the models of all targets. Collective over plan->comm. models [n_targets], set. */
rx_status rx_outcome_model_fit(const rx_nested_plan *plan, const rx_feature_set *set,
                               size_t n_targets, const rx_target *targets,
                               rx_outcome_model **models);
void rx_outcome_model_destroy(rx_outcome_model **model);

#endif
