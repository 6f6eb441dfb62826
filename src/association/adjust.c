#include "adjust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

/* Keys are sorted by their upper 33 bits, three digits, and then mended: few are equal in these. */
enum { DIGIT = 11, BUCKETS = 1 << DIGIT, N_DIGITS = 3, LOW = 31 };

rx_status rx_adjust_room_create(size_t most, rx_adjust_room **out) {
  rx_status status = RX_NEW(out, "associate: adjustment", 1);

  if (status) return status;
  rx_adjust_room *r = *out;
  r->most = most;
  status = RX_NEW(&r->log10_rank, "associate: adjustment", most + 1);
  if (!status) status = RX_NEW(&r->key, "associate: adjustment", most);
  if (!status) status = RX_NEW(&r->key_other, "associate: adjustment", most);
  if (!status) status = RX_NEW(&r->order, "associate: adjustment", most);
  if (!status) status = RX_NEW(&r->order_other, "associate: adjustment", most);
  if (status) {
    rx_adjust_room_destroy(out);
    return status;
  }
  for (size_t i = 1; i <= most; i++) r->log10_rank[i] = log10((double)i);
  return RX_OK;
}

void rx_adjust_room_destroy(rx_adjust_room **room) {
  rx_adjust_room *r = *room;

  if (!r) return;
  free(r->order_other);
  free(r->order);
  free(r->key_other);
  free(r->key);
  free(r->log10_rank);
  free(r);
  *room = NULL;
}

/* -log10 p >= 0: its bits, as an integer, have its order. Smallest key: largest p. */
uint64_t rx_adjust_key(double log10_p) {
  double positive = log10_p < 0 ? -log10_p : 0;
  uint64_t key;

  memcpy(&key, &positive, sizeof key);
  return key;
}

double rx_adjust_unkey(uint64_t key) {
  double positive;

  memcpy(&positive, &key, sizeof positive);
  return -positive;
}

static unsigned digit_of(uint64_t key, int digit) {
  return (unsigned)(key >> (LOW + digit * DIGIT)) & (BUCKETS - 1);
}

/* One pass of a radix sort. count  how many keys have each value of the digit; lost */
static void scatter(size_t n, int digit, uint32_t *count, rx_adjust_room *r) {
  uint32_t start = 0;

  for (int b = 0; b < BUCKETS; b++) {
    uint32_t here = count[b];
    count[b] = start;
    start += here;
  }
  for (size_t i = 0; i < n; i++) {
    uint32_t to = count[digit_of(r->key[i], digit)]++;
    r->key_other[to] = r->key[i];
    if (r->order) r->order_other[to] = r->order[i];
  }
  uint64_t *key = r->key;
  uint32_t *order = r->order;
  r->key = r->key_other, r->key_other = key;
  r->order = r->order_other, r->order_other = order;
}

/* Insertion sort: a key moves past those that only its lower bits put it before. */
static void mend(size_t n, uint64_t *key, uint32_t *order) {
  for (size_t i = 1; i < n; i++) {
    const uint64_t k = key[i];
    const uint32_t o = order ? order[i] : 0;
    size_t to = i;
    for (; to > 0 && key[to - 1] > k; to--) {
      key[to] = key[to - 1];
      if (order) order[to] = order[to - 1];
    }
    key[to] = k;
    if (order) order[to] = o;
  }
}

void rx_adjust_sort(size_t n, rx_adjust_room *r) {
  uint32_t count[N_DIGITS][BUCKETS];

  memset(count, 0, sizeof count);
  for (size_t i = 0; i < n; i++)
    for (int d = 0; d < N_DIGITS; d++) count[d][digit_of(r->key[i], d)]++;
  for (int d = 0; d < N_DIGITS; d++)
    if (count[d][digit_of(r->key[0], d)] < n) scatter(n, d, count[d], r);
  mend(n, r->key, r->order);
}

double rx_adjust_log10_scale(rx_adjust method, int64_t m, int64_t n_large) {
  double sum = 0;

  if (method == RX_ADJUST_STOREY) return fmin(0, log10((double)(n_large + 1) / ((double)m / 2)));
  if (method != RX_ADJUST_BY) return 0;
  for (int64_t i = m; i >= 1; i--) sum += 1 / (double)i;
  return log10(sum);
}

