#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "inference.h"
#include "radmix/association.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "reml.h"
#include "tail.h"

/* The rows of each group as three numbers; groups without a row are left out. */
typedef struct {
  int n;          /* groups with a row */
  double *rows;   /* [n]; owned, as all that follow */
  double *mean;   /* [n] of value */
  double *factor; /* [n] */
  double within;  /* sum of squares within groups */
  bool is_finite, varies;
} summary;

static void summary_destroy(summary *s) {
  free(s->rows);
  free(s->mean);
  free(s->factor);
}

/* Takes out the groups that have no row. */
static void close_up(summary *s, int n_groups) {
  for (int g = 0; g < n_groups; g++) {
    if (s->rows[g] == 0) continue;
    s->rows[s->n] = s->rows[g];
    s->mean[s->n] = s->mean[g];
    s->factor[s->n++] = s->factor[g];
  }
}

static rx_status summarise(size_t n_rows, const double *value, const double *predictor,
                           const int *group, int n_groups, summary *s) {
  RX_TRY(RX_NEW(&s->rows, "rows of groups", n_groups));
  RX_TRY(RX_NEW(&s->mean, "means of groups", n_groups));
  RX_TRY(RX_NEW(&s->factor, "predictor of groups", n_groups));
  s->is_finite = true;
  for (size_t i = 0; i < n_rows; i++) {
    int g = group[i];
    if (g < 0 || g >= n_groups)
      return RX_FAIL(RX_ERR_INPUT, "row %zu: expected a group below %d, found %d", i, n_groups, g);
    if (!isfinite(value[i]) || !isfinite(predictor[i])) s->is_finite = false;
    if (s->rows[g] > 0 && s->factor[g] != predictor[i] && s->is_finite)
      return RX_FAIL(RX_ERR_INPUT, "row %zu: expected one predictor in group %d, found another", i,
                     g);
    s->factor[g] = predictor[i];
    s->rows[g] += 1;
    s->mean[g] += value[i];
    s->varies = s->varies || value[i] != value[0];
  }
  for (int g = 0; g < n_groups; g++)
    if (s->rows[g] > 0) s->mean[g] /= s->rows[g];
  double largest = 0;
  for (size_t i = 0; i < n_rows; i++) {
    double d = value[i] - s->mean[group[i]];
    s->within += d * d;
    largest = fmax(largest, fabs(value[i]));
  }
  /* What rounding of equal values leaves is no variance. */
  double rounding = 4 * DBL_EPSILON * largest;
  if (s->within <= (double)n_rows * rounding * rounding) s->within = 0;
  close_up(s, n_groups);
  return RX_OK;
}

static double sum_of_squares(int n, const double *x) {
  double sum = 0;

  for (int i = 0; i < n; i++) sum += x[i] * x[i];
  return sum;
}

/* Estimates from the contrasts y and g, in units in which both have a sum of squares of about n. */
static void conclude(const rx_contrasts *contrasts, const rx_reml_space *space, const double *g,
                     const double *y, double within, rx_mixed_model *out) {
  double df = contrasts->n - 1, beta[8], se[8], t[8], dfs[8];
  const rx_estimates estimates = {beta, se, t, dfs};
  rx_reml_fits fits = {0};
  int n_minima = within > 0 ? rx_reml_search(space, g, y, within, 0, &fits) : 0;

  if (n_minima) {
    rx_inference_wald(RX_DF_CONTAINMENT, df, space->n_free - 1, within, &fits, estimates);
    out->variance_ratio = fits.lambda[0];
    out->status = fits.lambda[0] > 0 ? RX_FIT_OK : RX_FIT_BOUNDARY;
  } else { /* one row a group, or no variance within: ordinary regression of means */
    double g0[8] = {0}, x0[8] = {0};
    g0[0] = sum_of_squares(contrasts->n, g);
    for (int j = 0; j < contrasts->n; j++) x0[0] += g[j] * y[j];
    for (int lane = 1; lane < 8; lane++) g0[lane] = g0[0], x0[lane] = x0[0];
    rx_inference_ordinary(df, g0, x0, sum_of_squares(contrasts->n, y), estimates);
    out->variance_ratio = contrasts->is_single ? NAN : INFINITY;
    out->status = contrasts->is_single ? RX_FIT_ONE_ROW : RX_FIT_ZERO_WITHIN;
  }
  out->beta = beta[0];
  out->se = se[0];
  out->t = t[0];
  out->df = df;
}

static rx_status fit(const summary *s, double *y, double *g, const rx_contrasts *contrasts,
                     const rx_reml_space *space, rx_mixed_model *out) {
  rx_tail tail;

  rx_contrasts_apply(contrasts, s->mean, y);
  rx_contrasts_apply(contrasts, s->factor, g);
  double y2 = sum_of_squares(contrasts->n, y), g2 = sum_of_squares(contrasts->n, g);
  double y_scale = sqrt((y2 + s->within) / contrasts->n), g_scale = sqrt(g2 / contrasts->n);
  if (!(g2 > 1e-24 * sum_of_squares(s->n, s->factor))) {
    out->status = RX_FIT_RANK_DEFICIENT;
    return RX_OK;
  }
  for (int j = 0; j < contrasts->n; j++) y[j] /= y_scale, g[j] /= g_scale;
  conclude(contrasts, space, g, y, s->within / (y_scale * y_scale), out);
  out->beta *= y_scale / g_scale;
  out->se *= y_scale / g_scale;
  rx_tail_prepare(out->df, &tail);
  rx_tail_log10_p(rx_isa_of_machine(), &tail, 1, &out->t, &out->log10_p);
  return RX_OK;
}

static rx_status fit_summary(const summary *s, rx_mixed_model *out) {
  rx_contrasts *contrasts = NULL;
  rx_reml_space *space = NULL;
  double *y = NULL, *g = NULL;
  rx_status status;

  if (!s->is_finite) out->status = RX_FIT_NONFINITE;
  if (s->is_finite && !s->varies) out->status = RX_FIT_CONSTANT_FEATURE;
  if (s->is_finite && s->varies && s->n < 3) out->status = RX_FIT_TOO_FEW_PATIENTS;
  if (out->status) return RX_OK;
  if ((status = rx_contrasts_create(s->n, s->rows, 0, NULL, &contrasts))) goto done;
  if ((status = rx_reml_space_create(contrasts, false, &space))) goto done;
  if ((status = RX_NEW(&y, "contrasts", contrasts->n))) goto done;
  if ((status = RX_NEW(&g, "contrasts", contrasts->n))) goto done;
  status = fit(s, y, g, contrasts, space, out);
done:
  free(y);
  free(g);
  rx_reml_space_destroy(&space);
  rx_contrasts_destroy(&contrasts);
  return status;
}

rx_status rx_mixed_model_fit(size_t n_rows, const double *value, const double *predictor,
                             const int *group, int n_groups, rx_mixed_model *out) {
  summary s = {0};

  *out = (rx_mixed_model){RX_FIT_OK, NAN, NAN, NAN, NAN, NAN, NAN};
  rx_status status = summarise(n_rows, value, predictor, group, n_groups, &s);
  if (!status) status = fit_summary(&s, out);
  summary_destroy(&s);
  return status;
}
