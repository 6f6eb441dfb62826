/* How often p finds what is not there: a million null fits a cell (make bench-calibration).
 *
 *   bench_calibration [THOUSANDS_OF_FITS [FIRST_CELL [CELLS [permutations alone]]]]
 *
 * A cell is a number of patients (30, 110), an intraclass correlation (0, 0.01, 0.2, 0.8) and a
 * kind of feature: independent normal slices; slices in volumes of 50 whose neighbours correlate by
 * 0.9; and independent ones of which six tenths are 0. Each of ten rounds draws 1 to 1,000 slices a
 * patient, evenly on the logarithm. Standard errors are clustered by feature and factor. Cells of
 * as many patients share their draws: what one has by chance the others have too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "association/block.h"
#include "association/calibration.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { ROUNDS = 10, VOLUME = 50, PERMUTED = 999, MOST_PATIENTS = 110, SIMULATED = 330 };
enum { INDEPENDENT, WITHIN_VOLUMES, WITH_ZEROS, N_KINDS };

static const char *const kinds[N_KINDS] = {"independent", "volumes", "zeros"};
static const double iccs[] = {0, 0.01, 0.2, 0.8};
static const int patients[] = {30, 110};

/* The patients of a round, and their features. */
typedef struct {
  double rows[MOST_PATIENTS], number[1];
  size_t place[MOST_PATIENTS];
  rx_measures measures;
  rx_roster roster;
} cohort;

static rx_status make_cohort(size_t n, size_t n_features, int round, cohort *c) {
  memset(c, 0, sizeof *c);
  for (size_t i = 0; i < n; i++) {
    rx_random random = rx_random_at((uint64_t)round, SIMULATED, (uint32_t)i, 1);
    c->rows[i] = floor(pow(1000, rx_random_uniform(&random)) + 0.5);
    c->place[i] = i;
  }
  c->measures = (rx_measures){.n_patients = n, .n_features = n_features, .rows = c->rows};
  c->roster =
      (rx_roster){.measures = &c->measures, .n_patients = n, .measure = c->place, .rows = c->rows};
  RX_TRY(RX_NEW(&c->measures.origin, "bench", n_features));
  RX_TRY(RX_NEW(&c->measures.mean, "bench", n * n_features));
  return RX_NEW(&c->measures.within, "bench", n * n_features);
}

static void free_cohort(cohort *c) {
  free(c->measures.origin);
  free(c->measures.mean);
  free(c->measures.within);
}

/* Draws the slices of one patient and feature, and sums them up. */
static void draw_slices(int kind, double icc, rx_random *random, double n_rows, double *mean,
                        double *within) {
  const double between = sqrt(icc) * rx_random_normal(random), inside = sqrt(1 - icc);
  const double zeros = 0.25334710313579972; /* normal quantile of 0.6 */
  double noise = 0, m = 0, s = 0;

  for (int row = 0; row < (int)n_rows; row++) {
    double fresh = rx_random_normal(random);
    bool is_next = kind == WITHIN_VOLUMES && row % VOLUME;
    noise = is_next ? 0.9 * noise + sqrt(1 - 0.81) * fresh : fresh;
    double value = between + inside * noise;
    if (kind == WITH_ZEROS) value = fmax(0, value - zeros);
    double before = value - m;
    m += before / (row + 1);
    s += before * (value - m);
  }
  *mean = m;
  *within = s;
}

static void draw_features(int kind, double icc, int round, cohort *c) {
  rx_measures *m = &c->measures;

  for (size_t f = 0; f < m->n_features; f++) {
    double n_rows = 0, unused;
    for (size_t i = 0; i < m->n_patients; i++) {
      size_t at = i * m->n_features + f;
      rx_random random = rx_random_at((uint64_t)round * N_KINDS + (uint64_t)kind, SIMULATED + 1,
                                      (uint32_t)f, (uint32_t)i);
      n_rows += c->rows[i];
      m->within[at] = 0;
      if (kind == INDEPENDENT)
        m->mean[at] = sqrt(icc + (1 - icc) / c->rows[i]) * rx_random_normal(&random);
      else
        draw_slices(kind, icc, &random, c->rows[i], &m->mean[at], &m->within[at]);
    }
    rx_random random = rx_random_at((uint64_t)round, SIMULATED + 2, (uint32_t)f, 0);
    double df = n_rows - (double)m->n_patients;
    unused = rx_calibration_chi_square(&random, df);
    if (kind == INDEPENDENT) m->within[f] = (1 - icc) * unused;
  }
}

static void print_row(const char *method, int n, double icc, int kind, const rx_calibration *c) {
  printf("%d\t%g\t%s\t%s\t%lld", n, icc, kinds[kind], method, (long long)c->n);
  for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) printf("\t%.3g\t%.2g", c->share[k], c->error[k]);
  putchar('\n');
  fflush(stdout);
}

/* Rounds put together. */
static void add(const rx_calibration *one, rx_calibration *sum) {
  sum->n += one->n;
  for (int k = 0; k < RX_CALIBRATION_LEVELS; k++) {
    sum->share[k] += one->share[k] / ROUNDS;
    sum->error[k] = hypot(sum->error[k], one->error[k] / ROUNDS);
  }
}

