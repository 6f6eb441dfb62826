/* A small study on disk for the tests of associate: tables in, associations.h5ad back. */
#ifndef RADMIX_TESTS_ASSOCIATION_STUDY_H
#define RADMIX_TESTS_ASSOCIATION_STUDY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/association.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/table.h"

typedef struct {
  rx_config config;
  rx_log log;
  rx_job job;
} study;

/* Starts a study in a folder. Collective over comm. */
static inline void study_start(study *s, MPI_Comm comm, const char *folder) {
  s->job = job_for_test(&s->config, &s->log);
  s->job.comm = comm;
  MPI_Comm_rank(comm, &s->job.rank);
  MPI_Comm_size(comm, &s->job.n_ranks);
  s->job.force = RX_FORCE_ALWAYS;
  snprintf(s->config.study_directory, sizeof s->config.study_directory, "%s", folder);
  if (s->job.rank == 0) rx_output_folder(folder);
  MPI_Barrier(comm);
}

static inline void study_set(study *s, const char *section, const char *key, const char *value) {
  assert_all(rx_config_set(&s->config, section, key, value) == RX_OK);
}

/* Writes factors.h5ad. value [n_patients][n_factors], the same on all ranks. Collective. */
static inline rx_status study_factors(study *s, size_t n_patients, size_t n_factors,
                                      char *const *patients, char *const *factors,
                                      const double *value) {
  rx_array array = {"X", RX_FLOAT64, n_patients, n_factors, 0};
  rx_matrix_layout layout = {NULL, NULL, 1, &array};
  rx_frame *obs = NULL, *var = NULL;
  rx_matrix *matrix = NULL;
  rx_recipe *recipe = NULL;
  char path[2048];

  rx_job_path(&s->job, "factors.h5ad", path, sizeof path);
  rx_frame_create(n_patients, &obs);
  rx_frame_create(n_factors, &var);
  for (size_t i = 0; i < n_patients; i++) rx_frame_name(obs, i, patients[i]);
  for (size_t i = 0; i < n_factors; i++) rx_frame_name(var, i, factors[i]);
  layout.obs = obs, layout.var = var;
  rx_recipe_create("factors", 1, &recipe);
  rx_status status = rx_matrix_create(&s->job, path, &layout, &matrix);
  if (!status)
    status = rx_matrix_write(matrix, "X", RX_FLOAT64, 0, s->job.rank ? 0 : n_patients, 0, n_factors,
                             value);
  if (!status) status = rx_matrix_commit(&matrix, recipe);
  rx_recipe_destroy(&recipe);
  rx_frame_destroy(&var);
  rx_frame_destroy(&obs);
  return status;
}

/* What associations.h5ad holds; [n_features][n_factors] each. */
typedef struct {
  size_t n_features, n_factors;
  rx_matrix *matrix;
  double *t, *beta, *se, *df, *log10_p, *lambda, *q_factor, *q_all, *q_hierarchical, *means;
  double *fit;
} grid_result;

static inline rx_status result_read(study *s, grid_result *r) {
  const char *names[] = {"X",
                         "layers/beta",
                         "layers/se",
                         "layers/df",
                         "layers/log10_p",
                         "layers/variance_ratio",
                         "layers/q_factor",
                         "layers/q_all",
                         "layers/q_hierarchical",
                         "layers/log10_p_means",
                         "layers/status"};
  double **arrays[] = {
      &r->t,     &r->beta,           &r->se,    &r->df, &r->log10_p, &r->lambda, &r->q_factor,
      &r->q_all, &r->q_hierarchical, &r->means, &r->fit};
  char path[2048];

  memset(r, 0, sizeof *r);
  rx_job_path(&s->job, "associations.h5ad", path, sizeof path);
  RX_TRY(rx_matrix_open(s->job.comm, path, &r->matrix));
  r->n_features = r->matrix->n_obs;
  r->n_factors = r->matrix->n_var;
  for (int i = 0; i < 11; i++) {
    RX_TRY(RX_NEW(arrays[i], "test", r->n_features * r->n_factors));
    RX_TRY(rx_matrix_read(r->matrix, names[i], RX_FLOAT64, 0, r->n_features, 0, r->n_factors,
                          *arrays[i]));
  }
  return RX_OK;
}

static inline void result_free(grid_result *r) {
  free(r->t), free(r->beta), free(r->se), free(r->df), free(r->log10_p), free(r->lambda);
  free(r->q_factor), free(r->q_all), free(r->q_hierarchical), free(r->means), free(r->fit);
  rx_matrix_destroy(&r->matrix);
}

/* The cell of a feature and a factor. */
static inline size_t cell_of(const grid_result *r, const char *feature, const char *factor) {
  size_t i = 0, j = 0;
  while (i < r->n_features && strcmp(r->matrix->obs->names[i], feature)) i++;
  while (j < r->n_factors && strcmp(r->matrix->var->names[j], factor)) j++;
  return i * r->n_factors + j;
}

static inline int is_close(double found, double expected, double tolerance) {
  return fabs(found - expected) <= tolerance * fabs(expected) || found == expected ||
         (isnan(found) && isnan(expected));
}

#endif