rx_family rx_adjust_family(rx_adjust method, size_t n, const double *log10_p, double *log10_q,
                           rx_adjust_room *room) {
  rx_family family = {0, NAN, NAN};
  const double log10_half = -0.30102999566398119521;
  size_t m = 0, n_large = 0;

  for (size_t i = 0; i < n; i++) {
    if (isnan(log10_p[i])) {
      log10_q[i] = NAN;
      continue;
    }
    room->key[m] = rx_adjust_key(log10_p[i]);
    room->order[m++] = (uint32_t)i;
    n_large += log10_p[i] > log10_half;
  }
  family.n_tests = (int64_t)m;
  if (m == 0) return family;
  rx_adjust_sort(m, room);
  double scale = rx_adjust_log10_scale(method, (int64_t)m, (int64_t)n_large), least = INFINITY;
  for (size_t i = 0; i < m; i++) { /* from the largest p, whose rank is m, down */
    double p = rx_adjust_unkey(room->key[i]), level = p + room->log10_rank[m];
    least = fmin(least, level - room->log10_rank[m - i]);
    log10_q[room->order[i]] = fmin(0, method == RX_ADJUST_BONFERRONI ? level : least + scale);
  }
  family.log10_simes = fmin(0, least) + 0.0; /* -0 would not survive a sum over ranks */
  family.log10_median =
      (rx_adjust_unkey(room->key[(m - 1) / 2]) + rx_adjust_unkey(room->key[m / 2])) / 2;
  return family;
}

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

rx_status rx_hierarchy_create(size_t n_families, const double *log10_q_simes, rx_hierarchy *out) {
  double *sorted;
  size_t m = 0, n = 0;

  *out = (rx_hierarchy){0};
  RX_TRY(RX_NEW(&sorted, "associate: adjustment", n_families));
  rx_status status = RX_NEW(&out->log10_level, "associate: adjustment", n_families);
  if (!status) status = RX_NEW(&out->log10_share, "associate: adjustment", n_families);
  for (size_t i = 0; i < n_families; i++)
    if (!isnan(log10_q_simes[i])) sorted[m++] = log10_q_simes[i];
  qsort(sorted, m, sizeof *sorted, compare_numbers);
  for (size_t i = 0; i < m && !status; i++) {
    if (i + 1 < m && sorted[i + 1] == sorted[i]) continue; /* R rises once for equal levels */
    out->log10_level[n] = sorted[i];
    out->log10_share[n++] = log10((double)(i + 1) / (double)m);
  }
  out->n_steps = n;
  free(sorted);
  if (status) rx_hierarchy_destroy(out);
  return status;
}

void rx_hierarchy_destroy(rx_hierarchy *hierarchy) {
  free(hierarchy->log10_level);
  free(hierarchy->log10_share);
  *hierarchy = (rx_hierarchy){0};
}

double rx_hierarchy_log10_q(const rx_hierarchy *h, double log10_q_simes, double log10_q) {
  size_t low = 0, high = h->n_steps;

  if (isnan(log10_q) || isnan(log10_q_simes) || h->n_steps == 0) return NAN;
  /* Between two rises q R(q) / m grows with q: the first step on which it can reach log10_q. */
  high--;
  if (high && log10_q - h->log10_share[high - 1] >= h->log10_level[high]) low = high; /* most q */
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (log10_q - h->log10_share[middle] < h->log10_level[middle + 1])
      high = middle;
    else
      low = middle + 1;
  }
  double level = fmax(h->log10_level[low], log10_q - h->log10_share[low]);
  return fmin(0, fmax(level, log10_q_simes));
}

void rx_adjust_power(int isa, size_t n, const double *log10_q, float *q) {
  enum { GROUP = 8 };
  size_t whole = n / GROUP * GROUP;
  double in[GROUP] = {0};
  float out[GROUP] = {0};

  RX_ISA_PICK(isa, rx_adjust_power)(q, log10_q, whole);
  if (whole == n) return;
  memcpy(in, log10_q + whole, (n - whole) * sizeof *in);
  RX_ISA_PICK(isa, rx_adjust_power)(out, in, GROUP);
  memcpy(q + whole, out, (n - whole) * sizeof *out);
}
