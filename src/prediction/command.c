/* predict: clinical outcomes from features, patients held out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/evaluate.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/prediction.h"
#include "radmix/result.h"
#include "radmix/text.h"

enum { FORMAT = 1 };

typedef struct {
  rx_recipe *recipe;
  rx_panel *panel;
  rx_folds *folds;
  rx_results *results;
  int isa;
} work;

static void destroy_work(work *w) {
  rx_results_destroy(&w->results);
  rx_folds_destroy(&w->folds);
  rx_panel_destroy(&w->panel);
  rx_recipe_destroy(&w->recipe);
}

/* ---- what the result depends on ---- */

static rx_status begin_recipe(const rx_job *job, rx_recipe **recipe) {
  char seed[32];

  snprintf(seed, sizeof seed, "%d", job->config->study_seed);
  RX_TRY(rx_recipe_create("predict", FORMAT, recipe));
  RX_TRY(rx_recipe_section(*recipe, job->config, "prediction"));
  RX_TRY(rx_recipe_add(*recipe, "study.seed", seed));
  return rx_recipe_add(*recipe, "study.subset", job->config->study_subset);
}

static rx_status add_compared(const rx_job *job, rx_recipe *recipe) {
  rx_list list;

  RX_TRY(RX_AGREE(job->comm, rx_list_create(job->config->prediction_compare, ',', &list)));
  rx_status status =
      list.n > 1
          ? rx_recipe_inputs(job->comm, recipe, "prediction.compare", (size_t)list.n, list.items)
      : list.n ? rx_recipe_input(job->comm, recipe, "prediction.compare", list.items[0])
               : RX_OK;
  rx_list_destroy(&list);
  return status;
}

static rx_status make_recipe(const rx_job *job, rx_recipe **recipe) {
  const rx_config *config = job->config;
  char features[4096];

  RX_TRY(RX_AGREE(job->comm, begin_recipe(job, recipe)));
  RX_TRY(RX_AGREE(job->comm, rx_panel_path(job, features, sizeof features)));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "prediction.features", features));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "study.clinical", config->study_clinical));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "prediction.fold_file", config->prediction_fold_file));
  return add_compared(job, *recipe);
}

/* ---- folds ---- */

/* One label for each class of each outcome among the patients of each set: they are spread as
 * evenly as each other allows. */
static rx_status label_patients(const rx_panel *panel, int n_sets, unsigned char **labels,
                                int *n_labels) {
  size_t n = panel->n_patients, most = RX_FOLD_LABELS * (size_t)(panel->n_outcomes * n_sets);
  double *y;

  *n_labels = 0;
  RX_TRY(RX_NEW(labels, "folds", most * n));
  RX_TRY(RX_NEW(&y, "folds", n));
  for (int s = 0; s < n_sets; s++)
    for (int o = 0; o < panel->n_outcomes; o++) {
      const rx_feature_set *set = &panel->sets[s];
      for (size_t i = 0; i < n; i++) y[i] = NAN;
      for (size_t r = 0; r < set->n_rows; r++)
        y[set->patient[r]] = panel->y[(size_t)o * n + (size_t)set->patient[r]];
      *n_labels += rx_folds_label(n, y, panel->is_binary, *labels + (size_t)*n_labels * n);
    }
  free(y);
  return RX_OK;
}

static rx_status deal_folds(const rx_config *config, const rx_panel *panel, rx_folds **out) {
  int n_sets = panel->n_sets - panel->has_union, n_labels, n_folds = config->prediction_folds;
  size_t n = panel->n_patients;
  unsigned char *labels = NULL;

  if ((size_t)n_folds > n) n_folds = (int)n;
  rx_status status = label_patients(panel, n_sets, &labels, &n_labels);
  if (!status) status = rx_folds_create(config->prediction_repeats, n_folds, n, out);
  for (int r = 0; r < config->prediction_repeats && !status; r++) {
    rx_random random = rx_random_at((uint64_t)config->study_seed, RX_RANDOM_FOLDS, 0, (uint32_t)r);
    status = rx_folds_deal(n, n_labels, labels, n_folds, &random, (*out)->fold + (size_t)r * n);
  }
  free(labels);
  return status;
}

