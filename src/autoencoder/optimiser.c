#include "optimiser.h"

#include <math.h>

#define BETA1 0.9
#define BETA2 0.999

/* rate and epsilon are those of the form p -= rate m / (sqrt(v) + epsilon). */
static void adam(rx_optimiser *o, float *restrict weights, const float *restrict gradient,
                 double rate, double epsilon) {
  float *restrict m = o->first, *restrict v = o->second;

  for (size_t i = 0; i < o->n; i++) {
    double g = (double)gradient[i];
    double mean = BETA1 * (double)m[i] + (1 - BETA1) * g;
    double square = BETA2 * (double)v[i] + (1 - BETA2) * g * g;

    m[i] = (float)mean;
    v[i] = (float)square;
    weights[i] = (float)((double)weights[i] - rate * mean / (sqrt(square) + epsilon));
  }
}

static void adadelta(rx_optimiser *o, float *restrict weights, const float *restrict gradient,
                     double rate) {
  float *restrict a = o->first, *restrict d = o->second;
  double rho = o->settings.rho, epsilon = o->settings.epsilon;

  for (size_t i = 0; i < o->n; i++) {
    double g = (double)gradient[i];
    double square = rho * (double)a[i] + (1 - rho) * g * g;
    double step = g * sqrt((double)d[i] + epsilon) / sqrt(square + epsilon);

    a[i] = (float)square;
    d[i] = (float)(rho * (double)d[i] + (1 - rho) * step * step);
    weights[i] = (float)((double)weights[i] - rate * step);
  }
}

void rx_optimiser_step(rx_optimiser *optimiser, float *weights, const float *gradient,
                       double rate) {
  double epsilon = optimiser->settings.epsilon;
  double t = (double)++optimiser->step;
  double corrected = rate * sqrt(1 - pow(BETA2, t)) / (1 - pow(BETA1, t));

  switch (optimiser->settings.kind) {
    case RX_ADAM:
      adam(optimiser, weights, gradient, corrected, epsilon * sqrt(1 - pow(BETA2, t)));
      break;
    case RX_ADAM_KERAS:
      adam(optimiser, weights, gradient, corrected, epsilon);
      break;
    case RX_ADADELTA:
      adadelta(optimiser, weights, gradient, rate);
      break;
  }
}
