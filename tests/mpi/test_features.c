/* radmix encode on all ranks: the same bits at any number of ranks, and what is counted by brute
 * force. */
#include "autoencoder_for_test.h"

static rx_job begin(rx_config *config, rx_log *log) {
  rx_job job = job_for_test(config, log);

  log->is_speaker = false;
  make_folder(config);
  set(config, "autoencoder", "epochs", "1");
  set(config, "autoencoder", "batch", "4");
  set(config, "features", "keep_raw", "yes");
  write_images(&job, NULL);
  return job;
}

static bool run_alone(const rx_job *job) {
  rx_job alone = job_alone(job);

  return job->rank || (!rx_autoencoder_run(&alone) && !rx_features_run(&alone));
}

static void features_have_the_same_bits_at_any_number_of_ranks(void **state) {
  static const char *const names[][2] = {
      {"features.h5ad", "X"},
      {"features.h5ad", "layers/raw"},
      {"features.h5ad", "uns/quantile_reference"},
      {"features.h5ad", "uns/density/before"},
      {"features.h5ad", "uns/density/after"},
      {"features.h5ad", "uns/examples/reconstruction"},
      {"features.h5ad", "var/fraction_zero"},
      {"patients.h5ad", "X"},
      {"patients.h5ad", "layers/within_ss"},
      {"patients.h5ad", "obs/n_images"},
  };
  rx_config all, one;
  rx_log log;

  (void)state;
  rx_job job = begin(&all, &log);
  assert_all(!rx_autoencoder_run(&job));
  assert_all(!rx_features_run(&job));
  rx_job other = begin(&one, &log);
  assert_all(run_alone(&other));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bool same = job.rank || has_same_bits(&all, &one, names[i][0], names[i][1]);
    if (!same) fprintf(stderr, "%s: %s differs\n", names[i][0], names[i][1]);
    assert_all(same);
  }
  remove_folder(&all);
  remove_folder(&one);
}

static int compare(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

/* Quantile normalisation as its definition has it, from the raw values; rank 0. */
static bool is_normalised_as_defined(const rx_config *config) {
  size_t n, n_features = 0, n_reference;
  double *raw = read_array(config, "features.h5ad", "layers/raw", &n);
  double *x = read_array(config, "features.h5ad", "X", &n);
  double *reference = read_array(config, "features.h5ad", "uns/quantile_reference", &n_reference);
  bool good = true;

  n_features = n / N_SLICES;
  double *sorted = malloc(n * sizeof *sorted);
  memcpy(sorted, raw, n * sizeof *sorted);
  for (size_t s = 0; s < N_SLICES; s++)
    qsort(sorted + s * n_features, n_features, sizeof *sorted, compare);
  for (size_t r = 0; r < n_features; r++) {
    double mean = 0;
    for (size_t s = 0; s < N_SLICES; s++) mean += sorted[s * n_features + r] / N_SLICES;
    good = good && fabs(mean - reference[r]) < 1e-12 * (1 + mean);
  }
  for (size_t s = 0; s < N_SLICES; s++)
    for (size_t f = 0; f < n_features; f++) {
      size_t rank = 0;
      for (size_t k = 0; k < n_features; k++)
        rank += raw[s * n_features + k] < raw[s * n_features + f];
      good = good && x[s * n_features + f] == (double)(float)reference[rank];
    }
  free(raw);
  free(x);
  free(reference);
  free(sorted);
  return good && n_features > 0 && n_reference == n_features;
}

/* Means, sums of squares and counts of the patients, and shares of zeros; rank 0. */
static bool is_summarised_as_defined(const rx_config *config) {
  size_t n, n_features, n_patients;
  double *x = read_array(config, "features.h5ad", "X", &n);
  double *raw = read_array(config, "features.h5ad", "layers/raw", &n);
  double *mean = read_array(config, "patients.h5ad", "X", &n_patients);
  double *within = read_array(config, "patients.h5ad", "layers/within_ss", &n_patients);
  double *n_images = read_array(config, "patients.h5ad", "obs/n_images", &n_patients);
  double *zero = read_array(config, "features.h5ad", "var/fraction_zero", &n_features);
  bool good = n_patients == N_PATIENTS;

  for (size_t f = 0; f < n_features; f++) {
    double n_zero = 0;
    for (int p = 0; p < N_PATIENTS; p++) {
      double sum = 0, square = 0;
      for (int row = 0; row < N_SLICES; row++)
        if (patient_of(row) == p) sum += x[(size_t)row * n_features + f] / slices_of[p];
      for (int row = 0; row < N_SLICES; row++)
        if (patient_of(row) == p) square += pow(x[(size_t)row * n_features + f] - sum, 2);
      size_t at = (size_t)p * n_features + f;
      good = good && fabs(mean[at] - sum) < 1e-12 && fabs(within[at] - square) < 1e-12;
      good = good && n_images[p] == slices_of[p];
    }
    for (int row = 0; row < N_SLICES; row++) n_zero += raw[(size_t)row * n_features + f] == 0;
    good = good && zero[f] == n_zero / N_SLICES;
  }
  free(x);
  free(raw);
  free(mean);
  free(within);
  free(n_images);
  free(zero);
  return good;
}

static void features_are_as_defined(void **state) {
  rx_config config;
  rx_log log;

  (void)state;
  rx_job job = begin(&config, &log);
  assert_all(!rx_autoencoder_run(&job));
  assert_all(!rx_features_run(&job));
  assert_all(job.rank || is_normalised_as_defined(&config));
  assert_all(job.rank || is_summarised_as_defined(&config));

  /* A second cohort on the scale of the first: the same slices get the same values. */
  rx_config second;
  rx_job other = begin(&second, &log);
  assert_all(!rx_autoencoder_run(&other));
  snprintf(second.features_reference, RX_TEXT_SIZE, "%.900s/features.h5ad", config.study_directory);
  assert_all(!rx_features_run(&other));
  assert_all(job.rank || has_same_bits(&config, &second, "features.h5ad", "X"));
  remove_folder(&config);
  remove_folder(&second);
}

static void without_normalisation_the_values_are_those_of_the_encoder(void **state) {
  rx_config config;
  rx_log log;
  size_t n = 0, n_raw = 0;

  (void)state;
  rx_job job = begin(&config, &log);
  set(&config, "features", "normalise", "none");
  assert_all(!rx_autoencoder_run(&job));
  assert_all(!rx_features_run(&job));
  double *x = read_array(&config, "features.h5ad", "X", &n);
  double *raw = read_array(&config, "features.h5ad", "layers/raw", &n_raw);
  assert_all(n == n_raw && !memcmp(x, raw, n * sizeof *x));
  free(x);
  free(raw);
  remove_folder(&config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(features_have_the_same_bits_at_any_number_of_ranks),
    cmocka_unit_test(features_are_as_defined),
    cmocka_unit_test(without_normalisation_the_values_are_those_of_the_encoder),
};

MPI_TEST_MAIN(tests)
