/* Lasso paths of rows that are split over ranks, against coordinate descent of the same rows held
 * whole, against the conditions that define them, and against themselves on one rank. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mpi_cmocka.h"
#include "prediction/solver.h"
#include "radmix/isa.h"
#include "radmix/random.h"

enum { PATIENTS = 24, FOLDS = 3 };

/* The same rows, whole and split, and problems: all patients, then folds on its lambdas. */
typedef struct {
  size_t n_rows, n_features;
  rx_family family;
  rx_feature_set whole, split;
  rx_lasso_options options;
  double y[PATIENTS];
  unsigned char role[1 + FOLDS][PATIENTS];
  rx_problem problems[1 + FOLDS];
  rx_solution solutions[1 + FOLDS];
  double *scores; /* [FOLDS][n_lambdas][PATIENTS] */
} trial;

/* What can be odd about a matrix. */
enum { PLAIN, CONSTANT, ONE_CLASS, MISSING, SEPARABLE, NO_WEIGHT, N_KINDS };

static void fill_row(const trial *t, int kind, size_t row, float *x) {
  rx_random random = rx_random_at(7, RX_RANDOM_SIMULATION, (uint32_t)row, 3);
  int patient = t->whole.patient[row];

  for (size_t j = 0; j < t->n_features; j++) {
    double shared = patient * ((double)(j % 7) - 3) / PATIENTS;
    x[j] = kind == CONSTANT ? 3 : (float)(shared + rx_random_normal(&random));
    if (kind != CONSTANT && j % 5 == 4 && x[j] < 0) x[j] = 0;
  }
  if (kind == CONSTANT || t->n_features < 9) return;
  x[3] = 4;
  x[5] = x[4];
  x[6] = row == 7 ? 1 : 0;
  x[7] = 1000 + 0.25F * (float)(row % 8);
  if (kind == SEPARABLE) x[8] = t->y[patient] > 0.5 ? 1 + x[8] * x[8] : -1 - x[8] * x[8];
  if (kind == MISSING && row == t->n_rows - 1) x[2] = NAN;
}

static void fill_sets(MPI_Comm comm, int kind, trial *t) {
  size_t n = t->n_rows, p = t->n_features;
  int rank, n_ranks;
  rx_feature_set *w = &t->whole, *s = &t->split;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  *w = (rx_feature_set){.n_rows = n, .n_features = p, .is_whole = true, .n_local = n};
  w->patient = calloc(n, sizeof *w->patient);
  w->weight = calloc(n, sizeof *w->weight);
  w->is_used = calloc(p, sizeof *w->is_used);
  w->x = calloc(n * p, sizeof *w->x);
  for (size_t r = 0; r < n; r++) w->patient[r] = (int)(r * PATIENTS / n);
  for (size_t r = 0; r < n; r++) w->weight[r] = kind == NO_WEIGHT ? 0 : 1 + (double)(r % 3);
  *s = *w;
  s->is_whole = false;
  s->is_used = calloc(p, sizeof *s->is_used);
  rx_solver_share(n, rank, n_ranks, &s->first, &s->n_local);
  s->z = calloc(s->n_local * p + 1, sizeof *s->z);
  float *x = calloc(p, sizeof *x);
  for (size_t r = 0; r < n; r++) {
    fill_row(t, kind, r, x);
    for (size_t j = 0; j < p; j++) w->x[r * p + j] = isnan(x[j]) ? 0 : (double)x[j];
    if (kind == MISSING) w->x[r * p + 2] = 0;
    if (r >= s->first && r < s->first + s->n_local)
      memcpy(s->z + (r - s->first) * p, x, p * sizeof *x);
  }
  free(x);
}

