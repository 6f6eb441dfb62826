/* newton_grid.h: sums over rows that ranks do not change. */
#ifndef RADMIX_PREDICTION_NEWTON_GRID_H
#define RADMIX_PREDICTION_NEWTON_GRID_H

/* Rounds to a multiple of 2^-44. Sums of such numbers below 2^8, as all sums over rows here are,
 * are exact in any order. */
static inline double rx_newton_grid(double x) {
  return (x + 384) - 384;
}

#endif
