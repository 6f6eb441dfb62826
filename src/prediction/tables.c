/* The tables of a run, as text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/results.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* One table: its file, and how the lines of one prediction are written. */
typedef struct {
  FILE *file;
  const rx_results *results;
  const char *outcome, *set;
  int outcome_number, set_number;
} table;

static void put_number(FILE *file, double number) {
  if (isnan(number))
    fprintf(file, "\tNA");
  else
    fprintf(file, "\t%.10g", number);
}

static void put_numbers(FILE *file, int n, const double *numbers) {
  for (int i = 0; i < n; i++) put_number(file, numbers[i]);
}

/* ---- a line for each outcome and set ---- */

static const char summary_header[] =
    "outcome\tset\tstatus\tpatients\tpositive\tauc\tdelong_lower\tdelong_upper\tbootstrap_lower\t"
    "bootstrap_upper\tauc_mean_of_repeats\tauc_mean_of_folds\tauc_rows\tf1\tf1_all_positive\t"
    "balanced_accuracy\tcalibration_intercept\tcalibration_slope\tbrier\tr2\tmse\tlambda_min\t"
    "lambda_1se\tnonzeros_min\tnonzeros_1se\tkkt\tpermutations\tpermutation_mean_auc\tpermutation_"
    "p\tpatient_split_auc\tpatient_split_auc_rows";

static rx_status put_summary(const table *t, const rx_prediction *p) {
  enum { N_NUMBERS = 26 };
  static const rx_prediction none = {.performance.auc.auc = NAN, .row_auc = NAN};
  const rx_results *beside = t->results->beside;
  const rx_prediction *other =
      beside ? rx_results_at(beside, t->outcome_number, t->set_number) : &none;
  const rx_performance *f = &p->performance;
  const rx_outcome_model *m = p->model;

  fprintf(t->file, "%s\t%s\t%s\t%zu\t%zu", t->outcome, t->set, rx_results_status_name(p->status),
          p->n_patients, p->n_positive);
  if (p->status != RX_PREDICTED) {
    for (int i = 0; i < N_NUMBERS; i++) fprintf(t->file, "\tNA");
    fprintf(t->file, "\n");
    return RX_OK;
  }
  const double numbers[N_NUMBERS] = {f->auc.auc,
                                     f->auc.lower,
                                     f->auc.upper,
                                     f->bootstrap_lower,
                                     f->bootstrap_upper,
                                     p->repeat_auc,
                                     p->fold_auc,
                                     p->row_auc,
                                     f->calls.f1,
                                     f->calls.f1_all_positive,
                                     f->calls.balanced_accuracy,
                                     f->calibration.intercept,
                                     f->calibration.slope,
                                     f->calibration.brier,
                                     f->fit.r2,
                                     f->fit.mse,
                                     m->path->lambda[m->at_min],
                                     m->path->lambda[m->at_1se],
                                     (double)rx_lasso_nonzeros(m->path, m->at_min),
                                     (double)rx_lasso_nonzeros(m->path, m->at_1se),
                                     m->worst_kkt,
                                     p->n_permutations,
                                     p->permutation_mean,
                                     p->permutation_p,
                                     other->performance.auc.auc,
                                     other->row_auc};
  put_numbers(t->file, N_NUMBERS, numbers);
  fprintf(t->file, "\n");
  return RX_OK;
}

/* ---- the patients ---- */

static const char scores_header[] = "outcome\tset\tpatient\ty\tscore\tprobability";

static rx_status put_scores(const table *t, const rx_prediction *p) {
  const rx_panel *panel = t->results->panel;

  for (size_t i = 0; i < panel->n_patients; i++) {
    if (isnan(p->score[i])) continue;
    const double s = p->score[i];
    const double numbers[] = {panel->y[(size_t)t->outcome_number * panel->n_patients + i], s,
                              panel->is_binary ? 1 / (1 + exp(-s)) : NAN};
    fprintf(t->file, "%s\t%s\t%s", t->outcome, t->set, panel->patients[i]);
    put_numbers(t->file, 3, numbers);
    fprintf(t->file, "\n");
  }
  return RX_OK;
}

