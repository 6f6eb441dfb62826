/* Covariates that vary within patients: against lme4, lmerTest, pbkrtest and nlme, and identities.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "association/block.h"
#include "golden/association_images.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { M = GOLDEN_PATIENTS, N = GOLDEN_ROWS, FEATURES = 3, FACTORS = 3 };

/* A run without files. */
typedef struct {
  rx_measures measures;
  rx_roster roster;
  rx_covariate age;
  double rows[M], mean[M * FEATURES], within[M * FEATURES], origin[FEATURES], age_of[M];
  size_t place[M];
  rx_fit_options options;
  rx_cells *cells;
} run;

/* The columns of the slices: numbers for z and twice (z once more), age, and two texts. */
static rx_frame *frame_slices(void) {
  const char *const numbers[] = {"z", "twice", "age"};
  rx_frame *frame;
  rx_column *column;

  assert_int_equal(rx_frame_create(N, &frame), 0);
  for (int k = 0; k < 3; k++) {
    assert_int_equal(rx_frame_add(frame, numbers[k], RX_REAL, &column), 0);
    for (size_t r = 0; r < N; r++)
      column->real[r] = k == 0   ? golden_z[r]
                        : k == 1 ? 2 * golden_z[r] + 1
                                 : golden_age[golden_patient[r]];
  }
  for (int k = 0; k < 2; k++) {
    assert_int_equal(rx_frame_add(frame, k ? "site" : "sequence", RX_TEXT, &column), 0);
    for (size_t r = 0; r < N; r++) {
      const char *text = k ? golden_site[golden_patient[r]] : golden_sequence[r];
      assert_int_equal(rx_frame_set_text(frame, column, r, text), 0);
    }
  }
  return frame;
}

/* Sums up the slices. y [N][FEATURES] */
static void start(run *t, const double *y, const char *image_covariates, int has_age) {
  rx_list names;

  memset(t, 0, sizeof *t);
  t->measures = (rx_measures){.n_patients = M,
                              .n_features = FEATURES,
                              .rows = t->rows,
                              .origin = t->origin,
                              .mean = t->mean,
                              .within = t->within};
  t->roster = (rx_roster){.measures = &t->measures,
                          .n_patients = M,
                          .measure = t->place,
                          .rows = t->rows,
                          .n_covariates = has_age,
                          .covariates = &t->age};
  t->age.number = t->age_of;
  memcpy(t->age_of, golden_age, sizeof t->age_of);
  for (size_t i = 0; i < M; i++) t->place[i] = i;
  assert_int_equal(rx_list_create(image_covariates, ',', &names), 0);
  if (names.n) {
    rx_frame *slices = frame_slices();
    assert_int_equal(rx_image_covariates_create(slices, &names, "test", golden_patient, M, FEATURES,
                                                &t->measures.image),
                     0);
    rx_frame_destroy(&slices);
  }
  for (size_t r = 0; r < N; r++) {
    double after[FEATURES];
    const size_t p = golden_patient[r];
    rx_image_covariates *image = t->measures.image;
    rx_measures_add(1, FEATURES, &p, y + r * FEATURES, t->origin, t->rows, t->mean, t->within);
    for (size_t f = 0; f < FEATURES; f++)
      after[f] = y[r * FEATURES + f] - t->mean[p * FEATURES + f];
    if (image)
      rx_image_covariates_add(image->n_columns, image->deviation + r * (size_t)image->n_columns,
                              FEATURES, after,
                              image->cross + p * (size_t)image->n_columns * FEATURES);
  }
  rx_list_destroy(&names);
}

static void fit(run *t, rx_df df, bool is_ratio) {
  rx_block *block;

  rx_cells_destroy(&t->cells);
  t->options = (rx_fit_options){rx_isa_of_machine(), df, is_ratio, 1};
  assert_int_equal(rx_cells_create(FEATURES, FACTORS, &t->cells), 0);
  assert_int_equal(rx_block_create(&t->roster, &t->options, 0, FEATURES, &block), 0);
  assert_int_equal(rx_block_fit(block, golden_g, FACTORS, t->cells), 0);
  rx_block_destroy(&block);
}

static void end(run *t) {
  rx_cells_destroy(&t->cells);
  rx_image_covariates_destroy(&t->measures.image);
}

static void assert_close(double found, double expected, double tolerance) {
  if (fabs(found - expected) > tolerance * fabs(expected))
    fail_msg("expected %.12g, found %.12g", expected, found);
}

/* lme4's own lambda is good to 1e-6 or so, and all that depends on it. */
static void covariates_of_images_are_those_of_lme4_lmertest_pbkrtest_and_nlme(void **state) {
  run t;

  (void)state;
  start(&t, golden_y, "z,sequence,site", 1);
  for (int method = 0; method < 4; method++) {
    fit(&t, method == 3 ? RX_DF_CONTAINMENT : (rx_df)method, method == 3);
    for (int f = 0; f < FEATURES; f++)
      for (int g = 0; g < FACTORS; g++) {
        const double *expected = golden_fit[f][g];
        const int at = f * FACTORS + g;
        assert_int_equal(t.cells->fit[at], RX_FIT_OK);
        assert_close(t.cells->log10_p_means[at], expected[8], 1e-6);
        if (method == 3) {
          assert_close(pow(t.cells->t[at], 2), expected[7], 1e-6);
          continue;
        }
        assert_close(t.cells->beta[at], expected[0], 1e-6);
        assert_close(t.cells->lambda[at], expected[2], 1e-5);
        assert_close(t.cells->se[at], expected[method == RX_DF_KENWARD_ROGER ? 5 : 1], 1e-5);
        assert_close(t.cells->df[at], expected[method == 0 ? 3 : method == 1 ? 4 : 6], 1e-4);
      }
  }
  end(&t);
}

