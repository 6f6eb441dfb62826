/* The command cluster on cohorts made here: what is in the file, odd cohorts, wrong inputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/clustering.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "radmix/text.h"

/* A cohort. Slices are in the order of patients; patient p belongs to group p % n_groups. */
typedef struct {
  size_t n_patients, n_slices_each, n_features;
  int n_groups;
  size_t n_constant;  /* the first features are 7 everywhere */
  size_t nan_feature; /* has a NaN in the last slice; 0: none, never the first one */
  bool has_no_within; /* as a file of another program */
  bool has_wrong_counts, has_other_features;
} cohort;

static double value_of(const cohort *c, size_t slice, size_t feature) {
  size_t patient = slice / c->n_slices_each, n_slices = c->n_patients * c->n_slices_each;
  rx_random of_slice = rx_random_at(1, RX_RANDOM_SIMULATION, (uint32_t)slice, (uint32_t)feature);
  rx_random of_patient =
      rx_random_at(2, RX_RANDOM_SIMULATION, (uint32_t)patient, (uint32_t)feature);

  if (feature < c->n_constant) return 7;
  if (c->nan_feature && feature == c->nan_feature && slice + 1 == n_slices) return NAN;
  bool is_high = c->n_groups > 1 && feature % (size_t)c->n_groups == patient % (size_t)c->n_groups;
  return (double)(float)(rx_random_normal(&of_slice) + 0.7 * rx_random_normal(&of_patient) +
                         (is_high ? 4 : 0));
}

/* ---- writing ---- */

static rx_status name_rows(rx_frame *frame, const char *prefix) {
  char name[32];

  for (size_t i = 0; i < frame->n_rows; i++) {
    snprintf(name, sizeof name, "%s%zu", prefix, i);
    RX_TRY(rx_frame_name(frame, i, name));
  }
  return RX_OK;
}

static rx_status write_matrix(const rx_job *job, const char *path, const rx_frame *obs,
                              const rx_frame *var, rx_type type, const double *x,
                              const double *within) {
  const rx_array arrays[] = {{"X", type, obs->n_rows, var->n_rows, 0},
                             {"layers/within_ss", RX_FLOAT64, obs->n_rows, var->n_rows, 0}};
  const rx_matrix_layout layout = {obs, var, within ? 2 : 1, arrays};
  rx_recipe *recipe;
  rx_matrix *matrix;
  size_t n = job->rank ? 0 : obs->n_rows;

  RX_TRY(rx_recipe_create("test", 1, &recipe));
  RX_TRY(rx_matrix_create(job, path, &layout, &matrix));
  RX_TRY(rx_matrix_write(matrix, "X", RX_FLOAT64, 0, n, 0, var->n_rows, x));
  if (within)
    RX_TRY(rx_matrix_write(matrix, "layers/within_ss", RX_FLOAT64, 0, n, 0, var->n_rows, within));
  rx_status status = rx_matrix_commit(&matrix, recipe);
  rx_recipe_destroy(&recipe);
  return status;
}

static rx_status describe_slices(const cohort *c, rx_frame *slices) {
  rx_column *column;
  char name[32];

  RX_TRY(name_rows(slices, "slice"));
  RX_TRY(rx_frame_add(slices, "patient", RX_TEXT, &column));
  for (size_t s = 0; s < slices->n_rows; s++) {
    snprintf(name, sizeof name, "P%zu", s / c->n_slices_each);
    RX_TRY(rx_frame_set_text(slices, column, s, name));
  }
  RX_TRY(rx_frame_add(slices, "slice", RX_INTEGER, &column));
  for (size_t s = 0; s < slices->n_rows; s++) column->integer[s] = (int64_t)(s % c->n_slices_each);
  RX_TRY(rx_frame_add(slices, "sequence", RX_TEXT, &column)); /* constant within patients */
  for (size_t s = 0; s < slices->n_rows; s++)
    RX_TRY(rx_frame_set_text(slices, column, s, s / c->n_slices_each % 2 ? "T1" : "T2"));
  return RX_OK;
}

