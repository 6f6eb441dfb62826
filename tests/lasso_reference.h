/* lasso_reference.h: the reference folder prediction/lasso, and the definitions of lasso.h worked
 * out once more, plainly: standardised rows, KKT conditions, Hessian of the active features. */
#ifndef RADMIX_TESTS_LASSO_REFERENCE_H
#define RADMIX_TESTS_LASSO_REFERENCE_H

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prediction/descent.h"
#include "radmix/table.h"

/* Numbers of a table without its first column: [n_rows][n_columns]. */
typedef struct {
  size_t n_rows, n_columns;
  double *values;
} numbers;

static inline numbers read_numbers(const char *name) {
  const char *shared = getenv("RADMIX_SHARED");
  char path[4096];
  rx_table *table = NULL;
  numbers out = {0, 0, NULL};

  snprintf(path, sizeof path, "%s/reference/prediction/lasso/%s", shared ? shared : "../shared",
           name);
  rx_status status = rx_table_read(path, &table);
  if (status == RX_ERR_NOINPUT) {
    print_message("skipped: there is no %s\n", path);
    skip();
  }
  assert_int_equal(status, RX_OK);
  out.n_rows = table->n_rows;
  out.n_columns = table->n_columns - 1;
  out.values = calloc(out.n_rows * out.n_columns, sizeof *out.values);
  for (size_t r = 0; r < out.n_rows; r++)
    for (size_t c = 0; c < out.n_columns; c++)
      assert_int_equal(rx_table_number(table, r, c + 1, &out.values[r * out.n_columns + c]), RX_OK);
  rx_table_destroy(&table);
  return out;
}

static inline double *take_column(const numbers *from, size_t column) {
  double *out = calloc(from->n_rows, sizeof *out);

  for (size_t r = 0; r < from->n_rows; r++) out[r] = from->values[r * from->n_columns + column];
  return out;
}

static inline void assert_near(double found, double expected, double tolerance, const char *what,
                               size_t at) {
  if (!(fabs(found - expected) <= tolerance))
    fail_msg("%s at %zu: expected %.17g, found %.17g", what, at, expected, found);
}

/* The columns of y.tsv. */
enum { PATIENT, OUTCOME, FOLD, GAUSS, WEIGHT };

typedef struct {
  const char *file;
  rx_family family;
  double alpha;
  bool is_standardising, is_weighted;
} reference_case;

static const reference_case cases[] = {
    {"binomial_path.tsv", RX_BINOMIAL, 1, true, false},
    {"gaussian_path.tsv", RX_GAUSSIAN, 1, true, false},
    {"binomial_weighted_path.tsv", RX_BINOMIAL, 1, true, true},
    {"binomial_nostd_path.tsv", RX_BINOMIAL, 1, false, false},
    {"binomial_enet05_path.tsv", RX_BINOMIAL, 0.5, true, false},
};

/* A reference problem as lasso.h defines it. Of two equal columns only the first is used: they
 * share a coefficient in any way, so that their sum is compared. */
typedef struct {
  size_t n, p;
  rx_family family;
  double alpha, y_scale;
  double *v, *y, *z, *mean, *scale; /* z [n][p]; scale 0 = constant, or the second of two */
} standard;

static inline bool is_second(const numbers *x, size_t j) {
  for (size_t i = 0; i < x->n_rows && j; i++)
    if (x->values[i * x->n_columns + j] != x->values[i * x->n_columns + j - 1]) return false;
  return j > 0;
}

/* Rows of weight 0 stay, with v = 0. */
static inline standard standardise(const numbers *x, const double *y, const double *weight,
                                   const reference_case *from) {
  size_t n = x->n_rows, p = x->n_columns;
  standard s = {n, p, from->family, from->alpha, 1, NULL, NULL, NULL, NULL, NULL};
  double total = 0, y_mean = 0, y_square = 0;

  s.v = calloc(2 * n + n * p + 2 * p, sizeof *s.v);
  s.y = s.v + n;
  s.z = s.y + n;
  s.mean = s.z + n * p;
  s.scale = s.mean + p;
  for (size_t i = 0; i < n; i++) total += weight[i];
  for (size_t i = 0; i < n; i++) s.v[i] = weight[i] / total;
  for (size_t i = 0; i < n; i++) y_mean += s.v[i] * y[i];
  for (size_t i = 0; i < n; i++) y_square += s.v[i] * (y[i] - y_mean) * (y[i] - y_mean);
  if (from->family == RX_GAUSSIAN) s.y_scale = sqrt(y_square);
  for (size_t i = 0; i < n; i++) s.y[i] = y[i] / s.y_scale;
  for (size_t j = 0; j < p; j++) {
    double square = 0;
    for (size_t i = 0; i < n; i++) s.mean[j] += s.v[i] * x->values[i * p + j];
    for (size_t i = 0; i < n; i++) s.z[i * p + j] = x->values[i * p + j] - s.mean[j];
    for (size_t i = 0; i < n; i++) square += s.v[i] * s.z[i * p + j] * s.z[i * p + j];
    if (square < 1e-20 || is_second(x, j)) continue;
    s.scale[j] = from->is_standardising ? sqrt(square) : 1;
    for (size_t i = 0; i < n; i++) s.z[i * p + j] /= s.scale[j];
  }
  return s;
}

