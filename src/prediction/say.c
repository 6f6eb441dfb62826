#include "prediction/say.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { LEARNED_SIZE = 8192 };

/* ---- what was learned on all patients ---- */

void rx_say_leak(const rx_job *job) {
  rx_log_warn(job->log,
              "predict: split = image puts slices of one patient on both sides: its AUC says how "
              "well a patient is known again, not how a new one is predicted; the split by patient "
              "stands beside it");
}

/* Adds the sets that are learned anew in each outer fold. */
static void add_refitted(const rx_job *job, const rx_panel *panel, const rx_refit *refit,
                         char text[LEARNED_SIZE]) {
  size_t begin = strlen(text), used = begin;

  for (int s = 0; s < panel->n_sets - panel->has_union && used + 512 < LEARNED_SIZE; s++)
    if (rx_refit_has(refit, s))
      used += (size_t)snprintf(text + used, LEARNED_SIZE - used, "%s%.100s",
                               used > begin ? ", "
                                            : "; learned anew in each outer fold, from its "
                                              "training patients alone: ",
                               panel->sets[s].name);
  if (used > begin && job->config->prediction_permutations)
    snprintf(text + used, LEARNED_SIZE - used,
             "; labels are permuted over what was learned on all patients");
}

rx_status rx_say_learned(const rx_job *job, const rx_panel *panel, const rx_refit *refit,
                         char **learned) {
  char text[LEARNED_SIZE] = "";
  size_t used = 0;

  for (int s = 0; s < panel->n_sets - panel->has_union && used + 512 < sizeof text; s++) {
    const rx_feature_set *set = &panel->sets[s];
    size_t n = rx_panel_count_cohort_columns(set->var);
    if (rx_refit_has(refit, s)) continue;
    if (rx_frame_find(set->var, "channel"))
      used += (size_t)snprintf(text + used, sizeof text - used,
                               "%s%.100s: the encoder and the normalisation of its features",
                               used ? "; " : "", set->name);
    else if (n)
      used += (size_t)snprintf(text + used, sizeof text - used,
                               "%s%.100s: %zu columns scored within the cohort (fitted_on)",
                               used ? "; " : "", set->name, n);
  }
  if (!used) snprintf(text, sizeof text, "nothing that the files tell of");
  add_refitted(job, panel, refit, text);
  if (used || refit)
    rx_log_info(job->log, "predict: learned on all patients, without outcomes: %s", text);
  return rx_copy_text(text, learned);
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

/* What so few patients can show: under the null an AUC has the variance (n1 + n0 + 1) / (12 n1 n0)
 * (Mann & Whitney 1947); 1.96 + 0.84 of its square root is found with 80 % power. */
static void say_power(const rx_job *job, const rx_prediction *p) {
  double n1 = (double)p->n_positive, n0 = (double)(p->n_patients - p->n_positive);
  double least = 0.5 + 2.8 * sqrt((n1 + n0 + 1) / (12 * n1 * n0));

  if (least > 1)
    rx_log_info(job->log,
                "predict:   %.0f positive and %.0f negative patients are too few to tell any AUC "
                "from 0.5 with 80 %% power",
                n1, n0);
  else if (least > 0.75)
    rx_log_info(job->log,
                "predict:   %.0f positive and %.0f negative patients tell an AUC from 0.5 with 80 "
                "%% power when it is at least %.2f; smaller ones they mostly miss",
                n1, n0, least);
}

/* Both ways to hold out. */
static void say_both(const rx_job *job, const rx_results *results, int o, int s) {
  const rx_prediction *image = rx_results_at(results, o, s);
  const rx_prediction *patient = rx_results_at(results->beside, o, s);
  const rx_performance *f = &patient->performance;
  const char *outcome = results->panel->outcomes[o], *set = results->panel->sets[s].name;

  if (!results->panel->is_binary) {
    rx_log_info(job->log, "predict: %s from %s: R2 %.3f slices held out, %.3f patients held out",
                outcome, set, image->performance.fit.r2, f->fit.r2);
    return;
  }
  rx_log_info(
      job->log,
      "predict: %s from %s: slices held out: AUC of slices %.3f, of patients %.3f; patients "
      "held out: of slices %.3f, of patients %.3f (DeLong %.3f-%.3f)",
      outcome, set, image->row_auc, image->performance.auc.auc, patient->row_auc, f->auc.auc,
      f->auc.lower, f->auc.upper);
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
  if (results->beside) {
    say_both(job, results, o, s);
    return;
  }
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
  say_power(job, p);
}

static void say_permutations(const rx_job *job, const rx_results *results, int o, int s) {
  const rx_prediction *p = rx_results_at(results, o, s);

  if (!p->n_permutations) return;
  rx_log_info(job->log,
              "predict: %s from %s: %s of patient means %.3f, labels permuted %.3f on average of "
              "%d, p = %.3g",
              results->panel->outcomes[o], results->panel->sets[s].name,
              results->panel->is_binary ? "AUC" : "correlation", p->permutation_observed,
              p->permutation_mean, p->n_permutations, p->permutation_p);
}

void rx_say_results(const rx_job *job, const rx_results *results) {
  for (int o = 0; o < results->panel->n_outcomes; o++)
    for (int s = 0; s < results->panel->n_sets; s++) {
      say_prediction(job, results, o, s);
      say_permutations(job, results, o, s);
    }
  if (results->beside) results = results->beside;
  for (int i = 0; i < results->n_comparisons; i++) {
    const rx_comparison *c = &results->comparisons[i];
    rx_log_info(job->log, "predict: %s: %s %.3f, %s %.3f on the same %zu patients, p = %.3g",
                results->panel->outcomes[c->outcome], results->panel->sets[c->one].name,
                c->test.auc[0], results->panel->sets[c->other].name, c->test.auc[1], c->n,
                c->test.p);
  }
}