static trial *make_trial(MPI_Comm comm, int kind, size_t n_rows, size_t n_features,
                         rx_family family) {
  trial *t = calloc(1, sizeof *t);
  rx_random random = rx_random_at(7, RX_RANDOM_SIMULATION, 1, 2);

  t->n_rows = n_rows;
  t->n_features = n_features;
  t->family = family;
  t->options = rx_lasso_defaults(family);
  t->options.n_lambdas = 12;
  t->options.lambda_ratio = 0.05;
  t->options.isa = rx_isa_of_machine();
  for (int i = 0; i < PATIENTS; i++) {
    double y = (double)i / PATIENTS - 0.5 + 0.4 * rx_random_normal(&random);
    t->y[i] = family == RX_GAUSSIAN ? y : kind == ONE_CLASS ? 1 : y > 0;
  }
  t->y[2] = NAN;
  for (int k = 0; k <= FOLDS; k++)
    for (int i = 0; i < PATIENTS; i++)
      t->role[k][i] = k && i % FOLDS == k - 1 ? RX_UNIT_HELD : RX_UNIT_TRAINS;
  fill_sets(comm, kind, t);
  return t;
}

static rx_status solve(MPI_Comm comm, trial *t, const rx_feature_set *set) {
  size_t stride = (size_t)t->options.n_lambdas * PATIENTS;

  t->problems[0] = (rx_problem){.y = t->y, .role = t->role[0]};
  rx_status status = rx_solver_run(comm, set, PATIENTS, &t->options, 1, t->problems, t->solutions);
  if (status) return status;
  t->scores = calloc(FOLDS * stride, sizeof *t->scores);
  for (int k = 0; k < FOLDS; k++)
    t->problems[1 + k] = (rx_problem){.y = t->y,
                                      .role = t->role[1 + k],
                                      .grid = t->solutions[0].path,
                                      .scores = t->scores + (size_t)k * stride,
                                      .wants_row_auc = true};
  status =
      rx_solver_run(comm, set, PATIENTS, &t->options, FOLDS, t->problems + 1, t->solutions + 1);
  MPI_Allreduce(MPI_IN_PLACE, t->scores, (int)(FOLDS * stride), MPI_DOUBLE, MPI_SUM, comm);
  return status;
}

static void destroy_trial(trial **t) {
  rx_feature_set *w = &(*t)->whole, *s = &(*t)->split;

  rx_solver_clear(1 + FOLDS, (*t)->solutions);
  free(w->patient);
  free(w->weight);
  free(w->is_used);
  free(w->x);
  free(s->is_used);
  free(s->z);
  free(s->mean);
  free(s->scale);
  free((*t)->scores);
  free(*t);
  *t = NULL;
}

/* The conditions worked out in double from coefficients and rows as they are; relative to
 * lambda_max. */
static double kkt_of(const trial *t, const rx_problem *problem, const rx_lasso *path, int step) {
  size_t n = t->n_rows, p = t->n_features;
  double *v = calloc(2 * n, sizeof *v), *e = v + n, total = 0, mean = 0, square = 0, worst = 0;

  for (size_t r = 0; r < n; r++)
    if (rx_solver_role(&t->whole, problem, r) == RX_UNIT_TRAINS) v[r] = t->whole.weight[r];
  for (size_t r = 0; r < n; r++) total += v[r];
  for (size_t r = 0; r < n; r++) v[r] /= total;
  for (size_t r = 0; r < n; r++) mean += v[r] > 0 ? v[r] * t->y[t->whole.patient[r]] : 0;
  for (size_t r = 0; r < n; r++)
    square += v[r] > 0 ? v[r] * pow(t->y[t->whole.patient[r]] - mean, 2) : 0;
  double y_scale = t->family == RX_GAUSSIAN ? sqrt(square) : 1;
  for (size_t r = 0; r < n; r++) {
    double eta;
    rx_lasso_predict(&eta, path, step, t->whole.x + r * p, 1, p);
    double mu = t->family == RX_BINOMIAL ? 1 / (1 + exp(-eta)) : eta;
    e[r] = v[r] > 0 ? v[r] * (t->y[t->whole.patient[r]] - mu) / y_scale : 0;
  }
  double lambda = path->lambda[step] / y_scale, alpha = t->options.alpha;
  for (size_t j = 0; j < p; j++) {
    double m = 0, s = 0, g = 0, b = 0;
    for (size_t r = 0; r < n; r++) m += v[r] * t->whole.x[r * p + j];
    for (size_t r = 0; r < n; r++) s += v[r] * pow(t->whole.x[r * p + j] - m, 2);
    if (s < 1e-15) continue;
    s = t->options.is_standardising ? sqrt(s) : 1;
    for (size_t r = 0; r < n; r++) g += e[r] * (t->whole.x[r * p + j] - m) / s;
    for (size_t k = path->first[step]; k < path->first[step + 1]; k++)
      if (path->feature[k] == (int)j) b = path->value[k] * s / y_scale;
    worst = fmax(worst, b != 0 ? fabs(g - copysign(lambda * alpha, b) - lambda * (1 - alpha) * b)
                               : fabs(g) - lambda * alpha);
  }
  free(v);
  return worst / (path->lambda_max / y_scale);
}

