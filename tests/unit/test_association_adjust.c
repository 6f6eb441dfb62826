/* q values: against R's p.adjust, and against the definitions counted out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "association/adjust.h"
#include "golden/association_adjust.h"

enum { N = sizeof golden_p / sizeof *golden_p };

static void agree(rx_adjust method, const double *expected) {
  double log10_p[N + 2], log10_q[N + 2];
  rx_adjust_room *room;

  assert_int_equal(rx_adjust_room_create(N + 2, &room), 0);
  for (int i = 0; i < N; i++) log10_p[i] = log10(golden_p[i]);
  log10_p[N] = log10_p[N + 1] = NAN;
  rx_family family = rx_adjust_family(method, N + 2, log10_p, log10_q, room);
  assert_int_equal(family.n_tests, N);
  for (int i = 0; i < N; i++)
    assert_true(fabs(log10_q[i] - log10(expected[i])) <= 1e-12 * fmax(1, -log10(expected[i])));
  assert_true(isnan(log10_q[N]) && isnan(log10_q[N + 1]));
  rx_adjust_room_destroy(&room);
}

static void all_methods_agree_with_p_adjust(void **state) {
  (void)state;
  agree(RX_ADJUST_BH, golden_bh);
  agree(RX_ADJUST_BY, golden_by);
  agree(RX_ADJUST_BONFERRONI, golden_bonferroni);
  agree(RX_ADJUST_STOREY, golden_storey);
}

static double draw(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

/* q_i = min over j with p_j >= p_i of m p_j / #{p <= p_j}, counted. */
static void bh_is_its_definition(void **state) {
  enum { M = 60 };
  double p[M], log10_p[M], log10_q[M];
  rx_adjust_room *room;
  uint64_t seed = 1;

  (void)state;
  assert_int_equal(rx_adjust_room_create(M, &room), 0);
  for (int trial = 0; trial < 200; trial++) {
    double simes = 1;
    for (int i = 0; i < M; i++) {
      p[i] = trial % 3 ? draw(&seed) : ceil(8 * draw(&seed)) / 8; /* ties */
      if (trial % 2 && i < 10) p[i] *= 1e-3;
      log10_p[i] = log10(p[i]);
    }
    rx_family family = rx_adjust_family(RX_ADJUST_BH, M, log10_p, log10_q, room);
    for (int i = 0; i < M; i++) {
      double q = 1;
      for (int j = 0; j < M; j++) {
        int rank = 0;
        for (int k = 0; k < M; k++) rank += p[k] <= p[j];
        if (p[j] >= p[i]) q = fmin(q, M * p[j] / rank);
        simes = fmin(simes, M * p[j] / rank);
      }
      assert_true(fabs(log10_q[i] - log10(q)) < 1e-12);
    }
    assert_true(fabs(family.log10_simes - log10(simes)) < 1e-12);
  }
  rx_adjust_room_destroy(&room);
}

/* At each level the cells with q_hierarchical at most the level are those the procedure finds. */
static void hierarchical_q_is_the_procedure_at_every_level(void **state) {
  enum { FAMILIES = 12, CELLS = 9, LEVELS = 400 };
  double p[FAMILIES][CELLS], q[FAMILIES][CELLS], simes[FAMILIES], q_simes[FAMILIES];
  rx_adjust_room *room;
  rx_hierarchy hierarchy;
  uint64_t seed = 11;
  int n_found = 0;

  (void)state;
  assert_int_equal(rx_adjust_room_create(16, &room), 0);
  for (int trial = 0; trial < 60; trial++) {
    for (int f = 0; f < FAMILIES; f++) {
      for (int c = 0; c < CELLS; c++)
        p[f][c] = log10(draw(&seed) * (f % 3 == 0 && c < 4 ? 2e-3 : 1));
      if (f == 5)
        for (int c = 0; c < CELLS; c++) p[f][c] = NAN;
      simes[f] = rx_adjust_family(RX_ADJUST_BH, CELLS, p[f], q[f], room).log10_simes;
    }
    rx_adjust_family(RX_ADJUST_BH, FAMILIES, simes, q_simes, room);
    assert_int_equal(rx_hierarchy_create(FAMILIES, q_simes, &hierarchy), 0);
    for (int step = 1; step <= LEVELS; step++) {
      double level = (step - 0.5) / LEVELS;
      int n_selected = 0, m = FAMILIES - 1;
      for (int f = 0; f < FAMILIES; f++) n_selected += pow(10, q_simes[f]) <= level;
      for (int f = 0; f < FAMILIES; f++)
        for (int c = 0; c < CELLS; c++) {
          double found = rx_hierarchy_log10_q(&hierarchy, q_simes[f], q[f][c]);
          int is_found = pow(10, q_simes[f]) <= level && pow(10, q[f][c]) <= level * n_selected / m;
          assert_int_equal(pow(10, found) <= level, is_found);
          if (f == 5) assert_true(isnan(found));
          n_found += is_found && step == 20;
        }
    }
    rx_hierarchy_destroy(&hierarchy);
  }
  assert_true(n_found > 100);
  rx_adjust_room_destroy(&room);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_methods_agree_with_p_adjust),
      cmocka_unit_test(bh_is_its_definition),
      cmocka_unit_test(hierarchical_q_is_the_procedure_at_every_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
