/* GSVA 1.46 against reference/genomics/gsva, and against what must hold by itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/genomics_gsva.h"

#include "genomics/density.h"
#include "genomics/plage.h"
#include "genomics/walk.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "radmix/table.h"
#include "radmix/text.h"

/* A table of numbers with named rows. */
typedef struct {
  rx_table *table;
  size_t n_rows, n_columns;
  double *value; /* [n_rows][n_columns] */
} matrix;

static bool open_reference(const char *name, char *path, size_t size) {
  const char *shared = getenv("RADMIX_SHARED");

  snprintf(path, size, "%s/reference/genomics/gsva/%s", shared ? shared : "../shared", name);
  FILE *file = fopen(path, "r");
  if (file) fclose(file);
  return file != NULL;
}

static void matrix_read(const char *name, matrix *out) {
  char path[4096];

  assert_true(open_reference(name, path, sizeof path));
  assert_int_equal(rx_table_read(path, &out->table), RX_OK);
  out->n_rows = out->table->n_rows;
  out->n_columns = out->table->n_columns - 1;
  assert_int_equal(RX_NEW(&out->value, "test", out->n_rows * out->n_columns), RX_OK);
  for (size_t row = 0; row < out->n_rows; row++)
    for (size_t column = 0; column < out->n_columns; column++)
      assert_int_equal(
          rx_table_number(out->table, row, column + 1, &out->value[row * out->n_columns + column]),
          RX_OK);
}

static void matrix_free(matrix *read) {
  rx_table_destroy(&read->table);
  free(read->value);
}

static bool is_constant(const double *value, size_t n) {
  double mean, sd;

  rx_density_moments(value, n, &mean, &sd);
  return sd < 1e-10;
}

/* Drops constant genes unless all are kept, and reads those of sets.gmt that match any gene left.
 */
static void read_sets(matrix *expression, bool keep_all, rx_sets *sets, char names[64][64]) {
  char path[4096], line[65536];
  rx_names *genes;
  size_t n_kept = 0, n = expression->n_columns;

  assert_int_equal(rx_names_create(&genes), RX_OK);
  for (size_t row = 0; row < expression->n_rows; row++) {
    if (!keep_all && is_constant(expression->value + row * n, n)) continue;
    memmove(expression->value + n_kept * n, expression->value + row * n, n * sizeof(double));
    rx_names_add(genes, rx_table_cell(expression->table, row, 0), (ptrdiff_t)n_kept++, NULL);
  }
  expression->n_rows = n_kept;
  assert_true(open_reference("sets.gmt", path, sizeof path));
  assert_int_equal(rx_sets_create(64, 65536, sets), RX_OK);
  sets->n_sets = 0;
  FILE *file = fopen(path, "r");
  size_t end = 0;
  while (fgets(line, sizeof line, file)) {
    rx_list list;

    assert_int_equal(rx_list_create(rx_trim(line), '\t', &list), RX_OK);
    for (int i = 2; i < list.n; i++) {
      ptrdiff_t gene = rx_names_find(genes, list.items[i]);
      if (gene >= 0) sets->gene[end++] = (int)gene;
    }
    if (end > sets->first[sets->n_sets]) {
      snprintf(names[sets->n_sets], 64, "%s", list.items[0]);
      sets->first[++sets->n_sets] = end;
    }
    rx_list_destroy(&list);
  }
  fclose(file);
  rx_names_destroy(&genes);
}

/* Largest difference between scores [n_samples][n_sets] and a reference file; every row of the file
 * must be a set. */