static rx_status run_methods(int n, double icc, int kind, double fits) {
  static const char *const names[] = {"containment", "satterthwaite", "kenward-roger"};
  const size_t n_features = (size_t)sqrt(fits / ROUNDS), n_factors = n_features;
  rx_calibration sums[3] = {{0}}, one;
  cohort c;

  for (int round = 0; round < ROUNDS; round++) {
    RX_TRY(make_cohort((size_t)n, n_features, round, &c));
    draw_features(kind, icc, round, &c);
    for (int method = 0; method < 3; method++) {
      const rx_fit_options options = {rx_isa_of_machine(), (rx_df)method, false, 10};
      RX_TRY(rx_calibration_count(MPI_COMM_SELF, &c.roster, &options, &c.measures, n_factors,
                                  1000 + round, &one));
      add(&one, &sums[method]);
    }
    free_cohort(&c);
  }
  for (int method = 0; method < 3; method++) print_row(names[method], n, icc, kind, &sums[method]);
  return RX_OK;
}

/* p by permutation of each of some features with one factor: 0.05 and 0.01 can be met exactly. */
static rx_status permute(int n, double icc, int kind, double fits) {
  enum { FEATURES = 25 };
  const rx_fit_options options = {rx_isa_of_machine(), RX_DF_CONTAINMENT, false, 10};
  const int rounds = (int)fmax(fits * 10 / FEATURES / (PERMUTED + 1), 1);
  double *value, n_tests = 0, below[2] = {0, 0}, squares[2] = {0, 0};
  rx_cells *cells;

  RX_TRY(RX_NEW(&value, "bench", (size_t)n * (PERMUTED + 1)));
  RX_TRY(rx_cells_create(FEATURES, PERMUTED + 1, &cells));
  for (int round = 0; round < rounds; round++) {
    rx_block *block;
    int64_t order[MOST_PATIENTS];
    double factor[MOST_PATIENTS];
    cohort c;
    RX_TRY(make_cohort((size_t)n, FEATURES, 100 + round, &c));
    draw_features(kind, icc, 100 + round, &c);
    rx_random random = rx_random_at((uint64_t)round, SIMULATED + 3, 0, 0);
    for (int i = 0; i < n; i++) order[i] = i, factor[i] = rx_random_normal(&random);
    for (int b = 0; b <= PERMUTED; b++) {
      for (int i = 0; i < n; i++) value[i * (PERMUTED + 1) + b] = factor[order[i]];
      rx_random_shuffle(&random, order, (size_t)n);
    }
    RX_TRY(rx_block_create(&c.roster, &options, 0, FEATURES, &block));
    RX_TRY(rx_block_fit(block, value, PERMUTED + 1, cells));
    double here[2] = {0, 0}, tested = 0;
    for (int f = 0; f < FEATURES; f++) {
      const double *t = cells->t + f * (PERMUTED + 1);
      int n_above = 0;
      if (isnan(t[0])) continue;
      for (int b = 1; b <= PERMUTED; b++) n_above += fabs(t[b]) >= fabs(t[0]) * (1 - 1e-9);
      tested++;
      here[0] += n_above + 1 <= (PERMUTED + 1) / 20;
      here[1] += n_above + 1 <= (PERMUTED + 1) / 100;
    }
    n_tests += tested;
    for (int k = 0; k < 2; k++) {
      below[k] += here[k];
      squares[k] += pow(here[k] - (k ? 0.01 : 0.05) * tested, 2);
    }
    rx_block_destroy(&block);
    free_cohort(&c);
  }
  printf("%d\t%g\t%s\tpermutation (.05, .01)\t%.0f", n, icc, kinds[kind], n_tests);
  for (int k = 0; k < 2; k++) {
    /* by rounds: the features of one share their factor */
    printf("\t%.3g\t%.2g", below[k] / n_tests, sqrt(squares[k]) / n_tests);
  }
  putchar('\n');
  fflush(stdout);
  rx_cells_destroy(&cells);
  free(value);
  return RX_OK;
}

int main(int argc, char **argv) {
  const double fits = 1000 * (argc > 1 ? strtod(argv[1], NULL) : 1000);
  const int n_iccs = sizeof iccs / sizeof *iccs;
  const int first = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
  const int count = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 2 * n_iccs * N_KINDS;
  rx_status status = RX_OK;

  if (first == 0)
    puts("patients\ticc\tfeatures\tmethod\tfits\tat .05\terror\tat .001\terror\tat 1e-5\terror");
  for (int cell = first; cell < first + count && cell < 2 * n_iccs * N_KINDS && !status; cell++) {
    int n = patients[cell / n_iccs % 2], kind = cell / n_iccs / 2;
    double icc = iccs[cell % n_iccs];
    if (argc <= 4) status = run_methods(n, icc, kind, fits);
    if (!status) status = permute(n, icc, kind, fits);
  }
  if (status) fprintf(stderr, "%s\n", rx_error_message());
  return (int)status;
}
