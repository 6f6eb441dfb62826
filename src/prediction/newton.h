/* newton.h: lasso paths of many rows, which are split over the ranks; all problems of a call at
 * once.
 *
 * Proximal Newton (Lee, Sun & Saunders 2014, SIAM J Optim 24:1420) in the form that touches the
 * rows least. A pass over them gives the gradient of all features for all problems, as two matrix
 * products in single precision, strip by strip, with sums in double. Each problem keeps a matrix of
 * second derivatives of the features that matter (the sequential strong rule says which, the KKT
 * conditions of all features have the last word), worked out from the rows by SYRK. It is used as
 * long as it serves: a step is the minimum of the quadratic model, found by coordinate descent in
 * the space of features, and is cut back when the slope behind it says that it went too far. So
 * rounding and an aged matrix cost steps, never accuracy: a lambda ends when the conditions hold in
 * the gradient of the rows themselves.
 *
 * Strips begin at the same rows whatever the number of ranks, and their sums are added exactly
 * (newton_grid.h): the result has the same bits on any number of ranks. */
#ifndef RADMIX_PREDICTION_NEWTON_H
#define RADMIX_PREDICTION_NEWTON_H

#include "prediction/solver.h"

/* Rows that are worked on together; and those at whose multiples ranks divide them. */
enum { RX_NEWTON_STRIP = 512, RX_NEWTON_SHARE = 4 * RX_NEWTON_STRIP };

/* As rx_solver_run(), for sets that are split. Collective over comm. */
rx_status rx_newton_run(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                        const rx_lasso_options *options, size_t n, const rx_problem *problems,
                        rx_solution *solutions);

/* ---- kernels: newton.kernel.c, newton_pass.kernel.c, newton_square.kernel.c ---- */

/* A quadratic model of n features. */
typedef struct {
  size_t n, stride;
  float *h;     /* [n][stride], second derivatives */
  double *u;    /* [n], gradient of the likelihood at beta */
  double *beta; /* [n] */
  double l1, l2;
} rx_newton_quadratic;

/* sweep: one pass of coordinate descent over some of the features; returns the largest violation
 * met. move: u -= change h. predict: eta [n][stride] = z b', with b [n][p] and room lanes
 * [n][RX_NEWTON_LANES]. collect: sum [n][p] += residual z, with residual [n][stride]. pack: one
 * row, root z of n features, into panels [RX_NEWTON_STRIP][RX_NEWTON_PANEL]; sums [n] += root^2 z,
 * from the panel of feature summed on. square: sum [count panels][stride] += products of the
 * features of panels first ... with those of all panels up to their own; stride in features. */
enum { RX_NEWTON_LANES = 128, RX_NEWTON_PANEL = 32 };
#define RX_NEWTON_KERNELS(isa)                                                                   \
  double rx_newton_sweep_v##isa(rx_newton_quadratic *q, const int *list, size_t n_list);         \
  void rx_newton_move_v##isa(double *restrict u, const float *restrict h, double change,         \
                             size_t n);                                                          \
  void rx_newton_predict_v##isa(float *restrict eta, float *restrict lanes,                      \
                                const float *restrict z, const float *restrict b, size_t p,      \
                                size_t rows, size_t n, size_t stride);                           \
  void rx_newton_collect_v##isa(float *restrict sum, const float *restrict z,                    \
                                const float *restrict residual, size_t p, size_t rows, size_t n, \
                                size_t stride);                                                  \
  void rx_newton_pack_v##isa(float *restrict packed, float *restrict sums,                       \
                             const float *restrict z, const int *restrict feature, size_t n,     \
                             size_t summed, float root);                                         \
  void rx_newton_square_v##isa(double *sum, size_t stride, const float *packed, size_t rows,     \
                               size_t first, size_t count);
RX_NEWTON_KERNELS(2)
RX_NEWTON_KERNELS(3)
RX_NEWTON_KERNELS(4)

#endif
