/* A step: the minimum of the quadratic model and the penalty. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

static double violation(const rx_member *m, size_t j) {
  double b = m->beta[j], gradient = m->gradient[j];

  if (!(m->scale[j] > 0)) return 0;
  return b != 0 ? fabs(gradient - copysign(m->l1, b) - m->l2 * b) : fmax(0, fabs(gradient) - m->l1);
}

void rx_newton_find_kkt(const rx_group *g, rx_member *m) {
  m->kkt = m->kkt_inside = fabs(m->residual);
  for (size_t j = 0; j < g->p; j++) {
    double v = violation(m, j);
    m->kkt = fmax(m->kkt, v);
    if (m->model.place[j]) m->kkt_inside = fmax(m->kkt_inside, v);
  }
}

/* The penalty |b| bends at 0: seen from the side of the step. */
double rx_newton_slope(const rx_group *g, const rx_member *m, bool is_at_start) {
  double slope = -m->residual * (m->intercept - m->start_intercept);

  for (size_t j = 0; j < g->p; j++) {
    double change = m->beta[j] - m->start[j];
    if (change == 0) continue;
    double b = is_at_start ? m->start[j] : m->beta[j];
    double side = b != 0 ? b : is_at_start ? change : m->start[j];
    slope += change * (copysign(m->l1, side) + m->l2 * b - m->gradient[j]);
  }
  return slope;
}

/* ---- the minimum of a quadratic model and the penalty ---- */

typedef double sweep_function(rx_newton_quadratic *, const int *, size_t);

static size_t list_active(const rx_newton_quadratic *q, int *active) {
  size_t n = 0;

  for (size_t k = 0; k < q->n; k++)
    if (q->beta[k] != 0) active[n++] = (int)k;
  return n;
}

/* The largest violation of the conditions of the model. */
static double worst_of(const rx_newton_quadratic *q) {
  double worst = 0;

  for (size_t k = 0; k < q->n; k++) {
    double b = q->beta[k], u = q->u[k];
    worst = fmax(worst, b != 0 ? fabs(u - copysign(q->l1, b) - q->l2 * b) : fabs(u) - q->l1);
  }
  return worst;
}

/* The active part of the matrix goes to the upper triangle of its first rows, for the factor: the
 * lower triangle says the same. Active features rise, so nothing is written before it is read; the
 * diagonal, which both share, is kept. */
static void gather_active(rx_newton_quadratic *q, const int *active, size_t n, float *diagonal) {
  for (size_t k = 0; k < q->n; k++) diagonal[k] = q->h[k * q->stride + k];
  for (size_t k = 0; k < n; k++) {
    const float *from = q->h + (size_t)active[k] * q->stride;
    float *to = q->h + k * q->stride;
    for (size_t l = k + 1; l < n; l++) to[l] = from[active[l]];
    to[k] = diagonal[active[k]] + (float)q->l2;
  }
}

/* Factorises the active part of the matrix, and sets change to the solution of the conditions of
 * the active features at their present signs. Returns false when rounding leaves no factor: then
 * descent goes on alone. */
static bool solve_active(rx_group *g, rx_newton_quadratic *q, const int *active, size_t n,
                         float *change) {
  int count = (int)n, stride = (int)q->stride;

  gather_active(q, active, n, g->diagonal);
  for (size_t k = 0; k < n; k++) {
    double b = q->beta[active[k]];
    change[k] = (float)(q->u[active[k]] - copysign(q->l1, b) - q->l2 * b);
  }
  /* The upper triangle by rows is the lower one by columns, which needs no copy. */
  bool is_made = !LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'L', count, q->h, stride);
  if (is_made) {
    cblas_strsv(CblasRowMajor, CblasUpper, CblasTrans, CblasNonUnit, count, q->h, stride, change,
                1);
    cblas_strsv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, count, q->h, stride, change,
                1);
  }
  rx_curvature_mirror(q->h, q->stride, 0, n);
  for (size_t k = 0; k < n; k++) q->h[k * q->stride + k] = g->diagonal[k];
  return is_made;
}

/* Goes there; a coefficient that would change its sign stops at 0. Gives up what does not lower the
 * objective. u_before [q->n] is room. */
static void go_along(rx_group *g, rx_newton_quadratic *q, const int *active, size_t n,
                     const float *change, double *before) {
  void (*move)(double *, const float *, double, size_t) =
      RX_ISA_PICK(g->options->isa, rx_newton_move);
  double gain = 0;

  memcpy(before, q->u, q->n * sizeof *before);
  for (size_t k = 0; k < n; k++) {
    size_t j = (size_t)active[k];
    double b = q->beta[j], to = b + (double)change[k];
    if (to * b < 0) to = 0;
    move(q->u, q->h + j * q->stride, to - b, q->n);
    g->step[k] = b;
    q->beta[j] = to;
    gain -= q->l1 * (fabs(to) - fabs(b)) + 0.5 * q->l2 * (to * to - b * b);
  }
  for (size_t k = 0; k < n; k++) {
    size_t j = (size_t)active[k];
    gain += 0.5 * (before[j] + q->u[j]) * (q->beta[j] - g->step[k]);
  }
  if (gain >= 0) return;
  memcpy(q->u, before, q->n * sizeof *before);
  for (size_t k = 0; k < n; k++) q->beta[active[k]] = g->step[k];
}