/* ---- the path of all patients ---- */

static const char path_header[] =
    "outcome\tset\tlambda\tnonzeros\tdeviance_ratio\tcv_loss\tcv_loss_error\tcv_auc_rows\t"
    "cv_auc_rows_error\tcv_auc_patients\tf1\tf1_all_positive\tbalanced_accuracy\tkkt\tchoice";

static rx_status put_path(const table *t, const rx_prediction *p) {
  const rx_outcome_model *m = p->model;

  for (int l = 0; l < m->n_lambdas; l++) {
    const double numbers[] = {m->path->lambda[l],
                              (double)rx_lasso_nonzeros(m->path, l),
                              m->path->deviance_ratio[l],
                              m->loss[l],
                              m->loss_error[l],
                              m->row_auc[l],
                              m->row_auc_error[l],
                              m->patient_auc[l],
                              m->f1[l],
                              m->f1_all_positive[l],
                              m->balanced_accuracy[l],
                              m->path->kkt[l]};
    fprintf(t->file, "%s\t%s", t->outcome, t->set);
    put_numbers(t->file, (int)(sizeof numbers / sizeof *numbers), numbers);
    fprintf(t->file, "\t%s\n",
            l == m->at_min   ? (l == m->at_1se ? "min,1se" : "min")
            : l == m->at_1se ? "1se"
                             : "");
  }
  return RX_OK;
}

/* ---- the curve ---- */

static const char roc_header[] = "outcome\tset\tthreshold\tfalse_positive\ttrue_positive";

static rx_status put_roc(const table *t, const rx_prediction *p) {
  const rx_panel *panel = t->results->panel;
  size_t room = panel->n_patients + 1, n_points = 0;
  double *memory;

  if (!panel->is_binary) return RX_OK;
  RX_TRY(RX_NEW(&memory, "ROC", 5 * room));
  double *y = memory, *score = y + room, *threshold = score + room;
  double *false_positive = threshold + room, *true_positive = false_positive + room;
  size_t n = rx_performance_pairs(panel->n_patients,
                                  panel->y + (size_t)t->outcome_number * panel->n_patients,
                                  p->score, y, score);
  rx_status status =
      rx_roc_points(n, y, score, threshold, false_positive, true_positive, &n_points);
  for (size_t k = 0; k < n_points && !status; k++) {
    const double numbers[] = {threshold[k], false_positive[k], true_positive[k]};
    fprintf(t->file, "%s\t%s", t->outcome, t->set);
    put_numbers(t->file, 3, numbers);
    fprintf(t->file, "\n");
  }
  free(memory);
  return status;
}

/* ---- the features ---- */

static const char selected_header[] =
    "outcome\tset\tfeature\tchannel\trow\tcolumn\tfolds_selected\tshare_selected\t"
    "coefficient_min\tcoefficient_1se\tauc_alone";

static double coefficient(const rx_lasso *path, int step, size_t feature) {
  for (size_t k = path->first[step]; k < path->first[step + 1]; k++)
    if (path->feature[k] == (int)feature) return path->value[k];
  return 0;
}

static void put_place(FILE *file, const rx_frame *var, const char *name, size_t j) {
  const rx_column *column = rx_frame_find(var, name);

  if (column && column->kind == RX_INTEGER)
    fprintf(file, "\t%lld", (long long)column->integer[j]);
  else
    put_number(file, column && column->kind == RX_REAL ? column->real[j] : NAN);
}

