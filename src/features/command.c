/* radmix encode: images.h5ad and model.h5 become features.h5ad and patients.h5ad. */
#include <stdio.h>
#include <stdlib.h>

#include "encoded.h"
#include "examples.h"
#include "files.h"
#include "radmix/error.h"
#include "radmix/features.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/result.h"

enum { FORMAT = 2, PATH_SIZE = 4096 };

/* All that the stage makes on its way. */
typedef struct {
  char images_path[PATH_SIZE], model_path[PATH_SIZE];
  char features_path[PATH_SIZE], patients_path[PATH_SIZE];
  rx_recipe *recipe;
  rx_matrix *images;
  rx_cohort *cohort;
  rx_model *model;
  rx_frame *clinical;
  double *reference;  /* [n_features], of features.reference; or NULL */
  rx_names *training; /* of study.training; or NULL */
  rx_encoded *encoded;
  rx_examples *examples;
} encode_stage;

static void destroy(encode_stage *e) {
  rx_examples_destroy(&e->examples);
  rx_encoded_destroy(&e->encoded);
  free(e->reference);
  rx_names_destroy(&e->training);
  rx_frame_destroy(&e->clinical);
  rx_model_destroy(&e->model);
  rx_cohort_destroy(&e->cohort);
  rx_matrix_destroy(&e->images);
  rx_recipe_destroy(&e->recipe);
}

static rx_status find_paths(const rx_job *job, encode_stage *e) {
  rx_status status = rx_job_path(job, "images.h5ad", e->images_path, PATH_SIZE);

  if (!status) status = rx_job_path(job, "model.h5", e->model_path, PATH_SIZE);
  if (!status) status = rx_job_path(job, "features.h5ad", e->features_path, PATH_SIZE);
  if (!status) status = rx_job_path(job, "patients.h5ad", e->patients_path, PATH_SIZE);
  return RX_AGREE(job->comm, status);
}

static rx_status make_recipe(const rx_job *job, encode_stage *e) {
  const rx_config *config = job->config;
  char seed[32];

  snprintf(seed, sizeof seed, "%d", config->study_seed);
  rx_status status = rx_recipe_create("encode", FORMAT, &e->recipe);

  if (!status) status = rx_recipe_section(e->recipe, config, "features");
  if (!status) status = rx_recipe_add(e->recipe, "study.seed", seed);
  RX_TRY(RX_AGREE(job->comm, status));
  RX_TRY(rx_recipe_input(job->comm, e->recipe, "images.h5ad", e->images_path));
  RX_TRY(rx_recipe_input(job->comm, e->recipe, "model.h5", e->model_path));
  RX_TRY(rx_recipe_input(job->comm, e->recipe, "study.clinical", config->study_clinical));
  RX_TRY(rx_recipe_input(job->comm, e->recipe, "study.training", config->study_training));
  return rx_recipe_input(job->comm, e->recipe, "features.reference", config->features_reference);
}

/* Both files are made together. */
static rx_status check(const rx_job *job, const encode_stage *e, bool *is_current) {
  bool has_patients = false;

  RX_TRY(rx_result_check(job, e->recipe, e->features_path, is_current));
  RX_TRY(rx_result_check(job, e->recipe, e->patients_path, &has_patients));
  *is_current = *is_current && has_patients;
  return RX_OK;
}

static rx_status read_reference(const rx_job *job, encode_stage *e) {
  const char *path = job->config->features_reference;
  size_t n = e->model->network.n_features;
  rx_store *store = NULL;
  rx_status status = RX_NEW(&e->reference, "quantile reference", n);

  if (!status && job->rank == 0) {
    status = rx_store_open(path, &store);
    if (!status)
      status = rx_store_get(store, "uns/quantile_reference", RX_FLOAT64, n, e->reference);
    rx_store_close(&store);
  }
  RX_TRY(RX_AGREE(job->comm, status));
  MPI_Bcast(e->reference, (int)n, MPI_DOUBLE, 0, job->comm);
  return RX_OK;
}

static rx_status check_shapes(const encode_stage *e) {
  if (e->cohort->size == e->model->network.size) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s: expected a network for %d x %d pixels, found one for %d x %d",
                 e->model_path, e->cohort->size, e->cohort->size, e->model->network.size,
                 e->model->network.size);
}

/* There must be a slice that the reference can be made of. */
static rx_status check_training(const encode_stage *e) {
  for (size_t p = 0; p < e->cohort->n_patients; p++)
    if (rx_learners_has(e->training, e->cohort->patients[p])) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "study.training: expected a patient that has images, found none");
}

