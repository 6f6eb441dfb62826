#include "prediction/roc.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/memory.h"
#include "radmix/random.h"

static const double normal_975 = 1.959963984540054;

typedef struct {
  double score;
  size_t place;
} ranked;

static int compare_scores(const void *a, const void *b) {
  const ranked *x = a, *y = b;

  if (x->score != y->score) return x->score < y->score ? -1 : 1;
  return x->place < y->place ? -1 : x->place > y->place;
}

static rx_status sort_scores(size_t n, const double *score, ranked **out) {
  rx_status status = RX_NEW(out, "ranks", n);

  if (status) return status;
  for (size_t i = 0; i < n; i++) (*out)[i] = (ranked){score[i], i};
  qsort(*out, n, sizeof **out, compare_scores);
  return RX_OK;
}

static void count_classes(size_t n, const double *y, size_t *positives, size_t *negatives) {
  *positives = 0;
  for (size_t i = 0; i < n; i++) *positives += y[i] > 0.5;
  *negatives = n - *positives;
}

/* For each unit the share of the other class that it is on the right side of, ties half:
 * DeLong's structural components. */
static void place_units(size_t n, const double *y, const ranked *order, double *component) {
  size_t positives, negatives, positives_below = 0, negatives_below = 0;

  count_classes(n, y, &positives, &negatives);
  for (size_t first = 0, end; first < n; first = end) {
    size_t tied[2] = {0, 0};
    for (end = first; end < n && order[end].score == order[first].score; end++)
      tied[y[order[end].place] > 0.5]++;
    for (size_t k = first; k < end; k++) {
      size_t i = order[k].place;
      component[i] =
          y[i] > 0.5 ? ((double)negatives_below + 0.5 * (double)tied[0]) / (double)negatives
                     : 1 - ((double)positives_below + 0.5 * (double)tied[1]) / (double)positives;
    }
    negatives_below += tied[0];
    positives_below += tied[1];
  }
}

static rx_status find_components(size_t n, const double *y, const double *score,
                                 double *component) {
  ranked *order;
  rx_status status = sort_scores(n, score, &order);

  if (status) return status;
  place_units(n, y, order, component);
  free(order);
  return RX_OK;
}

/* The mean of the components of one class. */
static double mean_of(size_t n, const double *y, const double *component, bool is_positive) {
  double sum = 0;
  size_t count = 0;

  for (size_t i = 0; i < n; i++) {
    if ((y[i] > 0.5) != is_positive) continue;
    sum += component[i];
    count++;
  }
  return sum / (double)count;
}

/* Covariance of two AUCs: over each class, that of the components over its size. */
static double covariance(size_t n, const double *y, const double *a, const double *b) {
  double total = 0;

  for (int c = 0; c < 2; c++) {
    double mean_a = mean_of(n, y, a, c), mean_b = mean_of(n, y, b, c), sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
      if ((y[i] > 0.5) != c) continue;
      sum += (a[i] - mean_a) * (b[i] - mean_b);
      count++;
    }
    if (count > 1) total += sum / (double)(count - 1) / (double)count;
  }
  return total;
}

rx_status rx_roc_auc(size_t n, const double *y, const double *score, double *auc) {
  size_t positives, negatives;
  double *component;

  *auc = NAN;
  count_classes(n, y, &positives, &negatives);
  if (!positives || !negatives) return RX_OK;
  rx_status status = RX_NEW(&component, "AUC", n);
  if (!status) status = find_components(n, y, score, component);
  if (!status) *auc = mean_of(n, y, component, true);
  free(component);
  return status;
}

rx_status rx_roc_delong(size_t n, const double *y, const double *score, rx_auc *out) {
  size_t positives, negatives;
  double *component;

  *out = (rx_auc){NAN, NAN, NAN, NAN};
  count_classes(n, y, &positives, &negatives);
  if (!positives || !negatives) return RX_OK;
  rx_status status = RX_NEW(&component, "AUC", n);
  if (!status) status = find_components(n, y, score, component);
  if (!status) {
    size_t pairs = positives < negatives ? positives : negatives;
    double bound = pow(0.025, 1 / (double)pairs);
    out->auc = mean_of(n, y, component, true);
    out->variance = covariance(n, y, component, component);
    double half = normal_975 * sqrt(out->variance);
    out->lower = out->auc >= 1 ? bound : fmax(0, out->auc - half);
    out->upper = out->auc <= 0 ? 1 - bound : fmin(1, out->auc + half);
  }
  free(component);
  return status;
}

