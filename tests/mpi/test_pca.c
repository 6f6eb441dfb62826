/* Eigenproblems on ScaLAPACK and principal components, against LAPACK on one process and prcomp().
 */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clustering/eigen.h"
#include "clustering/pca.h"
#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/partition.h"
#include "radmix/random.h"
#include "radmix/table.h"

static void *need(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) MPI_Abort(MPI_COMM_WORLD, 1);
  return memory;
}

/* Rows of columns with falling variance and an offset, the same on all ranks. */
static double *random_rows(size_t n, size_t p, double offset) {
  rx_random random = rx_random_at(3, RX_RANDOM_SIMULATION, (uint32_t)n, (uint32_t)p);
  double *x = need(n * p, sizeof *x);

  for (size_t i = 0; i < n; i++) {
    double common = rx_random_normal(&random);
    for (size_t j = 0; j < p; j++)
      x[i * p + j] = offset + common + rx_random_normal(&random) * (1 + 5.0 / (double)(j + 1));
  }
  return x;
}

/* Of rank 0, given to all. */
static double *covariance(const double *x, size_t n, size_t p) {
  double *c = need(p * p, sizeof *c), *mean = need(p, sizeof *mean), *z = need(p, sizeof *z);

  if (rank_of_test()) n = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < p; j++) mean[j] += x[i * p + j] / (double)n;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < p; j++) z[j] = (x[i * p + j] - mean[j]) / sqrt((double)n - 1);
    for (size_t a = 0; a < p; a++)
      for (size_t b = 0; b < p; b++) c[a * p + b] += z[a] * z[b];
  }
  free(z);
  free(mean);
  MPI_Bcast(c, (int)(p * p), MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return c;
}

/* 1 - the smallest cosine between the spaces of k columns of a [n][ka] and of b [n][kb] in one
 * number: |a'b|^2 summed is k when they are the same. */
static double subspace_error(const double *a, size_t ka, const double *b, size_t kb, size_t n,
                             size_t k) {
  double sum = 0;

  for (size_t u = 0; u < k; u++)
    for (size_t v = 0; v < k; v++) {
      double dot = 0;
      for (size_t i = 0; i < n; i++) dot += a[i * ka + u] * b[i * kb + v];
      sum += dot * dot;
    }
  return fabs((double)k - sum);
}

/* All eigenvectors by LAPACK on rank 0, largest first: z [n][n]. */
static void solve_by_lapack(const double *matrix, size_t n, double *values, double *z) {
  double *a = need(n * n, sizeof *a), *w = need(n, sizeof *w);

  memcpy(a, matrix, n * n * sizeof *a);
  if (rank_of_test() == 0) LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (int)n, a, (int)n, w);
  MPI_Bcast(a, (int)(n * n), MPI_DOUBLE, 0, MPI_COMM_WORLD);
  MPI_Bcast(w, (int)n, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  for (size_t j = 0; j < n; j++) {
    values[j] = w[n - 1 - j];
    for (size_t i = 0; i < n; i++) z[i * n + j] = a[i * n + n - 1 - j];
  }
  free(w);
  free(a);
}

static void check_eigen(size_t n, int block, size_t k) {
  double *x = random_rows(2 * n, n, 0), *matrix = covariance(x, 2 * n, n);
  double *share = need(n * n, sizeof *share), *values = need(n, sizeof *values);
  double *z = need(n * n, sizeof *z), worst = 0;
  rx_eigen *eigen;
  int ranks = ranks_of_test();

  /* The matrix is a sum of unlike shares: (rank + 1) parts of 1 + 2 + ... */
  for (size_t i = 0; i < n * n; i++)
    share[i] = matrix[i] * 2 * (rank_of_test() + 1) / (ranks * (ranks + 1.0));
  rx_status status = block ? rx_eigen_solve_grid(MPI_COMM_WORLD, share, n, k, block, &eigen)
                           : rx_eigen_solve(MPI_COMM_WORLD, share, n, k, &eigen);
  assert_all(status == RX_OK);
  solve_by_lapack(matrix, n, values, z);
  for (size_t i = 0; i < n; i++)
    worst = fmax(worst, fabs(eigen->values[i] - values[i]) / values[0]);
  assert_all(worst < 1e-12);
  assert_all(subspace_error(eigen->vectors, k, z, n, n, k) < 1e-10);
  rx_eigen_destroy(&eigen);
  free(z);
  free(values);
  free(share);
  free(matrix);
  free(x);
}

