#include "prediction/descent.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/isa.h"
#include "radmix/memory.h"

/* A probability this near to 0 or 1 still bends the likelihood (glmnet.control: pmin). */
static const double least_curvature = 1e-9;

typedef struct {
  const rx_lasso_options *options;
  size_t n, n_padded, p; /* rows with weight, the same padded, features */
  double *memory;        /* all arrays of double; owned */
  double *x;             /* [p][n_padded], standardised, 0 in the padding */
  double *mean, *scale;  /* [p]; scale 0 = constant */
  double *y, *v;         /* [n_padded]; v sums to 1 */
  double *eta, *r, *w;   /* [n_padded] linear predictor; v (y - mu); curvature of the loss */
  double *beta, *start;  /* [p], on the standardised scale; before a Newton step */
  double *start_eta;     /* [n_padded] */
  double *h, *gradient;  /* [p] */
  double intercept, y_mean, y_scale;
  int *set, *active;    /* [p] features at work; those of them that are not 0; owned */
  size_t most_active;   /* of the direct solution: min(n, p) */
  double *square;       /* [2][most_active + 1][most_active + 1]; owned */
  double *change;       /* [most_active + 1]; owned */
  unsigned char *is_in; /* [p], of set; owned */
  size_t n_set;
  double (*dot)(const double *, const double *, size_t);
  double (*dot3)(const double *, const double *, const double *, size_t);
  double (*sweep)(rx_descent_quadratic *, const int *, size_t);
} descent;

/* ---- beginning ---- */

static void destroy(descent *d) {
  free(d->memory);
  free(d->set);
  free(d->active);
  free(d->is_in);
  free(d->square);
  free(d->change);
}

static rx_status create(const rx_lasso_rows *rows, const rx_lasso_options *options, descent *d) {
  size_t n = 0, p = rows->n_features;

  for (size_t i = 0; i < rows->n_rows; i++) n += rows->weight[i] > 0;
  size_t padded = (n + RX_DESCENT_LANES - 1) / RX_DESCENT_LANES * RX_DESCENT_LANES;
  *d = (descent){.options = options, .n = n, .n_padded = padded, .p = p};
  rx_status status = RX_NEW(&d->memory, "rows of a problem", padded * (p + 6) + 6 * p);
  if (!status) status = RX_NEW(&d->set, "features of a problem", p);
  if (!status) status = RX_NEW(&d->active, "features of a problem", p);
  if (!status) status = RX_NEW(&d->is_in, "features of a problem", p);
  d->most_active = n < p ? n : p;
  size_t side = d->most_active + 1;
  if (!status) status = RX_NEW(&d->square, "active features", 2 * side * side);
  if (!status) status = RX_NEW(&d->change, "active features", side);
  if (status) {
    destroy(d);
    return status;
  }
  double *at = d->memory, **const arrays[] = {&d->y, &d->v, &d->eta, &d->r, &d->w, &d->start_eta};
  d->x = at;
  at += padded * p;
  for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++, at += padded) *arrays[a] = at;
  double **const vectors[] = {&d->mean, &d->scale, &d->beta, &d->start, &d->h, &d->gradient};
  for (size_t a = 0; a < sizeof vectors / sizeof *vectors; a++, at += p) *vectors[a] = at;
  d->dot = RX_ISA_PICK(options->isa, rx_descent_dot);
  d->dot3 = RX_ISA_PICK(options->isa, rx_descent_dot3);
  d->sweep = RX_ISA_PICK(options->isa, rx_descent_sweep);
  return RX_OK;
}

/* Copies rows that count; a feature becomes a run of memory. */
static void copy_rows(const rx_lasso_rows *rows, descent *d) {
  double total = 0;
  size_t k = 0;

  for (size_t i = 0; i < rows->n_rows; i++) total += rows->weight[i];
  for (size_t i = 0; i < rows->n_rows; i++) {
    if (!(rows->weight[i] > 0)) continue;
    for (size_t j = 0; j < d->p; j++) d->x[j * d->n_padded + k] = rows->x[i * rows->stride + j];
    d->y[k] = rows->y[i];
    d->v[k++] = rows->weight[i] / total;
  }
}

