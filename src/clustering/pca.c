#include "pca.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eigen.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

enum { SCORE_ROWS = 512 };

static const double least_variance = 1e-12;

void rx_pca_destroy(rx_pca **pca) {
  if (!*pca) return;
  free((*pca)->centre);
  free((*pca)->scale);
  free((*pca)->variance);
  free((*pca)->loadings);
  free(*pca);
  *pca = NULL;
}

static rx_status create(size_t n_rows, size_t n_columns, rx_pca **out) {
  RX_TRY(RX_NEW(out, "components", 1));
  rx_pca *pca = *out;
  pca->n_rows = n_rows;
  pca->n_columns = n_columns;
  pca->n_values = n_rows - 1 < n_columns ? n_rows - 1 : n_columns;
  rx_status status = RX_NEW(&pca->centre, "components", n_columns);
  if (!status) status = RX_NEW(&pca->scale, "components", n_columns);
  if (!status) status = RX_NEW(&pca->variance, "components", pca->n_values);
  return status;
}

/* ---- centre and scale ---- */

static void sum_over_ranks(MPI_Comm comm, double *values, size_t n) {
  MPI_Allreduce(MPI_IN_PLACE, values, (int)n, MPI_DOUBLE, MPI_SUM, comm);
}

/* Means, and standard deviations where a column has one; what remains of a constant column is
 * rounding. */
static rx_status standardise(MPI_Comm comm, const rx_rows *rows, bool is_scaled, rx_pca *pca) {
  double *square, n = (double)pca->n_rows;

  rx_status status = RX_NEW_AGREED(comm, &square, "components", pca->n_columns);
  if (status) return status;
  rx_gram_sums(rows, pca->centre);
  sum_over_ranks(comm, pca->centre, pca->n_columns);
  for (size_t j = 0; j < pca->n_columns; j++) pca->centre[j] /= n;
  rx_gram_squares(rows, pca->centre, square);
  sum_over_ranks(comm, square, pca->n_columns);
  for (size_t j = 0; j < pca->n_columns; j++) {
    double rounding = 1e-12 * pca->centre[j];
    bool is_constant = !(square[j] > n * rounding * rounding);
    pca->n_constant += is_constant;
    pca->scale[j] = is_constant ? 0 : is_scaled ? 1 / sqrt(square[j] / (n - 1)) : 1;
    pca->total += square[j] / (n - 1) * pca->scale[j] * pca->scale[j];
  }
  free(square);
  return RX_OK;
}

/* ---- the two Gram matrices ---- */

static rx_status solve_columns(MPI_Comm comm, const rx_rows *rows, const rx_pca *pca, size_t n_most,
                               rx_eigen **eigen) {
  rx_gram *gram;

  rx_status status = RX_AGREE(comm, rx_gram_create(pca->n_columns, &gram));
  if (!status) {
    rx_gram_add(gram, rows, pca->centre, pca->scale);
    rx_gram_finish(gram);
    status = rx_eigen_solve(comm, gram->values, pca->n_columns, n_most, eigen);
  }
  rx_gram_destroy(&gram);
  return status;
}

/* How rows are split become columns that are split. */
typedef struct {
  int n_ranks;
  int *send, *send_at, *receive, *receive_at; /* [n_ranks] */
  size_t first, count;                        /* columns of this rank */
} exchange;

static rx_status plan_exchange(MPI_Comm comm, size_t my_rows, size_t n_columns, exchange *e) {
  int rank;

  *e = (exchange){0};
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &e->n_ranks);
  rx_partition(n_columns, rank, e->n_ranks, &e->first, &e->count);
  rx_status status = RX_NEW_AGREED(comm, &e->send, "components", 4 * e->n_ranks);
  if (status) return status;
  e->send_at = e->send + e->n_ranks;
  e->receive = e->send_at + e->n_ranks;
  e->receive_at = e->receive + e->n_ranks;
  for (int r = 0; r < e->n_ranks; r++) {
    size_t first, count;
    rx_partition(n_columns, r, e->n_ranks, &first, &count);
    e->send[r] = (int)(my_rows * count);
    e->send_at[r] = (int)(my_rows * first);
  }
  MPI_Alltoall(e->send, 1, MPI_INT, e->receive, 1, MPI_INT, comm);
  for (int r = 1; r < e->n_ranks; r++) e->receive_at[r] = e->receive_at[r - 1] + e->receive[r - 1];
  return RX_OK;
}