static rx_status load(const rx_job *job, encode_stage *e) {
  RX_TRY(rx_matrix_open(job->comm, e->images_path, &e->images));
  RX_TRY(RX_AGREE(job->comm, rx_cohort_create(e->images, &e->cohort)));
  RX_TRY(rx_learners_load(job->comm, job->config->study_training, &e->training));
  RX_TRY(RX_AGREE(job->comm, check_training(e)));
  RX_TRY(rx_model_load(job->comm, e->model_path, &e->model));
  RX_TRY(RX_AGREE(job->comm, check_shapes(e)));
  RX_TRY(rx_clinical_load(job->comm, job->config->study_clinical, &e->clinical));
  return *job->config->features_reference ? read_reference(job, e) : RX_OK;
}

static void say_counts(const rx_job *job, const encode_stage *e) {
  const rx_encoded *encoded = e->encoded;
  size_t n = encoded->n_features, n_dead = 0;
  double zeros = 0, rates[2] = {0, 0};

  for (size_t f = 0; f < n; f++) {
    n_dead += encoded->fraction_zero[f] == 1;
    zeros += encoded->fraction_zero[f] / (double)n;
  }
  rates[0] = encoded->seconds > 0 ? (double)encoded->n_slices / encoded->seconds : 0;
  MPI_Allreduce(rates, &rates[1], 1, MPI_DOUBLE, MPI_SUM, job->comm);
  rx_log_info(job->log, "encode: %.1f %% of all values are 0; the encoder alone: %.0f images/s",
              100 * zeros, rates[1]);
  if (100 * n_dead > n)
    rx_log_warn(job->log,
                "encode: %zu of %zu features are 0 on all slices: their channels are dead; "
                "expected fewer: train with another study.seed or a smaller learning rate",
                n_dead, n);
  else if (n_dead)
    rx_log_info(job->log, "encode: %zu of %zu features are 0 on all slices", n_dead, n);
}

/* The slowest rank counts. */
static void say_rates(const rx_job *job, const encode_stage *e, double encoding, double writing) {
  double seconds[2] = {encoding, writing};
  const double n = (double)e->cohort->n_slices * (double)e->encoded->n_features;
  const double bytes = n * (double)sizeof(float) * (e->encoded->raw ? 2 : 1);

  MPI_Allreduce(MPI_IN_PLACE, seconds, 2, MPI_DOUBLE, MPI_MAX, job->comm);
  rx_log_info(job->log,
              "encode: read, encoded and summarised in %.3f s on each of %d ranks; written in %.3f "
              "s, %.0f MB/s",
              seconds[0], job->n_ranks, seconds[1], bytes * 1e-6 / seconds[1]);
}

static rx_status make_features(const rx_job *job, encode_stage *e) {
  rx_encoding encoding = {.is_normalised = rx_is(job->config->features_normalise, "quantile"),
                          .keeps_raw = job->config->features_keep_raw != 0};
  char done[256];

  RX_TRY(load(job, e));
  encoding.reference = e->reference;
  encoding.training = e->training;
  rx_log_info(job->log, "encode: %zu slices of %zu patients, %zu features a slice",
              e->cohort->n_slices, e->cohort->n_patients, e->model->network.n_features);
  const double start = rx_seconds();
  RX_TRY(rx_encoded_make(job, e->images, e->cohort, e->model, &encoding, &e->encoded));
  const double encoded = rx_seconds();
  RX_TRY(rx_examples_make(job, e->images, e->model, &e->examples));
  say_counts(job, e);
  rx_feature_results results = {.images = e->images,
                                .cohort = e->cohort,
                                .model = e->model,
                                .encoded = e->encoded,
                                .examples = e->examples,
                                .clinical = e->clinical};
  const double begin = rx_seconds();
  RX_TRY(rx_patients_write(job, e->recipe, &results, e->patients_path));
  RX_TRY(rx_features_write(job, e->recipe, &results, e->features_path));
  say_rates(job, e, encoded - start, rx_seconds() - begin);
  snprintf(done, sizeof done, "%zu features of %zu slices of %zu patients", e->encoded->n_features,
           e->cohort->n_slices, e->cohort->n_patients);
  rx_job_totals(job, "encode", done, e->features_path);
  return RX_OK;
}

rx_status rx_features_run(const rx_job *job) {
  encode_stage e = {0};
  bool is_current = false;

  rx_status status = find_paths(job, &e);
  if (!status) status = make_recipe(job, &e);
  if (!status) status = check(job, &e, &is_current);
  if (!status && !is_current) status = make_features(job, &e);
  destroy(&e);
  return status;
}
