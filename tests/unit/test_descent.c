/* Lasso paths of few rows: compared with glmnet, and with the conditions that define them. */
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
#include "radmix/table.h"

/* Numbers of a table without its first column: [n_rows][n_columns]. */
typedef struct {
  size_t n_rows, n_columns;
  double *values;
} numbers;

static numbers read_numbers(const char *name) {
  const char *shared = getenv("RADMIX_SHARED");
  char path[4096];
  rx_table *table = NULL;
  numbers out = {0, 0, NULL};

  snprintf(path, sizeof path, "%s/reference/prediction/lasso/%s", shared ? shared : "../shared",
           name);
  rx_status status = rx_table_read(path, &table);
  if (status == RX_ERR_NOINPUT) {
    print_message("skipped: there is no %s\n", path);
    skip();
  }
  assert_int_equal(status, RX_OK);
  out.n_rows = table->n_rows;
  out.n_columns = table->n_columns - 1;
  out.values = calloc(out.n_rows * out.n_columns, sizeof *out.values);
  for (size_t r = 0; r < out.n_rows; r++)
    for (size_t c = 0; c < out.n_columns; c++)
      assert_int_equal(rx_table_number(table, r, c + 1, &out.values[r * out.n_columns + c]), RX_OK);
  rx_table_destroy(&table);
  return out;
}

static double *take_column(const numbers *from, size_t column) {
  double *out = calloc(from->n_rows, sizeof *out);

  for (size_t r = 0; r < from->n_rows; r++) out[r] = from->values[r * from->n_columns + column];
  return out;
}

static void assert_near(double found, double expected, double tolerance, const char *what,
                        size_t at) {
  if (!(fabs(found - expected) <= tolerance))
    fail_msg("%s at %zu: expected %.17g, found %.17g", what, at, expected, found);
}

/* The columns of y.tsv. */
enum { PATIENT, OUTCOME, FOLD, GAUSS, WEIGHT };

typedef struct {
  const char *file;
  rx_family family;
  double alpha;
  bool is_standardising, is_weighted;
} reference_case;

static const reference_case cases[] = {
    {"binomial_path.tsv", RX_BINOMIAL, 1, true, false},
    {"gaussian_path.tsv", RX_GAUSSIAN, 1, true, false},
    {"binomial_weighted_path.tsv", RX_BINOMIAL, 1, true, true},
    {"binomial_nostd_path.tsv", RX_BINOMIAL, 1, false, false},
    {"binomial_enet05_path.tsv", RX_BINOMIAL, 0.5, true, false},
};

/* The largest difference of the linear predictors of two models, and the largest of one of them. */
static void compare_rows(const numbers *x, const double *beta, double intercept, const double *e,
                         size_t stride, size_t l) {
  double worst = 0, largest = 1;

  for (size_t i = 0; i < x->n_rows; i++) {
    double found = intercept, expected = e[3 * stride];
    for (size_t j = 0; j < x->n_columns; j++) {
      found += beta[j] * x->values[i * x->n_columns + j];
      expected += e[(4 + j) * stride] * x->values[i * x->n_columns + j];
    }
    worst = fmax(worst, fabs(found - expected));
    largest = fmax(largest, fabs(expected));
  }
  assert_near(worst / largest, 0, 1e-5, "linear predictor", l);
}

/* glmnet at thresh 1e-14 leaves its own KKT conditions open by 1e-7 lambda_max (radmix here:
 * 1e-11). Where many features are selected that moves coefficients by up to 1e-5 (solving the
 * active set of the reference exactly gives radmix's numbers) and linear predictors by 2e-6; what
 * is flat at the minimum, the deviance, agrees at 1e-6. */
static void compare_path(const numbers *x, const rx_lasso *path, const numbers *expected) {
  size_t n = expected->n_columns, p = expected->n_rows - 4;
  double *beta = calloc(p, sizeof *beta);

  assert_int_equal(path->n_lambdas, n);
  for (size_t l = 0; l < n; l++) {
    const double *e = expected->values + l;
    double largest = 0;
    memset(beta, 0, p * sizeof *beta);
    for (size_t k = path->first[l]; k < path->first[l + 1]; k++)
      beta[path->feature[k]] = path->value[k];
    for (size_t j = 0; j < p; j++) largest = fmax(largest, fabs(e[(4 + j) * n]));
    assert_near(path->lambda[l], e[0], 1e-12 * e[0], "lambda", l);
    compare_rows(x, beta, path->intercept[l], e, n, l);
    assert_near(path->deviance_ratio[l], e[2 * n], 1e-6, "deviance ratio", l);
    /* Two equal columns share a coefficient in any way: they are compared as a sum. */
    for (size_t j = 0; j < p; j++) {
      bool is_pair = j + 1 < p && x->values[j] == x->values[j + 1];
      double one = is_pair ? e[(4 + j) * n] + e[(5 + j) * n] : e[(4 + j) * n];
      double mine = is_pair ? beta[j] + beta[j + 1] : beta[j];
      assert_near(mine, one, (path->deviance_ratio[l] < 0.3 ? 2e-6 : 3e-5) * largest, "coefficient",
                  l * 1000 + j);
      j += is_pair;
    }
  }
  free(beta);
}

static void each_path_equals_glmnet(void **state) {
  numbers x = read_numbers("X.tsv"), y = read_numbers("y.tsv");
  double *ones = calloc(x.n_rows, sizeof *ones), *weight = take_column(&y, WEIGHT);
  (void)state;

  for (size_t i = 0; i < x.n_rows; i++) ones[i] = 1;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    numbers expected = read_numbers(cases[c].file);
    double *outcome = take_column(&y, cases[c].family == RX_BINOMIAL ? OUTCOME : GAUSS);
    rx_lasso_options options = rx_lasso_defaults(cases[c].family);
    rx_lasso_rows rows = {x.n_rows, x.n_columns, x.n_columns,
                          x.values, outcome,     cases[c].is_weighted ? weight : ones};
    rx_lasso *path;
    options.alpha = cases[c].alpha;
    options.is_standardising = cases[c].is_standardising;
    options.n_lambdas = (int)expected.n_columns;
    options.lambda_ratio = expected.values[expected.n_columns - 1] / expected.values[0];
    options.tolerance = 1e-11;
    options.isa = rx_isa_of_machine();
    assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
    assert_true(path->is_converged);
    compare_path(&x, path, &expected);
    rx_lasso_destroy(&path);
    free(outcome);
    free(expected.values);
  }
  free(ones);
  free(weight);
  free(x.values);
  free(y.values);
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
      cmocka_unit_test(each_path_equals_glmnet),
      cmocka_unit_test(the_conditions_of_a_minimum_hold_at_each_lambda),
      cmocka_unit_test(wide_instruction_sets_give_the_same_bits),
      cmocka_unit_test(scale_and_offset_of_a_feature_do_not_matter),
      cmocka_unit_test(what_cannot_be_predicted_gives_the_mean),
      cmocka_unit_test(separable_outcomes_end_the_path_early),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
