#include "adjust_grid.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* Bins are intervals of -log10 p, each a binade from 2^-24 to 2^13 in equal parts; what is beyond
 * falls into the first and the last. */
enum { LEAST_EXPONENT = -24, N_BINADES = 37, MOST_BITS = 16, MANTISSA = 52, BIAS = 1023 };

struct rx_staircase {
  rx_adjust method;
  int64_t n_tests;
  double log10_scale, log10_tests;
  int bits; /* parts of a binade: 2^bits */
  size_t n_bins;
  int64_t *count; /* [n_bins], of all ranks; owned, as all that follows */
  size_t n_steps;
  double *log10_p, *log10_q; /* [n_steps], falling */
  uint32_t *first;           /* [n_bins + 1], steps in the bins before */
};

void rx_staircase_destroy(rx_staircase **staircase) {
  rx_staircase *s = *staircase;

  if (!s) return;
  free(s->first);
  free(s->log10_q);
  free(s->log10_p);
  free(s->count);
  free(s);
  *staircase = NULL;
}

int64_t rx_staircase_n_tests(const rx_staircase *staircase) {
  return staircase->n_tests;
}

static size_t bin_of(const rx_staircase *s, uint64_t key) {
  const uint64_t base = (uint64_t)(BIAS + LEAST_EXPONENT) << s->bits;
  uint64_t bin = key >> (MANTISSA - s->bits);

  if (bin < base) return 0;
  bin -= base;
  return bin < s->n_bins ? (size_t)bin : s->n_bins - 1;
}

/* log10 p at the small end of a bin: the key where the next one begins. */
static double lowest_of(const rx_staircase *s, size_t bin) {
  const uint64_t base = (uint64_t)(BIAS + LEAST_EXPONENT) << s->bits;

  if (bin + 1 == s->n_bins) return -INFINITY;
  return rx_adjust_unkey((base + bin + 1) << (MANTISSA - s->bits));
}

static double highest_of(const rx_staircase *s, size_t bin) {
  return bin ? lowest_of(s, bin - 1) : 0;
}

/* Counts tests, and chooses bins so many that few hold more than a thousand of them. */
static rx_status start(MPI_Comm comm, size_t n_runs, const rx_run *run, rx_staircase *s) {
  const double log10_half = -0.30102999566398119521;
  int64_t n[2] = {0, 0};

  for (size_t r = 0; r < n_runs; r++)
    for (size_t i = 0; i < run[r].n; i++) {
      n[0] += !isnan(run[r].log10_p[i]);
      n[1] += run[r].log10_p[i] > log10_half;
    }
  MPI_Allreduce(MPI_IN_PLACE, n, 2, MPI_INT64_T, MPI_SUM, comm);
  s->n_tests = n[0];
  s->log10_tests = log10((double)n[0]);
  s->log10_scale = rx_adjust_log10_scale(s->method, n[0], n[1]);
  for (s->bits = 4; s->bits < MOST_BITS && n[0] >> (s->bits + 10); s->bits++) continue;
  s->n_bins = (size_t)N_BINADES << s->bits;
  RX_TRY(RX_NEW(&s->count, "associate: adjustment", s->n_bins));
  return RX_NEW(&s->first, "associate: adjustment", s->n_bins + 1);
}

static void count_bins(MPI_Comm comm, size_t n_runs, const rx_run *run, rx_staircase *s) {
  for (size_t r = 0; r < n_runs; r++)
    for (size_t i = 0; i < run[r].n; i++)
      if (!isnan(run[r].log10_p[i])) s->count[bin_of(s, rx_adjust_key(run[r].log10_p[i]))]++;
  MPI_Allreduce(MPI_IN_PLACE, s->count, (int)s->n_bins, MPI_INT64_T, MPI_SUM, comm);
}

/* Marks the bins that may hold the least m p_j / j of all larger p. Rank m - above is that of the
 * largest p of a bin, and an upper bound for the others. */
static int64_t mark_open(const rx_staircase *s, unsigned char *is_open) {
  double bound = INFINITY;
  int64_t above = 0, n = 0;

  for (size_t bin = 0; bin < s->n_bins; bin++) {
    if (!s->count[bin]) continue;
    double factor = s->log10_tests - log10((double)(s->n_tests - above));
    is_open[bin] = lowest_of(s, bin) + factor < bound;
    if (is_open[bin]) n += s->count[bin];
    bound = fmin(bound, highest_of(s, bin) + factor);
    above += s->count[bin];
  }
  return n;
}

