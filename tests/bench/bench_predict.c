/* What lasso paths of many rows cost: bench_predict ROWS LAMBDAS RATIO OUTCOMES FOLDS [FOLDER],
 * under mpirun.
 *
 * ROWS slices of 110 patients with 4,096 features as an encoder makes them: 16 maps of 16 x 16,
 * smooth, cut off at 0 (a third of the values), half of the variance between patients. For each
 * outcome one path of all patients, and one for each of FOLDS folds on the same lambdas. With
 * FOLDER, the rows are written there for R, and nothing is fitted when OUTCOMES is 0; when R's
 * result is there (glmnet.tsv: lambda, deviance ratio) the deviances of the first path are
 * compared. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prediction/newton.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/log.h"
#include "radmix/memory.h"
#include "radmix/random.h"

extern void openblas_set_num_threads(int n);

enum { PATIENTS = 110, FEATURES = 4096, FACTORS = 24, OUTCOMES = 5, EDGE = 16, MOST_FOLDS = 20 };

static int rank, n_ranks;

static void check(rx_status status) {
  if (!status) return;
  fprintf(stderr, "bench_predict: %s\n", rx_error_message());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static double processor(void) {
  struct timespec t;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the data ---- */

typedef struct {
  float *loading; /* [FACTORS][FEATURES], variance 1 */
  float offset[FEATURES];
  double factor[PATIENTS][FACTORS];
  double y[OUTCOMES][PATIENTS];
} cohort;

/* A smooth map: each place the mean of itself and its four neighbours, three times. */
static void smooth(float *map) {
  float old[EDGE * EDGE];

  for (int turn = 0; turn < 3; turn++) {
    memcpy(old, map, sizeof old);
    for (int r = 0; r < EDGE; r++)
      for (int c = 0; c < EDGE; c++)
        map[r * EDGE + c] =
            (old[r * EDGE + c] + old[(r + 1) % EDGE * EDGE + c] +
             old[(r + EDGE - 1) % EDGE * EDGE + c] + old[r * EDGE + (c + 1) % EDGE] +
             old[r * EDGE + (c + EDGE - 1) % EDGE]) /
            5;
  }
}

static cohort *make_cohort(void) {
  cohort *c = calloc(1, sizeof *c);
  rx_random random = rx_random_at(1, RX_RANDOM_SIMULATION, 0, 0);

  c->loading = calloc((size_t)FACTORS * FEATURES, sizeof *c->loading);
  for (int k = 0; k < FACTORS; k++) {
    float *l = c->loading + (size_t)k * FEATURES;
    double square = 0;
    for (int j = 0; j < FEATURES; j++) l[j] = (float)rx_random_normal(&random);
    for (int m = 0; m < FEATURES; m += EDGE * EDGE) smooth(l + m);
    for (int j = 0; j < FEATURES; j++) square += (double)l[j] * (double)l[j];
    for (int j = 0; j < FEATURES; j++) l[j] *= (float)(1 / sqrt(square / FEATURES * FACTORS));
  }
  for (int j = 0; j < FEATURES; j++) c->offset[j] = (float)(1.8 * rx_random_uniform(&random) - 1.2);
  for (int i = 0; i < PATIENTS; i++)
    for (int k = 0; k < FACTORS; k++) c->factor[i][k] = rx_random_normal(&random);
  for (int o = 0; o < OUTCOMES; o++)
    for (int i = 0; i < PATIENTS; i++)
      c->y[o][i] = 1.2 * c->factor[i][o] + 0.5 * c->factor[i][o + OUTCOMES] +
                       1.2 * rx_random_normal(&random) >
                   0;
  return c;
}