static rx_status put_selected(const table *t, const rx_prediction *p) {
  const rx_feature_set *set = &t->results->panel->sets[t->set_number];
  const rx_outcome_model *m = p->model;
  double n_fits = t->results->folds->n_repeats * t->results->folds->n_folds;

  for (size_t j = 0; j < set->n_features; j++) {
    double at_min = coefficient(m->path, m->at_min, j), at_1se = coefficient(m->path, m->at_1se, j);
    if (p->nested->selected[j] <= 0 && at_min == 0 && at_1se == 0) continue;
    fprintf(t->file, "%s\t%s\t%s", t->outcome, t->set, set->var->names[j]);
    put_place(t->file, set->var, "channel", j);
    put_place(t->file, set->var, "row", j);
    put_place(t->file, set->var, "column", j);
    const double numbers[] = {p->nested->selected[j], p->nested->selected[j] / n_fits, at_min,
                              at_1se, t->results->panel->is_binary ? p->alone[j] : NAN};
    put_numbers(t->file, 5, numbers);
    fprintf(t->file, "\n");
  }
  return RX_OK;
}

/* ---- calibration ---- */

static const char calibration_header[] = "outcome\tset\tbin\tpatients\tpredicted\tobserved";

static rx_status put_calibration(const table *t, const rx_prediction *p) {
  const rx_calibration *c = &p->performance.calibration;

  for (int b = 0; b < c->n_bins; b++) {
    const double numbers[] = {c->n[b], c->predicted[b], c->observed[b]};
    fprintf(t->file, "%s\t%s\t%d", t->outcome, t->set, b + 1);
    put_numbers(t->file, 3, numbers);
    fprintf(t->file, "\n");
  }
  return RX_OK;
}

/* ---- files ---- */

typedef struct {
  const char *name, *header;
  rx_status (*put)(const table *, const rx_prediction *);
} table_kind;

static const table_kind kinds[] = {
    {"predictions-summary.tsv", summary_header, put_summary},
    {"predictions-scores.tsv", scores_header, put_scores},
    {"predictions-path.tsv", path_header, put_path},
    {"predictions-roc.tsv", roc_header, put_roc},
    {"predictions-selected.tsv", selected_header, put_selected},
    {"predictions-calibration.tsv", calibration_header, put_calibration},
};

static rx_status write_kind(const rx_job *job, const rx_results *results, const table_kind *kind) {
  const rx_panel *panel = results->panel;
  char path[4096];
  table t = {.results = results};

  RX_TRY(rx_job_path(job, kind->name, path, sizeof path));
  RX_TRY(rx_output_open(path, &t.file));
  fprintf(t.file, "%s\n", kind->header);
  rx_status status = RX_OK;
  for (int o = 0; o < panel->n_outcomes; o++)
    for (int s = 0; s < panel->n_sets && !status; s++) {
      const rx_prediction *p = rx_results_at(results, o, s);
      if (p->status != RX_PREDICTED && kind->put != put_summary) continue;
      t.outcome = panel->outcomes[t.outcome_number = o];
      t.set = panel->sets[t.set_number = s].name;
      status = kind->put(&t, p);
    }
  return rx_output_close(path, &t.file, status);
}

static rx_status write_comparisons(const rx_job *job, const rx_results *results) {
  const rx_panel *panel = results->panel;
  char path[4096];
  FILE *file;

  RX_TRY(rx_job_path(job, "predictions-compare.tsv", path, sizeof path));
  RX_TRY(rx_output_open(path, &file));
  fprintf(file, "outcome\tset\tother\tpatients\tauc\tother_auc\tz\tp\n");
  for (int i = 0; i < results->n_comparisons; i++) {
    const rx_comparison *c = &results->comparisons[i];
    const double numbers[] = {c->test.auc[0], c->test.auc[1], c->test.z, c->test.p};
    fprintf(file, "%s\t%s\t%s\t%zu", panel->outcomes[c->outcome], panel->sets[c->one].name,
            panel->sets[c->other].name, c->n);
    put_numbers(file, 4, numbers);
    fprintf(file, "\n");
  }
  return rx_output_close(path, &file, RX_OK);
}

rx_status rx_results_tables(const rx_job *job, const rx_results *results) {
  char path[4096];

  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    RX_TRY(write_kind(job, results, &kinds[k]));
  if (results->beside) results = results->beside;
  if (results->n_comparisons) RX_TRY(write_comparisons(job, results));
  RX_TRY(rx_job_path(job, "folds.tsv", path, sizeof path));
  return rx_folds_write(results->folds, results->panel->patients, path);
}