static rx_status describe_patients(const cohort *c, rx_frame *patients) {
  rx_column *column;

  RX_TRY(name_rows(patients, "P"));
  RX_TRY(rx_frame_add(patients, "n_images", RX_INTEGER, &column));
  for (size_t p = 0; p < c->n_patients; p++)
    column->integer[p] = (int64_t)c->n_slices_each + c->has_wrong_counts;
  RX_TRY(rx_frame_add(patients, "group", RX_TEXT, &column));
  for (size_t p = 0; p < c->n_patients; p++)
    RX_TRY(rx_frame_set_text(patients, column, p,
                             (const char *[]){"a", "b", "c"}[p % (size_t)c->n_groups]));
  RX_TRY(rx_frame_add(patients, "cluster", RX_REAL, NULL)); /* to be replaced by the result's own */
  return RX_OK;
}

/* Means and sums of squares, in slice order. */
static void summarise(const cohort *c, const double *x, double *mean, double *within) {
  for (size_t p = 0; p < c->n_patients; p++)
    for (size_t j = 0; j < c->n_features; j++) {
      const double *first = x + p * c->n_slices_each * c->n_features + j;
      double sum = 0, square = 0;
      for (size_t s = 0; s < c->n_slices_each; s++) sum += first[s * c->n_features];
      sum /= (double)c->n_slices_each;
      for (size_t s = 0; s < c->n_slices_each; s++)
        square += (first[s * c->n_features] - sum) * (first[s * c->n_features] - sum);
      mean[p * c->n_features + j] = sum;
      within[p * c->n_features + j] = square;
    }
}

static rx_status write_clinical(const rx_job *job, const cohort *c) {
  char path[2048];
  FILE *file;

  if (job->rank) return RX_OK;
  snprintf(path, sizeof path, "%s/clinical.tsv", job->config->study_directory);
  if (!(file = fopen(path, "w"))) return RX_ERR_OUTPUT;
  fprintf(file, "patient\tER\tage\tname\n");
  for (size_t p = c->n_patients; p-- > 0;) /* in another order */
    fprintf(file, "P%zu\t%d\t%zu\tname%zu\n", p, p % 4 == 0, 40 + p * 7 % 31, p);
  return fclose(file) ? RX_ERR_OUTPUT : RX_OK;
}

static rx_status write_cohort(const rx_job *job, const cohort *c) {
  const char *folder = job->config->study_directory;
  size_t n_slices = c->n_patients * c->n_slices_each, p = c->n_features;
  rx_frame *slices, *patients, *features;
  double *x, *mean, *within;
  char path[2048];

  if (job->rank == 0) RX_TRY(rx_output_folder(folder));
  MPI_Barrier(job->comm);
  RX_TRY(rx_frame_create(n_slices, &slices));
  RX_TRY(rx_frame_create(c->n_patients, &patients));
  RX_TRY(rx_frame_create(p, &features));
  RX_TRY(name_rows(features, "f"));
  RX_TRY(describe_slices(c, slices));
  RX_TRY(describe_patients(c, patients));
  RX_TRY(RX_NEW(&x, "test", n_slices * p));
  RX_TRY(RX_NEW(&mean, "test", c->n_patients * p));
  RX_TRY(RX_NEW(&within, "test", c->n_patients * p));
  for (size_t i = 0; i < n_slices * p; i++) x[i] = value_of(c, i / p, i % p);
  summarise(c, x, mean, within);
  snprintf(path, sizeof path, "%s/features.h5ad", folder);
  RX_TRY(write_matrix(job, path, slices, features, RX_FLOAT32, x, NULL));
  if (c->has_other_features) RX_TRY(rx_frame_name(features, p - 1, "another"));
  snprintf(path, sizeof path, "%s/patients.h5ad", folder);
  RX_TRY(write_matrix(job, path, patients, features, RX_FLOAT64, mean,
                      c->has_no_within ? NULL : within));
  free(within);
  free(mean);
  free(x);
  rx_frame_destroy(&slices);
  rx_frame_destroy(&patients);
  rx_frame_destroy(&features);
  RX_TRY(write_clinical(job, c));
  MPI_Barrier(job->comm);
  return RX_OK;
}

/* ---- jobs ---- */

