#include "checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/store.h"

enum { PATH_SIZE = 4096, N_POSITION = 6, N_ROW = 4, N_ARRAYS = 4 };

/* An array of the file and where it is in the state. */
typedef struct {
  const char *name;
  rx_type type;
  size_t count;
  void *data;
} entry;

/* The state as arrays. position and history have other forms in the file. */
typedef struct {
  int64_t position[N_POSITION]; /* epoch, step, n_optimised, loss_sum, best_epoch, rows */
  double best_loss;
  double *history; /* [n_epochs + 1][N_ROW]; owned */
  entry entries[N_ARRAYS];
} record;

static rx_status lay_out(rx_training_state *state, record *r) {
  RX_TRY(RX_NEW(&r->history, "history", (state->n_epochs + 1) * N_ROW));
  const entry entries[N_ARRAYS] = {
      {"position", RX_INT64, N_POSITION, r->position},
      {"best_loss", RX_FLOAT64, 1, &r->best_loss},
      {"weights", RX_FLOAT32, 4 * state->n_weights, state->weights},
      {"history", RX_FLOAT64, (size_t)(state->n_epochs + 1) * N_ROW, r->history},
  };
  memcpy(r->entries, entries, sizeof entries);
  return RX_OK;
}

static void take_state(const rx_training_state *state, record *r) {
  const int64_t position[N_POSITION] = {state->epoch,    state->step,       state->n_optimised,
                                        state->loss_sum, state->best_epoch, state->n_epochs};

  memcpy(r->position, position, sizeof position);
  r->best_loss = state->best_loss;
  for (int64_t row = 0; row <= state->n_epochs; row++) {
    const rx_history_row *from = &state->history[row];
    const double values[N_ROW] = {from->loss, from->validation_loss, from->learning_rate,
                                  from->n_dead};
    memcpy(r->history + row * N_ROW, values, sizeof values);
  }
}

static void give_state(const record *r, rx_training_state *state) {
  state->epoch = r->position[0];
  state->step = r->position[1];
  state->n_optimised = r->position[2];
  state->loss_sum = r->position[3];
  state->best_epoch = r->position[4];
  state->best_loss = r->best_loss;
  for (int64_t row = 0; row <= state->n_epochs; row++) {
    const double *from = r->history + row * N_ROW;
    state->history[row] = (rx_history_row){
        .loss = from[0], .validation_loss = from[1], .learning_rate = from[2], .n_dead = from[3]};
  }
}

/* xxh64 of all arrays, as text. */
static void checksum(const record *r, char text[32]) {
  XXH64_state_t *hash = XXH64_createState();

  XXH64_reset(hash, 0);
  for (int i = 0; i < N_ARRAYS; i++)
    XXH64_update(hash, r->entries[i].data, r->entries[i].count * rx_type_size(r->entries[i].type));
  snprintf(text, 32, "%016" PRIx64, (uint64_t)XXH64_digest(hash));
  XXH64_freeState(hash);
}

static rx_status write_record(const char *path, const rx_recipe *recipe, const record *r,
                              rx_store **store) {
  char sum[32];

  RX_TRY(rx_store_create(path, store));
  for (int i = 0; i < N_ARRAYS; i++)
    RX_TRY(rx_store_put(*store, r->entries[i].name, r->entries[i].type, 1, &r->entries[i].count,
                        r->entries[i].data));
  checksum(r, sum);
  RX_TRY(rx_store_put_text(*store, "recipe", rx_recipe_text(recipe)));
  return rx_store_put_text(*store, "checksum", sum);
}

static rx_status find_paths(const rx_job *job, char newest[PATH_SIZE], char previous[PATH_SIZE]) {
  RX_TRY(rx_job_path(job, "checkpoint.h5", newest, PATH_SIZE));
  return rx_job_path(job, "checkpoint-previous.h5", previous, PATH_SIZE);
}

static rx_status write_file(const rx_job *job, const rx_recipe *recipe, rx_training_state *state) {
  char newest[PATH_SIZE], previous[PATH_SIZE];
  rx_store *store = NULL;
  record r = {0};

  RX_TRY(find_paths(job, newest, previous));
  rx_status status = lay_out(state, &r);
  if (!status) {
    take_state(state, &r);
    status = write_record(newest, recipe, &r, &store);
  }
  free(r.history);
  if (status) {
    rx_store_close(&store);
    return status;
  }
  rename(newest, previous); /* the first time there is none */
  return rx_store_commit(&store);
}

rx_status rx_checkpoint_write(const rx_job *job, const rx_recipe *recipe,
                              rx_training_state *state) {
  rx_status status = RX_OK;

  if (job->rank == 0) status = write_file(job, recipe, state);
  return RX_AGREE(job->comm, status);
}

