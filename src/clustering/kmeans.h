/* kmeans.h: k-means of points that the ranks hold among them (Lloyd 1982).
 *
 * Starts by k-means++ (Arthur & Vassilvitskii 2007): each next centre is a point drawn with weight
 * its squared distance to the nearest centre so far. A draw is a race: point i ends at -log(u_i) /
 * w_i with u_i its own random number, and the first one wins, so that it does not matter who holds
 * it. */
#ifndef RADMIX_CLUSTERING_KMEANS_H
#define RADMIX_CLUSTERING_KMEANS_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

/* The points of this rank. */
typedef struct {
  const double *values;           /* [n][n_dims] */
  size_t n, n_dims, first, n_all; /* first: the number of its first point among all n_all */
} rx_kmeans_points;

typedef struct {
  size_t n_clusters; /* less than asked for when there are not so many distinct points */
  size_t n_dims;
  int iterations;
  double *centres; /* [n_clusters][n_dims] */
  int64_t *counts; /* [n_clusters], points of all ranks */
  int *labels;     /* [n], of this rank's points */
  double within;   /* sum of squared distances to the centres */
} rx_kmeans;

/* Fits from n_starts starts and keeps the one with the smallest sum. Collective over comm.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_kmeans_fit(MPI_Comm comm, const rx_kmeans_points *points, size_t n_clusters,
                        uint64_t seed, int n_starts, rx_kmeans **out);
/* Fits from given centres, [n_clusters][n_dims], until no label changes, as R's algorithm "Lloyd".
 */
rx_status rx_kmeans_fit_from(MPI_Comm comm, const rx_kmeans_points *points, const double *centres,
                             size_t n_clusters, rx_kmeans **out);
void rx_kmeans_destroy(rx_kmeans **kmeans);

#endif
