#include "prediction/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/fold_checkpoint.h"
#include "prediction/patient_means.h"
#include "prediction/solver.h"
#include "radmix/error.h"
#include "radmix/memory.h"

uint32_t rx_evaluate_key(const char *name) {
  uint32_t hash = 2166136261u;

  for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 16777619u;
  return hash;
}

rx_nested_plan rx_evaluate_plan(const rx_job *job, const rx_panel *panel, const rx_feature_set *set,
                                const rx_folds *folds, int isa) {
  const rx_config *config = job->config;
  rx_nested_plan plan = {.comm = job->comm,
                         .n_patients = panel->n_patients,
                         .n_repeats = folds->n_repeats,
                         .n_folds = folds->n_folds,
                         .n_inner = config->prediction_inner_folds,
                         .seed = (uint64_t)config->study_seed};
  rx_lasso_options *o = &plan.lasso;

  *o = rx_lasso_defaults(panel->is_binary ? RX_BINOMIAL : RX_GAUSSIAN);
  o->alpha = config->prediction_alpha;
  o->n_lambdas = config->prediction_lambdas;
  o->lambda_ratio = config->prediction_lambda_ratio;
  if (isnan(o->lambda_ratio)) o->lambda_ratio = set->n_rows > 5 * set->n_features ? 1e-4 : 0.01;
  o->isa = isa;
  return plan;
}

/* ---- can it be predicted ---- */

static bool has_features(const rx_feature_set *set) {
  if (!set->is_whole) return set->n_unused < set->n_features;
  for (size_t j = 0; j < set->n_features; j++) {
    if (!set->is_used[j]) continue;
    for (size_t r = 1; r < set->n_rows; r++)
      if (set->x[r * set->n_features + j] != set->x[j]) return true;
  }
  return false;
}

/* Counts patients by class that train when fold is left out; fold -1: all that have a fold. */
static void count_classes(const rx_nested_plan *plan, const rx_feature_set *set, const double *y,
                          const int *fold, int left_out, unsigned char *seen, size_t count[2]) {
  memset(seen, 0, plan->n_patients);
  count[0] = count[1] = 0;
  for (size_t row = 0; row < set->n_rows; row++) {
    size_t i = (size_t)set->patient[row];
    int f = fold[plan->is_by_row ? row : i];
    if (isnan(y[i]) || f < 0 || f == left_out || seen[i]) continue;
    seen[i] = 1;
    count[plan->lasso.family == RX_BINOMIAL && y[i] > 0.5]++;
  }
}

static bool varies(const rx_nested_plan *plan, const double *y, const unsigned char *seen) {
  double first = NAN;

  for (size_t i = 0; i < plan->n_patients; i++) {
    if (!seen[i]) continue;
    if (isnan(first)) first = y[i];
    if (y[i] != first) return true;
  }
  return false;
}

static rx_prediction_status find_status(const rx_nested_plan *plan, const rx_feature_set *set,
                                        const double *y, const int *fold, unsigned char *seen,
                                        size_t count[2]) {
  enum { FEWEST_OF_CLASS = 3, FEWEST_NUMBERS = 6, FEWEST_TO_LEARN = 2 };
  bool is_binary = plan->lasso.family == RX_BINOMIAL;
  size_t units = plan->is_by_row ? set->n_rows : plan->n_patients, all[2];

  count_classes(plan, set, y, fold, -1, seen, all);
  memcpy(count, all, sizeof all);
  size_t fewest = is_binary ? (all[0] < all[1] ? all[0] : all[1]) : all[0];
  if (all[0] + all[1] && !varies(plan, y, seen)) return RX_ONE_CLASS;
  if (fewest < (is_binary ? FEWEST_OF_CLASS : FEWEST_NUMBERS)) return RX_TOO_FEW_PATIENTS;
  if (!has_features(set)) return RX_NO_FEATURES;
  for (int r = 0; r < plan->n_repeats; r++)
    for (int k = 0; k < plan->n_folds; k++) {
      size_t rest[2];
      count_classes(plan, set, y, fold + (size_t)r * units, k, seen, rest);
      if (rest[0] < FEWEST_TO_LEARN || (is_binary && rest[1] < FEWEST_TO_LEARN))
        return RX_FOLD_ONE_CLASS;
    }
  return RX_PREDICTED;
}

rx_status rx_evaluate_status(const rx_nested_plan *plan, const rx_feature_set *set, const double *y,
                             const int *fold, rx_prediction_status *status, size_t *n,
                             size_t *n_positive) {
  unsigned char *seen;
  size_t count[2];

  RX_TRY(RX_NEW(&seen, "patients", plan->n_patients));
  *status = find_status(plan, set, y, fold, seen, count);
  *n = count[0] + count[1];
  *n_positive = count[1];
  free(seen);
  return RX_OK;
}

/* ---- one set ---- */

