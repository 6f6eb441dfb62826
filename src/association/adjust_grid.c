#include "adjust_grid.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* Bins are intervals of -log10 p, each a binade from 2^-24 to 2^13 in equal parts; what is beyond
 * falls into the first and the last. */
enum { LEAST_EXPONENT = -24, N_BINADES = 37, MOST_BITS = 16, MANTISSA = 52, BIAS = 1023 };

/* Rounds in which open bins are sorted, so that room for a part of the values is enough; fewer when
 * a rank has less than LEAST_EACH of a round. */
enum { MOST_ROUNDS = 4, LEAST_EACH = 1 << 12 };

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

/* The key where a bin begins. */
static uint64_t first_key(const rx_staircase *s, size_t bin) {
  const uint64_t base = (uint64_t)(BIAS + LEAST_EXPONENT) << s->bits;

  if (bin == 0 || bin >= s->n_bins) return bin ? UINT64_MAX : 0;
  return (base + bin) << (MANTISSA - s->bits);
}

/* log10 p at the small end of a bin: where the next one begins. */
static double lowest_of(const rx_staircase *s, size_t bin) {
  return bin + 1 == s->n_bins ? -INFINITY : rx_adjust_unkey(first_key(s, bin + 1));
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

/* The way from bins to steps. Bins are cut into n_rounds * n_ranks shares of about as many values;
 * in each round each rank sorts and sweeps one share, of all ranks' values. */
typedef struct {
  MPI_Comm comm;
  int rank, n_ranks;
  size_t n_runs;
  const rx_run *run;
  int64_t *mine;          /* [n_bins], values of this rank; owned, as all that follows */
  uint32_t *owner;        /* [n_bins], the rank that sweeps it; n_ranks: nobody */
  size_t n_rounds, *edge; /* [n_rounds * n_ranks + 1], the first bin of each share */
  int *give, *take;       /* [n_ranks][n_rounds], values to and from each rank */
  int *n_give, *at_give, *n_take, *at_take; /* [n_ranks], those of a round, and their places */
  rx_adjust_room room;                      /* of the keys of a round */
  double least;                             /* m p / rank, of all larger p */
  size_t most_steps;                        /* that the staircase has room for */
} ascent;

static void free_ascent(ascent *a) {
  free(a->room.key_other);
  free(a->room.key);
  free(a->at_take);
  free(a->n_take);
  free(a->at_give);
  free(a->n_give);
  free(a->take);
  free(a->give);
  free(a->edge);
  free(a->owner);
  free(a->mine);
}

static void count_bins(const rx_staircase *s, ascent *a) {
  for (size_t r = 0; r < a->n_runs; r++)
    for (size_t i = 0; i < a->run[r].n; i++) {
      const double log10_p = a->run[r].log10_p[i];
      if (!isnan(log10_p)) a->mine[bin_of(s, rx_adjust_key(log10_p))]++;
    }
  MPI_Allreduce(a->mine, s->count, (int)s->n_bins, MPI_INT64_T, MPI_SUM, a->comm);
}

/* Marks the bins that may hold the least m p_j / j of all larger p. Rank m - above is that of the
 * largest p of a bin, and an upper bound for the others. */
static void mark_open(const rx_staircase *s, ascent *a) {
  double bound = INFINITY;
  int64_t above = 0;

  for (size_t bin = 0; bin < s->n_bins; bin++) {
    a->owner[bin] = (uint32_t)a->n_ranks;
    if (!s->count[bin]) continue;
    double factor = s->log10_tests - log10((double)(s->n_tests - above));
    if (lowest_of(s, bin) + factor < bound) a->owner[bin] = 0;
    bound = fmin(bound, highest_of(s, bin) + factor);
    above += s->count[bin];
  }
}

/* Cuts the bins into shares, and deals these. */
static void cut(const rx_staircase *s, ascent *a) {
  const size_t n_shares = a->n_rounds * (size_t)a->n_ranks;
  const int64_t each = s->n_tests / (int64_t)n_shares + 1;
  int64_t above = 0;
  size_t share = 0;

  for (size_t bin = 0; bin < s->n_bins; bin++) {
    while (above >= each * (int64_t)(share + 1)) a->edge[++share] = bin;
    if (a->owner[bin] == 0) a->owner[bin] = (uint32_t)(share % (size_t)a->n_ranks);
    above += s->count[bin];
  }
  while (share < n_shares) a->edge[++share] = s->n_bins;
}

static rx_status begin(const rx_staircase *s, ascent *a) {
  const size_t n_ranks = (size_t)a->n_ranks;
  const int64_t rounds = s->n_tests / a->n_ranks / LEAST_EACH;

  a->least = INFINITY;
  a->n_rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : (size_t)rounds;
  RX_TRY(RX_NEW(&a->mine, "associate: adjustment", s->n_bins));
  RX_TRY(RX_NEW(&a->owner, "associate: adjustment", s->n_bins));
  RX_TRY(RX_NEW(&a->edge, "associate: adjustment", a->n_rounds * n_ranks + 1));
  RX_TRY(RX_NEW(&a->give, "associate: adjustment", a->n_rounds * n_ranks));
  RX_TRY(RX_NEW(&a->take, "associate: adjustment", a->n_rounds * n_ranks));
  RX_TRY(RX_NEW(&a->n_give, "associate: adjustment", n_ranks));
  RX_TRY(RX_NEW(&a->at_give, "associate: adjustment", n_ranks));
  RX_TRY(RX_NEW(&a->n_take, "associate: adjustment", n_ranks));
  return RX_NEW(&a->at_take, "associate: adjustment", n_ranks);
}

/* Counts what goes where, and makes room for the largest round. */
static rx_status plan(ascent *a) {
  const size_t n_ranks = (size_t)a->n_ranks, n_rounds = a->n_rounds;
  size_t most = 0;

  for (size_t round = 0; round < n_rounds; round++) {
    size_t n_mine = 1; /* collect() writes to one place more */
    for (size_t r = 0; r < n_ranks; r++) {
      const size_t *edge = a->edge + round * n_ranks + r;
      int64_t n = 0;
      for (size_t bin = edge[0]; bin < edge[1]; bin++) {
        n += a->owner[bin] < n_ranks ? a->mine[bin] : 0;
        n_mine += (size_t)a->mine[bin];
      }
      a->give[r * n_rounds + round] = (int)n;
    }
    if (n_mine > most) most = n_mine;
  }
  MPI_Alltoall(a->give, (int)n_rounds, MPI_INT, a->take, (int)n_rounds, MPI_INT, a->comm);
  for (size_t round = 0; round < n_rounds; round++) {
    size_t n_taken = 0;
    for (size_t r = 0; r < n_ranks; r++) n_taken += (size_t)a->take[r * n_rounds + round];
    if (n_taken > most) most = n_taken;
  }
  if (most > INT_MAX)
    return RX_FAIL(RX_ERR_MEMORY, "associate: no room to adjust %zu p values on a rank", most);
  RX_TRY(RX_NEW(&a->room.key, "associate: adjustment", most));
  return RX_NEW(&a->room.key_other, "associate: adjustment", most);
}

/* The values of a round to and from each rank, and where they begin. */
static size_t places(const ascent *a, size_t round, const int *of, int *n, int *at) {
  size_t total = 0;

  for (size_t r = 0; r < (size_t)a->n_ranks; r++) {
    n[r] = of[r * a->n_rounds + round];
    at[r] = (int)total;
    total += (size_t)n[r];
  }
  return total;
}

/* This rank's values in the bins of a round. Without a branch that nobody can foretell: each is
 * written to the next place, which moves on when the value is one of them. */
static size_t collect(const rx_staircase *s, const ascent *a, size_t round) {
  const size_t *edge = a->edge + round * (size_t)a->n_ranks;
  const uint64_t low = first_key(s, edge[0]), beyond = first_key(s, edge[a->n_ranks]);
  uint64_t *key = a->room.key;
  size_t n = 0;

  for (size_t r = 0; r < a->n_runs; r++)
    for (size_t i = 0; i < a->run[r].n; i++) {
      const double log10_p = a->run[r].log10_p[i];
      const uint64_t k = rx_adjust_key(log10_p);
      key[n] = k;
      n += (size_t)((k >= low) & (k < beyond) & !isnan(log10_p));
    }
  return n;
}

/* Gives each rank the values of its share that are in open bins, in no order. Returns how many. */
static size_t exchange(const rx_staircase *s, ascent *a, size_t round) {
  const size_t n_given = places(a, round, a->give, a->n_give, a->at_give);
  const size_t n_mine = n_given ? collect(s, a, round) : 0;
  const size_t n_taken = places(a, round, a->take, a->n_take, a->at_take);
  uint64_t *key = a->room.key, *by_rank = a->room.key_other;

  for (size_t i = 0; i < n_mine; i++) {
    const uint32_t owner = a->owner[bin_of(s, key[i])];
    if (owner < (uint32_t)a->n_ranks) by_rank[a->at_give[owner]++] = key[i];
  }
  for (int r = 0; r < a->n_ranks; r++) a->at_give[r] -= a->n_give[r];
  MPI_Alltoallv(by_rank, a->n_give, a->at_give, MPI_UINT64_T, key, a->n_take, a->at_take,
                MPI_UINT64_T, a->comm);
  return n_taken;
}

/* From the largest p of a share down: a step wherever m p / rank is less than all before that are
 * known. Steps go to the front of the keys, their levels to the front of the other ones.
 * above: values of all shares before. Returns how many steps. */
static size_t sweep(const rx_staircase *s, ascent *a, size_t share, int64_t above) {
  const double slack = 1e-12; /* log10 need not be monotonous in its last bits */
  double *level = (double *)a->room.key_other, least = a->least;
  uint64_t *key = a->room.key;
  size_t at = 0, n_steps = 0;

  for (size_t bin = a->edge[share]; bin < a->edge[share + 1]; bin++) {
    const int64_t count = s->count[bin];
    const double factor = count ? s->log10_tests - log10((double)(s->n_tests - above)) : 0;
    const bool is_open = a->owner[bin] < (uint32_t)a->n_ranks;
    for (int64_t i = 0; is_open && i < count; i++, at++) {
      const double log10_p = rx_adjust_unkey(key[at]);
      if (log10_p + factor >= least + slack) continue; /* the factor grows */
      const double here = log10_p + s->log10_tests - log10((double)(s->n_tests - above - i));
      if (here >= least) continue;
      least = level[n_steps] = here;
      key[n_steps++] = key[at];
    }
    above += count;
  }
  return n_steps;
}

/* Room for more steps. */
static rx_status grow(rx_staircase *s, ascent *a, size_t n) {
  double *log10_p = NULL, *log10_q = NULL;

  if (n <= a->most_steps) return RX_OK;
  if (n < 2 * a->most_steps) n = 2 * a->most_steps;
  rx_status status = RX_NEW(&log10_p, "associate: adjustment", n);
  if (!status) status = RX_NEW(&log10_q, "associate: adjustment", n);
  if (status) {
    free(log10_p);
    return status;
  }
  if (s->n_steps) {
    memcpy(log10_p, s->log10_p, s->n_steps * sizeof *log10_p);
    memcpy(log10_q, s->log10_q, s->n_steps * sizeof *log10_q);
  }
  free(s->log10_p);
  free(s->log10_q);
  s->log10_p = log10_p, s->log10_q = log10_q, a->most_steps = n;
  return RX_OK;
}

/* Appends the steps of a round to the staircase of each rank: those of a share that are below what
 * the shares before reach. */
static rx_status join(rx_staircase *s, ascent *a, size_t n_steps) {
  const double *level = (const double *)a->room.key_other;
  double reached = n_steps ? level[n_steps - 1] : INFINITY, before = INFINITY;
  size_t skip = 0, total = 0;

  MPI_Exscan(&reached, &before, 1, MPI_DOUBLE, MPI_MIN, a->comm);
  if (a->rank == 0) before = INFINITY; /* MPI leaves it undefined there */
  while (skip < n_steps && level[skip] >= before) skip++;
  const int n = (int)(n_steps - skip);
  MPI_Allgather(&n, 1, MPI_INT, a->n_take, 1, MPI_INT, a->comm);
  for (int r = 0; r < a->n_ranks; r++) {
    a->at_take[r] = (int)total;
    total += (size_t)a->n_take[r];
  }
  RX_TRY(RX_AGREE(a->comm, grow(s, a, s->n_steps + total)));
  double *log10_p = (double *)a->room.key;
  for (int i = 0; i < n; i++) log10_p[i] = rx_adjust_unkey(a->room.key[skip + (size_t)i]);
  MPI_Allgatherv(log10_p, n, MPI_DOUBLE, s->log10_p + s->n_steps, a->n_take, a->at_take, MPI_DOUBLE,
                 a->comm);
  MPI_Allgatherv(level + skip, n, MPI_DOUBLE, s->log10_q + s->n_steps, a->n_take, a->at_take,
                 MPI_DOUBLE, a->comm);
  s->n_steps += total;
  MPI_Allreduce(MPI_IN_PLACE, &reached, 1, MPI_DOUBLE, MPI_MIN, a->comm);
  a->least = fmin(a->least, reached);
  return RX_OK;
}

/* Where the steps of each bin begin. */
static void index_steps(rx_staircase *s) {
  for (size_t i = 0; i < s->n_steps; i++) s->first[bin_of(s, rx_adjust_key(s->log10_p[i])) + 1]++;
  for (size_t bin = 0; bin < s->n_bins; bin++) s->first[bin + 1] += s->first[bin];
}

static rx_status climb(rx_staircase *s, ascent *a) {
  int64_t above = 0;

  for (size_t round = 0, share = 0; round < a->n_rounds; round++) {
    const size_t n = exchange(s, a, round);
    if (n) rx_adjust_sort(n, &a->room);
    size_t n_steps = 0;
    for (int r = 0; r < a->n_ranks; r++, share++) {
      if (r == a->rank) n_steps = sweep(s, a, share, above);
      for (size_t bin = a->edge[share]; bin < a->edge[share + 1]; bin++) above += s->count[bin];
    }
    RX_TRY(join(s, a, n_steps));
  }
  for (size_t i = 0; i < s->n_steps; i++) s->log10_q[i] = fmin(0, s->log10_q[i] + s->log10_scale);
  index_steps(s);
  return RX_OK;
}

rx_status rx_staircase_create(MPI_Comm comm, rx_adjust method, size_t n_runs, const rx_run *run,
                              rx_staircase **out) {
  ascent a = {.comm = comm, .n_runs = n_runs, .run = run};
  rx_status status = RX_NEW_AGREED(comm, out, "associate: adjustment", 1);

  if (status) return status;
  MPI_Comm_rank(comm, &a.rank);
  MPI_Comm_size(comm, &a.n_ranks);
  (*out)->method = method;
  status = start(comm, n_runs, run, *out);
  if (!status) status = begin(*out, &a);
  if (!(status = RX_AGREE(comm, status))) {
    count_bins(*out, &a);
    mark_open(*out, &a);
    cut(*out, &a);
    status = RX_AGREE(comm, plan(&a));
  }
  if (!status) status = climb(*out, &a);
  free_ascent(&a);
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
