/* adjust.h: from p to q, in log10 throughout. Local.
 *
 * Benjamini & Hochberg 1995: q of the i-th smallest of m p values is the least of m p_(j) / j over
 * j >= i. Benjamini & Yekutieli 2001: that times 1 + 1/2 + ... + 1/m. Storey 2002: that times
 * pi0 = min(1, (#{p > 1/2} + 1) / (m/2)). Bonferroni: m p. All at most 1. NaN is no test. */
#ifndef RADMIX_ASSOCIATION_ADJUST_H
#define RADMIX_ASSOCIATION_ADJUST_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

typedef enum { RX_ADJUST_BH, RX_ADJUST_BY, RX_ADJUST_STOREY, RX_ADJUST_BONFERRONI } rx_adjust;

/* Room for one family at a time. */
typedef struct {
  size_t most;        /* largest family */
  double *log10_rank; /* [most + 1]; owned, as all that follows */
  uint64_t *key, *key_other;
  uint32_t *order, *order_other;
} rx_adjust_room;

rx_status rx_adjust_room_create(size_t most, rx_adjust_room **out);
void rx_adjust_room_destroy(rx_adjust_room **room);

/* Sorts room->key[0 .. n-1] upwards, room->order with it where there is one. n > 0 */
void rx_adjust_sort(size_t n, rx_adjust_room *room);
/* -log10 p as an integer with its order: the smallest key is the largest p; and back. */
uint64_t rx_adjust_key(double log10_p);
double rx_adjust_unkey(uint64_t key);

/* What the families of a hierarchy need of one. */
typedef struct {
  int64_t n_tests;
  double log10_simes;  /* Simes 1986: least m p_(j) / j; NaN without tests */
  double log10_median; /* of p */
} rx_family;

/* Sets log10_q [n] of one family. log10_q may be log10_p. */
rx_family rx_adjust_family(rx_adjust method, size_t n, const double *log10_p, double *log10_q,
                           rx_adjust_room *room);

/* log10 of what BH is multiplied by: 0, the harmonic sum, or pi0.
 * m  tests; n_large  of them with p > 1/2 */
double rx_adjust_log10_scale(rx_adjust method, int64_t m, int64_t n_large);

/* The hierarchy of Benjamini & Bogomolov 2014: a family is selected at level q when the q of its
 * Simes p (BH over families) is at most q; within the R selected of m families BH runs at q R / m.
 * The hierarchical q of a cell is the least level at which it is found. */
typedef struct {
  size_t n_steps;      /* of R(q) */
  double *log10_level; /* [n_steps], ascending: where R rises; owned */
  double *log10_share; /* [n_steps], R / m from there on; owned */
} rx_hierarchy;

/* log10_q_simes  [n_families], NaN for a family without tests */
rx_status rx_hierarchy_create(size_t n_families, const double *log10_q_simes, rx_hierarchy *out);
void rx_hierarchy_destroy(rx_hierarchy *hierarchy);
/* log10_q_simes of the family, log10_q of the cell within its family */
double rx_hierarchy_log10_q(const rx_hierarchy *hierarchy, double log10_q_simes, double log10_q);

/* Sets q[i] = 10^log10_q[i]; NaN stays. n any number. */
void rx_adjust_power(int isa, size_t n, const double *log10_q, float *q);

#define RX_ADJUST_KERNELS(isa) \
  void rx_adjust_power_v##isa(float *restrict q, const double *restrict log10_q, size_t n);
RX_ADJUST_KERNELS(2)
RX_ADJUST_KERNELS(3)
RX_ADJUST_KERNELS(4)

#endif
