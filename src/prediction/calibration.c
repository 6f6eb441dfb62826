#include "prediction/calibration.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "radmix/memory.h"

static double probability(double score) {
  return 1 / (1 + exp(-score));
}

/* One Newton step for logit P = a + b s; with is_sloped false b stays. Returns the size of the
 * step, or NAN. */
static double step_newton(size_t n, const double *y, const double *score, bool is_sloped, double *a,
                          double *b) {
  double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;

  for (size_t i = 0; i < n; i++) {
    double mu = probability(*a + *b * score[i]), w = mu * (1 - mu), e = y[i] - mu;
    g0 += e;
    g1 += e * score[i];
    h00 += w;
    h01 += w * score[i];
    h11 += w * score[i] * score[i];
  }
  double da = g0 / h00, db = 0;
  if (is_sloped) {
    double determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 1e-12 * h00 * h11)) return NAN;
    da = (h11 * g0 - h01 * g1) / determinant;
    db = (h00 * g1 - h01 * g0) / determinant;
  }
  *a += da;
  *b += db;
  return fabs(da) + fabs(db);
}

/* Newton from the mean; gives NAN when it does not settle within reason. */
static double maximise(size_t n, const double *y, const double *score, bool is_sloped) {
  enum { MOST_STEPS = 100 };
  double a = 0, b = is_sloped ? 0 : 1;

  for (int step = 0; step < MOST_STEPS; step++) {
    double size = step_newton(n, y, score, is_sloped, &a, &b);
    if (!(size < 1e8)) return NAN;
    if (size < 1e-12 * (1 + fabs(a) + fabs(b))) return is_sloped ? b : a;
  }
  return NAN;
}

/* Tells whether a threshold on the score, either way up, makes no error or only ties. */
static bool is_separated(size_t n, const double *y, const double *score) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};

  for (size_t i = 0; i < n; i++) {
    int c = y[i] > 0.5;
    low[c] = fmin(low[c], score[i]);
    high[c] = fmax(high[c], score[i]);
  }
  return low[1] >= high[0] || low[0] >= high[1];
}

typedef struct {
  double score, y;
} pair;

static int compare_pairs(const void *a, const void *b) {
  const pair *x = a, *y = b;

  if (x->score != y->score) return x->score < y->score ? -1 : 1;
  return x->y < y->y ? -1 : x->y > y->y;
}

static void fill_bins(size_t n, const pair *sorted, rx_calibration *out) {
  out->n_bins = n < RX_CALIBRATION_BINS ? (int)n : RX_CALIBRATION_BINS;
  for (int b = 0; b < out->n_bins; b++) {
    size_t first = n * (size_t)b / (size_t)out->n_bins;
    size_t end = n * (size_t)(b + 1) / (size_t)out->n_bins;
    double count = (double)(end - first), predicted = 0, observed = 0;
    for (size_t i = first; i < end; i++) {
      predicted += probability(sorted[i].score);
      observed += sorted[i].y;
    }
    out->n[b] = count;
    out->predicted[b] = predicted / count;
    out->observed[b] = observed / count;
  }
}

rx_status rx_calibration_find(size_t n, const double *y, const double *score, rx_calibration *out) {
  double positives = 0, squares = 0;
  pair *sorted;

  *out = (rx_calibration){.intercept = NAN, .slope = NAN, .brier = NAN};
  if (n == 0) return RX_OK;
  rx_status status = RX_NEW(&sorted, "calibration", n);
  if (status) return status;
  for (size_t i = 0; i < n; i++) {
    sorted[i] = (pair){score[i], y[i]};
    positives += y[i];
    squares += pow(y[i] - probability(score[i]), 2);
  }
  qsort(sorted, n, sizeof *sorted, compare_pairs);
  fill_bins(n, sorted, out);
  free(sorted);
  out->brier = squares / (double)n;
  if (positives <= 0 || positives >= (double)n) return RX_OK;
  out->intercept = maximise(n, y, score, false);
  if (!is_separated(n, y, score)) out->slope = maximise(n, y, score, true);
  return RX_OK;
}

rx_calls rx_calibration_calls(size_t n, const double *y, const double *score) {
  double count[2][2] = {{0, 0}, {0, 0}}; /* true class, called class */

  for (size_t i = 0; i < n; i++) count[y[i] > 0.5][score[i] > 0]++;
  double positives = count[1][0] + count[1][1], negatives = count[0][0] + count[0][1];
  double errors = count[1][0] + count[0][1], right = count[1][1];
  rx_calls calls = {NAN, NAN, NAN};
  if (positives > 0) {
    calls.f1 = 2 * right / (2 * right + errors);
    calls.f1_all_positive = 2 * positives / (2 * positives + negatives);
  }
  if (positives > 0 && negatives > 0)
    calls.balanced_accuracy = (right / positives + count[0][0] / negatives) / 2;
  return calls;
}

rx_fit rx_calibration_fit(size_t n, const double *y, const double *score) {
  double y_mean = 0, s_mean = 0, yy = 0, ss = 0, ys = 0, errors = 0;

  for (size_t i = 0; i < n; i++) {
    y_mean += y[i] / (double)n;
    s_mean += score[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    yy += (y[i] - y_mean) * (y[i] - y_mean);
    ss += (score[i] - s_mean) * (score[i] - s_mean);
    ys += (y[i] - y_mean) * (score[i] - s_mean);
    errors += (y[i] - score[i]) * (y[i] - score[i]);
  }
  return (rx_fit){yy > 0 ? 1 - errors / yy : NAN, n ? errors / (double)n : NAN,
                  yy > 0 && ss > 0 ? ys / sqrt(yy * ss) : NAN};
}
