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

/* A bin that stays open is cut once more. */
enum { PART_BITS = 6, N_PARTS = 1 << PART_BITS };

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
static void mark_open(const rx_staircase *s, unsigned char *is_open) {
  double bound = INFINITY;
  int64_t above = 0;

  for (size_t bin = 0; bin < s->n_bins; bin++) {
    if (!s->count[bin]) continue;
    double factor = s->log10_tests - log10((double)(s->n_tests - above));
    is_open[bin] = lowest_of(s, bin) + factor < bound;
    bound = fmin(bound, highest_of(s, bin) + factor);
    above += s->count[bin];
  }
}

/* The parts of the bins that are open. */
typedef struct {
  size_t n;            /* bins that are open */
  uint32_t *of;        /* [n_bins], 0: not open; else 1 + its place; owned, as all that follows */
  int64_t *mine, *all; /* [n][N_PARTS], p values of this rank, and of all */
  unsigned char *is_open; /* [n][N_PARTS] */
} parts;

static void free_parts(parts *p) {
  free(p->is_open);
  free(p->all);
  free(p->mine);
  free(p->of);
}

/* The ends of the scale are one part: what is beyond it has no order there. */
static size_t part_of(const rx_staircase *s, size_t bin, uint64_t key) {
  if (bin == 0 || bin + 1 == s->n_bins) return 0;
  return (size_t)(key >> (MANTISSA - s->bits - PART_BITS)) & (N_PARTS - 1);
}

/* log10 p at the small end of a part. */
static double lowest_of_part(const rx_staircase *s, size_t bin, size_t part) {
  const uint64_t base = (uint64_t)(BIAS + LEAST_EXPONENT) << s->bits;

  if (bin == 0 || bin + 1 == s->n_bins) return lowest_of(s, bin);
  return rx_adjust_unkey((((base + bin) << PART_BITS) + part + 1)
                         << (MANTISSA - s->bits - PART_BITS));
}

static double highest_of_part(const rx_staircase *s, size_t bin, size_t part) {
  return part ? lowest_of_part(s, bin, part - 1) : highest_of(s, bin);
}

/* Cuts the open bins and counts again. */
static rx_status count_parts(MPI_Comm comm, size_t n_runs, const rx_run *run, const rx_staircase *s,
                             const unsigned char *is_open, parts *p) {
  rx_status status = RX_NEW(&p->of, "associate: adjustment", s->n_bins);

  for (size_t bin = 0; bin < s->n_bins && !status; bin++)
    if (is_open[bin]) p->of[bin] = (uint32_t)++p->n;
  const size_t n = p->n * N_PARTS;
  if (!status) status = RX_NEW(&p->mine, "associate: adjustment", n);
  if (!status) status = RX_NEW(&p->all, "associate: adjustment", n);
  if (!status) status = RX_NEW(&p->is_open, "associate: adjustment", n);
  if ((status = RX_AGREE(comm, status))) return status;
  for (size_t r = 0; r < n_runs; r++)
    for (size_t i = 0; i < run[r].n; i++) {
      if (isnan(run[r].log10_p[i])) continue;
      uint64_t k = rx_adjust_key(run[r].log10_p[i]);
      size_t bin = bin_of(s, k);
      if (p->of[bin]) p->mine[(p->of[bin] - 1) * (size_t)N_PARTS + part_of(s, bin, k)]++;
    }
  MPI_Allreduce(p->mine, p->all, (int)n, MPI_INT64_T, MPI_SUM, comm);
  return RX_OK;
}

/* The same as mark_open() with the parts; n_mine: values of this rank in open ones. Returns how
 * many there are on all ranks. */
static int64_t mark_parts(const rx_staircase *s, const parts *p, int64_t *n_mine) {
  double bound = INFINITY;
  int64_t above = 0, n = 0;

  *n_mine = 0;
  for (size_t bin = 0; bin < s->n_bins; bin++) {
    const size_t first = p->of[bin] ? (p->of[bin] - 1) * (size_t)N_PARTS : 0;
    for (size_t part = 0; s->count[bin] && part < (p->of[bin] ? (size_t)N_PARTS : 1); part++) {
      const int64_t count = p->of[bin] ? p->all[first + part] : s->count[bin];
      if (!count) continue;
      double factor = s->log10_tests - log10((double)(s->n_tests - above));
      double highest = highest_of_part(s, bin, part);
      above += count;
      if (p->of[bin] && lowest_of_part(s, bin, part) + factor < bound) {
        p->is_open[first + part] = 1;
        n += count;
        *n_mine += p->mine[first + part];
      }
      bound = fmin(bound, highest + factor);
    }
  }
  return n;
}

/* Gathers the keys of open parts on all ranks. key  [n of all ranks] */
static rx_status gather_open(MPI_Comm comm, size_t n_runs, const rx_run *run, const rx_staircase *s,
                             const parts *p, int64_t n_mine, uint64_t *key) {
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
      size_t bin = bin_of(s, k), of = p->of[bin];
      if (of && p->is_open[(of - 1) * N_PARTS + part_of(s, bin, k)]) mine[n++] = k;
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

/* From the largest p down: a step wherever m p / rank is less than all before. */
static void sweep(const parts *p, const uint64_t *key, rx_staircase *s) {
  double least = INFINITY;
  int64_t above = 0;
  size_t at = 0;

  for (size_t bin = 0; bin < s->n_bins; bin++) {
    const size_t first = p->of[bin] ? (p->of[bin] - 1) * (size_t)N_PARTS : 0;
    int64_t here = above;
    s->first[bin] = (uint32_t)s->n_steps;
    above += s->count[bin];
    for (size_t part = 0; p->of[bin] && part < N_PARTS; part++) {
      const int64_t count = p->all[first + part];
      for (int64_t i = 0; p->is_open[first + part] && i < count; i++, at++) {
        double value = rx_adjust_unkey(key[at]);
        double level = value + s->log10_tests - log10((double)(s->n_tests - here - i));
        if (level >= least) continue;
        least = level;
        s->log10_p[s->n_steps] = value;
        s->log10_q[s->n_steps++] = fmin(0, level + s->log10_scale);
      }
      here += count;
    }
  }
  s->first[s->n_bins] = (uint32_t)s->n_steps;
}

static rx_status climb(MPI_Comm comm, size_t n_runs, const rx_run *run, rx_staircase *s) {
  unsigned char *is_open = NULL;
  rx_adjust_room *room = NULL;
  int64_t n = 0, n_mine = 0;
  parts p = {0};

  rx_status status = RX_NEW(&is_open, "associate: adjustment", s->n_bins);
  if ((status = RX_AGREE(comm, status))) goto done;
  mark_open(s, is_open);
  if ((status = count_parts(comm, n_runs, run, s, is_open, &p))) goto done;
  n = mark_parts(s, &p, &n_mine);
  if (n > INT_MAX)
    status = RX_FAIL(RX_ERR_MEMORY, "associate: no room to adjust %lld p values", (long long)n);
  if (!status) status = rx_adjust_room_create((size_t)n, &room);
  if (!status) status = RX_NEW(&s->log10_p, "associate: adjustment", n);
  if (!status) status = RX_NEW(&s->log10_q, "associate: adjustment", n);
  if ((status = RX_AGREE(comm, status))) goto done;
  if ((status = gather_open(comm, n_runs, run, s, &p, n_mine, room->key))) goto done;
  if (n) rx_adjust_sort((size_t)n, room);
  sweep(&p, room->key, s);
done:
  rx_adjust_room_destroy(&room);
  free_parts(&p);
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
