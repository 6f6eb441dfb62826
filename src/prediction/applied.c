#include "prediction/applied.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "prediction/record.h"
#include "prediction/record_parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { PATH_SIZE = 4096, GROUP_SIZE = 448 };

void rx_applied_destroy(rx_applied **applied) {
  rx_applied *a = *applied;

  if (!a) return;
  for (size_t k = 0; a->ones && k < a->n_outcomes * a->n_sets; k++) {
    free(a->ones[k].y);
    free(a->ones[k].score);
    free(a->ones[k].score_1se);
  }
  free(a->ones);
  rx_texts_destroy(&a->patients, a->n_patients);
  rx_texts_destroy(&a->outcomes, a->n_outcomes);
  rx_texts_destroy(&a->sets, a->n_sets);
  free(a);
  *applied = NULL;
}

/* ---- on screen ---- */

static void say_one(const rx_job *job, const rx_applied *a, const char *outcome, const char *set,
                    const rx_applied_one *one) {
  const rx_performance *f = &one->performance;
  char slope[32] = "unknown";

  if (!isnan(f->calibration.slope)) snprintf(slope, sizeof slope, "%.2f", f->calibration.slope);
  if (one->n_unscored)
    rx_log_warn(job->log,
                "predict: %s from %s: %zu of %zu patients without a score: a feature of the model "
                "is missing",
                outcome, set, one->n_unscored, a->n_patients);
  if (!f->n)
    rx_log_info(job->log, "predict: %s from %s: %zu new patients scored, none with the outcome",
                outcome, set, a->n_patients - one->n_unscored);
  else if (!a->is_binary)
    rx_log_info(job->log, "predict: %s from %s: R2 %.3f, correlation %.3f, %zu new patients",
                outcome, set, f->fit.r2, f->fit.correlation, f->n);
  else
    rx_log_info(job->log,
                "predict: %s from %s: AUC %.3f (DeLong %.3f-%.3f, bootstrap %.3f-%.3f), "
                "calibration intercept %.2f, slope %s, Brier %.3f; %zu new patients, %zu positive",
                outcome, set, f->auc.auc, f->auc.lower, f->auc.upper, f->bootstrap_lower,
                f->bootstrap_upper, f->calibration.intercept, slope, f->calibration.brier, f->n,
                f->n_positive);
}

void rx_applied_say(const rx_job *job, const rx_applied *a) {
  for (size_t o = 0; o < a->n_outcomes; o++)
    for (size_t s = 0; s < a->n_sets; s++) {
      const rx_applied_one *one = &a->ones[o * a->n_sets + s];
      if (one->has_model) say_one(job, a, a->outcomes[o], a->sets[s], one);
    }
}

/* ---- text ---- */

static void put_cells(FILE *file, int n, const double *numbers) {
  for (int i = 0; i < n; i++) {
    if (isnan(numbers[i]))
      fprintf(file, "\tNA");
    else
      fprintf(file, "\t%.10g", numbers[i]);
  }
  fprintf(file, "\n");
}

static void put_scores(FILE *file, const rx_applied *a, size_t o, size_t s) {
  const rx_applied_one *one = &a->ones[o * a->n_sets + s];

  for (size_t i = 0; i < a->n_patients; i++) {
    double score = one->score[i];
    const double cells[] = {one->y[i], score, a->is_binary ? 1 / (1 + exp(-score)) : NAN,
                            one->score_1se[i]};
    fprintf(file, "%s\t%s\t%s", a->outcomes[o], a->sets[s], a->patients[i]);
    put_cells(file, 4, cells);
  }
}

