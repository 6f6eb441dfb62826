#include "eigen_grid.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "scalapack.h"

static const int first = 1, origin = 0;

/* Doubles beyond what pdsyevd asks for: without them its results are wrong for small matrices. */
enum { EXTRA_WORK = 1000000 };

/* ---- the check ---- */

/* A backward stable solver errs by a small multiple of n * 1e-16; a wrong vector by about 1. */
static const double check_tolerance = 1e-10;

rx_eigen_check rx_eigen_check_begin(const double *values, size_t n) {
  rx_eigen_check check = {0};

  for (size_t i = 0; i < n; i++)
    if (!(fabs(values[i]) <= check.norm)) check.norm = fabs(values[i]);
  return check;
}

void rx_eigen_check_vector(int number, size_t n, double *vector) {
  rx_random random = rx_random_at(0, RX_RANDOM_CLUSTERS, UINT_MAX, (uint32_t)number);

  for (size_t i = 0; i < n; i++) vector[i] = rx_random_normal(&random);
}

static double largest_difference(size_t n, const double *a, const double *b) {
  double most = 0;

  for (size_t i = 0; i < n; i++)
    if (!(fabs(a[i] - b[i]) <= most)) most = fabs(a[i] - b[i]); /* also of NaN */
  return most / sqrt((double)n);
}

void rx_eigen_check_orthogonal(rx_eigen_check *check, size_t n, const double *found,
                               const double *expected) {
  double error = largest_difference(n, found, expected);
  if (!(error <= check->orthogonal)) check->orthogonal = error;
}

void rx_eigen_check_residual(rx_eigen_check *check, size_t n, const double *found,
                             const double *expected) {
  double error = largest_difference(n, found, expected);
  if (!(error <= check->residual)) check->residual = error;
}

rx_status rx_eigen_check_end(const rx_eigen_check *check, const char *who) {
  if (check->orthogonal <= check_tolerance && check->residual <= check_tolerance * check->norm)
    return RX_OK;
  return RX_FAIL(RX_ERR_INTERNAL,
                 "%s: expected eigenvectors, found vectors that are none: residual %.2g of norm "
                 "%.2g, orthogonality %.2g",
                 who, check->residual, check->norm, check->orthogonal);
}

/* ---- layout ---- */

static int share_of(const rx_eigen_grid *grid, int process, int n_processes) {
  return numroc_(&grid->n, &grid->block, &process, &origin, &n_processes);
}

/* The index in the matrix of a local one. */
static size_t global_index(const rx_eigen_grid *grid, int local, int process, int n_processes) {
  int turn = local / grid->block;

  return (size_t)(turn * n_processes + process) * (size_t)grid->block +
         (size_t)(local % grid->block);
}

static size_t row_of(const rx_eigen_grid *grid, int local) {
  return global_index(grid, local, grid->row, grid->n_rows);
}

static size_t column_of(const rx_eigen_grid *grid, int local) {
  return global_index(grid, local, grid->column, grid->n_columns);
}

static size_t local_size(const rx_eigen_grid *grid) {
  return (size_t)grid->leading * (size_t)(grid->local_columns > 0 ? grid->local_columns : 1);
}

static void start_blacs(rx_eigen_grid *grid) {
  grid->handle = Csys2blacs_handle(grid->comm);
  grid->context = grid->handle;
  Cblacs_gridinit(&grid->context, "Row", grid->n_rows, grid->n_columns);
  Cblacs_gridinfo(grid->context, &grid->n_rows, &grid->n_columns, &grid->row, &grid->column);
  grid->local_rows = share_of(grid, grid->row, grid->n_rows);
  grid->local_columns = share_of(grid, grid->column, grid->n_columns);
  grid->leading = grid->local_rows > 0 ? grid->local_rows : 1;
}

static rx_status allocate(rx_eigen_grid *grid) {
  int info;

  if (grid->comm == MPI_COMM_NULL) return RX_OK;
  descinit_(grid->descriptor, &grid->n, &grid->n, &grid->block, &grid->block, &origin, &origin,
            &grid->context, &grid->leading, &info);
  if (info) return RX_FAIL(RX_ERR_INTERNAL, "ScaLAPACK descinit: info %d", info);
  if (local_size(grid) > INT_MAX)
    return RX_FAIL(RX_ERR_MEMORY, "a matrix of %d rows is too large for so few ranks", grid->n);
  RX_TRY(RX_NEW(&grid->matrix, "matrix", local_size(grid)));
  RX_TRY(RX_NEW(&grid->vectors, "eigenvectors", local_size(grid)));
  return RX_NEW(&grid->values, "eigenvalues", grid->n);
}

