#include "reml.h"

#include "lanes.h"
#include "radmix/isa.h"

enum { MOST_STEPS = 24 };

/* The sums of reml.h at each lane's own lambda. */
typedef struct {
  lanes g1, g2, g3, x1, x2, x3, y1, y2, y3, t1, t2;
} sums;

/* What Newton's method on H needs. */
typedef struct {
  lanes height; /* F = -R f' */
  lanes step;   /* to the next lambda, before lambda >= 0 is asked for */
} newton;

static inline void add_dets(const rx_reml_space *space, lanes lambda, sums *s) {
  s->t1 = s->t2 = lanes_of(0.0);
  for (int j = 0; j < space->n_dets; j++) {
    lanes w = 1.0 / (lambda + space->det[j]);
    s->t1 += w;
    s->t2 = lanes_fma(w, w, s->t2);
  }
}

/* y [n], one feature; g [n][RX_LANES], stride RX_REML_LANES */
static inline sums sum_pairs(const rx_reml_space *space, lanes lambda, const double *restrict y,
                             const double *restrict g) {
  sums s = {0};

  for (int j = 0; j < space->n; j++) {
    lanes factor = lanes_load(g + (size_t)j * RX_REML_LANES);
    lanes w = 1.0 / (lambda + space->pole[j]);
    lanes wg = w * factor, wy = w * y[j], wwg = w * wg, wwy = w * wy;
    s.g1 = lanes_fma(wg, factor, s.g1);
    s.x1 = lanes_fma(wg, lanes_of(y[j]), s.x1);
    s.y1 = lanes_fma(wy, lanes_of(y[j]), s.y1);
    s.g2 = lanes_fma(wg, wg, s.g2);
    s.x2 = lanes_fma(wg, wy, s.x2);
    s.y2 = lanes_fma(wy, wy, s.y2);
    s.g3 = lanes_fma(wwg, wg, s.g3);
    s.x3 = lanes_fma(wwg, wy, s.x3);
    s.y3 = lanes_fma(wwy, wy, s.y3);
    s.t1 += w;
    s.t2 = lanes_fma(w, w, s.t2);
  }
  if (space->is_ml) add_dets(space, lambda, &s);
  return s;
}

/* y [n][RX_LANES], several features without a factor */
static inline sums sum_features(const rx_reml_space *space, lanes lambda,
                                const double *restrict y) {
  sums s = {0};

  for (int j = 0; j < space->n; j++) {
    lanes feature = lanes_load(y + (size_t)j * RX_REML_LANES);
    lanes w = 1.0 / (lambda + space->pole[j]), wy = w * feature;
    s.y1 = lanes_fma(wy, feature, s.y1);
    s.y2 = lanes_fma(wy, wy, s.y2);
    s.y3 = lanes_fma(w * wy, wy, s.y3);
    s.t1 += w;
    s.t2 = lanes_fma(w, w, s.t2);
  }
  if (space->is_ml) add_dets(space, lambda, &s);
  return s;
}

/* One step on H(v) = v^2 F(v): -v F / (2 F + v F'). Where H rises there is no minimum ahead: then a
 * large step down the slope of f. R'' is that of the residuals with the factor refitted. */
static inline newton step_from(lanes v, lanes n_free, lanes r, lanes r_slope, lanes r_curve,
                               lanes t, lanes t_slope) {
  newton next;
  lanes height = lanes_fma(-n_free, r_slope, -t * r);
  lanes height_slope = lanes_fma(-n_free, r_curve, -lanes_fma(t_slope, r, t * r_slope));
  lanes turn = lanes_fma(v, height_slope, height + height);
  lanes down = lanes_select(height > 0.0, 4.0 * v, -0.75 * v);

  next.height = height;
  next.step = lanes_select(turn < 0.0, -v * height / turn, down);
  next.step = lanes_min(lanes_max(next.step, -0.9 * v), 9.0 * v);
  return next;
}

static inline newton step_pairs(const rx_reml_space *space, lanes within, lanes lambda,
                                const sums *s) {
  const double counts = space->is_ml ? 0.0 : 1.0;
  lanes inverse = 1.0 / s->g1, beta = s->x1 * inverse, ratio = s->g2 * inverse;
  lanes r = lanes_fma(-beta, s->x1, within + s->y1);
  lanes bend = lanes_fma(-beta, s->g2, s->x2); /* X_2 - beta G_2 */
  lanes r_slope = -lanes_fma(-beta, s->x2 + bend, s->y2);
  lanes cube = lanes_fma(beta, lanes_fma(beta, s->g3, -(s->x3 + s->x3)), s->y3);
  lanes r_curve = 2.0 * lanes_fma(-bend * inverse, bend, cube);
  lanes t = lanes_fma(lanes_of(-counts), ratio, s->t1);
  lanes t_slope = counts * lanes_fma(-ratio, ratio, 2.0 * s->g3 * inverse) - s->t2;
  return step_from(lambda + space->mean_pole, lanes_of(space->n_free - counts), r, r_slope, r_curve,
                   t, t_slope);
}

