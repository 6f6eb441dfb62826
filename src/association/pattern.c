#include "pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { TILE = RX_REML_LANES };

/* Of the size of a value: below, differences are rounding. */
static const double rounding = 1e-14;

/* Eight features of the members, as they are and in contrasts. */
typedef struct {
  double *value;    /* [n_members][TILE] */
  double *contrast; /* [n][TILE] */
  double *sorted;   /* [n_members] */
  double within[TILE], lambda[TILE], n_minima[TILE];
} tile;

const char *rx_fit_name(rx_fit fit) {
  static const char *const names[RX_N_FITS] = {
      "ok",     "boundary",       "zero_within",      "one_row",       "constant_feature",
      "sparse", "rank_deficient", "too_few_patients", "not_converged", "nonfinite"};
  return names[fit];
}

void rx_pattern_destroy(rx_pattern **pattern) {
  rx_pattern *p = *pattern;

  if (!p) return;
  free(p->is_multiple);
  free(p->fit);
  free(p->residual);
  free(p->lambda);
  free(p->square);
  free(p->within);
  free(p->scale);
  free(p->y);
  rx_reml_space_destroy(&p->space);
  rx_contrasts_destroy(&p->contrasts);
  free(p->member);
  free(p);
  *pattern = NULL;
}

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The number of patients that have the commonest value. When more than half have it, it is found
 * without sorting (Boyer & Moore 1991); else there is nothing to know when most_wanted says so. */
static size_t count_commonest(const double *value, size_t n, size_t most_wanted, double *sorted) {
  double candidate = 0;
  size_t votes = 0, count = 0, most = 0;

  for (size_t i = 0; i < n; i++) {
    if (votes == 0) candidate = value[i * TILE];
    if (value[i * TILE] == candidate)
      votes++;
    else
      votes--;
  }
  for (size_t i = 0; i < n; i++) count += value[i * TILE] == candidate;
  if (count > n / 2 || most_wanted >= n / 2) return count;
  for (size_t i = 0; i < n; i++) sorted[i] = value[i * TILE];
  qsort(sorted, n, sizeof *sorted, compare_numbers);
  for (size_t i = 0, run = 0; i < n; i++) {
    run = i && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    if (run > most) most = run;
  }
  return most;
}

/* Takes mean and scale out of one feature and decides what can be decided without a factor. */
static rx_fit prepare_feature(const rx_pattern *p, const rx_fit_options *options, double origin,
                              size_t lane, tile *t, double *scale) {
  const size_t n = p->n_members;
  double *value = t->value + lane, mean = 0, largest = 0, sum = 0, farthest = 0;
  const double n_rows = p->contrasts->n_rows;

  *scale = 1;
  if (n == 0) return RX_FIT_OK; /* too few patients: the factor's fault */
  for (size_t i = 0; i < n; i++) {
    mean += value[i * TILE] / (double)n;
    largest = fmax(largest, fabs(value[i * TILE] + origin));
  }
  if (!isfinite(mean) || !isfinite(t->within[lane])) return RX_FIT_NONFINITE;
  const size_t least = (size_t)options->min_patients; /* at most n - least may be the same */
  size_t n_common = count_commonest(value, n, n > least ? n - least : 0, t->sorted);
  for (size_t i = 0; i < n; i++) {
    value[i * TILE] -= mean;
    sum += value[i * TILE] * value[i * TILE];
    farthest = fmax(farthest, fabs(value[i * TILE]));
  }
  bool has_within = t->within[lane] > n_rows * pow(rounding * largest, 2);
  if (farthest <= rounding * largest && !has_within) return RX_FIT_CONSTANT_FEATURE;
  if (n - n_common < least) return RX_FIT_SPARSE;
  /* A power of two: nothing is rounded, and a feature times 1,024 gives the same bits. */
  double deviation = sqrt(sum / (double)n + t->within[lane] / n_rows);
  *scale = deviation > 0 ? ldexp(1, ilogb(deviation)) : 1;
  for (size_t i = 0; i < n; i++) value[i * TILE] /= *scale;
  t->within[lane] /= *scale * *scale;
  if (p->contrasts->is_single) return RX_FIT_ONE_ROW;
  return has_within ? RX_FIT_OK : RX_FIT_ZERO_WITHIN;
}

static void gather(const rx_roster *roster, const rx_pattern *p, size_t feature, size_t lane,
                   tile *t) {
  const rx_measures *m = roster->measures;

  t->within[lane] = 0;
  for (size_t i = 0; i < p->n_members; i++) {
    size_t at = roster->measure[p->member[i]] * m->n_features + feature;
    t->value[i * TILE + lane] = m->mean[at];
    t->within[lane] += m->within[at];
  }
}

/* A lane that nothing is asked of: numbers that are harmless. */
static void fill_lane(const rx_pattern *p, size_t lane, tile *t) {
  t->within[lane] = 1;
  for (size_t i = 0; i < p->n_members; i++) t->value[i * TILE + lane] = 0;
}

