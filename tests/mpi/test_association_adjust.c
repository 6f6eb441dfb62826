/* q over a grid that is spread over ranks: against the adjustment of all p values in one place. */
#include <math.h>
#include <stdlib.h>

#include "association/adjust_grid.h"
#include "mpi_cmocka.h"
#include "radmix/partition.h"
#include "radmix/random.h"

enum { N = 60000, RUNS = 7 };

/* Kinds of p values: all null; some signal; strong signal everywhere; ties; tiny; all 1; sparse. */
static double draw(int kind, rx_random *random) {
  double u = rx_random_uniform(random);

  switch (kind) {
    case 0:
      return log10(u);
    case 1:
      return rx_random_uniform(random) < 0.02 ? 3 * log10(u) - 4 : log10(u);
    case 2:
      return 6 * log10(u);
    case 3:
      return log10(ceil(40 * u) / 40);
    case 4:
      return -400 * rx_random_uniform(random) * (u < 0.01 ? 1000 : 1);
    case 5:
      return 0;
    default:
      return u < 0.5 ? (double)NAN : log10(u);
  }
}

static void check(int kind, rx_adjust method) {
  static double p[N], q[N];
  rx_run run[RUNS];
  rx_adjust_room *room = NULL;
  rx_staircase *staircase = NULL;
  rx_random random = rx_random_at(7, 400, (uint32_t)kind, 0);
  size_t first, count;
  int ok = 1;

  for (int i = 0; i < N; i++) p[i] = draw(kind, &random);
  rx_partition(N, rank_of_test(), ranks_of_test(), &first, &count);
  for (size_t r = 0; r < RUNS; r++) { /* this rank's share, in pieces */
    size_t start, length;
    rx_partition(count, (int)r, RUNS, &start, &length);
    run[r] = (rx_run){p + first + start, length};
  }
  assert_all(rx_staircase_create(MPI_COMM_WORLD, method, RUNS, run, &staircase) == RX_OK);
  assert_all(rx_adjust_room_create(N, &room) == RX_OK);
  rx_family family = rx_adjust_family(method, N, p, q, room);
  assert_all(rx_staircase_n_tests(staircase) == family.n_tests);
  for (int i = 0; i < N; i++) {
    double found = rx_staircase_log10_q(staircase, p[i]);
    ok = ok && (isnan(q[i]) ? isnan(found) : fabs(found - q[i]) <= 1e-12 * fmax(1, -q[i]));
  }
  assert_all(ok);
  rx_adjust_room_destroy(&room);
  rx_staircase_destroy(&staircase);
}

static void the_staircase_is_the_adjustment_of_all(void **state) {
  (void)state;
  for (int kind = 0; kind < 7; kind++) check(kind, RX_ADJUST_BH);
  for (int kind = 0; kind < 3; kind++) {
    check(kind, RX_ADJUST_BY);
    check(kind, RX_ADJUST_STOREY);
    check(kind, RX_ADJUST_BONFERRONI);
  }
}

static void no_tests_at_all_give_no_q(void **state) {
  double p[2] = {NAN, NAN};
  rx_run run = {p, 2};
  rx_staircase *staircase = NULL;

  (void)state;
  assert_all(rx_staircase_create(MPI_COMM_WORLD, RX_ADJUST_BH, 1, &run, &staircase) == RX_OK);
  assert_all(rx_staircase_n_tests(staircase) == 0);
  assert_all(isnan(rx_staircase_log10_q(staircase, NAN)));
  rx_staircase_destroy(&staircase);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_staircase_is_the_adjustment_of_all),
    cmocka_unit_test(no_tests_at_all_give_no_q),
};

MPI_TEST_MAIN(tests)
