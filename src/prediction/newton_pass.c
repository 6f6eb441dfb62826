/* What is worked out from the rows: moments, gradients, measures of held rows. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "prediction/roc.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { STRIP = RX_NEWTON_STRIP };

static size_t patient_of(const rx_group *g, size_t row) {
  return (size_t)g->set->patient[g->set->first + row];
}

double rx_newton_outcome(const rx_group *g, const rx_member *m, size_t row) {
  double y = m->problem->y[patient_of(g, row)];
  return g->options->family == RX_GAUSSIAN ? (y - m->y_mean) / m->y_scale : y;
}

double rx_newton_weight(const rx_group *g, const rx_member *m, size_t row) {
  return m->role[row] == RX_UNIT_TRAINS ? g->set->weight[g->set->first + row] / m->total : 0;
}

/* Adds up over ranks; every rank gets the very same bits. Collective. */
static void add_over_ranks(const rx_group *g, double *values, size_t n) {
  enum { MOST = 1 << 24 };

  for (size_t at = 0; at < n && g->n_ranks > 1; at += MOST) {
    int count = (int)(n - at < MOST ? n - at : MOST);
    MPI_Reduce(g->rank ? values + at : MPI_IN_PLACE, values + at, count, MPI_DOUBLE, MPI_SUM, 0,
               g->comm);
    MPI_Bcast(values + at, count, MPI_DOUBLE, 0, g->comm);
  }
}

/* ---- moments ---- */

static bool is_constant(const rx_group *g, const rx_member *m) {
  double first = NAN;

  for (size_t r = 0; r < g->set->n_rows; r++) {
    double y = m->problem->y[g->set->patient[r]];
    if (rx_solver_role(g->set, m->problem, r) != RX_UNIT_TRAINS || !(g->set->weight[r] > 0))
      continue;
    if (isnan(first)) first = y;
    if (y != first) return false;
  }
  return true;
}

/* Total weight, mean and scale of the outcome. The outcomes are on every rank. */
static void find_outcome_moments(const rx_group *g, rx_member *m) {
  double total = 0, sum = 0, square = 0;

  for (int turn = 0; turn < 2; turn++)
    for (size_t r = 0; r < g->set->n_rows; r++) {
      if (rx_solver_role(g->set, m->problem, r) != RX_UNIT_TRAINS) continue;
      double w = g->set->weight[r], y = m->problem->y[g->set->patient[r]];
      if (turn) square += w / total * (y - m->y_mean) * (y - m->y_mean);
      if (turn) continue;
      total += w;
      sum += w * y;
      m->y_mean = total > 0 ? sum / total : 0;
    }
  m->total = total > 0 ? total : 1;
  m->y_scale = 1;
  m->is_flat = is_constant(g, m);
  m->y_shift = g->options->family == RX_GAUSSIAN ? m->y_mean : 0;
  if (g->options->family == RX_GAUSSIAN && !m->is_flat) m->y_scale = sqrt(square);
}

/* Room for a few rows in double. */
enum { FEW = 32 };

typedef struct {
  double *weight;      /* [n_slots][FEW] */
  double *z, *squares; /* [FEW][p] */
  double *products;    /* [n_slots][p] */
} few_rows;

/* Adds the sums of v x of some rows for n members; x [rows][p], sums of members 2 p + 4 apart. */
static void add_weighted(rx_group *g, const few_rows *few, size_t n, size_t rows, const double *x,
                         double *sums) {
  int p = (int)g->p;

  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, p, (int)rows, 1, few->weight, FEW,
              x, p, 0, few->products, p);
  for (size_t m = 0; m < n; m++)
    for (size_t j = 0; j < g->p; j++)
      sums[m * (2 * g->p + 4) + j] += rx_newton_grid(few->products[m * g->p + j]);
}

static void add_moments(rx_group *g, few_rows *few, const rx_member *members, size_t n,
                        size_t first, size_t rows) {
  const float *from = g->set->z + first * g->p;

  for (size_t k = 0; k < rows * g->p; k++) few->z[k] = (double)from[k];
  for (size_t k = 0; k < rows * g->p; k++) few->squares[k] = few->z[k] * few->z[k];
  for (size_t m = 0; m < n; m++)
    for (size_t i = 0; i < rows; i++)
      few->weight[m * FEW + i] = rx_newton_weight(g, &members[m], first + i);
  add_weighted(g, few, n, rows, few->z, g->sums);
  add_weighted(g, few, n, rows, few->squares, g->sums + g->p);
}