/* The shapes for which pdsyevd with its own workspace gives wrong vectors or hangs, and others. */
static void scalapack_is_right_for_any_size_and_block(void **state) {
  static const struct {
    size_t n;
    int block;
  } cases[] = {{1, 64},    {2, 1},    {3, 64},   {20, 64}, {100, 64},
               {128, 128}, {128, 70}, {130, 16}, {200, 32}};

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = cases[i].n;
    check_eigen(n, cases[i].block, n < 7 ? n : 7);
    check_eigen(n, cases[i].block, n);
  }
}

static void small_ones_are_solved_on_one_rank(void **state) {
  (void)state;
  check_eigen(1, 0, 1);
  check_eigen(301, 0, 10);
}

static void a_matrix_of_zeros_has_eigenvalues_of_zero(void **state) {
  double *share = need(300 * 300, sizeof *share);
  rx_eigen *eigen;

  (void)state;
  for (size_t n = 5; n <= 300; n += 295) {
    assert_all(rx_eigen_solve_alone(MPI_COMM_WORLD, share, n, 2, &eigen) == RX_OK);
    assert_all(eigen->values[0] == 0 && eigen->values[n - 1] == 0);
    rx_eigen_destroy(&eigen);
    assert_all(rx_eigen_solve_grid(MPI_COMM_WORLD, share, n, 2, 32, &eigen) == RX_OK);
    assert_all(eigen->values[0] == 0 && eigen->values[n - 1] == 0);
    rx_eigen_destroy(&eigen);
  }
  free(share);
}

static void a_grid_is_near_a_square(void **state) {
  static const int shapes[][3] = {{1, 1, 1},  {2, 2, 1},   {3, 3, 1},   {4, 2, 2},  {5, 2, 2},
                                  {6, 3, 2},  {7, 3, 2},   {8, 4, 2},   {12, 4, 3}, {13, 4, 3},
                                  {16, 4, 4}, {97, 12, 8}, {128, 16, 8}};
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    int rows, columns;
    rx_eigen_grid_shape(shapes[i][0], &rows, &columns);
    assert_all(rows == shapes[i][1] && columns == shapes[i][2]);
  }
}

/* ---- components ---- */

static rx_rows my_share(const double *x, size_t n, size_t p) {
  size_t first, count;

  rx_partition(n, rank_of_test(), ranks_of_test(), &first, &count);
  return (rx_rows){RX_FLOAT64, x + first * p, count, p, NULL};
}