static double compare(const char *name, const double *score, const rx_sets *sets,
                      char names[64][64]) {
  matrix expected;
  double worst = 0;

  matrix_read(name, &expected);
  for (size_t row = 0; row < expected.n_rows; row++) {
    size_t set = 0;

    while (set < sets->n_sets && strcmp(names[set], rx_table_cell(expected.table, row, 0))) set++;
    assert_true(set < sets->n_sets);
    for (size_t sample = 0; sample < expected.n_columns; sample++) {
      double difference = fabs(score[sample * sets->n_sets + set] -
                               expected.value[row * expected.n_columns + sample]);
      if (!(difference <= worst)) worst = difference;
    }
  }
  matrix_free(&expected);
  return worst;
}

static void compute_density(double *density, const double *value, const double *test, size_t n,
                            size_t n_genes, const rx_density_options *options) {
  rx_density room;

  assert_int_equal(rx_density_create(n, n, options, &room), RX_OK);
  rx_density_compute(density, value, test, n_genes, &room);
  rx_density_destroy(&room);
}

/* Scores of all samples by gsva. */
static double *score_gsva(const matrix *expression, const rx_sets *sets,
                          const rx_density_options *options, const rx_walk_options *walking) {
  size_t p = expression->n_rows, n = expression->n_columns;
  double *density, *column, *score;
  rx_walk walk;

  assert_int_equal(RX_NEW(&density, "test", p * n), RX_OK);
  assert_int_equal(RX_NEW(&column, "test", p), RX_OK);
  assert_int_equal(RX_NEW(&score, "test", n * sets->n_sets), RX_OK);
  compute_density(density, expression->value, NULL, n, p, options);
  assert_int_equal(rx_walk_create(p, sets, walking, &walk), RX_OK);
  for (size_t sample = 0; sample < n; sample++) {
    for (size_t gene = 0; gene < p; gene++) column[gene] = density[gene * n + sample];
    rx_walk_gsva(score + sample * sets->n_sets, column, &walk);
  }
  rx_walk_destroy(&walk);
  free(density);
  free(column);
  return score;
}

static double check_gsva(const char *input, const char *file, rx_density_kernel kernel, double tau,
                         bool is_difference, bool is_absolute, int isa) {
  rx_density_options options = {.kernel = kernel, .isa = isa};
  rx_walk_options walking = {tau, is_difference, is_absolute};
  char names[64][64];
  matrix expression;
  rx_sets sets;

  matrix_read(input, &expression);
  read_sets(&expression, false, &sets, names);
  double *score = score_gsva(&expression, &sets, &options, &walking);
  double worst = compare(file, score, &sets, names);
  print_message("%s, instruction set %d: %.2g\n", file, isa, worst);
  free(score);
  rx_sets_destroy(&sets);
  matrix_free(&expression);
  return worst;
}

static void skip_without_reference(void) {
  char path[4096];

  if (open_reference("expr.tsv", path, sizeof path)) return;
  print_message("skipped: no %s\n", path);
  skip();
}

static void gsva_equals_the_reference_in_all_variants(void **state) {
  (void)state;
  skip_without_reference();
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    rx_density_kernel kernel = RX_DENSITY_GAUSSIAN;
    assert_true(check_gsva("expr.tsv", "gsva_default.tsv", kernel, 1, true, false, isa) < 1e-12);
    assert_true(check_gsva("expr.tsv", "gsva_mxdiff_false.tsv", kernel, 1, false, false, isa) <
                1e-12);
    assert_true(check_gsva("expr.tsv", "gsva_absranking.tsv", kernel, 1, true, true, isa) < 1e-12);
    assert_true(check_gsva("expr.tsv", "gsva_tau025.tsv", kernel, .25, true, false, isa) < 1e-12);
    assert_true(check_gsva("expr.tsv", "gsva_min10_max30.tsv", kernel, 1, true, false, isa) <
                1e-12);
  }
  assert_true(check_gsva("expr.tsv", "gsva_kcdf_none.tsv", RX_DENSITY_NONE, 1, true, false, 2) <
              1e-12);
  assert_true(check_gsva("counts.tsv", "gsva_poisson.tsv", RX_DENSITY_POISSON, 1, true, false, 2) <
              5e-3);
}