/* Coordinate descent finds who is active and with what sign, the normal equations of those how
 * much; in turns, until no condition is violated by more than the goal. */
static void descend(rx_group *g, rx_newton_quadratic *q, double goal) {
  enum { MOST_ROUNDS = 30, SWEEPS = 4, MOST_SWEEPS = 500 };
  sweep_function *sweep = RX_ISA_PICK(g->options->isa, rx_newton_sweep);
  int *all = g->order, *active = g->order + g->p;
  bool has_factor = true;

  for (size_t k = 0; k < q->n; k++) all[k] = (int)k;
  for (int round = 0; round < MOST_ROUNDS; round++) {
    sweep(q, all, q->n);
    size_t n = list_active(q, active);
    for (int s = 0; s < (has_factor ? SWEEPS : MOST_SWEEPS); s++)
      if (sweep(q, active, n) <= 0.1 * goal) break;
    if (worst_of(q) <= goal) return;
    n = list_active(q, active);
    has_factor = n && solve_active(g, q, active, n, g->change);
    if (has_factor) go_along(g, q, active, n, g->change, g->room + 3 * g->p);
    if (has_factor && worst_of(q) <= goal) return;
  }
}

static int sign_of(double x) {
  return (x > 0) - (x < 0);
}

/* An aged matrix makes steps fall short, or go too far, always in the same directions: the last two
 * steps tell by how much (Anderson 1965, J ACM 12:547, depth one). A coefficient that came, went or
 * changed its sign takes no part. move, end [p + 1]: this step, and where it leads */
static void accelerate(const rx_group *g, rx_member *m, const double *move, const double *end) {
  static const double most = 3;
  double product = 0, square = 0;

  for (size_t j = 0; j <= g->p && m->has_last; j++) {
    double change = move[j] - m->last_move[j];
    if (j < g->p && sign_of(end[j]) != sign_of(m->last_end[j])) continue;
    product += move[j] * change;
    square += change * change;
  }
  double share = square > 0 ? -product / square : 0;
  if (fabs(share) > most) share = 0;
  for (size_t j = 0; j <= g->p && m->has_last; j++) {
    double to = end[j] + share * (end[j] - m->last_end[j]);
    if (j == g->p)
      m->intercept = to;
    else if (sign_of(end[j]) == sign_of(m->last_end[j]) && sign_of(to) == sign_of(end[j]))
      m->beta[j] = to;
  }
  memcpy(m->last_end, end, (g->p + 1) * sizeof *end);
  memcpy(m->last_move, move, (g->p + 1) * sizeof *move);
  m->has_last = true;
}

/* The intercept is at its minimum for any coefficients, since the matrix is centred at the weighted
 * means. An aged matrix is first of all too large, since rows bend less as they are fitted: it is
 * scaled to what they bend now, by dividing all else. */
void rx_newton_minimise(rx_group *g, rx_member *m) {
  static const double share = 0.02; /* an aged model is not worth more */
  const rx_curvature *model = &m->model;
  double *u = g->room, *beta = g->room + g->p, *slant = g->room + 2 * g->p;
  double scale = fmin(10, fmax(0.1, m->curvature / model->total));
  double move = m->residual / (scale * model->total);
  double finest = 0.1 * g->options->tolerance * m->lambda_max;
  double goal = g->options->family == RX_GAUSSIAN ? finest : fmax(finest, share * m->kkt_inside);
  rx_newton_quadratic q = {model->n, model->stride, model->h,     u,
                           beta,     m->l1 / scale, m->l2 / scale};

  for (size_t k = 0; k < model->n; k++) {
    size_t j = (size_t)model->feature[k];
    slant[k] = (model->sum[k] - m->mean[j] * model->total) / m->scale[j];
    u[k] = m->gradient[j] / scale - slant[k] * move;
    beta[k] = m->beta[j];
  }
  descend(g, &q, goal / scale);
  for (size_t k = 0; k < model->n; k++) {
    size_t j = (size_t)model->feature[k];
    move -= slant[k] * (beta[k] - m->beta[j]) / model->total;
    m->beta[j] = beta[k];
  }
  m->intercept += move;
  for (size_t j = 0; j < g->p; j++) g->end[j] = m->beta[j];
  for (size_t j = 0; j < g->p; j++) g->move[j] = m->beta[j] - m->start[j];
  g->end[g->p] = m->intercept;
  g->move[g->p] = m->intercept - m->start_intercept;
  accelerate(g, m, g->move, g->end);
}
