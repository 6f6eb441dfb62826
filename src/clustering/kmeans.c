#include "kmeans.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"

enum { MOST_ITERATIONS = 300 };

/* Starts that end in the same clusters differ by rounding, which depends on the ranks: the first
 * one is kept. */
static const double same_sum = 1e-9;

void rx_kmeans_destroy(rx_kmeans **kmeans) {
  if (!*kmeans) return;
  free((*kmeans)->centres);
  free((*kmeans)->counts);
  free((*kmeans)->labels);
  free(*kmeans);
  *kmeans = NULL;
}

static rx_status create(const rx_kmeans_points *points, size_t n_clusters, rx_kmeans **out) {
  RX_TRY(RX_NEW(out, "k-means", 1));
  (*out)->n_clusters = n_clusters;
  (*out)->n_dims = points->n_dims;
  rx_status status = RX_NEW(&(*out)->centres, "k-means", n_clusters * points->n_dims);
  if (!status) status = RX_NEW(&(*out)->counts, "k-means", n_clusters);
  if (!status) status = RX_NEW(&(*out)->labels, "k-means", points->n);
  if (status) rx_kmeans_destroy(out);
  return status;
}

static double squared_distance(const double *a, const double *b, size_t n_dims) {
  double sum = 0;

  for (size_t d = 0; d < n_dims; d++) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

/* ---- Lloyd ---- */

/* Gives each point the nearest centre, the first of several; returns whether a label changed. */
static int assign(const rx_kmeans_points *points, rx_kmeans *k) {
  int has_changed = 0;

  k->within = 0;
  for (size_t i = 0; i < points->n; i++) {
    const double *x = points->values + i * points->n_dims;
    double least = INFINITY;
    int nearest = 0;
    for (size_t c = 0; c < k->n_clusters; c++) {
      double d = squared_distance(x, k->centres + c * k->n_dims, k->n_dims);
      if (d < least) {
        least = d;
        nearest = (int)c;
      }
    }
    has_changed |= k->labels[i] != nearest;
    k->labels[i] = nearest;
    k->within += least;
  }
  return has_changed;
}

/* Moves each centre to the mean of its points; one without points stays. Collective.
 * sums  [n_clusters][n_dims], workspace */
static void move_centres(MPI_Comm comm, const rx_kmeans_points *points, rx_kmeans *k,
                         double *sums) {
  size_t size = k->n_clusters * k->n_dims;

  memset(sums, 0, size * sizeof *sums);
  memset(k->counts, 0, k->n_clusters * sizeof *k->counts);
  for (size_t i = 0; i < points->n; i++) {
    double *sum = sums + (size_t)k->labels[i] * k->n_dims;
    for (size_t d = 0; d < k->n_dims; d++) sum[d] += points->values[i * k->n_dims + d];
    k->counts[k->labels[i]]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, sums, (int)size, MPI_DOUBLE, MPI_SUM, comm);
  MPI_Allreduce(MPI_IN_PLACE, k->counts, (int)k->n_clusters, MPI_INT64_T, MPI_SUM, comm);
  for (size_t c = 0; c < k->n_clusters; c++)
    for (size_t d = 0; d < k->n_dims && k->counts[c]; d++)
      k->centres[c * k->n_dims + d] = sums[c * k->n_dims + d] / (double)k->counts[c];
}

/* Collective. sums  as of move_centres() */
static void iterate(MPI_Comm comm, const rx_kmeans_points *points, rx_kmeans *k, double *sums) {
  for (size_t i = 0; i < points->n; i++) k->labels[i] = -1;
  for (k->iterations = 0; k->iterations < MOST_ITERATIONS; k->iterations++) {
    int has_changed = assign(points, k);
    MPI_Allreduce(MPI_IN_PLACE, &has_changed, 1, MPI_INT, MPI_MAX, comm);
    MPI_Allreduce(MPI_IN_PLACE, &k->within, 1, MPI_DOUBLE, MPI_SUM, comm);
    if (!has_changed) return;
    move_centres(comm, points, k, sums);
  }
}

rx_status rx_kmeans_fit_from(MPI_Comm comm, const rx_kmeans_points *points, const double *centres,
                             size_t n_clusters, rx_kmeans **out) {
  double *sums = NULL;

  rx_status status = create(points, n_clusters, out);
  if (!status) status = RX_NEW(&sums, "k-means", n_clusters * points->n_dims);
  if (!(status = RX_AGREE(comm, status))) {
    memcpy((*out)->centres, centres, n_clusters * points->n_dims * sizeof *centres);
    iterate(comm, points, *out, sums);
  } else {
    rx_kmeans_destroy(out);
  }
  free(sums);
  return status;
}

/* ---- starts ---- */

/* The time at which a point ends the race, and which point. */
typedef struct {
  double time;
  int point;
} runner;

/* weights  [n], not negative; a point of weight 0 never ends. round  of the draw, of all starts */
static runner race(const rx_kmeans_points *points, const double *weights, uint64_t seed,
                   uint32_t round) {
  runner first = {INFINITY, -1};

  for (size_t i = 0; i < points->n; i++) {
    size_t point = points->first + i;
    rx_random random = rx_random_at(seed, RX_RANDOM_CLUSTERS, round, (uint32_t)point);
    double time = -log(rx_random_uniform(&random)) / weights[i];
    if (weights[i] > 0 && time < first.time) first = (runner){time, (int)point};
  }
  return first;
}

/* Gives all ranks the values of a point. Collective. values  [n_dims], set */
static void fetch(MPI_Comm comm, const rx_kmeans_points *points, size_t point, double *values) {
  bool is_mine = point >= points->first && point < points->first + points->n;

  for (size_t d = 0; d < points->n_dims; d++)
    values[d] = is_mine ? points->values[(point - points->first) * points->n_dims + d] : 0;
  MPI_Allreduce(MPI_IN_PLACE, values, (int)points->n_dims, MPI_DOUBLE, MPI_SUM, comm);
}

/* Draws the centres of a start; returns how many there are. Collective.
 * centres  [n_clusters][n_dims]; weights  [n], workspace */
static size_t draw_centres(MPI_Comm comm, const rx_kmeans_points *points, size_t n_clusters,
                           uint64_t seed, int start, double *centres, double *weights) {
  for (size_t i = 0; i < points->n; i++) weights[i] = 1;
  for (size_t c = 0; c < n_clusters; c++) {
    double *centre = centres + c * points->n_dims;
    runner first = race(points, weights, seed, (uint32_t)((size_t)start * n_clusters + c));
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE_INT, MPI_MINLOC, comm);
    if (first.point < 0 || isinf(first.time)) return c;
    fetch(comm, points, (size_t)first.point, centre);
    for (size_t i = 0; i < points->n; i++) {
      double d = squared_distance(points->values + i * points->n_dims, centre, points->n_dims);
      weights[i] = c ? fmin(weights[i], d) : d;
    }
  }
  return n_clusters;
}

rx_status rx_kmeans_fit(MPI_Comm comm, const rx_kmeans_points *points, size_t n_clusters,
                        uint64_t seed, int n_starts, rx_kmeans **out) {
  double *centres = NULL, *weights = NULL;

  *out = NULL;
  rx_status status = RX_NEW(&centres, "k-means", n_clusters * points->n_dims);
  if (!status) status = RX_NEW(&weights, "k-means", points->n);
  status = RX_AGREE(comm, status);
  for (int start = 0; start < n_starts && !status; start++) {
    rx_kmeans *fit;
    size_t n = draw_centres(comm, points, n_clusters, seed, start, centres, weights);
    status = rx_kmeans_fit_from(comm, points, centres, n, &fit);
    if (!status && (!*out || fit->within < (*out)->within * (1 - same_sum))) {
      rx_kmeans *worse = *out;
      *out = fit;
      fit = worse;
    }
    rx_kmeans_destroy(&fit);
  }
  free(weights);
  free(centres);
  if (status) rx_kmeans_destroy(out);
  return status;
}
