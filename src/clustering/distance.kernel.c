/* Squared Euclidean distances. Each is summed over the dimensions in their order, with a rounding
 * after each product and sum as R's dist() does, so that its bits depend on nothing else. */
#include <string.h>

#include "clustering/distance.h"
#include "radmix/isa.h"

enum { WIDTH = RX_ISA == 4 ? 8 : RX_ISA == 3 ? 4 : 2, VECTORS = 16 / WIDTH, ROWS = 4 };

typedef double lanes __attribute__((vector_size(WIDTH * sizeof(double))));

/* ROWS points with 16 others. sums  [ROWS][16], set */
static inline void sum_tile(double sums[ROWS][16], const rx_points *points, size_t row,
                            size_t column) {
  lanes sum[ROWS][VECTORS] = {0};

  for (size_t dim = 0; dim < points->n_dims; dim++) {
    const double *x = points->values + dim * points->stride;
    for (int v = 0; v < VECTORS; v++) {
      lanes other;
      memcpy(&other, x + column + v * WIDTH, sizeof other);
      for (int r = 0; r < ROWS; r++) {
        lanes d = x[row + (size_t)r] - other;
        sum[r][v] += d * d;
      }
    }
  }
  for (int r = 0; r < ROWS; r++) memcpy(sums[r], sum[r], 16 * sizeof(double));
}

void RX_ISA_NAME(rx_distance_square)(double *restrict out, size_t stride, const rx_points *points,
                                     size_t first, size_t count) {
  size_t n = points->n;

  for (size_t i = 0; i < count; i += ROWS)
    for (size_t j = 0; j < n; j += 16) {
      double sums[ROWS][16];
      size_t length = n - j < 16 ? n - j : 16;
      sum_tile(sums, points, first + i, j);
      for (size_t r = 0; r < ROWS && i + r < count; r++)
        memcpy(out + (i + r) * stride + j, sums[r], length * sizeof(double));
    }
}
