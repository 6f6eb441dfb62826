/* The parts of a permutation: who goes where, and what is kept of a column. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "association/adjust.h"
#include "association/null_column.h"
#include "association/shuffle.h"
#include "radmix/isa.h"
#include "radmix/random.h"

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void selection_is_what_sorting_gives(void **state) {
  double value[60], sorted[60];
  rx_random random = rx_random_at(1, 500, 0, 0);

  (void)state;
  for (int trial = 0; trial < 500; trial++) {
    size_t n = 1 + rx_random_below(&random, 60);
    for (size_t i = 0; i < n; i++)
      value[i] = sorted[i] =
          trial % 2 ? rx_random_uniform(&random) : (double)rx_random_below(&random, 4);
    qsort(sorted, n, sizeof *sorted, compare);
    size_t rank = rx_random_below(&random, (uint32_t)n);
    assert_true(rx_null_column_select(n, value, rank) == sorted[rank]);
  }
}

static void hits_of_a_column_are_those_of_the_adjustment(void **state) {
  enum { N = 300 };
  double t[N], kept[N], log10_p[N], log10_q[N];
  rx_random random = rx_random_at(2, 500, 0, 0);
  rx_adjust_room *room;
  rx_tail tail;
  int isa = rx_isa_of_machine();
  int64_t most = 0;

  (void)state;
  assert_int_equal(rx_adjust_room_create(N, &room), 0);
  rx_tail_prepare(40, &tail);
  for (int trial = 0; trial < 200; trial++) {
    double largest = 0;
    int64_t n_hits = 0;
    for (int i = 0; i < N; i++) {
      t[i] = fabs(rx_random_normal(&random)) * (i < trial / 2 ? 2.5 : 1);
      kept[i] = t[i];
      largest = fmax(largest, t[i]);
    }
    rx_tail_log10_p(isa, &tail, N, t, log10_p);
    rx_adjust_family(RX_ADJUST_BH, N, log10_p, log10_q, room);
    for (int i = 0; i < N; i++) n_hits += log10_q[i] < log10(0.05);
    rx_null_column found = rx_null_column_of(isa, &tail, 2.021075390306273, N, kept, log10_p);
    qsort(t, N, sizeof *t, compare);
    assert_true(found.largest == largest);
    assert_true(found.median == (t[N / 2 - 1] + t[N / 2]) / 2);
    assert_int_equal(found.n_hits, n_hits);
    if (n_hits > most) most = n_hits;
  }
  assert_true(most > 10);
  rx_adjust_room_destroy(&room);
}

static void a_shuffle_is_a_permutation_within_blocks(void **state) {
  enum { N = 30 };
  int block[N];
  double key[N];
  size_t by_key[N], member[N], from[N], n_moved = 0;
  rx_shuffle shuffle = {N, block, key, by_key, 3};

  (void)state;
  for (int i = 0; i < N; i++) block[i] = i * i % 3;
  for (int permutation = 0; permutation < 50; permutation++) {
    size_t n = 0;
    rx_shuffle_draw(&shuffle, 1, permutation);
    for (size_t i = 0; i < N; i++)
      if (permutation % 2 || i % 4) member[n++] = i;
    rx_shuffle_places(&shuffle, n, member, from);
    int seen[N] = {0};
    for (size_t i = 0; i < n; i++) {
      assert_true(from[i] < n);
      seen[from[i]]++;
      assert_int_equal(block[member[i]], block[member[from[i]]]);
      n_moved += from[i] != i;
    }
    for (size_t i = 0; i < n; i++) assert_int_equal(seen[i], 1);
  }
  assert_true(n_moved > 500);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(selection_is_what_sorting_gives),
      cmocka_unit_test(hits_of_a_column_are_those_of_the_adjustment),
      cmocka_unit_test(a_shuffle_is_a_permutation_within_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