static inline newton step_features(const rx_reml_space *space, lanes within, lanes lambda,
                                   const sums *s) {
  return step_from(lambda + space->mean_pole, lanes_of(space->n_free), within + s->y1, -s->y2,
                   s->y3 + s->y3, s->t1, -s->t2);
}

/* A step d so small that what it leaves, of the order d^2, is below 1e-12 of lambda; or, close to
 * lambda = 0, below what double precision knows of v. */
static inline lanes_mask is_last(const rx_reml_space *space, lanes lambda, lanes step) {
  lanes reach = lambda + space->least_pole, floor = 1e-14 * (lambda + space->mean_pole);
  return (step * step <= 1e-12 * (lambda * reach)) | (lanes_abs(step) <= floor);
}

/* The sums after a last step, by their Taylor series: d w is below 1e-6. */
static inline sums move_on(const sums *s, lanes d) {
  sums m = *s;
  m.g1 = lanes_fma(d, lanes_fma(d, s->g3, -s->g2), s->g1);
  m.x1 = lanes_fma(d, lanes_fma(d, s->x3, -s->x2), s->x1);
  m.y1 = lanes_fma(d, lanes_fma(d, s->y3, -s->y2), s->y1);
  m.g2 = lanes_fma(-2.0 * d, s->g3, s->g2);
  m.x2 = lanes_fma(-2.0 * d, s->x3, s->x2);
  m.y2 = lanes_fma(-2.0 * d, s->y3, s->y2);
  m.t1 = lanes_fma(-d, s->t2, s->t1);
  return m;
}

static inline void store(rx_reml_fits *fits, int lane, lanes_mask mask, lanes lambda,
                         const sums *s) {
#define PUT(member, value) \
  lanes_store(fits->member + lane, lanes_select(mask, value, lanes_load(fits->member + lane)))
  PUT(lambda, lambda);
  PUT(g1, s->g1);
  PUT(g2, s->g2);
  PUT(g3, s->g3);
  PUT(x1, s->x1);
  PUT(x2, s->x2);
  PUT(x3, s->x3);
  PUT(y1, s->y1);
  PUT(y2, s->y2);
  PUT(y3, s->y3);
  PUT(t1, s->t1);
  PUT(t2, s->t2);
  PUT(is_found, lanes_of(1.0));
#undef PUT
}

/* The powers of the weights at the lambda of the feature without a factor, common to all factors.
 */
typedef struct {
  const double *w1, *w2, *w3, *yw1, *yw2, *yw3; /* [n] */
  double y1, y2, y3, t1, t2;
} shared;

static shared share(const rx_reml_space *space, const double *restrict y, double lambda,
                    double *restrict work) {
  const size_t n = (size_t)space->n;
  double *w1 = work, *w2 = work + n, *w3 = work + 2 * n;
  double *yw1 = work + 3 * n, *yw2 = work + 4 * n, *yw3 = work + 5 * n;
  shared s = {w1, w2, w3, yw1, yw2, yw3, 0, 0, 0, 0, 0};

  for (size_t j = 0; j < n; j++) {
    double w = 1 / (lambda + space->pole[j]);
    w1[j] = w;
    w2[j] = w * w;
    w3[j] = w * w * w;
    yw1[j] = y[j] * w;
    yw2[j] = y[j] * w2[j];
    yw3[j] = y[j] * w3[j];
  }
  for (size_t j = 0; j < n; j++) {
    s.y1 += yw1[j] * y[j];
    s.y2 += yw2[j] * y[j];
    s.y3 += yw3[j] * y[j];
    s.t1 += w1[j];
    s.t2 += w2[j];
  }
  if (!space->is_ml) return s;
  s.t1 = s.t2 = 0;
  for (int j = 0; j < space->n_dets; j++) {
    double w = 1 / (lambda + space->det[j]);
    s.t1 += w;
    s.t2 += w * w;
  }
  return s;
}

static inline sums sum_shared(const rx_reml_space *space, const shared *common,
                              const double *restrict y, const double *restrict g, lanes *x0) {
  sums s = {.y1 = lanes_of(common->y1),
            .y2 = lanes_of(common->y2),
            .y3 = lanes_of(common->y3),
            .t1 = lanes_of(common->t1),
            .t2 = lanes_of(common->t2)};
  lanes product = lanes_of(0.0);

  for (int j = 0; j < space->n; j++) {
    lanes factor = lanes_load(g + (size_t)j * RX_REML_LANES), square = factor * factor;
    s.g1 = lanes_fma(square, lanes_of(common->w1[j]), s.g1);
    s.g2 = lanes_fma(square, lanes_of(common->w2[j]), s.g2);
    s.g3 = lanes_fma(square, lanes_of(common->w3[j]), s.g3);
    s.x1 = lanes_fma(factor, lanes_of(common->yw1[j]), s.x1);
    s.x2 = lanes_fma(factor, lanes_of(common->yw2[j]), s.x2);
    s.x3 = lanes_fma(factor, lanes_of(common->yw3[j]), s.x3);
    product = lanes_fma(factor, lanes_of(y[j]), product);
  }
  *x0 = product;
  return s;
}