typedef struct {
  rx_config config;
  rx_log log;
  rx_job job;
} test_job;

static test_job *start_job(const char *folder) {
  test_job *t;

  if (RX_NEW(&t, "test", 1)) MPI_Abort(MPI_COMM_WORLD, 1);
  t->job = job_for_test(&t->config, &t->log);
  t->log.is_speaker = false;
  t->job.force = RX_FORCE_ALWAYS;
  snprintf(t->config.study_directory, RX_TEXT_SIZE, "%s", folder);
  t->config.clustering_iterations = 20;
  t->config.clustering_pca = 4;
  return t;
}

/* Runs a cohort of its own folder. */
static rx_status run(test_job *t, const cohort *c) {
  rx_status status = write_cohort(&t->job, c);
  return status ? status : rx_clustering_run(&t->job);
}

static rx_matrix *open_result(const char *folder) {
  char path[2048];
  rx_matrix *matrix = NULL;

  snprintf(path, sizeof path, "%s/clusters.h5ad", folder);
  if (rx_matrix_open(MPI_COMM_WORLD, path, &matrix)) matrix = NULL;
  return matrix;
}

/* Reads a whole array [n_rows][n_columns] on every rank; NULL when it is not there or of another
 * shape. */
static double *read_array(const rx_matrix *matrix, const char *name, size_t n_rows,
                          size_t n_columns) {
  size_t rows, columns;
  double *x;

  if (!rx_matrix_has(matrix, name) || rx_matrix_shape(matrix, name, &rows, &columns)) return NULL;
  if (rows != n_rows || (columns ? columns : 1) != n_columns) return NULL;
  if (RX_NEW(&x, "test", n_rows * n_columns)) return NULL;
  if (rx_matrix_read(matrix, name, RX_FLOAT64, 0, n_rows, 0, n_columns, x)) return NULL;
  return x;
}

/* Reads column `cluster` as labels from 0; -1 = missing. */
static int *read_labels(const rx_frame *frame) {
  const rx_column *column = rx_frame_find(frame, "cluster");
  int *labels;

  if (!column || column->kind != RX_TEXT || RX_NEW(&labels, "test", frame->n_rows)) return NULL;
  for (size_t i = 0; i < frame->n_rows; i++) labels[i] = atoi(column->text[i]) - 1;
  return labels;
}

/* ---- a cohort with groups ---- */

static const cohort grouped = {
    .n_patients = 24, .n_slices_each = 5, .n_features = 30, .n_groups = 3};

static void planted_groups_are_found(void **state) {
  test_job *t = start_job("grouped");
  int truth[24];
  double rand = 0;

  (void)state;
  t->config.clustering_clusters = 3;
  t->config.clustering_kmeans = 3;
  snprintf(t->config.study_clinical, RX_TEXT_SIZE, "grouped/clinical.tsv");
  assert_all(run(t, &grouped) == RX_OK);
  rx_matrix *m = open_result("grouped");
  assert_all(m != NULL && m->n_obs == 24 && m->n_var == 30);
  int *patients = read_labels(m->obs), *features = read_labels(m->var);
  assert_all(patients != NULL && features != NULL);
  for (int p = 0; p < 24; p++) truth[p] = p % 3;
  assert_all(rx_compare_rand(patients, truth, 24, &rand) == RX_OK && rand == 1);
  for (int j = 0; j < 24; j++) truth[j] = j % 3;
  assert_all(rx_compare_rand(features, truth, 24, &rand) == RX_OK && rand == 1);
  const rx_column *icc = rx_frame_find(m->var, "icc"), *age = rx_frame_find(m->obs, "age");
  assert_all(icc && icc->real[0] > 0.5 && icc->real[0] < 1);
  assert_all(age && age->real[2] == 54); /* of the table, by name */
  free(patients);
  free(features);
  rx_matrix_destroy(&m);
  free(t);
}