static void make_row(const cohort *c, size_t row, int patient, float *x) {
  rx_random random = rx_random_at(2, RX_RANDOM_SIMULATION, (uint32_t)row, 1);

  for (int j = 0; j < FEATURES; j++) x[j] = (float)(0.7 * rx_random_normal(&random)) - c->offset[j];
  for (int k = 0; k < FACTORS; k++) {
    float s = (float)(1.2 * sqrt(0.5) * (c->factor[patient][k] + rx_random_normal(&random)));
    const float *l = c->loading + (size_t)k * FEATURES;
    for (int j = 0; j < FEATURES; j++) x[j] += s * l[j];
  }
  for (int j = 0; j < FEATURES; j++) x[j] = x[j] > 0 ? x[j] : 0;
}

static int patient_of(size_t row, size_t n_rows) {
  return (int)(row * PATIENTS / n_rows);
}

/* Rows of this rank, made or read from the folder. */
static rx_feature_set make_set(const cohort *c, size_t n_rows, const char *folder) {
  rx_feature_set set = {.n_rows = n_rows, .n_features = FEATURES, .n_patients = PATIENTS};
  char path[4096];

  rx_solver_share(n_rows, rank, n_ranks, &set.first, &set.n_local);
  check(RX_NEW(&set.patient, "rows", n_rows));
  check(RX_NEW(&set.weight, "rows", n_rows));
  check(RX_NEW(&set.is_used, "features", FEATURES));
  check(RX_NEW(&set.z, "features", set.n_local * FEATURES));
  for (size_t r = 0; r < n_rows; r++) set.patient[r] = patient_of(r, n_rows);
  for (size_t r = 0; r < n_rows; r++) set.weight[r] = 1;
  snprintf(path, sizeof path, "%s/x.bin", folder);
  FILE *file = *folder ? fopen(path, "rb") : NULL;
  size_t got = 0;
  if (file && !fseek(file, (long)(set.first * FEATURES * sizeof *set.z), SEEK_SET))
    got = fread(set.z, sizeof *set.z * FEATURES, set.n_local, file);
  if (file) fclose(file);
  for (size_t r = got; r < set.n_local; r++)
    make_row(c, set.first + r, set.patient[set.first + r], set.z + r * FEATURES);
  return set;
}

