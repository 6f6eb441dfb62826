/* The second derivatives of a problem: made from the rows, extended, renewed when they have aged.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { TILE = RX_NEWTON_TILE, STRIP = RX_NEWTON_STRIP, PANEL = RX_NEWTON_PANEL };

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
  double bar = g->options->alpha * fmax(2 * m->lambda - m->before, 0.9 * m->lambda);

  for (size_t j = 0; j < g->p; j++) {
    if (model->place[j] || !(m->scale[j] > 0)) continue;
    if (m->beta[j] == 0 && fabs(m->gradient[j]) < bar) continue;
    model->feature[model->n] = (int)j;
    model->place[j] = (int)++model->n;
  }
}

/* Tells whether nobody is missed: those outside who ask for little can wait for the next step. */
static bool is_complete(const rx_group *g, const rx_member *m) {
  static const double little = 0.5;
  double bar = g->options->tolerance * m->lambda_max;

  if (m->n_steps) bar = fmax(bar, little * m->kkt_inside);
  for (size_t j = 0; j < g->p; j++)
    if (!m->model.place[j] && m->scale[j] > 0 && fabs(m->gradient[j]) > m->l1 + 0.5 * bar)
      return false;
  return true;
}

/* ---- the matrix ---- */

/* Makes room on the owner, with some to spare. */
static rx_status reserve(rx_curvature *model, size_t n_old) {
  size_t n = model->n;
  float *h;

  if (n <= model->stride) return RX_OK;
  size_t stride = (n_old ? n + n / 16 + 32 : n + 32) / 16 * 16 + 16;
  RX_TRY(RX_NEW(&h, "second derivatives", stride * stride));
  for (size_t k = 0; k < n_old; k++)
    memcpy(h + k * stride, model->h + k * model->stride, n_old * sizeof *h);
  free(model->h);
  model->h = h;
  model->stride = stride;
  return RX_OK;
}

/* Packs the features of the next rows that count, times their root; returns how many rows. The sums
 * of features from first on are added to. */
static size_t pack(const rx_group *g, rx_curvature *model, size_t at, size_t n, size_t first) {
  void (*pack_row)(float *, float *, const float *, const int *, size_t, float) =
      RX_ISA_PICK(g->options->isa, rx_newton_pack);
  size_t filled = 0, end = at + STRIP * (size_t)model->every;

  if (end > g->set->n_local) end = g->set->n_local;
  memset(g->pack_sum, 0, n * sizeof *g->pack_sum);
  for (; at < end; at++)
    if (model->root[at] > 0)
      pack_row(g->packed + PANEL * filled++, g->pack_sum, g->set->z + at * g->p, model->feature, n,
               model->root[at]);
  for (size_t k = first; k < n; k++) model->sum[k] += rx_newton_grid((double)g->pack_sum[k]);
  return filled;
}

/* Works out rows [first, first + count) of the lower triangle, and their sums; first is the first
 * of a panel. A strip is added up in single precision, strips in double on a grid, exactly.
 * Collective. */
static void add_tile(rx_group *g, rx_member *m, size_t first, size_t count) {
  void (*square)(double *, size_t, const float *, size_t, size_t, size_t) =
      RX_ISA_PICK(g->options->isa, rx_newton_square);
  size_t n = first + count, rows, panels = (count + PANEL - 1) / PANEL;
  size_t stride = first + panels * PANEL;
  int owner = rx_curvature_owner(g, m);
  double *sums = m->model.sum;

  memset(g->tile, 0, panels * PANEL * stride * sizeof *g->tile);
  memset(sums + first, 0, count * sizeof *sums);
  for (size_t at = 0; at < g->set->n_local; at += STRIP * (size_t)m->model.every)
    if ((rows = pack(g, &m->model, at, n, first)) > 0)
      square(g->tile, stride, g->packed, rows, first / PANEL, panels);
  if (g->n_ranks > 1) {
    bool is_owner = g->rank == owner;
    MPI_Reduce(is_owner ? MPI_IN_PLACE : g->tile, g->tile, (int)(count * stride), MPI_DOUBLE,
               MPI_SUM, owner, g->comm);
    MPI_Reduce(is_owner ? MPI_IN_PLACE : sums + first, sums + first, (int)count, MPI_DOUBLE,
               MPI_SUM, owner, g->comm);
  }
}

/* Centres a tile at the weighted means, so that the intercept is out of it, and puts it and its
 * mirror image into the matrix. */
