#include "prediction/fold_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/signal.h"
#include "radmix/store.h"

enum { PATH_SIZE = 4096, NAME_SIZE = 256, MOST_RESULTS = 2 };

struct rx_fold_checkpoint {
  char id[32];
  rx_store *old; /* what an earlier run has done, or NULL */
  int n;
  rx_results *results[MOST_RESULTS];
  double saved; /* when, seconds */
};

/* ---- opening ---- */

/* Opens the file when it is of this recipe. */
static rx_status open_old(const char *path, rx_fold_checkpoint *c) {
  char *id = NULL;

  if (access(path, F_OK)) return RX_OK;
  RX_TRY(rx_store_open(path, &c->old));
  rx_status status = rx_store_get_text(c->old, "recipe", &id);
  if (!status && strcmp(id, c->id)) rx_store_close(&c->old);
  free(id);
  return status;
}

static rx_status create(const rx_job *job, uint64_t recipe, rx_fold_checkpoint **out) {
  char path[PATH_SIZE];

  RX_TRY(RX_NEW(out, "checkpoint", 1));
  snprintf((*out)->id, sizeof(*out)->id, "%016" PRIx64, recipe);
  (*out)->saved = rx_seconds();
  RX_TRY(rx_job_path(job, "predictions-checkpoint.h5", path, sizeof path));
  return job->force == RX_FORCE_ALWAYS ? RX_OK : open_old(path, *out);
}

rx_status rx_fold_checkpoint_open(const rx_job *job, uint64_t recipe, rx_fold_checkpoint **out) {
  rx_status status = RX_AGREE(job->comm, create(job, recipe, out));

  if (!status && (*out)->old) rx_log_info(job->log, "predict: goes on from a checkpoint");
  if (status) rx_fold_checkpoint_close(out);
  return status;
}

void rx_fold_checkpoint_close(rx_fold_checkpoint **checkpoint) {
  if (!*checkpoint) return;
  rx_store_close(&(*checkpoint)->old);
  free(*checkpoint);
  *checkpoint = NULL;
}

void rx_fold_checkpoint_watch(rx_fold_checkpoint *c, int n, rx_results *const *results) {
  c->n = n;
  for (int k = 0; k < n; k++) c->results[k] = results[k];
}

/* ---- arrays of a prediction ---- */

typedef struct {
  const char *name;
  double *values;
  size_t n;
} array;

enum { N_ARRAYS = 7 };

static void list_arrays(const rx_nested *nested, size_t n_scores, size_t n_features, size_t n_fits,
                        array arrays[N_ARRAYS]) {
  const array all[N_ARRAYS] = {
      {"score", nested->score, n_scores}, {"selected", nested->selected, n_features},
      {"lambda", nested->lambda, n_fits}, {"nonzeros", nested->nonzeros, n_fits},
      {"auc", nested->auc, n_fits},       {"row_auc", nested->row_auc, n_fits},
      {"kkt", nested->kkt, n_fits}};
  memcpy(arrays, all, sizeof all);
}

static void name_entry(int k, int outcome, int set, const char *what, char name[NAME_SIZE]) {
  snprintf(name, NAME_SIZE, "%d/%d/%d/%s", k, outcome, set, what);
}

/* ---- reading ---- */

rx_status rx_fold_checkpoint_restore_nested(const rx_fold_checkpoint *c, int k, int outcome,
                                            int set, const rx_nested_plan *plan,
                                            const rx_feature_set *features, rx_nested *nested) {
  size_t n_fits = (size_t)plan->n_repeats * (size_t)plan->n_folds;
  size_t n_scores = (size_t)plan->n_repeats * plan->n_patients;
  char name[NAME_SIZE];
  array arrays[N_ARRAYS];
  double done[2];

  name_entry(k, outcome, set, "nested/done", name);
  if (!c || !c->old || !rx_store_has(c->old, name)) return RX_OK;
  RX_TRY(rx_store_get(c->old, name, RX_FLOAT64, 2, done));
  list_arrays(nested, n_scores, features->n_features, n_fits, arrays);
  for (int a = 0; a < N_ARRAYS; a++) {
    char path[2 * NAME_SIZE];
    name_entry(k, outcome, set, "nested", name);
    snprintf(path, sizeof path, "%s/%s", name, arrays[a].name);
    RX_TRY(rx_store_get(c->old, path, RX_FLOAT64, arrays[a].n, arrays[a].values));
  }
  nested->n_done = (int)done[0];
  nested->is_converged = done[1] > 0;
  return RX_OK;
}