static void check_pca(size_t n, size_t p, double offset) {
  double *x = random_rows(n, p, offset), *matrix = covariance(x, n, p);
  double *values = need(p, sizeof *values), *z = need(p * p, sizeof *z), worst = 0, total = 0;
  size_t k = 5;
  rx_rows mine = my_share(x, n, p);
  rx_pca *pca;

  assert_all(rx_pca_fit(MPI_COMM_WORLD, &mine, k, false, &pca) == RX_OK);
  solve_by_lapack(matrix, p, values, z);
  assert_all(pca->n_values == (n - 1 < p ? n - 1 : p));
  assert_all(pca->n_components == (k < pca->n_values ? k : pca->n_values));
  for (size_t i = 0; i < pca->n_values; i++) {
    worst = fmax(worst, fabs(pca->variance[i] - values[i]) / values[i]);
    total += values[i];
  }
  assert_all(worst < 1e-10);
  assert_all(fabs(pca->total / total - 1) < 1e-10);
  k = pca->n_components;
  assert_all(subspace_error(pca->loadings, k, z, p, p, k) < 1e-8);
  /* The scores of a component have its variance. */
  double *scores = need(mine.n_rows * k, sizeof *scores), *square = need(k, sizeof *square);
  assert_all(rx_pca_scores(pca, &mine, scores) == RX_OK);
  for (size_t i = 0; i < mine.n_rows; i++)
    for (size_t c = 0; c < k; c++) square[c] += scores[i * k + c] * scores[i * k + c];
  MPI_Allreduce(MPI_IN_PLACE, square, (int)k, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  for (size_t c = 0; c < k; c++)
    assert_all(fabs(square[c] / (double)(n - 1) / values[c] - 1) < 1e-10);
  free(square);
  free(scores);
  rx_pca_destroy(&pca);
  free(z);
  free(values);
  free(matrix);
  free(x);
}

static void components_are_those_of_the_covariance(void **state) {
  (void)state;
  check_pca(2, 3, 0);
  check_pca(3, 2, 0);
  check_pca(40, 7, 0);
  check_pca(30, 90, 1000);
  check_pca(300, 260, 0);
  check_pca(280, 290, 0);
}

static void one_row_and_constant_columns_have_no_components(void **state) {
  double x[12] = {1, 0.1, 2, 7, 3, 0.1, 2, 7, 8, 0.1, 2, 7};
  rx_rows mine = my_share(x, 1, 12);
  rx_pca *pca;

  (void)state;
  assert_all(rx_pca_fit(MPI_COMM_WORLD, &mine, 5, true, &pca) == RX_OK);
  assert_all(pca->n_components == 0 && pca->n_values == 0);
  rx_pca_destroy(&pca);
  mine = my_share(x, 3, 4);
  assert_all(rx_pca_fit(MPI_COMM_WORLD, &mine, 5, true, &pca) == RX_OK);
  assert_all(pca->n_components == 1 && pca->n_constant == 3);
  assert_all(fabs(pca->variance[0] - 1) < 1e-12 && fabs(pca->loadings[0] - 1) < 1e-12);
  assert_all(fabs(pca->loadings[1]) < 1e-12);
  rx_pca_destroy(&pca);
}

/* ---- the reference ---- */

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

/* Compares columns up to sign. found  [table->n_rows][k] */
static double column_error(const rx_table *table, const double *found, size_t k, size_t column,
                           size_t first, size_t count) {
  double same = 0, turned = 0;

  for (size_t i = 0; i < count; i++) {
    double expected = cell(table, first + i, column + 1), value = found[i * k + column];
    same = fmax(same, fabs(value - expected));
    turned = fmax(turned, fabs(value + expected));
  }
  double errors[2] = {same, turned};
  MPI_Allreduce(MPI_IN_PLACE, errors, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return fmin(errors[0], errors[1]);
}

static void check_reference(const char *kind) {
  char name[64];
  rx_table *points = read_reference("X.tsv"), *loadings, *scores, *variance;
  size_t n = points->n_rows, p = points->n_columns - 1, first, count;
  double *x = need(n * p, sizeof *x), worst = 0;
  rx_pca *pca;

  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < p; j++) x[i * p + j] = cell(points, i, j + 1);
  rx_rows mine = my_share(x, n, p);
  rx_partition(n, rank_of_test(), ranks_of_test(), &first, &count);
  assert_all(rx_pca_fit(MPI_COMM_WORLD, &mine, n, !strcmp(kind, "scaled"), &pca) == RX_OK);
  size_t k = pca->n_components;
  double *my_scores = need(count * k, sizeof *my_scores);
  assert_all(rx_pca_scores(pca, &mine, my_scores) == RX_OK);
  snprintf(name, sizeof name, "pca_loadings10_%s.tsv", kind);
  loadings = read_reference(name);
  snprintf(name, sizeof name, "pca_scores_%s.tsv", kind);
  scores = read_reference(name);
  snprintf(name, sizeof name, "pca_var_%s.tsv", kind);
  variance = read_reference(name);
  assert_all(k == n - 1);
  for (size_t c = 0; c < k; c++) {
    double sd = cell(variance, 0, c + 1), share = cell(variance, 1, c + 1);
    worst = fmax(worst, fabs(sqrt(pca->variance[c]) / sd - 1));
    worst = fmax(worst, fabs(pca->variance[c] / pca->total / share - 1));
    worst = fmax(worst, column_error(scores, my_scores, k, c, first, count));
  }
  for (size_t c = 0; c < 10; c++)
    worst = fmax(worst, column_error(loadings, pca->loadings, k, c, 0, p));
  assert_all(worst < 1e-10);
  rx_table_destroy(&variance);
  rx_table_destroy(&scores);
  rx_table_destroy(&loadings);
  rx_table_destroy(&points);
  rx_pca_destroy(&pca);
  free(my_scores);
  free(x);
}

static void components_are_those_of_prcomp(void **state) {
  (void)state;
  check_reference("centred");
  check_reference("scaled");
}

static const struct CMUnitTest all_tests[] = {
    cmocka_unit_test(scalapack_is_right_for_any_size_and_block),
    cmocka_unit_test(small_ones_are_solved_on_one_rank),
    cmocka_unit_test(a_matrix_of_zeros_has_eigenvalues_of_zero),
    cmocka_unit_test(a_grid_is_near_a_square),
    cmocka_unit_test(components_are_those_of_the_covariance),
    cmocka_unit_test(one_row_and_constant_columns_have_no_components),
    cmocka_unit_test(components_are_those_of_prcomp),
};

MPI_TEST_MAIN(all_tests)
