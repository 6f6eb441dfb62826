/* Coordinate descent in the space of features. */
#include <math.h>

#include "prediction/newton.h"
#include "radmix/isa.h"

void RX_ISA_NAME(rx_newton_move)(double *restrict u, const float *restrict h, double change,
                                 size_t n) {
  for (size_t i = 0; i < n; i++) u[i] = __builtin_fma(-change, (double)h[i], u[i]);
}

double RX_ISA_NAME(rx_newton_sweep)(rx_newton_quadratic *q, const int *list, size_t n_list) {
  double largest = 0;

  for (size_t k = 0; k < n_list; k++) {
    size_t j = (size_t)list[k];
    const float *row = q->h + j * q->stride;
    double h = (double)row[j], u = q->u[j] + h * q->beta[j];
    double beta = fabs(u) > q->l1 ? (u - copysign(q->l1, u)) / (h + q->l2) : 0;
    double change = beta - q->beta[j];
    if (change == 0) continue;
    q->beta[j] = beta;
    RX_ISA_NAME(rx_newton_move)(q->u, row, change, q->n);
    double violation = (h + q->l2) * fabs(change);
    if (violation > largest) largest = violation;
  }
  return largest;
}
