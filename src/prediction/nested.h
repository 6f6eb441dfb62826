/* nested.h: what a lasso predicts of patients it has not seen.
 *
 * In each outer fold the path is fitted on the other folds; lambda is the one of smallest mean
 * deviance (gaussian: squared error) in inner folds of those alone, dealt by patient and stratified
 * by the outcome; then the fold that was left out is scored with it. So nothing of a patient, not
 * even the choice of lambda, has a part in its own score.
 *
 * With is_by_row folds hold rows, in the outer and in the inner folds: other rows of a patient have
 * a part in the scores of his. That is the paper's way, and leaks. */
#ifndef RADMIX_PREDICTION_NESTED_H
#define RADMIX_PREDICTION_NESTED_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prediction/lasso.h"
#include "prediction/refit.h"

/* Something to predict, with its outer folds. */
typedef struct {
  const double *y; /* [n_patients]; NAN takes no part */
  const int *fold; /* [n_repeats][n_units], -1 takes no part */
  uint32_t key;    /* of its inner folds' random numbers; of its name, not its place in a list */
} rx_target;

typedef struct {
  MPI_Comm comm;
  size_t n_patients;
  bool is_by_row;                  /* units are rows (split = image), not patients */
  int n_repeats, n_folds, n_inner; /* n_folds = 1: a single split, fold 0 is held out */
  uint64_t seed;
  rx_lasso_options lasso;
  rx_refit *refit; /* where the set of each outer fold comes from; NULL: they have one set */
  int set;         /* its number there */
} rx_nested_plan;

typedef struct {
  double *score;    /* [n_repeats][n_patients], mean linear predictor of the patient's rows, each
                     * from a fit without it; NAN where there is none; owned, as all that follows */
  double *selected; /* [n_features], how many of the outer fits select the feature */
  double *lambda, *nonzeros, *auc, *row_auc, *kkt; /* [n_repeats * n_folds], of the outer fits */
  int n_done;                                      /* outer folds */
  bool is_converged;
} rx_nested;

rx_status rx_nested_create(const rx_nested_plan *plan, const rx_feature_set *set, rx_nested **out);
void rx_nested_destroy(rx_nested **nested);

/* Runs the outer folds first .. first + count - 1 (repeat * n_folds + fold) of all targets, on the
 * set as those folds have it. After the last of a repeat its scores are whole. Collective over
 * plan->comm. nested  [n_targets] */
rx_status rx_nested_run(const rx_nested_plan *plan, const rx_feature_set *set, size_t n_targets,
                        const rx_target *targets, int first, int count, rx_nested *const *nested);

/* The mean score of each patient over the repeats. score [n_patients] set; NAN where none. */
void rx_nested_mean(const rx_nested_plan *plan, const rx_nested *nested, double *score);

#endif