static double relative(double a, double b) {
  if (isnan(a) && isnan(b)) return 0;
  return fabs(a - b) / fmax(1, fabs(b));
}

/* The largest difference of losses, scores and deviances of two runs. */
static double compare(const trial *a, const trial *b) {
  double worst = 0;

  for (int k = 0; k <= FOLDS; k++) {
    const rx_solution *x = &a->solutions[k], *y = &b->solutions[k];
    if (x->path->n_lambdas != y->path->n_lambdas) return INFINITY;
    for (int l = 0; l < x->path->n_lambdas; l++) {
      worst = fmax(worst, relative(x->path->lambda[l] / y->path->lambda[l], 1));
      worst = fmax(worst, relative(x->path->deviance_ratio[l], y->path->deviance_ratio[l]));
      worst = fmax(worst, relative(x->path->intercept[l], y->path->intercept[l]));
      worst = fmax(worst, relative(x->loss[l], y->loss[l]));
    }
    for (size_t i = 0; k && i < (size_t)x->path->n_lambdas * PATIENTS; i++)
      worst = fmax(worst, relative(a->problems[k].scores[i], b->problems[k].scores[i]));
  }
  return worst;
}

static const struct {
  rx_family family;
  double alpha;
  bool is_standardising;
  size_t n_rows, n_features;
} cases[] = {{RX_BINOMIAL, 1, true, 1600, 60},
             {RX_BINOMIAL, 0.5, false, 900, 40},
             {RX_GAUSSIAN, 1, true, 900, 40},
             {RX_BINOMIAL, 1, true, 520, 600}};

static void split_rows_give_what_whole_rows_give(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    trial *t[2];
    for (int s = 0; s < 2; s++) {
      t[s] =
          make_trial(MPI_COMM_WORLD, PLAIN, cases[c].n_rows, cases[c].n_features, cases[c].family);
      t[s]->options.alpha = cases[c].alpha;
      t[s]->options.is_standardising = cases[c].is_standardising;
      if (s) assert_all(rx_solver_standardise(MPI_COMM_WORLD, &t[s]->split) == RX_OK);
      assert_all(solve(MPI_COMM_WORLD, t[s], s ? &t[s]->split : &t[s]->whole) == RX_OK);
    }
    for (int k = 0; k <= FOLDS; k++) {
      const rx_lasso *path = t[1]->solutions[k].path;
      assert_all(path->is_converged);
      for (int l = 3; l < path->n_lambdas; l += 4)
        assert_all(kkt_of(t[1], &t[1]->problems[k], path, l) < 1.5e-6);
    }
    /* Both within 1e-6 lambda_max of the minimum, with a smallest curvature of a few hundredths. */
    assert_all(compare(t[0], t[1]) < 2e-4);
    destroy_trial(&t[0]);
    destroy_trial(&t[1]);
  }
}

static bool has_same_bits(const rx_lasso *a, const rx_lasso *b) {
  size_t n = a->first[a->n_lambdas];

  return n == b->first[b->n_lambdas] && !memcmp(a->value, b->value, n * sizeof *a->value);
}

