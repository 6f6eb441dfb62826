/* At the size of Liu & Hu 2023, 52,238 slices of 110 patients: 200 pairs against REML in long
 * double, by bisection, on sums made of the slices in another way. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "association/block.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/random.h"

enum { PATIENTS = 110, SLICES = 52238, FEATURES = 20, FACTORS = 10, SEED = 7 };

/* Slices of a patient: between 1 and 1,000 or so, all together SLICES. */
static void count_slices(size_t *n) {
  size_t left = SLICES;

  for (size_t i = 0; i < PATIENTS; i++) {
    size_t share = left / (PATIENTS - i);
    n[i] = i + 1 == PATIENTS ? left : 1 + (size_t)((double)(2 * share - 2) * (double)(i % 7) / 6);
    left -= n[i];
  }
}

/* Features of all kinds: little and much between patients, many zeros, a large offset, outliers. */
static void draw_feature(size_t feature, const size_t *n, double *value) {
  const double icc = pow((double)feature / FEATURES, 3);
  size_t at = 0;

  for (size_t i = 0; i < PATIENTS; i++) {
    rx_random random = rx_random_at(SEED, 400, (uint32_t)feature, (uint32_t)i);
    double between = sqrt(icc) * rx_random_normal(&random);
    for (size_t k = 0; k < n[i]; k++) {
      double y = between + sqrt(1 - icc) * rx_random_normal(&random);
      if (feature % 4 == 1) y = fmax(0, y);
      if (feature % 4 == 2) y = y * 0.01 + 1e3;
      if (feature % 4 == 3) y = y * y * y;
      value[at++] = y;
    }
  }
}

/* The sums of one feature, in long double. */
typedef struct {
  size_t n[PATIENTS];
  long double mean[PATIENTS], within;
} exact_sums;

static void sum_up(const double *value, exact_sums *s) {
  size_t at = 0;

  s->within = 0;
  for (size_t i = 0; i < PATIENTS; i++) {
    long double sum = 0;
    for (size_t k = 0; k < s->n[i]; k++) sum += value[at + k];
    s->mean[i] = sum / (long double)s->n[i];
    for (size_t k = 0; k < s->n[i]; k++)
      s->within += (value[at + k] - s->mean[i]) * (value[at + k] - s->mean[i]);
    at += s->n[i];
  }
}

typedef struct {
  long double beta, se, deviance, slope;
} exact_fit;

/* Generalised least squares on means at one lambda, the REML deviance and its slope. */
static exact_fit fit_at(const exact_sums *s, const double *g, long double lambda) {
  long double a = 0, b = 0, c = 0, u = 0, v = 0, da = 0, db = 0, dc = 0, logs = 0, trace = 0;
  exact_fit fit;

  for (size_t i = 0; i < PATIENTS; i++) {
    long double w = 1 / (lambda + 1 / (long double)s->n[i]);
    a += w, b += w * g[i], c += w * g[i] * g[i];
    da -= w * w, db -= w * w * g[i], dc -= w * w * g[i] * g[i];
    u += w * s->mean[i], v += w * g[i] * s->mean[i];
    logs -= logl(w), trace += w;
  }
  long double det = a * c - b * b, intercept = (u * c - v * b) / det, r = s->within, slope = 0;
  fit.beta = (a * v - b * u) / det;
  for (size_t i = 0; i < PATIENTS; i++) {
    long double w = 1 / (lambda + 1 / (long double)s->n[i]);
    long double rest = s->mean[i] - intercept - fit.beta * g[i];
    r += w * rest * rest;
    slope -= w * w * rest * rest;
  }
  fit.se = sqrtl(r / (SLICES - 2) * a / det);
  fit.deviance = (SLICES - 2) * logl(r) + logs + logl(det);
  fit.slope = (SLICES - 2) * slope / r + trace + (da * c + a * dc - 2 * b * db) / det;
  return fit;
}

/* The lowest of all minima, each by bisection. */
static long double find_lambda(const exact_sums *s, const double *g, exact_fit *best) {
  long double found = 0, low = 0;

  *best = fit_at(s, g, 0);
  for (int k = 1; k <= 160; k++) {
    long double high = powl(10, -8 + k * 0.1L), left = low, right = high;
    low = high;
    if (fit_at(s, g, left).slope >= 0 || fit_at(s, g, right).slope < 0) continue;
    for (int step = 0; step < 120; step++) {
      long double middle = (left + right) / 2;
      if (fit_at(s, g, middle).slope < 0)
        left = middle;
      else
        right = middle;
    }
    exact_fit here = fit_at(s, g, left);
    if (here.deviance < best->deviance) *best = here, found = left;
  }
  return found;
}

