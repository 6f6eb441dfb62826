#include "contrasts.h"

#include <math.h>
#include <string.h>

#include <cblas.h>
#include <lapacke.h>

#include "contrasts_parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

static const double collinear = 1e-7; /* of the length of a column, as in R's qr() */

bool rx_contrasts_reflect(int n_rows, int k, double *a) {
  double *column = a + (size_t)k * (size_t)n_rows, length = 0;

  if (k >= n_rows) return false;
  for (int before = 0; before < k; before++) {
    const double *h = a + (size_t)before * (size_t)n_rows;
    double dot = 2 * cblas_ddot(n_rows, h, 1, column, 1);
    cblas_daxpy(n_rows, -dot, h, 1, column, 1);
  }
  for (int i = k; i < n_rows; i++) length += column[i] * column[i];
  length = sqrt(length);
  if (length < collinear) return false;
  memset(column, 0, (size_t)k * sizeof *column);
  column[k] += column[k] < 0 ? -length : length;
  cblas_dscal(n_rows, 1 / cblas_dnrm2(n_rows, column, 1), column, 1);
  return true;
}

static bool reflect_columns(int n_patients, int n_columns, double *a) {
  for (int k = 0; k < n_columns; k++)
    if (!rx_contrasts_reflect(n_patients, k, a)) return false;
  return true;
}

bool rx_contrasts_fill(int n_patients, int n_rows, int n_covariates, const double *covariates,
                       double *a) {
  for (int i = 0; i < n_patients; i++) a[i] = 1 / sqrt(n_patients);
  for (int c = 0; c < n_covariates; c++) {
    double *column = a + (size_t)(c + 1) * (size_t)n_rows, mean = 0, largest = 0, length;
    for (int i = 0; i < n_patients; i++) {
      column[i] = covariates[(size_t)i * (size_t)n_covariates + (size_t)c];
      mean += column[i] / n_patients;
      largest = fmax(largest, fabs(column[i]));
    }
    for (int i = 0; i < n_patients; i++) column[i] -= mean;
    length = cblas_dnrm2(n_patients, column, 1);
    if (length <= 1e-12 * largest * sqrt(n_patients)) return false;
    cblas_dscal(n_patients, 1 / length, column, 1);
  }
  return true;
}

void rx_contrasts_complement(int n_rows, int n_columns, const double *reflections, int first,
                             double *u) {
  memset(u, 0, (size_t)(n_rows - first) * (size_t)n_rows * sizeof *u);
  for (int j = first; j < n_rows; j++) {
    double *row = u + (size_t)(j - first) * (size_t)n_rows;
    row[j] = 1;
    for (int k = n_columns - 1; k >= 0; k--) {
      const double *h = reflections + (size_t)k * (size_t)n_rows;
      cblas_daxpy(n_rows, -2 * cblas_ddot(n_rows, h, 1, row, 1), h, 1, row, 1);
    }
  }
}

/* Turns U' into V = Q'U' and sets the poles.
 * u       [n][n_patients]
 * work    [n][n_patients] */
static rx_status rotate(rx_contrasts *contrasts, const double *u, double *work) {
  const int n = contrasts->n, m = contrasts->n_patients;
  double *q;
  rx_status status = RX_NEW(&q, "contrasts", (size_t)n * (size_t)n);

  if (status) return status;
  for (int j = 0; j < n; j++)
    for (int i = 0; i < m; i++)
      work[(size_t)j * (size_t)m + (size_t)i] =
          u[(size_t)j * (size_t)m + (size_t)i] * sqrt(contrasts->inverse_rows[i]);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, m, 1, work, m, 0, q, n);
  if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', n, q, n, contrasts->pole))
    status =
        RX_FAIL(RX_ERR_INTERNAL, "associate: the eigenvalues of the contrasts did not converge");
  else
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, m, n, 1, q, n, u, m, 0,
                contrasts->basis, m);
  free(q);
  return status;
}

void rx_contrasts_describe(rx_contrasts *contrasts, const double *rows) {
  contrasts->is_single = true;
  for (int i = 0; i < contrasts->n_patients; i++) {
    contrasts->inverse_rows[i] = 1 / rows[i];
    contrasts->n_rows += rows[i];
    if (rows[i] > 1) contrasts->is_single = false;
  }
}

