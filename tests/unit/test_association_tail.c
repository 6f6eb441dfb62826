/* The p values of t: against R's nmath, against closed forms, in far tails, on each instruction
 * set. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "association/tail.h"
#include "radmix/isa.h"

static const double dfs[] = {0.3,      1,  1.7, 2,  3.25, 5,     8.5, 14,
                             27.94574, 28, 60,  88, 108,  471.3, 1e4, 52236};
static const double ts[] = {0,  1e-9, 1e-3, 0.1, 0.5, 1,  1.5, 2,   3,   4.5, 6,    8,    12,
                            20, 33,   37.5, 38,  50,  90, 200, 1e3, 1e5, 1e9, 1e20, 1e60, 1e160};
enum { N_DFS = sizeof dfs / sizeof *dfs, N_TS = sizeof ts / sizeof *ts };

/* Relative above 1; below, a p near 1 has no more digits than 1 - p in double precision. */
static double error_of(double found, double expected) {
  return fabs(found - expected) / fmax(fabs(expected), 1e-3);
}

static double nmath_log10_p(double t, double df) {
  return (M_LN2 + pt(-fabs(t), df, 1, 1)) / M_LN10;
}

static void one_df_agrees_with_nmath_to_1e12(void **state) {
  double found[N_TS];
  rx_tail tail;

  (void)state;
  for (int d = 0; d < N_DFS; d++) {
    rx_tail_prepare(dfs[d], &tail);
    rx_tail_log10_p(rx_isa_of_machine(), &tail, N_TS, ts, found);
    for (int i = 0; i < N_TS; i++) {
      double expected = nmath_log10_p(ts[i], dfs[d]);
      if (error_of(found[i], expected) > 1e-12)
        fail_msg("t %g, df %g: found %.17g, nmath %.17g", ts[i], dfs[d], found[i], expected);
    }
  }
}

static void a_df_for_each_t_agrees_with_nmath_to_1e12(void **state) {
  double found[N_TS], df[N_TS];
  static rx_tail_table table;

  (void)state;
  rx_tail_tabulate(&table);
  for (int d = 0; d < N_DFS; d++) {
    for (int i = 0; i < N_TS; i++) df[i] = dfs[d];
    rx_tail_log10_p_each(rx_isa_of_machine(), &table, N_TS, ts, df, found);
    for (int i = 0; i < N_TS; i++) {
      double expected = nmath_log10_p(ts[i], dfs[d]);
      if (error_of(found[i], expected) > 1e-12)
        fail_msg("t %g, df %g: found %.17g, nmath %.17g", ts[i], dfs[d], found[i], expected);
    }
  }
}

static void the_normal_distribution_is_df_infinity(void **state) {
  double found[N_TS], each[N_TS], df[N_TS];
  static rx_tail_table table;
  rx_tail tail;

  (void)state;
  rx_tail_tabulate(&table);
  rx_tail_prepare(INFINITY, &tail);
  for (int i = 0; i < N_TS; i++) df[i] = INFINITY;
  rx_tail_log10_p(rx_isa_of_machine(), &tail, N_TS, ts, found);
  rx_tail_log10_p_each(rx_isa_of_machine(), &table, N_TS, ts, df, each);
  for (int i = 0; i < N_TS && ts[i] < 1e8; i++) {
    double expected = (M_LN2 + pnorm(-ts[i], 0, 1, 1, 1)) / M_LN10;
    assert_true(error_of(found[i], expected) < 1e-12);
    assert_true(error_of(each[i], expected) < 1e-12);
  }
}

/* df 1: p = 1 - (2/pi) atan t; df 2: p = 1 - t / sqrt(2 + t^2); both without cancellation. */
static void closed_forms_hold_for_one_and_two_df(void **state) {
  double found[N_TS];
  rx_tail tail;

  (void)state;
  rx_tail_prepare(1, &tail);
  rx_tail_log10_p(rx_isa_of_machine(), &tail, N_TS, ts, found);
  for (int i = 1; i < N_TS; i++) {
    double expected = log10(2 / M_PI * atan(1 / ts[i]));
    if (error_of(found[i], expected) > 2e-13)
      fail_msg("t %g, df 1: found %.17g, closed form %.17g", ts[i], found[i], expected);
  }
  rx_tail_prepare(2, &tail);
  rx_tail_log10_p(rx_isa_of_machine(), &tail, N_TS, ts, found);
  for (int i = 0; i < N_TS && ts[i] < 1e150; i++) {
    double root = sqrt(2 + ts[i] * ts[i]), expected = log10(2 / (root * (root + ts[i])));
    if (error_of(found[i], expected) > 2e-13)
      fail_msg("t %g, df 2: found %.17g, closed form %.17g", ts[i], found[i], expected);
  }
}

static void zero_gives_exactly_one_and_nan_stays(void **state) {
  double t[3] = {0, -0.0, NAN}, found[3];
  rx_tail tail;

  (void)state;
  for (int d = 0; d < N_DFS; d++) {
    rx_tail_prepare(dfs[d], &tail);
    rx_tail_log10_p(rx_isa_of_machine(), &tail, 3, t, found);
    assert_true(found[0] <= 0 && found[0] > -1e-15);
    assert_true(found[1] == found[0]);
    assert_true(isnan(found[2]));
  }
}

static void p_falls_as_t_grows(void **state) {
  enum { N = 4000 };
  static double t[N], found[N];
  rx_tail tail;

  (void)state;
  for (int d = 1; d < N_DFS; d++) {
    rx_tail_prepare(dfs[d], &tail);
    for (int i = 0; i < N; i++) t[i] = 0.02 * i;
    rx_tail_log10_p(rx_isa_of_machine(), &tail, N, t, found);
    for (int i = 1; i < N; i++) assert_true(found[i] < found[i - 1]);
  }
}

static void avx2_and_avx512_give_the_same_bits(void **state) {
  enum { N = 1001 };
  static double t[N], df[N], three[N], four[N];
  static rx_tail_table table;
  rx_tail tail;

  (void)state;
  if (rx_isa_of_machine() < 4) skip();
  for (int i = 0; i < N; i++) t[i] = (i % 3 - 1) * exp(0.02 * i - 8), df[i] = 1 + 0.37 * i;
  rx_tail_prepare(28, &tail);
  rx_tail_log10_p(3, &tail, N, t, three);
  rx_tail_log10_p(4, &tail, N, t, four);
  assert_memory_equal(three, four, sizeof three);
  rx_tail_tabulate(&table);
  rx_tail_log10_p_each(3, &table, N, t, df, three);
  rx_tail_log10_p_each(4, &table, N, t, df, four);
  assert_memory_equal(three, four, sizeof three);
  rx_tail_log10_p_each(2, &table, N, t, df, three);
  for (int i = 0; i < N; i++) assert_true(error_of(three[i], four[i]) < 1e-13);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_df_agrees_with_nmath_to_1e12),
      cmocka_unit_test(a_df_for_each_t_agrees_with_nmath_to_1e12),
      cmocka_unit_test(the_normal_distribution_is_df_infinity),
      cmocka_unit_test(closed_forms_hold_for_one_and_two_df),
      cmocka_unit_test(zero_gives_exactly_one_and_nan_stays),
      cmocka_unit_test(p_falls_as_t_grows),
      cmocka_unit_test(avx2_and_avx512_give_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