/* Reorders z [rows][n_columns] by the rank that gets the columns. */
static void pack(const exchange *e, const double *z, size_t n_rows, size_t n_columns,
                 double *packed) {
  for (int r = 0; r < e->n_ranks; r++) {
    size_t first, count;
    rx_partition(n_columns, r, e->n_ranks, &first, &count);
    for (size_t row = 0; row < n_rows; row++, packed += count)
      memcpy(packed, z + row * n_columns + first, count * sizeof *z);
  }
}

/* Gives each rank all rows of its columns. columns  [n_rows of all][e->count] */
static rx_status exchange_columns(MPI_Comm comm, const rx_rows *rows, const rx_pca *pca,
                                  const exchange *e, double *columns) {
  double *z = NULL, *packed = NULL;
  size_t size = rows->n_rows * rows->n_columns;

  rx_status status = RX_NEW(&z, "components", size);
  if (!status) status = RX_NEW(&packed, "components", size);
  if (!status && size > INT_MAX) status = RX_FAIL(RX_ERR_MEMORY, "PCA: too many rows on a rank");
  if (!(status = RX_AGREE(comm, status))) {
    rx_gram_standardise(rows, pca->centre, pca->scale, z);
    pack(e, z, rows->n_rows, rows->n_columns, packed);
    MPI_Alltoallv(packed, e->send, e->send_at, MPI_DOUBLE, columns, e->receive, e->receive_at,
                  MPI_DOUBLE, comm);
  }
  free(packed);
  free(z);
  return status;
}

/* The Gram matrix of the rows, over this rank's columns. gram  [n_rows][n_rows], set, symmetric */
static void multiply_rows(const double *columns, size_t n_rows, size_t n_columns, double *gram) {
  int n = (int)n_rows, k = (int)n_columns;

  if (k) cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, n, k, 1, columns, k, 0, gram, n);
  for (size_t i = 0; i < n_rows; i++)
    for (size_t j = 0; j < i; j++) gram[i * n_rows + j] = gram[j * n_rows + i];
}

/* Turns vectors of the rows into loadings of the columns, v = Z' u / |Z' u|. Collective. */
static void make_loadings(MPI_Comm comm, const exchange *e, const double *columns,
                          const rx_eigen *rows, size_t n_columns, double *loadings) {
  int n = (int)rows->n, k = (int)rows->n_vectors, m = (int)e->count;

  memset(loadings, 0, n_columns * rows->n_vectors * sizeof *loadings);
  if (m && k)
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, k, n, 1, columns, m, rows->vectors, k,
                0, loadings + e->first * rows->n_vectors, k);
  sum_over_ranks(comm, loadings, n_columns * rows->n_vectors);
  for (size_t c = 0; c < rows->n_vectors; c++) {
    double square = 0;
    for (size_t j = 0; j < n_columns; j++)
      square += loadings[j * rows->n_vectors + c] * loadings[j * rows->n_vectors + c];
    for (size_t j = 0; j < n_columns && square > 0; j++)
      loadings[j * rows->n_vectors + c] /= sqrt(square);
  }
}

/* The same through the rows: values of the eigenproblem, and loadings as its vectors. */
static rx_status solve_rows(MPI_Comm comm, const rx_rows *rows, const rx_pca *pca, size_t n_most,
                            rx_eigen **eigen) {
  size_t n = pca->n_rows;
  double *columns = NULL, *gram = NULL, *loadings = NULL;
  exchange e;

  rx_status status = plan_exchange(comm, rows->n_rows, pca->n_columns, &e);
  if (status) return status;
  status = RX_NEW(&columns, "components", n * e.count);
  if (!status) status = RX_NEW(&gram, "Gram matrix", n * n);
  if (!status) status = RX_NEW(&loadings, "components", pca->n_columns * n_most);
  if (!(status = RX_AGREE(comm, status))) status = exchange_columns(comm, rows, pca, &e, columns);
  if (!status) {
    multiply_rows(columns, n, e.count, gram);
    status = rx_eigen_solve(comm, gram, n, n_most, eigen);
  }
  if (!status) {
    make_loadings(comm, &e, columns, *eigen, pca->n_columns, loadings);
    free((*eigen)->vectors);
    (*eigen)->vectors = loadings;
    loadings = NULL;
  }
  free(loadings);
  free(gram);
  free(columns);
  free(e.send);
  return status;
}

