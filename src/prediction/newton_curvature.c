/* The second derivatives of a problem: made from the rows, extended, renewed when they have aged.
 */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { TILE = RX_NEWTON_TILE, STRIP = RX_NEWTON_STRIP };

rx_status rx_curvature_create(const rx_group *g, rx_curvature *model) {
  *model = (rx_curvature){.age = -1};
  rx_status status = RX_NEW(&model->feature, "features", g->p);
  if (!status) status = RX_NEW(&model->place, "features", g->p);
  if (!status) status = RX_NEW(&model->sum, "features", g->p);
  if (!status) status = RX_NEW(&model->root, "rows", g->set->n_local);
  return status;
}

void rx_curvature_clear(rx_curvature *model) {
  free(model->h);
  model->h = NULL;
  for (size_t k = 0; k < model->n; k++) model->place[model->feature[k]] = 0;
  model->n = model->stride = 0;
  model->age = -1;
}

void rx_curvature_destroy(rx_curvature *model) {
  free(model->feature);
  free(model->place);
  free(model->h);
  free(model->sum);
  free(model->root);
}

int rx_curvature_owner(const rx_group *g, const rx_member *m) {
  return (int)((size_t)(m - g->members) % (size_t)g->n_ranks);
}

/* ---- which features ---- */

/* Lets in the features that are selected, and those that the strong rule keeps for the next lambda.
 * Returns false when that brings in nobody whom the conditions ask for. */
static void let_in(const rx_group *g, rx_member *m) {
  rx_curvature *model = &m->model;
  double bar = g->options->alpha * fmax(2 * m->lambda - m->before, 0.7 * m->lambda);

  for (size_t j = 0; j < g->p; j++) {
    if (model->place[j] || !(m->scale[j] > 0)) continue;
    if (m->beta[j] == 0 && fabs(m->gradient[j]) < bar) continue;
    model->feature[model->n] = (int)j;
    model->place[j] = (int)++model->n;
  }
}

static bool is_complete(const rx_group *g, const rx_member *m) {
  for (size_t j = 0; j < g->p; j++)
    if (!m->model.place[j] && m->scale[j] > 0 &&
        (m->beta[j] != 0 ||
         fabs(m->gradient[j]) > m->l1 + 0.5 * g->options->tolerance * m->lambda_max))
      return false;
  return true;
}

/* ---- the matrix ---- */

/* Makes room on the owner, with some to spare. */
static rx_status reserve(rx_curvature *model, size_t n_old) {
  size_t n = model->n;
  float *h;

  if (n <= model->stride) return RX_OK;
  size_t stride = (n_old ? n + n / 8 + 64 : n + 32) / 16 * 16 + 16;
  RX_TRY(RX_NEW(&h, "second derivatives", stride * stride));
  for (size_t k = 0; k < n_old; k++)
    memcpy(h + k * stride, model->h + k * model->stride, n_old * sizeof *h);
  free(model->h);
  model->h = h;
  model->stride = stride;
  return RX_OK;
}

/* Copies the features of the rows of a strip that count, times their root; returns how many rows.
 * sums  of features from first on, added to */
static size_t gather(const rx_group *g, const rx_curvature *model, size_t at, size_t n,
                     double *sums, size_t first) {
  size_t filled = 0, end = at + STRIP < g->set->n_local ? at + STRIP : g->set->n_local;

  for (; at < end; at++) {
    const float *restrict z = g->set->z + at * g->p;
    float root = model->root[at], *restrict to = g->rows + filled * n;
    if (root <= 0) continue;
    for (size_t k = 0; k < n; k++) to[k] = root * z[model->feature[k]];
    for (size_t k = first; k < n; k++) sums[k] += rx_newton_grid((double)(root * to[k]));
    filled++;
  }
  return filled;
}

/* Works out rows [first, first + count) of the lower triangle, and their sums: a strip in single
 * precision, the sum over strips in double on a grid, so that it is exact. Collective. */
