/* t-SNE and k-means over ranks: definitions, finite differences, the same bits on any ranks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clustering/kmeans.h"
#include "clustering/tsne.h"
#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/isa.h"
#include "radmix/partition.h"
#include "radmix/random.h"
#include "radmix/table.h"

static void *need(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) MPI_Abort(MPI_COMM_WORLD, 1);
  return memory;
}

/* Three groups in many dimensions. */
static double *grouped_rows(size_t n, size_t n_dims) {
  rx_random random = rx_random_at(5, RX_RANDOM_SIMULATION, (uint32_t)n, 0);
  double *x = need(n * n_dims, sizeof *x);

  for (size_t i = 0; i < n; i++)
    for (size_t d = 0; d < n_dims; d++)
      x[i * n_dims + d] = rx_random_normal(&random) + (d % 3 == i % 3 ? 4 : 0);
  return x;
}

static rx_points *grouped_points(size_t n, size_t n_dims) {
  double *x = grouped_rows(n, n_dims);
  rx_points *points = NULL;

  if (rx_points_of_rows(x, n, n_dims, RX_EUCLIDEAN, &points)) MPI_Abort(MPI_COMM_WORLD, 1);
  free(x);
  return points;
}

/* ---- P ---- */

static void each_row_of_p_has_the_perplexity_asked_for(void **state) {
  enum { N = 60 };
  rx_points *points = grouped_points(N, 7);
  double squares[N];
  const double perplexities[] = {1.5, 5, 19.6};

  (void)state;
  for (size_t k = 0; k < 3; k++)
    for (size_t i = 0; i < N; i++) {
      double entropy = 0, sum = 0;
      rx_distance_squares(2, points, i, 1, squares, N);
      rx_tsne_bell bell = rx_tsne_search(squares, N, i, perplexities[k]);
      for (size_t j = 0; j < N; j++) {
        double p = j == i ? 0 : exp(-bell.precision * (squares[j] - bell.least)) / bell.sum;
        if (p > 0) entropy -= p * log(p);
        sum += p;
      }
      assert_all(fabs(sum - 1) < 1e-12);
      assert_all(fabs(entropy - log(perplexities[k])) < 1.1e-5);
    }
  rx_points_destroy(&points);
}

static void points_that_coincide_have_the_sharpest_row_there_is(void **state) {
  const double squares[] = {0, 0, 0, 0, 1, 4}, all_equal[] = {0, 2, 2, 2, 2, 2};

  (void)state;
  rx_tsne_bell bell = rx_tsne_search(squares, 6, 0, 1.5); /* three at distance 0: never below 3 */
  assert_all(isfinite(bell.precision) && fabs(bell.sum - 3) < 1e-6);
  bell = rx_tsne_search(all_equal, 6, 0, 2);
  assert_all(isfinite(bell.precision) && fabs(bell.sum - 5) < 1e-12);
}

/* The whole of P by its definition from the rows' searches, in long double. */
static void p_is_symmetric_and_sums_to_one(void **state) {
  enum { N = 50 };
  rx_points *points = grouped_points(N, 6);
  double squares[N * N], sum = 0;
  rx_tsne_bell bells[N];
  rx_tsne *tsne;
  size_t first, count, stride;

  (void)state;
  assert_all(rx_tsne_create(MPI_COMM_WORLD, 2, points, 10, &tsne) == RX_OK);
  const double *p = rx_tsne_probabilities(tsne, &first, &count, &stride);
  rx_distance_squares(2, points, 0, N, squares, N);
  for (size_t i = 0; i < N; i++) bells[i] = rx_tsne_search(squares + i * N, N, i, 10);
  bool is_right = true;
  for (size_t i = first; i < first + count; i++)
    for (size_t j = 0; j < N; j++) {
      double d = squares[i * N + j], found = p[(i - first) * stride + j];
      double expected = (exp(-bells[i].precision * (d - bells[i].least)) / bells[i].sum +
                         exp(-bells[j].precision * (d - bells[j].least)) / bells[j].sum) /
                        (2 * N);
      if (fabs(found - (i == j ? 0 : expected)) > 1e-15) is_right = false;
      sum += found;
    }
  assert_all(is_right);
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  assert_all(fabs(sum - 1) < 1e-12);
  rx_tsne_destroy(&tsne);
  rx_points_destroy(&points);
}

/* ---- gradient ---- */

