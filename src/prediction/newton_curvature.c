/* The second derivatives of a problem: made from the rows, extended, renewed when they have aged.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/newton_parts.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

enum { STRIP = RX_NEWTON_STRIP, PANEL = RX_NEWTON_PANEL };

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
  model->n = model->n_made = model->stride = 0;
  model->age = -1;
}

void rx_curvature_destroy(rx_curvature *model) {
  free(model->feature);
  free(model->place);
  free(model->h);
  free(model->sum);
  free(model->root);
  *model = (rx_curvature){.age = -1};
}

/* The rank with the least work takes a new matrix: the work of a step grows with the square. */
static int choose_owner(const rx_group *g) {
  double least = 0;
  int owner = 0;

  for (int rank = 0; rank < g->n_ranks; rank++) {
    double work = 0;
    for (size_t k = 0; k < g->n_members; k++) {
      const rx_curvature *model = &g->members[k].model;
      if (rx_newton_is_working(&g->members[k]) && model->age >= 0 && model->owner == rank)
        work += (double)model->n * (double)model->n;
    }
    if (rank && work >= least) continue;
    least = work;
    owner = rank;
  }
  return owner;
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

void rx_curvature_mirror(float *h, size_t stride, size_t first, size_t end) {
  enum { BLOCK = 16 };

  for (size_t l = first; l < end; l += BLOCK)
    for (size_t k = 0; k < l + BLOCK && k < end; k += BLOCK)
      for (size_t i = k; i < k + BLOCK && i < end; i++)
        for (size_t j = l > i ? l : i + 1; j < l + BLOCK && j < end; j++)
          h[i * stride + j] = h[j * stride + i];
}

/* Makes room on the owner, with some to spare. The old matrix goes to the new one by way of its
 * lower triangle, so that there are never two. */
static rx_status reserve(rx_curvature *model) {
  size_t n = model->n, n_old = model->n_made, at = 0;
  float *triangle;

  if (n <= model->stride) return RX_OK;
  size_t stride = (n_old ? n + n / 12 + 48 : n + n / 16 + 48) / 16 * 16;
  RX_TRY(RX_NEW(&triangle, "second derivatives", n_old * (n_old + 1) / 2));
  for (size_t k = 0; k < n_old; at += ++k)
    memcpy(triangle + at, model->h + k * model->stride, (k + 1) * sizeof *triangle);
  free(model->h);
  model->stride = 0;
  rx_status status = RX_NEW(&model->h, "second derivatives", stride * stride);
  at = 0;
  for (size_t k = 0; k < n_old && !status; at += ++k)
    memcpy(model->h + k * stride, triangle + at, (k + 1) * sizeof *triangle);
  if (!status) rx_curvature_mirror(model->h, stride, 0, n_old);
  free(triangle);
  if (!status) model->stride = stride;
  return status;
}

static size_t pad(size_t n) {
  return (n + PANEL - 1) / PANEL * PANEL;
}

/* Packs the features of the next rows that count, times their root; returns how many rows. The sums
 * of features from first on are added to. */
static size_t pack(const rx_group *g, rx_curvature *model, size_t at, size_t n, size_t first) {
  void (*pack_row)(float *, float *, const float *, const int *, size_t, size_t, float) =
      RX_ISA_PICK(g->options->isa, rx_newton_pack);
  size_t filled = 0, end = at + STRIP * (size_t)model->every;

  if (end > g->set->n_local) end = g->set->n_local;
  memset(g->pack_sum, 0, n * sizeof *g->pack_sum);
  for (; at < end; at++)
    if (model->root[at] > 0)
      pack_row(g->packed + PANEL * filled++, g->pack_sum, g->set->z + at * g->p, model->feature, n,
               first, model->root[at]);
  for (size_t k = first; k < n; k++) model->sum[k] += rx_newton_grid((double)g->pack_sum[k]);
  return filled;
}

/* Adds one strip of rows to the tiles of all members whose strips begin there, while the rows are
 * near. A strip is added up in single precision, strips in double on a grid, exactly. */
static void add_strip(rx_group *g, size_t at) {
  void (*square)(double *, size_t, const float *, size_t, size_t, size_t) =
      RX_ISA_PICK(g->options->isa, rx_newton_square);

  for (size_t k = 0; k < g->n_tiles; k++) {
    const rx_newton_tile *t = &g->tiles[k];
    rx_curvature *model = &g->members[t->member].model;
    if (at % (STRIP * (size_t)model->every)) continue;
    size_t rows = pack(g, model, at, t->first + t->count, t->first);
    if (rows) square(t->sum, t->stride, g->packed, rows, t->first / PANEL, pad(t->count) / PANEL);
  }
}

/* Centres a tile at the weighted means, so that the intercept is out of it, and puts it and its
 * mirror image into the matrix. */
static void install(const rx_group *g, const rx_member *m, const rx_newton_tile *t) {
  static const double ridge = 1e-6; /* equal columns leave rounding on the diagonal */
  const rx_curvature *model = &m->model;
  size_t end = t->first + t->count;
  double *restrict factor = g->room, *restrict mean = g->room + g->p;

  for (size_t k = 0; k < end; k++) factor[k] = 1 / m->scale[model->feature[k]];
  for (size_t k = 0; k < end; k++) mean[k] = model->sum[k] / model->total;
  for (size_t k = t->first; k < end; k++) {
    const double *from = t->sum + (k - t->first) * t->stride;
    float *restrict to = model->h + k * model->stride;
    for (size_t l = 0; l <= k; l++)
      to[l] = (float)((from[l] - model->sum[k] * mean[l]) * (factor[k] * factor[l]));
    to[k] += (float)(ridge * from[k] * factor[k] * factor[k]);
  }
  rx_curvature_mirror(model->h, model->stride, t->first, end);
}

/* Adds up over ranks on one of them, piece by piece: MPI needs room for as much again. Collective.
 */
static void sum_on(const rx_group *g, int owner, double *values, size_t n) {
  enum { PIECE = 1 << 16 };

  for (size_t at = 0; at < n && g->n_ranks > 1; at += PIECE) {
    int count = (int)(n - at < PIECE ? n - at : PIECE);
    MPI_Reduce(g->rank == owner ? MPI_IN_PLACE : values + at, values + at, count, MPI_DOUBLE,
               MPI_SUM, owner, g->comm);
  }
}

/* Works out the products of the tiles, and hands them to the owners. Collective. */
static void make_tiles(rx_group *g) {
  for (size_t k = 0; k < g->n_tiles; k++) {
    const rx_newton_tile *t = &g->tiles[k];
    memset(t->sum, 0, pad(t->count) * t->stride * sizeof *t->sum);
    memset(g->members[t->member].model.sum + t->first, 0, t->count * sizeof *t->sum);
  }
  for (size_t at = 0; at < g->set->n_local; at += STRIP) add_strip(g, at);
  for (size_t k = 0; k < g->n_tiles; k++) {
    const rx_newton_tile *t = &g->tiles[k];
    rx_member *m = &g->members[t->member];
    sum_on(g, m->model.owner, t->sum, t->count * t->stride);
    sum_on(g, m->model.owner, m->model.sum + t->first, t->count);
    if (g->rank == m->model.owner) install(g, m, t);
    m->model.n_made = t->first + t->count;
  }
}

/* Takes as many features of a member as there is room for, those before in the same panel once
 * more. used: numbers of the room. Returns false when there is none. */
static bool add_tile(rx_group *g, size_t member, size_t *used) {
  const rx_curvature *model = &g->members[member].model;
  size_t first = model->n_made / PANEL * PANEL, count = 0, left = g->n_room - *used;

  while (first + count < model->n && (count + PANEL) * (first + count + PANEL) <= left)
    count += PANEL;
  if (!count) return false;
  if (first + count > model->n) count = model->n - first;
  size_t stride = first + pad(count);
  g->tiles[g->n_tiles++] = (rx_newton_tile){member, first, count, stride, g->tile_room + *used};
  *used += pad(count) * stride;
  return true;
}

static bool wants_room(const rx_group *g, const rx_member *m) {
  return rx_newton_is_working(m) && m->model.owner == g->rank && m->model.n > m->model.stride;
}

/* Room for the matrices of this rank, for tiles, and for the most features that are packed. What is
 * only used in between makes way first. */
static rx_status reserve_all(rx_group *g) {
  size_t most = 0;

  for (size_t k = 0; k < g->n_members; k++) {
    if (!wants_room(g, &g->members[k])) continue;
    free(g->tile_room);
    free(g->packed);
    g->tile_room = NULL;
    g->packed = NULL;
    g->n_packed = 0;
    RX_TRY(reserve(&g->members[k].model));
  }
  for (size_t k = 0; k < g->n_members; k++)
    if (g->members[k].model.n > most) most = g->members[k].model.n;
  if (!g->tile_room) RX_TRY(RX_NEW(&g->tile_room, "second derivatives", g->n_room));
  if (pad(most) <= g->n_packed) return RX_OK;
  free(g->packed);
  g->packed = NULL;
  g->n_packed = 0;
  RX_TRY(RX_NEW(&g->packed, "rows", RX_NEWTON_STRIP * pad(most + most / 8)));
  g->n_packed = pad(most + most / 8);
  return RX_OK;
}

/* Works out what the matrices lack. Collective. */
static rx_status make_matrices(rx_group *g) {
  RX_TRY(RX_AGREE(g->comm, reserve_all(g)));
  for (;;) {
    size_t used = 0;
    g->n_tiles = 0;
    for (size_t k = 0; k < g->n_members; k++)
      if (rx_newton_is_working(&g->members[k]) &&
          g->members[k].model.n_made < g->members[k].model.n)
        if (!add_tile(g, k, &used)) break;
    if (!g->n_tiles) return RX_OK;
    make_tiles(g);
  }
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

/* Says what the matrix of a member shall be made of. Collective. */
static void plan(const rx_group *g, rx_member *m) {
  rx_curvature *model = &m->model;
  bool is_new = model->age < 0 || is_slow(g, m);

  if (!is_new && is_complete(g, m)) return;
  m->has_last = false;
  if (is_new) {
    rx_curvature_clear(model);
    model->owner = choose_owner(g);
  }
  let_in(g, m);
  if (!is_new) return;
  take_weights(g, m);
  model->age = 0;
}

rx_status rx_curvature_prepare(rx_group *g) {
  bool has_less = false;

  for (size_t k = 0; k < g->n_members; k++) {
    rx_member *m = &g->members[k];
    if (rx_newton_is_working(m) && m->wants_step) plan(g, m);
    has_less = has_less || m->model.n_made < m->model.n;
  }
  return has_less ? make_matrices(g) : RX_OK;
}
