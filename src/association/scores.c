#include "scores.h"

#include <math.h>
#include <stdlib.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* Sorts places by their value: a heap, so that it needs no context and no luck. */
static void sift(const double *value, size_t stride, size_t *order, size_t root, size_t n) {
  for (size_t child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && value[order[child + 1] * stride] > value[order[child] * stride]) child++;
    if (value[order[root] * stride] >= value[order[child] * stride]) return;
    size_t swap = order[root];
    order[root] = order[child];
    order[child] = swap;
  }
}

static void sort_places(const double *value, size_t stride, size_t *order, size_t n) {
  for (size_t root = n / 2; root-- > 0;) sift(value, stride, order, root, n);
  for (size_t end = n; end-- > 1;) {
    size_t swap = order[0];
    order[0] = order[end];
    order[end] = swap;
    sift(value, stride, order, 0, end);
  }
}

void rx_scores_normal(size_t count, size_t stride, double *value, size_t *order) {
  size_t n = 0;

  for (size_t i = 0; i < count; i++) {
    if (isfinite(value[i * stride]))
      order[n++] = i;
    else
      value[i * stride] = NAN;
  }
  sort_places(value, stride, order, n);
  for (size_t first = 0, next; first < n; first = next) {
    const double here = value[order[first] * stride];
    for (next = first; next < n && value[order[next] * stride] == here;) next++;
    double rank = 0.5 * (double)(first + 1 + next); /* the mean of first + 1 .. next */
    double score = qnorm((rank - 0.5) / (double)n, 0, 1, 1, 0);
    for (size_t i = first; i < next; i++) value[order[i] * stride] = score;
  }
}

rx_status rx_scores_features(rx_roster *roster) {
  rx_measures *m = roster->measures;
  double *value = NULL;
  size_t *order = NULL;

  rx_status status = RX_NEW(&value, "associate: features", roster->n_patients);
  if (!status) status = RX_NEW(&order, "associate: features", roster->n_patients);
  for (size_t feature = 0; feature < m->n_features && !status; feature++) {
    for (size_t i = 0; i < roster->n_patients; i++)
      value[i] = m->mean[roster->measure[i] * m->n_features + feature];
    rx_scores_normal(roster->n_patients, 1, value, order);
    for (size_t i = 0; i < roster->n_patients; i++) {
      size_t at = roster->measure[i] * m->n_features + feature;
      m->mean[at] = value[i];
      m->within[at] = isnan(value[i]) ? (double)NAN : 0;
    }
    m->origin[feature] = 0;
  }
  for (size_t i = 0; i < roster->n_patients && !status; i++) roster->rows[i] = 1;
  free(order);
  free(value);
  return status;
}
