#include "describe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "calibration.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"

/* ---- features ---- */

/* Fourth moment over the square of the second, 3 for a normal distribution. */
static double kurtosis_of(size_t n, const double *value) {
  double mean = 0, square = 0, fourth = 0;
  size_t count = 0;

  for (size_t i = 0; i < n; i++)
    if (isfinite(value[i])) mean += value[i], count++;
  if (count < 2) return NAN;
  mean /= (double)count;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(value[i])) continue;
    double d = (value[i] - mean) * (value[i] - mean);
    square += d;
    fourth += d * d;
  }
  return square > 0 ? fourth * (double)count / (square * square) : NAN;
}

static void take_feature(const rx_roster *roster, size_t feature, double *value) {
  const rx_measures *m = roster->measures;

  for (size_t i = 0; i < roster->n_patients; i++)
    value[i] = m->mean[roster->measure[i] * m->n_features + feature];
}

/* Share of patients whose mean is 0. */
static double fraction_zero(const rx_roster *roster, size_t feature, const double *value) {
  size_t n = 0;

  for (size_t i = 0; i < roster->n_patients; i++)
    n += value[i] + roster->measures->origin[feature] == 0;
  return (double)n / (double)roster->n_patients;
}

/* lambda / (1 + lambda) of the fit without a factor, on the rank that has the feature; else 0. */
static rx_status gather_icc(rx_grid *g, double *icc) {
  const rx_pattern *whole;
  rx_status status = rx_block_whole(g->block, &whole);

  for (size_t i = 0; i < g->n_mine && !status && g->place == 0; i++) {
    double lambda = whole->lambda[i];
    icc[g->first + i] = whole->fit[i] == RX_FIT_OK            ? lambda / (1 + lambda)
                        : whole->fit[i] == RX_FIT_ZERO_WITHIN ? 1
                                                              : (double)NAN;
  }
  if ((status = RX_AGREE(g->job->comm, status))) return status;
  MPI_Allreduce(MPI_IN_PLACE, icc, (int)g->n_features, MPI_DOUBLE, MPI_SUM, g->job->comm);
  return RX_OK;
}

/* A frame with the names and columns of another. */
static rx_status copy_frame(const rx_frame *from, rx_frame **out) {
  ptrdiff_t *rows;

  RX_TRY(RX_NEW(&rows, "associate: names", from->n_rows));
  for (size_t i = 0; i < from->n_rows; i++) rows[i] = (ptrdiff_t)i;
  rx_status status = rx_frame_create(from->n_rows, out);
  for (size_t i = 0; i < from->n_rows && !status; i++)
    status = rx_frame_name(*out, i, from->names[i]);
  for (size_t c = 0; c < from->n_columns && !status; c++)
    status = rx_frame_copy_column(*out, from, &from->columns[c], rows);
  free(rows);
  return status;
}

static rx_status describe_features(const rx_grid *g, const double *icc, rx_frame **obs) {
  const rx_roster *roster = g->roster;
  rx_column *column;
  double *value;

  RX_TRY(copy_frame(roster->measures->features, obs));
  bool has_zeros = rx_frame_find(*obs, "fraction_zero");
  rx_status status = RX_NEW(&value, "associate: features", roster->n_patients);
  if (!status) status = rx_frame_add(*obs, "icc", RX_REAL, &column);
  for (size_t f = 0; f < g->n_features && !status; f++) column->real[f] = icc[f];
  if (!status) status = rx_frame_add(*obs, "kurtosis", RX_REAL, &column);
  for (size_t f = 0; f < g->n_features && !status; f++) {
    take_feature(roster, f, value);
    column->real[f] = kurtosis_of(roster->n_patients, value);
  }
  if (!status && !has_zeros) status = rx_frame_add(*obs, "fraction_zero", RX_REAL, &column);
  for (size_t f = 0; f < g->n_features && !status && !has_zeros; f++) {
    take_feature(roster, f, value);
    column->real[f] = fraction_zero(roster, f, value);
  }
  free(value);
  return status;
}

/* ---- calibration ---- */

