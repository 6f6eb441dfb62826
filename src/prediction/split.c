#include "prediction/split.h"

#include <math.h>
#include <stdlib.h>

#include "prediction/evaluate.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* One label for each class of each outcome among the patients of each set: they are spread as
 * evenly as each other allows. */
static rx_status label_patients(const rx_panel *panel, int n_sets, unsigned char **labels,
                                int *n_labels) {
  size_t n = panel->n_patients, most = RX_FOLD_LABELS * (size_t)(panel->n_outcomes * n_sets);
  double *y;

  *n_labels = 0;
  RX_TRY(RX_NEW(labels, "folds", most * n));
  RX_TRY(RX_NEW(&y, "folds", n));
  rx_status status = RX_OK;
  for (int s = 0; s < n_sets; s++)
    for (int o = 0; o < panel->n_outcomes && !status; o++) {
      const rx_feature_set *set = &panel->sets[s];
      for (size_t i = 0; i < n; i++) y[i] = NAN;
      for (size_t r = 0; r < set->n_rows; r++)
        y[set->patient[r]] = panel->y[(size_t)o * n + (size_t)set->patient[r]];
      status = rx_folds_label(n, y, panel->is_binary, *labels + (size_t)*n_labels * n, n_labels);
    }
  free(y);
  return status;
}

rx_status rx_split_deal(const rx_config *config, size_t n, int n_labels,
                        const unsigned char *labels, int n_folds, rx_random *random, int *fold) {
  const double share[2] = {config->prediction_test_share, 1 - config->prediction_test_share};

  if (n_folds > 1) return rx_folds_deal(n, n_labels, labels, n_folds, NULL, random, fold);
  return rx_folds_deal(n, n_labels, labels, 2, share, random, fold); /* 1 = n_folds: trains */
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
    status =
        rx_split_deal(config, n, n_labels, labels, n_folds, &random, (*out)->fold + (size_t)r * n);
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

rx_status rx_split_patients(const rx_job *job, const rx_panel *panel, rx_folds **out) {
  if (*job->config->prediction_fold_file) return read_folds(job, panel, out);
  return RX_AGREE(job->comm, deal_folds(job->config, panel, out));
}

/* ---- rows ---- */

/* One label for each class of each outcome. labels [most][n_rows] */
static rx_status label_rows(const rx_panel *panel, const rx_feature_set *set, unsigned char *labels,
                            int *n_labels) {
  double *y;

  *n_labels = 0;
  RX_TRY(RX_NEW(&y, "folds", set->n_rows));
  rx_status status = RX_OK;
  for (int o = 0; o < panel->n_outcomes && !status; o++) {
    for (size_t r = 0; r < set->n_rows; r++)
      y[r] = panel->y[(size_t)o * panel->n_patients + (size_t)set->patient[r]];
    status = rx_folds_label(set->n_rows, y, panel->is_binary,
                            labels + (size_t)*n_labels * set->n_rows, n_labels);
  }
  free(y);
  return status;
}

rx_status rx_split_rows(const rx_job *job, const rx_panel *panel, const rx_feature_set *set,
                        const rx_folds *folds, int **fold) {
  enum { ROWS = 1 << 30 }; /* a kind of folds of its own */
  size_t n = set->n_rows, n_repeats = (size_t)folds->n_repeats;
  uint64_t seed = (uint64_t)job->config->study_seed;
  unsigned char *labels = NULL;
  int n_labels = 0;

  rx_status status = RX_NEW(fold, "folds", n_repeats * n);
  if (!status) status = RX_NEW(&labels, "folds", RX_FOLD_LABELS * (size_t)panel->n_outcomes * n);
  if (!status) status = label_rows(panel, set, labels, &n_labels);
  for (size_t r = 0; r < n_repeats && !status; r++) {
    int *of_repeat = *fold + r * n;
    rx_random random =
        rx_random_at(seed, RX_RANDOM_FOLDS, ROWS + (uint32_t)r, rx_evaluate_key(set->name));
    for (size_t i = 0; i < n; i++)
      if (folds->fold[set->patient[i]] < 0) of_repeat[i] = -1;
    status = rx_split_deal(job->config, n, n_labels, labels, folds->n_folds, &random, of_repeat);
  }
  free(labels);
  return status;
}