/* ---- putting them together ---- */

/* Keeps what has variance, and turns each component so that its largest loading is positive; of
 * loadings as large but for rounding the first one counts. */
static void take(const rx_eigen *eigen, rx_pca *pca) {
  size_t n = pca->n_columns, from = eigen->n_vectors;

  for (size_t v = 0; v < pca->n_values; v++)
    pca->variance[v] = fmax(0, eigen->values[v]) / (double)(pca->n_rows - 1);
  while (pca->n_components < from && pca->variance[pca->n_components] > 0 &&
         pca->variance[pca->n_components] > least_variance * pca->variance[0])
    pca->n_components++;
  for (size_t c = 0; c < pca->n_components; c++) {
    double most = 0, sign = 0;
    for (size_t j = 0; j < n; j++) most = fmax(most, fabs(eigen->vectors[j * from + c]));
    for (size_t j = 0; j < n && sign == 0; j++)
      if (fabs(eigen->vectors[j * from + c]) >= most * (1 - 1e-6))
        sign = eigen->vectors[j * from + c] < 0 ? -1 : 1;
    for (size_t j = 0; j < n; j++) eigen->vectors[j * from + c] *= sign;
  }
  for (size_t j = 0; j < n; j++)
    for (size_t c = 0; c < pca->n_components; c++)
      pca->loadings[j * pca->n_components + c] = eigen->vectors[j * from + c];
}

static size_t count_rows(MPI_Comm comm, size_t mine) {
  unsigned long long n = mine;

  MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, comm);
  return (size_t)n;
}

rx_status rx_pca_fit(MPI_Comm comm, const rx_rows *rows, size_t n_most, bool is_scaled,
                     rx_pca **out) {
  rx_eigen *eigen = NULL;
  size_t n_rows = count_rows(comm, rows->n_rows);
  rx_status status = RX_OK;

  *out = NULL;
  if (!n_rows) status = RX_FAIL(RX_ERR_INTERNAL, "PCA of no rows");
  if (!status) status = create(n_rows, rows->n_columns, out);
  if ((status = RX_AGREE(comm, status))) goto done;
  rx_pca *pca = *out;
  if (n_most > pca->n_values) n_most = pca->n_values;
  if ((status = RX_NEW_AGREED(comm, &pca->loadings, "components", pca->n_columns * n_most)))
    goto done;
  if (n_rows > 1) {
    if ((status = standardise(comm, rows, is_scaled, pca))) goto done;
    status = pca->n_columns <= n_rows ? solve_columns(comm, rows, pca, n_most, &eigen)
                                      : solve_rows(comm, rows, pca, n_most, &eigen);
    if (!status) take(eigen, pca);
  }
done:
  rx_eigen_destroy(&eigen);
  if (status) rx_pca_destroy(out);
  return status;
}

rx_status rx_pca_scores(const rx_pca *pca, const rx_rows *rows, double *scores) {
  size_t k = pca->n_components, size = rows->type == RX_FLOAT32 ? sizeof(float) : sizeof(double);
  int n_columns = (int)pca->n_columns;
  double *z;

  if (!k) return RX_OK;
  RX_TRY(RX_NEW(&z, "components", SCORE_ROWS * pca->n_columns));
  for (size_t row = 0; row < rows->n_rows; row += SCORE_ROWS) {
    size_t n = rows->n_rows - row < SCORE_ROWS ? rows->n_rows - row : SCORE_ROWS;
    rx_rows part = *rows;
    part.values = (const char *)rows->values + row * pca->n_columns * size;
    part.n_rows = n;
    rx_gram_standardise(&part, pca->centre, pca->scale, z);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)k, n_columns, 1, z,
                n_columns, pca->loadings, (int)k, 0, scores + row * k, (int)k);
  }
  free(z);
  return RX_OK;
}
