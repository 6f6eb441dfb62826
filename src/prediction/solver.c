#include "prediction/solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/descent.h"
#include "prediction/newton.h"
#include "prediction/roc.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

double rx_solver_loss(rx_family family, double y, double eta) {
  static const double least = 1e-5;

  if (family == RX_GAUSSIAN) return (y - eta) * (y - eta);
  double p = fmin(1 - least, fmax(least, 1 / (1 + exp(-eta))));
  return -2 * (y > 0.5 ? log(p) : log1p(-p));
}

int rx_solver_role(const rx_feature_set *set, const rx_problem *problem, size_t row) {
  size_t patient = (size_t)set->patient[row];

  if (isnan(problem->y[patient])) return RX_UNIT_OUT;
  return problem->role[problem->is_by_row ? row : patient];
}

void rx_solver_clear(size_t n, rx_solution *solutions) {
  for (size_t i = 0; solutions && i < n; i++) {
    rx_lasso_destroy(&solutions[i].path);
    free(solutions[i].loss);
    free(solutions[i].row_auc);
    solutions[i] = (rx_solution){NULL, NULL, NULL, 0};
  }
}

/* ---- sets whose rows are shared over ranks ---- */

bool rx_solver_wants_share(size_t n_rows, size_t n_features) {
  static const size_t least = (size_t)1 << 17; /* numbers; smaller sets are quick either way */

  return n_rows > 1024 && n_rows * n_features > least;
}

void rx_solver_share(size_t n_rows, int rank, int n_ranks, size_t *first, size_t *n_local) {
  enum { SHARE = RX_NEWTON_SHARE };
  size_t share, count;

  rx_partition((n_rows + SHARE - 1) / SHARE, rank, n_ranks, &share, &count);
  *first = share * SHARE < n_rows ? share * SHARE : n_rows;
  size_t end = (share + count) * SHARE;
  *n_local = (end < n_rows ? end : n_rows) - *first;
}

/* Sums of z, or of squares of what is left when the mean is off. sums [p], set. Collective. */
static void add_columns(MPI_Comm comm, const rx_feature_set *set, const double *mean,
                        double *sums) {
  size_t p = set->n_features;

  memset(sums, 0, p * sizeof *sums);
  for (size_t r = 0; r < set->n_local; r++)
    for (size_t j = 0; j < p; j++) {
      double x = (double)set->z[r * p + j], d = mean ? x - mean[j] : 0;
      sums[j] += mean ? d * d : x;
    }
  MPI_Allreduce(MPI_IN_PLACE, sums, (int)p, MPI_DOUBLE, MPI_SUM, comm);
}

/* Features that are not finite on some row of some rank become 0. Collective. */
static void exclude_nonfinite(MPI_Comm comm, rx_feature_set *set, int *is_bad) {
  size_t p = set->n_features;

  for (size_t r = 0; r < set->n_local; r++)
    for (size_t j = 0; j < p; j++) is_bad[j] |= !isfinite(set->z[r * p + j]);
  MPI_Allreduce(MPI_IN_PLACE, is_bad, (int)p, MPI_INT, MPI_LOR, comm);
  set->n_unused = 0;
  for (size_t j = 0; j < p; j++) {
    set->is_used[j] = !is_bad[j];
    set->n_unused += is_bad[j] != 0;
    for (size_t r = 0; r < set->n_local && is_bad[j]; r++) set->z[r * p + j] = 0;
  }
}

rx_status rx_solver_standardise(MPI_Comm comm, rx_feature_set *set) {
  size_t p = set->n_features;
  int *is_bad;
  rx_status status = RX_NEW(&is_bad, "features", p);

  if (!status) status = RX_NEW(&set->mean, "features", p);
  if (!status) status = RX_NEW(&set->scale, "features", p);
  if (!(status = RX_AGREE(comm, status))) {
    exclude_nonfinite(comm, set, is_bad);
    add_columns(comm, set, NULL, set->mean);
    /* As float: the last digits of a sum over ranks shall not reach the rows. */
    for (size_t j = 0; j < p; j++)
      set->mean[j] = (double)(float)(set->mean[j] / (double)set->n_rows);
    add_columns(comm, set, set->mean, set->scale);
    for (size_t j = 0; j < p; j++) {
      double scale = (double)(float)sqrt(set->scale[j] / (double)set->n_rows);
      set->scale[j] = scale > 0 && isfinite(scale) ? scale : 1;
    }
    for (size_t r = 0; r < set->n_local; r++)
      for (size_t j = 0; j < p; j++)
        set->z[r * p + j] = (float)(((double)set->z[r * p + j] - set->mean[j]) / set->scale[j]);
  }
  free(is_bad);
  return status;
}