/* Text of a cell of a frame of the result, found by the name of its row; rank 0, else NULL. */
static void find_cell(const rx_matrix *m, const char *frame, const char *row, const char *column,
                      char *text, double *number) {
  rx_store *store = NULL;
  rx_frame *found = NULL;

  *text = '\0';
  *number = NAN;
  if (rx_matrix_store(m, &store) || !store) return;
  if (!rx_store_get_frame(store, frame, &found)) {
    const rx_column *c = rx_frame_find(found, column);
    for (size_t r = 0; r < found->n_rows && c; r++) {
      if (strcmp(found->names[r], row)) continue;
      if (c->kind == RX_TEXT) snprintf(text, 64, "%s", c->text[r]);
      if (c->kind == RX_REAL) *number = c->real[r];
    }
    rx_frame_destroy(&found);
  }
  rx_store_close(&store);
}

static void clinical_columns_and_those_of_slices_are_tested(void **state) {
  static const char *const rows[] = {"group", "ER", "age", "name", "sequence", "n_images"};
  static const char *const tests[] = {"fisher",          "fisher", "kruskal-wallis",
                                      "too many levels", "fisher", "constant"};
  rx_matrix *m = open_result("grouped");
  char text[64];
  double number;

  (void)state;
  assert_all(m != NULL);
  for (int i = 0; i < 6; i++) {
    find_cell(m, "uns/tests", rows[i], "test", text, &number);
    assert_all(rank_of_test() || !strcmp(text, tests[i]));
    find_cell(m, "uns/tests", rows[i], "q", text, &number);
    assert_all(rank_of_test() || isnan(number) == (i == 3 || i == 5));
  }
  find_cell(m, "uns/tests", "group", "p", text, &number);
  assert_all(rank_of_test() || number < 1e-8);
  find_cell(m, "uns/tests", "group", "rand", text, &number);
  assert_all(rank_of_test() || number == 1);
  find_cell(m, "uns/slice_columns", "patient", "rand", text, &number);
  assert_all(rank_of_test() || (number > 0 && number < 1));
  rx_matrix_destroy(&m);
}

static void the_scores_of_patients_are_means_of_those_of_slices(void **state) {
  rx_matrix *m = open_result("grouped");
  double worst = 0, worst_pca = 0;

  (void)state;
  assert_all(m != NULL);
  double *slices = read_array(m, "uns/slice_scores", 120, 4);
  double *means = read_array(m, "obsm/X_pca_slices", 24, 4);
  double *x = read_array(m, "X", 24, 30), *scores = read_array(m, "obsm/X_pca", 24, 4);
  double *loadings = read_array(m, "varm/PCs", 30, 4);
  assert_all(slices && means && x && scores && loadings);
  for (int p = 0; p < 24; p++)
    for (int c = 0; c < 4; c++) {
      double mean = 0, score = 0;
      for (int s = 0; s < 5; s++) mean += slices[(5 * p + s) * 4 + c] / 5;
      worst = fmax(worst, fabs(mean - means[p * 4 + c]));
      for (int j = 0; j < 30; j++) {
        double centre = 0;
        for (int q = 0; q < 24; q++) centre += x[q * 30 + j] / 24;
        score += (x[p * 30 + j] - centre) * loadings[j * 4 + c];
      }
      worst_pca = fmax(worst_pca, fabs(score - scores[p * 4 + c]));
    }
  assert_all(worst < 1e-5); /* slices are kept as float */
  assert_all(worst_pca < 1e-12);
  free(loadings);
  free(scores);
  free(x);
  free(means);
  free(slices);
  rx_matrix_destroy(&m);
}

