/* results.h: all that a run of predict finds, and how it is written. */
#ifndef RADMIX_PREDICTION_RESULTS_H
#define RADMIX_PREDICTION_RESULTS_H

#include "prediction/folds.h"
#include "prediction/nested.h"
#include "prediction/outcome_model.h"
#include "prediction/panel.h"
#include "prediction/performance.h"
#include "radmix/job.h"
#include "radmix/result.h"

/* Why there is no prediction of an outcome from a set. */
typedef enum {
  RX_PREDICTED,
  RX_ONE_CLASS,        /* all patients alike */
  RX_TOO_FEW_PATIENTS, /* fewer than 3 of a class (of numbers: fewer than 6) */
  RX_NO_FEATURES,      /* none that varies and is whole */
  RX_FOLD_ONE_CLASS    /* a fold leaves fewer than 2 of a class to learn from */
} rx_prediction_status;
const char *rx_results_status_name(rx_prediction_status status);

/* One outcome predicted from one set. */
typedef struct {
  rx_prediction_status status;
  size_t n_patients, n_positive; /* with outcome and rows */
  rx_outcome_model *model;       /* NULL unless predicted; owned, as all that follows */
  rx_nested *nested;
  double *score; /* [patients of the panel], mean over repeats of the nested scores; NAN */
  rx_performance performance;
  double fold_auc, row_auc; /* means over the outer folds that have both classes */
  double repeat_auc;        /* mean over repeats of the AUC pooled over patients */
  double *alone;            /* [n_features], AUC of the feature's patient means by itself */
  int n_permutations;       /* of labels */
  int n_permuted;           /* of 1 + n_permutations, while they are made */
  double permutation_observed, permutation_mean, permutation_p;
  double *permutation_auc; /* [n_permutations]; gaussian: correlations */
} rx_prediction;

/* Two sets on the patients that both score. */
typedef struct {
  int outcome, one, other; /* sets */
  size_t n;
  rx_auc_test test;
} rx_comparison;

typedef struct rx_results {
  const rx_panel *panel;
  const rx_folds *folds;
  struct rx_fold_checkpoint *checkpoint; /* may be NULL; not owned */
  int number;                            /* in the checkpoint */
  const struct rx_results *beside; /* split = image: the same with patients held out; else NULL */
  rx_prediction *predictions;      /* [n_outcomes][n_sets]; owned */
  int n_comparisons;
  rx_comparison *comparisons; /* owned */
  char *learned;              /* what was learned on all patients without outcomes; owned */
} rx_results;

rx_status rx_results_create(const rx_panel *panel, const rx_folds *folds, rx_results **out);
void rx_results_destroy(rx_results **results);
rx_prediction *rx_results_at(const rx_results *results, int outcome, int set);

/* Writes the tables predictions-summary.tsv, -scores, -path, -roc, -selected, -calibration,
 * -compare and folds.tsv. Local (rank 0). Errors: RX_ERR_OUTPUT. */
rx_status rx_results_tables(const rx_job *job, const rx_results *results);

/* Writes predictions.h5 as prediction.h says. Local (rank 0). */
rx_status rx_results_store(const rx_job *job, const rx_results *results, const rx_recipe *recipe,
                           size_t memory, const char *path);

#endif
