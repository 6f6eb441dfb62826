/* Contrasts with covariates that vary within patients: contrasts.h. */
#include <math.h>
#include <string.h>

#include <cblas.h>
#include <lapacke.h>

#include "contrasts_parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

static const double collinear = 1e-12; /* of the products within, as correlations */
static const double least_share = 1e-15;

/* What is made on the way. m rows: patients, then further rows. */
typedef struct {
  int n_patients, n_columns, k, m; /* n_columns with the intercept; k inner columns */
  const rx_inner_columns *inner;
  double *root;    /* [k], square roots of the diagonal of S_zz */
  double *vector;  /* [k][k], of the correlations within, a row a vector */
  double *value;   /* [k] */
  double *columns; /* [n_columns + k][m], then reflections */
  double *u;       /* [n][m] */
  double *ua, *ub; /* [n][n], U'AU and U'BU */
  double *share;   /* [n], eigenvalues a of U'AU x = a U'BU x, ascending */
} maker;

static void free_maker(maker *w) {
  free(w->share);
  free(w->ub);
  free(w->ua);
  free(w->u);
  free(w->columns);
  free(w->value);
  free(w->vector);
  free(w->root);
}

/* S_zz as root R root, R = E diag(value) E'; what is collinear is left out. Sets n_inner and inner,
 * value^-1/2 E' root^-1. */
static rx_status factor_products(maker *w, rx_contrasts *c) {
  const size_t k = (size_t)w->k;

  for (size_t a = 0; a < k; a++) w->root[a] = sqrt(w->inner->product[a * k + a]);
  for (size_t a = 0; a < k; a++)
    for (size_t b = 0; b < k; b++)
      w->vector[a * k + b] = w->inner->product[a * k + b] / (w->root[a] * w->root[b]);
  /* By columns, so that the vectors stand in the rows. */
  if (LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'L', w->k, w->vector, w->k, w->value))
    return RX_FAIL(RX_ERR_INTERNAL, "associate: the eigenvalues of image covariates failed");
  for (int a = 0; a < w->k; a++) {
    if (w->value[a] <= collinear * w->k) continue;
    size_t row = (size_t)c->n_inner++;
    double scale = 1 / sqrt(w->value[a]);
    for (size_t b = 0; b < k; b++)
      c->inner[row * k + b] = scale * w->vector[(size_t)a * k + b] / w->root[b];
    w->value[row] = w->value[a]; /* row <= a: kept ones move up with their vectors */
    memmove(w->vector + row * k, w->vector + (size_t)a * k, k * sizeof *w->vector);
  }
  return RX_OK;
}

/* Inner column l over means and further rows, around its mean, of unit length (0: of the means
 * alone). Returns false when nothing is left. column  [m] */
static bool fill_inner(const maker *w, int l, int n_further, double *column) {
  const size_t k = (size_t)w->k, a = (size_t)l;
  double mean = 0, largest = 0;
  const int m = w->n_patients + n_further;

  for (int i = 0; i < w->n_patients; i++) {
    column[i] = w->inner->mean[(size_t)i * k + a];
    mean += column[i] / w->n_patients;
    largest = fmax(largest, fabs(column[i]));
  }
  for (int i = 0; i < w->n_patients; i++) column[i] -= mean;
  for (int r = 0; r < n_further; r++)
    column[w->n_patients + r] = sqrt(w->value[r]) * w->vector[(size_t)r * k + a] * w->root[l];
  double length = cblas_dnrm2(m, column, 1);
  if (!(length > 1e-12 * largest * sqrt(m))) return false;
  cblas_dscal(m, 1 / length, column, 1);
  return true;
}

/* The basis for regression of means, those of the inner columns first. */
static rx_status make_ordinary(maker *w, int n_covariates, const double *covariates,
                               rx_contrasts *c) {
  const int n = w->n_patients;

  c->n_ordinary = n - w->n_columns;
  RX_TRY(RX_NEW(&c->ordinary, "contrasts", (size_t)c->n_ordinary * (size_t)n));
  memset(w->columns, 0, (size_t)(w->n_columns + w->k) * (size_t)w->m * sizeof *w->columns);
  c->is_deficient = !rx_contrasts_fill(n, n, n_covariates, covariates, w->columns);
  for (int column = 0; column < w->n_columns && !c->is_deficient; column++)
    c->is_deficient = !rx_contrasts_reflect(n, column, w->columns);
  if (c->is_deficient) return RX_OK;
  for (int l = 0; l < w->k; l++) {
    int next = w->n_columns + c->n_skipped;
    if (fill_inner(w, l, 0, w->columns + (size_t)next * (size_t)n))
      c->n_skipped += rx_contrasts_reflect(n, next, w->columns);
  }
  rx_contrasts_complement(n, w->n_columns + c->n_skipped, w->columns, w->n_columns, c->ordinary);
  return RX_OK;
}

