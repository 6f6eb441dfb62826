#include "block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictors.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { LANES = RX_REML_LANES, MOST_PATTERNS = 8 };

struct rx_block {
  const rx_roster *roster;
  const rx_fit_options *options;
  size_t first, n_features;
  rx_pattern *patterns[MOST_PATTERNS]; /* 0: all patients */
  int n_patterns, next;                /* the one to give up */
  rx_tail normal;
  rx_tail_table *table; /* for a df of each fit; else NULL */
};

rx_status rx_cells_create(size_t n_features, size_t n_factors, rx_cells **out) {
  const size_t n = n_features * n_factors;
  rx_status status = RX_NEW(out, "associate: results", 1);

  if (status) return status;
  rx_cells *c = *out;
  c->n_features = n_features;
  c->n_factors = n_factors;
  if (!status) status = RX_NEW(&c->t, "associate: results", n);
  if (!status) status = RX_NEW(&c->beta, "associate: results", n);
  if (!status) status = RX_NEW(&c->se, "associate: results", n);
  if (!status) status = RX_NEW(&c->log10_p, "associate: results", n);
  if (!status) status = RX_NEW(&c->lambda, "associate: results", n);
  if (!status) status = RX_NEW(&c->df, "associate: results", n);
  if (!status) status = RX_NEW(&c->log10_p_means, "associate: results", n);
  if (!status) status = RX_NEW(&c->fit, "associate: results", n);
  if (status) rx_cells_destroy(out);
  return status;
}

void rx_cells_destroy(rx_cells **cells) {
  rx_cells *c = *cells;

  if (!c) return;
  free(c->fit);
  free(c->log10_p_means);
  free(c->df);
  free(c->lambda);
  free(c->log10_p);
  free(c->se);
  free(c->beta);
  free(c->t);
  free(c);
  *cells = NULL;
}

rx_status rx_block_create(const rx_roster *roster, const rx_fit_options *options, size_t first,
                          size_t n_features, rx_block **out) {
  RX_TRY(RX_NEW(out, "associate: patterns", 1));
  rx_block *b = *out;
  b->roster = roster;
  b->options = options;
  b->first = first;
  b->n_features = n_features;
  rx_tail_prepare(INFINITY, &b->normal);
  if (options->df != RX_DF_SATTERTHWAITE && options->df != RX_DF_KENWARD_ROGER) return RX_OK;
  rx_status status = RX_NEW(&b->table, "associate: p values", 1);
  if (status)
    rx_block_destroy(out);
  else
    rx_tail_tabulate(b->table);
  return status;
}

void rx_block_destroy(rx_block **block) {
  rx_block *b = *block;

  if (!b) return;
  for (int i = 0; i < b->n_patterns; i++) rx_pattern_destroy(&b->patterns[i]);
  free(b->table);
  free(b);
  *block = NULL;
}

/* ---- patterns ---- */

static bool is_same(const rx_pattern *p, size_t n_members, const size_t *member) {
  return p->n_members == n_members && !memcmp(p->member, member, n_members * sizeof *member);
}

/* Finds the pattern of some patients, or makes it; that of all patients is never given up. */
static rx_status get_pattern(rx_block *b, size_t n_members, const size_t *member,
                             const rx_pattern **out) {
  rx_pattern *made = NULL;
  int place;

  for (int i = 0; i < b->n_patterns; i++)
    if (is_same(b->patterns[i], n_members, member)) {
      *out = b->patterns[i];
      return RX_OK;
    }
  RX_TRY(
      rx_pattern_create(b->roster, b->options, n_members, member, b->first, b->n_features, &made));
  if (b->n_patterns < MOST_PATTERNS) {
    place = b->n_patterns++;
  } else {
    place = 1 + b->next;
    b->next = (b->next + 1) % (MOST_PATTERNS - 1);
    rx_pattern_destroy(&b->patterns[place]);
  }
  *out = b->patterns[place] = made;
  return RX_OK;
}