/* Eight fits, RX_LANES at a time. A lane that has come to its end is stored and not looked at
 * again, so that it does not depend on the others. */
static inline void fit_lanes(const rx_reml_space *space, const shared *common,
                             const double *restrict y, double within, double lambda_null,
                             const double *restrict g, int lane, rx_reml_fits *restrict fits) {
  lanes lambda = lanes_of(lambda_null), x0;
  sums s = sum_shared(space, common, y, g, &x0);
  lanes_mask is_open = lanes_of(0.0) == 0.0;

  lanes_store(fits->x0 + lane, x0);
  for (int step = 0; step < MOST_STEPS; step++) {
    newton next = step_pairs(space, lanes_of(within), lambda, &s);
    lanes_mask is_boundary = (lambda == 0.0) & (next.height <= 0.0);
    lanes_mask ends = is_open & (is_boundary | is_last(space, lambda, next.step));
    if (lanes_any(ends)) {
      lanes d = lanes_select(is_boundary, lanes_of(0.0), lanes_max(next.step, -lambda));
      sums moved = move_on(&s, d);
      store(fits, lane, ends, lambda + d, &moved);
      is_open &= ~ends;
      if (!lanes_any(is_open)) return;
    }
    lambda = lanes_select(is_open, lanes_max(lambda + next.step, lanes_of(0.0)), lambda);
    s = sum_pairs(space, lambda, y, g);
  }
}

void RX_ISA_NAME(rx_reml_fit)(const rx_reml_space *space, const double *restrict y, double within,
                              double lambda_null, size_t n_tiles, const double *restrict g,
                              double *restrict work, rx_reml_fits *restrict fits) {
  const shared common = share(space, y, lambda_null, work);

  for (size_t tile = 0; tile < n_tiles; tile++) {
    const double *factors = g + tile * (size_t)space->n * RX_REML_LANES;
    for (int lane = 0; lane < RX_REML_LANES; lane++) fits[tile].is_found[lane] = 0;
    for (int lane = 0; lane < RX_REML_LANES; lane += RX_LANES)
      fit_lanes(space, &common, y, within, lambda_null, factors + lane, lane, fits + tile);
  }
}

/* Where f' rises through 0 on the grid: the number of such places, and the first one. */
static inline lanes scan(const rx_reml_space *space, const double *restrict y, lanes within,
                         lanes *low, lanes *high) {
  lanes n_minima = lanes_of(0.0);
  lanes_mask was_falling = (lanes_mask){0};

  *low = *high = lanes_of(0.0);
  for (int k = 0; k < RX_REML_GRID; k++) {
    const double *weight = space->grid_weight + (size_t)k * (size_t)space->n;
    lanes y1 = lanes_of(0.0), y2 = lanes_of(0.0);
    for (int j = 0; j < space->n; j++) {
      lanes feature = lanes_load(y + (size_t)j * RX_REML_LANES), wy = weight[j] * feature;
      y1 = lanes_fma(wy, feature, y1);
      y2 = lanes_fma(wy, wy, y2);
    }
    lanes_mask is_rising = space->n_free * y2 <= space->grid_det[k] * (within + y1);
    lanes_mask is_minimum = is_rising & (k ? was_falling : ~was_falling);
    lanes_mask is_first = is_minimum & (n_minima == 0.0);
    *low = lanes_select(is_first, lanes_of(space->grid[k ? k - 1 : 0]), *low);
    *high = lanes_select(is_first, lanes_of(space->grid[k]), *high);
    n_minima += lanes_select(is_minimum, lanes_of(1.0), lanes_of(0.0));
    was_falling = ~is_rising;
  }
  return n_minima;
}

static inline void find_null(const rx_reml_space *space, const double *restrict y, lanes within,
                             double *restrict lambda_out, double *restrict n_minima_out) {
  lanes low, high, n_minima = scan(space, y, within, &low, &high), lambda = high;

  lanes_mask is_open = n_minima > 0.0;
  for (int step = 0; step < 60 && lanes_any(is_open); step++) {
    sums s = sum_features(space, lambda, y);
    newton next = step_features(space, within, lambda, &s);
    lanes_mask is_left = next.height > 0.0; /* f falls: the minimum is further on */
    low = lanes_select(is_left, lambda, low);
    high = lanes_select(is_left, high, lambda);
    lanes to = lambda + next.step;
    to = lanes_select((to < low) | (to > high), 0.5 * (low + high), to);
    lanes_mask is_moving = lanes_abs(to - lambda) > 1e-14 * (lambda + space->mean_pole);
    lambda = lanes_select(is_open, to, lambda);
    is_open &= is_moving;
  }
  lanes_store(lambda_out, lambda);
  lanes_store(n_minima_out, n_minima);
}

void RX_ISA_NAME(rx_reml_null)(const rx_reml_space *space, const double *restrict y,
                               const double *restrict within, double *restrict lambda,
                               double *restrict n_minima) {
  for (int lane = 0; lane < RX_REML_LANES; lane += RX_LANES)
    find_null(space, y + lane, lanes_load(within + lane), lambda + lane, n_minima + lane);
}