/* U' over means and further rows; n stays 0 when the columns are collinear. */
static rx_status make_complement(maker *w, int n_covariates, const double *covariates,
                                 rx_contrasts *c) {
  const int q = w->n_columns, all = q + w->k, n = w->m - all;

  memset(w->columns, 0, (size_t)all * (size_t)w->m * sizeof *w->columns);
  c->is_deficient = !rx_contrasts_fill(w->n_patients, w->m, n_covariates, covariates, w->columns);
  for (int l = 0; l < w->k && !c->is_deficient; l++)
    c->is_deficient = !fill_inner(w, l, c->n_inner, w->columns + (size_t)(q + l) * (size_t)w->m);
  for (int column = 0; column < all && !c->is_deficient; column++)
    c->is_deficient = !rx_contrasts_reflect(w->m, column, w->columns);
  if (c->is_deficient || n <= 0) return RX_OK;
  c->n = n;
  RX_TRY(RX_NEW(&w->u, "contrasts", (size_t)n * (size_t)w->m));
  rx_contrasts_complement(w->m, all, w->columns, all, w->u);
  return RX_OK;
}

/* The pencil (U'AU, U'BU): V has the rows x'U / sqrt(a), the poles are 1 / a, the largest a first.
 */
static rx_status rotate(maker *w, rx_contrasts *c) {
  const size_t n = (size_t)c->n, m = (size_t)w->m, patients = (size_t)w->n_patients;
  double *half = NULL;

  RX_TRY(RX_NEW(&w->ua, "contrasts", n * n));
  RX_TRY(RX_NEW(&w->ub, "contrasts", n * n));
  RX_TRY(RX_NEW(&w->share, "contrasts", n));
  RX_TRY(RX_NEW(&half, "contrasts", n * m));
  for (size_t j = 0; j < n; j++)
    for (size_t i = 0; i < m; i++)
      half[j * m + i] = w->u[j * m + i] * (i < patients ? sqrt(c->inverse_rows[i]) : 1);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, c->n, w->n_patients, 1, w->u, w->m, 0, w->ua,
              c->n);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, c->n, w->m, 1, half, w->m, 0, w->ub, c->n);
  free(half);
  if (LAPACKE_dsygvd(LAPACK_ROW_MAJOR, 1, 'V', 'L', c->n, w->ua, c->n, w->ub, c->n, w->share))
    return RX_FAIL(RX_ERR_INTERNAL, "associate: the eigenvalues of the contrasts did not converge");
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, c->n, w->m, c->n, 1, w->ua, c->n, w->u, w->m,
              0, c->basis, w->m);
  double sum = 0;
  for (size_t j = 0; j < n; j++) {
    w->share[j] = fmax(w->share[j], least_share * w->share[n - 1]);
    sum += w->share[j];
    cblas_dscal(w->m, 1 / sqrt(w->share[j]), c->basis + j * m, 1);
  }
  for (size_t j = 0; j < n; j++) c->pole[n - 1 - j] = 1 / w->share[j];
  for (size_t j = 0; j < n / 2; j++)
    cblas_dswap(w->m, c->basis + j * m, 1, c->basis + (n - 1 - j) * m, 1);
  c->least_pole = c->pole[0];
  c->mean_pole = (double)n / sum; /* harmonic: a pole may be very far out */
  return RX_OK;
}

static rx_status allocate(maker *w, rx_contrasts *c) {
  const size_t k = (size_t)w->k, rows = (size_t)(w->n_patients + w->k);

  RX_TRY(RX_NEW(&c->inverse_rows, "contrasts", w->n_patients));
  RX_TRY(RX_NEW(&c->inner, "contrasts", k * k));
  RX_TRY(RX_NEW(&c->pole, "contrasts", rows));
  RX_TRY(RX_NEW(&c->basis, "contrasts", rows * rows));
  RX_TRY(RX_NEW(&w->root, "contrasts", k));
  RX_TRY(RX_NEW(&w->vector, "contrasts", k * k));
  RX_TRY(RX_NEW(&w->value, "contrasts", k));
  return RX_NEW(&w->columns, "contrasts", ((size_t)w->n_columns + k) * rows);
}

rx_status rx_contrasts_create_inner(int n_patients, const double *rows, int n_covariates,
                                    const double *covariates, const rx_inner_columns *inner,
                                    rx_contrasts **out) {
  maker w = {
      .n_patients = n_patients, .n_columns = 1 + n_covariates, .k = inner->n, .inner = inner};
  rx_contrasts *c = NULL;
  rx_status status;

  *out = NULL;
  if ((status = RX_NEW(&c, "contrasts", 1))) goto done;
  c->n_patients = n_patients;
  c->n_columns = w.n_columns;
  c->n_images = inner->n;
  if ((status = allocate(&w, c))) goto done;
  rx_contrasts_describe(c, rows);
  if ((status = factor_products(&w, c))) goto done;
  w.m = n_patients + c->n_inner;
  if (n_patients > w.n_columns) {
    if ((status = make_ordinary(&w, n_covariates, covariates, c))) goto done;
    if (!c->is_deficient) status = make_complement(&w, n_covariates, covariates, c);
    if (!status && c->n) status = rotate(&w, c);
  }
done:
  free_maker(&w);
  if (status)
    rx_contrasts_destroy(&c);
  else
    *out = c;
  return status;
}
