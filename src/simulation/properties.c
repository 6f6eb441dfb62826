#include "properties.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

const char *const rx_property_names[RX_N_PROPERTIES] = {
    "lesion_size",       "lesion_brightness", "lesion_position",   "margin_sharpness", "texture",
    "muscle_brightness", "skin_thickness",    "vessel_brightness", "density"};

/* Below this share of its sum of squares, what is left of a vector is rounding. */
static const double nothing_left = 1e-12;

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void add(double *a, double factor, const double *b, size_t n) {
  for (size_t i = 0; i < n; i++) a[i] += factor * b[i];
}

/* Makes the sum of squares 1; returns what it was. */
static double normalise(double *a, size_t n) {
  double norm = dot(a, a, n);
  if (norm > 0)
    for (size_t i = 0; i < n; i++) a[i] /= sqrt(norm);
  return norm;
}

static void centre(double *a, size_t n) {
  double mean = 0;
  for (size_t i = 0; i < n; i++) mean += a[i] / (double)n;
  for (size_t i = 0; i < n; i++) a[i] -= mean;
}

void rx_property_standardise(double *values, size_t n) {
  double before = dot(values, values, n);
  centre(values, n);
  double norm = normalise(values, n);
  for (size_t i = 0; i < n; i++)
    values[i] = norm > nothing_left * before ? values[i] * sqrt((double)n) : 0;
}

/* Takes constant and covariate out, and makes the sum of squares 1, or all 0 when nothing is left.
 * Two rounds, so that rounding is taken out too. */
static void take_residual(double *a, const double *covariate, size_t n) {
  double before = dot(a, a, n), left = 0;

  for (int round = 0; round < 2; round++) {
    centre(a, n);
    add(a, -dot(a, covariate, n), covariate, n);
    double norm = normalise(a, n);
    if (round == 0) left = norm;
  }
  if (left <= nothing_left * before) memset(a, 0, n * sizeof *a);
}

/* Gives the covariate as a vector of mean 0 and sum of squares 1, or all 0. */
static rx_status unit_covariate(const double *covariate, size_t n, double **unit) {
  RX_TRY(RX_NEW(unit, "covariate", n));
  memcpy(*unit, covariate, n * sizeof **unit);
  rx_property_standardise(*unit, n);
  normalise(*unit, n);
  return RX_OK;
}

/* Cholesky: matrix = L L', L in its lower half. Tells whether it is positive definite. */
static int factorise(double *matrix, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = matrix[i * n + j] - dot(matrix + i * n, matrix + j * n, j);
      if (i == j && sum <= nothing_left) return 0;
      matrix[i * n + j] = i == j ? sqrt(sum) : sum / matrix[j * n + j];
    }
  return 1;
}

/* x  [n], the right side in, the solution of L L' x = side out */
static void solve(const double *lower, double *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = (x[i] - dot(lower + i * n, x, i)) / lower[i * n + i];
  for (size_t i = n; i-- > 0;) {
    for (size_t j = i + 1; j < n; j++) x[i] -= lower[j * n + i] * x[j];
    x[i] /= lower[i * n + i];
  }
}

/* What planting needs: genes without the covariate, and the factor of their correlations. */
typedef struct {
  double *covariate; /* [n], unit */
  double *lower;     /* [n_genes][n_genes] */
  double *weights;   /* [n_genes] */
} planter;

static rx_status prepare(planter *p, double *genes, size_t n_genes, const double *covariate,
                         size_t n) {
  RX_TRY(unit_covariate(covariate, n, &p->covariate));
  RX_TRY(RX_NEW(&p->lower, "correlations", n_genes * n_genes));
  RX_TRY(RX_NEW(&p->weights, "correlations", n_genes));
  for (size_t g = 0; g < n_genes; g++) take_residual(genes + g * n, p->covariate, n);
  for (size_t g = 0; g < n_genes; g++)
    for (size_t h = 0; h < n_genes; h++)
      p->lower[g * n_genes + h] = dot(genes + g * n, genes + h * n, n);
  if (!factorise(p->lower, n_genes))
    return RX_FAIL(RX_ERR_CONFIG,
                   "simulation: %zu genes of a property are dependent over %zu "
                   "patients: expected more patients or fewer links",
                   n_genes, n);
  return RX_OK;
}

/* Takes the genes out of the noise. */
static void remove_genes(planter *p, double *values, const double *genes, size_t n_genes,
                         size_t n) {
  for (size_t g = 0; g < n_genes; g++) p->weights[g] = dot(genes + g * n, values, n);
  solve(p->lower, p->weights, n_genes);
  for (size_t g = 0; g < n_genes; g++) add(values, -p->weights[g], genes + g * n, n);
}

static rx_status plant(planter *p, double *values, double *genes, const double *correlation,
                       size_t n_genes, size_t n) {
  double explained = 0;

  memcpy(p->weights, correlation, n_genes * sizeof *correlation);
  solve(p->lower, p->weights, n_genes);
  for (size_t g = 0; g < n_genes; g++) explained += p->weights[g] * correlation[g];
  if (explained >= 1)
    return RX_FAIL(RX_ERR_CONFIG,
                   "simulation: %zu genes a property would explain %.2f of it: "
                   "expected a smaller effect or fewer links",
                   n_genes, explained);
  for (int round = 0; round < 2; round++) {
    take_residual(values, p->covariate, n);
    remove_genes(p, values, genes, n_genes, n);
  }
  if (normalise(values, n) == 0)
    return RX_FAIL(RX_ERR_CONFIG, "simulation.patients: expected more than %zu, found %zu",
                   n_genes + 2, n);
  for (size_t i = 0; i < n; i++) values[i] *= sqrt(1 - explained);
  memcpy(p->weights, correlation, n_genes * sizeof *correlation);
  solve(p->lower, p->weights, n_genes);
  for (size_t g = 0; g < n_genes; g++) add(values, p->weights[g], genes + g * n, n);
  for (size_t i = 0; i < n; i++) values[i] *= sqrt((double)n);
  return RX_OK;
}

rx_status rx_property_plant(double *values, double *genes, const double *correlation,
                            size_t n_genes, const double *covariate, size_t n) {
  planter p = {0};

  rx_status status = prepare(&p, genes, n_genes, covariate, n);
  if (!status) status = plant(&p, values, genes, correlation, n_genes, n);
  free(p.covariate);
  free(p.lower);
  free(p.weights);
  return status;
}

rx_status rx_property_partial_r2(const double *x, const double *y, const double *covariate,
                                 size_t n, double *r2) {
  double *unit = NULL, *residuals = NULL;

  *r2 = 0;
  rx_status status = unit_covariate(covariate, n, &unit);
  if (!status) status = RX_NEW(&residuals, "residuals", 2 * n);
  if (!status) {
    memcpy(residuals, x, n * sizeof *x);
    memcpy(residuals + n, y, n * sizeof *y);
    take_residual(residuals, unit, n);
    take_residual(residuals + n, unit, n);
    double r = dot(residuals, residuals + n, n);
    *r2 = r * r;
  }
  free(unit);
  free(residuals);
  return status;
}
