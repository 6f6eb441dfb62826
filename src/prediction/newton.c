#include "prediction/newton.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* ---- along a path ---- */

/* The null model, where all begin. */
static void start_null(const rx_group *g, rx_member *m) {
  const double most = log(1e9); /* one class: as sure as can be said */

  if (g->options->family == RX_BINOMIAL)
    m->intercept = fmin(most, fmax(-most, log(m->y_mean / (1 - m->y_mean))));
}

static void go_to(const rx_group *g, rx_member *m, int step) {
  double last = m->step < 0 ? m->lambda_max : m->lambda;

  m->step = step;
  m->before = fmin(step ? m->before : last, last);
  if (m->grid)
    m->lambda = m->grid[step] / m->y_scale;
  else if (m->n_lambdas > 1)
    m->lambda = m->lambda_max * pow(g->options->lambda_ratio, (double)step / (m->n_lambdas - 1));
  else
    m->lambda = m->lambda_max;
  m->l1 = m->lambda * g->options->alpha;
  m->l2 = m->lambda * (1 - g->options->alpha);
  m->n_steps = m->n_cuts = 0;
  m->is_trial = m->has_last = false;
}

/* What the first pass tells. */
static void take_null(const rx_group *g, rx_member *m) {
  double largest = 0;

  for (size_t j = 0; j < g->p && !m->is_flat; j++) largest = fmax(largest, fabs(m->gradient[j]));
  m->lambda_max = largest / fmax(g->options->alpha, 1e-3);
  m->null_loss = m->loss;
  m->solution->path->lambda_max = m->lambda_max * m->y_scale;
  if (!(m->lambda_max > 0) && !m->grid) m->n_lambdas = 1;
  go_to(g, m, 0);
}

/* Keeps the solution at this lambda. */
static rx_status keep(const rx_group *g, rx_member *m) {
  double *beta = g->room, *mean = g->room + g->p, *scale = g->room + 2 * g->p;
  size_t n = m->problem->wants_no_path ? 0 : g->p;
  rx_lasso *path = m->solution->path;

  for (size_t j = 0; j < n; j++) {
    beta[j] = m->beta[j] * m->y_scale;
    scale[j] = m->scale[j] * g->set->scale[j];
    mean[j] = g->set->mean[j] + m->mean[j] * g->set->scale[j];
  }
  RX_TRY(rx_lasso_add(path, m->grid ? m->grid[m->step] : m->lambda * m->y_scale,
                      m->y_shift + m->y_scale * m->intercept, n, beta, mean, scale));
  path->deviance_ratio[m->step] = m->null_loss > 0 && !m->is_flat ? 1 - m->loss / m->null_loss : 0;
  path->kkt[m->step] = m->lambda_max > 0 ? m->kkt / m->lambda_max : 0;
  if (!(path->kkt[m->step] <= g->options->tolerance)) path->is_converged = false;
  return RX_OK;
}

/* Ends a lambda and goes to the next. Collective. */
static rx_status end_lambda(rx_group *g, rx_member *m) {
  RX_TRY(RX_AGREE(g->comm, keep(g, m)));
  RX_TRY(rx_newton_judge(g, m));
  bool ends = !m->grid && rx_lasso_ends(m->solution->path, m->step, g->options->family);
  m->is_done = ends || m->step + 1 >= m->n_lambdas;
  if (!m->is_done) go_to(g, m, m->step + 1);
  if (m->is_done) rx_newton_end(m);
  return RX_OK;
}

/* ---- steps ---- */

/* A step that ended on a slope went too far: back to where a parabola has its minimum. The slope is
 * exact where the objective itself drowns in rounding. Returns false when the step may stay. */
static bool cut_back(const rx_group *g, rx_member *m) {
  enum { MOST_CUTS = 8 };
  static const double enough = 0.8;
  double slope = rx_newton_slope(g, m, false);

  if (slope <= enough * fabs(m->slope) || m->n_cuts >= MOST_CUTS) return false;
  double share = fmax(0.05, fabs(m->slope) / (fabs(m->slope) + slope));
  for (size_t j = 0; j < g->p; j++) m->beta[j] = m->start[j] + share * (m->beta[j] - m->start[j]);
  m->intercept = m->start_intercept + share * (m->intercept - m->start_intercept);
  m->slope *= share;
  m->has_last = false;
  m->n_cuts++;
  return true;
}

/* Looks at the last pass: cuts back a step, ends lambdas that are solved, asks for the next step.
 * Collective. */
static rx_status consider(rx_group *g, rx_member *m) {
  m->wants_step = false;
  if (m->step < 0) take_null(g, m);
  if (m->is_trial && cut_back(g, m)) return RX_OK;
  for (;;) {
    rx_newton_find_kkt(g, m);
    bool is_solved = m->kkt <= g->options->tolerance * m->lambda_max || !(m->lambda_max > 0);
    if (!is_solved && m->n_steps < g->options->most_steps) break;
    RX_TRY(end_lambda(g, m));
    if (m->is_done) return RX_OK;
  }
  m->wants_step = true;
  return RX_OK;
}

/* The steps of all members that want one, each on the rank that owns the matrix. Collective. */
static rx_status step_members(rx_group *g) {
  RX_TRY(rx_curvature_prepare(g));
  for (size_t k = 0; k < g->n_members; k++) {
    rx_member *m = &g->members[k];
    if (!rx_newton_is_working(m) || !m->wants_step) continue;
    memcpy(m->start, m->beta, g->p * sizeof *m->beta);
    m->start_intercept = m->intercept;
    if (m->model.owner == g->rank) rx_newton_minimise(g, m);
  }
  for (size_t k = 0; k < g->n_members; k++) {
    rx_member *m = &g->members[k];
    if (!rx_newton_is_working(m) || !m->wants_step) continue;
    MPI_Bcast(m->beta, (int)g->p, MPI_DOUBLE, m->model.owner, g->comm);
    MPI_Bcast(&m->intercept, 1, MPI_DOUBLE, m->model.owner, g->comm);
    m->slope = rx_newton_slope(g, m, true);
    m->kkt_before[1] = m->kkt_before[0];
    m->kkt_before[0] = m->kkt_inside;
    m->is_trial = true;
    m->n_cuts = 0;
    m->n_steps++;
    m->model.age++;
  }
  return RX_OK;
}

static bool are_done(const rx_group *g) {
  for (size_t m = 0; m < g->n_members; m++)
    if (!g->members[m].is_done) return false;
  return true;
}

static rx_status iterate(rx_group *g) {
  while (!are_done(g)) {
    RX_TRY(rx_newton_seat(g));
    rx_newton_pass(g);
    for (size_t m = 0; m < g->n_members; m++)
      if (rx_newton_is_working(&g->members[m])) RX_TRY(consider(g, &g->members[m]));
    RX_TRY(step_members(g));
  }
  return RX_OK;
}

rx_status rx_newton_run(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                        const rx_lasso_options *options, size_t n, const rx_problem *problems,
                        rx_solution *solutions) {
  rx_group g = {.comm = comm,
                .set = set,
                .options = options,
                .n_patients = n_patients,
                .p = set->n_features,
                .n_members = n};

  MPI_Comm_rank(comm, &g.rank);
  MPI_Comm_size(comm, &g.n_ranks);
  rx_status status = RX_AGREE(comm, rx_newton_create(&g, problems, solutions));
  if (!status) status = rx_newton_moments(&g);
  for (size_t m = 0; m < n && !status; m++) start_null(&g, &g.members[m]);
  if (!status) status = iterate(&g);
  rx_newton_destroy(&g);
  return status;
}
