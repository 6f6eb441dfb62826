#include "prediction/fold_checkpoint.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/resume.h"
#include "radmix/signal.h"
#include "radmix/store.h"

enum { PATH_SIZE = 4096, MOST_RESULTS = 2 };

/* Numbers of a prediction, in this order: DONE (outer folds), IS_CONVERGED, PERMUTED (of 1 +
 * permutations), OBSERVED, then the arrays of its nested folds, then the AUC of permutations. */
enum { DONE, IS_CONVERGED, PERMUTED, OBSERVED, HEAD };

struct rx_fold_checkpoint {
  const rx_recipe *recipe;
  int n;
  rx_results *results[MOST_RESULTS];
  size_t n_scores, n_fits, n_permutations;
  size_t n_numbers; /* of all predictions of all results */
  double *numbers;  /* [n_numbers], what an earlier run has done, or NULL; owned */
  double saved;     /* when, seconds */
};

/* ---- where numbers stand ---- */

static size_t count_prediction(const rx_fold_checkpoint *c, int set) {
  enum { ARRAYS_OF_FITS = 5 };
  size_t n_features = c->results[0]->panel->sets[set].n_features;

  return HEAD + c->n_scores + n_features + ARRAYS_OF_FITS * c->n_fits + c->n_permutations;
}

/* Where the numbers of a prediction begin; of outcome n_outcomes: where those of k end. */
static size_t find_prediction(const rx_fold_checkpoint *c, int k, int outcome, int set) {
  const rx_panel *panel = c->results[0]->panel;
  size_t of_outcome = 0, before = 0;

  for (int s = 0; s < panel->n_sets; s++) {
    if (s == set) before = of_outcome;
    of_outcome += count_prediction(c, s);
  }
  return ((size_t)k * (size_t)panel->n_outcomes + (size_t)outcome) * of_outcome + before;
}

/* Copies n numbers from or to the file's, and steps over them. */
static void move(double **at, double *values, size_t n, bool is_restoring) {
  if (is_restoring)
    memcpy(values, *at, n * sizeof *values);
  else
    memcpy(*at, values, n * sizeof *values);
  *at += n;
}

static void move_nested(const rx_fold_checkpoint *c, double *at, int set, rx_nested *nested,
                        bool is_restoring) {
  double *of_fits[] = {nested->lambda, nested->nonzeros, nested->auc, nested->row_auc, nested->kkt};

  at += HEAD;
  move(&at, nested->score, c->n_scores, is_restoring);
  move(&at, nested->selected, c->results[0]->panel->sets[set].n_features, is_restoring);
  for (size_t a = 0; a < sizeof of_fits / sizeof *of_fits; a++)
    move(&at, of_fits[a], c->n_fits, is_restoring);
}

static double *permutations_at(const rx_fold_checkpoint *c, double *at, int set) {
  return at + count_prediction(c, set) - c->n_permutations;
}

/* ---- reading ---- */

static rx_status get_numbers(const char *path, rx_fold_checkpoint *c, char **recipe) {
  const rx_resume_array array = {"numbers", RX_FLOAT64, c->n_numbers, c->numbers};
  rx_store *store = NULL;

  RX_TRY(rx_store_open(path, &store));
  rx_status status = rx_store_get_text(store, "recipe", recipe);
  if (!status) status = rx_resume_get(store, path, 1, &array);
  rx_store_close(&store);
  return status;
}

/* On rank 0. has_old is set when there is a file that can be used. */
static rx_status read_file(const rx_job *job, rx_fold_checkpoint *c, int *has_old) {
  char path[PATH_SIZE], *theirs = NULL;

  *has_old = 0;
  RX_TRY(rx_job_path(job, "predictions-checkpoint.h5", path, sizeof path));
  if (job->force == RX_FORCE_ALWAYS || access(path, F_OK)) return RX_OK;
  rx_status status = get_numbers(path, c, &theirs);
  if (theirs && strcmp(theirs, rx_recipe_text(c->recipe)) != 0 && status != RX_ERR_MEMORY) {
    status = RX_OK;
    if (job->force == RX_FORCE_NEVER)
      status = rx_resume_refuse(path, "predict was", theirs, rx_recipe_text(c->recipe));
  } else if (status && status != RX_ERR_MEMORY) {
    rx_log_warn(job->log, "predict: %s is damaged and not used: %s", path, rx_error_message());
    status = RX_OK;
  } else {
    *has_old = !status;
  }
  free(theirs);
  return status;
}

static void broadcast(const rx_job *job, rx_fold_checkpoint *c) {
  for (size_t first = 0; first < c->n_numbers; first += INT_MAX) {
    size_t left = c->n_numbers - first;
    MPI_Bcast(c->numbers + first, left < INT_MAX ? (int)left : INT_MAX, MPI_DOUBLE, 0, job->comm);
  }
}