static void ssgsea_equals_the_reference_with_and_without_its_range(void **state) {
  (void)state;
  skip_without_reference();
  rx_walk_options walking = {.tau = 0.25};
  char names[64][64];
  matrix expression;
  rx_sets sets;
  rx_walk walk;
  double *column, *score, low = INFINITY, high = -INFINITY;

  matrix_read("expr.tsv", &expression);
  read_sets(&expression, true, &sets, names);
  size_t p = expression.n_rows, n = expression.n_columns, n_scores = n * sets.n_sets;
  assert_int_equal(RX_NEW(&column, "test", p), RX_OK);
  assert_int_equal(RX_NEW(&score, "test", n_scores), RX_OK);
  assert_int_equal(rx_walk_create(p, &sets, &walking, &walk), RX_OK);
  for (size_t sample = 0; sample < n; sample++) {
    for (size_t gene = 0; gene < p; gene++) column[gene] = expression.value[gene * n + sample];
    rx_walk_ssgsea(score + sample * sets.n_sets, column, &walk);
  }
  /* the scores themselves are sums of thousands: 1e-12 of their size */
  double worst = compare("ssgsea_nonorm.tsv", score, &sets, names);
  for (size_t i = 0; i < n_scores; i++) {
    low = fmin(low, score[i]);
    high = fmax(high, score[i]);
  }
  assert_true(worst < 1e-12 * fmax(-low, high));
  for (size_t i = 0; i < n_scores; i++) score[i] /= high - low;
  double worst_scaled = compare("ssgsea_default.tsv", score, &sets, names);
  print_message("ssgsea: %.2g, scaled %.2g\n", worst, worst_scaled);
  assert_true(worst_scaled < 1e-12);
  rx_walk_destroy(&walk);
  rx_sets_destroy(&sets);
  free(column);
  free(score);
  matrix_free(&expression);
}

static void zscore_and_plage_equal_the_reference(void **state) {
  (void)state;
  skip_without_reference();
  char names[64][64];
  matrix expression, plage;
  rx_sets sets;
  double worst_plage = 0;

  matrix_read("expr.tsv", &expression);
  read_sets(&expression, false, &sets, names);
  size_t p = expression.n_rows, n = expression.n_columns;
  for (size_t gene = 0; gene < p; gene++) {
    double mean, sd, *value = expression.value + gene * n;
    rx_density_moments(value, n, &mean, &sd);
    for (size_t sample = 0; sample < n; sample++) value[sample] = (value[sample] - mean) / sd;
  }
  double *column, *score, *vector, *loading, *z;
  assert_int_equal(RX_NEW(&column, "test", p), RX_OK);
  assert_int_equal(RX_NEW(&score, "test", n * sets.n_sets), RX_OK);
  for (size_t sample = 0; sample < n; sample++) {
    for (size_t gene = 0; gene < p; gene++) column[gene] = expression.value[gene * n + sample];
    rx_plage_zscore(score + sample * sets.n_sets, column, &sets);
  }
  double worst = compare("zscore.tsv", score, &sets, names);
  assert_true(worst < 1e-12);

  matrix_read("plage.tsv", &plage);
  assert_int_equal(RX_NEW(&vector, "test", n), RX_OK);
  assert_int_equal(RX_NEW(&loading, "test", p), RX_OK);
  assert_int_equal(RX_NEW(&z, "test", p * n), RX_OK);
  for (size_t set = 0; set < sets.n_sets; set++) {
    size_t k = sets.first[set + 1] - sets.first[set];
    double with_sign[2] = {0, 0}, along = 0, applied = 0;

    for (size_t i = 0; i < k; i++)
      memcpy(z + i * n, expression.value + (size_t)sets.gene[sets.first[set] + i] * n,
             n * sizeof *z);
    assert_int_equal(rx_plage_vector(vector, loading, z, k, n), RX_OK);
    for (size_t sample = 0; sample < n; sample++) {
      double inner = 0, mean = 0;
      for (size_t i = 0; i < k; i++) {
        double own = expression.value[(size_t)sets.gene[sets.first[set] + i] * n + sample];
        inner += loading[i] * own;
        mean += own;
      }
      along += mean * vector[sample];
      applied = fmax(applied, fabs(inner - vector[sample]));
      for (int sign = 0; sign < 2; sign++)
        with_sign[sign] = fmax(with_sign[sign], fabs((sign ? -1 : 1) * vector[sample] -
                                                     plage.value[set * n + sample]));
    }
    if (k > 1) {
      assert_true(along >= 0);      /* the sign goes with the mean z */
      assert_true(applied < 1e-12); /* the loadings give the vector back */
    }
    worst_plage = fmax(worst_plage, fmin(with_sign[0], with_sign[1]));
  }
  print_message("zscore: %.2g, plage up to sign: %.2g\n", worst, worst_plage);
  assert_true(worst_plage < 1e-12);
  matrix_free(&plage);
  rx_sets_destroy(&sets);
  free(column);
  free(score);
  free(vector);
  free(loading);
  free(z);
  matrix_free(&expression);
}

