#include "density.h"

#include <math.h>
#include <stdlib.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { LANES = RX_DENSITY_LANES, STEPS = RX_DENSITY_STEPS };

static const double largest_step = 10.0;    /* the table ends there, in standard deviations */
static const double bandwidth_share = 0.25; /* of the standard deviation of a gene */
static const double poisson_offset = 0.5;

void rx_density_destroy(rx_density *room) {
  free(room->table);
  free(room->value);
  free(room->test);
  free(room->sum);
  free(room->bandwidth);
  *room = (rx_density){0};
}

rx_status rx_density_create(size_t n_reference, size_t n_test, const rx_density_options *options,
                            rx_density *room) {
  *room = (rx_density){.options = *options, .n_reference = n_reference, .n_test = n_test};
  rx_status status = RX_NEW(&room->table, "normal distribution", STEPS + 1);
  if (!status) status = RX_NEW(&room->value, "density", n_reference * LANES);
  if (!status) status = RX_NEW(&room->test, "density", n_test * LANES);
  if (!status) status = RX_NEW(&room->sum, "density", n_test * LANES);
  if (!status) status = RX_NEW(&room->bandwidth, "density", LANES);
  for (int step = 0; !status && step <= STEPS; step++)
    room->table[step] = pnorm5(largest_step * step / STEPS, 0, 1, 1, 0);
  if (status) rx_density_destroy(room);
  return status;
}

void rx_density_moments(const double *value, size_t n, double *mean, double *sd) {
  long double sum = 0, correction = 0, square = 0;

  for (size_t i = 0; i < n; i++) sum += value[i];
  sum /= (long double)n;
  for (size_t i = 0; i < n; i++) correction += value[i] - sum;
  *mean = (double)(sum + correction / (long double)n);
  for (size_t i = 0; i < n; i++) square += (value[i] - *mean) * (value[i] - *mean);
  *sd = sqrt((double)(square / (long double)(n - 1)));
}

/* From the share of values below to log odds, written as GSVA does: the same rounding. */
static double log_odds(double share) {
  return -1.0 * log((1.0 - share) / share);
}

/* Copies genes into lanes; lanes beyond repeat the last one. */
static void pack(double *lanes, const double *genes, size_t n, size_t count) {
  for (size_t lane = 0; lane < LANES; lane++) {
    const double *gene = genes + (lane < count ? lane : count - 1) * n;

    for (size_t i = 0; i < n; i++) lanes[i * LANES + lane] = gene[i];
  }
}

static void sum_by_table(rx_density *room, bool is_self) {
  rx_density_self *self = RX_ISA_PICK(room->options.isa, rx_density_self);
  rx_density_cross *cross = RX_ISA_PICK(room->options.isa, rx_density_cross);

  if (is_self)
    self(room->sum, room->value, room->bandwidth, room->table, room->n_reference);
  else
    cross(room->sum, room->test, room->n_test, room->value, room->bandwidth, room->table,
          room->n_reference);
}

static void sum_exactly(rx_density *room, const double *test) {
  for (size_t j = 0; j < room->n_test; j++)
    for (size_t lane = 0; lane < LANES; lane++) {
      double sum = 0, bandwidth = room->bandwidth[lane];

      for (size_t i = 0; i < room->n_reference; i++) {
        double z = (test[j * LANES + lane] - room->value[i * LANES + lane]) / bandwidth;
        sum += 0.5 * erfc(-z * M_SQRT1_2);
      }
      room->sum[j * LANES + lane] = sum;
    }
}

/* Eight genes, or the count that is left. */
static void compute_gaussian(double *density, const double *reference, const double *test,
                             size_t count, rx_density *room) {
  size_t n = room->n_reference, n_test = room->n_test;

  pack(room->value, reference, n, count);
  if (test) pack(room->test, test, n_test, count);
  for (size_t lane = 0; lane < LANES; lane++) {
    double mean, sd;

    rx_density_moments(reference + (lane < count ? lane : count - 1) * n, n, &mean, &sd);
    room->bandwidth[lane] = sd * bandwidth_share;
  }
  if (room->options.is_exact)
    sum_exactly(room, test ? room->test : room->value);
  else
    sum_by_table(room, !test);
  for (size_t lane = 0; lane < count; lane++)
    for (size_t j = 0; j < n_test; j++)
      density[lane * n_test + j] = log_odds(room->sum[j * LANES + lane] / (double)n);
}

/* Mean over the samples of P(Poisson(value + 0.5) <= test). Counts repeat, so a sum that an earlier
 * sample of the gene had is taken from there. */
static void compute_poisson(double *density, const double *reference, size_t n_reference,
                            const double *test, size_t n_test) {
  for (size_t j = 0; j < n_test; j++) {
    double sum = 0;
    size_t before = 0;

    while (test[before] != test[j]) before++;
    if (before < j) {
      density[j] = density[before];
      continue;
    }
    for (size_t i = 0; i < n_reference; i++)
      sum += ppois(test[j], reference[i] + poisson_offset, 1, 0);
    density[j] = log_odds(sum / (double)n_reference);
  }
}

static int by_value(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;

  return (a > b) - (a < b);
}

/* The empirical distribution: the share of reference values <= test. sorted: [n_reference], of the
 * workspace. */
static void compute_steps(double *density, const double *reference, size_t n_reference,
                          const double *test, size_t n_test, double *sorted) {
  for (size_t i = 0; i < n_reference; i++) sorted[i] = reference[i];
  qsort(sorted, n_reference, sizeof *sorted, by_value);
  for (size_t j = 0; j < n_test; j++) {
    size_t low = 0, high = n_reference; /* sorted[low - 1] <= test < sorted[high] */

    while (low < high) {
      size_t middle = (low + high) / 2;
      if (sorted[middle] <= test[j])
        low = middle + 1;
      else
        high = middle;
    }
    double share = (double)low / (double)n_reference;
    density[j] = log(share / (1.0 - share));
  }
}

void rx_density_compute(double *density, const double *reference, const double *test,
                        size_t n_genes, rx_density *room) {
  size_t n = room->n_reference, n_test = room->n_test;
  size_t step = room->options.kernel == RX_DENSITY_GAUSSIAN ? LANES : 1;

  for (size_t gene = 0; gene < n_genes; gene += step) {
    const double *own = reference + gene * n, *looked_up = test ? test + gene * n_test : NULL;
    double *out = density + gene * n_test;

    if (room->options.kernel == RX_DENSITY_GAUSSIAN)
      compute_gaussian(out, own, looked_up, n_genes - gene < LANES ? n_genes - gene : LANES, room);
    else if (room->options.kernel == RX_DENSITY_POISSON)
      compute_poisson(out, own, n, looked_up ? looked_up : own, n_test);
    else
      compute_steps(out, own, n, looked_up ? looked_up : own, n_test, room->value);
  }
}