static void write_rows(const cohort *c, const rx_feature_set *set, const char *folder) {
  char path[4096];

  snprintf(path, sizeof path, "%s/x.bin", folder);
  FILE *x = fopen(path, "wb");
  snprintf(path, sizeof path, "%s/y.tsv", folder);
  FILE *y = fopen(path, "w");
  if (!x || !y || fwrite(set->z, sizeof *set->z * FEATURES, set->n_rows, x) != set->n_rows)
    check(RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written", path));
  for (size_t r = 0; r < set->n_rows; r++)
    fprintf(y, "%d\t%g\n", set->patient[r], c->y[0][set->patient[r]]);
  if (fclose(x) || fclose(y)) check(RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written", path));
}

/* ---- the work ---- */

typedef struct {
  int n_outcomes, n_folds;
  rx_problem problems[OUTCOMES * (1 + MOST_FOLDS)];
  rx_solution solutions[OUTCOMES * (1 + MOST_FOLDS)];
  unsigned char role[1 + MOST_FOLDS][PATIENTS];
} work;

/* The full paths first: the folds follow their lambdas. */
static void fit(const rx_feature_set *set, const cohort *c, const rx_lasso_options *options,
                work *w) {
  size_t full = (size_t)w->n_outcomes, n_folds = (size_t)w->n_folds;

  for (size_t k = 0; k <= n_folds; k++)
    for (size_t i = 0; i < PATIENTS; i++)
      w->role[k][i] = k && i % n_folds == k - 1 ? RX_UNIT_HELD : RX_UNIT_TRAINS;
  for (size_t o = 0; o < full; o++) w->problems[o] = (rx_problem){.y = c->y[o], .role = w->role[0]};
  check(rx_newton_run(MPI_COMM_WORLD, set, PATIENTS, options, full, w->problems, w->solutions));
  for (size_t o = 0; o < full; o++)
    for (size_t k = 0; k < n_folds; k++)
      w->problems[full + o * n_folds + k] = (rx_problem){.y = c->y[o],
                                                         .role = w->role[1 + k],
                                                         .grid = w->solutions[o].path,
                                                         .wants_row_auc = true,
                                                         .wants_no_path = true};
  if (n_folds)
    check(rx_newton_run(MPI_COMM_WORLD, set, PATIENTS, options, full * n_folds, w->problems + full,
                        w->solutions + full));
}

static void say(const work *w, size_t n_rows, double wall, double cpu) {
  double mine[2] = {(double)rx_memory_peak(), cpu}, all, busiest, worst = 0, most = 0;
  int n = w->n_outcomes * (1 + w->n_folds), is_converged = 1, n_lambdas = 0;

  MPI_Reduce(&mine[0], &all, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  MPI_Reduce(&mine[1], &busiest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  for (int i = 0; i < n; i++) {
    const rx_lasso *path = w->solutions[i].path;
    is_converged = is_converged && path->is_converged;
    n_lambdas += path->n_lambdas;
    for (int l = 0; l < path->n_lambdas; l++) {
      worst = fmax(worst, path->kkt[l]);
      most = fmax(most, (double)rx_lasso_nonzeros(path, l));
    }
  }
  if (rank) return;
  printf(
      "radmix: %d ranks: %.2f s, processor %.2f s: %zu rows, %d paths, %d lambdas, up to %.0f "
      "features, KKT %.1e%s, memory %.2f of the matrix\n",
      n_ranks, wall, busiest, n_rows, n, n_lambdas, most, worst,
      is_converged ? "" : " NOT CONVERGED", all / (4.0 * FEATURES * (double)n_rows));
}

/* Compares with R: a line for each lambda. */
static void compare(const rx_lasso *path, const char *folder) {
  char name[4096];
  double lambda, ratio, worst = 0, lambdas = 0;
  int l = 0;

  snprintf(name, sizeof name, "%s/glmnet.tsv", folder);
  FILE *file = fopen(name, "r");
  if (!file) return;
  for (; fscanf(file, "%lf %lf", &lambda, &ratio) == 2 && l < path->n_lambdas; l++) {
    worst = fmax(worst, fabs(ratio - path->deviance_ratio[l]));
    lambdas = fmax(lambdas, fabs(lambda / path->lambda[l] - 1));
  }
  fclose(file);
  printf("  against glmnet: %d lambdas alike to %.1e, deviance ratio to %.1e\n", l, lambdas, worst);
}

int main(int argc, char **argv) {
  work *w = calloc(1, sizeof *w);

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
  openblas_set_num_threads(1);
  rx_memory_give_back();
  if (argc < 6) check(RX_FAIL(RX_ERR_USAGE, "ROWS LAMBDAS RATIO OUTCOMES FOLDS [FOLDER]"));
  size_t n_rows = strtoul(argv[1], NULL, 10);
  const char *folder = argc > 6 ? argv[6] : "";
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  options.n_lambdas = (int)strtol(argv[2], NULL, 10);
  options.lambda_ratio = strtod(argv[3], NULL);
  check(rx_isa_choose(MPI_COMM_WORLD, &options.isa));
  w->n_outcomes = (int)strtol(argv[4], NULL, 10);
  w->n_folds = (int)strtol(argv[5], NULL, 10);
  if (w->n_outcomes > OUTCOMES || w->n_folds > MOST_FOLDS)
    check(RX_FAIL(RX_ERR_USAGE, "at most 5 outcomes and 20 folds"));
  cohort *c = make_cohort();
  rx_feature_set set = make_set(c, n_rows, folder);
  if (!w->n_outcomes && *folder) write_rows(c, &set, folder);
  if (w->n_outcomes) {
    MPI_Barrier(MPI_COMM_WORLD);
    double wall = rx_seconds(), cpu = processor();
    check(rx_solver_standardise(MPI_COMM_WORLD, &set));
    fit(&set, c, &options, w);
    say(w, n_rows, rx_seconds() - wall, processor() - cpu);
    if (!rank && *folder) compare(w->solutions[0].path, folder);
  }
  MPI_Finalize();
  return 0;
}