static rx_status read_folds(const rx_job *job, const rx_panel *panel, rx_folds **out) {
  rx_table *table = NULL;
  size_t left_out = 0;

  RX_TRY(rx_table_load(job->comm, job->config->prediction_fold_file, &table));
  rx_status status = rx_folds_read(table, panel->n_patients, panel->patients, out);
  rx_table_destroy(&table);
  RX_TRY(RX_AGREE(job->comm, status));
  for (size_t i = 0; i < panel->n_patients; i++) left_out += (*out)->fold[i] < 0;
  if (left_out)
    rx_log_warn(job->log, "predict: %zu of %zu patients left out: they are not in %s", left_out,
                panel->n_patients, job->config->prediction_fold_file);
  return RX_OK;
}

static rx_status make_folds(const rx_job *job, const rx_panel *panel, rx_folds **out) {
  if (*job->config->prediction_fold_file) return read_folds(job, panel, out);
  return RX_AGREE(job->comm, deal_folds(job->config, panel, out));
}

/* ---- what was learned on all patients ---- */

/* Counts the columns whose values depend on other patients of the cohort, as factors.h5ad says. */
static size_t count_cohort_columns(const rx_frame *var) {
  const rx_column *column = rx_frame_find(var, "fitted_on");
  size_t n = 0;

  if (!column || column->kind != RX_TEXT) return 0;
  for (size_t j = 0; j < var->n_rows; j++) n += !strcmp(column->text[j], "cohort");
  return n;
}

static rx_status say_learned(const rx_job *job, const rx_panel *panel, char **learned) {
  char text[4096] = "";
  size_t used = 0;

  for (int s = 0; s < panel->n_sets - panel->has_union && used + 512 < sizeof text; s++) {
    const rx_feature_set *set = &panel->sets[s];
    size_t n = count_cohort_columns(set->var);
    if (rx_frame_find(set->var, "channel"))
      used += (size_t)snprintf(text + used, sizeof text - used,
                               "%s%.100s: the encoder and the normalisation of its features",
                               used ? "; " : "", set->name);
    else if (n)
      used += (size_t)snprintf(text + used, sizeof text - used,
                               "%s%.100s: %zu columns scored within the cohort (fitted_on)",
                               used ? "; " : "", set->name, n);
  }
  if (used) rx_log_info(job->log, "predict: learned on all patients, without outcomes: %s", text);
  return rx_copy_text(used ? text : "nothing that the files tell of", learned);
}

/* ---- the work ---- */

static rx_status evaluate(const rx_job *job, work *w) {
  rx_status status = rx_results_create(w->panel, w->folds, &w->results);

  if (!status) status = say_learned(job, w->panel, &w->results->learned);
  RX_TRY(RX_AGREE(job->comm, status));
  for (int s = 0; s < w->panel->n_sets; s++) {
    rx_nested_plan plan = rx_evaluate_plan(job, w->panel, &w->panel->sets[s], w->folds, w->isa);
    RX_TRY(rx_evaluate_set(job, &plan, w->results, s));
  }
  return RX_AGREE(job->comm, rx_evaluate_compare(w->results));
}

/* Tells whether feature a is selected more often than b; of two alike the one that says more. */
static bool is_ahead(const rx_prediction *p, size_t a, size_t b) {
  const double *selected = p->nested->selected;

  if (selected[a] != selected[b]) return selected[a] > selected[b];
  return fabs(p->alone[a] - 0.5) > fabs(p->alone[b] - 0.5);
}

/* What the most selected features reach each by itself: the yardstick of a model of many. */
static void say_alone(const rx_job *job, const rx_feature_set *set, const rx_prediction *p) {
  enum { MOST = 5 };
  size_t best[MOST], n = 0, used = 0;
  char text[1024] = "";

  for (size_t j = 0; j < set->n_features; j++) {
    if (p->nested->selected[j] <= 0 || isnan(p->alone[j])) continue;
    size_t at = n < MOST ? n++ : MOST;
    for (; at > 0 && is_ahead(p, j, best[at - 1]); at--)
      if (at < MOST) best[at] = best[at - 1];
    if (at < MOST) best[at] = j;
  }
  for (size_t k = 0; k < n && used + 256 < sizeof text; k++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%.100s %.3f", k ? ", " : "",
                             set->var->names[best[k]], p->alone[best[k]]);
  if (n)
    rx_log_info(job->log, "predict:   AUC of single features, those most often selected: %s", text);
}

