/* radmix train: images.h5ad becomes model.h5. */
#include <stdio.h>

#include "checkpoint.h"
#include "model.h"
#include "radmix/autoencoder.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/result.h"
#include "settings.h"
#include "strata.h"
#include "training.h"

enum { FORMAT = 2, PATH_SIZE = 4096 };

/* All that the stage makes on its way. */
typedef struct {
  rx_training_settings settings;
  char images_path[PATH_SIZE], model_path[PATH_SIZE], history_path[PATH_SIZE];
  rx_recipe *recipe;
  rx_matrix *images;
  rx_cohort *cohort;
  rx_network network;
  rx_strata *strata;
  rx_training *training;
} train_stage;

static void destroy(train_stage *t) {
  rx_training_destroy(&t->training);
  rx_strata_destroy(&t->strata);
  rx_cohort_destroy(&t->cohort);
  rx_matrix_destroy(&t->images);
  rx_recipe_destroy(&t->recipe);
}

static rx_status find_paths(const rx_job *job, train_stage *t) {
  rx_status status = rx_job_path(job, "images.h5ad", t->images_path, PATH_SIZE);

  if (!status) status = rx_job_path(job, "model.h5", t->model_path, PATH_SIZE);
  if (!status) status = rx_job_path(job, "history.tsv", t->history_path, PATH_SIZE);
  return RX_AGREE(job->comm, status);
}

static rx_status make_recipe(const rx_job *job, train_stage *t) {
  char seed[32];

  snprintf(seed, sizeof seed, "%d", job->config->study_seed);
  rx_status status = rx_recipe_create("train", FORMAT, &t->recipe);

  if (!status) status = rx_recipe_section(t->recipe, job->config, "autoencoder");
  if (!status) status = rx_recipe_add(t->recipe, "study.seed", seed);
  RX_TRY(RX_AGREE(job->comm, status));
  RX_TRY(rx_recipe_input(job->comm, t->recipe, "images.h5ad", t->images_path));
  return rx_recipe_input(job->comm, t->recipe, "study.training", job->config->study_training);
}

static rx_status load(const rx_job *job, train_stage *t) {
  const rx_training_settings *s = &t->settings;
  rx_names *training = NULL;

  RX_TRY(rx_matrix_open(job->comm, t->images_path, &t->images));
  RX_TRY(rx_learners_load(job->comm, job->config->study_training, &training));
  rx_status status = rx_cohort_create(t->images, &t->cohort);
  if (!status) status = rx_cohort_keep(t->cohort, training);
  rx_names_destroy(&training);
  if (!status) status = rx_network_build(s->levels, s->channels, t->cohort->size, &t->network);
  RX_TRY(RX_AGREE(job->comm, status));
  return rx_strata_load(job, t->images, t->cohort, s, &t->strata);
}

static void say_what_trains(const rx_job *job, const train_stage *t) {
  const rx_share *training = &t->strata->training, *validation = &t->strata->validation;

  rx_log_info(job->log,
              "train: %zu slices of %zu patients, %zu of %zu held out for validation; %d levels, "
              "%zu weights",
              training->n_slices, training->n_patients, validation->n_slices,
              validation->n_patients, t->network.levels, t->network.n_weights);
  size_t n_both = training->n_patients + validation->n_patients - t->cohort->n_patients;
  if (n_both)
    rx_log_warn(job->log,
                "train: split: %zu patients have slices in training and in validation: validation "
                "is not by patient, and looks better than it is",
                n_both);
  if ((size_t)job->n_ranks > t->strata->n_strata)
    rx_log_warn(job->log, "train: %d of %d ranks have nothing to do: a batch has %zu places",
                job->n_ranks - (int)t->strata->n_strata, job->n_ranks, t->strata->n_strata);
}

static void say_quality(const rx_job *job, const train_stage *t, const rx_qualities *q) {
  rx_log_info(
      job->log,
      "train: fresh noise on %s slices: cosine %.4f, PSNR %.2f dB (the mean training image: "
      "%.4f, %.2f dB)",
      q->is_held_out ? "held out" : "the training", q->network.cosine, q->network.psnr,
      q->mean_image.cosine, q->mean_image.psnr);
  rx_log_info(job->log,
              "train: %zu of %zu features are 0 on all slices, %zu of them where all are black",
              q->n_dead, t->network.n_features, q->n_black);
  rx_watch_end(job->log, &t->settings, q->n_dead - q->n_black, t->network.n_features);
}

static rx_status make_model(const rx_job *job, train_stage *t) {
  rx_qualities qualities;
  char done[256];
  int isa;

  RX_TRY(load(job, t));
  say_what_trains(job, t);
  RX_TRY(rx_isa_choose(job->comm, &isa));
  RX_TRY(
      rx_training_create(job, t->recipe, &t->settings, &t->network, isa, t->strata, &t->training));
  RX_TRY(rx_training_run(t->training));
  RX_TRY(rx_quality_measure(t->training, &qualities));
  say_quality(job, t, &qualities);
  RX_TRY(rx_model_write(job, t->recipe, t->training, &qualities, t->model_path, t->history_path));
  if (job->rank == 0) rx_checkpoint_remove(job);
  snprintf(done, sizeof done, "%lld epochs of %zu slices", (long long)t->training->state.epoch,
           t->strata->training.n_slices);
  rx_job_totals(job, "train", done, t->model_path);
  return RX_OK;
}

rx_status rx_autoencoder_run(const rx_job *job) {
  train_stage t = {.settings = rx_training_settings_of(job->config)};
  bool is_current = false;

  rx_status status = find_paths(job, &t);
  if (!status) status = make_recipe(job, &t);
  if (!status) status = rx_result_check(job, t.recipe, t.model_path, &is_current);
  if (!status && !is_current) status = make_model(job, &t);
  destroy(&t);
  return status;
}