rx_status rx_eigen_grid_create(MPI_Comm comm, int n_rows, int n_columns, size_t n, int block,
                               rx_eigen_grid **out) {
  int rank;

  MPI_Comm_rank(comm, &rank);
  rx_status status = RX_NEW(out, "matrix", 1);
  if (!status && n > INT_MAX / 2) status = RX_FAIL(RX_ERR_INTERNAL, "matrix of %zu rows", n);
  if ((status = RX_AGREE(comm, status))) return status;
  rx_eigen_grid *grid = *out;
  grid->all = comm;
  grid->n = (int)n;
  grid->block = block;
  grid->n_rows = n_rows;
  grid->n_columns = n_columns;
  MPI_Comm_split(comm, rank < n_rows * n_columns ? 0 : MPI_UNDEFINED, rank, &grid->comm);
  if (grid->comm != MPI_COMM_NULL) start_blacs(grid);
  return RX_AGREE(comm, allocate(grid));
}

void rx_eigen_grid_destroy(rx_eigen_grid **grid) {
  rx_eigen_grid *g = *grid;

  if (!g) return;
  if (g->comm != MPI_COMM_NULL && g->n) {
    Cblacs_gridexit(g->context);
    Cfree_blacs_system_handle(g->handle);
    MPI_Comm_free(&g->comm);
  }
  free(g->matrix);
  free(g->vectors);
  free(g->values);
  free(g);
  *grid = NULL;
}

/* What process (row, column) gets of this rank's share, by columns. Returns how many numbers. */
static size_t pack(const rx_eigen_grid *grid, int row, int column, const double *share,
                   double *packed) {
  int rows = share_of(grid, row, grid->n_rows);
  int columns = share_of(grid, column, grid->n_columns);
  size_t n = (size_t)grid->n, used = 0;

  for (int j = 0; j < columns; j++) {
    size_t to = global_index(grid, j, column, grid->n_columns);
    for (int i = 0; i < rows; i++) {
      size_t from = global_index(grid, i, row, grid->n_rows);
      packed[used++] = share[to * n + from]; /* = share[from][to] */
    }
  }
  return used;
}

rx_status rx_eigen_grid_fill(rx_eigen_grid *grid, const double *share) {
  double *packed;
  int rank, n_processes = grid->n_rows * grid->n_columns;
  size_t most =
      (size_t)(share_of(grid, 0, grid->n_rows)) * (size_t)(share_of(grid, 0, grid->n_columns));

  MPI_Comm_rank(grid->all, &rank);
  rx_status status = RX_NEW_AGREED(grid->all, &packed, "matrix", most);
  for (int process = 0; process < n_processes && !status; process++) {
    int row = process / grid->n_columns, column = process % grid->n_columns;
    size_t n = pack(grid, row, column, share, packed);
    MPI_Reduce(packed, rank == process ? grid->matrix : NULL, (int)n, MPI_DOUBLE, MPI_SUM, process,
               grid->all);
  }
  free(packed);
  return status;
}

/* ---- solution ---- */

/* Calls pdsyevd, which destroys matrix. */
static rx_status call_pdsyevd(rx_eigen_grid *grid, double *matrix) {
  double best, *work = NULL;
  int least, query = -1, info, *integers = NULL;
  const int *d = grid->descriptor;

  pdsyevd_("V", "L", &grid->n, matrix, &first, &first, d, grid->values, grid->vectors, &first,
           &first, d, &best, &query, &least, &query, &info);
  int n_work = (int)best + grid->block * (grid->local_rows + grid->local_columns) +
               2 * grid->block * grid->block + EXTRA_WORK;
  rx_status status = RX_NEW(&work, "eigenvectors", n_work);
  if (!status) status = RX_NEW(&integers, "eigenvectors", least);
  if (!(status = RX_AGREE(grid->comm, status))) {
    pdsyevd_("V", "L", &grid->n, matrix, &first, &first, d, grid->values, grid->vectors, &first,
             &first, d, work, &n_work, integers, &least, &info);
    if (info) status = RX_FAIL(RX_ERR_INTERNAL, "ScaLAPACK pdsyevd: info %d", info);
    status = RX_AGREE(grid->comm, status);
  }
  free(integers);
  free(work);
  return status;
}

