#include <math.h>

#include "radmix/clustering.h"

double rx_silhouette_of(const double *distances, size_t n, const int *labels, size_t point,
                        size_t n_clusters, const int64_t *counts, double *sums) {
  size_t own = (size_t)labels[point];
  double nearest = INFINITY;

  if (n_clusters < 2) return NAN;
  if (counts[own] < 2) return 0;
  for (size_t k = 0; k < n_clusters; k++) sums[k] = 0;
  for (size_t i = 0; i < n; i++)
    if (labels[i] >= 0 && i != point) sums[labels[i]] += distances[i];
  for (size_t k = 0; k < n_clusters; k++)
    if (k != own && counts[k] > 0) nearest = fmin(nearest, sums[k] / (double)counts[k]);
  double within = sums[own] / (double)(counts[own] - 1), larger = fmax(within, nearest);
  return larger > 0 ? (nearest - within) / larger : 0;
}
