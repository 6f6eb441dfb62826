/* density.h: how many of a gene's values lie below each of them, smoothed by a kernel, as log odds:
 * the first step of GSVA (Haenzelmann, Castelo & Guinney, BMC Bioinformatics 2013;14:7, equations 1
 * and 2), with the constants of its version 1.46. Local. */
#ifndef GENOMICS_DENSITY_H
#define GENOMICS_DENSITY_H

#include <stdbool.h>
#include <stddef.h>

#include "radmix/status.h"

typedef enum { RX_DENSITY_GAUSSIAN, RX_DENSITY_POISSON, RX_DENSITY_NONE } rx_density_kernel;

typedef struct {
  rx_density_kernel kernel;
  bool is_exact; /* the normal distribution by erfc() instead of GSVA's table of 10,001 steps */
  int isa;       /* instruction set: isa.h */
} rx_density_options;

/* Room for one call after another; the table of the normal distribution is in it. */
typedef struct {
  rx_density_options options;
  size_t n_reference, n_test;
  double *table;              /* [RX_DENSITY_STEPS + 1] */
  double *value, *test, *sum; /* [n_reference][8], [n_test][8] twice: eight genes, by sample */
  double *bandwidth;          /* [8] */
} rx_density;

rx_status rx_density_create(size_t n_reference, size_t n_test, const rx_density_options *options,
                            rx_density *room);
void rx_density_destroy(rx_density *room);

/* Log odds of the distribution of each gene.
 * density    [n_genes][n_test], set
 * reference  [n_genes][n_reference], the values that make the distribution: none missing, and with
 *            the Gaussian kernel no gene constant
 * test       [n_genes][n_test], the values looked up; NULL: the reference itself */
void rx_density_compute(double *density, const double *reference, const double *test,
                        size_t n_genes, rx_density *room);

/* Mean and standard deviation (n - 1) of values without NaN, in extended precision as R's. */
void rx_density_moments(const double *value, size_t n, double *mean, double *sd);

/* The kernels (density.kernel.c): eight genes side by side, value[sample][gene], so that every step
 * is one operation on eight lanes and the sum over the samples of one gene runs in their order, as
 * in R. Lanes never meet: all instruction sets give the same bits. */
enum {
  RX_DENSITY_LANES = 8,
  RX_DENSITY_STEPS = 10000, /* of the table of the normal distribution, over 0 .. 10 */
};

/* sum        [n][8], set: over i, Phi((value[j] - value[i]) / bandwidth) by table
 * value      [n][8]
 * bandwidth  [8], > 0
 * table      [10001]: Phi(10 k / 10000) */
typedef void rx_density_self(double *restrict sum, const double *restrict value,
                             const double *bandwidth, const double *restrict table, size_t n);
rx_density_self rx_density_self_v2, rx_density_self_v3, rx_density_self_v4;

/* The same with values of other samples, test[n_test][8], looked up among value[n][8]. */
typedef void rx_density_cross(double *restrict sum, const double *restrict test, size_t n_test,
                              const double *restrict value, const double *bandwidth,
                              const double *restrict table, size_t n);
rx_density_cross rx_density_cross_v2, rx_density_cross_v3, rx_density_cross_v4;

#endif
