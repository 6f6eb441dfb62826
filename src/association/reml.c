#include "reml.h"

#include <math.h>
#include <string.h>

#include "radmix/memory.h"

rx_status rx_reml_space_create(const rx_contrasts *contrasts, bool is_ml, rx_reml_space **out) {
  rx_reml_space *space;
  rx_status status;

  *out = NULL;
  if ((status = RX_NEW(&space, "associate: variance ratios", 1))) return status;
  space->n = contrasts->n;
  space->pole = contrasts->pole;
  space->is_ml = is_ml;
  space->n_dets = is_ml ? contrasts->n_patients : contrasts->n;
  space->det = is_ml ? contrasts->inverse_rows : contrasts->pole;
  const int n_columns = contrasts->n_columns + contrasts->n_images;
  space->n_free = contrasts->n_rows - (is_ml ? 0 : n_columns);
  space->mean_pole = contrasts->mean_pole;
  space->least_pole = contrasts->least_pole;
  status = RX_NEW(&space->grid_weight, "associate: variance ratios",
                  RX_REML_GRID * (size_t)contrasts->n);
  if (status) {
    free(space);
    return status;
  }
  for (int k = 0; k < RX_REML_GRID; k++) {
    double *weight = space->grid_weight + (size_t)k * (size_t)space->n;
    space->grid[k] = k ? space->mean_pole * pow(10, -7 + 0.25 * (k - 1)) : 0;
    for (int j = 0; j < space->n; j++) weight[j] = 1 / (space->grid[k] + space->pole[j]);
    for (int j = 0; j < space->n_dets; j++)
      space->grid_det[k] += 1 / (space->grid[k] + space->det[j]);
  }
  *out = space;
  return RX_OK;
}

void rx_reml_space_destroy(rx_reml_space **space) {
  if (*space) free((*space)->grid_weight);
  free(*space);
  *space = NULL;
}

typedef struct {
  const rx_reml_space *space;
  const double *g, *y;
  double within;
} problem;

static void sum_at(const problem *of, double lambda, int lane, rx_reml_fits *fits) {
  const rx_reml_space *space = of->space;
  double g[4] = {0}, x[4] = {0}, y[4] = {0}, t1 = 0, t2 = 0;

  for (int j = 0; j < space->n; j++) {
    double w = 1 / (lambda + space->pole[j]), power = 1;
    double factor = of->g ? of->g[j] : 0, feature = of->y[j];
    for (int k = 0; k < 4; k++, power *= w) {
      g[k] += power * factor * factor;
      x[k] += power * factor * feature;
      y[k] += power * feature * feature;
    }
  }
  for (int j = 0; j < space->n_dets; j++) {
    double w = 1 / (lambda + space->det[j]);
    t1 += w;
    t2 += w * w;
  }
  fits->lambda[lane] = lambda;
  fits->g1[lane] = g[1], fits->g2[lane] = g[2], fits->g3[lane] = g[3];
  fits->x1[lane] = x[1], fits->x2[lane] = x[2], fits->x3[lane] = x[3];
  fits->y1[lane] = y[1], fits->y2[lane] = y[2], fits->y3[lane] = y[3];
  fits->t1[lane] = t1, fits->t2[lane] = t2;
  fits->x0[lane] = x[0];
}

/* f' of reml.h, from the sums. */
static double slope(const problem *of, int lane, const rx_reml_fits *fits) {
  const bool is_reml = !of->space->is_ml;
  double beta = of->g ? fits->x1[lane] / fits->g1[lane] : 0;
  double r = of->within + fits->y1[lane] - beta * fits->x1[lane];
  double r_slope = -(fits->y2[lane] - 2 * beta * fits->x2[lane] + beta * beta * fits->g2[lane]);
  double t = fits->t1[lane] - (of->g && is_reml ? fits->g2[lane] / fits->g1[lane] : 0);
  return (of->space->n_free - (of->g && is_reml ? 1 : 0)) * r_slope / r + t;
}

static double slope_at(const problem *of, double lambda, rx_reml_fits *scratch) {
  sum_at(of, lambda, 0, scratch);
  return slope(of, 0, scratch);
}

/* f of reml.h, from the sums. */
static double deviance(const problem *of, int lane, const rx_reml_fits *fits) {
  const rx_reml_space *space = of->space;
  const bool counts = of->g && !space->is_ml;
  double beta = of->g ? fits->x1[lane] / fits->g1[lane] : 0;
  double r = of->within + fits->y1[lane] - beta * fits->x1[lane], log_det = 0;

  for (int j = 0; j < space->n_dets; j++) log_det += log(fits->lambda[lane] + space->det[j]);
  return (space->n_free - counts) * log(r) + log_det + (counts ? log(fits->g1[lane]) : 0);
}

/* The root of f' between two lambda where it rises through 0. */
static double bisect(const problem *of, double low, double high, rx_reml_fits *scratch) {
  for (int step = 0; step < 200; step++) {
    double middle = high > 4 * low && low > 0 ? sqrt(low * high) : low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (slope_at(of, middle, scratch) < 0)
      low = middle;
    else
      high = middle;
  }
  return low + (high - low) / 2;
}

int rx_reml_search(const rx_reml_space *space, const double *g, const double *y, double within,
                   int lane, rx_reml_fits *fits) {
  const problem of = {space, g, y, within};
  double best = 0, lowest = INFINITY, before = 0;
  rx_reml_fits scratch;
  int n_minima = 0;

  for (int k = 0; k < RX_REML_GRID; k++) {
    double here = slope_at(&of, space->grid[k], &scratch);
    bool is_minimum = here >= 0 && (k == 0 || before < 0);
    before = here;
    if (!is_minimum) continue;
    double lambda = k ? bisect(&of, space->grid[k - 1], space->grid[k], &scratch) : 0;
    sum_at(&of, lambda, 0, &scratch);
    double value = deviance(&of, 0, &scratch);
    n_minima++;
    if (value >= lowest) continue;
    lowest = value;
    best = lambda;
  }
  sum_at(&of, best, lane, fits);
  fits->is_found[lane] = n_minima > 0;
  return n_minima;
}