/* Where f has several minima, or Newton's method found none, the search decides. */
static void settle_null(const rx_pattern *p, size_t feature, double n_minima) {
  const double *y = p->y + feature * (size_t)p->space->n;
  rx_reml_fits fits;

  if (n_minima == 1) return;
  int n = rx_reml_search(p->space, NULL, y, p->within[feature], 0, &fits);
  p->lambda[feature] = fits.lambda[0];
  p->is_multiple[feature] = 1;
  if (n == 0) p->fit[feature] = RX_FIT_NOT_CONVERGED;
}

static void store_feature(const rx_pattern *p, size_t feature, size_t lane, const tile *t) {
  const int n = p->space->n;
  double *y = p->y + feature * (size_t)n;

  p->within[feature] = t->within[lane];
  for (int j = 0; j < n; j++) {
    y[j] = t->contrast[(size_t)j * TILE + lane];
    p->square[feature] += y[j] * y[j];
  }
  if (p->fit[feature] != RX_FIT_OK) return;
  p->lambda[feature] = t->lambda[lane];
  settle_null(p, feature, t->n_minima[lane]);
  p->residual[feature] = p->within[feature];
  for (int j = 0; j < n; j++)
    p->residual[feature] += y[j] * y[j] / (p->lambda[feature] + p->space->pole[j]);
}

static void prepare_tile(const rx_roster *roster, const rx_fit_options *options, size_t start,
                         rx_pattern *p, tile *t) {
  size_t count = p->n_features - start < TILE ? p->n_features - start : TILE;

  for (size_t lane = 0; lane < TILE; lane++) {
    if (lane < count) {
      size_t feature = p->first + start + lane;
      gather(roster, p, feature, lane, t);
      p->fit[start + lane] = (unsigned char)prepare_feature(
          p, options, roster->measures->origin[feature], lane, t, &p->scale[start + lane]);
    }
    if (lane >= count || !rx_fit_is_tested(p->fit[start + lane])) fill_lane(p, lane, t);
  }
  RX_ISA_PICK(options->isa, rx_contrasts_rotate)(p->contrasts, t->value, t->contrast);
  RX_ISA_PICK(options->isa, rx_reml_null)(p->space, t->contrast, t->within, t->lambda, t->n_minima);
  for (size_t lane = 0; lane < count; lane++) store_feature(p, start + lane, lane, t);
}

static rx_status allocate(rx_pattern *p, tile *t) {
  const size_t n = p->n_features, contrasts = (size_t)p->contrasts->n;

  RX_TRY(RX_NEW(&p->y, "associate: features", n * contrasts));
  RX_TRY(RX_NEW(&p->scale, "associate: features", n));
  RX_TRY(RX_NEW(&p->within, "associate: features", n));
  RX_TRY(RX_NEW(&p->square, "associate: features", n));
  RX_TRY(RX_NEW(&p->lambda, "associate: features", n));
  RX_TRY(RX_NEW(&p->residual, "associate: features", n));
  RX_TRY(RX_NEW(&p->fit, "associate: features", n));
  RX_TRY(RX_NEW(&p->is_multiple, "associate: features", n));
  RX_TRY(RX_NEW(&t->value, "associate: features", p->n_members * TILE));
  RX_TRY(RX_NEW(&t->contrast, "associate: features", contrasts * TILE));
  return RX_NEW(&t->sorted, "associate: features", p->n_members);
}

static rx_status make_contrasts(const rx_roster *roster, rx_pattern *p) {
  double *rows = NULL, *design = NULL;
  int n_columns = 0;

  RX_TRY(RX_NEW(&rows, "associate: patients", p->n_members));
  for (size_t i = 0; i < p->n_members; i++) rows[i] = roster->rows[p->member[i]];
  rx_status status = rx_roster_design(roster, p->n_members, p->member, &n_columns, &design);
  if (!status)
    status = rx_contrasts_create((int)p->n_members, rows, n_columns, design, &p->contrasts);
  free(design);
  free(rows);
  return status;
}

rx_status rx_pattern_create(const rx_roster *roster, const rx_fit_options *options,
                            size_t n_members, const size_t *member, size_t first, size_t n_features,
                            rx_pattern **out) {
  tile t = {0};
  rx_status status;

  RX_TRY(RX_NEW(out, "associate: features", 1));
  rx_pattern *p = *out;
  p->n_members = n_members;
  p->first = first;
  p->n_features = n_features;
  if ((status = RX_NEW(&p->member, "associate: patients", n_members))) goto done;
  memcpy(p->member, member, n_members * sizeof *member);
  if ((status = make_contrasts(roster, p))) goto done;
  if ((status = rx_reml_space_create(p->contrasts, options->is_ratio, &p->space))) goto done;
  p->df = (double)n_members - p->contrasts->n_columns - 1;
  if (p->df > 0) rx_tail_prepare(p->df, &p->tail);
  if ((status = allocate(p, &t))) goto done;
  for (size_t start = 0; start < n_features; start += TILE)
    prepare_tile(roster, options, start, p, &t);
done:
  free(t.sorted);
  free(t.contrast);
  free(t.value);
  if (status) rx_pattern_destroy(out);
  return status;
}