static rx_status create(const rx_job *job, const rx_recipe *recipe, int n,
                        rx_results *const *results, rx_fold_checkpoint **out) {
  const rx_folds *folds = results[0]->folds;

  RX_TRY(RX_NEW(out, "checkpoint", 1));
  rx_fold_checkpoint *c = *out;
  c->recipe = recipe;
  c->saved = rx_seconds();
  c->n = n;
  for (int k = 0; k < n; k++) c->results[k] = results[k];
  c->n_scores = (size_t)folds->n_repeats * results[0]->panel->n_patients;
  c->n_fits = (size_t)folds->n_repeats * (size_t)folds->n_folds;
  c->n_permutations = (size_t)job->config->prediction_permutations;
  c->n_numbers = find_prediction(c, n, 0, 0);
  return RX_NEW(&c->numbers, "checkpoint", c->n_numbers);
}

rx_status rx_fold_checkpoint_open(const rx_job *job, const rx_recipe *recipe, int n,
                                  rx_results *const *results, rx_fold_checkpoint **out) {
  int has_old = 0;
  rx_status status = RX_AGREE(job->comm, create(job, recipe, n, results, out));

  if (!status)
    status = RX_AGREE(job->comm, job->rank == 0 ? read_file(job, *out, &has_old) : RX_OK);
  if (status) {
    rx_fold_checkpoint_close(out);
    return status;
  }
  MPI_Bcast(&has_old, 1, MPI_INT, 0, job->comm);
  if (has_old) {
    broadcast(job, *out);
    rx_log_info(job->log, "predict: goes on from a checkpoint");
    return RX_OK;
  }
  free((*out)->numbers);
  (*out)->numbers = NULL;
  return RX_OK;
}

void rx_fold_checkpoint_close(rx_fold_checkpoint **checkpoint) {
  if (!*checkpoint) return;
  free((*checkpoint)->numbers);
  free(*checkpoint);
  *checkpoint = NULL;
}

void rx_fold_checkpoint_restore_nested(const rx_fold_checkpoint *c, int k, int outcome, int set,
                                       rx_nested *nested) {
  if (!c || !c->numbers) return;
  double *at = c->numbers + find_prediction(c, k, outcome, set);
  if (at[DONE] <= 0) return;
  move_nested(c, at, set, nested, true);
  nested->n_done = (int)at[DONE];
  nested->is_converged = at[IS_CONVERGED] > 0;
}

void rx_fold_checkpoint_restore_permutations(const rx_fold_checkpoint *c, int outcome, int set,
                                             rx_prediction *p) {
  if (!c || !c->numbers) return;
  double *at = c->numbers + find_prediction(c, 0, outcome, set);
  if (at[PERMUTED] <= 0) return;
  memcpy(p->permutation_auc, permutations_at(c, at, set), c->n_permutations * sizeof *at);
  p->n_permuted = (int)at[PERMUTED];
  p->permutation_observed = at[OBSERVED];
}

/* ---- writing ---- */

static void put_prediction(const rx_fold_checkpoint *c, double *at, int set,
                           const rx_prediction *p) {
  if (p->nested && p->nested->n_done) {
    at[DONE] = p->nested->n_done;
    at[IS_CONVERGED] = p->nested->is_converged;
    move_nested(c, at, set, p->nested, false);
  }
  if (!p->n_permuted) return;
  at[PERMUTED] = p->n_permuted;
  at[OBSERVED] = p->permutation_observed;
  memcpy(permutations_at(c, at, set), p->permutation_auc, c->n_permutations * sizeof *at);
}

static rx_status write_file(const rx_job *job, const rx_fold_checkpoint *c, double *numbers) {
  const rx_resume_array array = {"numbers", RX_FLOAT64, c->n_numbers, numbers};
  char path[PATH_SIZE];
  rx_store *store = NULL;

  RX_TRY(rx_job_path(job, "predictions-checkpoint.h5", path, sizeof path));
  rx_status status = rx_resume_put(path, c->recipe, 1, &array, &store);
  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
  return status;
}

static rx_status save(const rx_job *job, const rx_fold_checkpoint *c) {
  const rx_panel *panel = c->results[0]->panel;
  double *numbers;

  RX_TRY(RX_NEW(&numbers, "checkpoint", c->n_numbers));
  for (int k = 0; k < c->n; k++)
    for (int o = 0; o < panel->n_outcomes; o++)
      for (int s = 0; s < panel->n_sets; s++)
        put_prediction(c, numbers + find_prediction(c, k, o, s), s,
                       rx_results_at(c->results[k], o, s));
  rx_status status = write_file(job, c, numbers);
  free(numbers);
  return status;
}

rx_status rx_fold_checkpoint_pause(const rx_job *job, rx_fold_checkpoint *c) {
  const double minute = 60;
  int is_due = c && rx_seconds() - c->saved > minute;
  bool is_stopped = rx_signal_agree(job->comm);

  MPI_Bcast(&is_due, 1, MPI_INT, 0, job->comm);
  if (!c || (!is_due && !is_stopped)) return RX_OK;
  RX_TRY(RX_AGREE(job->comm, job->rank == 0 ? save(job, c) : RX_OK));
  c->saved = rx_seconds();
  if (!is_stopped) return RX_OK;
  return RX_FAIL(RX_ERR_INTERRUPTED,
                 "predict: stopped after a checkpoint; the same command goes on");
}

void rx_fold_checkpoint_remove(const rx_job *job) {
  char path[PATH_SIZE];

  if (!rx_job_path(job, "predictions-checkpoint.h5", path, sizeof path)) unlink(path);
}
