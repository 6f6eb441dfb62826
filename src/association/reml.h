/* reml.h: the variance ratio of a random-intercept model, exactly, in microseconds and less.
 *
 * On the contrasts of contrasts.h, with w_j = 1 / (lambda + pole_j), y of one feature and g of one
 * factor, S the within-patient sum of squares and N - p the rows minus the columns,
 *
 *   G_k = sum w^k g^2   X_k = sum w^k g y   Y_k = sum w^k y^2   T_k = sum w^k
 *   beta = X_1 / G_1,  R = S + Y_1 - beta X_1  (the weighted residual sum of squares)
 *   f = (N - p) log R + sum log(lambda + pole_j) + log G_1        (-2 REML, but for constants)
 *   f' = (N - p) R' / R + T,  R' = -(Y_2 - 2 beta X_2 + beta^2 G_2),  T = T_1 - G_2 / G_1
 *
 * A minimum over lambda >= 0 is a root of f' or lambda = 0. H(v) = -v^2 R f' with v = lambda + mean
 * pole is a straight line when all n_i are equal and nearly one otherwise, so that Newton's method
 * on H, from the lambda of the feature without a factor, takes two or three steps. f may have
 * several minima: rx_reml_search() finds them all and takes the lowest; it is the reference, and
 * what is used where a feature without a factor has more than one or Newton's method does not end.
 *
 * By maximum likelihood (for the likelihood ratio) N stands for N - p, sum log(lambda + 1/n_i) over
 * the patients for sum log(lambda + pole_j), and log G_1 is not there: rx_reml_space has both. */
#ifndef RADMIX_ASSOCIATION_REML_H
#define RADMIX_ASSOCIATION_REML_H

#include <stdbool.h>
#include <stddef.h>

#include "contrasts.h"

enum { RX_REML_LANES = 8, RX_REML_GRID = 97 };

/* What all fits on the same patients share. */
typedef struct {
  int n;              /* contrasts */
  const double *pole; /* [n] */
  int n_dets;         /* of the determinant: n by REML, patients by ML */
  const double *det;  /* [n_dets]: pole, or 1/n_i */
  bool is_ml;
  double n_free; /* factor of log R: N - q by REML (less one for the factor), N by ML */
  double mean_pole, least_pole;
  double grid[RX_REML_GRID]; /* lambda: 0, then from mean_pole 1e-7 up by quarters of a decade */
  double grid_det[RX_REML_GRID]; /* sum 1 / (lambda + det_j) */
  double *grid_weight;           /* [RX_REML_GRID][n], 1 / (lambda + pole_j); owned */
} rx_reml_space;

rx_status rx_reml_space_create(const rx_contrasts *contrasts, bool is_ml, rx_reml_space **out);
void rx_reml_space_destroy(rx_reml_space **space);

/* The sums at one lambda, for eight fits side by side. */
typedef struct {
  double lambda[RX_REML_LANES];
  double g1[RX_REML_LANES], g2[RX_REML_LANES], g3[RX_REML_LANES];
  double x1[RX_REML_LANES], x2[RX_REML_LANES], x3[RX_REML_LANES];
  double y1[RX_REML_LANES], y2[RX_REML_LANES], y3[RX_REML_LANES];
  double t1[RX_REML_LANES], t2[RX_REML_LANES]; /* over det */
  double x0[RX_REML_LANES];                    /* sum g y */
  double is_found[RX_REML_LANES];              /* 0: Newton's method did not end; search */
} rx_reml_fits;

/* The lowest minimum, by a scan of all lambda and bisection to the last bits. Local.
 * g         [n], or NULL: the feature without a factor
 * y         [n]
 * lane      of fits, where lambda and the sums are set (without g only y and t)
 * Returns the number of minima; 0 when f falls for ever (S = 0). */
int rx_reml_search(const rx_reml_space *space, const double *g, const double *y, double within,
                   int lane, rx_reml_fits *fits);

/* Features without a factor, eight side by side.
 * y         [n][8]
 * within    [8], S
 * lambda    [8], set
 * n_minima  [8], set: only where it is 1 lambda is right */
#define RX_REML_KERNELS(isa)                                                                   \
  void rx_reml_null_v##isa(const rx_reml_space *space, const double *restrict y,               \
                           const double *restrict within, double *restrict lambda,             \
                           double *restrict n_minima);                                         \
  void rx_reml_fit_v##isa(const rx_reml_space *space, const double *restrict y, double within, \
                          double lambda_null, size_t n_tiles, const double *restrict g,        \
                          double *restrict work, rx_reml_fits *restrict fits);
/* One feature with 8 n_tiles factors.
 * y     [n]
 * g     [n_tiles][n][8]
 * work  [RX_REML_WORK][n]
 * fits  [n_tiles], set */
enum { RX_REML_WORK = 6 };
RX_REML_KERNELS(2)
RX_REML_KERNELS(3)
RX_REML_KERNELS(4)

#endif
