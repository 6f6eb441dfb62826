/* eigen.h: the eigenvalues and leading eigenvectors of a symmetric matrix that is a sum over ranks.
 *
 * Large matrices are summed straight into ScaLAPACK's block-cyclic layout and solved by pdsyevd;
 * small ones by LAPACK on rank 0, where they take less time than the ranks need to talk. After each
 * solution V L V' is compared with the matrix, and V'V with 1, on random vectors: pdsyevd with the
 * workspace it asks for has been seen to give wrong vectors and no error. */
#ifndef RADMIX_CLUSTERING_EIGEN_H
#define RADMIX_CLUSTERING_EIGEN_H

#include <mpi.h>
#include <stddef.h>

#include "radmix/status.h"

typedef struct {
  size_t n, n_vectors;
  double *values;  /* [n], falling */
  double *vectors; /* [n][n_vectors], of the largest values; signs as they come */
} rx_eigen;

/* Solves; every rank gets all. Collective over comm.
 * share  [n][n] this rank's summand, symmetric
 * Errors: RX_ERR_MEMORY; RX_ERR_INTERNAL when the solution fails its check. */
rx_status rx_eigen_solve(MPI_Comm comm, const double *share, size_t n, size_t n_vectors,
                         rx_eigen **out);
void rx_eigen_destroy(rx_eigen **eigen);

/* The two ways; rx_eigen_solve() chooses. block  edge of a block of the block-cyclic layout. */
rx_status rx_eigen_solve_alone(MPI_Comm comm, const double *share, size_t n, size_t n_vectors,
                               rx_eigen **out);
rx_status rx_eigen_solve_grid(MPI_Comm comm, const double *share, size_t n, size_t n_vectors,
                              int block, rx_eigen **out);

/* Chooses the process grid for so many ranks: near a square, some ranks left out rather than long
 * and thin. Local. */
void rx_eigen_grid_shape(int n_ranks, int *n_rows, int *n_columns);

#endif