/* Runs the same on rank 0 alone. */
static void one_rank_gives_the_same(void **state) {
  static const struct {
    const char *name;
    size_t n_rows, n_columns;
    double tolerance;
  } arrays[] = {{"X", 24, 30, 0},
                {"obsm/X_tsne", 24, 2, 0},
                {"varm/X_tsne", 30, 2, 0},
                {"obsm/X_pca", 24, 4, 1e-8},
                {"varm/PCs", 30, 4, 1e-8},
                {"obsm/X_pca_slices", 24, 4, 1e-8},
                {"uns/slice_scores", 120, 4, 1e-6}};
  test_job *t = start_job("alone");
  rx_status status = RX_OK;

  (void)state;
  if (rank_of_test() == 0) {
    t->job.comm = MPI_COMM_SELF;
    t->job.n_ranks = 1;
    t->config.clustering_clusters = 3;
    t->config.clustering_kmeans = 3;
    snprintf(t->config.study_clinical, RX_TEXT_SIZE, "grouped/clinical.tsv");
    status = run(t, &grouped);
  }
  assert_all(status == RX_OK);
  rx_matrix *a = open_result("grouped"), *b = open_result("alone");
  assert_all(a && b);
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
    double *x = read_array(a, arrays[k].name, arrays[k].n_rows, arrays[k].n_columns), worst = 0;
    double *y = read_array(b, arrays[k].name, arrays[k].n_rows, arrays[k].n_columns);
    assert_all(x && y);
    for (size_t i = 0; i < arrays[k].n_rows * arrays[k].n_columns; i++)
      worst = fmax(worst, fabs(x[i] - y[i]));
    assert_all(worst <= arrays[k].tolerance);
    free(x);
    free(y);
  }
  int *left = read_labels(a->obs), *right = read_labels(b->obs);
  assert_all(!memcmp(left, right, 24 * sizeof *left));
  free(left);
  free(right);
  rx_matrix_destroy(&a);
  rx_matrix_destroy(&b);
  free(t);
}

static void a_result_that_is_there_is_not_made_again(void **state) {
  test_job *t = start_job("grouped");
  struct stat before = {0}, after = {0};

  (void)state;
  t->job.force = RX_FORCE_NEVER;
  t->config.clustering_clusters = 3;
  t->config.clustering_kmeans = 3;
  snprintf(t->config.study_clinical, RX_TEXT_SIZE, "grouped/clinical.tsv");
  stat("grouped/clusters.h5ad", &before);
  assert_all(rx_clustering_run(&t->job) == RX_OK);
  stat("grouped/clusters.h5ad", &after);
  assert_all(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
  t->config.clustering_clusters = 4;
  assert_all(rx_clustering_run(&t->job) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "clustering.clusters") != NULL);
  free(t);
}

static void a_subset_of_patients_is_clustered_alone(void **state) {
  test_job *t = start_job("grouped");

  (void)state;
  t->config.clustering_clusters = 2;
  snprintf(t->config.study_clinical, RX_TEXT_SIZE, "grouped/clinical.tsv");
  snprintf(t->config.study_subset, RX_TEXT_SIZE, "ER=1");
  assert_all(rx_clustering_run(&t->job) == RX_OK);
  rx_matrix *m = open_result("grouped");
  assert_all(m && m->n_obs == 6 && !strcmp(m->obs->names[1], "P4"));
  rx_matrix_destroy(&m);
  snprintf(t->config.study_subset, RX_TEXT_SIZE, "ER=2");
  assert_all(rx_clustering_run(&t->job) == RX_ERR_INPUT);
  snprintf(t->config.study_subset, RX_TEXT_SIZE, "NO=1");
  assert_all(rx_clustering_run(&t->job) == RX_ERR_CONFIG);
  free(t);
}

/* ---- odd cohorts ---- */

static void few_patients_slices_and_features_end_in_a_file(void **state) {
  static const cohort cohorts[] = {
      {.n_patients = 1, .n_slices_each = 1, .n_features = 1, .n_groups = 1},
      {.n_patients = 1, .n_slices_each = 6, .n_features = 9, .n_groups = 1},
      {.n_patients = 2, .n_slices_each = 1, .n_features = 5, .n_groups = 2},
      {.n_patients = 3, .n_slices_each = 2, .n_features = 40, .n_groups = 3},
      {.n_patients = 4, .n_slices_each = 3, .n_features = 2, .n_groups = 2},
      {.n_patients = 6, .n_slices_each = 4, .n_features = 12, .n_groups = 3, .n_constant = 12},
      {.n_patients = 6, .n_slices_each = 4, .n_features = 12, .n_groups = 3, .n_constant = 5},
  };
  static const char *const linkages[] = {"ward.D2", "ward.D", "average", "complete", "single"};

  (void)state;
  for (size_t k = 0; k < sizeof cohorts / sizeof *cohorts; k++)
    for (int variant = 0; variant < 2; variant++) {
      test_job *t = start_job("odd");
      t->config.clustering_clusters = 5;
      t->config.clustering_kmeans = variant ? 4 : 0;
      t->config.clustering_scale = variant;
      snprintf(t->config.clustering_linkage, RX_TEXT_SIZE, "%s", linkages[k % 5]);
      snprintf(t->config.clustering_distance, RX_TEXT_SIZE, "%s",
               variant ? "correlation" : "euclidean");
      assert_all(run(t, &cohorts[k]) == RX_OK);
      rx_matrix *m = open_result("odd");
      assert_all(m && m->n_obs == cohorts[k].n_patients && m->n_var == cohorts[k].n_features);
      assert_all(rx_matrix_has(m, "obsm/X_tsne") == (cohorts[k].n_patients >= 4));
      int *labels = read_labels(m->obs);
      for (size_t p = 0; p < m->n_obs; p++) assert_all(labels[p] >= 0 && labels[p] < 5);
      free(labels);
      rx_matrix_destroy(&m);
      free(t);
    }
}

