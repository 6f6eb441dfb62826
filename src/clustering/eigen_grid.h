/* eigen_grid.h: a symmetric matrix in ScaLAPACK's block-cyclic layout; and how a solution is
 * checked. Only eigen.c uses it. */
#ifndef RADMIX_CLUSTERING_EIGEN_GRID_H
#define RADMIX_CLUSTERING_EIGEN_GRID_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "radmix/status.h"

/* ---- the check, local ---- */

enum { RX_EIGEN_CHECKS = 4 };

typedef struct {
  double norm;                 /* largest absolute eigenvalue */
  double residual, orthogonal; /* largest errors so far, of vectors of length 1 */
} rx_eigen_check;

rx_eigen_check rx_eigen_check_begin(const double *values, size_t n);
/* A vector of independent normals, the same on all ranks. */
void rx_eigen_check_vector(int number, size_t n, double *vector);
/* found = V'(V s), expected = s */
void rx_eigen_check_orthogonal(rx_eigen_check *check, size_t n, const double *found,
                               const double *expected);
/* found = A (V s), expected = V (L s) */
void rx_eigen_check_residual(rx_eigen_check *check, size_t n, const double *found,
                             const double *expected);
rx_status rx_eigen_check_end(const rx_eigen_check *check, const char *who);

/* ---- the grid ---- */

typedef struct {
  MPI_Comm all, comm; /* comm: the ranks of the grid; MPI_COMM_NULL outside */
  int handle, context;
  int n, block, n_rows, n_columns, row, column; /* process (row, column) of the grid */
  int local_rows, local_columns, leading;
  int descriptor[9];
  double *matrix;  /* [local_columns][leading]: kept for the check */
  double *vectors; /* the same; column j belongs to the j-th smallest value */
  double *values;  /* [n], falling; on all ranks of the grid, set by solve */
} rx_eigen_grid;

/* All are collective over comm of create; ranks outside the grid only join. */
rx_status rx_eigen_grid_create(MPI_Comm comm, int n_rows, int n_columns, size_t n, int block,
                               rx_eigen_grid **out);
void rx_eigen_grid_destroy(rx_eigen_grid **grid);
/* Sums the shares of all ranks. share  [n][n], symmetric */
rx_status rx_eigen_grid_fill(rx_eigen_grid *grid, const double *share);
rx_status rx_eigen_grid_solve(rx_eigen_grid *grid);
/* Gives rank 0 the vectors of the largest values. out  [n][n_vectors], of zeros */
void rx_eigen_grid_gather(const rx_eigen_grid *grid, size_t n_vectors, double *out);

#endif
