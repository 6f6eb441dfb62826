/* tail.h: log10 of the two-sided p value of Student's t, without underflow, at a few ns.
 *
 * With u = t / sqrt(df), x = 1 / (1 + u^2) and eta = u / sqrt(1 + u^2),
 *
 *     p = x^(df/2) G(eta),  G(eta) = J(eta) / J(0),
 *     J(eta) = integral over s > 0 of exp(-s) / sqrt(1 - x exp(-2 s / df)),
 *
 * which is the incomplete beta function I_x(df/2, 1/2) after its power of x has been taken out.
 * G (1 + eta sqrt(pi df / 2)) is between 1 and 1.3 and smooth in
 *
 *     q = eta (1 + kappa) / (eta + kappa) in [0,1],  kappa = 3 / sqrt(df),
 *
 * for every df >= 1 and up to the normal distribution: 26 Chebyshev terms give it to 1e-16. They
 * are made at run time, by double exponential quadrature in long double; as functions of
 * 1 / sqrt(df) they are Chebyshev series again, for a df that changes from fit to fit. A df below 1
 * goes to R's nmath. */
#ifndef RADMIX_ASSOCIATION_TAIL_H
#define RADMIX_ASSOCIATION_TAIL_H

#include <stddef.h>

#include "radmix/status.h"

enum { RX_TAIL_TERMS = 26, RX_TAIL_DF_TERMS = 32 };

/* One df. */
typedef struct {
  double df;                  /* INFINITY: the normal distribution */
  double root_df, kappa;      /* sqrt(df); 3 / sqrt(df) */
  double term[RX_TAIL_TERMS]; /* polynomial in 2 q - 1 */
} rx_tail;

/* Any df >= 1: each term is a polynomial in 2 / sqrt(df) - 1. */
typedef struct {
  double term[RX_TAIL_TERMS][RX_TAIL_DF_TERMS];
} rx_tail_table;

/* Prepares one df > 0 (a few ms). */
void rx_tail_prepare(double df, rx_tail *tail);
/* Prepares all df >= 1 (a tenth of a second). */
void rx_tail_tabulate(rx_tail_table *table);

/* Sets log10_p[i] = log10 P(|T| > |t[i]|), at most 0; NaN gives NaN.
 * isa  instruction set, as rx_isa_choose() gives it
 * n    any number */
void rx_tail_log10_p(int isa, const rx_tail *tail, size_t n, const double *t, double *log10_p);
/* The same with a df for each t. df  [n], > 0 or INFINITY */
void rx_tail_log10_p_each(int isa, const rx_tail_table *table, size_t n, const double *t,
                          const double *df, double *log10_p);

/* The kernels behind them; n is a multiple of 8, df >= 1. */
#define RX_TAIL_KERNELS(isa)                                                               \
  void rx_tail_kernel_v##isa(double *restrict log10_p, const double *restrict t, size_t n, \
                             const rx_tail *tail);                                         \
  void rx_tail_kernel_each_v##isa(double *restrict log10_p, const double *restrict t,      \
                                  const double *restrict df, size_t n,                     \
                                  const rx_tail_table *table);
RX_TAIL_KERNELS(2)
RX_TAIL_KERNELS(3)
RX_TAIL_KERNELS(4)

#endif