/* out = A x for a matrix of the grid's layout, on all ranks of the grid. */
static void multiply(const rx_eigen_grid *grid, double *out, const double *a, const double *x) {
  memset(out, 0, (size_t)grid->n * sizeof *out);
  for (int j = 0; j < grid->local_columns; j++) {
    const double *column = a + (size_t)j * (size_t)grid->leading;
    double factor = x[column_of(grid, j)];
    for (int i = 0; i < grid->local_rows; i++) out[row_of(grid, i)] += column[i] * factor;
  }
  MPI_Allreduce(MPI_IN_PLACE, out, grid->n, MPI_DOUBLE, MPI_SUM, grid->comm);
}

/* out = A' x */
static void multiply_turned(const rx_eigen_grid *grid, double *out, const double *a,
                            const double *x) {
  memset(out, 0, (size_t)grid->n * sizeof *out);
  for (int j = 0; j < grid->local_columns; j++) {
    const double *column = a + (size_t)j * (size_t)grid->leading;
    double sum = 0;
    for (int i = 0; i < grid->local_rows; i++) sum += column[i] * x[row_of(grid, i)];
    out[column_of(grid, j)] += sum;
  }
  MPI_Allreduce(MPI_IN_PLACE, out, grid->n, MPI_DOUBLE, MPI_SUM, grid->comm);
}

/* values rise here, as pdsyevd leaves them. */
static rx_status check_solution(const rx_eigen_grid *grid) {
  size_t n = (size_t)grid->n;
  double *s;

  rx_status status = RX_NEW_AGREED(grid->comm, &s, "eigenvectors", 4 * n);
  if (status) return status;
  double *zs = s + n, *found = zs + n, *expected = found + n;
  rx_eigen_check check = rx_eigen_check_begin(grid->values, n);
  for (int vector = 0; vector < RX_EIGEN_CHECKS; vector++) {
    rx_eigen_check_vector(vector, n, s);
    multiply(grid, zs, grid->vectors, s);
    multiply_turned(grid, found, grid->vectors, zs);
    rx_eigen_check_orthogonal(&check, n, found, s);
    multiply(grid, found, grid->matrix, zs);
    for (size_t i = 0; i < n; i++) s[i] *= grid->values[i];
    multiply(grid, expected, grid->vectors, s);
    rx_eigen_check_residual(&check, n, found, expected);
  }
  free(s);
  return RX_AGREE(grid->comm, rx_eigen_check_end(&check, "ScaLAPACK pdsyevd"));
}

static rx_status solve_in_grid(rx_eigen_grid *grid) {
  double *copy;

  rx_status status = RX_NEW_AGREED(grid->comm, &copy, "matrix", local_size(grid));
  if (!status) {
    memcpy(copy, grid->matrix, local_size(grid) * sizeof *copy);
    status = call_pdsyevd(grid, copy);
  }
  free(copy);
  if (!status) status = check_solution(grid);
  for (int i = 0, j = grid->n - 1; i < j && !status; i++, j--) {
    double value = grid->values[i];
    grid->values[i] = grid->values[j];
    grid->values[j] = value;
  }
  return status;
}

rx_status rx_eigen_grid_solve(rx_eigen_grid *grid) {
  return RX_AGREE(grid->all, grid->comm != MPI_COMM_NULL ? solve_in_grid(grid) : RX_OK);
}

void rx_eigen_grid_gather(const rx_eigen_grid *grid, size_t n_vectors, double *out) {
  int rank;

  if (grid->comm == MPI_COMM_NULL) return;
  MPI_Comm_rank(grid->comm, &rank);
  for (int j = 0; j < grid->local_columns; j++) {
    size_t from_top = (size_t)grid->n - 1 - column_of(grid, j);
    if (from_top >= n_vectors) continue;
    const double *column = grid->vectors + (size_t)j * (size_t)grid->leading;
    for (int i = 0; i < grid->local_rows; i++)
      out[row_of(grid, i) * n_vectors + from_top] = column[i];
  }
  MPI_Reduce(rank == 0 ? MPI_IN_PLACE : out, out, (int)((size_t)grid->n * n_vectors), MPI_DOUBLE,
             MPI_SUM, 0, grid->comm);
}