rx_status rx_block_whole(rx_block *block, const rx_pattern **pattern) {
  const size_t n = block->roster->n_patients;
  size_t *all = NULL;

  RX_TRY(RX_NEW(&all, "associate: patients", n));
  for (size_t i = 0; i < n; i++) all[i] = i;
  rx_status status = get_pattern(block, n, all, pattern);
  free(all);
  return status;
}

/* ---- one feature with the factors of a pattern ---- */

/* Room for one feature and all its factors; arrays of n_lanes. */
typedef struct {
  rx_reml_fits *fits; /* [n_tiles] */
  double *work;       /* [RX_REML_WORK][n] */
  double *column;     /* [n], a factor */
  double *memory;     /* the rest */
  rx_estimates mixed, means;
  double *lambda, *log10_p, *log10_p_means, *x0;
  unsigned char *fit;
} room;

static rx_status make_room(size_t n_lanes, size_t n_contrasts, room *r) {
  enum { N_ARRAYS = 12 };

  RX_TRY(RX_NEW(&r->fits, "associate: fits", n_lanes / LANES));
  RX_TRY(RX_NEW(&r->work, "associate: fits", RX_REML_WORK * n_contrasts));
  RX_TRY(RX_NEW(&r->column, "associate: fits", n_contrasts));
  RX_TRY(RX_NEW(&r->memory, "associate: fits", N_ARRAYS * n_lanes));
  RX_TRY(RX_NEW(&r->fit, "associate: fits", n_lanes));
  double **arrays[N_ARRAYS] = {&r->mixed.beta, &r->mixed.se, &r->mixed.t,       &r->mixed.df,
                               &r->means.beta, &r->means.se, &r->means.t,       &r->means.df,
                               &r->lambda,     &r->log10_p,  &r->log10_p_means, &r->x0};
  for (int i = 0; i < N_ARRAYS; i++) *arrays[i] = r->memory + (size_t)i * n_lanes;
  return RX_OK;
}

static void free_room(room *r) {
  free(r->fit);
  free(r->memory);
  free(r->column);
  free(r->work);
  free(r->fits);
}

static rx_estimates at_lane(rx_estimates e, size_t lane) {
  const rx_estimates moved = {e.beta + lane, e.se + lane, e.t + lane, e.df + lane};
  return moved;
}

/* The search, for a lane that the kernel did not finish or was not asked. */
static void search_lane(const rx_pattern *p, size_t feature, const rx_predictors *factors,
                        size_t tile, int lane, room *r) {
  const size_t n = (size_t)p->space->n;
  const double *g = factors->g + tile * n * LANES + lane;

  for (size_t j = 0; j < n; j++) r->column[j] = g[j * LANES];
  if (!rx_reml_search(p->space, r->column, p->y + feature * n, p->within[feature], lane,
                      &r->fits[tile]))
    r->fits[tile].is_found[lane] = 0;
}

/* sum g y, for features that have no mixed model. */
static void multiply(const rx_pattern *p, size_t feature, const rx_predictors *factors,
                     double *x0) {
  const size_t n = (size_t)p->space->n;
  const double *y = p->y + feature * n;

  memset(x0, 0, factors->n_tiles * LANES * sizeof *x0);
  for (size_t tile = 0; tile < factors->n_tiles; tile++)
    for (size_t j = 0; j < n; j++)
      for (size_t lane = 0; lane < LANES; lane++)
        x0[tile * LANES + lane] += y[j] * factors->g[(tile * n + j) * LANES + lane];
}