/* beta, se, t, df, lambda, p of two runs. */
static void compare(const run *a, const run *b, double tolerance) {
  for (int at = 0; at < FEATURES * FACTORS; at++) {
    assert_int_equal(a->cells->fit[at], b->cells->fit[at]);
    assert_close(b->cells->beta[at], a->cells->beta[at], tolerance);
    assert_close(b->cells->se[at], a->cells->se[at], tolerance);
    assert_close(b->cells->df[at], a->cells->df[at], tolerance);
    assert_close(b->cells->lambda[at], a->cells->lambda[at], 100 * tolerance);
    assert_close(b->cells->log10_p[at], a->cells->log10_p[at], tolerance);
    assert_close(b->cells->log10_p_means[at], a->cells->log10_p_means[at], 1e-6);
  }
}

static void a_covariate_of_patients_is_the_same_whoever_names_it(void **state) {
  run a, b;

  (void)state;
  for (int others = 0; others < 2; others++) {
    start(&a, golden_y, others ? "z,sequence" : "", 1);
    start(&b, golden_y, others ? "z,age,sequence" : "age", 0);
    fit(&a, RX_DF_KENWARD_ROGER, false);
    fit(&b, RX_DF_KENWARD_ROGER, false);
    compare(&a, &b, 1e-11);
    end(&a), end(&b);
  }
}

static void a_sum_of_covariates_added_to_a_feature_changes_no_fit(void **state) {
  double *moved = NULL;
  run a, b;

  (void)state;
  assert_int_equal(RX_NEW(&moved, "test", N * FEATURES), 0);
  for (size_t r = 0; r < N; r++)
    for (size_t f = 0; f < FEATURES; f++)
      moved[r * FEATURES + f] = golden_y[r * FEATURES + f] + 3 * golden_z[r] - 0.1 -
                                2 * (*golden_sequence[r] == 'B') +
                                0.3 * golden_age[golden_patient[r]];
  start(&a, golden_y, "z,age,sequence", 0);
  start(&b, moved, "z,age,sequence", 0);
  for (int method = 0; method < 2; method++) {
    fit(&a, RX_DF_SATTERTHWAITE, method);
    fit(&b, RX_DF_SATTERTHWAITE, method);
    if (method == 0) compare(&a, &b, 1e-9);
    for (int at = 0; at < FEATURES * FACTORS; at++)
      assert_close(b.cells->t[at], a.cells->t[at], 1e-7);
  }
  end(&a), end(&b);
  free(moved);
}

/* Feature 0 is a covariate, 1 is the same within patients, 2 that plus a covariate. */
static void features_without_variance_within_are_regressed_on_means(void **state) {
  double *y = NULL;
  run a, plain;

  (void)state;
  assert_int_equal(RX_NEW(&y, "test", N * FEATURES), 0);
  for (size_t r = 0; r < N; r++) {
    double mean = golden_age[(golden_patient[r] * 7 + 3) % M];
    y[r * FEATURES] = 3 * golden_z[r] + 5;
    y[r * FEATURES + 1] = mean;
    y[r * FEATURES + 2] = mean - 2 * golden_z[r];
  }
  start(&a, y, "z", 0);
  start(&plain, y, "", 0);
  fit(&a, RX_DF_CONTAINMENT, false);
  fit(&plain, RX_DF_CONTAINMENT, false);
  for (int g = 0; g < FACTORS; g++) {
    assert_int_equal(a.cells->fit[g], RX_FIT_CONSTANT_FEATURE);
    for (int f = 1; f < 3; f++) {
      const int at = f * FACTORS + g;
      assert_int_equal(a.cells->fit[at], RX_FIT_ZERO_WITHIN);
      assert_close(a.cells->log10_p[at], plain.cells->log10_p[FACTORS + g], 1e-9);
      assert_true(isinf(a.cells->lambda[at]));
    }
  }
  end(&a), end(&plain);
  free(y);
}

static void collinear_covariates_leave_nothing_to_test(void **state) {
  run t;

  (void)state;
  start(&t, golden_y, "z,twice", 0);
  fit(&t, RX_DF_CONTAINMENT, false);
  for (int at = 0; at < FEATURES * FACTORS; at++)
    assert_int_equal(t.cells->fit[at], RX_FIT_RANK_DEFICIENT);
  end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(covariates_of_images_are_those_of_lme4_lmertest_pbkrtest_and_nlme),
      cmocka_unit_test(a_covariate_of_patients_is_the_same_whoever_names_it),
      cmocka_unit_test(a_sum_of_covariates_added_to_a_feature_changes_no_fit),
      cmocka_unit_test(features_without_variance_within_are_regressed_on_means),
      cmocka_unit_test(collinear_covariates_leave_nothing_to_test),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
