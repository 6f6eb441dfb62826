/* Members of a group: their memory, and whose turn it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* ---- a member ---- */

enum { VECTORS = 5 };

void rx_newton_end(rx_member *m) {
  rx_curvature_destroy(&m->model);
  free(m->vectors);
  free(m->eta);
  m->vectors = NULL;
  m->eta = NULL;
  m->is_done = true;
}

static rx_status start(const rx_group *g, rx_member *m) {
  RX_TRY(RX_NEW(&m->vectors, "problems", VECTORS * (g->p + 1)));
  RX_TRY(RX_NEW(&m->eta, "linear predictors", g->set->n_local));
  RX_TRY(rx_curvature_create(g, &m->model));
  double *at = m->vectors, **const vectors[VECTORS] = {&m->beta, &m->start, &m->gradient,
                                                       &m->last_end, &m->last_move};
  for (size_t v = 0; v < VECTORS; v++, at += g->p + 1) *vectors[v] = at;
  m->is_started = true;
  return RX_OK;
}

static rx_status create_member(rx_group *g, size_t k, const rx_problem *problem,
                               rx_solution *solution) {
  rx_member *m = &g->members[k];

  m->mean = g->moments + 2 * k * g->p;
  m->scale = m->mean + g->p;
  m->role = g->roles + k * g->set->n_local;
  m->problem = problem;
  m->solution = solution;
  m->grid = problem->grid ? problem->grid->lambda : NULL;
  m->n_lambdas = problem->grid ? problem->grid->n_lambdas : g->options->n_lambdas;
  m->step = -1;
  for (size_t r = 0; r < g->set->n_local; r++)
    m->role[r] = (unsigned char)rx_solver_role(g->set, problem, g->set->first + r);
  RX_TRY(rx_lasso_create(m->n_lambdas, &solution->path));
  RX_TRY(RX_NEW(&solution->loss, "losses", m->n_lambdas));
  return RX_NEW(&solution->row_auc, "AUCs", m->n_lambdas);
}

/* ---- a group ---- */

void rx_newton_destroy(rx_group *g) {
  for (size_t m = 0; g->members && m < g->n_members; m++) rx_newton_end(&g->members[m]);
  free(g->members);
  free(g->share);
  free(g->moments);
  free(g->roles);
  free(g->list);
  free(g->coefficient);
  free(g->strip_eta);
  free(g->lanes);
  free(g->strip_gradient);
  free(g->sums);
  free(g->tiles);
  free(g->tile_room);
  free(g->packed);
  free(g->pack_sum);
  free(g->room);
  free(g->order);
  free(g->change);
}

/* Room of a rank for parts of matrices, in numbers: 4 % of the rows' memory over all ranks, and not
 * less than a panel of all features. */
static size_t find_tile_room(const rx_group *g) {
  static const size_t panel = RX_NEWTON_PANEL;
  size_t least = panel * ((g->p + panel - 1) / panel * panel);
  size_t share = g->set->n_rows * g->p / 50 / (size_t)g->n_ranks;

  return share > least ? share : least;
}

static rx_status create_group(rx_group *g) {
  enum { MOST = 8 }; /* a pass that serves as many does little else than multiply */
  size_t p = g->p, n = g->n_members < MOST ? g->n_members : MOST;
  rx_status status = RX_NEW(&g->members, "problems", g->n_members);

  g->n_slots = n;
  g->n_room = find_tile_room(g);
  if (!status) status = RX_NEW(&g->share, "patients", g->n_patients);
  if (!status) status = RX_NEW(&g->moments, "problems", 2 * g->n_members * p);
  if (!status) status = RX_NEW(&g->roles, "roles", g->n_members * g->set->n_local);
  if (!status) status = RX_NEW(&g->list, "problems", n);
  if (!status) status = RX_NEW(&g->coefficient, "coefficients", n * p);
  if (!status) status = RX_NEW(&g->strip_eta, "rows", 2 * n * RX_NEWTON_STRIP);
  if (!status) status = RX_NEW(&g->lanes, "rows", n * RX_NEWTON_LANES);
  if (!status) status = RX_NEW(&g->strip_gradient, "gradients", n * p);
  if (!status) status = RX_NEW(&g->sums, "gradients", n * (2 * p + 4));
  if (!status) status = RX_NEW(&g->tiles, "second derivatives", n);
  if (!status) status = RX_NEW(&g->pack_sum, "rows", p);
  if (!status) status = RX_NEW(&g->room, "features", 7 * p + 2);
  if (!status) status = RX_NEW(&g->change, "features", 2 * p);
  if (!status) status = RX_NEW(&g->order, "features", 2 * p + 2 * (size_t)g->n_ranks);
  if (status) return status;
  g->strip_residual = g->strip_eta + n * RX_NEWTON_STRIP;
  g->diagonal = g->change + p;
  g->step = g->room + 4 * p;
  g->move = g->room + 5 * p;
  g->end = g->move + p + 1;
  return RX_OK;
}

rx_status rx_newton_create(rx_group *g, const rx_problem *problems, rx_solution *solutions) {
  RX_TRY(create_group(g));
  for (size_t r = 0; r < g->set->n_rows; r++) g->share[g->set->patient[r]]++;
  for (size_t i = 0; i < g->n_patients; i++) g->share[i] = g->share[i] > 0 ? 1 / g->share[i] : 0;
  for (size_t m = 0; m < g->n_members; m++)
    RX_TRY(create_member(g, m, &problems[m], &solutions[m]));
  return RX_OK;
}

/* ---- whose turn ---- */

bool rx_newton_is_working(const rx_member *m) {
  return m->is_started && !m->is_parked && !m->is_done;
}

static double area_of(size_t n_features) {
  double n = (double)n_features + 64;
  return 1.1 * n * n;
}

/* Matrices may take an eighth of the memory of the rows, over all ranks. Members take their
 * seats in order; one that works and has outgrown what is left gives its matrix up and waits. To
 * sit down anew takes some more room, since matrices grow. */
rx_status rx_newton_seat(rx_group *g) {
  static const double always = 1 << 22, /* numbers: 16 MB */
      reserve = 0.6;
  double room = fmax(always, 0.125 * (double)g->set->n_rows * (double)g->p), used = 0;
  size_t n_working = 0, n_new = 0;
  rx_status status = RX_OK;

  for (size_t k = 0; k < g->n_members; k++) {
    rx_member *m = &g->members[k];
    if (m->is_done) continue;
    bool was_working = rx_newton_is_working(m);
    double area = area_of(m->is_parked ? m->n_parked : m->model.n);
    bool is_seated =
        n_working < g->n_slots && (!n_working || used + area <= (was_working ? 1 : reserve) * room);
    if (!is_seated && was_working) {
      m->n_parked = m->model.n;
      m->is_parked = true;
      rx_curvature_clear(&m->model);
    }
    if (!is_seated) continue;
    if (!m->is_started && !status) status = start(g, m);
    n_new += !was_working;
    m->is_parked = false;
    used += area;
    n_working++;
  }
  return n_new ? RX_AGREE(g->comm, status) : status;
}
