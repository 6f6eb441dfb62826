#include "tsne.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

enum { LANES = 16, EARLY = 250, MOST_STEPS = 200 };

static const double exaggeration_early = 12, far_away = 1e200, search_tolerance = 1e-5,
                    sharpest = 1e250; /* precision: all weight on the nearest */

struct rx_tsne {
  MPI_Comm comm;
  int isa, n_ranks;
  size_t n, stride, first, count;
  double *p;       /* [count][stride], this rank's rows */
  double *x, *y;   /* [stride] */
  double *forces;  /* [n][RX_TSNE_FORCES], of all points */
  double *mine;    /* [count][RX_TSNE_FORCES] */
  double *costs;   /* [n], for the divergence */
  int *sizes, *at; /* [n_ranks], for the gathering of n_ranks parts */
};

double rx_tsne_most_perplexity(size_t n) {
  return ((double)n - 1) / 3;
}

/* ---- one point's probabilities ---- */

/* Gives the entropy at bell->precision, and its slope over log(precision); sets bell->sum. */
static double weigh(const double *squares, size_t n, size_t self, rx_tsne_bell *bell,
                    double *slope) {
  double sum = 0, mean = 0, square = 0;

  for (size_t j = 0; j < n; j++) {
    double d = squares[j] - bell->least, p = j == self ? 0 : exp(-bell->precision * d);
    sum += p;
    mean += p * d;
    square += p * d * d;
  }
  *slope = 0;
  if (!(sum > 0)) return 0; /* no other point */
  mean /= sum;
  bell->sum = sum;
  *slope = -bell->precision * bell->precision * (square / sum - mean * mean);
  return log(sum) + bell->precision * mean;
}

static double find_least(const double *squares, size_t n, size_t self) {
  double least = INFINITY;

  for (size_t j = 0; j < n; j++)
    if (j != self && squares[j] < least) least = squares[j];
  return least;
}

/* Tells whether so many points are equally near that no precision reaches the perplexity. */
static bool is_crowded(const double *squares, size_t n, size_t self, double least,
                       double perplexity) {
  size_t count = 0;

  for (size_t j = 0; j < n; j++) count += j != self && !(squares[j] > least);
  return (double)count >= perplexity;
}

/* A first precision: one over the mean distance. */
static double first_precision(const double *squares, size_t n, double least) {
  double sum = 0;

  for (size_t j = 0; j < n; j++) sum += fmax(0, squares[j] - least);
  return sum > 0 && n > 1 ? (double)(n - 1) / sum : 1;
}

/* The next precision to try: Newton's on its logarithm, within the bounds that hold the solution.
 */
static double step_on(double precision, double excess, double slope, double low, double high) {
  double next = slope < 0 ? precision * exp(-excess / slope) : INFINITY;

  if (next > low && next < high && next < 1e3 * precision && next > 1e-3 * precision) return next;
  return isfinite(high) ? sqrt(fmax(low, 1e-3 * high) * high) : 2 * precision;
}

rx_tsne_bell rx_tsne_search(const double *squares, size_t n, size_t self, double perplexity) {
  double goal = log(perplexity), low = 0, high = INFINITY, slope = 0;
  rx_tsne_bell bell = {.least = find_least(squares, n, self)};

  bool is_sharpest = is_crowded(squares, n, self, bell.least, perplexity);
  bell.precision = is_sharpest ? sharpest : first_precision(squares, n, bell.least);
  for (int step = 0;; step++) {
    double excess = weigh(squares, n, self, &bell, &slope) - goal;
    if (is_sharpest || !(fabs(excess) > search_tolerance) || step == MOST_STEPS) return bell;
    if (excess > 0)
      low = bell.precision;
    else
      high = bell.precision;
    double next = step_on(bell.precision, excess, slope, low, high);
    if (!(next < sharpest)) return bell;
    bell.precision = next;
  }
}

/* ---- all of them ---- */

void rx_tsne_destroy(rx_tsne **tsne) {
  rx_tsne *t = *tsne;

  if (!t) return;
  free(t->p);
  free(t->x);
  free(t->y);
  free(t->forces);
  free(t->mine);
  free(t->costs);
  free(t->sizes);
  free(t->at);
  free(t);
  *tsne = NULL;
}

