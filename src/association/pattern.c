#include "pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "design.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { TILE = RX_REML_LANES };

/* Of the size of a value: below, differences are rounding. */
static const double rounding = 1e-14;
static const double rounding_of_products = 1e-12; /* of what covariates leave within patients */

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
  if (p->square_means != p->square) free(p->square_means);
  if (p->means != p->y) free(p->means);
  free(p->square);
  free(p->within);
  free(p->scale);
  free(p->y);
  rx_reml_space_destroy(&p->space);
  rx_contrasts_destroy(&p->contrasts);
  rx_design_destroy(&p->design);
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
  for (int r = 0; r < p->contrasts->n_inner; r++)
    t->value[(p->n_members + (size_t)r) * TILE + lane] = 0;
  for (size_t i = 0; i < p->n_members; i++) {
    size_t at = roster->measure[p->member[i]] * m->n_features + feature;
    t->value[i * TILE + lane] = m->mean[at];
    t->within[lane] += m->within[at];
  }
}

/* A lane that nothing is asked of: numbers that are harmless. */
static void fill_lane(const rx_pattern *p, size_t lane, tile *t) {
  const size_t n = p->n_members + (size_t)p->contrasts->n_inner;

  t->within[lane] = 1;
  for (size_t i = 0; i < n; i++) t->value[i * TILE + lane] = 0;
}

/* ---- covariates that vary within patients ---- */

/* Sum over members of the products of a feature with one of them. */
static double cross_of(const rx_roster *roster, const rx_pattern *p, size_t feature, int l) {
  const rx_measures *m = roster->measures;
  const size_t k = (size_t)m->image->n_columns, column = (size_t)p->design->image[l];
  double sum = 0;

  for (size_t i = 0; i < p->n_members; i++)
    sum += m->image->cross[(roster->measure[p->member[i]] * k + column) * m->n_features + feature];
  return sum;
}

/* Takes out of the means what the covariates explain within patients: for features that have
 * nothing else within. */
static void remove_slopes(const rx_pattern *p, size_t lane, tile *t) {
  const rx_contrasts *c = p->contrasts;
  const size_t k = (size_t)c->n_images;

  for (size_t l = 0; l < k; l++) {
    double slope = 0;
    for (size_t r = 0; r < (size_t)c->n_inner; r++)
      slope += c->inner[r * k + l] * t->value[(p->n_members + r) * TILE + lane];
    for (size_t i = 0; i < p->n_members; i++)
      t->value[i * TILE + lane] -= slope * p->design->image_mean[i * k + l];
  }
}

/* Makes the further rows of a prepared feature, and takes them from the sum of squares within. */
static rx_fit prepare_inner(const rx_roster *roster, const rx_pattern *p, size_t feature,
                            size_t lane, rx_fit fit, double scale, tile *t) {
  const rx_contrasts *c = p->contrasts;
  const double within = t->within[lane];
  double before = 0, after = 0;

  if (!c->n_inner || !rx_fit_is_tested(fit)) return fit;
  for (int l = 0; l < c->n_images; l++) {
    double cross = cross_of(roster, p, feature, l) / scale;
    for (int r = 0; r < c->n_inner; r++)
      t->value[(p->n_members + (size_t)r) * TILE + lane] += c->inner[r * c->n_images + l] * cross;
  }
  for (int r = 0; r < c->n_inner; r++) {
    double further = t->value[(p->n_members + (size_t)r) * TILE + lane];
    t->within[lane] -= further * further;
  }
  if (fit == RX_FIT_OK && t->within[lane] > rounding_of_products * within) return RX_FIT_OK;
  t->within[lane] = 0;
  for (size_t i = 0; i < p->n_members; i++) before += pow(t->value[i * TILE + lane], 2);
  remove_slopes(p, lane, t);
  double mean = 0;
  for (size_t i = 0; i < p->n_members; i++)
    mean += t->value[i * TILE + lane] / (double)p->n_members;
  for (size_t i = 0; i < p->n_members; i++) {
    t->value[i * TILE + lane] -= mean;
    after += pow(t->value[i * TILE + lane], 2);
  }
  /* The feature is a covariate, or a sum of covariates. */
  return after <= rounding_of_products * rounding_of_products * (before + within)
             ? RX_FIT_CONSTANT_FEATURE
             : RX_FIT_ZERO_WITHIN;
}

