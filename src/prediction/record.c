/* predictions.h5: the layout is told in radmix/prediction.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/record.h"
#include "prediction/record_parts.h"
#include "prediction/results.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { NAME_SIZE = 512 };

void rx_record_group(const char *outcome, const char *set, char *group, size_t size) {
  snprintf(group, size, "predictions/%.200s/%.200s", outcome, set);
  size_t slashes = 0;
  for (char *c = group + strlen("predictions/"); *c; c++) {
    const char *name = group + strlen("predictions/");
    if (*c != '/') continue;
    /* The one between outcome and set stays. */
    if ((size_t)(c - name) == strnlen(outcome, 200) && !slashes++) continue;
    *c = '_';
  }
}

/* ---- one prediction ---- */

static rx_status put_path(rx_store *store, const char *group, const rx_outcome_model *m) {
  size_t n = (size_t)m->n_lambdas;
  char name[NAME_SIZE];
  double *nonzeros;
  const struct {
    const char *name;
    const double *values;
  } curves[] = {{"lambda", m->path->lambda},
                {"deviance_ratio", m->path->deviance_ratio},
                {"kkt", m->path->kkt},
                {"cv_loss", m->loss},
                {"cv_loss_error", m->loss_error},
                {"cv_auc_rows", m->row_auc},
                {"cv_auc_rows_error", m->row_auc_error},
                {"cv_auc_patients", m->patient_auc},
                {"f1", m->f1},
                {"f1_all_positive", m->f1_all_positive},
                {"balanced_accuracy", m->balanced_accuracy}};

  snprintf(name, sizeof name, "%s/path", group);
  RX_TRY(rx_store_put_group(store, name, "dict"));
  RX_TRY(RX_NEW(&nonzeros, "path", n));
  for (int l = 0; l < m->n_lambdas; l++) nonzeros[l] = (double)rx_lasso_nonzeros(m->path, l);
  rx_status status = rx_record_parts_vector(store, name, "nonzeros", n, nonzeros);
  free(nonzeros);
  for (size_t c = 0; c < sizeof curves / sizeof *curves && !status; c++)
    status = rx_record_parts_vector(store, name, curves[c].name, n, curves[c].values);
  if (!status)
    status = rx_record_parts_number(store, name, "lambda_min", m->path->lambda[m->at_min]);
  if (!status)
    status = rx_record_parts_number(store, name, "lambda_1se", m->path->lambda[m->at_1se]);
  if (!status)
    status = rx_record_parts_number(store, name, "lambda_min_auc", m->path->lambda[m->at_min_auc]);
  if (!status)
    status = rx_record_parts_number(store, name, "lambda_1se_auc", m->path->lambda[m->at_1se_auc]);
  if (!status) status = rx_record_parts_number(store, name, "worst_kkt", m->worst_kkt);
  return status;
}

/* The model at one lambda, with the names of its features: all that is needed to apply it. */
static rx_status put_model(rx_store *store, const char *group, const char *which,
                           const rx_feature_set *set, const rx_lasso *path, int step) {
  size_t n = rx_lasso_nonzeros(path, step), first = path->first[step];
  char name[NAME_SIZE], names_path[NAME_SIZE];
  char **names;

  snprintf(name, sizeof name, "%s/model_%s", group, which);
  RX_TRY(rx_store_put_group(store, name, "dict"));
  RX_TRY(rx_record_parts_number(store, name, "lambda", path->lambda[step]));
  RX_TRY(rx_record_parts_number(store, name, "intercept", path->intercept[step]));
  RX_TRY(rx_record_parts_number(store, name, "n_features", (double)n));
  if (!n) return RX_OK;
  RX_TRY(RX_NEW(&names, "features", n));
  for (size_t k = 0; k < n; k++) names[k] = set->var->names[path->feature[first + k]];
  rx_status status = rx_path_join(name, "feature", names_path, sizeof names_path);
  if (!status) status = rx_store_put_texts(store, names_path, n, names);
  free(names);
  if (!status) status = rx_record_parts_vector(store, name, "coefficient", n, path->value + first);
  return status;
}

/* split = image: what the split by patient says. */
static rx_status put_beside(rx_store *store, const char *group, const rx_results *beside, int o,
                            int s) {
  const rx_prediction *p = rx_results_at(beside, o, s);
  char name[NAME_SIZE];

  snprintf(name, sizeof name, "%s/patient_split", group);
  RX_TRY(rx_store_put_group(store, name, "dict"));
  if (p->status != RX_PREDICTED) return RX_OK;
  RX_TRY(rx_record_parts_vector(store, name, "score", beside->panel->n_patients, p->score));
  RX_TRY(rx_record_parts_number(store, name, "auc_mean_of_repeats", p->repeat_auc));
  RX_TRY(rx_record_parts_number(store, name, "auc_mean_of_folds", p->fold_auc));
  RX_TRY(rx_record_parts_number(store, name, "auc_rows", p->row_auc));
  return rx_record_parts_performance(store, name, &p->performance);
}