static void the_gradient_is_that_of_finite_differences(void **state) {
  enum { N = 23 };
  rx_points *points = grouped_points(N, 6);
  rx_random random = rx_random_at(9, RX_RANDOM_SIMULATION, 0, 0);
  double y[2 * N], gradient[2 * N], unused[2 * N], worst = 0;
  rx_tsne *tsne;

  (void)state;
  for (int c = 0; c < 2 * N; c++) y[c] = rx_random_normal(&random);
  assert_all(rx_tsne_create(MPI_COMM_WORLD, 2, points, 5, &tsne) == RX_OK);
  rx_tsne_gradient(tsne, y, 1, gradient, NULL);
  for (int c = 0; c < 2 * N; c++) {
    double here = y[c], up, down, h = 1e-5;
    y[c] = here + h;
    rx_tsne_gradient(tsne, y, 1, unused, &up);
    y[c] = here - h;
    rx_tsne_gradient(tsne, y, 1, unused, &down);
    y[c] = here;
    worst = fmax(worst, fabs((up - down) / (2 * h) - gradient[c]));
  }
  assert_all(worst < 1e-9); /* of values near 0.01: h^2 and 1e-16 / h */
  rx_tsne_destroy(&tsne);
  rx_points_destroy(&points);
}

static void the_divergence_falls_and_groups_come_apart(void **state) {
  enum { N = 90 };
  rx_points *points = grouped_points(N, 20);
  double y[2 * N], unused[2 * N], start, end, within = 0, between = INFINITY;
  rx_tsne *tsne;

  (void)state;
  assert_all(rx_tsne_start(MPI_COMM_WORLD, points, y) == RX_OK);
  assert_all(rx_tsne_create(MPI_COMM_WORLD, rx_isa_of_machine(), points, 15, &tsne) == RX_OK);
  rx_tsne_gradient(tsne, y, 1, unused, &start);
  assert_all(rx_tsne_run(tsne, 500, y, &end, NULL) == RX_OK);
  assert_all(isfinite(end) && end > 0 && end < 0.5 * start);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < i; j++) {
      double d = hypot(y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1]);
      if (i % 3 == j % 3)
        within = fmax(within, d);
      else
        between = fmin(between, d);
    }
  assert_all(within < between);
  rx_tsne_destroy(&tsne);
  rx_points_destroy(&points);
}

/* Runs on some ranks; y  [2 * n], set */
static void embed(MPI_Comm comm, int isa, const rx_points *points, double *y) {
  rx_tsne *tsne;
  double divergence;

  if (rx_tsne_start(comm, points, y) ||
      rx_tsne_create(comm, isa, points, rx_tsne_most_perplexity(points->n), &tsne) ||
      rx_tsne_run(tsne, 300, y, &divergence, NULL))
    MPI_Abort(MPI_COMM_WORLD, 1);
  rx_tsne_destroy(&tsne);
}

static void the_bits_are_the_same_on_any_ranks_and_instruction_set(void **state) {
  static const size_t sizes[][2] = {{4, 3}, {5, 40}, {67, 5}, {40, 90}};

  (void)state;
  for (size_t k = 0; k < 4; k++) {
    size_t n = sizes[k][0];
    rx_points *points = grouped_points(n, sizes[k][1]);
    double *alone = need(2 * n, sizeof *alone), *together = need(2 * n, sizeof *together);
    embed(MPI_COMM_SELF, 2, points, alone);
    for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
      embed(MPI_COMM_WORLD, isa, points, together);
      assert_all(!memcmp(alone, together, 2 * n * sizeof *alone));
    }
    assert_all(isfinite(alone[0]) && alone[0] != alone[2]);
    free(together);
    free(alone);
    rx_points_destroy(&points);
  }
}

static void a_start_is_made_of_the_first_components(void **state) {
  enum { N = 30, DIMS = 8 };
  double y[2 * N], turned[2 * N];

  (void)state;
  rx_points *points = grouped_points(N, DIMS), *copies;
  assert_all(rx_tsne_start(MPI_COMM_WORLD, points, y) == RX_OK);
  /* With each dimension four times there are more dimensions than points: the other Gram matrix. */
  double *x = grouped_rows(N, DIMS), *wide = need(N * DIMS * 4, sizeof *wide);
  for (int i = 0; i < N; i++)
    for (int d = 0; d < 4 * DIMS; d++) wide[i * 4 * DIMS + d] = x[i * DIMS + d % DIMS];
  assert_all(rx_points_of_rows(wide, N, 4 * DIMS, RX_EUCLIDEAN, &copies) == RX_OK);
  assert_all(rx_tsne_start(MPI_COMM_WORLD, copies, turned) == RX_OK);
  double square = 0, worst = 0;
  for (int i = 0; i < N; i++) square += y[2 * i] * y[2 * i] / N;
  for (int c = 0; c < 2 * N; c++) worst = fmax(worst, fabs(y[c] - turned[c]));
  assert_all(fabs(sqrt(square) - 1e-4) < 1e-15);
  assert_all(worst < 1e-14);
  free(wide);
  free(x);
  rx_points_destroy(&copies);
  rx_points_destroy(&points);
}

/* ---- k-means ---- */

