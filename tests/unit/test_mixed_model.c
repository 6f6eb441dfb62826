/* One mixed model from its rows, as a program that uses the library fits it: against nlme, and
 * against ordinary regression of means, which it is when all groups are of one size. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "golden/mixed_model_nlme.h"
#include "radmix/association.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* nlme stops when its objective stands still to 1e-12, which is half as many digits of lambda. */
static const double tolerance_nlme = 1e-5, tolerance_identity = 1e-10;

static void assert_close(double found, double expected, double tolerance) {
  if (!(fabs(found - expected) <= tolerance * fabs(expected)))
    fail_msg("found %.12g, expected %.12g", found, expected);
}

static void compare(const rx_mixed_model *found, const double *expected) {
  assert_int_equal(found->status, RX_FIT_OK);
  assert_close(found->beta, expected[0], tolerance_nlme);
  assert_close(found->se, expected[1], tolerance_nlme);
  assert_close(found->t, expected[2], tolerance_nlme);
  assert_true(found->df == expected[3]);
  assert_close(pow(10, found->log10_p), expected[4], 10 * tolerance_nlme);
  assert_close(found->variance_ratio, expected[5], 1e-3);
}

static void a_fit_is_that_of_nlme(void **state) {
  rx_mixed_model found;

  (void)state;
  assert_int_equal(rx_mixed_model_fit(LENGTH(uneven_value), uneven_value, uneven_predictor,
                                      uneven_group, 10, &found),
                   RX_OK);
  compare(&found, uneven_expected);
  assert_int_equal(rx_mixed_model_fit(LENGTH(balanced_value), balanced_value, balanced_predictor,
                                      balanced_group, 8, &found),
                   RX_OK);
  compare(&found, balanced_expected);
}

static void groups_of_one_size_are_regression_of_means(void **state) {
  enum { GROUPS = 8 };
  double mean[GROUPS] = {0}, x[GROUPS] = {0};
  size_t n = LENGTH(balanced_value);
  rx_mixed_model model, means;
  int group[GROUPS];

  (void)state;
  for (size_t i = 0; i < n; i++) {
    mean[balanced_group[i]] += balanced_value[i] * GROUPS / (double)n;
    x[balanced_group[i]] = balanced_predictor[i];
  }
  for (int g = 0; g < GROUPS; g++) group[g] = g;
  assert_int_equal(
      rx_mixed_model_fit(n, balanced_value, balanced_predictor, balanced_group, GROUPS, &model), 0);
  assert_int_equal(rx_mixed_model_fit(GROUPS, mean, x, group, GROUPS, &means), 0);
  assert_int_equal(means.status, RX_FIT_ONE_ROW);
  assert_close(model.beta, means.beta, tolerance_identity);
  assert_close(model.se, means.se, tolerance_identity);
  assert_close(model.log10_p, means.log10_p, tolerance_identity);
}

static void what_cannot_be_fitted_says_so(void **state) {
  const double value[] = {1, 2, 3, 4, 5, 6}, same[] = {2, 2, 2, 2, 2, 2};
  const double predictor[] = {1, 1, 2, 2, 4, 4}, bad[] = {1, 1, 2, 2, 4, NAN};
  const double far[] = {1e6, 1e6, 1e6 + 1, 1e6 + 1, 1e6 + 3, 1e6 + 3};
  const int group[] = {0, 0, 1, 1, 3, 3}, two[] = {0, 0, 0, 0, 1, 1};
  rx_mixed_model m;

  (void)state;
  assert_int_equal(rx_mixed_model_fit(6, same, predictor, group, 4, &m), RX_OK);
  assert_int_equal(m.status, RX_FIT_CONSTANT_FEATURE);
  assert_true(isnan(m.t) && isnan(m.log10_p));
  assert_int_equal(rx_mixed_model_fit(6, value, same, group, 4, &m), RX_OK);
  assert_int_equal(m.status, RX_FIT_RANK_DEFICIENT);
  assert_int_equal(rx_mixed_model_fit(6, bad, predictor, group, 4, &m), RX_OK);
  assert_int_equal(m.status, RX_FIT_NONFINITE);
  assert_int_equal(rx_mixed_model_fit(6, value, same, two, 2, &m), RX_OK);
  assert_int_equal(m.status, RX_FIT_TOO_FEW_PATIENTS);
  assert_int_equal(rx_mixed_model_fit(6, far, predictor, group, 4, &m), RX_OK);
  assert_int_equal(m.status, RX_FIT_ZERO_WITHIN);
  assert_close(m.beta, 1, tolerance_identity);
  assert_int_equal(rx_mixed_model_fit(6, value, predictor, group, 3, &m), RX_ERR_INPUT);
  assert_int_equal(rx_mixed_model_fit(6, value, value, group, 4, &m), RX_ERR_INPUT);
  assert_int_equal(rx_mixed_model_fit(0, value, value, group, 4, &m), RX_OK);
  assert_int_equal(m.status, RX_FIT_CONSTANT_FEATURE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fit_is_that_of_nlme),
      cmocka_unit_test(groups_of_one_size_are_regression_of_means),
      cmocka_unit_test(what_cannot_be_fitted_says_so),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