/* The walk as it is defined: one place after the other, no short cuts. */
static double walk_plainly(const double *density, size_t p, const int *gene, size_t k,
                           const rx_walk_options *options, bool *is_tied) {
  double total = 0, height = 0, highest = 0, lowest = 0, tau = options->tau;
  int *order, *is_member;

  assert_int_equal(RX_NEW(&order, "test", p), RX_OK);
  assert_int_equal(RX_NEW(&is_member, "test", p), RX_OK);
  for (size_t i = 0; i < p; i++) { /* insertion sort: stable */
    size_t to = i;
    for (; to > 0 && density[order[to - 1]] < density[i]; to--) order[to] = order[to - 1];
    order[to] = (int)i;
  }
  for (size_t i = 0; i < k; i++) is_member[gene[i]] = 1;
  for (size_t i = 0; i < p; i++)
    if (is_member[order[i]]) total += pow(fabs((double)(p - i) - (double)p / 2), tau);
  for (size_t i = 0; i < p; i++) {
    if (is_member[order[i]])
      height += pow(fabs((double)(p - i) - (double)p / 2), tau) / total;
    else
      height -= 1.0 / (double)(p - k);
    if (height > highest) highest = height;
    if (height < lowest) lowest = height;
  }
  free(order);
  free(is_member);
  *is_tied = !options->is_difference && fabs(highest + lowest) < 1e-12;
  if (options->is_difference) return options->is_absolute ? highest - lowest : highest + lowest;
  return highest > -lowest ? highest : lowest;
}

