#include "contrasts.h"

#include "lanes.h"
#include "radmix/isa.h"

enum { TILE = 8, ROWS = 4 };

/* Rows of V, ROWS at a time, so that the sums do not wait for each other. */
void RX_ISA_NAME(rx_contrasts_rotate)(const rx_contrasts *contrasts, const double *restrict value,
                                      double *restrict contrast) {
  const size_t m = (size_t)(contrasts->n_patients + contrasts->n_inner), n = (size_t)contrasts->n;

  for (size_t j = 0; j < n; j += ROWS) {
    size_t rows = n - j < ROWS ? n - j : ROWS;
    for (size_t lane = 0; lane < TILE; lane += RX_LANES) {
      lanes sum[ROWS] = {{0}};
      const double *basis[ROWS];
      for (size_t r = 0; r < ROWS; r++) basis[r] = contrasts->basis + (j + r % rows) * m;
      for (size_t i = 0; i < m; i++) {
        lanes v = lanes_load(value + i * TILE + lane);
        for (size_t r = 0; r < ROWS; r++) sum[r] = lanes_fma(v, lanes_of(basis[r][i]), sum[r]);
      }
      for (size_t r = 0; r < rows; r++) lanes_store(contrast + (j + r) * TILE + lane, sum[r]);
    }
  }
}
