/* Slices become 64 x 64: compared with scipy, and with what must hold for any image. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "golden/resample_scipy.h"
#include "images/resample.h"

enum { MOST_IN = 300, MOST_OUT = 128 };

static double input[MOST_IN * MOST_IN];
static float output[MOST_OUT * MOST_OUT];

/* The formula of tests/golden/resample_scipy.py. */
static double formula(int r, int c) {
  return (double)((7 * r * r + 13 * c + 5 * r * c) % 101) / 100;
}

static double constant(int r, int c) {
  (void)r, (void)c;
  return 0.75;
}

static double ramp(int r, int c) {
  return 0.001 * r + 0.002 * c;
}

static void resample(rx_resample_method method, int rows, int columns, int size,
                     double (*pixel)(int, int)) {
  rx_resampler *resampler;

  assert_int_equal(rx_resample_create(method, rows, columns, size, &resampler), RX_OK);
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++) input[r * columns + c] = pixel(r, c);
  rx_resample_run(resampler, output, input);
  rx_resample_destroy(&resampler);
  assert_null(resampler);
}

static void assert_near(double found, double expected, double tolerance) {
  if (fabs(found - expected) > tolerance) fail_msg("expected %.9g, found %.9g", expected, found);
}

static void cubic_equals_scipy_zoom(void **state) {
  (void)state;
  for (size_t n = 0; n < sizeof scipy_cases / sizeof *scipy_cases; n++) {
    const scipy_case *expected = &scipy_cases[n];
    resample(RX_RESAMPLE_CUBIC, expected->rows, expected->columns, expected->size, formula);
    for (int i = 0; i < expected->size * expected->size; i++)
      assert_near((double)output[i], expected->pixels[i], 2e-7); /* the output is float */
  }
}

static void cubic_of_the_same_size_is_the_image_itself(void **state) {
  (void)state;
  resample(RX_RESAMPLE_CUBIC, 64, 64, 64, formula);
  for (int i = 0; i < 64 * 64; i++) assert_near((double)output[i], formula(i / 64, i % 64), 1e-7);
}

static void cubic_keeps_the_corner_pixels(void **state) {
  (void)state;
  const int sizes[][2] = {{2, 2}, {3, 5}, {128, 128}, {256, 100}};
  for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
    resample(RX_RESAMPLE_CUBIC, sizes[n][0], sizes[n][1], 64, formula);
    assert_near((double)output[0], formula(0, 0), 1e-7);
    assert_near((double)output[64 * 64 - 1], formula(sizes[n][0] - 1, sizes[n][1] - 1), 1e-7);
  }
}

static void a_constant_image_stays_constant(void **state) {
  (void)state;
  for (int rows = 2; rows < MOST_IN; rows += 7)
    for (int method = RX_RESAMPLE_AREA; method <= RX_RESAMPLE_CUBIC; method++) {
      resample((rx_resample_method)method, rows, MOST_IN + 1 - rows, 64, constant);
      for (int i = 0; i < 64 * 64; i++) assert_near((double)output[i], 0.75, 1e-7);
    }
}

/* A sum of areas is a sum of areas, whatever the ratio. */
static void area_keeps_the_mean(void **state) {
  (void)state;
  const int sizes[][3] = {{2, 3, 64}, {63, 65, 64}, {128, 128, 64}, {100, 299, 31}, {7, 300, 128}};
  for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
    int rows = sizes[n][0], columns = sizes[n][1], size = sizes[n][2];
    double before = 0, after = 0;
    resample(RX_RESAMPLE_AREA, rows, columns, size, formula);
    for (int i = 0; i < rows * columns; i++) before += formula(i / columns, i % columns);
    for (int i = 0; i < size * size; i++) after += (double)output[i];
    assert_near(after / (size * size), before / (rows * columns), 1e-7);
  }
}

static void area_by_a_whole_ratio_is_the_mean_of_a_block(void **state) {
  (void)state;
  resample(RX_RESAMPLE_AREA, 128, 192, 64, formula);
  for (int r = 0; r < 64; r++)
    for (int c = 0; c < 64; c++) {
      double sum = 0;
      for (int i = 0; i < 6; i++) sum += formula(2 * r + i / 3, 3 * c + i % 3);
      assert_near((double)output[r * 64 + c], sum / 6, 1e-7);
    }
}

/* Against the definition: the integral of a piecewise constant function. */
static void area_of_any_ratio_is_the_integral_over_a_pixel(void **state) {
  (void)state;
  resample(RX_RESAMPLE_AREA, 10, 7, 4, formula);
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 4; c++) {
      double sum = 0;
      for (int i = 0; i < 10; i++)
        for (int j = 0; j < 7; j++) {
          double height = fmin(i + 1, (r + 1) * 2.5) - fmax(i, r * 2.5);
          double width = fmin(j + 1, (c + 1) * 1.75) - fmax(j, c * 1.75);
          if (height > 0 && width > 0) sum += height * width * formula(i, j);
        }
      assert_near((double)output[r * 4 + c], sum / (2.5 * 1.75), 1e-7);
    }
}

static void a_ramp_stays_a_ramp(void **state) {
  (void)state;
  resample(RX_RESAMPLE_AREA, 128, 256, 64, ramp);
  for (int i = 0; i < 64 * 64; i++)
    assert_near((double)output[i], 0.001 * (2 * (i / 64) + 0.5) + 0.002 * (4 * (i % 64) + 1.5),
                1e-7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cubic_equals_scipy_zoom),
      cmocka_unit_test(cubic_of_the_same_size_is_the_image_itself),
      cmocka_unit_test(cubic_keeps_the_corner_pixels),
      cmocka_unit_test(a_constant_image_stays_constant),
      cmocka_unit_test(area_keeps_the_mean),
      cmocka_unit_test(area_by_a_whole_ratio_is_the_mean_of_a_block),
      cmocka_unit_test(area_of_any_ratio_is_the_integral_over_a_pixel),
      cmocka_unit_test(a_ramp_stays_a_ramp),
  };
  return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