static void walk_equals_its_definition_on_random_sets_with_ties(void **state) {
  (void)state;
  enum { ROUNDS = 300, MOST = 40 };
  rx_random random = rx_random_at(5, RX_RANDOM_SIMULATION, 0, 0);

  for (int round = 0; round < ROUNDS; round++) {
    size_t p = 2 + rx_random_below(&random, MOST - 1);
    size_t k = 1 + rx_random_below(&random, (uint32_t)p);
    rx_walk_options options = {round % 3 ? 1 : .25, round % 2, round % 5 == 0};
    double density[MOST + 1], score;
    int64_t genes[MOST + 1];
    rx_sets sets;
    rx_walk walk;

    for (size_t i = 0; i < p; i++) {
      density[i] = rx_random_below(&random, 12) / 4.0 - 1;
      genes[i] = (int64_t)i;
    }
    if (round % 7 == 0) density[0] = INFINITY;
    if (round % 11 == 0) density[p - 1] = -0.0;
    rx_random_shuffle(&random, genes, p);
    assert_int_equal(rx_sets_create(1, k, &sets), RX_OK);
    for (size_t i = 0; i < k; i++) sets.gene[i] = (int)genes[i];
    sets.first[1] = k;
    assert_int_equal(rx_walk_create(p, &sets, &options, &walk), RX_OK);
    rx_walk_gsva(&score, density, &walk);
    bool is_tied; /* both extremes as far out: rounding chooses */
    double plain = walk_plainly(density, p, sets.gene, k, &options, &is_tied);
    assert_true(fabs((is_tied ? fabs(score) : score) - (is_tied ? fabs(plain) : plain)) < 1e-12);

    double curve[MOST + 1], highest = 0, lowest = 0;
    int at[MOST + 1];
    rx_walk_curve(curve, at, density, 0, &walk);
    for (size_t i = 0; i < p; i++) {
      highest = fmax(highest, curve[i]);
      lowest = fmin(lowest, curve[i]);
      if (i) assert_true(density[at[i]] <= density[at[i - 1]]);
    }
    if (options.is_difference && !options.is_absolute && k > 1)
      assert_true(fabs(highest + lowest - score) < 1e-12);
    rx_walk_destroy(&walk);
    rx_sets_destroy(&sets);
  }
}

static void density_is_the_same_in_all_instruction_sets_and_near_the_exact_one(void **state) {
  (void)state;
  enum { N = 37, P = 11 };
  rx_random random = rx_random_at(6, RX_RANDOM_SIMULATION, 0, 0);
  double value[P * N], first[P * N], other[P * N], exact[P * N], crossed[P * N];
  rx_density_options options = {.kernel = RX_DENSITY_GAUSSIAN, .isa = 2};

  for (int i = 0; i < P * N; i++) value[i] = round(rx_random_normal(&random) * 20) / 4;
  value[3] = 60; /* far out: beyond the table */
  compute_density(first, value, NULL, N, P, &options);
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    options.isa = isa;
    compute_density(other, value, NULL, N, P, &options);
    assert_memory_equal(first, other, sizeof first);
    /* looked up as if they were new samples: the same, as every sum runs in the same order */
    compute_density(crossed, value, value, N, P, &options);
    assert_memory_equal(first, crossed, sizeof first);
  }
  options.is_exact = true;
  compute_density(exact, value, NULL, N, P, &options);
  for (int i = 0; i < P * N; i++) {
    double share = 1 / (1 + exp(-first[i])), exact_share = 1 / (1 + exp(-exact[i]));
    assert_true(fabs(share - exact_share) < 4e-4); /* a step of the table is 1e-3 wide */
  }
}

static void order_is_stable_and_falls_with_nan_last(void **state) {
  (void)state;
  const double value[] = {1, NAN, -0.0, 3, 0.0, 1, INFINITY, -INFINITY, -2.5, 3};
  const int expected[] = {6, 3, 9, 0, 5, 2, 4, 8, 7, 1};
  int order[10];
  double rank[9];
  rx_order_space space;

  assert_int_equal(rx_order_space_create(10, &space), RX_OK);
  rx_order_descending(order, value, 10, &space);
  assert_memory_equal(order, expected, sizeof order);
  const double tied[] = {5, 1, 5, 2, 2, 2, 9, 1, 7};
  const double ranks[] = {6.5, 1.5, 6.5, 4, 4, 4, 9, 1.5, 8};
  rx_order_descending(order, tied, 9, &space);
  rx_order_ranks(rank, order, tied, 9);
  for (int i = 0; i < 9; i++) assert_true(rank[i] == ranks[i]);
  rx_order_descending(order, tied, 0, &space);
  rx_order_space_destroy(&space);
}

/* The sets of the golden file. */
static void golden_sets(rx_sets *sets) {
  size_t n_members = sizeof golden_members / sizeof *golden_members;

  assert_int_equal(rx_sets_create(GOLDEN_SETS, n_members, sets), RX_OK);
  for (size_t set = 0; set < GOLDEN_SETS; set++)
    sets->first[set + 1] = sets->first[set] + (size_t)golden_sizes[set];
  memcpy(sets->gene, golden_members, sizeof golden_members);
}

