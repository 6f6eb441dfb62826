#include "calibration.h"

#include <math.h>
#include <stdlib.h>

#include "block.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { FEATURES = 110, FACTORS = 111, AT_ONCE = 64 }; /* purposes of the random numbers */

const double rx_calibration_level[RX_CALIBRATION_LEVELS] = {0.05, 1e-3, 1e-5};

double rx_calibration_chi_square(rx_random *random, double df) {
  const double boost = df < 2 ? 1 : 0; /* a gamma below 1 is one above times a power */
  const double d = df / 2 + boost - 1.0 / 3, c = 1 / sqrt(9 * d);

  for (;;) {
    double x = rx_random_normal(random), v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    if (log(rx_random_uniform(random)) >= 0.5 * x * x + d - d * v + d * log(v)) continue;
    double scale = boost > 0 ? pow(rx_random_uniform(random), 2 / df) : 1;
    return 2 * d * v * scale;
  }
}

/* Counts by feature and by factor, for the standard errors. */
typedef struct {
  size_t n_features, n_factors;
  int64_t *by_feature[RX_CALIBRATION_LEVELS], *by_factor[RX_CALIBRATION_LEVELS]; /* owned */
  int64_t n;
} counts;

static void free_counts(counts *c) {
  for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) {
    free(c->by_feature[k]);
    free(c->by_factor[k]);
  }
}

static rx_status make_counts(size_t n_features, size_t n_factors, counts *c) {
  c->n_features = n_features;
  c->n_factors = n_factors;
  for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) {
    RX_TRY(RX_NEW(&c->by_feature[k], "calibration", n_features));
    RX_TRY(RX_NEW(&c->by_factor[k], "calibration", n_factors));
  }
  return RX_OK;
}

static void count_cells(const rx_cells *cells, size_t first_factor, counts *c) {
  for (size_t i = 0; i < cells->n_features; i++)
    for (size_t j = 0; j < cells->n_factors; j++) {
      double p = cells->log10_p[i * cells->n_factors + j];
      if (isnan(p)) continue;
      c->n++;
      for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) {
        if (p > log10(rx_calibration_level[k])) break;
        c->by_feature[k][i]++;
        c->by_factor[k][first_factor + j]++;
      }
    }
}

/* Variance of a sum of n counts around their mean. */
static double variance_of_sum(const int64_t *count, size_t n, double mean) {
  double sum = 0;

  for (size_t i = 0; i < n; i++) sum += ((double)count[i] - mean) * ((double)count[i] - mean);
  return n > 1 ? sum * (double)n / (double)(n - 1) : 0;
}

/* Two-way clustered: by features, plus by factors, less as if all were independent. */
static void conclude(const counts *c, rx_calibration *out) {
  out->n = c->n;
  for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) {
    double n = (double)c->n, sum = 0;
    for (size_t i = 0; i < c->n_features; i++) sum += (double)c->by_feature[k][i];
    out->share[k] = sum / n;
    double independent = sum * (1 - sum / n);
    double clustered =
        variance_of_sum(c->by_feature[k], c->n_features, sum / (double)c->n_features) +
        variance_of_sum(c->by_factor[k], c->n_factors, sum / (double)c->n_factors) - independent;
    out->error[k] = sqrt(fmax(clustered, independent)) / n;
  }
}

static void fill_factors(size_t n_patients, size_t first, size_t n, int seed, double *value) {
  for (size_t j = 0; j < n; j++) {
    rx_random random = rx_random_at((uint64_t)seed, FACTORS, (uint32_t)(first + j), 0);
    for (size_t i = 0; i < n_patients; i++) value[i * n + j] = rx_random_normal(&random);
  }
}

/* Sums what the ranks counted. */
static void share_counts(MPI_Comm comm, counts *c) {
  MPI_Allreduce(MPI_IN_PLACE, &c->n, 1, MPI_INT64_T, MPI_SUM, comm);
  for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) {
    MPI_Allreduce(MPI_IN_PLACE, c->by_feature[k], (int)c->n_features, MPI_INT64_T, MPI_SUM, comm);
    MPI_Allreduce(MPI_IN_PLACE, c->by_factor[k], (int)c->n_factors, MPI_INT64_T, MPI_SUM, comm);
  }
}

