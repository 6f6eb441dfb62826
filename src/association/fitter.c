#include "fitter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { LANES = RX_REML_LANES, N_ARRAYS = 12 };

rx_status rx_fitter_create(const rx_fit_options *options, size_t n_lanes, size_t n_contrasts,
                           rx_fitter **out) {
  RX_TRY(RX_NEW(out, "associate: fits", 1));
  rx_fitter *f = *out;
  f->options = options;
  rx_status status = RX_NEW(&f->fits, "associate: fits", n_lanes / LANES);
  if (!status) status = RX_NEW(&f->work, "associate: fits", RX_REML_WORK * n_contrasts);
  if (!status) status = RX_NEW(&f->column, "associate: fits", n_contrasts);
  if (!status) status = RX_NEW(&f->memory, "associate: fits", N_ARRAYS * n_lanes);
  if (!status) status = RX_NEW(&f->fit, "associate: fits", n_lanes);
  if (status) {
    rx_fitter_destroy(out);
    return status;
  }
  double **arrays[N_ARRAYS] = {&f->mixed.beta, &f->mixed.se, &f->mixed.t,       &f->mixed.df,
                               &f->means.beta, &f->means.se, &f->means.t,       &f->means.df,
                               &f->lambda,     &f->log10_p,  &f->log10_p_means, &f->x0};
  for (int i = 0; i < N_ARRAYS; i++) *arrays[i] = f->memory + (size_t)i * n_lanes;
  return RX_OK;
}

void rx_fitter_destroy(rx_fitter **fitter) {
  rx_fitter *f = *fitter;

  if (!f) return;
  free(f->fit);
  free(f->memory);
  free(f->column);
  free(f->work);
  free(f->fits);
  free(f);
  *fitter = NULL;
}

static rx_estimates at_lane(rx_estimates e, size_t lane) {
  const rx_estimates moved = {e.beta + lane, e.se + lane, e.t + lane, e.df + lane};
  return moved;
}

/* The search, for a lane that the kernel did not finish or was not asked. */
static void search_lane(rx_fitter *f, const rx_pattern *p, size_t feature,
                        const rx_predictors *factors, size_t tile, int lane) {
  const size_t n = (size_t)p->space->n;
  const double *g = factors->g + tile * n * LANES + lane;

  for (size_t j = 0; j < n; j++) f->column[j] = g[j * LANES];
  if (!rx_reml_search(p->space, f->column, p->y + feature * n, p->within[feature], lane,
                      &f->fits[tile]))
    f->fits[tile].is_found[lane] = 0;
}

/* sum g y of means from the first on, where the kernel has not made it. */
static void multiply(const rx_pattern *p, size_t feature, const rx_predictors *factors,
                     size_t first, double *x0) {
  const size_t n = (size_t)p->contrasts->n_ordinary;
  const double *y = p->means + feature * n;

  memset(x0, 0, factors->n_tiles * LANES * sizeof *x0);
  for (size_t tile = 0; tile < factors->n_tiles; tile++)
    for (size_t j = first; j < n; j++)
      for (size_t lane = 0; lane < LANES; lane++)
        x0[tile * LANES + lane] += y[j] * factors->means[(tile * n + j) * LANES + lane];
}

