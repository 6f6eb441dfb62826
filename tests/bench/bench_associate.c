/* How fast associate is: patient summaries of a cohort as large as that of Liu & Hu 2023 (110
 * patients, 52,000 slices, 4,096 features), against 476 and 16,197 factors.
 *
 *   mpirun -n RANKS bench_associate [FEATURES FACTORS PATIENTS [COVARIATES [full|hits]]]
 *
 * What it takes is what the log of associate says: fits with p, means control and q apart from the
 * write. make bench-associate also times nlme's and lme4's own fits of the same model in R. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "job_for_test.h"
#include "radmix/association.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "radmix/result.h"

enum { SIMULATED = 300 }; /* purpose of the random numbers */

static double normal(uint32_t a, uint32_t b) {
  rx_random random = rx_random_at(1, SIMULATED, a, b);

  return rx_random_normal(&random);
}

static rx_status name_rows(size_t n, const char *word, rx_frame **out) {
  char name[64];

  RX_TRY(rx_frame_create(n, out));
  for (size_t i = 0; i < n; i++) {
    snprintf(name, sizeof name, "%s%zu", word, i);
    RX_TRY(rx_frame_name(*out, i, name));
  }
  return RX_OK;
}

static double rows_of(size_t patient) {
  return 300 + (double)(patient * 137 % 351);
}

/* Writes a matrix; fill gives the numbers of a row. Rank 0 writes. */
static rx_status write_matrix(const rx_job *job, const char *name, rx_frame *obs, rx_frame *var,
                              const double *x, const double *within) {
  const size_t n = obs->n_rows, m = var->n_rows, mine = job->rank ? 0 : n;
  const rx_array arrays[2] = {{"X", RX_FLOAT64, n, m, 0},
                              {"layers/within_ss", RX_FLOAT64, n, m, 0}};
  const rx_matrix_layout layout = {obs, var, within ? 2 : 1, arrays};
  rx_matrix *matrix = NULL;
  rx_recipe *recipe = NULL;
  char path[4096];

  RX_TRY(rx_job_path(job, name, path, sizeof path));
  RX_TRY(rx_recipe_create(name, 1, &recipe));
  rx_status status = rx_matrix_create(job, path, &layout, &matrix);
  if (!status) status = rx_matrix_write(matrix, "X", RX_FLOAT64, 0, mine, 0, m, x);
  if (!status && within)
    status = rx_matrix_write(matrix, "layers/within_ss", RX_FLOAT64, 0, mine, 0, m, within);
  if (!status) status = rx_matrix_commit(&matrix, recipe);
  rx_recipe_destroy(&recipe);
  return status;
}

static rx_status make_patients(const rx_job *job, size_t n, size_t n_features) {
  rx_frame *obs = NULL, *var = NULL;
  rx_column *rows = NULL;
  double *mean = NULL, *within = NULL;

  rx_status status = name_rows(n, "P", &obs);
  if (!status) status = name_rows(n_features, "drf", &var);
  if (!status) status = rx_frame_add(obs, "n_images", RX_INTEGER, &rows);
  if (!status) status = RX_NEW(&mean, "bench", n * n_features);
  if (!status) status = RX_NEW(&within, "bench", n * n_features);
  for (size_t i = 0; i < n && !status; i++) {
    rows->integer[i] = (int64_t)rows_of(i);
    for (size_t f = 0; f < n_features; f++) {
      double icc = 0.05 + 0.6 * (double)(f * 61 % 101) / 101, slices = rows_of(i);
      double noise = sqrt((1 - icc) / slices) * normal((uint32_t)f, (uint32_t)(2 * i + 1));
      mean[i * n_features + f] = sqrt(icc) * normal((uint32_t)f, (uint32_t)(2 * i)) + noise;
      within[i * n_features + f] = (1 - icc) * (slices - 1);
    }
  }
  if (!status) status = write_matrix(job, "patients.h5ad", obs, var, mean, within);
  free(within), free(mean);
  rx_frame_destroy(&var), rx_frame_destroy(&obs);
  return status;
}

static rx_status make_factors(const rx_job *job, size_t n, size_t n_factors) {
  rx_frame *obs = NULL, *var = NULL;
  double *x = NULL;

  rx_status status = name_rows(n, "P", &obs);
  if (!status) status = name_rows(n_factors, "gene", &var);
  if (!status) status = RX_NEW(&x, "bench", n * n_factors);
  for (size_t i = 0; i < n * n_factors && !status; i++) x[i] = normal((uint32_t)i, 900000);
  if (!status) status = write_matrix(job, "factors.h5ad", obs, var, x, NULL);
  free(x);
  rx_frame_destroy(&var), rx_frame_destroy(&obs);
  return status;
}

/* A clinical table with columns c1, c2, ...; and the list of their names. */
static void make_clinical(const rx_job *job, rx_config *config, size_t n, int n_covariates) {
  size_t used = 0;

  snprintf(config->study_clinical, sizeof config->study_clinical, "bench_associate/clinical.tsv");
  for (int c = 1; c <= n_covariates; c++)
    used +=
        (size_t)snprintf(config->association_covariates + used, 16, "%sc%d", c > 1 ? "," : "", c);
  FILE *file = job->rank ? NULL : fopen(config->study_clinical, "w");
  if (file) {
    fputs("patient", file);
    for (int c = 1; c <= n_covariates; c++) fprintf(file, "\tc%d", c);
    for (size_t i = 0; i < n; i++) {
      fprintf(file, "\nP%zu", i);
      for (int c = 1; c <= n_covariates; c++)
        fprintf(file, "\t%.6f", normal((uint32_t)i, 800000 + (uint32_t)c));
    }
    fputs("\n", file);
    fclose(file);
  }
  MPI_Barrier(job->comm);
}

int main(int argc, char **argv) {
  static rx_config config;
  rx_log log;

  MPI_Init(&argc, &argv);
  rx_job job = job_for_test(&config, &log);
  log.level = RX_LOG_INFO;
  job.force = RX_FORCE_ALWAYS;
  size_t n_features = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 4096;
  size_t n_factors = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 476;
  size_t n_patients = argc > 3 ? (size_t)strtoul(argv[3], NULL, 10) : 110;
  int n_covariates = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 0;

  snprintf(config.study_directory, sizeof config.study_directory, "bench_associate");
  if (job.rank == 0) rx_output_folder(config.study_directory);
  MPI_Barrier(job.comm);
  if (argc > 5 && rx_config_set(&config, "association", "output", argv[5])) return RX_ERR_USAGE;
  if (n_covariates) make_clinical(&job, &config, n_patients, n_covariates);
  rx_status status = make_patients(&job, n_patients, n_features);
  if (!status) status = make_factors(&job, n_patients, n_factors);
  job.start = rx_seconds();
  if (!status) status = rx_association_run(&job);
  if (status && job.rank == 0) fprintf(stderr, "%s\n", rx_error_message());
  MPI_Finalize();
  return (int)status;
}