/* ---- features and how often they are selected ---- */

typedef struct {
  size_t n;
  char **names;    /* views */
  double *columns; /* [6][n]: folds, share, alone, channel, row, column */
} selection;

static double place_of(const rx_frame *var, const char *name, size_t j) {
  const rx_column *column = rx_frame_find(var, name);

  if (!column || column->kind == RX_TEXT) return NAN;
  return column->kind == RX_INTEGER ? (double)column->integer[j] : column->real[j];
}

static rx_status select_features(const rx_feature_set *set, const rx_prediction *p, double n_fits,
                                 bool is_binary, selection *s) {
  *s = (selection){0, NULL, NULL};
  for (size_t j = 0; j < set->n_features; j++) s->n += p->nested->selected[j] > 0;
  RX_TRY(RX_NEW(&s->names, "features", s->n));
  RX_TRY(RX_NEW(&s->columns, "features", 6 * s->n));
  size_t at = 0;
  for (size_t j = 0; j < set->n_features; j++) {
    if (p->nested->selected[j] <= 0) continue;
    const double row[] = {p->nested->selected[j],        p->nested->selected[j] / n_fits,
                          is_binary ? p->alone[j] : NAN, place_of(set->var, "channel", j),
                          place_of(set->var, "row", j),  place_of(set->var, "column", j)};
    for (size_t c = 0; c < 6; c++) s->columns[c * s->n + at] = row[c];
    s->names[at++] = set->var->names[j];
  }
  return RX_OK;
}

static rx_status put_selected(rx_store *store, const char *group, const rx_feature_set *set,
                              const rx_prediction *p, double n_fits, bool is_binary) {
  static const char *const columns[] = {"folds", "share", "auc_alone", "channel", "row", "column"};
  char name[NAME_SIZE], names_path[NAME_SIZE];
  selection s = {0};

  snprintf(name, sizeof name, "%s/selected", group);
  rx_status status = rx_store_put_group(store, name, "dict");
  if (!status) status = select_features(set, p, n_fits, is_binary, &s);
  if (!status && s.n) {
    status = rx_path_join(name, "feature", names_path, sizeof names_path);
    if (!status) status = rx_store_put_texts(store, names_path, s.n, s.names);
    for (size_t c = 0; c < sizeof columns / sizeof *columns && !status; c++)
      status = rx_record_parts_vector(store, name, columns[c], s.n, s.columns + c * s.n);
  }
  free(s.names);
  free(s.columns);
  return status;
}

static rx_status put_folds(rx_store *store, const char *group, const rx_nested *nested, size_t n) {
  char name[NAME_SIZE];

  snprintf(name, sizeof name, "%s/folds", group);
  RX_TRY(rx_store_put_group(store, name, "dict"));
  RX_TRY(rx_record_parts_vector(store, name, "lambda", n, nested->lambda));
  RX_TRY(rx_record_parts_vector(store, name, "nonzeros", n, nested->nonzeros));
  RX_TRY(rx_record_parts_vector(store, name, "auc_patients", n, nested->auc));
  RX_TRY(rx_record_parts_vector(store, name, "auc_rows", n, nested->row_auc));
  return rx_record_parts_vector(store, name, "kkt", n, nested->kkt);
}

static rx_status put_permutation(rx_store *store, const char *group, const rx_prediction *p) {
  const rx_named_number numbers[] = {{"observed_auc", p->permutation_observed},
                                     {"mean_auc", p->permutation_mean},
                                     {"p", p->permutation_p}};
  char name[NAME_SIZE];

  if (!p->n_permutations) return RX_OK;
  snprintf(name, sizeof name, "%s/permutation", group);
  RX_TRY(rx_record_parts_numbers(store, name, numbers, sizeof numbers / sizeof *numbers));
  return rx_record_parts_vector(store, name, "auc", (size_t)p->n_permutations, p->permutation_auc);
}