static bool is_constant(const double *x, size_t n) {
  for (size_t i = 1; i < n; i++)
    if (x[i] != x[0]) return false;
  return true;
}

/* Centres x and gives its weighted standard deviation. Two passes: an offset of 1e6 does no harm.
 */
static double centre(const descent *d, double *x, double *mean) {
  double sum = 0, squares = 0;

  for (size_t i = 0; i < d->n; i++) sum += d->v[i] * x[i];
  double rest = 0;
  for (size_t i = 0; i < d->n; i++) rest += d->v[i] * (x[i] - sum);
  *mean = sum + rest;
  for (size_t i = 0; i < d->n; i++) {
    x[i] -= *mean;
    squares += d->v[i] * x[i] * x[i];
  }
  return sqrt(squares);
}

static void standardise(descent *d) {
  for (size_t j = 0; j < d->p; j++) {
    double *x = d->x + j * d->n_padded;
    if (is_constant(x, d->n)) {
      d->mean[j] = d->n ? x[0] : 0;
      memset(x, 0, d->n * sizeof *x);
      continue;
    }
    double scale = centre(d, x, &d->mean[j]);
    d->scale[j] = d->options->is_standardising ? scale : 1;
    for (size_t i = 0; i < d->n; i++) x[i] /= d->scale[j];
  }
  d->y_scale = 1;
  if (d->options->family == RX_GAUSSIAN && !is_constant(d->y, d->n)) {
    d->y_scale = centre(d, d->y, &d->y_mean);
    for (size_t i = 0; i < d->n; i++) d->y[i] /= d->y_scale;
  } else {
    for (size_t i = 0; i < d->n; i++) d->y_mean += d->v[i] * d->y[i];
    if (d->options->family == RX_GAUSSIAN) memset(d->y, 0, d->n * sizeof *d->y);
  }
}

/* ---- the loss ---- */

/* log(1 + exp(x)) without overflow */
static double softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double loss(const descent *d) {
  double sum = 0;

  for (size_t i = 0; i < d->n; i++) {
    double e = d->y[i] - d->eta[i];
    sum +=
        d->v[i] * (d->options->family == RX_GAUSSIAN ? 0.5 * e * e
                                                     : softplus(d->eta[i]) - d->y[i] * d->eta[i]);
  }
  return sum;
}

static double objective(const descent *d, double l1, double l2) {
  double sum = loss(d);

  for (size_t k = 0; k < d->n_set; k++) {
    double b = d->beta[d->set[k]];
    sum += l1 * fabs(b) + 0.5 * l2 * b * b;
  }
  return sum;
}

/* Sets r = v (y - mu) and w = v mu' at eta; returns sum r. */
static double set_residual(descent *d) {
  double sum = 0;

  for (size_t i = 0; i < d->n; i++) {
    double mu = d->eta[i], curvature = 1;
    if (d->options->family == RX_BINOMIAL) {
      mu = 1 / (1 + exp(-d->eta[i]));
      curvature = mu * (1 - mu);
      if (curvature < least_curvature) curvature = least_curvature;
    }
    d->w[i] = d->v[i] * curvature;
    d->r[i] = d->v[i] * (d->y[i] - mu);
    sum += d->r[i];
  }
  return sum;
}

/* ---- one lambda ---- */

/* How far feature j is from its KKT condition, its gradient being g. */
static double violation(const descent *d, size_t j, double g, double l1, double l2) {
  double b = d->beta[j];

  if (d->scale[j] == 0) return 0;
  return b != 0 ? fabs(g - copysign(l1, b) - l2 * b) : fmax(0, fabs(g) - l1);
}

static double worst_in_set(descent *d, double l1, double l2) {
  double worst = 0;

  for (size_t k = 0; k < d->n_set; k++) {
    size_t j = (size_t)d->set[k];
    d->gradient[j] = d->dot(d->x + j * d->n_padded, d->r, d->n_padded);
    worst = fmax(worst, violation(d, j, d->gradient[j], l1, l2));
  }
  return worst;
}

