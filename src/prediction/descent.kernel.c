/* The inner loops of coordinate descent. Sums run in 16 lanes, whatever the instruction set. */
#include <math.h>

#include "prediction/descent.h"
#include "radmix/isa.h"

enum { LANES = RX_DESCENT_LANES };

/* Adds the lanes in pairs. */
static double add_lanes(double *lane) {
  for (int step = LANES / 2; step > 0; step /= 2)
    for (int l = 0; l < step; l++) lane[l] += lane[l + step];
  return lane[0];
}

/* sum a b */
double RX_ISA_NAME(rx_descent_dot)(const double *a, const double *b, size_t n) {
  double lane[LANES] = {0};

  for (size_t i = 0; i < n; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = __builtin_fma(a[i + l], b[i + l], lane[l]);
  return add_lanes(lane);
}

/* sum a b c */
double RX_ISA_NAME(rx_descent_dot3)(const double *a, const double *b, const double *c, size_t n) {
  double lane[LANES] = {0};

  for (size_t i = 0; i < n; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = __builtin_fma(a[i + l] * b[i + l], c[i + l], lane[l]);
  return add_lanes(lane);
}

/* r -= change w x */
static void move(double *restrict r, const double *restrict w, const double *restrict x,
                 double change, size_t n) {
  for (size_t i = 0; i < n; i++) r[i] = __builtin_fma(-change * w[i], x[i], r[i]);
}

/* One pass over the features: each takes the minimum along its own axis. Returns the largest
 * h (change of beta)^2. */
double RX_ISA_NAME(rx_descent_sweep)(rx_descent_quadratic *q, const int *features,
                                     size_t n_features) {
  double largest = 0;

  for (size_t k = 0; k < n_features; k++) {
    size_t j = (size_t)features[k];
    const double *x = q->x + j * q->n;
    if (q->h[j] <= 0) continue;
    double u = RX_ISA_NAME(rx_descent_dot)(x, q->r, q->n) + q->h[j] * q->beta[j];
    double beta = fabs(u) > q->l1 ? (u - copysign(q->l1, u)) / (q->h[j] + q->l2) : 0;
    double change = beta - q->beta[j];
    if (change == 0) continue;
    q->beta[j] = beta;
    move(q->r, q->w, x, change, q->n);
    double gain = q->h[j] * change * change;
    if (gain > largest) largest = gain;
  }
  return largest;
}
