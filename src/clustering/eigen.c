#include "eigen.h"

#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eigen_grid.h"
#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* Below ALONE one rank takes two seconds at most; the grid sends some ten messages a row, which
 * cost more than that when ranks share cores. A process of the grid has at least LEAST_SHARE rows.
 */
enum { ALONE = 2048, LEAST_SHARE = 128, BLOCK = 64 };

void rx_eigen_destroy(rx_eigen **eigen) {
  if (!*eigen) return;
  free((*eigen)->values);
  free((*eigen)->vectors);
  free(*eigen);
  *eigen = NULL;
}

static rx_status create(size_t n, size_t n_vectors, rx_eigen **out) {
  RX_TRY(RX_NEW(out, "eigenvectors", 1));
  (*out)->n = n;
  (*out)->n_vectors = n_vectors;
  rx_status status = RX_NEW(&(*out)->values, "eigenvalues", n);
  if (!status) status = RX_NEW(&(*out)->vectors, "eigenvectors", n * n_vectors);
  return status;
}

void rx_eigen_grid_shape(int n_ranks, int *n_rows, int *n_columns) {
  for (int used = n_ranks;; used--) {
    int columns = (int)sqrt((double)used);
    while (used % columns) columns--;
    *n_rows = used / columns;
    *n_columns = columns;
    if (*n_rows <= 3 * columns) return;
  }
}

/* ---- one rank ---- */

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;

  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* out = A x (symmetric), in C order. */
static void multiply(double *out, const double *a, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = dot(a + i * n, x, n);
}

/* out = A' x */
static void multiply_turned(double *out, const double *a, const double *x, size_t n) {
  memset(out, 0, n * sizeof *out);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) out[j] += a[i * n + j] * x[i];
}

/* Checks columns z[.][j] with values[j]. work  [4 * n] */
static rx_status check_alone(const double *matrix, const double *z, const double *values, size_t n,
                             double *work) {
  double *s = work, *zs = s + n, *found = zs + n, *expected = found + n;
  rx_eigen_check check = rx_eigen_check_begin(values, n);

  for (int vector = 0; vector < RX_EIGEN_CHECKS; vector++) {
    rx_eigen_check_vector(vector, n, s);
    multiply(zs, z, s, n);
    multiply_turned(found, z, zs, n);
    rx_eigen_check_orthogonal(&check, n, found, s);
    multiply(found, matrix, zs, n);
    for (size_t i = 0; i < n; i++) s[i] *= values[i];
    multiply(expected, z, s, n);
    rx_eigen_check_residual(&check, n, found, expected);
  }
  return rx_eigen_check_end(&check, "LAPACK dsyevd");
}

/* Solves the whole matrix; z becomes its vectors. */
static rx_status solve(double *matrix, size_t n, rx_eigen *eigen) {
  double *z = NULL, *values = NULL, *work = NULL;
  rx_status status;

  if ((status = RX_NEW(&z, "eigenvectors", n * n))) goto done;
  if ((status = RX_NEW(&values, "eigenvalues", n))) goto done;
  if ((status = RX_NEW(&work, "eigenvectors", 4 * n))) goto done;
  memcpy(z, matrix, n * n * sizeof *z);
  int info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (int)n, z, (int)n, values);
  if (info) {
    status = RX_FAIL(RX_ERR_INTERNAL, "LAPACK dsyevd: info %d", info);
    goto done;
  }
  if ((status = check_alone(matrix, z, values, n, work))) goto done;
  for (size_t j = 0; j < n; j++) eigen->values[j] = values[n - 1 - j];
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < eigen->n_vectors; j++)
      eigen->vectors[i * eigen->n_vectors + j] = z[i * n + n - 1 - j];
done:
  free(work);
  free(values);
  free(z);
  return status;
}

rx_status rx_eigen_solve_alone(MPI_Comm comm, const double *share, size_t n, size_t n_vectors,
                               rx_eigen **out) {
  double *sum = NULL;
  int rank;

  MPI_Comm_rank(comm, &rank);
  rx_status status = create(n, n_vectors, out);
  if (!status && rank == 0) status = RX_NEW(&sum, "matrix", n * n);
  if (!status && n > 32768) status = RX_FAIL(RX_ERR_INTERNAL, "matrix of %zu rows on one rank", n);
  status = RX_AGREE(comm, status);
  if (!status) {
    MPI_Reduce(share, sum, (int)(n * n), MPI_DOUBLE, MPI_SUM, 0, comm);
    status = RX_AGREE(comm, rank == 0 ? solve(sum, n, *out) : RX_OK);
  }
  free(sum);
  if (status) {
    rx_eigen_destroy(out);
    return status;
  }
  rx_broadcast_bytes(comm, (*out)->values, n * sizeof(double));
  rx_broadcast_bytes(comm, (*out)->vectors, n * n_vectors * sizeof(double));
  return RX_OK;
}

/* ---- the grid ---- */

rx_status rx_eigen_solve_grid(MPI_Comm comm, const double *share, size_t n, size_t n_vectors,
                              int block, rx_eigen **out) {
  rx_eigen_grid *grid = NULL;
  int rank, n_ranks, n_rows, n_columns;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  rx_eigen_grid_shape(n_ranks, &n_rows, &n_columns);
  rx_status status = create(n, n_vectors, out);
  if (!status && n * n_vectors > INT_MAX)
    status = RX_FAIL(RX_ERR_INTERNAL, "matrix of %zu rows: too large", n);
  status = RX_AGREE(comm, status);
  if (!status) status = rx_eigen_grid_create(comm, n_rows, n_columns, n, block, &grid);
  if (!status) status = rx_eigen_grid_fill(grid, share);
  if (!status) status = rx_eigen_grid_solve(grid);
  if (!status) {
    if (rank == 0) memcpy((*out)->values, grid->values, n * sizeof(double));
    rx_eigen_grid_gather(grid, n_vectors, (*out)->vectors);
    rx_broadcast_bytes(comm, (*out)->values, n * sizeof(double));
    rx_broadcast_bytes(comm, (*out)->vectors, n * n_vectors * sizeof(double));
  }
  rx_eigen_grid_destroy(&grid);
  if (status) rx_eigen_destroy(out);
  return status;
}

rx_status rx_eigen_solve(MPI_Comm comm, const double *share, size_t n, size_t n_vectors,
                         rx_eigen **out) {
  int block = BLOCK, n_ranks, n_rows, n_columns;

  MPI_Comm_size(comm, &n_ranks);
  rx_eigen_grid_shape(n_ranks, &n_rows, &n_columns);
  if (n_ranks == 1 || n < ALONE || n < (size_t)(LEAST_SHARE * n_rows))
    return rx_eigen_solve_alone(comm, share, n, n_vectors, out);
  while ((size_t)(2 * block * n_rows) > n) block /= 2;
  return rx_eigen_solve_grid(comm, share, n, n_vectors, block, out);
}