static rx_status allocate(rx_tsne *t) {
  RX_TRY(RX_NEW(&t->p, "t-SNE", t->count * t->stride));
  RX_TRY(RX_NEW(&t->x, "t-SNE", t->stride));
  RX_TRY(RX_NEW(&t->y, "t-SNE", t->stride));
  RX_TRY(RX_NEW(&t->forces, "t-SNE", t->n * RX_TSNE_FORCES));
  RX_TRY(RX_NEW(&t->mine, "t-SNE", t->count * RX_TSNE_FORCES));
  RX_TRY(RX_NEW(&t->costs, "t-SNE", t->n));
  RX_TRY(RX_NEW(&t->sizes, "t-SNE", t->n_ranks));
  RX_TRY(RX_NEW(&t->at, "t-SNE", t->n_ranks));
  return t->n < INT_MAX / RX_TSNE_FORCES ? RX_OK : RX_FAIL(RX_ERR_MEMORY, "t-SNE: too many points");
}

/* Gives all ranks what each has of its points. all  [n][size] */
static void gather(const rx_tsne *t, const double *mine, int size, double *all) {
  for (int rank = 0; rank < t->n_ranks; rank++) {
    size_t first, count;
    rx_partition(t->n, rank, t->n_ranks, &first, &count);
    t->sizes[rank] = (int)count * size;
    t->at[rank] = (int)first * size;
  }
  MPI_Allgatherv(mine, (int)t->count * size, MPI_DOUBLE, all, t->sizes, t->at, MPI_DOUBLE, t->comm);
}

static double conditional(const rx_tsne_bell *bell, double square) {
  return exp(-bell->precision * (square - bell->least)) / bell->sum;
}

/* P = (p(j|i) + p(i|j)) / 2n, both halves made here: their bits do not depend on who makes them. */
static void fill_row(const rx_tsne *t, const rx_tsne_bell *bells, size_t point, double *row) {
  for (size_t j = 0; j < t->n; j++) {
    double both = conditional(&bells[point], row[j]) + conditional(&bells[j], row[j]);
    row[j] = j == point ? 0 : both / (2 * (double)t->n);
  }
}

/* Collective. bells  [n], workspace */
static void make_probabilities(rx_tsne *t, const rx_points *points, double perplexity,
                               rx_tsne_bell *bells) {
  rx_distance_squares(t->isa, points, t->first, t->count, t->p, t->stride);
  for (size_t i = 0; i < t->count; i++)
    bells[t->first + i] = rx_tsne_search(t->p + i * t->stride, t->n, t->first + i, perplexity);
  memcpy(t->mine, bells + t->first, t->count * sizeof *bells);
  gather(t, t->mine, 3, &bells->precision);
  for (size_t i = 0; i < t->count; i++) fill_row(t, bells, t->first + i, t->p + i * t->stride);
}

rx_status rx_tsne_create(MPI_Comm comm, int isa, const rx_points *points, double perplexity,
                         rx_tsne **out) {
  rx_tsne_bell *bells = NULL;
  int rank;

  MPI_Comm_rank(comm, &rank);
  rx_status status = RX_NEW_AGREED(comm, out, "t-SNE", 1);
  if (status) return status;
  rx_tsne *t = *out;
  t->comm = comm;
  t->isa = isa;
  MPI_Comm_size(comm, &t->n_ranks);
  t->n = points->n;
  t->stride = (points->n + LANES - 1) / LANES * LANES;
  rx_partition(t->n, rank, t->n_ranks, &t->first, &t->count);
  status = allocate(t);
  if (!status) status = RX_NEW(&bells, "t-SNE", t->n);
  if (!(status = RX_AGREE(comm, status))) make_probabilities(t, points, perplexity, bells);
  free(bells);
  if (status) rx_tsne_destroy(out);
  return status;
}

const double *rx_tsne_probabilities(const rx_tsne *tsne, size_t *first, size_t *count,
                                    size_t *stride) {
  *first = tsne->first;
  *count = tsne->count;
  *stride = tsne->stride;
  return tsne->p;
}

/* ---- gradient ---- */

static void place(rx_tsne *t, const double *y) {
  for (size_t i = 0; i < t->stride; i++) {
    t->x[i] = i < t->n ? y[2 * i] : far_away;
    t->y[i] = i < t->n ? y[2 * i + 1] : far_away;
  }
}