rx_status rx_fold_checkpoint_restore_permutations(const rx_fold_checkpoint *c, int outcome, int set,
                                                  int n, rx_prediction *p) {
  char name[NAME_SIZE];
  double done[2];

  name_entry(0, outcome, set, "permutations/done", name);
  if (!c || !c->old || !rx_store_has(c->old, name)) return RX_OK;
  RX_TRY(rx_store_get(c->old, name, RX_FLOAT64, 2, done));
  name_entry(0, outcome, set, "permutations/auc", name);
  RX_TRY(rx_store_get(c->old, name, RX_FLOAT64, (size_t)n, p->permutation_auc));
  p->n_permuted = (int)done[0];
  p->permutation_observed = done[1];
  return RX_OK;
}

/* ---- writing ---- */

static rx_status put_vector(rx_store *store, const char *name, size_t n, const double *values) {
  return rx_store_put(store, name, RX_FLOAT64, 1, &n, values);
}

static rx_status put_nested(rx_store *store, const rx_results *results, int k, int outcome, int set,
                            const rx_nested *nested) {
  size_t n_repeats = (size_t)results->folds->n_repeats;
  size_t n_fits = n_repeats * (size_t)results->folds->n_folds;
  const double done[2] = {nested->n_done, nested->is_converged};
  char name[NAME_SIZE], path[2 * NAME_SIZE];
  array arrays[N_ARRAYS];

  name_entry(k, outcome, set, "nested", name);
  list_arrays(nested, n_repeats * results->panel->n_patients, results->panel->sets[set].n_features,
              n_fits, arrays);
  for (int a = 0; a < N_ARRAYS; a++) {
    snprintf(path, sizeof path, "%s/%s", name, arrays[a].name);
    RX_TRY(put_vector(store, path, arrays[a].n, arrays[a].values));
  }
  name_entry(k, outcome, set, "nested/done", name);
  return put_vector(store, name, 2, done);
}

static rx_status put_prediction(rx_store *store, const rx_results *results, int k, int o, int s,
                                int n_permutations) {
  const rx_prediction *p = rx_results_at(results, o, s);
  const double done[2] = {p->n_permuted, p->permutation_observed};
  char name[NAME_SIZE];

  if (p->nested && p->nested->n_done) RX_TRY(put_nested(store, results, k, o, s, p->nested));
  if (!p->n_permuted) return RX_OK;
  name_entry(k, o, s, "permutations/auc", name);
  RX_TRY(put_vector(store, name, (size_t)n_permutations, p->permutation_auc));
  name_entry(k, o, s, "permutations/done", name);
  return put_vector(store, name, 2, done);
}

static rx_status save(const rx_job *job, const rx_fold_checkpoint *c) {
  char path[PATH_SIZE];
  rx_store *store = NULL;

  RX_TRY(rx_job_path(job, "predictions-checkpoint.h5", path, sizeof path));
  RX_TRY(rx_store_create(path, &store));
  rx_status status = rx_store_put_text(store, "recipe", c->id);
  for (int k = 0; k < c->n; k++)
    for (int o = 0; o < c->results[k]->panel->n_outcomes; o++)
      for (int s = 0; s < c->results[k]->panel->n_sets && !status; s++)
        status =
            put_prediction(store, c->results[k], k, o, s, job->config->prediction_permutations);
  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
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
