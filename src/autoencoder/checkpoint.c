#include "checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/resume.h"
#include "radmix/store.h"

enum { PATH_SIZE = 4096, N_POSITION = 6, N_ROW = 4, N_ARRAYS = 4 };

/* The state as arrays. position and history have other forms in the file. */
typedef struct {
  int64_t position[N_POSITION]; /* epoch, step, n_optimised, loss_sum, best_epoch, rows */
  double best_loss;
  double *history; /* [n_epochs + 1][N_ROW]; owned */
  rx_resume_array arrays[N_ARRAYS];
} record;

static rx_status lay_out(rx_training_state *state, record *r) {
  RX_TRY(RX_NEW(&r->history, "history", (state->n_epochs + 1) * N_ROW));
  const rx_resume_array arrays[N_ARRAYS] = {
      {"position", RX_INT64, N_POSITION, r->position},
      {"best_loss", RX_FLOAT64, 1, &r->best_loss},
      {"weights", RX_FLOAT32, 4 * state->n_weights, state->weights},
      {"history", RX_FLOAT64, (size_t)(state->n_epochs + 1) * N_ROW, r->history},
  };
  memcpy(r->arrays, arrays, sizeof arrays);
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
    status = rx_resume_put(newest, recipe, N_ARRAYS, r.arrays, &store);
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

static rx_status read_record(const char *path, const record *r, char **recipe) {
  rx_store *store;

  RX_TRY(rx_store_open(path, &store));
  rx_status status = rx_store_get_text(store, "recipe", recipe);
  if (!status) status = rx_resume_get(store, path, N_ARRAYS, r->arrays);
  rx_store_close(&store);
  return status;
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
    if (job->force == RX_FORCE_NEVER)
      status = rx_resume_refuse(path, "training was", theirs, rx_recipe_text(recipe));
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
