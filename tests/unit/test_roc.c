/* AUC, its intervals and tests: compared with pROC, and with counting pairs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prediction/calibration.h"
#include "prediction/curve.h"
#include "prediction/roc.h"
#include "radmix/random.h"
#include "radmix/table.h"

static void assert_near(double found, double expected, double tolerance) {
  if (!(fabs(found - expected) <= tolerance))
    fail_msg("expected %.17g, found %.17g", expected, found);
}

static rx_table *read_reference(const char *name) {
  const char *shared = getenv("RADMIX_SHARED");
  char path[4096];
  rx_table *table = NULL;

  snprintf(path, sizeof path, "%s/reference/prediction/lasso/%s", shared ? shared : "../shared",
           name);
  rx_status status = rx_table_read(path, &table);
  if (status == RX_ERR_NOINPUT) {
    print_message("skipped: there is no %s\n", path);
    skip();
  }
  assert_int_equal(status, RX_OK);
  return table;
}

static double number_at(const rx_table *table, size_t row, const char *column) {
  double number;
  size_t c;

  assert_int_equal(rx_table_need(table, column, &c), RX_OK);
  assert_int_equal(rx_table_number(table, row, c, &number), RX_OK);
  return number;
}

static double *column_of(const rx_table *table, const char *column) {
  double *out = calloc(table->n_rows, sizeof *out);

  for (size_t r = 0; r < table->n_rows; r++) out[r] = number_at(table, r, column);
  return out;
}

/* By definition. */
static double count_pairs(size_t n, const double *y, const double *score) {
  double pairs = 0, right = 0;

  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < n; k++) {
      if (y[i] < 0.5 || y[k] > 0.5) continue;
      pairs++;
      right += score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
    }
  return right / pairs;
}

/* The reference's own choice of lambda, by AUC. */
static size_t best_lambda(const rx_table *cv) {
  size_t best = 0;

  for (size_t l = 1; l < cv->n_rows; l++)
    if (number_at(cv, l, "cvm") > number_at(cv, best, "cvm")) best = l;
  return best;
}

static void delong_equals_proc(void **state) {
  rx_table *link = read_reference("cv_preval_link.tsv"), *data = read_reference("y.tsv");
  rx_table *cv = read_reference("cv_auc.tsv"), *expected = read_reference("delong.tsv");
  const char *best = rx_table_name(link, 1 + best_lambda(cv));
  double *y = column_of(data, "y"), *score = column_of(link, best), *other = column_of(link, "l05");
  size_t n = data->n_rows;
  rx_auc auc;
  rx_auc_test test;
  (void)state;

  assert_int_equal(rx_roc_delong(n, y, score, &auc), RX_OK);
  assert_near(auc.auc, number_at(expected, 0, "auc"), 1e-6);
  assert_near(auc.lower, number_at(expected, 0, "lo95"), 1e-6);
  assert_near(auc.upper, number_at(expected, 0, "hi95"), 1e-6);
  assert_near(auc.variance, number_at(expected, 0, "var"), 1e-9);
  assert_int_equal(rx_roc_compare(n, y, score, other, &test), RX_OK);
  assert_near(test.auc[0], number_at(expected, 2, "auc"), 1e-6);
  assert_near(test.auc[1], number_at(expected, 2, "lo95"), 1e-6);
  assert_near(test.z, number_at(expected, 2, "hi95"), 1e-6);
  assert_near(test.p, number_at(expected, 2, "var"), 1e-6);
  free(y);
  free(score);
  free(other);
  rx_table_destroy(&link);
  rx_table_destroy(&data);
  rx_table_destroy(&cv);
  rx_table_destroy(&expected);
}