/* What can be predicted: targets[t] is the outcome outcome[t]. */
typedef struct {
  size_t n;
  rx_target *targets;
  int *outcome;
  rx_nested **nested; /* [n], views; the results own them */
  rx_outcome_model **models;
} target_list;

static void destroy_targets(target_list *list) {
  free(list->targets);
  free(list->outcome);
  for (size_t t = 0; list->models && t < list->n; t++) rx_outcome_model_destroy(&list->models[t]);
  free(list->nested);
  free(list->models);
}

static rx_status list_targets(const rx_nested_plan *plan, const int *fold,
                              const rx_results *results, int s, target_list *list) {
  const rx_panel *panel = results->panel;
  size_t n_outcomes = (size_t)panel->n_outcomes;

  RX_TRY(RX_NEW(&list->targets, "outcomes", n_outcomes));
  RX_TRY(RX_NEW(&list->outcome, "outcomes", n_outcomes));
  RX_TRY(RX_NEW(&list->nested, "outcomes", n_outcomes));
  RX_TRY(RX_NEW(&list->models, "outcomes", n_outcomes));
  for (int o = 0; o < panel->n_outcomes; o++) {
    rx_prediction *p = rx_results_at(results, o, s);
    const double *y = panel->y + (size_t)o * panel->n_patients;
    RX_TRY(rx_evaluate_status(plan, &panel->sets[s], y, fold, &p->status, &p->n_patients,
                              &p->n_positive));
    if (p->status != RX_PREDICTED) continue;
    list->targets[list->n] = (rx_target){y, fold, rx_evaluate_key(panel->outcomes[o])};
    list->outcome[list->n] = o;
    RX_TRY(rx_nested_create(plan, &panel->sets[s], &p->nested));
    rx_fold_checkpoint_restore_nested(results->checkpoint, results->number, o, s, p->nested);
    list->nested[list->n++] = p->nested;
  }
  return RX_OK;
}

/* Some outer folds; where each has a set of its own, one. */
static rx_status run_group(const rx_nested_plan *plan, const rx_feature_set *set,
                           const target_list *list, int first, int count) {
  rx_feature_set own;

  if (!plan->refit)
    return rx_nested_run(plan, set, list->n, list->targets, first, count, list->nested);
  rx_status status = rx_refit_set(plan->refit, first, plan->set, &own);
  if (!status) status = rx_nested_run(plan, &own, list->n, list->targets, first, 1, list->nested);
  rx_panel_clear_set(&own);
  return status;
}

/* The outer folds in groups that give the ranks enough to do; a line a group. */
static rx_status run_folds(const rx_job *job, const rx_nested_plan *plan, const rx_results *results,
                           int s, const target_list *list) {
  enum { ENOUGH = 64 }; /* problems in hand at once */
  int n_fits = plan->n_repeats * plan->n_folds;
  int per_fit = (int)list->n * plan->n_inner, group = plan->refit ? 1 : 1 + ENOUGH / per_fit;
  rx_progress progress = rx_progress_begin(job->log, "predict", n_fits, "outer folds");

  for (int first = list->nested[0]->n_done; first < n_fits; first += group) {
    int count = n_fits - first < group ? n_fits - first : group;
    RX_TRY(run_group(plan, &results->panel->sets[s], list, first, count));
    rx_progress_update(&progress, first + count);
    if (first + count < n_fits) RX_TRY(rx_fold_checkpoint_pause(job, results->checkpoint));
  }
  rx_progress_end(&progress);
  return RX_OK;
}

static double mean_known(const double *values, int n) {
  double sum = 0;
  int known = 0;

  for (int i = 0; i < n; i++) {
    if (isnan(values[i])) continue;
    sum += values[i];
    known++;
  }
  return known ? sum / known : NAN;
}

/* The AUC of the patient means of each selected feature by itself; NAN for the others. */
static rx_status judge_alone(const rx_feature_set *means, const double *y, rx_prediction *p) {
  double *known;
  rx_status status = RX_NEW(&p->alone, "features", means->n_features);

  if (!status) status = RX_NEW(&known, "patients", 2 * means->n_rows);
  if (status) return status;
  double *value = known + means->n_rows;
  for (size_t j = 0; j < means->n_features && !status; j++) {
    size_t n = 0;
    p->alone[j] = NAN;
    if (p->nested->selected[j] <= 0) continue;
    for (size_t r = 0; r < means->n_rows; r++) {
      if (isnan(y[means->patient[r]])) continue;
      known[n] = y[means->patient[r]];
      value[n++] = means->x[r * means->n_features + j];
    }
    status = rx_roc_auc(n, known, value, &p->alone[j]);
  }
  free(known);
  return status;
}