static void a_feature_that_is_not_finite_is_left_out_and_missing_in_the_file(void **state) {
  cohort c = {
      .n_patients = 8, .n_slices_each = 3, .n_features = 12, .n_groups = 2, .nan_feature = 4};
  test_job *t = start_job("nan");

  (void)state;
  for (int variant = 0; variant < 2; variant++) {
    c.has_no_within = variant;
    assert_all(run(t, &c) == RX_OK);
    rx_matrix *m = open_result("nan");
    assert_all(m != NULL);
    int *labels = read_labels(m->var);
    double *y = read_array(m, "varm/X_tsne", 12, 2), *x = read_array(m, "X", 8, 12);
    const rx_column *icc = rx_frame_find(m->var, "icc");
    assert_all(labels && y && x && icc);
    for (size_t j = 0; j < 12; j++) {
      assert_all((labels[j] < 0) == (j == 4));
      assert_all(isnan(y[2 * j]) == (j == 4));
      assert_all(isnan(icc->real[j]) == (j == 4));
    }
    assert_all(isnan(x[7 * 12 + 4]) && isfinite(x[6 * 12 + 4]));
    free(labels);
    free(y);
    free(x);
    rx_matrix_destroy(&m);
  }
  c = (cohort){
      .n_patients = 2, .n_slices_each = 2, .n_features = 2, .n_groups = 1, .nan_feature = 1};
  assert_all(run(t, &c) == RX_OK);
  free(t);
}

static void wrong_inputs_are_named(void **state) {
  cohort c = {.n_patients = 4, .n_slices_each = 2, .n_features = 6, .n_groups = 2};
  test_job *t = start_job("wrong");

  (void)state;
  c.has_other_features = true;
  assert_all(run(t, &c) == RX_ERR_INPUT);
  assert_all(strstr(rx_error_message(), "expected feature 6 to be 'f5'") != NULL);
  c.has_other_features = false;
  c.has_wrong_counts = true;
  assert_all(run(t, &c) == RX_ERR_INPUT);
  assert_all(strstr(rx_error_message(), "expected 3 slices of patient 'P0'") != NULL);
  snprintf(t->config.study_directory, RX_TEXT_SIZE, "absent");
  assert_all(rx_clustering_run(&t->job) == RX_ERR_NOINPUT);
  free(t);
}

static const struct CMUnitTest all_tests[] = {
    cmocka_unit_test(planted_groups_are_found),
    cmocka_unit_test(clinical_columns_and_those_of_slices_are_tested),
    cmocka_unit_test(the_scores_of_patients_are_means_of_those_of_slices),
    cmocka_unit_test(one_rank_gives_the_same),
    cmocka_unit_test(a_result_that_is_there_is_not_made_again),
    cmocka_unit_test(a_subset_of_patients_is_clustered_alone),
    cmocka_unit_test(few_patients_slices_and_features_end_in_a_file),
    cmocka_unit_test(a_feature_that_is_not_finite_is_left_out_and_missing_in_the_file),
    cmocka_unit_test(wrong_inputs_are_named),
};

MPI_TEST_MAIN(all_tests)
