#include "contrasts.h"

#include <math.h>
#include <string.h>

#include <cblas.h>
#include <lapacke.h>

#include "radmix/error.h"
#include "radmix/memory.h"

static const double collinear = 1e-7; /* of the length of a column, as in R's qr() */

/* Householder reflections that turn the columns of a into a triangle.
 * a  [n_columns][n_patients], columns of unit length; becomes the reflections, of unit length
 * Returns false when a column depends on those before it. */
static bool reflect_columns(int n_patients, int n_columns, double *a) {
  for (int k = 0; k < n_columns; k++) {
    double *column = a + (size_t)k * (size_t)n_patients, length = 0;

    for (int before = 0; before < k; before++) {
      const double *h = a + (size_t)before * (size_t)n_patients;
      double dot = 2 * cblas_ddot(n_patients, h, 1, column, 1);
      cblas_daxpy(n_patients, -dot, h, 1, column, 1);
    }
    for (int i = k; i < n_patients; i++) length += column[i] * column[i];
    length = sqrt(length);
    if (length < collinear) return false;
    memset(column, 0, (size_t)k * sizeof *column);
    column[k] += column[k] < 0 ? -length : length;
    cblas_dscal(n_patients, 1 / cblas_dnrm2(n_patients, column, 1), column, 1);
  }
  return true;
}

/* Intercept and covariates as columns of unit length, the covariates around their means. */
static bool fill_columns(int n_patients, int n_covariates, const double *covariates, double *a) {
  for (int i = 0; i < n_patients; i++) a[i] = 1 / sqrt(n_patients);
  for (int c = 0; c < n_covariates; c++) {
    double *column = a + (size_t)(c + 1) * (size_t)n_patients, mean = 0, largest = 0, length;
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

/* The rows of U': unit vectors sent back through the reflections.
 * u  [n][n_patients], set */
static void fill_complement(const rx_contrasts *contrasts, const double *reflections, double *u) {
  const int n_patients = contrasts->n_patients;

  memset(u, 0, (size_t)contrasts->n * (size_t)n_patients * sizeof *u);
  for (int j = 0; j < contrasts->n; j++) {
    double *row = u + (size_t)j * (size_t)n_patients;
    row[contrasts->n_columns + j] = 1;
    for (int k = contrasts->n_columns - 1; k >= 0; k--) {
      const double *h = reflections + (size_t)k * (size_t)n_patients;
      cblas_daxpy(n_patients, -2 * cblas_ddot(n_patients, h, 1, row, 1), h, 1, row, 1);
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

static void describe(rx_contrasts *contrasts, const double *rows) {
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
  describe(made, rows);
  if (n_patients > made->n_columns) {
    if ((status = RX_NEW(&reflections, "contrasts", m * (size_t)made->n_columns))) goto done;
    made->is_deficient = !fill_columns(n_patients, n_covariates, covariates, reflections) ||
                         !reflect_columns(n_patients, made->n_columns, reflections);
    if (!made->is_deficient) made->n = n_patients - made->n_columns;
  }
  const size_t size = (size_t)made->n * m;
  if ((status = RX_NEW(&made->pole, "contrasts", made->n))) goto done;
  if ((status = RX_NEW(&made->basis, "contrasts", size))) goto done;
  if ((status = RX_NEW(&u, "contrasts", size))) goto done;
  if ((status = RX_NEW(&work, "contrasts", size))) goto done;
  if (made->n) {
    fill_complement(made, reflections, u);
    if ((status = rotate(made, u, work))) goto done;
  }
  describe_poles(made);
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
  if (!*contrasts) return;
  free((*contrasts)->inverse_rows);
  free((*contrasts)->pole);
  free((*contrasts)->basis);
  free(*contrasts);
  *contrasts = NULL;
}

void rx_contrasts_apply(const rx_contrasts *contrasts, const double *value, double *contrast) {
  double mean = 0;

  for (int i = 0; i < contrasts->n_patients; i++) mean += value[i] / contrasts->n_patients;
  for (int j = 0; j < contrasts->n; j++) {
    const double *row = contrasts->basis + (size_t)j * (size_t)contrasts->n_patients;
    double sum = 0;
    for (int i = 0; i < contrasts->n_patients; i++) sum += row[i] * (value[i] - mean);
    contrast[j] = sum;
  }
}