/* ---- reading ---- */

static rx_status read_record(const char *path, record *r, char **recipe) {
  rx_store *store;
  char *stored = NULL, sum[32];

  RX_TRY(rx_store_open(path, &store));
  rx_status status = rx_store_get_text(store, "recipe", recipe);
  for (int i = 0; i < N_ARRAYS && !status; i++)
    status = rx_store_get(store, r->entries[i].name, r->entries[i].type, r->entries[i].count,
                          r->entries[i].data);
  if (!status) status = rx_store_get_text(store, "checksum", &stored);
  if (!status) {
    checksum(r, sum);
    if (strcmp(sum, stored))
      status = RX_FAIL(RX_ERR_INPUT, "%s: expected the checksum %s, found %s", path, stored, sum);
  }
  free(stored);
  rx_store_close(&store);
  return status;
}

/* Names the first line in which two recipes differ. */
static rx_status refuse(const char *path, const char *theirs, const char *ours) {
  while (*theirs && *theirs == *ours && strcspn(theirs, "\n") == strcspn(ours, "\n") &&
         !strncmp(theirs, ours, strcspn(ours, "\n") + 1)) {
    theirs += strcspn(theirs, "\n") + 1;
    ours += strcspn(ours, "\n") + 1;
  }
  return RX_FAIL(RX_ERR_EXISTS,
                 "%s: training was interrupted with %.*s, expected %.*s; --force begins anew", path,
                 (int)strcspn(theirs, "\n"), theirs, (int)strcspn(ours, "\n"), ours);
}

/* Reads one file. is_found stays false when it is not there, damaged, or of another recipe and need
 * not be respected; then the arrays of the state are of no use. */
static rx_status try_file(const rx_job *job, const char *path, const rx_recipe *recipe,
                          rx_training_state *state, bool *is_found) {
  char *theirs = NULL;
  record r = {0};

  if (access(path, F_OK)) return RX_OK;
  RX_TRY(lay_out(state, &r));
  rx_status status = read_record(path, &r, &theirs);
  if (status && status != RX_ERR_MEMORY) {
    rx_log_warn(job->log, "train: %s is damaged and not used: %s", path, rx_error_message());
    status = RX_OK;
  } else if (!status && strcmp(theirs, rx_recipe_text(recipe))) {
    if (job->force == RX_FORCE_NEVER) status = refuse(path, theirs, rx_recipe_text(recipe));
  } else if (!status) {
    *is_found = true;
    give_state(&r, state);
  }
  free(theirs);
  free(r.history);
  return status;
}

static rx_status read_newest(const rx_job *job, const rx_recipe *recipe, rx_training_state *state,
                             bool *is_found) {
  char paths[2][PATH_SIZE];

  RX_TRY(find_paths(job, paths[0], paths[1]));
  for (int i = 0; i < 2 && !*is_found; i++)
    RX_TRY(try_file(job, paths[i], recipe, state, is_found));
  return RX_OK;
}

/* Gives all ranks the state of rank 0. */
static void share_state(const rx_job *job, rx_training_state *state) {
  rx_training_state pod = *state;

  MPI_Bcast(&pod, (int)sizeof pod, MPI_BYTE, 0, job->comm);
  state->epoch = pod.epoch;
  state->step = pod.step;
  state->n_optimised = pod.n_optimised;
  state->loss_sum = pod.loss_sum;
  state->best_epoch = pod.best_epoch;
  state->best_loss = pod.best_loss;
  MPI_Bcast(state->weights, (int)(4 * state->n_weights), MPI_FLOAT, 0, job->comm);
  MPI_Bcast(state->history, (int)((size_t)(state->n_epochs + 1) * sizeof *state->history), MPI_BYTE,
            0, job->comm);
}

rx_status rx_checkpoint_read(const rx_job *job, const rx_recipe *recipe, rx_training_state *state,
                             bool *is_found) {
  int found = 0;
  rx_status status = RX_OK;

  *is_found = false;
  if (job->rank == 0) {
    status = read_newest(job, recipe, state, is_found);
    found = *is_found;
  }
  RX_TRY(RX_AGREE(job->comm, status));
  MPI_Bcast(&found, 1, MPI_INT, 0, job->comm);
  *is_found = found;
  if (found) share_state(job, state);
  return RX_OK;
}

void rx_checkpoint_remove(const rx_job *job) {
  char newest[PATH_SIZE], previous[PATH_SIZE];

  if (find_paths(job, newest, previous)) return;
  unlink(newest);
  unlink(previous);
}