static void ranks_do_not_change_the_result(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    trial *t[2];
    for (int s = 0; s < 2; s++) {
      MPI_Comm comm = s ? MPI_COMM_WORLD : MPI_COMM_SELF;
      t[s] = make_trial(comm, PLAIN, cases[c].n_rows, cases[c].n_features, cases[c].family);
      assert_all(rx_solver_standardise(comm, &t[s]->split) == RX_OK);
      assert_all(solve(comm, t[s], &t[s]->split) == RX_OK);
    }
    assert_all(compare(t[0], t[1]) < 1e-12);
    assert_all(has_same_bits(t[0]->solutions[2].path, t[1]->solutions[2].path));
    for (int k = 1; k <= FOLDS; k++)
      for (int l = 0; l < t[0]->solutions[k].path->n_lambdas; l++)
        assert_all(relative(t[0]->solutions[k].row_auc[l], t[1]->solutions[k].row_auc[l]) == 0);
    destroy_trial(&t[0]);
    destroy_trial(&t[1]);
  }
}

static void odd_rows_give_finite_paths(void **state) {
  static const size_t rows[] = {2, 300};
  (void)state;

  for (int kind = 0; kind < N_KINDS; kind++)
    for (size_t s = 0; s < sizeof rows / sizeof *rows; s++) {
      trial *t = make_trial(MPI_COMM_WORLD, kind, rows[s], 12, RX_BINOMIAL);
      assert_all(rx_solver_standardise(MPI_COMM_WORLD, &t->split) == RX_OK);
      assert_all((t->split.n_unused == 1) == (kind == MISSING));
      assert_all(solve(MPI_COMM_WORLD, t, &t->split) == RX_OK);
      for (int k = 0; k <= FOLDS; k++) {
        const rx_lasso *path = t->solutions[k].path;
        bool is_finite = isfinite(path->lambda_max);
        assert_all(path->n_lambdas >= 1);
        for (int l = 0; l < path->n_lambdas; l++)
          is_finite = is_finite && isfinite(path->intercept[l]) &&
                      isfinite(path->deviance_ratio[l]) && path->kkt[l] <= 1e-6;
        for (size_t i = 0; i < path->first[path->n_lambdas]; i++)
          is_finite = is_finite && isfinite(path->value[i]);
        assert_all(is_finite);
        if (kind == CONSTANT || kind == ONE_CLASS || kind == NO_WEIGHT)
          assert_all(path->first[path->n_lambdas] == 0);
      }
      destroy_trial(&t);
    }
}

static void one_lambda_is_scored_as_along_the_path(void **state) {
  trial *t = make_trial(MPI_COMM_WORLD, PLAIN, 900, 70, RX_BINOMIAL);
  double scores[PATIENTS] = {0}, auc, *eta;
  (void)state;

  assert_all(rx_solver_standardise(MPI_COMM_WORLD, &t->split) == RX_OK);
  assert_all(solve(MPI_COMM_WORLD, t, &t->split) == RX_OK);
  const rx_solution *s = &t->solutions[1];
  int l = s->path->n_lambdas / 2;
  eta = calloc(t->split.n_local + 1, sizeof *eta);
  for (size_t r = 0; r < t->split.n_local; r++) eta[r] = NAN;
  assert_all(rx_solver_score(MPI_COMM_WORLD, &t->split, PATIENTS, &t->problems[1], s->path, l, eta,
                             scores) == RX_OK);
  for (int i = 0; i < PATIENTS; i++) {
    double expected = t->problems[1].scores[(size_t)l * PATIENTS + (size_t)i];
    assert_all(fabs(scores[i] - expected) <= 1e-5 * fmax(1, fabs(expected)));
  }
  assert_all(rx_solver_row_auc(MPI_COMM_WORLD, &t->split, t->y, eta, &auc) == RX_OK);
  assert_all(fabs(auc - s->row_auc[l]) < 1e-4);
  free(eta);
  destroy_trial(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(split_rows_give_what_whole_rows_give),
    cmocka_unit_test(ranks_do_not_change_the_result),
    cmocka_unit_test(odd_rows_give_finite_paths),
    cmocka_unit_test(one_lambda_is_scored_as_along_the_path),
};
MPI_TEST_MAIN(tests)