static void say_prediction(const rx_job *job, const rx_results *results, int o, int s) {
  const rx_feature_set *set = &results->panel->sets[s];
  const rx_prediction *p = rx_results_at(results, o, s);
  const rx_performance *f = &p->performance;
  const char *outcome = results->panel->outcomes[o];

  if (p->status != RX_PREDICTED) {
    rx_log_warn(job->log, "predict: %s from %s: not predicted: %s (%zu patients, %zu positive)",
                outcome, set->name, rx_results_status_name(p->status), p->n_patients,
                p->n_positive);
    return;
  }
  if (!p->model->is_converged || !p->nested->is_converged)
    rx_log_warn(job->log, "predict: %s from %s: some paths did not reach the KKT tolerance",
                outcome, set->name);
  if (!results->panel->is_binary) {
    rx_log_info(job->log, "predict: %s from %s: R2 %.3f, correlation %.3f, %zu patients", outcome,
                set->name, f->fit.r2, f->fit.correlation, f->n);
    return;
  }
  rx_log_info(job->log,
              "predict: %s from %s: AUC %.3f (DeLong %.3f-%.3f, bootstrap %.3f-%.3f), mean of "
              "repeats %.3f, of folds %.3f; %zu patients, %zu positive",
              outcome, set->name, f->auc.auc, f->auc.lower, f->auc.upper, f->bootstrap_lower,
              f->bootstrap_upper, p->repeat_auc, p->fold_auc, f->n, f->n_positive);
  say_alone(job, set, p);
}

static void say_results(const rx_job *job, const rx_results *results) {
  for (int o = 0; o < results->panel->n_outcomes; o++)
    for (int s = 0; s < results->panel->n_sets; s++) say_prediction(job, results, o, s);
  for (int i = 0; i < results->n_comparisons; i++) {
    const rx_comparison *c = &results->comparisons[i];
    rx_log_info(job->log, "predict: %s: %s %.3f, %s %.3f on the same %zu patients, p = %.3g",
                results->panel->outcomes[c->outcome], results->panel->sets[c->one].name,
                c->test.auc[0], results->panel->sets[c->other].name, c->test.auc[1], c->n,
                c->test.p);
  }
}

static rx_status store(const rx_job *job, const work *w, const char *path) {
  size_t memory = rx_result_memory(job->comm);
  rx_status status = RX_OK;

  if (job->rank == 0) {
    status = rx_results_tables(job, w->results);
    if (!status) status = rx_results_store(job, w->results, w->recipe, memory, path);
  }
  return RX_AGREE(job->comm, status);
}

/* Settings of the design that are not in this version are refused, never passed over. */
static rx_status refuse_absent(const rx_config *config) {
  const struct {
    const char *name;
    bool is_asked;
  } absent[] = {{"split = image", rx_is(config->prediction_split, "image")},
                {"permutations", config->prediction_permutations > 0},
                {"strict_folds = yes", config->prediction_strict_folds != 0},
                {"apply", *config->prediction_apply != '\0'}};

  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    if (absent[i].is_asked)
      return RX_FAIL(RX_ERR_CONFIG,
                     "prediction.%s: expected a setting of this version, found one that is still "
                     "to come",
                     absent[i].name);
  return RX_OK;
}

rx_status rx_prediction_run(const rx_job *job) {
  char path[4096], done[256];
  bool is_current = false;
  work w = {NULL};
  rx_status status = RX_AGREE(job->comm, refuse_absent(job->config));

  if (status) return status;
  status = RX_AGREE(job->comm, rx_job_path(job, "predictions.h5", path, sizeof path));
  if (status) return status;
  if ((status = make_recipe(job, &w.recipe))) goto done;
  if ((status = rx_result_check(job, w.recipe, path, &is_current)) || is_current) goto done;
  if ((status = rx_isa_choose(job->comm, &w.isa))) goto done;
  if ((status = rx_panel_load(job, &w.panel))) goto done;
  if ((status = make_folds(job, w.panel, &w.folds))) goto done;
  if ((status = evaluate(job, &w))) goto done;
  if ((status = store(job, &w, path))) goto done;
  say_results(job, w.results);
  snprintf(done, sizeof done, "%d outcomes, %d feature sets, %d x %d outer folds",
           w.panel->n_outcomes, w.panel->n_sets, w.folds->n_repeats, w.folds->n_folds);
  rx_job_totals(job, "predict", done, path);
done:
  destroy_work(&w);
  return status;
}