static void put_summary(FILE *file, const rx_applied *a, size_t o, size_t s) {
  const rx_performance *f = &a->ones[o * a->n_sets + s].performance;
  const double cells[] = {f->auc.auc,
                          f->auc.lower,
                          f->auc.upper,
                          f->bootstrap_lower,
                          f->bootstrap_upper,
                          f->calls.f1,
                          f->calls.f1_all_positive,
                          f->calls.balanced_accuracy,
                          f->calibration.intercept,
                          f->calibration.slope,
                          f->calibration.brier,
                          f->fit.r2,
                          f->fit.mse};

  fprintf(file, "%s\t%s\t%zu\t%zu", a->outcomes[o], a->sets[s], f->n, f->n_positive);
  put_cells(file, (int)(sizeof cells / sizeof *cells), cells);
}

static rx_status write_table(const rx_job *job, const rx_applied *a, const char *name,
                             const char *header,
                             void (*put)(FILE *, const rx_applied *, size_t, size_t)) {
  char path[PATH_SIZE];
  FILE *file;

  RX_TRY(rx_job_path(job, name, path, sizeof path));
  RX_TRY(rx_output_open(path, &file));
  fprintf(file, "%s\n", header);
  for (size_t o = 0; o < a->n_outcomes; o++)
    for (size_t s = 0; s < a->n_sets; s++)
      if (a->ones[o * a->n_sets + s].has_model) put(file, a, o, s);
  return rx_output_close(path, &file, RX_OK);
}

/* ---- the file ---- */

static rx_status put_one(rx_store *store, const rx_applied *a, size_t o, size_t s) {
  const rx_applied_one *one = &a->ones[o * a->n_sets + s];
  char group[GROUP_SIZE];

  if (!one->has_model) return RX_OK;
  rx_record_group(a->outcomes[o], a->sets[s], group, sizeof group);
  RX_TRY(rx_store_put_group(store, group, "dict"));
  RX_TRY(rx_record_parts_vector(store, group, "y", a->n_patients, one->y));
  RX_TRY(rx_record_parts_vector(store, group, "score", a->n_patients, one->score));
  RX_TRY(rx_record_parts_vector(store, group, "score_1se", a->n_patients, one->score_1se));
  if (!one->performance.n) return RX_OK;
  RX_TRY(rx_record_parts_performance(store, group, &one->performance));
  return a->is_binary ? rx_record_parts_roc(store, group, a->n_patients, one->y, one->score)
                      : RX_OK;
}

static rx_status put_all(rx_store *store, const rx_job *job, const rx_applied *a,
                         const rx_recipe *recipe, size_t memory) {
  RX_TRY(rx_store_put_text(store, "family", a->is_binary ? "binomial" : "gaussian"));
  RX_TRY(rx_store_put_texts(store, "outcomes", a->n_outcomes, a->outcomes));
  RX_TRY(rx_store_put_texts(store, "sets", a->n_sets, a->sets));
  RX_TRY(rx_store_put_texts(store, "patients", a->n_patients, a->patients));
  for (size_t o = 0; o < a->n_outcomes; o++)
    for (size_t s = 0; s < a->n_sets; s++) RX_TRY(put_one(store, a, o, s));
  return rx_result_record(store, job, recipe, memory);
}

rx_status rx_applied_store(const rx_job *job, const rx_applied *a, const rx_recipe *recipe,
                           size_t memory, const char *path) {
  rx_store *store = NULL;

  RX_TRY(write_table(job, a, "predictions-applied.tsv",
                     "outcome\tset\tpatient\ty\tscore\tprobability\tscore_1se", put_scores));
  RX_TRY(write_table(job, a, "predictions-applied-summary.tsv",
                     "outcome\tset\tpatients\tpositive\tauc\tdelong_lower\tdelong_upper\t"
                     "bootstrap_lower\tbootstrap_upper\tf1\tf1_all_positive\tbalanced_accuracy\t"
                     "calibration_intercept\tcalibration_slope\tbrier\tr2\tmse",
                     put_summary));
  RX_TRY(rx_store_create(path, &store));
  rx_status status = put_all(store, job, a, recipe, memory);
  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
  return status;
}