static void assert_close(double found, long double expected, double tolerance) {
  if (fabsl(found - expected) > tolerance * fabsl(expected))
    fail_msg("expected %.15Lg, found %.15g", expected, found);
}

static void two_hundred_pairs_equal_long_double_bisection_to_1e9(void **state) {
  double *value = NULL, rows[PATIENTS] = {0}, g[PATIENTS * FACTORS], one[PATIENTS];
  size_t place[PATIENTS], n[PATIENTS];
  const rx_fit_options options = {rx_isa_of_machine(), RX_DF_CONTAINMENT, false, 10};
  rx_measures m = {.n_patients = PATIENTS, .n_features = FEATURES, .rows = rows};
  rx_roster roster = {.measures = &m, .n_patients = PATIENTS, .measure = place, .rows = rows};
  exact_sums *sums = NULL;
  rx_cells *cells;
  rx_block *block;
  int n_boundary = 0;

  (void)state;
  count_slices(n);
  assert_int_equal(RX_NEW(&value, "test", SLICES), 0);
  assert_int_equal(RX_NEW(&sums, "test", FEATURES), 0);
  assert_int_equal(RX_NEW(&m.origin, "test", FEATURES), 0);
  assert_int_equal(RX_NEW(&m.mean, "test", PATIENTS * FEATURES), 0);
  assert_int_equal(RX_NEW(&m.within, "test", PATIENTS * FEATURES), 0);
  for (size_t i = 0; i < PATIENTS; i++) place[i] = i;
  for (size_t f = 0; f < FEATURES; f++) { /* one column at a time, as rows of one number */
    double mean[PATIENTS] = {0}, within[PATIENTS] = {0}, seen[PATIENTS] = {0};
    size_t at = 0;
    draw_feature(f, n, value);
    memcpy(sums[f].n, n, sizeof n);
    sum_up(value, &sums[f]);
    rx_measures_start(1, value, &m.origin[f]);
    for (size_t i = 0; i < PATIENTS; i++)
      for (size_t k = 0; k < n[i]; k++, at++)
        rx_measures_add(1, 1, &i, &value[at], &m.origin[f], seen, mean, within);
    for (size_t i = 0; i < PATIENTS; i++) {
      m.mean[i * FEATURES + f] = mean[i];
      m.within[i * FEATURES + f] = within[i];
      rows[i] = seen[i];
    }
  }
  for (size_t i = 0; i < PATIENTS * FACTORS; i++) {
    rx_random random = rx_random_at(SEED, 401, (uint32_t)i, 0);
    g[i] = rx_random_normal(&random);
  }
  assert_int_equal(rx_cells_create(FEATURES, FACTORS, &cells), 0);
  assert_int_equal(rx_block_create(&roster, &options, 0, FEATURES, &block), 0);
  assert_int_equal(rx_block_fit(block, g, FACTORS, cells), 0);
  for (size_t f = 0; f < FEATURES; f++)
    for (size_t j = 0; j < FACTORS; j++) {
      const size_t at = f * FACTORS + j;
      exact_fit expected;
      for (size_t i = 0; i < PATIENTS; i++) one[i] = g[i * FACTORS + j];
      long double lambda = find_lambda(&sums[f], one, &expected);
      n_boundary += lambda == 0;
      assert_int_equal(cells->fit[at], lambda == 0 ? RX_FIT_BOUNDARY : RX_FIT_OK);
      assert_close(cells->lambda[at], lambda, 1e-9);
      /* an estimate near 0 is a difference: to 1e-9 of its standard error */
      if (fabsl(cells->beta[at] - expected.beta) > 1e-9L * expected.se)
        assert_close(cells->beta[at], expected.beta, 1e-9);
      assert_close(cells->se[at], expected.se, 1e-9);
      double t = (double)(expected.beta / expected.se);
      double p = (M_LN2 + pt(-fabs(t), PATIENTS - 2, 1, 1)) / M_LN10;
      if (fabs(cells->log10_p[at] - p) > 1e-9) assert_close(cells->log10_p[at], p, 1e-9);
    }
  print_message("%d of %d on the boundary\n", n_boundary, FEATURES * FACTORS);
  rx_block_destroy(&block);
  rx_cells_destroy(&cells);
  free(m.within), free(m.mean), free(m.origin), free(sums), free(value);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_hundred_pairs_equal_long_double_bisection_to_1e9),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
