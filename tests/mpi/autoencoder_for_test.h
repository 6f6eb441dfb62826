/* autoencoder_for_test.h: a folder with a small images.h5ad, for tests of train and encode. */
#ifndef RADMIX_TESTS_AUTOENCODER_FOR_TEST_H
#define RADMIX_TESTS_AUTOENCODER_FOR_TEST_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/autoencoder.h"
#include "radmix/features.h"
#include "radmix/matrix.h"
#include "radmix/random.h"

enum { EDGE = 16, N_PIXELS = EDGE * EDGE };

/* Patients of unlike numbers of slices, one with most of them; their slices do not lie together. */
static const int slices_of[] = {1, 9, 2, 1, 3, 5};
enum { N_PATIENTS = 6, N_SLICES = 21 };

/* The patient of each row of the file. */
static inline int patient_of(int row) {
  int left[N_PATIENTS], at = 0;

  memcpy(left, slices_of, sizeof left);
  for (int turn = 0;; turn++)
    for (int p = 0; p < N_PATIENTS; p++) {
      if (!left[p] || (turn % 2 && p == 1)) continue;
      if (at++ == row) return p;
      left[p]--;
    }
}

/* A disc of its own on black, as large as the patient and as bright as the slice. */
static inline float pixel_of(int row, int pixel) {
  int y = pixel / EDGE - EDGE / 2, x = pixel % EDGE - EDGE / 2 + row % 3;
  bool is_inside = x * x + y * y < 16 + 6 * patient_of(row);

  return is_inside ? 0.4f + 0.025f * (float)row : 0.02f * (float)(pixel % 3);
}

static inline rx_frame *describe_rows(const char *split) {
  rx_frame *obs;
  rx_column *patient, *kind;
  char name[32];

  assert_int_equal(rx_frame_create(N_SLICES, &obs), 0);
  assert_int_equal(rx_frame_add(obs, "patient", RX_TEXT, &patient), 0);
  for (int row = 0; row < N_SLICES; row++) {
    snprintf(name, sizeof name, "slice%d", row);
    assert_int_equal(rx_frame_name(obs, (size_t)row, name), 0);
    snprintf(name, sizeof name, "P%d", patient_of(row));
    assert_int_equal(rx_frame_set_text(obs, patient, (size_t)row, name), 0);
  }
  if (!split) return obs;
  assert_int_equal(rx_frame_add(obs, "split", RX_TEXT, &kind), 0);
  for (int row = 0; row < N_SLICES; row++)
    assert_int_equal(rx_frame_set_text(obs, kind, (size_t)row, row % 5 ? "train" : split), 0);
  return obs;
}

static inline rx_frame *describe_pixels(void) {
  rx_frame *var;
  char name[32];

  assert_int_equal(rx_frame_create(N_PIXELS, &var), 0);
  for (int pixel = 0; pixel < N_PIXELS; pixel++) {
    snprintf(name, sizeof name, "p%d", pixel);
    assert_int_equal(rx_frame_name(var, (size_t)pixel, name), 0);
  }
  return var;
}

/* Writes images.h5ad; every fifth slice has the word split, when it is not NULL. Collective. */
static inline void write_images(const rx_job *job, const char *split) {
  const rx_array array = {"X", RX_FLOAT32, N_SLICES, N_PIXELS, 0};
  rx_frame *obs = describe_rows(split), *var = describe_pixels();
  rx_matrix_layout layout = {obs, var, 1, &array};
  rx_matrix *matrix;
  rx_recipe *recipe;
  char path[512];
  float *pixels = malloc(sizeof(float) * N_SLICES * N_PIXELS);

  for (int i = 0; i < N_SLICES * N_PIXELS; i++) pixels[i] = pixel_of(i / N_PIXELS, i % N_PIXELS);
  rx_job_path(job, "images.h5ad", path, sizeof path);
  rx_recipe_create("slice", 1, &recipe);
  rx_recipe_add(recipe, "split", split ? split : "");
  assert_all(!rx_matrix_create(job, path, &layout, &matrix));
  size_t n_rows = job->rank == 0 ? N_SLICES : 0;
  assert_all(!rx_matrix_write(matrix, "X", RX_FLOAT32, 0, n_rows, 0, N_PIXELS, pixels));
  assert_all(!rx_matrix_commit(&matrix, recipe));
  rx_recipe_destroy(&recipe);
  rx_frame_destroy(&obs);
  rx_frame_destroy(&var);
  free(pixels);
}

/* Points the job at a new folder; collective. */
static inline void make_folder(rx_config *config) {
  char folder[64] = "/tmp/radmix-train-XXXXXX";

  if (rank_of_test() == 0 && !mkdtemp(folder)) folder[0] = '\0';
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  strcpy(config->study_directory, folder);
}

static inline void remove_folder(const rx_config *config) {
  char command[2 * RX_TEXT_SIZE];

  MPI_Barrier(MPI_COMM_WORLD);
  snprintf(command, sizeof command, "rm -rf '%s'", config->study_directory);
  if (rank_of_test() == 0 && system(command)) fprintf(stderr, "%s failed\n", command);
  MPI_Barrier(MPI_COMM_WORLD);
}

static inline void set(rx_config *config, const char *section, const char *key, const char *value) {
  if (rx_config_set(config, section, key, value)) fail_msg("%s.%s=%s", section, key, value);
}

/* A job of rank 0 alone, with the same settings; the other ranks do not call it. */
static inline rx_job job_alone(const rx_job *job) {
  rx_job alone = *job;

  alone.comm = MPI_COMM_SELF;
  alone.rank = 0;
  alone.n_ranks = 1;
  return alone;
}

/* Reads an array of a file, for rank 0; the caller frees it. */
static inline double *read_array(const rx_config *config, const char *file, const char *name,
                                 size_t *n) {
  char path[2 * RX_TEXT_SIZE];
  size_t dims[4];
  int n_dims;
  rx_store *store;

  snprintf(path, sizeof path, "%s/%s", config->study_directory, file);
  if (rx_store_open(path, &store)) return NULL;
  double *values = NULL;
  if (!rx_store_shape(store, name, &n_dims, dims)) {
    *n = 1;
    for (int d = 0; d < n_dims; d++) *n *= dims[d];
    values = malloc(*n * sizeof *values);
    if (rx_store_get(store, name, RX_FLOAT64, *n, values)) *n = 0;
  }
  rx_store_close(&store);
  return values;
}

/* Tells, on rank 0, whether an array of two files of two folders has the same bits. */
static inline bool has_same_bits(const rx_config *a, const rx_config *b, const char *file,
                                 const char *name) {
  size_t n_a = 0, n_b = 1;
  double *left = read_array(a, file, name, &n_a), *right = read_array(b, file, name, &n_b);
  bool same = left && right && n_a == n_b && !memcmp(left, right, n_a * sizeof *left);

  free(left);
  free(right);
  return same;
}

/* The same for all that a model holds. */
static inline bool is_same_model(const rx_config *a, const rx_config *b) {
  static const char *const names[] = {
      "weights/best/conv1_w", "weights/best/conv3_b",   "weights/last/conv1_w",
      "weights/last/conv2_w", "weights/last/conv3_w",   "weights/last/conv3_b",
      "history/loss",         "history/dead_features",  "history/validation_loss",
      "quality/cosine",       "quality/mean_image_psnr"};
  bool same = true;

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!has_same_bits(a, b, "model.h5", names[i])) {
      fprintf(stderr, "model.h5 differs in %s\n", names[i]);
      same = false;
    }
  return same;
}

#endif