/* Moves the intercept of the quadratic problem to its minimum; returns w (change)^2. */
static double move_intercept(descent *d, double w_sum) {
  double sum = 0;

  for (size_t i = 0; i < d->n; i++) sum += d->r[i];
  double change = sum / w_sum;
  for (size_t i = 0; i < d->n; i++) d->r[i] -= change * d->w[i];
  d->intercept += change;
  return w_sum * change * change;
}

/* Second derivatives of the quadratic by the intercept and n active features, as the upper
 * triangle.
 */
static void set_square(descent *d, const rx_descent_quadratic *q, double w_sum, size_t n) {
  static const double ridge = 1e-12; /* for columns that depend on each other */
  double *a = d->square;
  size_t side = n + 1;

  a[0] = w_sum;
  for (size_t k = 0; k < n; k++) {
    const double *x = d->x + (size_t)d->active[k] * d->n_padded;
    a[k + 1] = d->dot(x, d->w, d->n_padded);
    for (size_t l = k; l < n; l++)
      a[(k + 1) * side + l + 1] =
          d->dot3(x, d->x + (size_t)d->active[l] * d->n_padded, d->w, d->n_padded);
    a[(k + 1) * side + k + 1] += q->l2 + ridge * q->h[d->active[k]];
  }
}

/* Moves intercept and active features towards the minimum at their present signs, as far as the
 * first of them reaches 0. Returns how many are still active; 0 when the matrix has no factor. */
static size_t solve_active(descent *d, rx_descent_quadratic *q, size_t n, size_t side) {
  double *a = d->square + side * side, *change = d->change, share = 1;
  size_t m = n + 1, last = n, left = 0;

  change[0] = 0;
  for (size_t i = 0; i < d->n; i++) change[0] += q->r[i];
  for (size_t k = 0; k < n; k++) {
    size_t j = (size_t)d->active[k];
    change[k + 1] = d->dot(d->x + j * d->n_padded, q->r, d->n_padded) -
                    copysign(q->l1, q->beta[j]) - q->l2 * q->beta[j];
  }
  /* The upper triangle by rows is the lower one by columns. */
  if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (int)m, a, (int)m) ||
      LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', (int)m, 1, a, (int)m, change, (int)m))
    return 0;
  for (size_t k = 0; k < n; k++) {
    double b = q->beta[d->active[k]], to = b + change[k + 1];
    if (to * b > 0 || share * fabs(change[k + 1]) < fabs(b)) continue;
    share = fabs(b / change[k + 1]);
    last = k;
  }
  d->intercept += share * change[0];
  for (size_t i = 0; i < d->n; i++) q->r[i] -= share * change[0] * q->w[i];
  for (size_t k = 0; k < n; k++) {
    size_t j = (size_t)d->active[k];
    const double *x = d->x + j * d->n_padded;
    double move = k == last ? -q->beta[j] : share * change[k + 1];
    for (size_t i = 0; i < d->n; i++) q->r[i] -= move * q->w[i] * x[i];
    q->beta[j] = k == last ? 0 : q->beta[j] + move;
    if (k != last) d->active[left++] = (int)j;
  }
  return left;
}

/* Solves for the active features directly, where descent would crawl: columns that are nearly
 * dependent. Each turn that stops at a coefficient that becomes 0 goes on without it. */
static void solve_directly(descent *d, rx_descent_quadratic *q, double w_sum, size_t n) {
  size_t before = n + 1;

  while (n > 0 && n < before && n <= d->most_active) {
    size_t side = n + 1;
    set_square(d, q, w_sum, n);
    memcpy(d->square + side * side, d->square, side * side * sizeof *d->square);
    before = n;
    n = solve_active(d, q, n, side);
  }
}

/* Cyclic descent on the quadratic: over the whole set, then over what is not 0 until that is still,
 * and again, until a pass over the set changes nothing worth (goal: h (change)^2). */
