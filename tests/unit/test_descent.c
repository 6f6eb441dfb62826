/* Lasso paths of few rows: the conditions that define them, and awkward data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prediction/descent.h"
#include "radmix/isa.h"
#include "radmix/random.h"

static void assert_near(double found, double expected, double tolerance, const char *what,
                        size_t at) {
  if (!(fabs(found - expected) <= tolerance))
    fail_msg("%s at %zu: expected %.17g, found %.17g", what, at, expected, found);
}

/* A problem of random numbers with awkward columns: constant, doubled, sparse, offset by 1e6. */
enum { ROWS = 60, FEATURES = 90 };

typedef struct {
  double x[ROWS * FEATURES], y[ROWS], weight[ROWS];
} problem;

static problem *make_problem(uint64_t seed, rx_family family) {
  problem *made = calloc(1, sizeof *made);
  rx_random random = rx_random_at(seed, RX_RANDOM_SIMULATION, 1, 2);

  for (size_t i = 0; i < ROWS; i++) {
    double *x = made->x + i * FEATURES;
    for (size_t j = 0; j < FEATURES; j++) x[j] = rx_random_normal(&random);
    x[3] = 4;
    x[4] = x[5];
    x[6] = i == 7 ? 1 : 0;
    x[7] = 1e6 + x[7];
    made->y[i] = x[0] - x[1] + x[7] - 1e6 + rx_random_normal(&random);
    if (family == RX_BINOMIAL) made->y[i] = made->y[i] > 0;
    made->weight[i] = i % 9 ? rx_random_uniform(&random) : 0;
  }
  return made;
}

static rx_lasso_rows rows_of(const problem *from) {
  return (rx_lasso_rows){ROWS, FEATURES, FEATURES, from->x, from->y, from->weight};
}

/* The conditions, worked out from the rows by the definitions in lasso.h. */
static double kkt_of(const problem *from, const rx_lasso *path, int step, rx_family family,
                     double alpha) {
  double eta[ROWS], v[ROWS], total = 0, y_mean = 0, y_scale = 0, worst = 0;

  rx_lasso_predict(eta, path, step, from->x, ROWS, FEATURES);
  for (size_t i = 0; i < ROWS; i++) total += from->weight[i];
  for (size_t i = 0; i < ROWS; i++) v[i] = from->weight[i] / total;
  for (size_t i = 0; i < ROWS; i++) y_mean += v[i] * from->y[i];
  for (size_t i = 0; i < ROWS; i++) y_scale += v[i] * pow(from->y[i] - y_mean, 2);
  y_scale = family == RX_GAUSSIAN ? sqrt(y_scale) : 1;
  for (size_t j = 0; j < FEATURES; j++) {
    double mean = 0, variance = 0, g = 0, b = 0;
    for (size_t i = 0; i < ROWS; i++) mean += v[i] * from->x[i * FEATURES + j];
    for (size_t i = 0; i < ROWS; i++) variance += v[i] * pow(from->x[i * FEATURES + j] - mean, 2);
    if (variance < 1e-20) continue;
    for (size_t k = path->first[step]; k < path->first[step + 1]; k++)
      if (path->feature[k] == (int)j) b = path->value[k] * sqrt(variance) / y_scale;
    for (size_t i = 0; i < ROWS; i++) {
      double mu = family == RX_BINOMIAL ? 1 / (1 + exp(-eta[i])) : eta[i];
      g += v[i] * (from->y[i] - mu) / y_scale * (from->x[i * FEATURES + j] - mean) / sqrt(variance);
    }
    double lambda = path->lambda[step] / y_scale, l1 = lambda * alpha, l2 = lambda * (1 - alpha);
    worst = fmax(worst, b != 0 ? fabs(g - copysign(l1, b) - l2 * b) : fabs(g) - l1);
  }
  return worst / (path->lambda_max / y_scale);
}

static void the_conditions_of_a_minimum_hold_at_each_lambda(void **state) {
  (void)state;
  for (int c = 0; c < 12; c++) {
    rx_family family = c % 2 ? RX_GAUSSIAN : RX_BINOMIAL;
    problem *made = make_problem((uint64_t)c, family);
    rx_lasso_rows rows = rows_of(made);
    rx_lasso_options options = rx_lasso_defaults(family);
    rx_lasso *path;
    options.alpha = c % 3 == 0 ? 1 : c % 3 == 1 ? 0.3 : 0;
    options.isa = c % 2 ? rx_isa_of_machine() : 2;
    assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
    assert_true(path->is_converged);
    assert_true(path->n_lambdas >= 5);
    for (int l = 0; l < path->n_lambdas; l++) {
      assert_near(kkt_of(made, path, l, family, options.alpha), 0, 1.1e-6, "KKT", (size_t)l);
      assert_true(path->kkt[l] <= 1e-6);
    }
    if (options.alpha > 0.001) assert_int_equal(rx_lasso_nonzeros(path, 0), 0);
    rx_lasso_destroy(&path);
    free(made);
  }
}