static void install(const rx_group *g, rx_member *m, size_t first, size_t count) {
  static const double ridge = 1e-6; /* equal columns leave rounding on the diagonal */
  rx_curvature *model = &m->model;
  size_t stride = first + (count + PANEL - 1) / PANEL * PANEL;

  for (size_t k = first; k < first + count; k++) {
    const double *from = g->tile + (k - first) * stride;
    for (size_t l = 0; l <= k; l++) {
      double scale = m->scale[model->feature[k]] * m->scale[model->feature[l]];
      double value = (from[l] - model->sum[k] * model->sum[l] / model->total) / scale;
      if (k == l) value += ridge * from[l] / scale;
      model->h[k * model->stride + l] = model->h[l * model->stride + k] = (float)value;
    }
  }
}

/* Works out the matrix for the features from n_old on, those before in the same panel once more.
 * Collective. */
static rx_status extend(rx_group *g, rx_member *m, size_t n_old) {
  bool is_owner = g->rank == rx_curvature_owner(g, m);
  if (is_owner && m->model.n > m->model.stride) { /* no need of both at the same time */
    free(g->factor);
    g->factor = NULL;
    g->n_factor = 0;
  }
  rx_status status = is_owner ? reserve(&m->model, n_old) : RX_OK;

  if ((status = RX_AGREE(g->comm, status))) return status;
  for (size_t at = n_old / PANEL * PANEL; at < m->model.n; at += TILE) {
    size_t count = m->model.n - at < TILE ? m->model.n - at : TILE;
    add_tile(g, m, at, count);
    if (is_owner) install(g, m, at, count);
  }
  return RX_OK;
}

/* ---- when ---- */

/* Takes the curvature of each row at the present point, or of every second or fourth row where many
 * more remain than features: what is lost in the matrix by that costs less in steps than it saves.
 * Collective. */
static void take_weights(const rx_group *g, rx_member *m) {
  enum { FEW = 600 }; /* features whose matrix costs less than the steps that it saves */
  static const double least = 1e-9;
  double total = 0;
  size_t share = m->model.n < FEW ? 1 : g->set->n_rows / (6 * m->model.n + 4096);

  m->model.every = share >= 4 ? 4 : share >= 2 ? 2 : 1;

  for (size_t r = 0; r < g->set->n_local; r++) {
    m->model.root[r] = 0;
    if ((g->set->first + r) % (size_t)m->model.every) continue;
    double v = rx_newton_weight(g, m, r), mu = 1 / (1 + exp(-(double)m->eta[r]));
    double w = g->options->family == RX_GAUSSIAN ? v : v * fmax(least, mu * (1 - mu));
    m->model.root[r] = (float)sqrt(w);
    total += rx_newton_grid((double)m->model.root[r] * (double)m->model.root[r]);
  }
  MPI_Allreduce(&total, &m->model.total, 1, MPI_DOUBLE, MPI_SUM, g->comm);
}

/* Tells whether the matrix serves so badly that a new one is worth its price. Costs in seconds of a
 * core that does 6e10 useful multiplications a second in a product and gets 1.5e10 bytes from
 * memory. */
static bool is_slow(const rx_group *g, const rx_member *m) {
  static const double product = 6e10, bytes = 1.5e10, fresh_rate = 0.02;
  double n = (double)m->model.n, p = (double)g->p, all = (double)g->set->n_rows;
  double rows = all / m->model.every;

  if (g->options->family == RX_GAUSSIAN || m->model.age < 1 || m->n_steps < 2) return false;
  double rate =
      m->n_steps > 2 ? sqrt(m->kkt_inside / m->kkt_before[1]) : m->kkt_inside / m->kkt_before[0];
  double left = g->options->tolerance * m->lambda_max / m->kkt_inside;
  if (left >= 1) return false;
  if (rate >= 0.9) return true;
  if (m->model.every > 1 && m->model.age < 4) return false; /* another would be no better */
  double saved = log(left) / log(rate) - log(left) / log(fresh_rate);
  double step =
      fmax(4 * all * p / bytes / (double)g->n_list, 2 * all * p / product) + 50 * n * n / bytes * 4;
  double price = rows * n * n / 2 / product + 4 * rows * n / bytes;
  return saved * step > 0.5 * price;
}

rx_status rx_curvature_prepare(rx_group *g, rx_member *m) {
  rx_curvature *model = &m->model;

  if (model->age < 0 || is_slow(g, m)) {
    rx_curvature_clear(model);
    let_in(g, m);
    take_weights(g, m);
    model->age = 0;
    m->has_last = false;
    return extend(g, m, 0);
  }
  if (is_complete(g, m)) return RX_OK;
  m->has_last = false;
  size_t n_old = model->n;
  let_in(g, m);
  return extend(g, m, n_old);
}