static void delong_of_patient_means_equals_proc(void **state) {
  rx_table *link = read_reference("cv_preval_link.tsv"), *data = read_reference("y.tsv");
  rx_table *cv = read_reference("cv_auc.tsv"), *expected = read_reference("delong.tsv");
  double *score = column_of(link, rx_table_name(link, 1 + best_lambda(cv)));
  double *patient = column_of(data, "patient"), *y = column_of(data, "y");
  double *mean_y = calloc(data->n_rows + 1, sizeof *y), *mean = calloc(data->n_rows + 1, sizeof *y);
  double *rows = calloc(data->n_rows + 1, sizeof *y);
  size_t n = 0;
  rx_auc auc;
  (void)state;

  for (size_t r = 0; r < data->n_rows; r++) {
    size_t i = (size_t)patient[r] - 1;
    if (i + 1 > n) n = i + 1;
    mean_y[i] += y[r];
    mean[i] += score[r];
    rows[i]++;
  }
  for (size_t i = 0; i < n; i++) {
    mean_y[i] = mean_y[i] / rows[i] >= 0.5;
    mean[i] /= rows[i];
  }
  assert_int_equal(rx_roc_delong(n, mean_y, mean, &auc), RX_OK);
  assert_near(auc.auc, number_at(expected, 1, "auc"), 1e-6);
  assert_near(auc.lower, number_at(expected, 1, "lo95"), 1e-6);
  assert_near(auc.upper, number_at(expected, 1, "hi95"), 1e-6);
  free(score);
  free(patient);
  free(y);
  free(mean_y);
  free(mean);
  free(rows);
  rx_table_destroy(&link);
  rx_table_destroy(&data);
  rx_table_destroy(&cv);
  rx_table_destroy(&expected);
}

enum { MOST = 60 };

/* Scores with ties, of both classes. */
static size_t make_scores(uint64_t seed, double *y, double *score) {
  rx_random random = rx_random_at(seed, RX_RANDOM_SIMULATION, 0, 0);
  size_t n = 4 + rx_random_below(&random, MOST - 4);

  for (size_t i = 0; i < n; i++) {
    y[i] = i < 2 ? (double)i : rx_random_below(&random, 2);
    score[i] = rx_random_below(&random, 8) + y[i];
  }
  return n;
}

static void auc_is_the_share_of_pairs_in_the_right_order(void **state) {
  double y[MOST], score[MOST], auc;
  (void)state;

  for (uint64_t seed = 0; seed < 200; seed++) {
    size_t n = make_scores(seed, y, score);
    assert_int_equal(rx_roc_auc(n, y, score, &auc), RX_OK);
    assert_near(auc, count_pairs(n, y, score), 1e-12);
  }
}

static void the_area_under_the_points_is_the_auc(void **state) {
  double y[MOST], score[MOST], at[MOST + 1], x[MOST + 1], z[MOST + 1], auc;
  size_t n_points;
  (void)state;

  for (uint64_t seed = 0; seed < 50; seed++) {
    size_t n = make_scores(seed, y, score);
    double area = 0;
    assert_int_equal(rx_roc_points(n, y, score, at, x, z, &n_points), RX_OK);
    assert_true(x[0] == 0 && z[0] == 0 && x[n_points - 1] == 1 && z[n_points - 1] == 1);
    for (size_t k = 1; k < n_points; k++) area += (x[k] - x[k - 1]) * (z[k] + z[k - 1]) / 2;
    assert_int_equal(rx_roc_auc(n, y, score, &auc), RX_OK);
    assert_near(area, auc, 1e-12);
  }
}

static void perfect_scores_get_a_bound_and_not_a_point(void **state) {
  const double y[] = {0, 0, 0, 0, 0, 1, 1, 1}, score[] = {1, 2, 3, 4, 5, 6, 7, 8};
  rx_auc auc;
  (void)state;

  assert_int_equal(rx_roc_delong(8, y, score, &auc), RX_OK);
  assert_near(auc.auc, 1, 0);
  assert_near(pow(auc.lower, 3), 0.025, 1e-12); /* three pairs share no patient */
  assert_near(auc.upper, 1, 0);
}

static void one_class_gives_no_number(void **state) {
  const double y[] = {1, 1, 1}, score[] = {1, 2, 3};
  double auc, lower, upper;
  rx_auc all;
  rx_calibration calibration;
  (void)state;

  assert_int_equal(rx_roc_auc(3, y, score, &auc), RX_OK);
  assert_true(isnan(auc));
  assert_int_equal(rx_roc_delong(3, y, score, &all), RX_OK);
  assert_true(isnan(all.auc));
  assert_int_equal(rx_roc_bootstrap(3, y, score, 100, 1, &lower, &upper), RX_OK);
  assert_true(isnan(lower));
  assert_int_equal(rx_calibration_find(3, y, score, &calibration), RX_OK);
  assert_true(isnan(calibration.slope) && isnan(calibration.intercept));
  assert_int_equal(rx_roc_auc(0, y, score, &auc), RX_OK);
  assert_true(isnan(auc));
}