static rx_kmeans_points my_points(const double *x, size_t n, size_t n_dims) {
  size_t first, count;

  rx_partition(n, rank_of_test(), ranks_of_test(), &first, &count);
  return (rx_kmeans_points){x + first * n_dims, count, n_dims, first, n};
}

static rx_table *read_reference(const char *name) {
  char path[4096];
  rx_table *table = NULL;

  snprintf(path, sizeof path, "%s/reference/clustering/unsup/%s", shared_folder(), name);
  if (rx_table_load(MPI_COMM_WORLD, path, &table)) {
    print_message("skipped: %s\n", rx_error_message());
    skip();
  }
  return table;
}

static double cell(const rx_table *table, size_t row, size_t column) {
  double value = NAN;
  rx_table_number(table, row, column, &value);
  return value;
}

static void lloyd_gives_the_clusters_of_r(void **state) {
  static const size_t starts[] = {0, 24, 39, 54};
  rx_table *points = read_reference("X.tsv"), *expected = read_reference("kmeans_lloyd_k4.tsv");
  size_t n = points->n_rows, p = points->n_columns - 1;
  double *x = need(n * p, sizeof *x), *centres = need(4 * p, sizeof *centres);
  rx_kmeans *found;
  bool is_right = true;

  (void)state;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < p; j++) x[i * p + j] = cell(points, i, j + 1);
  for (size_t c = 0; c < 4; c++) memcpy(centres + c * p, x + starts[c] * p, p * sizeof *x);
  rx_kmeans_points mine = my_points(x, n, p);
  assert_all(rx_kmeans_fit_from(MPI_COMM_WORLD, &mine, centres, 4, &found) == RX_OK);
  /* The header is the line of the sum. */
  assert_all(fabs(found->within / atof(rx_table_name(expected, 1)) - 1) < 1e-10);
  for (size_t i = 0; i < mine.n; i++)
    if (found->labels[i] + 1 != (int)cell(expected, mine.first + i, 1)) is_right = false;
  assert_all(is_right);
  rx_kmeans_destroy(&found);
  rx_table_destroy(&points);
  rx_table_destroy(&expected);
  free(centres);
  free(x);
}

static void clusters_do_not_depend_on_the_ranks_and_find_the_groups(void **state) {
  enum { N = 200, DIMS = 9 };
  double *x = grouped_rows(N, DIMS);
  rx_kmeans_points mine = my_points(x, N, DIMS), all = {x, N, DIMS, 0, N};
  rx_kmeans *together, *alone;
  bool is_same = true, is_right = true;

  (void)state;
  assert_all(rx_kmeans_fit(MPI_COMM_WORLD, &mine, 3, 1, 10, &together) == RX_OK);
  assert_all(rx_kmeans_fit(MPI_COMM_SELF, &all, 3, 1, 10, &alone) == RX_OK);
  for (size_t i = 0; i < mine.n; i++)
    if (together->labels[i] != alone->labels[mine.first + i]) is_same = false;
  for (size_t i = 3; i < N; i++)
    if (alone->labels[i] != alone->labels[i % 3]) is_right = false;
  assert_all(is_same);
  assert_all(is_right);
  assert_all(together->counts[0] + together->counts[1] + together->counts[2] == N);
  rx_kmeans_destroy(&together);
  rx_kmeans_destroy(&alone);
  free(x);
}

static void fewer_distinct_points_than_clusters_give_fewer_clusters(void **state) {
  double x[] = {1, 1, 5, 1, 5, 5, 1};
  rx_kmeans_points mine = my_points(x, 7, 1);
  rx_kmeans *found;

  (void)state;
  assert_all(rx_kmeans_fit(MPI_COMM_WORLD, &mine, 4, 1, 3, &found) == RX_OK);
  assert_all(found->n_clusters == 2 && found->within == 0);
  rx_kmeans_destroy(&found);
}

static const struct CMUnitTest all_tests[] = {
    cmocka_unit_test(each_row_of_p_has_the_perplexity_asked_for),
    cmocka_unit_test(points_that_coincide_have_the_sharpest_row_there_is),
    cmocka_unit_test(p_is_symmetric_and_sums_to_one),
    cmocka_unit_test(the_gradient_is_that_of_finite_differences),
    cmocka_unit_test(the_divergence_falls_and_groups_come_apart),
    cmocka_unit_test(the_bits_are_the_same_on_any_ranks_and_instruction_set),
    cmocka_unit_test(a_start_is_made_of_the_first_components),
    cmocka_unit_test(lloyd_gives_the_clusters_of_r),
    cmocka_unit_test(clusters_do_not_depend_on_the_ranks_and_find_the_groups),
    cmocka_unit_test(fewer_distinct_points_than_clusters_give_fewer_clusters),
};

MPI_TEST_MAIN(all_tests)
