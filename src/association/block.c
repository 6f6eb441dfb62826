#include "block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fitter.h"
#include "predictors.h"
#include "radmix/error.h"
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

rx_status rx_block_pattern(rx_block *b, size_t n_members, const size_t *member,
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
  rx_status status = rx_block_pattern(block, n, all, pattern);
  free(all);
  return status;
}

static void leave_untested(rx_cells *cells, size_t at, rx_fit fit) {
  cells->t[at] = cells->beta[at] = cells->se[at] = NAN;
  cells->log10_p[at] = cells->lambda[at] = NAN;
  cells->df[at] = cells->log10_p_means[at] = NAN;
  cells->fit[at] = (unsigned char)fit;
}

static void store_lane(const rx_pattern *p, size_t feature, const rx_predictors *factors,
                       size_t lane, const rx_fitter *r, rx_cells *cells, size_t at) {
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
                        const rx_predictors *factors, rx_fitter *r, rx_cells *cells) {
  const bool is_fit = rx_fitter_fit(r, p, feature, factors);

  if (is_fit) rx_fitter_find_p(r, &b->normal, b->table, p, feature, factors);
  for (size_t lane = 0; lane < factors->n_factors; lane++) {
    size_t at = feature * cells->n_factors + factors->column[lane];
    rx_fit fit = rx_fitter_judge(p, feature, factors->fit[lane]);
    if (rx_fit_is_tested(fit) && is_fit) fit = r->fit[lane];
    if (rx_fit_is_tested(fit))
      store_lane(p, feature, factors, lane, r, cells, at);
    else
      leave_untested(cells, at, fit);
  }
}

static rx_status fit_pattern(const rx_block *b, const rx_pattern *p, const bool *is_wanted,
                             const rx_predictors *factors, rx_cells *cells) {
  rx_fitter *fitter = NULL;

  RX_TRY(rx_fitter_create(b->options, factors->n_tiles * LANES, (size_t)p->space->n, &fitter));
  for (size_t feature = 0; feature < b->n_features; feature++)
    if (!is_wanted || is_wanted[feature]) fit_feature(b, p, feature, factors, fitter, cells);
  rx_fitter_destroy(&fitter);
  return RX_OK;
}

/* ---- the factors of a block, by pattern ---- */

static bool has_same_patients(const rx_groups *g, size_t a, size_t b) {
  for (size_t i = 0; i < g->n_patients; i++)
    if (isfinite(g->value[i * g->n_factors + a]) != isfinite(g->value[i * g->n_factors + b]))
      return false;
  return true;
}

rx_status rx_groups_create(size_t n_patients, size_t n_factors, const double *value,
                           rx_groups **out) {
  RX_TRY(RX_NEW(out, "associate: factors", 1));
  rx_groups *g = *out;
  g->n_patients = n_patients;
  g->n_factors = n_factors;
  g->value = value;
  rx_status status = RX_NEW(&g->member, "associate: patients", n_patients);
  if (!status) status = RX_NEW(&g->column, "associate: factors", n_factors);
  if (!status) status = RX_NEW(&g->is_done, "associate: factors", n_factors);
  if (status) rx_groups_destroy(out);
  return status;
}

void rx_groups_destroy(rx_groups **groups) {
  rx_groups *g = *groups;

  if (!g) return;
  free(g->is_done);
  free(g->column);
  free(g->member);
  free(g);
  *groups = NULL;
}

bool rx_groups_next(rx_groups *g) {
  size_t first = 0;

  while (first < g->n_factors && g->is_done[first]) first++;
  if (first == g->n_factors) return false;
  g->n_members = g->n_columns = 0;
  for (size_t i = 0; i < g->n_patients; i++)
    if (isfinite(g->value[i * g->n_factors + first])) g->member[g->n_members++] = i;
  for (size_t c = first; c < g->n_factors; c++)
    if (!g->is_done[c] && has_same_patients(g, first, c))
      g->column[g->n_columns++] = c, g->is_done[c] = true;
  return true;
}

rx_status rx_block_fit(rx_block *block, const double *value, size_t n_factors, rx_cells *cells) {
  return rx_block_fit_some(block, NULL, value, n_factors, cells);
}

rx_status rx_block_fit_some(rx_block *block, const bool *is_wanted, const double *value,
                            size_t n_factors, rx_cells *cells) {
  rx_groups *groups = NULL;
  rx_predictors *factors = NULL;

  cells->n_factors = n_factors;
  RX_TRY(rx_groups_create(block->roster->n_patients, n_factors, value, &groups));
  rx_status status = RX_OK;
  while (!status && rx_groups_next(groups)) {
    const rx_pattern *pattern;
    status = rx_block_pattern(block, groups->n_members, groups->member, &pattern);
    if (!status)
      status = rx_predictors_create(pattern, value, n_factors, groups->n_columns, groups->column,
                                    &factors);
    if (!status) status = fit_pattern(block, pattern, is_wanted, factors, cells);
    rx_predictors_destroy(&factors);
  }
  rx_groups_destroy(&groups);
  return status;
}