static void check_golden(const char *name, const double *score,
                         const double expected[GOLDEN_SETS][GOLDEN_SAMPLES]) {
  for (size_t set = 0; set < GOLDEN_SETS; set++)
    for (size_t sample = 0; sample < GOLDEN_SAMPLES; sample++) {
      double found = score[sample * GOLDEN_SETS + set];
      if (!(fabs(found - expected[set][sample]) < 1e-12))
        fail_msg("%s, set %zu, sample %zu: expected %.17g, found %.17g", name, set, sample,
                 expected[set][sample], found);
    }
}

static void scores_equal_the_golden_ones(void **state) {
  (void)state;
  const struct {
    const char *name;
    rx_density_kernel kernel;
    bool is_difference, is_absolute;
    const double (*expected)[GOLDEN_SAMPLES];
  } cases[] = {{"gsva", RX_DENSITY_GAUSSIAN, true, false, golden_gsva},
               {"larger", RX_DENSITY_GAUSSIAN, false, false, golden_larger},
               {"absolute", RX_DENSITY_GAUSSIAN, true, true, golden_absolute},
               {"steps", RX_DENSITY_NONE, true, false, golden_steps}};
  matrix expression = {.n_rows = GOLDEN_GENES, .n_columns = GOLDEN_SAMPLES};
  double values[GOLDEN_GENES][GOLDEN_SAMPLES], column[GOLDEN_GENES];
  double score[GOLDEN_SAMPLES * GOLDEN_SETS];
  rx_walk_options walking = {.tau = 0.25};
  rx_sets sets;
  rx_walk walk;

  golden_sets(&sets);
  memcpy(values, golden_expression, sizeof values);
  expression.value = &values[0][0];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rx_density_options options = {.kernel = cases[i].kernel, .isa = rx_isa_of_machine()};
    rx_walk_options walked = {1, cases[i].is_difference, cases[i].is_absolute};
    double *found = score_gsva(&expression, &sets, &options, &walked);
    check_golden(cases[i].name, found, cases[i].expected);
    free(found);
  }
  assert_int_equal(rx_walk_create(GOLDEN_GENES, &sets, &walking, &walk), RX_OK);
  for (size_t sample = 0; sample < GOLDEN_SAMPLES; sample++) {
    for (size_t gene = 0; gene < GOLDEN_GENES; gene++) column[gene] = values[gene][sample];
    rx_walk_ssgsea(score + sample * GOLDEN_SETS, column, &walk);
  }
  check_golden("ssgsea", score, golden_ssgsea);
  rx_walk_destroy(&walk);
  for (size_t sample = 0; sample < GOLDEN_SAMPLES; sample++) {
    for (size_t gene = 0; gene < GOLDEN_GENES; gene++) {
      double mean, sd;
      rx_density_moments(golden_expression[gene], GOLDEN_SAMPLES, &mean, &sd);
      column[gene] = (golden_expression[gene][sample] - mean) / sd;
    }
    rx_plage_zscore(score + sample * GOLDEN_SETS, column, &sets);
  }
  check_golden("zscore", score, golden_zscore);
  rx_sets_destroy(&sets);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scores_equal_the_golden_ones),
      cmocka_unit_test(gsva_equals_the_reference_in_all_variants),
      cmocka_unit_test(ssgsea_equals_the_reference_with_and_without_its_range),
      cmocka_unit_test(zscore_and_plage_equal_the_reference),
      cmocka_unit_test(walk_equals_its_definition_on_random_sets_with_ties),
      cmocka_unit_test(density_is_the_same_in_all_instruction_sets_and_near_the_exact_one),
      cmocka_unit_test(order_is_stable_and_falls_with_nan_last),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