static void fit_mixed(const rx_block *b, const rx_pattern *p, size_t feature,
                      const rx_predictors *factors, room *r) {
  const size_t n = (size_t)p->space->n;
  const double *y = p->y + feature * n, within = p->within[feature];

  RX_ISA_PICK(b->options->isa, rx_reml_fit)
  (p->space, y, within, p->lambda[feature], factors->n_tiles, factors->g, r->work, r->fits);
  for (size_t tile = 0; tile < factors->n_tiles; tile++) {
    rx_reml_fits *fits = &r->fits[tile];
    const size_t start = tile * LANES;
    for (int lane = 0; lane < LANES; lane++)
      if (!fits->is_found[lane] || p->is_multiple[feature])
        search_lane(p, feature, factors, tile, lane, r);
    if (b->options->is_ratio)
      rx_inference_ratio(p->space, within, p->lambda[feature], p->residual[feature], fits,
                         at_lane(r->mixed, start));
    else
      rx_inference_wald(b->options->df, p->df, p->space->n_free - 1, within, fits,
                        at_lane(r->mixed, start));
    for (size_t lane = 0; lane < LANES; lane++) {
      r->lambda[start + lane] = fits->lambda[lane];
      r->x0[start + lane] = fits->x0[lane];
      r->fit[start + lane] = !fits->is_found[lane]     ? RX_FIT_NOT_CONVERGED
                             : fits->lambda[lane] == 0 ? RX_FIT_BOUNDARY
                                                       : RX_FIT_OK;
    }
  }
}

/* Ordinary regression in place of the mixed model: one slice a patient, or no variance within. */
static void fit_ordinary(const rx_block *b, const rx_pattern *p, size_t feature,
                         const rx_predictors *factors, room *r) {
  const bool is_single = p->fit[feature] == RX_FIT_ONE_ROW;

  multiply(p, feature, factors, r->x0);
  for (size_t lane = 0; lane < factors->n_tiles * LANES; lane += LANES) {
    rx_estimates mixed = at_lane(r->mixed, lane);
    rx_inference_ordinary(p->df, factors->g0 + lane, r->x0 + lane, p->square[feature], mixed);
    if (b->options->is_ratio)
      rx_inference_ordinary_ratio((double)p->n_members, factors->g0 + lane, r->x0 + lane,
                                  p->square[feature], mixed);
    for (size_t k = lane; k < lane + LANES; k++) {
      if (b->options->df == RX_DF_NORMAL) r->mixed.df[k] = (double)INFINITY;
      r->lambda[k] = is_single ? (double)NAN : (double)INFINITY;
      r->fit[k] = p->fit[feature];
    }
  }
}

/* p of the model and of the ordinary regression on means. */
static void find_p(const rx_block *b, const rx_pattern *p, size_t feature,
                   const rx_predictors *factors, room *r) {
  const size_t n = factors->n_tiles * LANES;
  const int isa = b->options->isa;

  for (size_t lane = 0; lane < n; lane += LANES)
    rx_inference_ordinary(p->df, factors->g0 + lane, r->x0 + lane, p->square[feature],
                          at_lane(r->means, lane));
  rx_tail_log10_p(isa, &p->tail, n, r->means.t, r->log10_p_means);
  if (b->options->is_ratio || b->options->df == RX_DF_NORMAL)
    rx_tail_log10_p(isa, &b->normal, n, r->mixed.t, r->log10_p);
  else if (b->table)
    rx_tail_log10_p_each(isa, b->table, n, r->mixed.t, r->mixed.df, r->log10_p);
  else
    rx_tail_log10_p(isa, &p->tail, n, r->mixed.t, r->log10_p);
}

static void leave_untested(rx_cells *cells, size_t at, rx_fit fit) {
  cells->t[at] = cells->beta[at] = cells->se[at] = NAN;
  cells->log10_p[at] = cells->lambda[at] = NAN;
  cells->df[at] = cells->log10_p_means[at] = NAN;
  cells->fit[at] = (unsigned char)fit;
}

/* The first status that holds, in the order of DESIGN.md. */
static rx_fit judge(const rx_pattern *p, size_t feature, rx_fit factor) {
  const rx_fit alone = p->fit[feature];

  if (alone == RX_FIT_NONFINITE || alone == RX_FIT_CONSTANT_FEATURE || alone == RX_FIT_SPARSE)
    return alone;
  return factor ? factor : alone;
}