static void minimise_quadratic(descent *d, rx_descent_quadratic *q, double w_sum, double goal) {
  enum { MOST_SWEEPS = 100000, PATIENCE = 12 };

  for (int sweeps = 0; sweeps < MOST_SWEEPS; sweeps++) {
    double largest = d->sweep(q, d->set, d->n_set);
    largest = fmax(largest, move_intercept(d, w_sum));
    if (largest <= goal) return;
    size_t n_active = 0;
    for (size_t k = 0; k < d->n_set; k++)
      if (d->beta[d->set[k]] != 0) d->active[n_active++] = d->set[k];
    int turn = 0;
    do {
      largest = d->sweep(q, d->active, n_active);
      largest = fmax(largest, move_intercept(d, w_sum));
    } while (largest > goal && ++turn < PATIENCE);
    sweeps += turn;
    if (largest <= goal) continue;
    size_t n = 0;
    for (size_t k = 0; k < n_active; k++)
      if (d->beta[d->active[k]] != 0) d->active[n++] = d->active[k];
    solve_directly(d, q, w_sum, n);
  }
}

static void set_eta(descent *d) {
  for (size_t i = 0; i < d->n; i++) d->eta[i] = d->intercept;
  for (size_t k = 0; k < d->n_set; k++) {
    size_t j = (size_t)d->set[k];
    const double *x = d->x + j * d->n_padded;
    if (d->beta[j] != 0)
      for (size_t i = 0; i < d->n; i++) d->eta[i] += d->beta[j] * x[i];
  }
}

/* One Newton step on the set, halved until it does not raise the objective. Returns false when no
 * step helps: rounding has the last word. */
static bool step_newton(descent *d, double l1, double l2, double goal) {
  double w_sum = 0, intercept = d->intercept, before = objective(d, l1, l2);
  rx_descent_quadratic q = {d->n_padded, d->x, d->w, d->h, d->r, d->beta, l1, l2};

  for (size_t i = 0; i < d->n; i++) w_sum += d->w[i];
  for (size_t k = 0; k < d->n_set; k++) {
    size_t j = (size_t)d->set[k];
    const double *x = d->x + j * d->n_padded;
    d->h[j] = d->dot3(x, x, d->w, d->n_padded);
    d->start[j] = d->beta[j];
  }
  minimise_quadratic(d, &q, w_sum, goal);
  set_eta(d);
  double tolerated = 1e-14 * fabs(before);
  for (int halvings = 0; objective(d, l1, l2) > before + tolerated; halvings++) {
    bool is_hopeless = halvings == 30;
    double share = is_hopeless ? 0 : 0.5;
    for (size_t k = 0; k < d->n_set; k++) {
      int j = d->set[k];
      d->beta[j] = d->start[j] + share * (d->beta[j] - d->start[j]);
    }
    d->intercept = intercept + share * (d->intercept - intercept);
    set_eta(d);
    if (is_hopeless) return false;
  }
  return true;
}

static void add_to_set(descent *d, size_t j) {
  if (d->is_in[j] || d->scale[j] == 0) return;
  d->is_in[j] = 1;
  d->set[d->n_set++] = (int)j;
}

/* Checks all features at the solution of the set, takes in those that are violated, and returns the
 * worst violation. */
static double check_all(descent *d, double l1, double l2, double tolerance) {
  double worst = 0;

  for (size_t j = 0; j < d->p; j++) {
    if (d->scale[j] == 0) continue;
    if (!d->is_in[j]) d->gradient[j] = d->dot(d->x + j * d->n_padded, d->r, d->n_padded);
    double v = violation(d, j, d->gradient[j], l1, l2);
    if (v > tolerance) add_to_set(d, j);
    worst = fmax(worst, v);
  }
  return worst;
}

/* Solves for one lambda from where the last one ended; returns the worst violation of all. */
static double solve(descent *d, double l1, double l2, double tolerance) {
  double worst = INFINITY;

  for (int step = 0; step < d->options->most_steps; step++) {
    double sum = fabs(set_residual(d)), inside = fmax(sum, worst_in_set(d, l1, l2));
    if (inside <= tolerance) {
      worst = fmax(sum, check_all(d, l1, l2, tolerance));
      if (worst <= tolerance) return worst;
      inside = worst;
    }
    /* h changes^2 against KKT^2 / h, and h is at most about 1: ten times finer than needed now. */
    double goal = fmax(0.01 * inside * inside, 0.01 * tolerance * tolerance);
    if (d->options->family == RX_GAUSSIAN) goal = 0.01 * tolerance * tolerance;
    if (!step_newton(d, l1, l2, goal)) break;
  }
  set_residual(d);
  worst_in_set(d, l1, l2);
  return check_all(d, l1, l2, tolerance);
}