/* A solution of it. */
typedef struct {
  double intercept, *beta; /* [p] */
  size_t n_active;
  size_t *active; /* [p] */
} point;

/* From coefficients of features as they are; stride between them. */
static inline point take_point(const standard *s, double intercept, const double *b,
                               size_t stride) {
  point out = {intercept / s->y_scale, calloc(s->p, sizeof *out.beta), 0,
               calloc(s->p, sizeof *out.active)};

  for (size_t j = 0; j < s->p; j++) {
    double value = b[j * stride];
    if (j + 1 < s->p && s->scale[j] > 0 && s->scale[j + 1] == 0) value += b[(j + 1) * stride];
    out.intercept += value * s->mean[j] / s->y_scale;
    if (s->scale[j] == 0 || value == 0) continue;
    out.beta[j] = value * s->scale[j] / s->y_scale;
    out.active[out.n_active++] = j;
  }
  return out;
}

static inline void free_point(point *p) {
  free(p->beta);
  free(p->active);
}

static inline double link_of(const standard *s, const point *p, size_t i) {
  double eta = p->intercept;

  for (size_t k = 0; k < p->n_active; k++)
    eta += p->beta[p->active[k]] * s->z[i * s->p + p->active[k]];
  return eta;
}

/* The KKT conditions: r of the intercept, then of the active features [1 + n_active]; returns the
 * largest of these and of the excess of all others. w [n] curvature, or NULL */
static inline double find_residuals(const standard *s, const point *p, double lambda, double *r,
                                    double *w) {
  double worst = 0, *g = calloc(s->p, sizeof *g);

  memset(r, 0, (1 + p->n_active) * sizeof *r);
  for (size_t i = 0; i < s->n; i++) {
    double eta = link_of(s, p, i), mu = s->family == RX_BINOMIAL ? 1 / (1 + exp(-eta)) : eta;
    double e = s->v[i] * (s->y[i] - mu);
    if (w) w[i] = s->v[i] * (s->family == RX_BINOMIAL ? mu * (1 - mu) : 1);
    r[0] += e;
    for (size_t j = 0; j < s->p; j++) g[j] += e * s->z[i * s->p + j];
  }
  for (size_t j = 0; j < s->p; j++)
    if (s->scale[j] > 0 && p->beta[j] == 0) worst = fmax(worst, fabs(g[j]) - lambda * s->alpha);
  for (size_t k = 0; k < p->n_active; k++) {
    double b = p->beta[p->active[k]];
    r[1 + k] = g[p->active[k]] - copysign(lambda * s->alpha, b) - lambda * (1 - s->alpha) * b;
    worst = fmax(worst, fabs(r[1 + k]));
  }
  free(g);
  return fmax(worst, fabs(r[0]));
}

/* The Hessian of the intercept and the active features, factorised by Cholesky (upper triangle). */
static inline double *factorise(const standard *s, const point *p, const double *w, double lambda) {
  size_t n = 1 + p->n_active;
  double *h = calloc(n * n, sizeof *h), *row = calloc(n, sizeof *row);

  for (size_t i = 0; i < s->n; i++) {
    row[0] = 1;
    for (size_t k = 0; k < p->n_active; k++) row[1 + k] = s->z[i * s->p + p->active[k]];
    cblas_dsyr(CblasRowMajor, CblasUpper, (int)n, w[i], row, 1, h, (int)n);
  }
  for (size_t k = 1; k < n; k++) h[k * n + k] += lambda * (1 - s->alpha);
  assert_int_equal(LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', (int)n, h, (int)n), 0);
  free(row);
  return h;
}

/* The coefficients of a path at one lambda, all of them. */
static inline double *spread(const rx_lasso *path, int l, size_t p) {
  double *out = calloc(p, sizeof *out);

  for (size_t k = path->first[l]; k < path->first[l + 1]; k++)
    out[path->feature[k]] = path->value[k];
  return out;
}

#endif
