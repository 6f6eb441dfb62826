/* order.h: order() and rank() of R, by radix sort: stable, no comparisons. Local. */
#ifndef GENOMICS_ORDER_H
#define GENOMICS_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

/* Room to sort up to n values again and again. */
typedef struct {
  size_t n;
  uint64_t *key, *key_other; /* [n] */
  int *item;                 /* [n] */
} rx_order_space;

rx_status rx_order_space_create(size_t n, rx_order_space *space);
void rx_order_space_destroy(rx_order_space *space);

/* Sorts positions by falling value; equal values (-0 is 0) stay in their order, NaN come last: R's
 * order(value, decreasing = TRUE).
 * order  [n], set
 * value  [n], n <= space->n */
void rx_order_descending(int *order, const double *value, size_t n, rx_order_space *space);

/* Average ranks from 1 of values without NaN, smallest first, ties shared: R's rank().
 * rank   [n], set
 * order  [n], from rx_order_descending */
void rx_order_ranks(double *rank, const int *order, const double *value, size_t n);

#endif
