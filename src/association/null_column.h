/* null_column.h: what a permuted factor gives over all features. Local. */
#ifndef RADMIX_ASSOCIATION_NULL_COLUMN_H
#define RADMIX_ASSOCIATION_NULL_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "tail.h"

/* One factor over its tested features. */
typedef struct {
  double largest, median; /* of |t|; 0 without tests */
  int64_t n_hits;         /* BH within the factor at 0.05 */
} rx_null_column;

/* Sums up |t| of one factor.
 * t        [n], >= 0; its order is lost
 * log10_p  [n], room
 * tail     of t; t_level is where p = 0.05 */
rx_null_column rx_null_column_of(int isa, const rx_tail *tail, double t_level, size_t n, double *t,
                                 double *log10_p);

/* The value that has rank others below it, as if value were sorted; its order is lost. */
double rx_null_column_select(size_t n, double *value, size_t rank);

#endif
