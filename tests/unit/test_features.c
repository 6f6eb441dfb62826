/* Ranks of values, against counting. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "features/ranks.h"
#include "radmix/random.h"

static int compare(const void *a, const void *b) {
  float left = *(const float *)a, right = *(const float *)b;
  return left < right ? -1 : left > right;
}

/* kind 0: zeros and positive numbers as a ReLU gives; 1: any sign, many ties; 2: all equal */
static void fill(float *values, size_t n, int kind) {
  rx_random random = rx_random_at(3, 1002, (uint32_t)n, (uint32_t)kind);

  for (size_t i = 0; i < n; i++) {
    double u = rx_random_uniform(&random);
    values[i] = kind == 0   ? (float)fmax(0, u - 0.4)
                : kind == 1 ? (float)(rx_random_below(&random, 7)) - 3
                            : 1.5f;
    if (kind == 1 && values[i] == 0 && u < 0.5) values[i] = -0.0f;
  }
}

static void ranks_count_the_smaller_values(void **state) {
  static const size_t lengths[] = {1, 2, 5, 64, 1000};

  (void)state;
  for (int l = 0; l < 5; l++)
    for (int kind = 0; kind < 3; kind++) {
      size_t n = lengths[l];
      rx_ranking *ranking;
      float *values = malloc(n * sizeof *values), *sorted = malloc(n * sizeof *sorted);
      float *expected = malloc(n * sizeof *expected);
      uint32_t *ranks = malloc(n * sizeof *ranks);

      assert_int_equal(rx_ranking_create(n, &ranking), 0);
      fill(values, n, kind);
      memcpy(expected, values, n * sizeof *values);
      qsort(expected, n, sizeof *expected, compare);
      rx_ranking_rank(ranking, ranks, sorted, values);
      for (size_t i = 0; i < n; i++) {
        size_t n_smaller = 0;
        for (size_t k = 0; k < n; k++) n_smaller += values[k] < values[i];
        assert_int_equal(ranks[i], n_smaller);
        assert_true(sorted[i] == expected[i]);
      }
      /* in place */
      rx_ranking_rank(ranking, (uint32_t *)(void *)values, sorted, values);
      assert_memory_equal(values, ranks, n * sizeof *ranks);
      rx_ranking_destroy(&ranking);
      free(values);
      free(sorted);
      free(expected);
      free(ranks);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_count_the_smaller_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