/* The means of a feature for ordinary regression. */
static void store_means(const rx_pattern *p, size_t feature, size_t lane, const tile *t) {
  const size_t n = (size_t)p->contrasts->n_ordinary, skipped = (size_t)p->contrasts->n_skipped;
  double *means = p->means + feature * n;

  if (p->means == p->y) return;
  for (size_t i = 0; i < p->n_members; i++) t->sorted[i] = t->value[i * TILE + lane];
  rx_contrasts_apply_ordinary(p->contrasts, t->sorted, means);
  p->square[feature] = 0;
  for (size_t j = 0; j < n; j++) {
    p->square[feature] += means[j] * means[j];
    if (j >= skipped) p->square_means[feature] += means[j] * means[j];
  }
}

/* ---- all ---- */

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
      p->fit[start + lane] = (unsigned char)prepare_inner(
          roster, p, feature, lane, (rx_fit)p->fit[start + lane], p->scale[start + lane], t);
    }
    if (lane >= count || !rx_fit_is_tested(p->fit[start + lane])) fill_lane(p, lane, t);
  }
  RX_ISA_PICK(options->isa, rx_contrasts_rotate)(p->contrasts, t->value, t->contrast);
  RX_ISA_PICK(options->isa, rx_reml_null)(p->space, t->contrast, t->within, t->lambda, t->n_minima);
  for (size_t lane = 0; lane < count; lane++) {
    store_feature(p, start + lane, lane, t);
    store_means(p, start + lane, lane, t);
  }
}

static rx_status allocate(rx_pattern *p, tile *t) {
  const size_t n = p->n_features, contrasts = (size_t)p->contrasts->n;
  const size_t n_values = p->n_members + (size_t)p->contrasts->n_inner;

  RX_TRY(RX_NEW(&p->y, "associate: features", n * contrasts));
  RX_TRY(RX_NEW(&p->scale, "associate: features", n));
  RX_TRY(RX_NEW(&p->within, "associate: features", n));
  RX_TRY(RX_NEW(&p->square, "associate: features", n));
  RX_TRY(RX_NEW(&p->lambda, "associate: features", n));
  RX_TRY(RX_NEW(&p->residual, "associate: features", n));
  RX_TRY(RX_NEW(&p->fit, "associate: features", n));
  RX_TRY(RX_NEW(&p->is_multiple, "associate: features", n));
  p->means = p->y;
  p->square_means = p->square;
  if (p->contrasts->n_images) {
    p->means = p->square_means = NULL;
    RX_TRY(RX_NEW(&p->means, "associate: features", n * (size_t)p->contrasts->n_ordinary));
    RX_TRY(RX_NEW(&p->square_means, "associate: features", n));
  }
  RX_TRY(RX_NEW(&t->value, "associate: features", n_values * TILE));
  RX_TRY(RX_NEW(&t->contrast, "associate: features", contrasts * TILE));
  return RX_NEW(&t->sorted, "associate: features", p->n_members);
}

static rx_status make_contrasts(const rx_roster *roster, rx_pattern *p) {
  const int n = (int)p->n_members;

  RX_TRY(rx_design_create(roster, p->n_members, p->member, &p->design));
  const rx_design *d = p->design;
  const rx_inner_columns inner = {d->n_images, d->image_mean, d->image_product};
  return d->n_images ? rx_contrasts_create_inner(n, d->rows, d->n_columns, d->columns, &inner,
                                                 &p->contrasts)
                     : rx_contrasts_create(n, d->rows, d->n_columns, d->columns, &p->contrasts);
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
  p->df_means = p->df - p->contrasts->n_skipped;
  if (p->df_means > 0) rx_tail_prepare(p->df_means, &p->tail_means);
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
