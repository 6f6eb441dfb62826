/* applied.h: what models say of new patients, and how it is written. */
#ifndef RADMIX_PREDICTION_APPLIED_H
#define RADMIX_PREDICTION_APPLIED_H

#include "prediction/performance.h"
#include "radmix/job.h"
#include "radmix/result.h"

/* One outcome from one set. */
typedef struct {
  bool has_model;
  double *y, *score, *score_1se; /* [n_patients], NAN = none; owned */
  size_t n_unscored;             /* patients of the files who lack a feature of the model */
  rx_performance performance;    /* of those that have both */
} rx_applied_one;

typedef struct {
  size_t n_patients, n_outcomes, n_sets;
  char **patients, **outcomes, **sets; /* owned, as all that follows */
  bool is_binary;
  rx_applied_one *ones; /* [n_outcomes][n_sets] */
} rx_applied;

void rx_applied_destroy(rx_applied **applied);

/* A line for each outcome and set. */
void rx_applied_say(const rx_job *job, const rx_applied *applied);

/* Writes predictions-applied.tsv and -summary.tsv, then predictions-applied.h5. Local (rank 0). */
rx_status rx_applied_store(const rx_job *job, const rx_applied *applied, const rx_recipe *recipe,
                           size_t memory, const char *path);

#endif