/* The same of n members, at most as many as there are slots. Collective. */
static void find_moments(rx_group *g, few_rows *few, rx_member *members, size_t n) {
  static const double least = 1e-10; /* variance to mean square: constant but for rounding */
  size_t p = g->p, stride = 2 * p + 4, local = g->set->n_local;

  for (size_t m = 0; m < n; m++) find_outcome_moments(g, &members[m]);
  memset(g->sums, 0, n * stride * sizeof *g->sums);
  for (size_t at = 0; at < local; at += FEW)
    add_moments(g, few, members, n, at, local - at < FEW ? local - at : FEW);
  add_over_ranks(g, g->sums, n * stride);
  for (size_t k = 0; k < n; k++) {
    rx_member *m = &members[k];
    const double *sum = g->sums + k * stride, *square = sum + p;
    for (size_t j = 0; j < p; j++) {
      double variance = square[j] - sum[j] * sum[j];
      m->mean[j] = sum[j];
      m->scale[j] = 0;
      if (variance <= least * square[j]) continue;
      m->scale[j] = g->options->is_standardising ? sqrt(variance) : 1 / g->set->scale[j];
    }
  }
}

rx_status rx_newton_moments(rx_group *g) {
  size_t p = g->p, slots = g->n_slots;
  double *weights;
  rx_status status = RX_NEW(&weights, "rows", slots * FEW + 2 * FEW * p + slots * p);

  if ((status = RX_AGREE(g->comm, status))) return status;
  double *z = weights + slots * FEW;
  few_rows few = {weights, z, z + FEW * p, z + 2 * FEW * p};
  for (size_t at = 0; at < g->n_members; at += slots)
    find_moments(g, &few, g->members + at, g->n_members - at < slots ? g->n_members - at : slots);
  free(weights);
  return RX_OK;
}

/* ---- a pass ---- */

/* log(1 + exp(x)) without overflow */
static double softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Coefficients of z, and what is to be added to the linear predictor. */
static double pack(const rx_group *g, const rx_member *m, float *coefficient) {
  double offset = m->intercept;

  for (size_t j = 0; j < g->p; j++) {
    double b = m->beta[j] != 0 ? m->beta[j] / m->scale[j] : 0;
    coefficient[j] = (float)b;
    offset -= b * m->mean[j];
  }
  return offset;
}

/* Sets eta and v (y - mu) of some rows. sums: residual, loss, curvature, added to */
static void take_rows(const rx_group *g, rx_member *m, size_t first, size_t rows, double offset,
                      const float *product, float *residual, double *sums) {
  bool is_binomial = g->options->family == RX_BINOMIAL;

  for (size_t i = 0; i < rows; i++) {
    double eta = (double)product[i] + offset;
    m->eta[first + i] = (float)eta;
    residual[i] = 0;
    double v = rx_newton_weight(g, m, first + i);
    if (!(v > 0)) continue;
    double y = rx_newton_outcome(g, m, first + i);
    double mu = is_binomial ? 1 / (1 + exp(-eta)) : eta, r = v * (y - mu);
    residual[i] = (float)r;
    sums[0] += rx_newton_grid(r);
    double loss = v * (is_binomial ? softplus(eta) - y * eta : 0.5 * (y - eta) * (y - eta));
    sums[1] += rx_newton_grid(loss);
    sums[2] += rx_newton_grid(is_binomial ? v * mu * (1 - mu) : v);
  }
}

/* A few rows at a time, so that they are still in the cache when they are used again. */
static void pass_strip(rx_group *g, size_t first, size_t rows, const double *offset) {
  size_t n = g->n_list, p = g->p;
  const float *z = g->set->z + first * p;

  memset(g->strip_gradient, 0, n * p * sizeof *g->strip_gradient);
  for (size_t at = 0; at < rows; at += FEW) {
    size_t few = rows - at < FEW ? rows - at : FEW;
    RX_ISA_PICK(g->options->isa, rx_newton_predict)
    (g->strip_eta + at, g->lanes, z + at * p, g->coefficient, p, few, n, STRIP);
    for (size_t c = 0; c < n; c++)
      take_rows(g, &g->members[g->list[c]], first + at, few, offset[c],
                g->strip_eta + c * STRIP + at, g->strip_residual + c * STRIP + at,
                g->sums + c * (p + 3) + p);
    RX_ISA_PICK(g->options->isa, rx_newton_collect)
    (g->strip_gradient, z + at * p, g->strip_residual + at, p, few, n, STRIP);
  }
  for (size_t c = 0; c < n; c++) {
    double *restrict sum = g->sums + c * (p + 3);
    const float *restrict add = g->strip_gradient + c * p;
    for (size_t j = 0; j < p; j++) sum[j] += rx_newton_grid((double)add[j]);
  }
}