static int compare_reals(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Whether a share is off its level by more than a fifth, and by more than three standard errors. */
static bool is_off(const rx_calibration *c, int k) {
  double off = fabs(c->share[k] / rx_calibration_level[k] - 1);
  return off > 0.2 && off * rx_calibration_level[k] > 3 * c->error[k];
}

/* Simulates at one ICC, and warns. Returns whether it did. Collective. */
static bool warn_at(const rx_grid *g, double icc, const char *whose, rx_status *status) {
  enum { N_FEATURES = 256, N_FACTORS = 512 };
  const rx_config *config = g->job->config;
  rx_calibration c;

  *status = rx_calibration_run(g->job->comm, g->roster, &g->options, icc, N_FEATURES, N_FACTORS,
                               config->study_seed, &c);
  if (*status || (!is_off(&c, 0) && !is_off(&c, 1))) return false;
  rx_log_warn(g->job->log,
              "associate: with these patients and slices and an ICC of %.2f (%s of the features), "
              "%s p are at most 0.05 in %.2g %% and 0.001 in %.2g %% of simulated features without "
              "effect: %s",
              icc, whose,
              rx_is(config->association_test, "lrt") ? "likelihood-ratio" : config->association_df,
              100 * c.share[0], 100 * c.share[1],
              config->association_permutations ? "trust those by permutation"
                                               : "consider association.permutations");
  return true;
}

/* Whether p can be believed for the ICC of most features: the lower quartile, and the median. */
static rx_status say_calibration(const rx_grid *g, const double *icc) {
  double *sorted = NULL;
  size_t n = 0;

  if (rx_is(g->job->config->association_transform, "rank-normal")) return RX_OK;
  RX_TRY(RX_NEW_AGREED(g->job->comm, &sorted, "associate: features", g->n_features));
  for (size_t f = 0; f < g->n_features; f++)
    if (icc[f] < 1) sorted[n++] = icc[f];
  if (n) qsort(sorted, n, sizeof *sorted, compare_reals);
  rx_status status = RX_OK;
  if (n && !warn_at(g, sorted[n / 2], "the median", &status) && !status)
    warn_at(g, sorted[n / 4], "the lower quartile", &status);
  free(sorted);
  return status;
}

rx_status rx_describe_frames(rx_grid *g, rx_frame **obs, rx_frame **var) {
  double *icc;

  *obs = *var = NULL;
  RX_TRY(RX_NEW_AGREED(g->job->comm, &icc, "associate: features", g->n_features));
  rx_status status = gather_icc(g, icc);
  if (!status) status = say_calibration(g, icc);
  if (!status && g->job->rank == 0) {
    status = describe_features(g, icc, obs);
    if (!status) status = copy_frame(g->roster->factors->var, var);
  }
  free(icc);
  return RX_AGREE(g->job->comm, status);
}

/* ---- factors ---- */

/* The median of the chi-square values over what it should be; the quantile of the median p. */
static double lambda_gc(double log10_median) {
  if (isnan(log10_median)) return NAN;
  double expected = qchisq(0.5, 1, 1, 0);
  return qchisq(log10_median * M_LN10, 1, 0, 1) / expected;
}

static double of_factor(const rx_factor_summary *f, int what) {
  switch (what) {
    case 0:
      return f->n_tests ? (double)f->n_boundary / (double)f->n_tests : NAN;
    case 1:
      return f->n_tests ? f->log10_simes : NAN;
    case 2:
      return f->n_tests ? pow(10, f->log10_q_simes) : NAN;
    case 3:
      return lambda_gc(f->n_tests ? f->log10_median : NAN);
    case 4:
      return f->n_tests ? f->lambda_gc_low : NAN;
    default:
      return f->n_tests ? f->lambda_gc_high : NAN;
  }
}

static rx_status put_reals(const rx_grid *g, rx_store *store) {
  static const char *const names[] = {"boundary_share", "log10_p_simes", "q_simes",
                                      "lambda_gc",      "lambda_gc_low", "lambda_gc_high"};
  rx_column column = {.kind = RX_REAL};

  rx_status status = RX_NEW(&column.real, "associate: factors", g->n_factors);
  const int n = g->permutations ? 6 : 4;
  for (int what = 0; what < n && !status; what++) {
    for (size_t f = 0; f < g->n_factors; f++) column.real[f] = of_factor(&g->factor[f], what);
    if ((status = rx_copy_text(names[what], &column.name))) break;
    status = rx_store_put_column(store, "var", g->n_factors, &column);
    free(column.name);
  }
  free(column.real);
  return status;
}

static rx_status put_counts(const rx_grid *g, rx_store *store) {
  static const char *const names[] = {"n_tests", "n_hits_factor", "n_hits_hierarchical"};
  rx_column column = {.kind = RX_INTEGER};

  rx_status status = RX_NEW(&column.integer, "associate: factors", g->n_factors);
  for (int what = 0; what < 3 && !status; what++) {
    for (size_t f = 0; f < g->n_factors; f++) {
      const rx_factor_summary *of = &g->factor[f];
      column.integer[f] = what == 0   ? of->n_tests
                          : what == 1 ? of->n_hits_factor
                                      : of->n_hits_hierarchical;
    }
    if ((status = rx_copy_text(names[what], &column.name))) break;
    status = rx_store_put_column(store, "var", g->n_factors, &column);
    free(column.name);
  }
  free(column.integer);
  return status;
}

rx_status rx_describe_results(const rx_grid *g, rx_store *store) {
  char *names[RX_N_FITS];

  for (int fit = 0; fit < RX_N_FITS; fit++) names[fit] = (char *)rx_fit_name((rx_fit)fit);
  RX_TRY(rx_store_put_texts(store, "uns/status", RX_N_FITS, names));
  RX_TRY(put_counts(g, store));
  return put_reals(g, store);
}

/* ---- words ---- */

/* Smallest |r| that is found at q_all 0.05 with 80 % power when it is the only one: Fisher's z. */
static double detectable(double n_patients, double n_tests) {
  double z = qnorm(0.05 / n_tests / 2, 0, 1, 0, 0) + qnorm(0.8, 0, 1, 1, 0);
  return n_patients > 3 ? tanh(z / sqrt(n_patients - 3)) : 1;
}

static void say_slices(const rx_grid *g) {
  const rx_roster *c = g->roster;
  double n_rows = 0, most = 0;
  size_t largest = 0, n_several = 0;

  for (size_t i = 0; i < c->n_patients; i++) {
    n_rows += c->rows[i];
    n_several += c->rows[i] > 1;
    if (c->rows[i] > most) most = c->rows[i], largest = i;
  }
  rx_log_info(
      g->job->log,
      "associate: %zu features x %zu factors, %zu patients with %.0f rows; found with 80 %% "
      "power at q_all 0.05: |r| >= %.2f",
      g->n_features, g->n_factors, c->n_patients, n_rows,
      detectable((double)c->n_patients, (double)g->n_features * (double)g->n_factors));
  if (!n_several) return;
  if (most > n_rows / 2)
    rx_log_warn(g->job->log, "associate: patient %s holds %.0f of the %.0f slices",
                c->measures->patients->names[c->measure[largest]], most, n_rows);
  if (n_several < (c->n_patients + 1) / 2)
    rx_log_warn(g->job->log,
                "associate: only %zu of %zu patients have two slices or more: the variance within "
                "patients rests on them",
                n_several, c->n_patients);
}

/* Columns of a matrix whose kurtosis is above 10, in percent. */
static double heavy_features(const rx_grid *g, double *value) {
  size_t n = 0;

  for (size_t f = 0; f < g->n_features; f++) {
    take_feature(g->roster, f, value);
    n += kurtosis_of(g->roster->n_patients, value) > 10;
  }
  return 100 * (double)n / (double)g->n_features;
}

static double heavy_factors(const rx_grid *g, size_t count, double *value) {
  size_t n = 0;

  for (size_t c = 0; c < count; c++) {
    for (size_t i = 0; i < g->roster->n_patients; i++) value[i] = g->value[i * count + c];
    n += kurtosis_of(g->roster->n_patients, value) > 10;
  }
  return (double)n;
}

/* Which of the image covariates cost a degree of freedom. */
static rx_status say_covariates(rx_grid *g) {
  const rx_pattern *whole;

  if (!g->roster->measures->image) return RX_OK;
  RX_TRY(RX_AGREE(g->job->comm, rx_block_whole(g->block, &whole)));
  rx_log_info(g->job->log,
              "associate: image covariates: %d columns vary within patients; %d do not, and cost a "
              "degree of freedom each",
              whole->design->n_images, whole->design->n_outer);
  return RX_OK;
}

rx_status rx_describe_data(rx_grid *g) {
  const rx_config *config = g->job->config;
  double *value, heavy = 0;

  say_slices(g);
  RX_TRY(say_covariates(g));
  RX_TRY(RX_NEW_AGREED(g->job->comm, &value, "associate: features", g->roster->n_patients));
  rx_status status = RX_OK;
  for (size_t round = 0; round < g->n_rounds && !status; round++) {
    size_t first, count;
    rx_grid_run(g, round, &first, &count);
    status = rx_grid_read(g, round);
    if (g->is_speaker && !status) heavy += heavy_factors(g, count, value);
  }
  if (!status) {
    MPI_Allreduce(MPI_IN_PLACE, &heavy, 1, MPI_DOUBLE, MPI_SUM, g->job->comm);
    heavy *= 100 / (double)g->n_factors;
    double features = heavy_features(g, value);
    bool is_normal = rx_is(config->association_transform, "rank-normal") ||
                     rx_is(config->association_factor_transform, "rank-normal");
    if ((features > 10 || heavy > 10) && !is_normal && !config->association_permutations)
      rx_log_warn(g->job->log,
                  "associate: kurtosis is above 10 in %.0f %% of the features and %.0f %% of the "
                  "factors: consider rank-normal transforms or permutations",
                  features, heavy);
  }
  free(value);
  return status;
}

/* The slowest rank counts. Bytes: X, beta, se, log10_p, variance_ratio; five float layers; status.
 */
static void say_rates(const rx_grid *g) {
  const double n = (double)g->n_features * (double)g->n_factors, bytes = n * (5 * 8 + 5 * 4 + 1);
  double seconds[2] = {g->fit_seconds, g->write_seconds};
  char written[128] = "";

  MPI_Allreduce(MPI_IN_PLACE, seconds, 2, MPI_DOUBLE, MPI_MAX, g->job->comm);
  if (!g->kept)
    snprintf(written, sizeof written, "; written in %.2f s, %.0f MB/s", seconds[1],
             bytes * 1e-6 / seconds[1]);
  rx_log_info(g->job->log,
              "associate: fits, p and q in %.2f s, %.0f ns a fit on each of %d ranks%s", seconds[0],
              seconds[0] * 1e9 / n * g->job->n_ranks, g->job->n_ranks, written);
  if (g->kept)
    rx_log_info(g->job->log, "associate: %zu of %.0f cells have p <= %g and are kept", g->kept->n,
                n, g->job->config->association_output_p);
}

/* What the permutations found, where there is nothing to find. */
static void say_permutations(const rx_grid *g) {
  const rx_permutations *p = g->permutations;
  double mean = 0;

  if (!p) return;
  for (int b = 0; b < p->n; b++) mean += (double)p->n_hits[b] / p->n;
  rx_log_info(
      g->job->log,
      "associate: with patients permuted %d times q_factor < 0.05 finds %.1f cells on average, "
      "median %lld, 95 %% at most %lld",
      p->n, mean, (long long)p->n_hits[p->n / 2],
      (long long)p->n_hits[(size_t)(0.95 * (p->n - 1))]);
}

void rx_describe_found(const rx_grid *g) {
  int64_t n_factor = 0, n_hierarchical = 0;
  size_t factors = 0, hierarchical = 0, tested = 0;

  for (size_t f = 0; f < g->n_factors; f++) {
    n_factor += g->factor[f].n_hits_factor;
    factors += g->factor[f].n_hits_factor > 0;
    n_hierarchical += g->factor[f].n_hits_hierarchical;
    hierarchical += g->factor[f].n_hits_hierarchical > 0;
    tested += g->factor[f].n_tests > 0;
  }
  say_rates(g);
  rx_log_info(g->job->log, "associate: q_hierarchical < 0.05: %lld cells of %zu factors",
              (long long)n_hierarchical, hierarchical);
  rx_log_info(g->job->log, "associate: q_all < 0.05: %lld cells", (long long)g->n_hits_all);
  rx_log_info(
      g->job->log,
      "associate: q_factor < 0.05: %lld cells of %zu factors; this q holds within one factor "
      "chosen beforehand: with nothing true, up to %.1f of %zu factors would have a hit",
      (long long)n_factor, factors, 0.05 * (double)tested, tested);
  say_permutations(g);
}