static rx_status put_prediction(rx_store *store, const rx_results *results, int o, int s) {
  const rx_panel *panel = results->panel;
  const rx_feature_set *set = &panel->sets[s];
  const rx_prediction *p = rx_results_at(results, o, s);
  const double *y = panel->y + (size_t)o * panel->n_patients;
  size_t n_fits = (size_t)results->folds->n_repeats * (size_t)results->folds->n_folds;
  char group[NAME_SIZE - 64], name[NAME_SIZE];

  rx_record_group(panel->outcomes[o], set->name, group, sizeof group);
  RX_TRY(rx_store_put_group(store, group, "dict"));
  snprintf(name, sizeof name, "%s/status", group);
  RX_TRY(rx_store_put_text(store, name, rx_results_status_name(p->status)));
  RX_TRY(rx_record_parts_number(store, group, "n_patients", (double)p->n_patients));
  RX_TRY(rx_record_parts_number(store, group, "n_positive", (double)p->n_positive));
  RX_TRY(rx_record_parts_vector(store, group, "y", panel->n_patients, y));
  if (p->status != RX_PREDICTED) return RX_OK;
  RX_TRY(rx_record_parts_vector(store, group, "score", panel->n_patients, p->score));
  const size_t dims[2] = {(size_t)results->folds->n_repeats, panel->n_patients};
  snprintf(name, sizeof name, "%s/score_of_repeat", group);
  RX_TRY(rx_store_put(store, name, RX_FLOAT64, 2, dims, p->nested->score));
  RX_TRY(rx_record_parts_number(store, group, "auc_mean_of_repeats", p->repeat_auc));
  RX_TRY(rx_record_parts_number(store, group, "auc_mean_of_folds", p->fold_auc));
  RX_TRY(rx_record_parts_number(store, group, "auc_rows", p->row_auc));
  RX_TRY(rx_record_parts_performance(store, group, &p->performance));
  if (panel->is_binary) RX_TRY(rx_record_parts_roc(store, group, panel->n_patients, y, p->score));
  RX_TRY(put_path(store, group, p->model));
  RX_TRY(put_model(store, group, "min", set, p->model->path, p->model->at_min));
  RX_TRY(put_model(store, group, "1se", set, p->model->path, p->model->at_1se));
  RX_TRY(put_folds(store, group, p->nested, n_fits));
  RX_TRY(put_selected(store, group, set, p, (double)n_fits, panel->is_binary));
  if (results->beside) RX_TRY(put_beside(store, group, results->beside, o, s));
  return put_permutation(store, group, p);
}

/* ---- sets against each other ---- */

static rx_status put_comparisons(rx_store *store, const rx_results *results) {
  static const char *const columns[] = {"n_patients", "auc", "other_auc", "z", "p"};
  size_t n = (size_t)results->n_comparisons;
  char **names = NULL;
  double *numbers = NULL;

  if (!n) return RX_OK;
  rx_status status = rx_store_put_group(store, "comparisons", "dict");
  if (!status) status = RX_NEW(&names, "comparisons", 3 * n);
  if (!status) status = RX_NEW(&numbers, "comparisons", 5 * n);
  for (size_t i = 0; i < n && !status; i++) {
    const rx_comparison *c = &results->comparisons[i];
    names[i] = results->panel->outcomes[c->outcome];
    names[n + i] = results->panel->sets[c->one].name;
    names[2 * n + i] = results->panel->sets[c->other].name;
    const double row[] = {(double)c->n, c->test.auc[0], c->test.auc[1], c->test.z, c->test.p};
    for (size_t k = 0; k < 5; k++) numbers[k * n + i] = row[k];
  }
  if (!status) status = rx_store_put_texts(store, "comparisons/outcome", n, names);
  if (!status) status = rx_store_put_texts(store, "comparisons/set", n, names + n);
  if (!status) status = rx_store_put_texts(store, "comparisons/other", n, names + 2 * n);
  for (size_t k = 0; k < 5 && !status; k++)
    status = rx_record_parts_vector(store, "comparisons", columns[k], n, numbers + k * n);
  free(names);
  free(numbers);
  return status;
}

/* ---- the file ---- */

static rx_status put_heading(rx_store *store, const rx_results *results) {
  const rx_panel *panel = results->panel;
  size_t n_sets = (size_t)panel->n_sets;
  const size_t dims[2] = {(size_t)results->folds->n_repeats, panel->n_patients};
  char **names;

  RX_TRY(rx_store_put_text(store, "family", panel->is_binary ? "binomial" : "gaussian"));
  RX_TRY(rx_store_put_texts(store, "outcomes", (size_t)panel->n_outcomes, panel->outcomes));
  RX_TRY(rx_store_put_texts(store, "positive", (size_t)panel->n_outcomes, panel->positive));
  RX_TRY(rx_store_put_texts(store, "patients", panel->n_patients, panel->patients));
  RX_TRY(rx_store_put(store, "folds", RX_INT32, 2, dims, results->folds->fold));
  RX_TRY(RX_NEW(&names, "sets", n_sets));
  for (size_t s = 0; s < n_sets; s++) names[s] = panel->sets[s].name;
  rx_status status = rx_store_put_texts(store, "sets", n_sets, names);
  free(names);
  if (!status) status = rx_store_put_text(store, "learned", results->learned);
  return status;
}

static rx_status put_all(rx_store *store, const rx_job *job, const rx_results *results,
                         const rx_recipe *recipe, size_t memory) {
  const rx_panel *panel = results->panel;

  RX_TRY(put_heading(store, results));
  for (int o = 0; o < panel->n_outcomes; o++)
    for (int s = 0; s < panel->n_sets; s++) RX_TRY(put_prediction(store, results, o, s));
  RX_TRY(put_comparisons(store, results->beside ? results->beside : results));
  return rx_result_record(store, job, recipe, memory);
}

rx_status rx_results_store(const rx_job *job, const rx_results *results, const rx_recipe *recipe,
                           size_t memory, const char *path) {
  rx_store *store = NULL;

  RX_TRY(rx_store_create(path, &store));
  rx_status status = put_all(store, job, results, recipe, memory);
  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
  return status;
}