/* The linear predictors of the held rows of this rank, and this rank's part of the scores. */
static void score_split(const rx_feature_set *set, const rx_problem *problem, const rx_lasso *path,
                        int step, const double *share, double *eta, double *scores) {
  for (size_t r = 0; r < set->n_local; r++) {
    size_t row = set->first + r, patient = (size_t)set->patient[row];
    if (rx_solver_role(set, problem, row) != RX_UNIT_HELD) continue;
    double sum = path->intercept[step];
    for (size_t k = path->first[step]; k < path->first[step + 1]; k++) {
      size_t j = (size_t)path->feature[k];
      double z = (double)set->z[r * set->n_features + j];
      sum += path->value[k] * (set->mean[j] + set->scale[j] * z);
    }
    eta[r] = sum;
    scores[patient] += sum * share[patient];
  }
}

/* The linear predictors of all rows on all ranks: NAN where a rank has none. Collective. */
static void gather_rows(MPI_Comm comm, const rx_feature_set *set, const double *eta, double *all) {
  for (size_t r = 0; r < set->n_local; r++)
    all[set->first + r] = isnan(eta[r]) ? -INFINITY : eta[r];
  MPI_Allreduce(MPI_IN_PLACE, all, (int)set->n_rows, MPI_DOUBLE, MPI_SUM, comm);
  for (size_t r = 0; r < set->n_rows; r++)
    if (!isfinite(all[r])) all[r] = NAN;
}

/* ---- few rows: a problem is solved by one rank ---- */

/* Room for one problem. */
typedef struct {
  double *y, *weight; /* [n_rows], of the training rows */
  size_t *held;       /* [n_held], rows */
  double *held_y, *eta;
  double *share; /* [n_patients], 1 / rows of the patient in the set */
  size_t n_held;
} workspace;

static void destroy_workspace(workspace *w) {
  free(w->y);
  free(w->weight);
  free(w->held);
  free(w->held_y);
  free(w->eta);
  free(w->share);
}

static rx_status create_workspace(const rx_feature_set *set, size_t n_patients, workspace *w) {
  *w = (workspace){NULL, NULL, NULL, NULL, NULL, NULL, 0};
  rx_status status = RX_NEW(&w->y, "rows", set->n_rows);
  if (!status) status = RX_NEW(&w->weight, "rows", set->n_rows);
  if (!status) status = RX_NEW(&w->held, "rows", set->n_rows);
  if (!status) status = RX_NEW(&w->held_y, "rows", set->n_rows);
  if (!status) status = RX_NEW(&w->eta, "rows", set->n_rows);
  if (!status) status = RX_NEW(&w->share, "patients", n_patients);
  if (status) return status;
  for (size_t r = 0; r < set->n_rows; r++) w->share[set->patient[r]]++;
  for (size_t i = 0; i < n_patients; i++) w->share[i] = w->share[i] > 0 ? 1 / w->share[i] : 0;
  return RX_OK;
}

static void divide_rows(const rx_feature_set *set, const rx_problem *problem, workspace *w) {
  w->n_held = 0;
  for (size_t r = 0; r < set->n_rows; r++) {
    int role = rx_solver_role(set, problem, r);
    double y = problem->y[set->patient[r]];
    w->weight[r] = role == RX_UNIT_TRAINS ? set->weight[r] : 0;
    w->y[r] = role == RX_UNIT_OUT ? 0 : y;
    if (role != RX_UNIT_HELD) continue;
    w->held_y[w->n_held] = y;
    w->held[w->n_held++] = r;
  }
}

