#include "prediction/permute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/evaluate.h"
#include "prediction/fold_checkpoint.h"
#include "prediction/patient_means.h"
#include "prediction/split.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* Room for some permutations of all outcomes, done together. */
typedef struct {
  const rx_job *job;
  const rx_results *results;
  const rx_feature_set *means;
  rx_nested_plan plan;
  int n_outcomes, *outcome; /* [n_outcomes], those that are predicted */
  int room;                 /* permutations at once */
  rx_target *targets;       /* [room * n_outcomes] */
  double *y;                /* [room * n_outcomes][n_patients] */
  int *fold;                /* [room * n_outcomes][n_repeats][n_patients] */
  int64_t *order;           /* [n_patients] */
  unsigned char *labels;    /* [RX_FOLD_LABELS][n_patients] */
  double *known;            /* [3][n_patients] */
  rx_nested **nested;       /* [room * n_outcomes] */
} permuting;

static void destroy(permuting *m) {
  free(m->outcome);
  free(m->targets);
  free(m->y);
  free(m->fold);
  free(m->order);
  free(m->labels);
  free(m->known);
  free(m->nested);
}

static rx_status create(permuting *m, int set) {
  enum { ENOUGH = 256 }; /* problems in hand at once */
  const rx_panel *panel = m->results->panel;
  size_t n = panel->n_patients;

  RX_TRY(RX_NEW(&m->outcome, "outcomes", panel->n_outcomes));
  for (int o = 0; o < panel->n_outcomes; o++)
    if (rx_results_at(m->results, o, set)->status == RX_PREDICTED) m->outcome[m->n_outcomes++] = o;
  if (!m->n_outcomes) return RX_OK;
  int problems = m->n_outcomes * m->plan.n_repeats * m->plan.n_folds * m->plan.n_inner;
  m->room = 1 + ENOUGH / problems;
  size_t n_targets = (size_t)m->room * (size_t)m->n_outcomes;
  RX_TRY(RX_NEW(&m->targets, "permutations", n_targets));
  RX_TRY(RX_NEW(&m->y, "permutations", n_targets * n));
  RX_TRY(RX_NEW(&m->fold, "folds", n_targets * (size_t)m->plan.n_repeats * n));
  RX_TRY(RX_NEW(&m->order, "patients", n));
  RX_TRY(RX_NEW(&m->labels, "folds", RX_FOLD_LABELS * n));
  RX_TRY(RX_NEW(&m->known, "patients", 3 * n));
  return RX_NEW(&m->nested, "permutations", n_targets);
}

/* Gives the outcome to other patients; number 0 leaves it as it is. y [n_patients] set; NAN where
 * there is no row or no outcome. */
static void shuffle(permuting *m, int outcome, int number, double *y) {
  const rx_panel *panel = m->results->panel;
  const double *from = panel->y + (size_t)outcome * panel->n_patients;
  rx_random random = rx_random_at(m->plan.seed, RX_RANDOM_LABELS, (uint32_t)number,
                                  rx_evaluate_key(panel->outcomes[outcome]));
  double *values = m->known;
  size_t n = 0;

  for (size_t i = 0; i < panel->n_patients; i++) y[i] = NAN;
  for (size_t r = 0; r < m->means->n_rows; r++) {
    size_t i = (size_t)m->means->patient[r];
    if (isnan(from[i])) continue;
    values[n] = y[i] = from[i];
    m->order[n] = (int64_t)n;
    n++;
  }
  if (number == 0) return;
  rx_random_shuffle(&random, m->order, n);
  for (size_t i = 0, k = 0; i < panel->n_patients; i++)
    if (!isnan(y[i])) y[i] = values[m->order[k++]];
}

static rx_status deal(permuting *m, int outcome, int number, const double *y, int *fold) {
  size_t n = m->plan.n_patients;
  uint32_t key = rx_evaluate_key(m->results->panel->outcomes[outcome]);
  bool is_binary = m->results->panel->is_binary;

  for (int r = 0; r < m->plan.n_repeats; r++, fold += n) {
    uint32_t place = (uint32_t)number * (uint32_t)m->plan.n_repeats + (uint32_t)r;
    rx_random random = rx_random_at(m->plan.seed, RX_RANDOM_LABEL_FOLDS, place, key);
    int n_labels = 0;
    RX_TRY(rx_folds_label(n, y, is_binary, m->labels, &n_labels));
    for (size_t i = 0; i < n; i++) fold[i] = isnan(y[i]) ? -1 : 0;
    RX_TRY(rx_split_deal(m->job->config, n, n_labels, m->labels, m->plan.n_folds, &random, fold));
  }
  return RX_OK;
}

/* Permutations first .. first + count - 1 of all outcomes. */
static rx_status plan_targets(permuting *m, int first, int count) {
  size_t n = m->plan.n_patients, n_folds = (size_t)m->plan.n_repeats * n;

  for (int b = 0; b < count; b++)
    for (int o = 0; o < m->n_outcomes; o++) {
      size_t t = (size_t)b * (size_t)m->n_outcomes + (size_t)o;
      double *y = m->y + t * n;
      int *fold = m->fold + t * n_folds;
      uint32_t key = rx_evaluate_key(m->results->panel->outcomes[m->outcome[o]]);
      shuffle(m, m->outcome[o], first + b, y);
      RX_TRY(deal(m, m->outcome[o], first + b, y, fold));
      m->targets[t] = (rx_target){y, fold, key ^ ((uint32_t)(first + b) * 2654435761u)};
      RX_TRY(rx_nested_create(&m->plan, m->means, &m->nested[t]));
    }
  return RX_OK;
}