rx_status rx_roc_compare(size_t n, const double *y, const double *one, const double *other,
                         rx_auc_test *out) {
  size_t positives, negatives;
  double *a;

  *out = (rx_auc_test){{NAN, NAN}, NAN, NAN};
  count_classes(n, y, &positives, &negatives);
  if (!positives || !negatives) return RX_OK;
  rx_status status = RX_NEW(&a, "AUC", 2 * n);
  double *b = a + n;
  if (!status) status = find_components(n, y, one, a);
  if (!status) status = find_components(n, y, other, b);
  if (!status) {
    out->auc[0] = mean_of(n, y, a, true);
    out->auc[1] = mean_of(n, y, b, true);
    double difference = out->auc[0] - out->auc[1];
    double variance = covariance(n, y, a, a) + covariance(n, y, b, b) - 2 * covariance(n, y, a, b);
    /* Equal orders leave rounding alone, which is no evidence. */
    bool is_same = fabs(difference) < 1e-14 && variance < 1e-14;
    out->z = is_same ? 0 : difference / sqrt(variance);
    out->p = erfc(fabs(out->z) / sqrt(2));
  }
  free(a);
  return status;
}

/* The AUC of a resample: times[i] is how often unit i is drawn. */
static double weigh_pairs(size_t n, const double *y, const ranked *order, const int *times,
                          double n_pairs) {
  double below = 0, sum = 0;

  for (size_t first = 0, end; first < n; first = end) {
    double tied[2] = {0, 0};
    for (end = first; end < n && order[end].score == order[first].score; end++)
      tied[y[order[end].place] > 0.5] += times[order[end].place];
    sum += tied[1] * (below + 0.5 * tied[0]);
    below += tied[0];
  }
  return sum / n_pairs;
}

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* R's quantile of type 7. */
static double quantile(const double *sorted, size_t n, double share) {
  double at = share * (double)(n - 1);
  size_t low = (size_t)floor(at), high = low + 1 < n ? low + 1 : low;

  return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

typedef struct {
  ranked *order;
  size_t *members; /* the units, class 0 first */
  int *times;
  double *aucs;
} resampler;

static void destroy_resampler(resampler *r) {
  free(r->order);
  free(r->members);
  free(r->times);
  free(r->aucs);
}

static void draw(rx_random *random, const size_t *members, size_t n, int *times) {
  for (size_t k = 0; k < n; k++) times[members[rx_random_below(random, (uint32_t)n)]]++;
}

rx_status rx_roc_bootstrap(size_t n, const double *y, const double *score, int resamples,
                           uint64_t seed, double *lower, double *upper) {
  size_t positives, negatives, count = (size_t)resamples, at[2] = {0, 0};
  resampler r = {NULL, NULL, NULL, NULL};

  *lower = *upper = NAN;
  count_classes(n, y, &positives, &negatives);
  if (!positives || !negatives || resamples < 1) return RX_OK;
  rx_status status = sort_scores(n, score, &r.order);
  if (!status) status = RX_NEW(&r.members, "bootstrap", n);
  if (!status) status = RX_NEW(&r.times, "bootstrap", n);
  if (!status) status = RX_NEW(&r.aucs, "bootstrap", count);
  at[1] = negatives;
  for (size_t i = 0; i < n && !status; i++) r.members[at[y[i] > 0.5]++] = i;
  for (size_t b = 0; b < count && !status; b++) {
    rx_random random = rx_random_at(seed, RX_RANDOM_BOOTSTRAP, (uint32_t)b, 0);
    memset(r.times, 0, n * sizeof *r.times);
    draw(&random, r.members, negatives, r.times);
    draw(&random, r.members + negatives, positives, r.times);
    r.aucs[b] = weigh_pairs(n, y, r.order, r.times, (double)positives * (double)negatives);
  }
  if (!status) {
    qsort(r.aucs, count, sizeof *r.aucs, compare_numbers);
    *lower = quantile(r.aucs, count, 0.025);
    *upper = quantile(r.aucs, count, 0.975);
  }
  destroy_resampler(&r);
  return status;
}

rx_status rx_roc_points(size_t n, const double *y, const double *score, double *threshold,
                        double *false_positive, double *true_positive, size_t *n_points) {
  size_t positives, negatives, called[2] = {0, 0}, point = 0;
  ranked *order;
  rx_status status = sort_scores(n, score, &order);

  *n_points = 0;
  if (status) return status;
  count_classes(n, y, &positives, &negatives);
  threshold[0] = INFINITY;
  false_positive[0] = true_positive[0] = 0;
  for (size_t k = n; k-- > 0;) {
    called[y[order[k].place] > 0.5]++;
    if (k > 0 && order[k - 1].score == order[k].score) continue;
    threshold[++point] = order[k].score;
    false_positive[point] = (double)called[0] / (double)negatives;
    true_positive[point] = (double)called[1] / (double)positives;
  }
  *n_points = point + 1;
  free(order);
  return RX_OK;
}
