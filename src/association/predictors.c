#include "predictors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

enum { LANES = RX_REML_LANES };

static const double collinear = 1e-7; /* of the length of a factor, as in R's qr() */
static const double rounding = 1e-13; /* of the largest value: no difference at all */

void rx_predictors_destroy(rx_predictors **predictors) {
  rx_predictors *p = *predictors;

  if (!p) return;
  free(p->fit);
  free(p->scale);
  if (p->g0_means != p->g0) free(p->g0_means);
  free(p->g0);
  if (p->means != p->g) free(p->means);
  free(p->g);
  free(p->column);
  free(p);
  *predictors = NULL;
}

/* One factor around its mean, in units of a power of two; false when it does not vary. */
static bool standardise(size_t n, double *value, double *scale, double *length) {
  double mean = 0, largest = 0, farthest = 0, sum = 0;

  for (size_t i = 0; i < n; i++) {
    mean += value[i] / (double)n;
    largest = fmax(largest, fabs(value[i]));
  }
  for (size_t i = 0; i < n; i++) {
    value[i] -= mean;
    farthest = fmax(farthest, fabs(value[i]));
  }
  if (farthest <= rounding * largest) return false;
  *scale = ldexp(1, ilogb(farthest));
  for (size_t i = 0; i < n; i++) {
    value[i] /= *scale;
    sum += value[i] * value[i];
  }
  *length = sqrt(sum);
  return true;
}

/* The same as ordinary regression sees it, where that is another basis; and whether covariates
 * within patients leave anything of the factor: sum of g^2 / pole against the sum of n_i g_i^2. */
static bool prepare_means(const rx_pattern *pattern, const double *value, const double *contrast,
                          double *ordinary, size_t lane, rx_predictors *p) {
  const rx_contrasts *c = pattern->contrasts;
  const size_t n = (size_t)c->n_ordinary, skipped = (size_t)c->n_skipped;
  double *means = p->means + lane / LANES * n * LANES + lane % LANES;
  double left = 0, all = 0;

  if (p->means == p->g) return true;
  for (int j = 0; j < c->n; j++) left += contrast[j] * contrast[j] / c->pole[j];
  for (int i = 0; i < c->n_patients; i++) all += value[i] * value[i] / c->inverse_rows[i];
  if (left <= collinear * collinear * all) return false;
  rx_contrasts_apply_ordinary(c, value, ordinary);
  p->g0[lane] = p->g0_means[lane] = 0;
  for (size_t j = 0; j < n; j++) {
    means[j * LANES] = ordinary[j];
    p->g0[lane] += ordinary[j] * ordinary[j];
    if (j >= skipped) p->g0_means[lane] += ordinary[j] * ordinary[j];
  }
  return sqrt(p->g0[lane]) > collinear * sqrt(all);
}

/* Sets one lane of g. value [n_members], lost; contrast, ordinary: room */
static void prepare(const rx_pattern *pattern, double *value, double *contrast, double *ordinary,
                    size_t lane, rx_predictors *p) {
  const size_t n = (size_t)pattern->contrasts->n;
  double *g = p->g + lane / LANES * n * LANES + lane % LANES, length = 0, sum = 0;

  p->scale[lane] = p->g0[lane] = p->g0_means[lane] = 1;
  for (size_t j = 0; j < n; j++) g[j * LANES] = 1;
  if (lane >= p->n_factors) return;
  if (!(pattern->df > 0)) {
    p->fit[lane] = RX_FIT_TOO_FEW_PATIENTS;
    return;
  }
  p->fit[lane] = RX_FIT_RANK_DEFICIENT;
  if (pattern->contrasts->is_deficient ||
      !standardise(pattern->n_members, value, &p->scale[lane], &length))
    return;
  rx_contrasts_apply(pattern->contrasts, value, contrast);
  for (size_t j = 0; j < n; j++) sum += contrast[j] * contrast[j];
  if (p->means == p->g && sqrt(sum) <= collinear * length) return;
  if (!prepare_means(pattern, value, contrast, ordinary, lane, p)) return;
  for (size_t j = 0; j < n; j++) g[j * LANES] = contrast[j];
  if (p->means == p->g) p->g0[lane] = sum;
  p->fit[lane] = RX_FIT_OK;
}

rx_status rx_predictors_create(const rx_pattern *pattern, const double *value, size_t n_columns,
                               size_t n_factors, const size_t *column, rx_predictors **out) {
  const size_t n_tiles = (n_factors + LANES - 1) / LANES, n_lanes = n_tiles * LANES;
  const size_t n = (size_t)pattern->contrasts->n;
  const size_t n_ordinary = (size_t)pattern->contrasts->n_ordinary;
  double *one = NULL, *contrast = NULL, *ordinary = NULL;
  rx_status status;

  RX_TRY(RX_NEW(out, "associate: factors", 1));
  rx_predictors *p = *out;
  p->n_factors = n_factors;
  p->n_tiles = n_tiles;
  if ((status = RX_NEW(&p->column, "associate: factors", n_factors))) goto done;
  if ((status = RX_NEW(&p->g, "associate: factors", n_lanes * n))) goto done;
  if ((status = RX_NEW(&p->g0, "associate: factors", n_lanes))) goto done;
  p->means = p->g;
  p->g0_means = p->g0;
  if (pattern->contrasts->n_images) {
    p->means = p->g0_means = NULL;
    if ((status = RX_NEW(&p->means, "associate: factors", n_lanes * n_ordinary))) goto done;
    if ((status = RX_NEW(&p->g0_means, "associate: factors", n_lanes))) goto done;
  }
  if ((status = RX_NEW(&ordinary, "associate: factors", n_ordinary))) goto done;
  if ((status = RX_NEW(&p->scale, "associate: factors", n_lanes))) goto done;
  if ((status = RX_NEW(&p->fit, "associate: factors", n_lanes))) goto done;
  if ((status = RX_NEW(&one, "associate: factors", pattern->n_members))) goto done;
  if ((status = RX_NEW(&contrast, "associate: factors", n))) goto done;
  memcpy(p->column, column, n_factors * sizeof *column);
  for (size_t lane = 0; lane < n_lanes; lane++) {
    for (size_t i = 0; i < pattern->n_members && lane < n_factors; i++)
      one[i] = value[pattern->member[i] * n_columns + column[lane]];
    prepare(pattern, one, contrast, ordinary, lane, p);
  }
done:
  free(ordinary);
  free(contrast);
  free(one);
  if (status) rx_predictors_destroy(out);
  return status;
}