static void fit_mixed(rx_fitter *f, const rx_pattern *p, size_t feature,
                      const rx_predictors *factors) {
  const size_t n = (size_t)p->space->n;
  const double *y = p->y + feature * n, within = p->within[feature];

  RX_ISA_PICK(f->options->isa, rx_reml_fit)
  (p->space, y, within, p->lambda[feature], factors->n_tiles, factors->g, f->work, f->fits);
  for (size_t tile = 0; tile < factors->n_tiles; tile++) {
    rx_reml_fits *fits = &f->fits[tile];
    const size_t start = tile * LANES;
    for (int lane = 0; lane < LANES; lane++)
      if (!fits->is_found[lane] || p->is_multiple[feature])
        search_lane(f, p, feature, factors, tile, lane);
    if (f->options->is_ratio)
      rx_inference_ratio(p->space, within, p->lambda[feature], p->residual[feature], fits,
                         at_lane(f->mixed, start));
    else
      rx_inference_wald(f->options->df, p->df, p->space->n_free - 1, within, fits,
                        at_lane(f->mixed, start));
    for (size_t lane = 0; lane < LANES; lane++) {
      f->lambda[start + lane] = fits->lambda[lane];
      f->x0[start + lane] = fits->x0[lane];
      f->fit[start + lane] = !fits->is_found[lane]     ? RX_FIT_NOT_CONVERGED
                             : fits->lambda[lane] == 0 ? RX_FIT_BOUNDARY
                                                       : RX_FIT_OK;
    }
  }
}

/* Ordinary regression in place of the mixed model: one slice a patient, or no variance within. */
static void fit_ordinary(rx_fitter *f, const rx_pattern *p, size_t feature,
                         const rx_predictors *factors) {
  const bool is_single = p->fit[feature] == RX_FIT_ONE_ROW;

  multiply(p, feature, factors, 0, f->x0);
  for (size_t lane = 0; lane < factors->n_tiles * LANES; lane += LANES) {
    rx_estimates mixed = at_lane(f->mixed, lane);
    rx_inference_ordinary(p->df, factors->g0 + lane, f->x0 + lane, p->square[feature], mixed);
    if (f->options->is_ratio)
      rx_inference_ordinary_ratio((double)p->n_members, factors->g0 + lane, f->x0 + lane,
                                  p->square[feature], mixed);
    for (size_t k = lane; k < lane + LANES; k++) {
      if (f->options->df == RX_DF_NORMAL) f->mixed.df[k] = (double)INFINITY;
      f->lambda[k] = is_single ? (double)NAN : (double)INFINITY;
      f->fit[k] = p->fit[feature];
    }
  }
}

bool rx_fitter_fit(rx_fitter *f, const rx_pattern *p, size_t feature,
                   const rx_predictors *factors) {
  if (!(p->df > 0) || p->space->n == 0 || !rx_fit_is_tested(p->fit[feature])) return false;
  if (p->fit[feature] == RX_FIT_OK)
    fit_mixed(f, p, feature, factors);
  else
    fit_ordinary(f, p, feature, factors);
  return true;
}

void rx_fitter_find_p(rx_fitter *f, const rx_tail *normal, const rx_tail_table *table,
                      const rx_pattern *p, size_t feature, const rx_predictors *factors) {
  const size_t n = factors->n_tiles * LANES;
  const int isa = f->options->isa;

  if (p->means != p->y) multiply(p, feature, factors, (size_t)p->contrasts->n_skipped, f->x0);
  for (size_t lane = 0; lane < n; lane += LANES)
    rx_inference_ordinary(p->df_means, factors->g0_means + lane, f->x0 + lane,
                          p->square_means[feature], at_lane(f->means, lane));
  for (size_t lane = 0; lane < n && !(p->df_means > 0); lane++) f->means.t[lane] = NAN;
  rx_tail_log10_p(isa, &p->tail_means, n, f->means.t, f->log10_p_means);
  if (f->options->is_ratio || f->options->df == RX_DF_NORMAL)
    rx_tail_log10_p(isa, normal, n, f->mixed.t, f->log10_p);
  else if (table)
    rx_tail_log10_p_each(isa, table, n, f->mixed.t, f->mixed.df, f->log10_p);
  else
    rx_tail_log10_p(isa, &p->tail, n, f->mixed.t, f->log10_p);
}

rx_fit rx_fitter_judge(const rx_pattern *p, size_t feature, rx_fit factor) {
  const rx_fit alone = p->fit[feature];

  if (alone == RX_FIT_NONFINITE || alone == RX_FIT_CONSTANT_FEATURE || alone == RX_FIT_SPARSE)
    return alone;
  return factor ? factor : alone;
}