/* ---- the path ---- */

/* The null model, and the largest lambda of any use. */
static double begin(descent *d) {
  double largest = 0, alpha = fmax(d->options->alpha, 1e-3);

  if (d->options->family == RX_BINOMIAL) d->intercept = log(d->y_mean / (1 - d->y_mean));
  set_eta(d);
  set_residual(d);
  for (size_t j = 0; j < d->p; j++) {
    if (d->scale[j] != 0) d->gradient[j] = d->dot(d->x + j * d->n_padded, d->r, d->n_padded);
    largest = fmax(largest, fabs(d->gradient[j]));
  }
  return largest / alpha;
}

/* Lets in the features that the strong rule does not exclude. */
static void screen(descent *d, double lambda, double before) {
  double bar = d->options->alpha * (2 * lambda - before);

  for (size_t j = 0; j < d->p; j++)
    if (fabs(d->gradient[j]) >= bar) add_to_set(d, j);
}

static rx_status keep(descent *d, rx_lasso *path, double lambda, double kkt, double null_loss) {
  int step = path->n_lambdas;
  double ratio = 1 - loss(d) / null_loss;

  for (size_t j = 0; j < d->p; j++) d->start[j] = d->beta[j] * d->y_scale;
  double intercept =
      d->options->family == RX_GAUSSIAN ? d->y_mean + d->y_scale * d->intercept : d->intercept;
  rx_status status =
      rx_lasso_add(path, lambda * d->y_scale, intercept, d->p, d->start, d->mean, d->scale);
  if (status) return status;
  path->deviance_ratio[step] = ratio;
  path->kkt[step] = kkt / (path->lambda_max / d->y_scale);
  if (!(path->kkt[step] <= d->options->tolerance)) path->is_converged = false;
  return RX_OK;
}

/* When nothing can be selected: the mean, at the lambdas asked for. */
static rx_status keep_null(descent *d, rx_lasso *path) {
  const rx_lasso_options *o = d->options;
  double intercept = d->y_mean;

  if (o->family == RX_BINOMIAL) {
    double most = log(1 / least_curvature); /* one class: as sure as a double can say */
    intercept = fmin(most, fmax(-most, log(d->y_mean / (1 - d->y_mean))));
  }
  for (int l = 0; l < (o->lambdas ? o->n_lambdas : 1); l++) {
    rx_status status =
        rx_lasso_add(path, o->lambdas ? o->lambdas[l] : 0, intercept, 0, NULL, NULL, NULL);
    if (status) return status;
  }
  return RX_OK;
}

static rx_status fit(descent *d, rx_lasso *path) {
  const rx_lasso_options *o = d->options;
  bool is_flat = is_constant(d->y, d->n);
  double largest = is_flat ? 0 : begin(d), before = largest;

  path->lambda_max = largest * d->y_scale;
  if (!(largest > 0)) return keep_null(d, path);
  if (!o->lambdas) rx_lasso_lambdas(path->lambda, o->n_lambdas, largest, o->lambda_ratio);
  double null_loss = loss(d), tolerance = o->tolerance * largest;
  for (int l = 0; l < o->n_lambdas; l++) {
    double lambda = o->lambdas ? o->lambdas[l] / d->y_scale : path->lambda[l];
    screen(d, lambda, before);
    double kkt = solve(d, lambda * o->alpha, lambda * (1 - o->alpha), tolerance);
    rx_status status = keep(d, path, lambda, kkt, null_loss);
    if (status) return status;
    before = fmin(before, lambda);
    if (!o->lambdas && rx_lasso_ends(path, l, o->family)) break;
  }
  return RX_OK;
}

rx_status rx_descent_fit(const rx_lasso_rows *rows, const rx_lasso_options *options,
                         rx_lasso **out) {
  descent d;

  *out = NULL;
  rx_status status = create(rows, options, &d);
  if (status) return status;
  copy_rows(rows, &d);
  standardise(&d);
  status = rx_lasso_create(options->n_lambdas, out);
  if (!status) status = fit(&d, *out);
  if (status) rx_lasso_destroy(out);
  destroy(&d);
  return status;
}