static void predict_held(const rx_feature_set *set, const rx_lasso *path, int step, workspace *w) {
  for (size_t k = 0; k < w->n_held; k++)
    rx_lasso_predict(&w->eta[k], path, step, set->x + w->held[k] * set->n_features, 1,
                     set->n_features);
}

/* Works out the loss, the scores and the AUC of the held rows at each lambda. */
static rx_status judge(const rx_feature_set *set, size_t n_patients, rx_family family,
                       const rx_problem *problem, workspace *w, rx_solution *solution) {
  for (size_t k = 0; k < w->n_held; k++) solution->held_weight += set->weight[w->held[k]];
  for (int l = 0; l < solution->path->n_lambdas; l++) {
    double sum = 0;
    predict_held(set, solution->path, l, w);
    for (size_t k = 0; k < w->n_held; k++) {
      size_t patient = (size_t)set->patient[w->held[k]];
      sum += set->weight[w->held[k]] * rx_solver_loss(family, w->held_y[k], w->eta[k]);
      if (problem->scores)
        problem->scores[(size_t)l * n_patients + patient] += w->eta[k] * w->share[patient];
    }
    solution->loss[l] = w->n_held ? sum / solution->held_weight : NAN;
    solution->row_auc[l] = NAN;
    if (problem->wants_row_auc)
      RX_TRY(rx_roc_auc(w->n_held, w->held_y, w->eta, &solution->row_auc[l]));
  }
  return RX_OK;
}

static rx_status make_measures(rx_solution *solution) {
  RX_TRY(RX_NEW(&solution->loss, "losses", solution->path->n_lambdas));
  return RX_NEW(&solution->row_auc, "AUCs", solution->path->n_lambdas);
}

static rx_status solve(const rx_feature_set *set, size_t n_patients,
                       const rx_lasso_options *options, const rx_problem *problem, workspace *w,
                       rx_solution *solution) {
  rx_lasso_options own = *options;
  rx_lasso_rows rows = {set->n_rows, set->n_features, set->n_features, set->x, w->y, w->weight};

  divide_rows(set, problem, w);
  own.lambdas = problem->grid ? problem->grid->lambda : NULL;
  if (problem->grid) own.n_lambdas = problem->grid->n_lambdas;
  RX_TRY(rx_descent_fit(&rows, &own, &solution->path));
  RX_TRY(make_measures(solution));
  return judge(set, n_patients, options->family, problem, w, solution);
}

static rx_status solve_share(int rank, int n_ranks, const rx_feature_set *set, size_t n_patients,
                             const rx_lasso_options *options, size_t n, const rx_problem *problems,
                             rx_solution *solutions) {
  workspace w;
  rx_status status = create_workspace(set, n_patients, &w);

  for (size_t i = (size_t)rank; i < n && !status; i += (size_t)n_ranks)
    status = solve(set, n_patients, options, &problems[i], &w, &solutions[i]);
  destroy_workspace(&w);
  return status;
}

/* ---- sharing ---- */

typedef struct {
  int64_t n_lambdas, n_values;
  double lambda_max, held_weight, is_converged;
} parcel;

static rx_status make_room(const parcel *p, rx_solution *solution) {
  RX_TRY(rx_lasso_create((int)p->n_lambdas, &solution->path));
  rx_lasso *path = solution->path;
  path->n_lambdas = (int)p->n_lambdas;
  path->capacity = (size_t)p->n_values;
  RX_TRY(RX_NEW(&path->feature, "path", path->capacity));
  RX_TRY(RX_NEW(&path->value, "path", path->capacity));
  return make_measures(solution);
}