void rx_newton_pass(rx_group *g) {
  size_t p = g->p, stride = p + 3;

  g->n_list = 0;
  for (size_t m = 0; m < g->n_members; m++)
    if (rx_newton_is_working(&g->members[m])) g->list[g->n_list++] = m;
  double *offset = g->sums + g->n_slots * stride; /* behind the sums */
  memset(g->sums, 0, g->n_list * stride * sizeof *g->sums);
  for (size_t c = 0; c < g->n_list; c++)
    offset[c] = pack(g, &g->members[g->list[c]], g->coefficient + c * p);
  for (size_t at = 0; at < g->set->n_local; at += STRIP)
    pass_strip(g, at, g->set->n_local - at < STRIP ? g->set->n_local - at : STRIP, offset);
  add_over_ranks(g, g->sums, g->n_list * stride);
  for (size_t c = 0; c < g->n_list; c++) {
    rx_member *m = &g->members[g->list[c]];
    const double *sum = g->sums + c * stride;
    m->residual = sum[p];
    m->loss = sum[p + 1];
    m->curvature = sum[p + 2];
    for (size_t j = 0; j < p; j++)
      m->gradient[j] = m->scale[j] > 0 ? (sum[j] - m->mean[j] * m->residual) / m->scale[j] : 0;
  }
}

/* ---- held rows ---- */

/* The linear predictor of a row on the scale of the outcome. */
static double link_of(const rx_member *m, size_t row) {
  return m->y_shift + m->y_scale * (double)m->eta[row];
}

/* The AUC of held rows, on the owner. pairs [n] of outcome and link of this rank. Collective. */
static rx_status gather_auc(const rx_group *g, const rx_member *m, const double *pairs, size_t n,
                            double *auc) {
  int owner = m->model.owner, count = (int)(2 * n);
  int *counts = g->order, *starts = g->order + g->n_ranks, total = 0;
  double *all = NULL;
  rx_status status = RX_OK;

  MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, owner, g->comm);
  if (g->rank == owner) {
    for (int r = 0; r < g->n_ranks; total += counts[r++]) starts[r] = total;
    status = RX_NEW(&all, "held rows", 2 * (size_t)total);
  }
  if ((status = RX_AGREE(g->comm, status))) return status;
  MPI_Gatherv(pairs, count, MPI_DOUBLE, all, counts, starts, MPI_DOUBLE, owner, g->comm);
  if (g->rank == owner) {
    size_t held = (size_t)total / 2;
    double *y = all + total, *link = y + held;
    for (size_t k = 0; k < held; k++) {
      y[k] = all[2 * k];
      link[k] = all[2 * k + 1];
    }
    status = rx_roc_auc(held, y, link, auc);
  }
  free(all);
  if ((status = RX_AGREE(g->comm, status))) return status;
  MPI_Bcast(auc, 1, MPI_DOUBLE, owner, g->comm);
  return RX_OK;
}

rx_status rx_newton_judge(rx_group *g, rx_member *m) {
  const rx_problem *problem = m->problem;
  rx_solution *solution = m->solution;
  double sums[2] = {0, 0}, *pairs;
  size_t n = 0, l = (size_t)m->step;
  rx_status status = RX_NEW_AGREED(g->comm, &pairs, "held rows", 2 * g->set->n_local);

  if (status) return status;
  for (size_t r = 0; r < g->set->n_local; r++) {
    size_t patient = patient_of(g, r);
    double w = g->set->weight[g->set->first + r], y = problem->y[patient], link = link_of(m, r);
    if (m->role[r] != RX_UNIT_HELD) continue;
    sums[0] += w;
    sums[1] += w * rx_solver_loss(g->options->family, y, link);
    pairs[2 * n] = y;
    pairs[2 * n++ + 1] = link;
    if (problem->scores) problem->scores[l * g->n_patients + patient] += link * g->share[patient];
  }
  add_over_ranks(g, sums, 2);
  solution->held_weight = sums[0];
  solution->loss[l] = sums[0] > 0 ? sums[1] / sums[0] : NAN;
  solution->row_auc[l] = NAN;
  if (problem->wants_row_auc) status = gather_auc(g, m, pairs, n, &solution->row_auc[l]);
  free(pairs);
  return status;
}
