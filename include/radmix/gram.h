/* gram.h: sums over many rows, of columns and of products of columns, Z' W Z. Local.
 *
 * Rows come as they are stored, float or double, and are centred and scaled in double before they
 * are multiplied, z = (x - centre) * scale: a Gram matrix of raw values loses the small eigenvalues
 * to cancellation. Ranks hold different rows; what each has is added up by the caller.
 *
 *   rx_gram_create(n_columns, &gram);
 *   rx_gram_add(gram, &rows, centre, scale);   // as often as needed
 *   rx_gram_finish(gram);                      // gram->values is whole */
#ifndef RADMIX_GRAM_H
#define RADMIX_GRAM_H

#include <stddef.h>

#include "radmix/status.h"
#include "radmix/store.h"

/* Rows that are looked at. */
typedef struct {
  rx_type type;       /* RX_FLOAT32 or RX_FLOAT64 */
  const void *values; /* [n_rows][n_columns] */
  size_t n_rows, n_columns;
  const double *weights; /* [n_rows], >= 0; NULL: all 1 */
} rx_rows;

typedef struct {
  size_t n_columns;
  double *values; /* [n_columns][n_columns]; whole after rx_gram_finish() */
  double *block;  /* rows that wait to be multiplied */
  size_t n_waiting, block_rows;
} rx_gram;

/* Adds the weighted sum of each column. sums  [n_columns], added to */
void rx_gram_sums(const rx_rows *rows, double *sums);
/* Adds the weighted sum of (x - centre)^2 of each column. squares  [n_columns], added to */
void rx_gram_squares(const rx_rows *rows, const double *centre, double *squares);
/* Writes rows as z = (x - centre) * scale, times the root of the weight; z  [n_rows][n_columns],
 * set. centre, scale  [n_columns]; NULL: 0, 1 */
void rx_gram_standardise(const rx_rows *rows, const double *centre, const double *scale, double *z);

/* Errors: RX_ERR_MEMORY. */
rx_status rx_gram_create(size_t n_columns, rx_gram **out);
void rx_gram_destroy(rx_gram **gram);
/* Adds the rows' weighted Gram matrix; rows->n_columns is the gram's. */
void rx_gram_add(rx_gram *gram, const rx_rows *rows, const double *centre, const double *scale);
/* Multiplies what waits, and fills both triangles. More rows may be added afterwards. */
void rx_gram_finish(rx_gram *gram);

#endif