/* Gives every rank the solution of its owner. Collective. */
static rx_status share(MPI_Comm comm, int owner, rx_solution *solution) {
  parcel p = {0, 0, 0, 0, 0};
  int rank;
  rx_status status = RX_OK;

  MPI_Comm_rank(comm, &rank);
  if (rank == owner) {
    const rx_lasso *path = solution->path;
    p = (parcel){path->n_lambdas, (int64_t)path->first[path->n_lambdas], path->lambda_max,
                 solution->held_weight, path->is_converged};
  }
  MPI_Bcast(&p, sizeof p, MPI_BYTE, owner, comm);
  if (rank != owner) status = make_room(&p, solution);
  if ((status = RX_AGREE(comm, status))) return status;
  rx_lasso *path = solution->path;
  int n = (int)p.n_lambdas;
  path->lambda_max = p.lambda_max;
  path->is_converged = p.is_converged > 0;
  solution->held_weight = p.held_weight;
  MPI_Bcast(path->lambda, n, MPI_DOUBLE, owner, comm);
  MPI_Bcast(path->intercept, n, MPI_DOUBLE, owner, comm);
  MPI_Bcast(path->deviance_ratio, n, MPI_DOUBLE, owner, comm);
  MPI_Bcast(path->kkt, n, MPI_DOUBLE, owner, comm);
  MPI_Bcast(path->first, (int)((size_t)(n + 1) * sizeof *path->first), MPI_BYTE, owner, comm);
  MPI_Bcast(path->feature, (int)p.n_values, MPI_INT, owner, comm);
  MPI_Bcast(path->value, (int)p.n_values, MPI_DOUBLE, owner, comm);
  MPI_Bcast(solution->loss, n, MPI_DOUBLE, owner, comm);
  MPI_Bcast(solution->row_auc, n, MPI_DOUBLE, owner, comm);
  return RX_OK;
}

/* Each problem by one rank. Collective. */
static rx_status run_whole(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                           const rx_lasso_options *options, size_t n, const rx_problem *problems,
                           rx_solution *solutions) {
  int rank, n_ranks;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  RX_TRY(
      RX_AGREE(comm, solve_share(rank, n_ranks, set, n_patients, options, n, problems, solutions)));
  for (size_t i = 0; i < n && n_ranks > 1; i++)
    RX_TRY(share(comm, (int)(i % (size_t)n_ranks), &solutions[i]));
  return RX_OK;
}

rx_status rx_solver_run(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                        const rx_lasso_options *options, size_t n, const rx_problem *problems,
                        rx_solution *solutions) {
  return (set->is_whole ? run_whole : rx_newton_run)(comm, set, n_patients, options, n, problems,
                                                     solutions);
}

/* ---- at one lambda ---- */

rx_status rx_solver_score(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                          const rx_problem *problem, const rx_lasso *path, int step, double *eta,
                          double *scores) {
  workspace w;
  double *part = NULL;
  rx_status status = create_workspace(set, n_patients, &w);

  if (!status) status = RX_NEW(&part, "scores", n_patients);
  if (!status && set->is_whole) {
    divide_rows(set, problem, &w);
    predict_held(set, path, step, &w);
    for (size_t k = 0; k < w.n_held; k++) {
      size_t patient = (size_t)set->patient[w.held[k]];
      part[patient] += w.eta[k] * w.share[patient];
      eta[w.held[k]] = w.eta[k];
    }
  }
  if (!status && !set->is_whole) score_split(set, problem, path, step, w.share, eta, part);
  status = RX_AGREE(comm, status);
  if (!status && !set->is_whole)
    MPI_Allreduce(MPI_IN_PLACE, part, (int)n_patients, MPI_DOUBLE, MPI_SUM, comm);
  for (size_t i = 0; i < n_patients && !status; i++) scores[i] += part[i];
  free(part);
  destroy_workspace(&w);
  return status;
}

rx_status rx_solver_row_auc(MPI_Comm comm, const rx_feature_set *set, const double *y,
                            const double *eta, double *auc) {
  double *all, *both = NULL;
  size_t n = 0;
  rx_status status = RX_NEW(&all, "rows", set->n_rows);

  *auc = NAN;
  if (!status) status = RX_NEW(&both, "rows", 2 * set->n_rows);
  if ((status = RX_AGREE(comm, status))) goto done;
  if (set->is_whole)
    memcpy(all, eta, set->n_rows * sizeof *all);
  else
    gather_rows(comm, set, eta, all);
  for (size_t r = 0; r < set->n_rows; r++) {
    if (isnan(all[r]) || isnan(y[set->patient[r]])) continue;
    both[n] = y[set->patient[r]];
    both[set->n_rows + n++] = all[r];
  }
  status = RX_AGREE(comm, rx_roc_auc(n, both, both + set->n_rows, auc));
done:
  free(all);
  free(both);
  return status;
}