/* The sum over points in their order: the same on all ranks. */
static double sum_pushes(const rx_tsne *t) {
  double sum = 0;

  for (size_t i = 0; i < t->n; i++) sum += t->forces[i * RX_TSNE_FORCES + 4];
  return sum;
}

/* sum p log(p / q) of a point without the sum of all q: p log p + p log(1 + |dy|^2). */
static double cost_of(const rx_tsne *t, size_t i) {
  const double *row = t->p + i * t->stride;
  double sum = 0;

  for (size_t j = 0; j < t->n; j++) {
    double dx = t->x[t->first + i] - t->x[j], dy = t->y[t->first + i] - t->y[j];
    if (row[j] > 0) sum += row[j] * log(row[j] * (1 + (dx * dx + dy * dy)));
  }
  return sum;
}

/* KL = sum p log p - sum p log(q / Z), with sum p = 1. Collective. */
static double find_divergence(rx_tsne *t, double normaliser) {
  double sum = 0;

  for (size_t i = 0; i < t->count; i++) t->mine[i] = cost_of(t, i);
  gather(t, t->mine, 1, t->costs);
  for (size_t i = 0; i < t->n; i++) sum += t->costs[i];
  return sum + log(normaliser);
}

void rx_tsne_gradient(rx_tsne *tsne, const double *y, double exaggeration, double *gradient,
                      double *divergence) {
  place(tsne, y);
  RX_ISA_PICK(tsne->isa, rx_tsne_forces)
  (tsne->mine, tsne->p, tsne->x, tsne->y, tsne->first, tsne->count, tsne->stride);
  gather(tsne, tsne->mine, RX_TSNE_FORCES, tsne->forces);
  double normaliser = sum_pushes(tsne);
  for (size_t i = 0; i < tsne->n; i++)
    for (size_t d = 0; d < 2; d++) {
      const double *force = tsne->forces + i * RX_TSNE_FORCES + d;
      gradient[2 * i + d] = 4 * (exaggeration * force[0] - force[2] / normaliser);
    }
  if (divergence) *divergence = find_divergence(tsne, normaliser);
}

/* ---- descent ---- */

/* What the descent remembers of each coordinate. */
typedef struct {
  double *gradient, *velocity, *gain; /* [n][2] */
} descent;

/* Gains grow while a coordinate keeps its direction (Jacobs 1988). */
static void move(const descent *d, size_t n, double rate, double momentum, double *y) {
  double centre[2] = {0, 0};

  for (size_t c = 0; c < 2 * n; c++) {
    bool is_turning = (d->gradient[c] > 0) == (d->velocity[c] > 0);
    d->gain[c] = is_turning ? fmax(0.01, d->gain[c] * 0.8) : d->gain[c] + 0.2;
    d->velocity[c] = momentum * d->velocity[c] - rate * d->gain[c] * d->gradient[c];
    y[c] += d->velocity[c];
    centre[c % 2] += y[c];
  }
  for (size_t c = 0; c < 2 * n; c++) y[c] -= centre[c % 2] / (double)n;
}

rx_status rx_tsne_run(rx_tsne *tsne, int iterations, double *y, double *divergence,
                      rx_progress *progress) {
  size_t n = tsne->n;
  descent d = {NULL, NULL, NULL};
  double rate = fmax(50, (double)n / exaggeration_early / 4);

  rx_status status = RX_NEW_AGREED(tsne->comm, &d.gradient, "t-SNE", 6 * n);
  if (status) return status;
  d.velocity = d.gradient + 2 * n;
  d.gain = d.velocity + 2 * n;
  for (size_t c = 0; c < 2 * n; c++) d.gain[c] = 1;
  for (int iteration = 0; iteration < iterations; iteration++) {
    bool is_early = iteration < EARLY;
    rx_tsne_gradient(tsne, y, is_early ? exaggeration_early : 1, d.gradient, NULL);
    move(&d, n, rate, is_early ? 0.5 : 0.8, y);
    if (progress) rx_progress_update(progress, iteration + 1);
  }
  if (divergence) rx_tsne_gradient(tsne, y, 1, d.gradient, divergence);
  free(d.gradient);
  return RX_OK;
}
