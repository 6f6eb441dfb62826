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

/* Eight genes, sample by sample. */
typedef struct {
  double *table;              /* [STEPS + 1] */
  double *value, *test, *sum; /* [n_reference][LANES], [n_test][LANES] twice */
  double *bandwidth;          /* [LANES] */
} workspace;

static void workspace_destroy(workspace *work) {
  free(work->table);
  free(work->value);
  free(work->test);
  free(work->sum);
  free(work->bandwidth);
}

static rx_status workspace_create(size_t n_reference, size_t n_test, workspace *work) {
  *work = (workspace){0};
  rx_status status = RX_NEW(&work->table, "normal distribution", STEPS + 1);
  if (!status) status = RX_NEW(&work->value, "density", n_reference * LANES);
  if (!status) status = RX_NEW(&work->test, "density", n_test * LANES);
  if (!status) status = RX_NEW(&work->sum, "density", n_test * LANES);
  if (!status) status = RX_NEW(&work->bandwidth, "density", LANES);
  for (int step = 0; !status && step <= STEPS; step++)
    work->table[step] = pnorm5(largest_step * step / STEPS, 0, 1, 1, 0);
  if (status) workspace_destroy(work);
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

/* Copies the genes from .. from + count into lanes; lanes beyond repeat the last one. */
static void pack(double *lanes, const double *genes, size_t n, size_t from, size_t count) {
  for (size_t lane = 0; lane < LANES; lane++) {
    const double *gene = genes + (from + (lane < count ? lane : count - 1)) * n;

    for (size_t i = 0; i < n; i++) lanes[i * LANES + lane] = gene[i];
  }
}

static void sum_by_table(workspace *work, size_t n_reference, size_t n_test, bool is_self,
                         int isa) {
  rx_density_self *self = RX_ISA_PICK(isa, rx_density_self);
  rx_density_cross *cross = RX_ISA_PICK(isa, rx_density_cross);

  if (is_self)
    self(work->sum, work->value, work->bandwidth, work->table, n_reference);
  else
    cross(work->sum, work->test, n_test, work->value, work->bandwidth, work->table, n_reference);
}

static void sum_exactly(workspace *work, size_t n_reference, size_t n_test, const double *test) {
  for (size_t j = 0; j < n_test; j++)
    for (size_t lane = 0; lane < LANES; lane++) {
      double sum = 0, bandwidth = work->bandwidth[lane];

      for (size_t i = 0; i < n_reference; i++) {
        double z = (test[j * LANES + lane] - work->value[i * LANES + lane]) / bandwidth;
        sum += 0.5 * erfc(-z * M_SQRT1_2);
      }
      work->sum[j * LANES + lane] = sum;
    }
}

static void compute_gaussian(double *density, const double *reference, size_t n_reference,
                             const double *test, size_t n_test, size_t n_genes,
                             const rx_density_options *options, workspace *work) {
  for (size_t from = 0; from < n_genes; from += LANES) {
    size_t count = n_genes - from < LANES ? n_genes - from : LANES;

    pack(work->value, reference, n_reference, from, count);
    if (test) pack(work->test, test, n_test, from, count);
    for (size_t lane = 0; lane < LANES; lane++) {
      double mean, sd;
      size_t gene = from + (lane < count ? lane : count - 1);

      rx_density_moments(reference + gene * n_reference, n_reference, &mean, &sd);
      work->bandwidth[lane] = sd * bandwidth_share;
    }
    if (options->is_exact)
      sum_exactly(work, n_reference, n_test, test ? work->test : work->value);
    else
      sum_by_table(work, n_reference, n_test, !test, options->isa);
    for (size_t lane = 0; lane < count; lane++)
      for (size_t j = 0; j < n_test; j++)
        density[(from + lane) * n_test + j] =
            log_odds(work->sum[j * LANES + lane] / (double)n_reference);
  }
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

rx_status rx_density_compute(double *density, const double *reference, size_t n_reference,
                             const double *test, size_t n_test, size_t n_genes,
                             const rx_density_options *options) {
  workspace work;

  RX_TRY(workspace_create(n_reference, n_test, &work));
  if (options->kernel == RX_DENSITY_GAUSSIAN)
    compute_gaussian(density, reference, n_reference, test, n_test, n_genes, options, &work);
  else
    for (size_t gene = 0; gene < n_genes; gene++) {
      const double *own = reference + gene * n_reference;
      const double *looked_up = test ? test + gene * n_test : own;

      if (options->kernel == RX_DENSITY_POISSON)
        compute_poisson(density + gene * n_test, own, n_reference, looked_up, n_test);
      else
        compute_steps(density + gene * n_test, own, n_reference, looked_up, n_test, work.value);
    }
  workspace_destroy(&work);
  return RX_OK;
}
