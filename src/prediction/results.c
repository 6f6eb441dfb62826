#include "prediction/results.h"

#include <math.h>
#include <stdlib.h>

#include "radmix/memory.h"

const char *rx_results_status_name(rx_prediction_status status) {
  static const char *const names[] = {"ok", "one_class", "too_few_patients", "no_features",
                                      "fold_one_class"};
  return names[status];
}

rx_status rx_results_create(const rx_panel *panel, const rx_folds *folds, rx_results **out) {
  size_t n = (size_t)panel->n_outcomes * (size_t)panel->n_sets;
  rx_status status = RX_NEW(out, "results", 1);

  if (!status) status = RX_NEW(&(*out)->predictions, "results", n);
  if (status) {
    rx_results_destroy(out);
    return status;
  }
  (*out)->panel = panel;
  (*out)->folds = folds;
  for (size_t i = 0; i < n; i++) {
    rx_prediction *p = &(*out)->predictions[i];
    p->fold_auc = p->row_auc = p->repeat_auc = NAN;
    p->permutation_observed = p->permutation_mean = p->permutation_p = NAN;
  }
  return RX_OK;
}

void rx_results_destroy(rx_results **results) {
  rx_results *r = *results;

  if (!r) return;
  size_t n = r->predictions ? (size_t)r->panel->n_outcomes * (size_t)r->panel->n_sets : 0;
  for (size_t i = 0; i < n; i++) {
    rx_prediction *p = &r->predictions[i];
    rx_outcome_model_destroy(&p->model);
    rx_nested_destroy(&p->nested);
    free(p->score);
    free(p->alone);
    free(p->permutation_auc);
  }
  free(r->predictions);
  free(r->comparisons);
  free(r->learned);
  free(r);
  *results = NULL;
}

rx_prediction *rx_results_at(const rx_results *results, int outcome, int set) {
  return &results->predictions[outcome * results->panel->n_sets + set];
}
