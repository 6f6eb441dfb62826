/* The inner loop of t-SNE. Sums run in 16 lanes whatever the instruction set, and the lanes are
 * added in one order, so that all sets give the same bits. */
#include <string.h>

#include "clustering/tsne.h"
#include "radmix/isa.h"

enum { LANES = 16, WIDTH = RX_ISA == 4 ? 8 : RX_ISA == 3 ? 4 : 2, VECTORS = LANES / WIDTH };

typedef double lanes __attribute__((vector_size(WIDTH * sizeof(double))));

static inline lanes load(const double *from) {
  lanes v;

  memcpy(&v, from, sizeof v);
  return v;
}

static double add_lanes(const lanes *sums) {
  double each[LANES];

  memcpy(each, sums, sizeof each);
  for (int width = LANES / 2; width; width /= 2)
    for (int i = 0; i < width; i++) each[i] += each[i + width];
  return each[0];
}

void RX_ISA_NAME(rx_tsne_forces)(double *restrict forces, const double *restrict p,
                                 const double *restrict x, const double *restrict y, size_t first,
                                 size_t count, size_t stride) {
  for (size_t i = 0; i < count; i++) {
    const double *row = p + i * stride;
    double xi = x[first + i], yi = y[first + i];
    lanes pull_x[VECTORS] = {0}, pull_y[VECTORS] = {0}, push_x[VECTORS] = {0};
    lanes push_y[VECTORS] = {0}, sum[VECTORS] = {0};
    for (size_t j = 0; j < stride; j += LANES)
      for (int v = 0; v < VECTORS; v++) {
        size_t at = j + (size_t)(v * WIDTH);
        lanes dx = xi - load(x + at), dy = yi - load(y + at);
        lanes q = 1.0 / (1.0 + (dx * dx + dy * dy));
        lanes pq = load(row + at) * q, qq = q * q;
        pull_x[v] += pq * dx;
        pull_y[v] += pq * dy;
        push_x[v] += qq * dx;
        push_y[v] += qq * dy;
        sum[v] += q;
      }
    double *out = forces + i * RX_TSNE_FORCES;
    out[0] = add_lanes(pull_x);
    out[1] = add_lanes(pull_y);
    out[2] = add_lanes(push_x);
    out[3] = add_lanes(push_y);
    out[4] = add_lanes(sum) - 1; /* without itself */
  }
}