static rx_status judge(const permuting *m, size_t t, double *figure) {
  size_t n_patients = m->plan.n_patients;
  double *score = m->known + 2 * n_patients, *known_score = m->known + n_patients;

  rx_nested_mean(&m->plan, m->nested[t], score);
  size_t n = rx_performance_pairs(n_patients, m->y + t * n_patients, score, m->known, known_score);
  if (m->results->panel->is_binary) return rx_roc_auc(n, m->known, known_score, figure);
  *figure = rx_calibration_fit(n, m->known, known_score).correlation;
  return RX_OK;
}

static rx_status judge_all(const permuting *m, int first, int count, int set) {
  for (int b = 0; b < count; b++)
    for (int o = 0; o < m->n_outcomes; o++) {
      rx_prediction *p = rx_results_at(m->results, m->outcome[o], set);
      double figure;
      RX_TRY(judge(m, (size_t)b * (size_t)m->n_outcomes + (size_t)o, &figure));
      if (first + b == 0)
        p->permutation_observed = figure;
      else
        p->permutation_auc[first + b - 1] = figure;
      p->n_permuted = first + b + 1;
    }
  return RX_OK;
}

/* Permutations first .. first + count - 1, 0 being the outcomes as they are. Collective. */
static rx_status run(permuting *m, int first, int count, int set) {
  size_t n_targets = (size_t)count * (size_t)m->n_outcomes;
  int n_fits = m->plan.n_repeats * m->plan.n_folds;
  rx_status status = RX_AGREE(m->job->comm, plan_targets(m, first, count));

  if (!status)
    status = rx_nested_run(&m->plan, m->means, n_targets, m->targets, 0, n_fits, m->nested);
  if (!status) status = RX_AGREE(m->job->comm, judge_all(m, first, count, set));
  for (size_t t = 0; t < n_targets; t++) rx_nested_destroy(&m->nested[t]);
  return status;
}

/* The first run tells what the others cost. Collective. */
static rx_status run_observed(permuting *m, int n, int set) {
  double begin = rx_seconds();
  char time[32];

  RX_TRY(run(m, 0, 1, set));
  rx_duration((rx_seconds() - begin) * n, time);
  rx_log_info(m->job->log,
              "predict: labels of %d outcomes permuted over patients %d times, %d outer and %d "
              "inner fits each: about %s",
              m->n_outcomes, n, m->plan.n_repeats * m->plan.n_folds,
              m->plan.n_repeats * m->plan.n_folds * m->plan.n_inner, time);
  return RX_OK;
}

static rx_status run_all(permuting *m, int n, int set) {
  int done = rx_results_at(m->results, m->outcome[0], set)->n_permuted;

  if (!done) {
    RX_TRY(run_observed(m, n, set));
    done = 1;
  }
  rx_progress progress = rx_progress_begin(m->job->log, "predict", n, "permutations");
  while (done < n + 1) {
    int count = n + 1 - done < m->room ? n + 1 - done : m->room;
    RX_TRY(run(m, done, count, set));
    done += count;
    rx_progress_update(&progress, done - 1);
    if (done < n + 1) RX_TRY(rx_fold_checkpoint_pause(m->job, m->results->checkpoint));
  }
  rx_progress_end(&progress);
  return RX_OK;
}

static void summarise(const permuting *m, int n, int set) {
  for (int o = 0; o < m->n_outcomes; o++) {
    rx_prediction *p = rx_results_at(m->results, m->outcome[o], set);
    double sum = 0;
    int as_good = 0;
    for (int b = 0; b < n; b++) {
      sum += p->permutation_auc[b];
      as_good += !(p->permutation_auc[b] < p->permutation_observed - 1e-9);
    }
    p->n_permutations = n;
    p->permutation_mean = sum / n;
    p->permutation_p = (1.0 + as_good) / (1.0 + n);
  }
}

static rx_status make_room(const permuting *m, int n, int set) {
  for (int o = 0; o < m->n_outcomes; o++) {
    rx_prediction *p = rx_results_at(m->results, m->outcome[o], set);
    RX_TRY(RX_NEW(&p->permutation_auc, "permutations", n));
    rx_fold_checkpoint_restore_permutations(m->results->checkpoint, m->outcome[o], set, p);
  }
  return RX_OK;
}

rx_status rx_permute_set(const rx_job *job, rx_results *results, int set, int isa) {
  const rx_panel *panel = results->panel;
  rx_feature_set means;
  permuting m = {.job = job, .results = results, .means = &means};
  int n = job->config->prediction_permutations;

  RX_TRY(rx_patient_means_find(job->comm, &panel->sets[set], panel->n_patients, &means));
  m.plan = rx_evaluate_plan(job, panel, &means, results->folds, isa);
  rx_status status = create(&m, set);
  if (!status) status = make_room(&m, n, set);
  status = RX_AGREE(job->comm, status);
  if (!status && m.n_outcomes) status = run_all(&m, n, set);
  if (!status) summarise(&m, n, set);
  destroy(&m);
  rx_panel_clear_set(&means);
  return status;
}
