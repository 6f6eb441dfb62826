/* Shares of variance between patients, intraclass correlations, effective numbers of features. */
#include <math.h>
#include <stdlib.h>

#include "clustering/between.h"
#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/random.h"

enum { PATIENTS = 12, EACH = 7, FEATURES = 10 };

/* Mean squares of one feature, balanced. */
typedef struct {
  double between, within;
} mean_squares;

static double slices[PATIENTS][EACH], means[PATIENTS * FEATURES], within[PATIENTS * FEATURES];
static double rows[PATIENTS];

/* Makes one feature with a share of its variance between patients. */
static mean_squares make_feature(size_t feature, double share) {
  rx_random random = rx_random_at(4, RX_RANDOM_SIMULATION, (uint32_t)feature, 0);
  double grand = 0, between = 0, inside = 0;

  for (size_t p = 0; p < PATIENTS; p++) {
    double of_patient = sqrt(share) * rx_random_normal(&random), mean = 0, square = 0;
    for (size_t s = 0; s < EACH; s++) {
      slices[p][s] = 1e3 + of_patient + sqrt(1 - share) * rx_random_normal(&random);
      mean += slices[p][s] / EACH;
    }
    for (size_t s = 0; s < EACH; s++) square += (slices[p][s] - mean) * (slices[p][s] - mean);
    means[p * FEATURES + feature] = mean;
    within[p * FEATURES + feature] = square;
    rows[p] = EACH;
    grand += mean / PATIENTS;
    inside += square;
  }
  for (size_t p = 0; p < PATIENTS; p++) {
    double d = means[p * FEATURES + feature] - grand;
    between += EACH * d * d;
  }
  return (mean_squares){between / (PATIENTS - 1), inside / (PATIENTS * (EACH - 1))};
}

/* REML of balanced data is the analysis of variance, cut at 0: lambda = (F - 1) / EACH. */
static void icc_of_balanced_data_is_that_of_the_analysis_of_variance(void **state) {
  rx_config config;
  rx_log log;
  rx_job job = job_for_test(&config, &log);
  double expected[FEATURES], squares[FEATURES], icc[FEATURES];

  (void)state;
  for (size_t j = 0; j < FEATURES; j++) {
    mean_squares ms = make_feature(j, (double)j / FEATURES);
    double lambda = fmax(0, (ms.between / ms.within - 1) / EACH);
    expected[j] = lambda / (1 + lambda);
    squares[j] = ms.between * (PATIENTS - 1);
  }
  assert_all(rx_between_icc(&job, rows, means, within, PATIENTS, FEATURES, icc) == RX_OK);
  for (size_t j = 0; j < FEATURES; j++) assert_all(fabs(icc[j] - expected[j]) < 1e-9);
  double between[FEATURES];
  rx_between_squares(rows, means, PATIENTS, FEATURES, between);
  for (size_t j = 0; j < FEATURES; j++) assert_all(fabs(between[j] / squares[j] - 1) < 1e-9);
}

static void icc_at_the_edges_is_one_or_missing(void **state) {
  rx_config config;
  rx_log log;
  rx_job job = job_for_test(&config, &log);
  const double n[] = {3, 4, 5}, one[] = {1, 1, 1};
  const double x[] = {1, 5, 5, 2, 5, 5, 3, 5, 5}; /* [3][3] */
  const double inside[] = {0, 0, 1, 0, 0, 2, 0, 0, 1}, none[9] = {0};
  double icc[3];

  (void)state;
  assert_all(rx_between_icc(&job, n, x, inside, 3, 3, icc) == RX_OK);
  assert_all(icc[0] == 1);   /* nothing varies within patients */
  assert_all(isnan(icc[1])); /* constant */
  assert_all(icc[2] == 0);   /* means that are equal */
  assert_all(rx_between_icc(&job, one, x, none, 3, 3, icc) == RX_OK);
  assert_all(isnan(icc[0])); /* one slice each: cannot be told apart */
  assert_all(rx_between_icc(&job, n, x, inside, 1, 3, icc) == RX_OK);
  assert_all(isnan(icc[0]) && isnan(icc[2]));
}

static void k_equal_eigenvalues_are_k_features(void **state) {
  const double equal[] = {2, 2, 2, 0, 0, -1e-15}, one[] = {6, 0, 0};
  rx_effective e = rx_between_effective(equal, 6);

  (void)state;
  assert_all(fabs(e.participation - 3) < 1e-12 && fabs(e.galwey - 3) < 1e-12);
  e = rx_between_effective(one, 3);
  assert_all(e.participation == 1 && fabs(e.galwey - 1) < 1e-12);
  assert_all(isnan(rx_between_effective(one, 0).galwey));
}

static const struct CMUnitTest all_tests[] = {
    cmocka_unit_test(icc_of_balanced_data_is_that_of_the_analysis_of_variance),
    cmocka_unit_test(icc_at_the_edges_is_one_or_missing),
    cmocka_unit_test(k_equal_eigenvalues_are_k_features),
};

MPI_TEST_MAIN(all_tests)
