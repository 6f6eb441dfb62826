/* Gram matrices of float and double rows, weighted, centred and scaled, against their definition.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "radmix/gram.h"
#include "radmix/random.h"

enum { MOST_ROWS = 900, MOST_COLUMNS = 70 };

static double values[MOST_ROWS * MOST_COLUMNS], weights[MOST_ROWS];
static float singles[MOST_ROWS * MOST_COLUMNS];
static double centre[MOST_COLUMNS], scale[MOST_COLUMNS];

static void fill(double offset) {
  rx_random random = rx_random_at(7, RX_RANDOM_SIMULATION, 0, 0);

  for (size_t i = 0; i < MOST_ROWS * MOST_COLUMNS; i++) {
    singles[i] = (float)(rx_random_normal(&random) + offset);
    values[i] = (double)singles[i];
  }
  for (size_t i = 0; i < MOST_ROWS; i++) weights[i] = i % 7 ? rx_random_uniform(&random) : 0;
  for (size_t j = 0; j < MOST_COLUMNS; j++) {
    centre[j] = offset + rx_random_normal(&random);
    scale[j] = j % 9 ? 1 + rx_random_uniform(&random) : 0;
  }
}

static rx_rows take(rx_type type, size_t n_rows, size_t n_columns, int weighted) {
  return (rx_rows){type, type == RX_FLOAT32 ? (const void *)singles : values, n_rows, n_columns,
                   weighted ? weights : NULL};
}

/* One element by its definition, in long double. */
static double expect(const rx_rows *rows, size_t a, size_t b, const double *c, const double *s) {
  long double sum = 0;

  for (size_t i = 0; i < rows->n_rows; i++) {
    long double xa = (long double)values[i * rows->n_columns + a] - (c ? c[a] : 0);
    long double xb = (long double)values[i * rows->n_columns + b] - (c ? c[b] : 0);
    sum += (rows->weights ? rows->weights[i] : 1) * xa * xb * (s ? s[a] * s[b] : 1);
  }
  return (double)sum;
}

static void check(const rx_rows *rows, const double *c, const double *s, size_t piece) {
  rx_gram *gram;
  size_t n = rows->n_columns;

  assert_int_equal(rx_gram_create(n, &gram), RX_OK);
  for (size_t row = 0; row < rows->n_rows; row += piece) {
    rx_rows part = *rows;
    size_t size = rows->type == RX_FLOAT32 ? sizeof(float) : sizeof(double);
    part.values = (const char *)rows->values + row * n * size;
    part.n_rows = rows->n_rows - row < piece ? rows->n_rows - row : piece;
    if (part.weights) part.weights += row;
    rx_gram_add(gram, &part, c, s);
  }
  rx_gram_finish(gram);
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++) {
      double tolerance = 1e-12 * (double)rows->n_rows * (c ? 1 : 10); /* of unit-size products */
      assert_true(fabs(gram->values[a * n + b] - expect(rows, a, b, c, s)) <= tolerance);
      assert_true(gram->values[a * n + b] == gram->values[b * n + a]);
    }
  rx_gram_destroy(&gram);
  assert_null(gram);
}

static void a_gram_matrix_is_its_definition_for_any_shape(void **state) {
  static const size_t shapes[][2] = {{1, 1},   {1, 5},   {3, 70},  {70, 3},
                                     {767, 5}, {768, 5}, {900, 65}};
  (void)state;

  fill(0);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int variant = 0; variant < 4; variant++) {
      rx_rows rows =
          take(variant & 1 ? RX_FLOAT32 : RX_FLOAT64, shapes[i][0], shapes[i][1], variant & 2);
      check(&rows, NULL, NULL, 900);
      check(&rows, centre, NULL, 100);
      check(&rows, centre, scale, 13);
    }
}

static void an_offset_of_a_million_does_no_harm(void **state) {
  (void)state;
  fill(1048576);
  rx_rows rows = take(RX_FLOAT32, 500, 20, 0);
  check(&rows, centre, scale, 500);
}

static void more_rows_may_follow_a_finish(void **state) {
  rx_gram *gram;
  (void)state;

  fill(0);
  rx_rows rows = take(RX_FLOAT64, 10, 4, 0), both = take(RX_FLOAT64, 20, 4, 0);
  assert_int_equal(rx_gram_create(4, &gram), RX_OK);
  rx_gram_add(gram, &rows, NULL, NULL);
  rx_gram_finish(gram);
  rows.values = values + 40;
  rx_gram_add(gram, &rows, NULL, NULL);
  rx_gram_finish(gram);
  for (size_t a = 0; a < 4; a++)
    for (size_t b = 0; b < 4; b++)
      assert_true(fabs(gram->values[a * 4 + b] - expect(&both, a, b, NULL, NULL)) < 1e-12);
  rx_gram_destroy(&gram);
}

static void sums_and_squares_are_those_of_the_standardised_rows(void **state) {
  static double z[40 * 6];
  double sums[6], squares[6];
  (void)state;

  fill(3);
  for (int variant = 0; variant < 4; variant++) {
    rx_rows rows = take(variant & 1 ? RX_FLOAT32 : RX_FLOAT64, 40, 6, variant & 2);
    for (int j = 0; j < 6; j++) sums[j] = squares[j] = 0;
    rx_gram_sums(&rows, sums);
    rx_gram_squares(&rows, centre, squares);
    rx_gram_standardise(&rows, centre, NULL, z);
    for (size_t j = 0; j < 6; j++) {
      double sum = 0, square = 0;
      for (size_t i = 0; i < 40; i++) {
        sum += (rows.weights ? weights[i] : 1) * values[i * 6 + j];
        square += z[i * 6 + j] * z[i * 6 + j];
      }
      assert_true(fabs(sums[j] - sum) < 1e-11);
      assert_true(fabs(squares[j] - square) < 1e-11);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_gram_matrix_is_its_definition_for_any_shape),
      cmocka_unit_test(an_offset_of_a_million_does_no_harm),
      cmocka_unit_test(more_rows_may_follow_a_finish),
      cmocka_unit_test(sums_and_squares_are_those_of_the_standardised_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
