/* The start of t-SNE: principal components by LAPACK on rank 0, from the smaller of the two Gram
 * matrices, so that its bits depend on the points alone. A start that differs by 1e-13 ends in
 * another picture. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "tsne.h"

static const double first_deviation = 1e-4;

/* Copies the points, each dimension less its mean. out  [n_dims][n] */
static void centre_points(const rx_points *points, double *out) {
  for (size_t dim = 0; dim < points->n_dims; dim++) {
    const double *x = points->values + dim * points->stride;
    double mean = 0;
    for (size_t i = 0; i < points->n; i++) mean += x[i];
    mean /= (double)points->n;
    for (size_t i = 0; i < points->n; i++) out[dim * points->n + i] = x[i] - mean;
  }
}

/* The leading two eigenvectors of a symmetric matrix, each times the root of its value when that is
 * wanted. vectors  [n][2], zeros; the larger first */
static rx_status find_leading(double *gram, int n, bool is_scaled, double *vectors) {
  double *values = NULL, *z = NULL;
  int *support = NULL, found = 0, k = n < 2 ? n : 2;

  rx_status status = RX_NEW(&values, "t-SNE", n);
  if (!status) status = RX_NEW(&z, "t-SNE", 2 * n);
  if (!status) status = RX_NEW(&support, "t-SNE", 2 * n);
  if (!status) {
    int info = LAPACKE_dsyevr(LAPACK_ROW_MAJOR, 'V', 'I', 'U', n, gram, n, 0, 0, n - k + 1, n, 0,
                              &found, values, z, k, support);
    if (info || found != k) status = RX_FAIL(RX_ERR_INTERNAL, "LAPACK dsyevr: info %d", info);
  }
  for (int c = 0; c < k && !status; c++) {
    double scale = is_scaled ? sqrt(fmax(0, values[k - 1 - c])) : 1;
    for (int i = 0; i < n; i++) vectors[2 * i + c] = scale * z[i * k + k - 1 - c];
  }
  free(support);
  free(z);
  free(values);
  return status;
}

/* Scores along two components. x  [n_dims][n], centred; y  [n][2], zeros */
static rx_status find_scores(const double *x, int n_dims, int n, double *y) {
  bool is_of_points = n <= n_dims;
  int m = is_of_points ? n : n_dims;
  double *gram = NULL, *vectors = NULL;

  rx_status status = RX_NEW(&gram, "t-SNE", (size_t)m * (size_t)m);
  if (!status) status = RX_NEW(&vectors, "t-SNE", 2 * m);
  if (!status) {
    cblas_dsyrk(CblasRowMajor, CblasUpper, is_of_points ? CblasTrans : CblasNoTrans, m,
                is_of_points ? n_dims : n, 1, x, n, 0, gram, m);
    status = find_leading(gram, m, is_of_points, is_of_points ? y : vectors);
  }
  if (!status && !is_of_points)
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, 2, n_dims, 1, x, n, vectors, 2, 0, y,
                2);
  free(vectors);
  free(gram);
  return status;
}

/* Fixes the signs by the largest coordinate. */
static void fix_signs(double *y, size_t n) {
  for (size_t c = 0; c < 2; c++) {
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
      if (fabs(y[2 * i + c]) > fabs(y[2 * most + c])) most = i;
    double sign = y[2 * most + c] < 0 ? -1 : 1;
    for (size_t i = 0; i < n; i++) y[2 * i + c] *= sign;
  }
}

/* The first component gets the standard deviation of a start; the second keeps its share. */
static void shrink(double *y, size_t n) {
  double square = 0;

  for (size_t i = 0; i < n; i++) square += y[2 * i] * y[2 * i];
  double deviation = sqrt(square / (double)n);
  for (size_t c = 0; c < 2 * n && deviation > 0; c++) y[c] *= first_deviation / deviation;
}

static rx_status make_start(const rx_points *points, double *y) {
  double *x;

  RX_TRY(RX_NEW(&x, "t-SNE", points->n_dims * points->n));
  centre_points(points, x);
  memset(y, 0, 2 * points->n * sizeof *y);
  rx_status status = find_scores(x, (int)points->n_dims, (int)points->n, y);
  free(x);
  if (status) return status;
  fix_signs(y, points->n);
  shrink(y, points->n);
  return RX_OK;
}

rx_status rx_tsne_start(MPI_Comm comm, const rx_points *points, double *y) {
  int rank;

  MPI_Comm_rank(comm, &rank);
  RX_TRY(RX_AGREE(comm, rank == 0 ? make_start(points, y) : RX_OK));
  rx_broadcast_bytes(comm, y, 2 * points->n * sizeof *y);
  return RX_OK;
}