static void the_bootstrap_agrees_with_delong_and_with_itself(void **state) {
  double y[200], score[200], lower[2], upper[2];
  rx_random random = rx_random_at(3, RX_RANDOM_SIMULATION, 0, 0);
  rx_auc auc;
  (void)state;

  for (size_t i = 0; i < 200; i++) {
    y[i] = i % 3 == 0;
    score[i] = rx_random_normal(&random) + y[i];
  }
  assert_int_equal(rx_roc_delong(200, y, score, &auc), RX_OK);
  for (int k = 0; k < 2; k++)
    assert_int_equal(rx_roc_bootstrap(200, y, score, 2000, 5, &lower[k], &upper[k]), RX_OK);
  assert_true(lower[0] == lower[1] && upper[0] == upper[1]);
  assert_near(lower[0], auc.lower, 0.02);
  assert_near(upper[0], auc.upper, 0.02);
}

static void a_test_of_equal_scores_says_nothing(void **state) {
  double y[MOST], score[MOST];
  rx_auc_test test;
  (void)state;

  size_t n = make_scores(7, y, score);
  assert_int_equal(rx_roc_compare(n, y, score, score, &test), RX_OK);
  assert_true(test.z == 0 && test.p == 1);
}

static void calibration_satisfies_its_score_equations(void **state) {
  double y[500], score[500], sum = 0, sums[2] = {0, 0};
  rx_random random = rx_random_at(4, RX_RANDOM_SIMULATION, 0, 0);
  rx_calibration c;
  (void)state;

  for (size_t i = 0; i < 500; i++) {
    score[i] = 2 * rx_random_normal(&random);
    y[i] = rx_random_uniform(&random) < 1 / (1 + exp(-0.3 - 0.5 * score[i]));
  }
  assert_int_equal(rx_calibration_find(500, y, score, &c), RX_OK);
  for (size_t i = 0; i < 500; i++) sum += y[i] - 1 / (1 + exp(-c.intercept - score[i]));
  assert_near(sum, 0, 1e-8);
  assert_near(c.slope, 0.5, 0.2);
  /* The intercept that goes with the slope is found by bisection. */
  double low = -10, high = 10;
  for (int step = 0; step < 200; step++) {
    double a = (low + high) / 2;
    sums[0] = sums[1] = 0;
    for (size_t i = 0; i < 500; i++) {
      double e = y[i] - 1 / (1 + exp(-a - c.slope * score[i]));
      sums[0] += e;
      sums[1] += e * score[i];
    }
    if (sums[0] > 0)
      low = a;
    else
      high = a;
  }
  assert_near(sums[1], 0, 1e-6);
}

static void separated_scores_have_no_slope(void **state) {
  const double y[] = {0, 0, 1, 1}, score[] = {-2, -1, 1, 2};
  rx_calibration c;
  (void)state;

  assert_int_equal(rx_calibration_find(4, y, score, &c), RX_OK);
  assert_true(isnan(c.slope));
  assert_near(c.intercept, 0, 1e-9);
}

static void calls_are_counted(void **state) {
  const double y[] = {1, 1, 1, 0, 0}, score[] = {1, 1, -1, 1, -1};
  rx_calls calls = rx_calibration_calls(5, y, score);
  (void)state;

  assert_near(calls.f1, 2.0 * 2 / (2 * 2 + 1 + 1), 1e-12);
  assert_near(calls.f1_all_positive, 2.0 * 3 / (2 * 3 + 2), 1e-12);
  assert_near(calls.balanced_accuracy, (2.0 / 3 + 1.0 / 2) / 2, 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delong_equals_proc),
      cmocka_unit_test(delong_of_patient_means_equals_proc),
      cmocka_unit_test(auc_is_the_share_of_pairs_in_the_right_order),
      cmocka_unit_test(the_area_under_the_points_is_the_auc),
      cmocka_unit_test(perfect_scores_get_a_bound_and_not_a_point),
      cmocka_unit_test(one_class_gives_no_number),
      cmocka_unit_test(the_bootstrap_agrees_with_delong_and_with_itself),
      cmocka_unit_test(a_test_of_equal_scores_says_nothing),
      cmocka_unit_test(calibration_satisfies_its_score_equations),
      cmocka_unit_test(separated_scores_have_no_slope),
      cmocka_unit_test(calls_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