/* Fits this rank's factors, AT_ONCE and every n_ranks-th time. Local. */
static rx_status count_fits(MPI_Comm comm, rx_block *block, size_t n_patients, int seed,
                            rx_cells *cells, double *value, counts *c) {
  int rank, n_ranks;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  const size_t step = AT_ONCE * (size_t)n_ranks;
  for (size_t first = AT_ONCE * (size_t)rank; first < c->n_factors; first += step) {
    size_t count = c->n_factors - first < AT_ONCE ? c->n_factors - first : AT_ONCE;
    fill_factors(n_patients, first, count, seed, value);
    RX_TRY(rx_block_fit(block, value, count, cells));
    count_cells(cells, first, c);
  }
  return RX_OK;
}

rx_status rx_calibration_count(MPI_Comm comm, const rx_roster *roster,
                               const rx_fit_options *options, const rx_measures *measures,
                               size_t n_factors, int seed, rx_calibration *out) {
  const size_t n = roster->n_patients, n_features = measures->n_features;
  rx_roster own = *roster;
  rx_block *block = NULL;
  rx_cells *cells = NULL;
  double *value = NULL;
  counts c = {0};
  rx_status status;

  own.measures = (rx_measures *)measures;
  status = RX_NEW(&own.measure, "calibration", n);
  for (size_t i = 0; i < n && !status; i++) own.measure[i] = i;
  if (!status) status = rx_block_create(&own, options, 0, n_features, &block);
  if (!status) status = rx_cells_create(n_features, AT_ONCE, &cells);
  if (!status) status = RX_NEW(&value, "calibration", n * AT_ONCE);
  if (!status) status = make_counts(n_features, n_factors, &c);
  if (!status) status = count_fits(comm, block, n, seed, cells, value, &c);
  if (!(status = RX_AGREE(comm, status))) {
    share_counts(comm, &c);
    conclude(&c, out);
  }
  free_counts(&c);
  free(value);
  rx_cells_destroy(&cells);
  rx_block_destroy(&block);
  free(own.measure);
  return status;
}

/* Means of n_i slices, and all that is within patients put into the first one: a fit needs no more.
 */
static void fill_features(const rx_roster *roster, double icc, int seed, rx_measures *m) {
  double n_rows = 0;

  for (size_t i = 0; i < m->n_patients; i++) n_rows += roster->rows[i];
  for (size_t f = 0; f < m->n_features; f++) {
    rx_random random = rx_random_at((uint64_t)seed, FEATURES, (uint32_t)f, 0);
    for (size_t i = 0; i < m->n_patients; i++)
      m->mean[i * m->n_features + f] =
          sqrt(icc + (1 - icc) / roster->rows[i]) * rx_random_normal(&random);
    double df = n_rows - (double)m->n_patients;
    m->within[f] = df > 0 ? (1 - icc) * rx_calibration_chi_square(&random, df) : 0;
  }
}

rx_status rx_calibration_run(MPI_Comm comm, const rx_roster *roster, const rx_fit_options *options,
                             double icc, size_t n_features, size_t n_factors, int seed,
                             rx_calibration *out) {
  rx_measures m = {
      .n_patients = roster->n_patients, .n_features = n_features, .rows = roster->rows};
  rx_status status = RX_NEW(&m.origin, "calibration", n_features);

  if (!status) status = RX_NEW(&m.mean, "calibration", m.n_patients * n_features);
  if (!status) status = RX_NEW(&m.within, "calibration", m.n_patients * n_features);
  if (!(status = RX_AGREE(comm, status))) {
    fill_features(roster, icc, seed, &m);
    status = rx_calibration_count(comm, roster, options, &m, n_factors, seed, out);
  }
  free(m.within);
  free(m.mean);
  free(m.origin);
  return status;
}