static void wide_instruction_sets_give_the_same_bits(void **state) {
  problem *made = make_problem(5, RX_BINOMIAL);
  rx_lasso_rows rows = rows_of(made);
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  rx_lasso *v3, *v4;
  (void)state;

  if (rx_isa_of_machine() < 4) skip();
  options.isa = 3;
  assert_int_equal(rx_descent_fit(&rows, &options, &v3), RX_OK);
  options.isa = 4;
  assert_int_equal(rx_descent_fit(&rows, &options, &v4), RX_OK);
  assert_int_equal(v3->n_lambdas, v4->n_lambdas);
  size_t n = v3->first[v3->n_lambdas];
  assert_int_equal(n, v4->first[v4->n_lambdas]);
  assert_memory_equal(v3->value, v4->value, n * sizeof *v3->value);
  rx_lasso_destroy(&v3);
  rx_lasso_destroy(&v4);
  free(made);
}

static void scale_and_offset_of_a_feature_do_not_matter(void **state) {
  problem *made = make_problem(6, RX_BINOMIAL);
  rx_lasso_rows rows = rows_of(made);
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  rx_lasso *before, *after;
  double eta[2][ROWS];
  (void)state;

  options.tolerance = 1e-10;
  assert_int_equal(rx_descent_fit(&rows, &options, &before), RX_OK);
  int l = before->n_lambdas / 2;
  rx_lasso_predict(eta[0], before, l, made->x, ROWS, FEATURES);
  for (size_t i = 0; i < ROWS; i++) made->x[i * FEATURES] = 1000 * made->x[i * FEATURES] + 1e6;
  assert_int_equal(rx_descent_fit(&rows, &options, &after), RX_OK);
  rx_lasso_predict(eta[1], after, l, made->x, ROWS, FEATURES);
  for (size_t i = 0; i < ROWS; i++) assert_near(eta[1][i], eta[0][i], 1e-6, "row", i);
  rx_lasso_destroy(&before);
  rx_lasso_destroy(&after);
  free(made);
}

static void what_cannot_be_predicted_gives_the_mean(void **state) {
  problem *made = make_problem(7, RX_BINOMIAL);
  rx_lasso_rows rows = rows_of(made);
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  rx_lasso *path;
  (void)state;

  for (size_t i = 0; i < ROWS; i++) made->y[i] = 1;
  assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
  assert_true(path->lambda_max == 0 && path->n_lambdas == 1 && isfinite(path->intercept[0]));
  rx_lasso_destroy(&path);
  for (size_t i = 0; i < ROWS; i++) made->y[i] = i % 2;
  for (size_t i = 0; i < ROWS * FEATURES; i++) made->x[i] = 3;
  assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
  assert_true(path->lambda_max == 0 && rx_lasso_nonzeros(path, 0) == 0);
  rx_lasso_destroy(&path);
  free(made);
}

static void separable_outcomes_end_the_path_early(void **state) {
  problem *made = make_problem(8, RX_BINOMIAL);
  rx_lasso_rows rows = rows_of(made);
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  rx_lasso *path;
  (void)state;

  for (size_t i = 0; i < ROWS; i++) made->y[i] = made->x[i * FEATURES] > 0;
  options.lambda_ratio = 1e-6;
  assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
  assert_true(path->is_converged);
  assert_true(path->n_lambdas < 100);
  for (int l = 0; l < path->n_lambdas; l++) assert_true(isfinite(path->intercept[l]));
  rx_lasso_destroy(&path);
  free(made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_conditions_of_a_minimum_hold_at_each_lambda),
      cmocka_unit_test(wide_instruction_sets_give_the_same_bits),
      cmocka_unit_test(scale_and_offset_of_a_feature_do_not_matter),
      cmocka_unit_test(what_cannot_be_predicted_gives_the_mean),
      cmocka_unit_test(separable_outcomes_end_the_path_early),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