static void store_lane(const rx_pattern *p, size_t feature, const rx_predictors *factors,
                       size_t lane, const room *r, rx_cells *cells, size_t at) {
  const double unit = p->scale[feature] / factors->scale[lane];

  cells->t[at] = r->mixed.t[lane];
  cells->beta[at] = r->mixed.beta[lane] * unit;
  cells->se[at] = r->mixed.se[lane] * unit;
  cells->log10_p[at] = r->log10_p[lane];
  cells->lambda[at] = r->lambda[lane];
  cells->df[at] = (float)r->mixed.df[lane];
  cells->log10_p_means[at] = (float)r->log10_p_means[lane];
  cells->fit[at] = r->fit[lane];
}

static void fit_feature(const rx_block *b, const rx_pattern *p, size_t feature,
                        const rx_predictors *factors, room *r, rx_cells *cells) {
  const bool is_fit = p->df > 0 && p->space->n > 0 && rx_fit_is_tested(p->fit[feature]);

  if (is_fit) {
    if (p->fit[feature] == RX_FIT_OK)
      fit_mixed(b, p, feature, factors, r);
    else
      fit_ordinary(b, p, feature, factors, r);
    find_p(b, p, feature, factors, r);
  }
  for (size_t lane = 0; lane < factors->n_factors; lane++) {
    size_t at = feature * cells->n_factors + factors->column[lane];
    rx_fit fit = judge(p, feature, factors->fit[lane]);
    if (rx_fit_is_tested(fit) && is_fit) fit = r->fit[lane];
    if (rx_fit_is_tested(fit))
      store_lane(p, feature, factors, lane, r, cells, at);
    else
      leave_untested(cells, at, fit);
  }
}

static rx_status fit_pattern(const rx_block *b, const rx_pattern *p, const rx_predictors *factors,
                             rx_cells *cells) {
  room r = {0};
  rx_status status = make_room(factors->n_tiles * LANES, (size_t)p->space->n, &r);

  for (size_t feature = 0; feature < b->n_features && !status; feature++)
    fit_feature(b, p, feature, factors, &r, cells);
  free_room(&r);
  return status;
}

/* ---- the factors of a block, by pattern ---- */

static bool has_same_patients(const double *value, size_t n_patients, size_t n_factors, size_t a,
                              size_t b) {
  for (size_t i = 0; i < n_patients; i++)
    if (isfinite(value[i * n_factors + a]) != isfinite(value[i * n_factors + b])) return false;
  return true;
}

rx_status rx_block_fit(rx_block *block, const double *value, size_t n_factors, rx_cells *cells) {
  const size_t n_patients = block->roster->n_patients;
  size_t *member = NULL, *column = NULL;
  unsigned char *is_done = NULL;
  rx_predictors *factors = NULL;
  rx_status status;

  cells->n_factors = n_factors;
  if ((status = RX_NEW(&member, "associate: patients", n_patients))) goto done;
  if ((status = RX_NEW(&column, "associate: factors", n_factors))) goto done;
  if ((status = RX_NEW(&is_done, "associate: factors", n_factors))) goto done;
  for (size_t first = 0; first < n_factors; first++) {
    const rx_pattern *pattern;
    size_t n_members = 0, n_columns = 0;
    if (is_done[first]) continue;
    for (size_t i = 0; i < n_patients; i++)
      if (isfinite(value[i * n_factors + first])) member[n_members++] = i;
    for (size_t c = first; c < n_factors; c++)
      if (!is_done[c] && has_same_patients(value, n_patients, n_factors, first, c))
        column[n_columns++] = c, is_done[c] = 1;
    if ((status = get_pattern(block, n_members, member, &pattern))) goto done;
    if ((status = rx_predictors_create(pattern, value, n_factors, n_columns, column, &factors)))
      goto done;
    if ((status = fit_pattern(block, pattern, factors, cells))) goto done;
    rx_predictors_destroy(&factors);
  }
done:
  rx_predictors_destroy(&factors);
  free(is_done);
  free(column);
  free(member);
  return status;
}
