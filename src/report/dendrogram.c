#include "dendrogram.h"

#include <math.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* Where a branch stands: a leaf, or a merge whose place is known. */
static void locate(int32_t branch, const double *leaf, const rx_linkage *tree,
                   const double *merge_place, double *place, double *height) {
  if (branch < 0) {
    *place = leaf[-branch - 1];
    *height = 0;
  } else {
    *place = merge_place[branch - 1];
    *height = tree->height[branch - 1];
  }
}

rx_status rx_dendrogram_write(const rx_linkage *tree, size_t most, FILE *data) {
  size_t n = tree->n, n_merges = n - 1;
  double *leaf = NULL, *merge_place = NULL;

  rx_status status = RX_NEW(&leaf, "tree", n);
  if (!status) status = RX_NEW(&merge_place, "tree", n);
  for (size_t i = 0; i < n && !status; i++) leaf[tree->order[i] - 1] = (double)i;
  for (size_t m = 0; m < n_merges && !status; m++) {
    double left, right, left_height, right_height, top = tree->height[m];
    locate(tree->merge[2 * m], leaf, tree, merge_place, &left, &left_height);
    locate(tree->merge[2 * m + 1], leaf, tree, merge_place, &right, &right_height);
    merge_place[m] = (left + right) / 2;
    if (m + most < n_merges) continue;
    fprintf(data, "%.6g %.6g\n%.6g %.6g\n%.6g %.6g\n%.6g %.6g\n\n", left, left_height, left, top,
            right, top, right, right_height);
  }
  fputc('\n', data);
  free(leaf);
  free(merge_place);
  return status;
}

rx_status rx_dendrogram_make(const double *points, size_t n, size_t n_dims, rx_linkage **tree) {
  double *distances;

  RX_TRY(RX_NEW(&distances, "tree", n * n));
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < a; b++) {
      double sum = 0;
      for (size_t d = 0; d < n_dims; d++) {
        double x = points[a * n_dims + d], y = points[b * n_dims + d];
        double difference = (isfinite(x) ? x : 0) - (isfinite(y) ? y : 0);
        sum += difference * difference;
      }
      distances[a * n + b] = distances[b * n + a] = sqrt(sum);
    }
  rx_status status = rx_linkage_create(distances, n, RX_AVERAGE, tree);
  free(distances);
  return status;
}