static void add_tile(rx_group *g, rx_member *m, size_t first, size_t count) {
  size_t n = first + count, rows;
  int c = (int)count, stride = (int)n, owner = rx_curvature_owner(g, m);
  double *sums = m->model.sum;

  memset(g->tile_sum, 0, count * n * sizeof *g->tile_sum);
  memset(sums + first, 0, count * sizeof *sums);
  for (size_t at = 0; at < g->set->n_local; at += STRIP) {
    if (!(rows = gather(g, &m->model, at, n, sums, first))) continue;
    if (first)
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, c, (int)first, (int)rows, 1,
                  g->rows + first, stride, g->rows, stride, 0, g->tile, stride);
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, c, (int)rows, 1, g->rows + first, stride, 0,
                g->tile + first, stride);
    for (size_t k = 0; k < count; k++) {
      double *restrict sum = g->tile_sum + k * n;
      const float *restrict add = g->tile + k * n;
      for (size_t l = 0; l <= first + k; l++) sum[l] += rx_newton_grid((double)add[l]);
    }
  }
  if (g->n_ranks > 1) {
    bool is_owner = g->rank == owner;
    MPI_Reduce(is_owner ? MPI_IN_PLACE : g->tile_sum, g->tile_sum, c * stride, MPI_DOUBLE, MPI_SUM,
               owner, g->comm);
    MPI_Reduce(is_owner ? MPI_IN_PLACE : sums + first, sums + first, c, MPI_DOUBLE, MPI_SUM, owner,
               g->comm);
  }
}

/* Centres a tile at the weighted means, so that the intercept is out of it, and puts it and its
 * mirror image into the matrix. */
static void install(const rx_group *g, rx_member *m, size_t first, size_t count) {
  static const double ridge = 1e-6; /* equal columns leave rounding on the diagonal */
  rx_curvature *model = &m->model;

  for (size_t k = first; k < first + count; k++) {
    const double *from = g->tile_sum + (k - first) * (first + count);
    for (size_t l = 0; l <= k; l++) {
      double scale = m->scale[model->feature[k]] * m->scale[model->feature[l]];
      double value = (from[l] - model->sum[k] * model->sum[l] / model->total) / scale;
      if (k == l) value += ridge * from[l] / scale;
      model->h[k * model->stride + l] = model->h[l * model->stride + k] = (float)value;
    }
  }
}

/* Works out the matrix for the features from n_old on. Collective. */
static rx_status extend(rx_group *g, rx_member *m, size_t n_old) {
  bool is_owner = g->rank == rx_curvature_owner(g, m);
  rx_status status = is_owner ? reserve(&m->model, n_old) : RX_OK;

  if ((status = RX_AGREE(g->comm, status))) return status;
  for (size_t at = n_old; at < m->model.n; at += TILE) {
    size_t count = m->model.n - at < TILE ? m->model.n - at : TILE;
    add_tile(g, m, at, count);
    if (is_owner) install(g, m, at, count);
  }
  return RX_OK;
}

/* ---- when ---- */

/* Takes the curvature of each row at the present point. Collective. */
static void take_weights(const rx_group *g, rx_member *m) {
  static const double least = 1e-9;
  double total = 0;

  for (size_t r = 0; r < g->set->n_local; r++) {
    double v = rx_newton_weight(g, m, r), mu = 1 / (1 + exp(-(double)m->eta[r]));
    double w = g->options->family == RX_GAUSSIAN ? v : v * fmax(least, mu * (1 - mu));
    m->model.root[r] = (float)sqrt(w);
    total += rx_newton_grid((double)m->model.root[r] * (double)m->model.root[r]);
  }
  MPI_Allreduce(&total, &m->model.total, 1, MPI_DOUBLE, MPI_SUM, g->comm);
}

/* Tells whether the matrix serves so badly that a new one is worth its price. Costs in seconds of a
 * core that does 5e10 useful multiplications a second in a product and 1.5e10 bytes from memory. */
static bool is_slow(const rx_group *g, const rx_member *m) {
  static const double product = 5e10, bytes = 1.5e10, fresh_rate = 0.05;
  double rows = (double)g->set->n_rows, n = (double)m->model.n, p = (double)g->p;

  if (g->options->family == RX_GAUSSIAN || m->model.age < 1 || m->n_steps < 2) return false;
  double rate = m->kkt_inside / m->kkt_before;
  double left = g->options->tolerance * m->lambda_max / m->kkt_inside;
  if (left >= 1) return false;
  if (rate >= 0.9) return true;
  double saved = log(left) / log(rate) - log(left) / log(fresh_rate);
  double step = fmax(4 * rows * p / bytes / (double)g->n_list, 2 * rows * p / product) +
                50 * n * n / bytes * 4;
  double price = rows * n * n / 2 / product + 4 * rows * n / bytes;
  return saved * step > 0.7 * price;
}

rx_status rx_curvature_prepare(rx_group *g, rx_member *m) {
  rx_curvature *model = &m->model;

  if (model->age < 0 || is_slow(g, m)) {
    rx_curvature_clear(model);
    take_weights(g, m);
    let_in(g, m);
    model->age = 0;
    return extend(g, m, 0);
  }
  if (is_complete(g, m)) return RX_OK;
  size_t n_old = model->n;
  let_in(g, m);
  return extend(g, m, n_old);
}