static void describe_poles(rx_contrasts *contrasts) {
  double least = 1, most = 0;

  for (int i = 0; i < contrasts->n_patients; i++) {
    least = fmin(least, contrasts->inverse_rows[i]);
    most = fmax(most, contrasts->inverse_rows[i]);
  }
  for (int j = 0; j < contrasts->n; j++) { /* what rounding may have pushed out of its interval */
    contrasts->pole[j] = fmin(fmax(contrasts->pole[j], least), most);
    contrasts->mean_pole += contrasts->pole[j] / contrasts->n;
  }
  contrasts->least_pole = contrasts->n ? contrasts->pole[0] : least;
}

rx_status rx_contrasts_create(int n_patients, const double *rows, int n_covariates,
                              const double *covariates, rx_contrasts **out) {
  rx_contrasts *made = NULL;
  double *reflections = NULL, *u = NULL, *work = NULL;
  const size_t m = (size_t)n_patients;
  rx_status status;

  *out = NULL;
  if ((status = RX_NEW(&made, "contrasts", 1))) goto done;
  made->n_patients = n_patients;
  made->n_columns = 1 + n_covariates;
  if ((status = RX_NEW(&made->inverse_rows, "contrasts", m))) goto done;
  rx_contrasts_describe(made, rows);
  if (n_patients > made->n_columns) {
    if ((status = RX_NEW(&reflections, "contrasts", m * (size_t)made->n_columns))) goto done;
    made->is_deficient =
        !rx_contrasts_fill(n_patients, n_patients, n_covariates, covariates, reflections) ||
        !reflect_columns(n_patients, made->n_columns, reflections);
    if (!made->is_deficient) made->n = n_patients - made->n_columns;
  }
  const size_t size = (size_t)made->n * m;
  if ((status = RX_NEW(&made->pole, "contrasts", made->n))) goto done;
  if ((status = RX_NEW(&made->basis, "contrasts", size))) goto done;
  if ((status = RX_NEW(&u, "contrasts", size))) goto done;
  if ((status = RX_NEW(&work, "contrasts", size))) goto done;
  if (made->n) {
    rx_contrasts_complement(n_patients, made->n_columns, reflections, made->n_columns, u);
    if ((status = rotate(made, u, work))) goto done;
  }
  describe_poles(made);
  made->n_ordinary = made->n;
  made->ordinary = made->basis;
  *out = made;
  made = NULL;
done:
  free(work);
  free(u);
  free(reflections);
  rx_contrasts_destroy(&made);
  return status;
}

void rx_contrasts_destroy(rx_contrasts **contrasts) {
  rx_contrasts *c = *contrasts;

  if (!c) return;
  if (c->ordinary != c->basis) free(c->ordinary);
  free(c->inner);
  free(c->inverse_rows);
  free(c->pole);
  free(c->basis);
  free(c);
  *contrasts = NULL;
}

/* rows [n][stride], of which the first n_patients columns count */
static void apply(int n_patients, int n, int stride, const double *rows, const double *value,
                  double *contrast) {
  double mean = 0;

  for (int i = 0; i < n_patients; i++) mean += value[i] / n_patients;
  for (int j = 0; j < n; j++) {
    const double *row = rows + (size_t)j * (size_t)stride;
    double sum = 0;
    for (int i = 0; i < n_patients; i++) sum += row[i] * (value[i] - mean);
    contrast[j] = sum;
  }
}

void rx_contrasts_apply(const rx_contrasts *contrasts, const double *value, double *contrast) {
  apply(contrasts->n_patients, contrasts->n, contrasts->n_patients + contrasts->n_inner,
        contrasts->basis, value, contrast);
}

void rx_contrasts_apply_ordinary(const rx_contrasts *contrasts, const double *value,
                                 double *contrast) {
  apply(contrasts->n_patients, contrasts->n_ordinary, contrasts->n_patients, contrasts->ordinary,
        value, contrast);
}

void rx_contrasts_residual(const rx_contrasts *contrasts, double *value, double *contrast) {
  const size_t n = (size_t)contrasts->n_patients;

  rx_contrasts_apply_ordinary(contrasts, value, contrast);
  memset(value, 0, n * sizeof *value);
  for (int j = 0; j < contrasts->n_ordinary; j++) {
    const double *row = contrasts->ordinary + (size_t)j * n;
    for (size_t i = 0; i < n; i++) value[i] += row[i] * contrast[j];
  }
}