/* The AUC pooled over patients, of each repeat by itself, on average. */
static rx_status judge_repeats(const rx_nested_plan *plan, const double *y, rx_prediction *p) {
  double sum = 0, *known;

  RX_TRY(RX_NEW(&known, "patients", 2 * plan->n_patients));
  rx_status status = RX_OK;
  for (int r = 0; r < plan->n_repeats && !status; r++) {
    const double *score = p->nested->score + (size_t)r * plan->n_patients;
    double auc;
    size_t n = rx_performance_pairs(plan->n_patients, y, score, known, known + plan->n_patients);
    status = rx_roc_auc(n, known, known + plan->n_patients, &auc);
    sum += auc;
  }
  p->repeat_auc = sum / plan->n_repeats;
  free(known);
  return status;
}

static rx_status judge(const rx_job *job, const rx_nested_plan *plan, const rx_panel *panel,
                       const rx_feature_set *means, int outcome, rx_prediction *p) {
  const double *y = panel->y + (size_t)outcome * panel->n_patients;
  int n_fits = plan->n_repeats * plan->n_folds;

  RX_TRY(RX_NEW(&p->score, "scores", plan->n_patients));
  rx_nested_mean(plan, p->nested, p->score);
  RX_TRY(rx_performance_find(
      plan->n_patients, y, p->score, plan->lasso.family, job->config->prediction_bootstrap,
      plan->seed ^ ((uint64_t)rx_evaluate_key(panel->outcomes[outcome]) << 32), &p->performance));
  p->fold_auc = mean_known(p->nested->auc, n_fits);
  p->row_auc = mean_known(p->nested->row_auc, n_fits);
  p->repeat_auc = NAN;
  if (plan->lasso.family == RX_GAUSSIAN) {
    p->fold_auc = p->row_auc = NAN;
    return RX_NEW(&p->alone, "features", means->n_features);
  }
  RX_TRY(judge_repeats(plan, y, p));
  return judge_alone(means, y, p);
}

static rx_status judge_all(const rx_job *job, const rx_nested_plan *plan, rx_results *results,
                           int s, const rx_feature_set *means, target_list *list) {
  for (size_t t = 0; t < list->n; t++) {
    rx_prediction *p = rx_results_at(results, list->outcome[t], s);
    p->model = list->models[t];
    list->models[t] = NULL;
    RX_TRY(judge(job, plan, results->panel, means, list->outcome[t], p));
  }
  return RX_OK;
}

rx_status rx_evaluate_set(const rx_job *job, const rx_nested_plan *plan, const int *fold,
                          rx_results *results, int s) {
  const rx_feature_set *set = &results->panel->sets[s];
  target_list list = {0, NULL, NULL, NULL, NULL};
  rx_feature_set means = {NULL};
  rx_status status = RX_AGREE(job->comm, list_targets(plan, fold, results, s, &list));

  if (status || !list.n) goto done;
  if ((status = rx_outcome_model_fit(plan, set, list.n, list.targets, list.models))) goto done;
  if ((status = run_folds(job, plan, results, s, &list))) goto done;
  if ((status = rx_patient_means_find(job->comm, set, plan->n_patients, &means))) goto done;
  status = RX_AGREE(job->comm, judge_all(job, plan, results, s, &means, &list));
done:
  rx_panel_clear_set(&means);
  destroy_targets(&list);
  return status;
}

/* ---- sets against each other ---- */

static rx_status compare_pair(const rx_results *results, int outcome, int one, int other,
                              rx_comparison *out) {
  const rx_panel *panel = results->panel;
  const double *y = panel->y + (size_t)outcome * panel->n_patients;
  const rx_prediction *a = rx_results_at(results, outcome, one);
  const rx_prediction *b = rx_results_at(results, outcome, other);
  double *known;

  RX_TRY(RX_NEW(&known, "patients", 3 * panel->n_patients));
  *out = (rx_comparison){.outcome = outcome, .one = one, .other = other};
  for (size_t i = 0; i < panel->n_patients; i++) {
    if (isnan(y[i]) || isnan(a->score[i]) || isnan(b->score[i])) continue;
    known[out->n] = y[i];
    known[panel->n_patients + out->n] = a->score[i];
    known[2 * panel->n_patients + out->n++] = b->score[i];
  }
  rx_status status = rx_roc_compare(out->n, known, known + panel->n_patients,
                                    known + 2 * panel->n_patients, &out->test);
  free(known);
  return status;
}

rx_status rx_evaluate_compare(rx_results *results) {
  const rx_panel *panel = results->panel;
  int n_sets = panel->n_sets;

  if (n_sets < 2 || !panel->is_binary) return RX_OK;
  RX_TRY(
      RX_NEW(&results->comparisons, "comparisons", panel->n_outcomes * n_sets * (n_sets - 1) / 2));
  for (int o = 0; o < panel->n_outcomes; o++)
    for (int a = 0; a < n_sets; a++)
      for (int b = a + 1; b < n_sets; b++) {
        if (rx_results_at(results, o, a)->status != RX_PREDICTED ||
            rx_results_at(results, o, b)->status != RX_PREDICTED)
          continue;
        RX_TRY(compare_pair(results, o, a, b, &results->comparisons[results->n_comparisons]));
        results->n_comparisons++;
      }
  return RX_OK;
}
