#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radmix/partition.h"
#include "radmix/random.h"
#include "radmix/text.h"

static void a_list_has_its_parts_without_blanks(void **state) {
  rx_list list;

  (void)state;
  assert_int_equal(rx_list_create(" a, b c ,,d,", ',', &list), 0);
  assert_int_equal(list.n, 3);
  assert_string_equal(list.items[0], "a");
  assert_string_equal(list.items[1], "b c");
  assert_string_equal(list.items[2], "d");
  rx_list_destroy(&list);
}

static void only_whole_numbers_are_read(void **state) {
  double x;

  (void)state;
  assert_true(rx_number_read("-1.5e3", &x) && x == -1500);
  assert_false(rx_number_read("1.5x", &x));
  assert_false(rx_number_read("", &x));
  assert_false(rx_number_read("0x10", &x));
  assert_false(rx_number_read("NA", &x));
  assert_false(rx_number_read("nan", &x));
  assert_false(rx_number_read(" 1", &x));
}

static void barcodes_match_by_their_patient(void **state) {
  char key[RX_KEY_SIZE];

  (void)state;
  rx_patient_key("TCGA-AO-A03M-01A-11R", key);
  assert_string_equal(key, "TCGA-AO-A03M");
  rx_patient_key("TCGA-AO-A03MX", key);
  assert_string_equal(key, "TCGA-AO-A03MX");
  rx_patient_key("patient-000000012", key);
  assert_string_equal(key, "patient-000000012");
}

static void paths_are_joined_and_taken_apart(void **state) {
  char path[64];

  (void)state;
  assert_int_equal(rx_path_join("a/b", "c", path, sizeof path), 0);
  assert_string_equal(path, "a/b/c");
  assert_int_equal(rx_path_join("a", "/c", path, sizeof path), 0);
  assert_string_equal(path, "/c");
  assert_int_equal(rx_path_folder("a/b/c.txt", path, sizeof path), 0);
  assert_string_equal(path, "a/b");
  assert_int_equal(rx_path_folder("/c", path, sizeof path), 0);
  assert_string_equal(path, "/");
  assert_int_not_equal(rx_path_join("a/b", "c", path, 5), 0);
}

static void names_are_found_after_the_table_has_grown(void **state) {
  rx_names *names = NULL;
  char name[32];
  ptrdiff_t before;

  (void)state;
  assert_int_equal(rx_names_create(&names), 0);
  for (int i = 0; i < 5000; i++) {
    snprintf(name, sizeof name, "gene%d", i);
    assert_int_equal(rx_names_add(names, name, i, &before), 0);
    assert_int_equal(before, -1);
  }
  assert_int_equal(rx_names_add(names, "gene17", 9999, &before), 0);
  assert_int_equal(before, 17);
  assert_int_equal(rx_names_find(names, "gene4999"), 4999);
  assert_int_equal(rx_names_find(names, "gene5000"), -1);
  rx_names_destroy(&names);
}

static void runs_cover_everything_once(void **state) {
  const size_t weights[] = {0, 100, 1, 1, 1, 50, 0, 7, 7, 7, 7};
  const size_t n = sizeof weights / sizeof *weights;
  size_t first, count;

  (void)state;
  for (int ranks = 1; ranks < 20; ranks++) {
    size_t next = 0, next_weighted = 0;
    for (int r = 0; r < ranks; r++) {
      rx_partition(10, r, ranks, &first, &count);
      assert_int_equal(first, next);
      assert_true(count <= 10 / (size_t)ranks + 1);
      next = first + count;
      rx_partition_weighted(weights, n, r, ranks, &first, &count);
      assert_int_equal(first, next_weighted);
      next_weighted = first + count;
    }
    assert_int_equal(next, 10);
    assert_int_equal(next_weighted, n);
  }
}

/* Known answers of Random123's kat_vectors for philox4x32-10. */
static void philox_gives_its_known_answers(void **state) {
  const uint32_t zero[4] = {0}, ones[4] = {~0u, ~0u, ~0u, ~0u};
  const uint32_t expected[2][4] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                   {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}};
  uint32_t out[4];

  (void)state;
  rx_random_block(zero, zero, out);
  assert_memory_equal(out, expected[0], sizeof out);
  rx_random_block(ones, ones, out);
  assert_memory_equal(out, expected[1], sizeof out);
}

/* 200,000 draws: the mean of a uniform lies within 5 standard errors, as do the moments of a
 * normal. */
static void random_numbers_have_their_moments(void **state) {
  enum { N = 200000 };
  rx_random random = rx_random_at(7, RX_RANDOM_SIMULATION, 1, 2);
  double mean = 0, square = 0, uniform = 0;
  int counts[6] = {0};

  (void)state;
  for (int i = 0; i < N; i++) {
    double x = rx_random_normal(&random);
    mean += x / N;
    square += x * x / N;
    uniform += rx_random_uniform(&random) / N;
    counts[rx_random_below(&random, 6)]++;
  }
  assert_true(mean > -0.0112 && mean < 0.0112);      /* 5 / sqrt(N) */
  assert_true(square > 0.9842 && square < 1.0158);   /* 5 sqrt(2 / N) */
  assert_true(uniform > 0.4968 && uniform < 0.5032); /* 5 / sqrt(12 N) */
  for (int k = 0; k < 6; k++) assert_true(counts[k] > 32500 && counts[k] < 34167); /* 5 sd = 833 */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_has_its_parts_without_blanks),
      cmocka_unit_test(only_whole_numbers_are_read),
      cmocka_unit_test(barcodes_match_by_their_patient),
      cmocka_unit_test(paths_are_joined_and_taken_apart),
      cmocka_unit_test(names_are_found_after_the_table_has_grown),
      cmocka_unit_test(runs_cover_everything_once),
      cmocka_unit_test(philox_gives_its_known_answers),
      cmocka_unit_test(random_numbers_have_their_moments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