/* Gathers the keys of open bins on all ranks. key  [n of all ranks] */
static rx_status gather_open(MPI_Comm comm, size_t n_runs, const rx_run *run, const rx_staircase *s,
                             const unsigned char *is_open, int64_t n_mine, uint64_t *key) {
  int rank, n_ranks, *counts = NULL, *starts = NULL;
  uint64_t *mine = NULL;
  size_t n = 0;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  rx_status status = RX_NEW(&mine, "associate: adjustment", n_mine);
  if (!status) status = RX_NEW(&counts, "associate: adjustment", n_ranks);
  if (!status) status = RX_NEW(&starts, "associate: adjustment", n_ranks);
  if ((status = RX_AGREE(comm, status))) goto done;
  for (size_t r = 0; r < n_runs; r++)
    for (size_t i = 0; i < run[r].n; i++) {
      if (isnan(run[r].log10_p[i])) continue;
      uint64_t k = rx_adjust_key(run[r].log10_p[i]);
      if (is_open[bin_of(s, k)]) mine[n++] = k;
    }
  counts[rank] = (int)n;
  MPI_Allgather(MPI_IN_PLACE, 1, MPI_INT, counts, 1, MPI_INT, comm);
  for (int r = 1; r < n_ranks; r++) starts[r] = starts[r - 1] + counts[r - 1];
  MPI_Allgatherv(mine, (int)n, MPI_UINT64_T, key, counts, starts, MPI_UINT64_T, comm);
done:
  free(starts);
  free(counts);
  free(mine);
  return status;
}

static int64_t count_mine(size_t n_runs, const rx_run *run, const rx_staircase *s,
                          const unsigned char *is_open) {
  int64_t n = 0;

  for (size_t r = 0; r < n_runs; r++)
    for (size_t i = 0; i < run[r].n; i++)
      if (!isnan(run[r].log10_p[i])) n += is_open[bin_of(s, rx_adjust_key(run[r].log10_p[i]))];
  return n;
}

/* From the largest p down: a step wherever m p / rank is less than all before. */
static void sweep(const unsigned char *is_open, const uint64_t *key, rx_staircase *s) {
  double least = INFINITY;
  int64_t above = 0;
  size_t at = 0;

  for (size_t bin = 0; bin < s->n_bins; bin++) {
    s->first[bin] = (uint32_t)s->n_steps;
    for (int64_t i = 0; is_open[bin] && i < s->count[bin]; i++, at++) {
      double p = rx_adjust_unkey(key[at]);
      double level = p + s->log10_tests - log10((double)(s->n_tests - above - i));
      if (level >= least) continue;
      least = level;
      s->log10_p[s->n_steps] = p;
      s->log10_q[s->n_steps++] = fmin(0, level + s->log10_scale);
    }
    above += s->count[bin];
  }
  s->first[s->n_bins] = (uint32_t)s->n_steps;
}

static rx_status climb(MPI_Comm comm, size_t n_runs, const rx_run *run, rx_staircase *s) {
  unsigned char *is_open = NULL;
  rx_adjust_room *room = NULL;
  int64_t n = 0;

  rx_status status = RX_NEW(&is_open, "associate: adjustment", s->n_bins);
  if ((status = RX_AGREE(comm, status))) goto done;
  n = mark_open(s, is_open);
  if (n > INT_MAX)
    status = RX_FAIL(RX_ERR_MEMORY, "associate: no room to adjust %lld p values", (long long)n);
  if (!status) status = rx_adjust_room_create((size_t)n, &room);
  if (!status) status = RX_NEW(&s->log10_p, "associate: adjustment", n);
  if (!status) status = RX_NEW(&s->log10_q, "associate: adjustment", n);
  if ((status = RX_AGREE(comm, status))) goto done;
  status =
      gather_open(comm, n_runs, run, s, is_open, count_mine(n_runs, run, s, is_open), room->key);
  if (status) goto done;
  if (n) rx_adjust_sort((size_t)n, room);
  sweep(is_open, room->key, s);
done:
  rx_adjust_room_destroy(&room);
  free(is_open);
  return status;
}

rx_status rx_staircase_create(MPI_Comm comm, rx_adjust method, size_t n_runs, const rx_run *run,
                              rx_staircase **out) {
  rx_status status = RX_AGREE(comm, RX_NEW(out, "associate: adjustment", 1));

  if (status) return status;
  (*out)->method = method;
  status = RX_AGREE(comm, start(comm, n_runs, run, *out));
  if (!status) {
    count_bins(comm, n_runs, run, *out);
    status = climb(comm, n_runs, run, *out);
  }
  if (status) rx_staircase_destroy(out);
  return status;
}

double rx_staircase_log10_q(const rx_staircase *s, double log10_p) {
  if (isnan(log10_p)) return NAN;
  if (s->method == RX_ADJUST_BONFERRONI) return fmin(0, log10_p + s->log10_tests);
  size_t bin = bin_of(s, rx_adjust_key(log10_p)), low = s->first[bin], high = s->first[bin + 1];
  while (low < high) { /* the last step whose p is not below this one */
    size_t middle = (low + high) / 2;
    if (s->log10_p[middle] >= log10_p)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? s->log10_q[low - 1] : 0;
}
