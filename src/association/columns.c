#include "columns.h"

#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"

enum { LINE = 8 }; /* columns at once: what a cache line holds */

rx_status rx_columns_create(size_t n_features, size_t n_mine, size_t width, rx_columns **out) {
  RX_TRY(RX_NEW(out, "associate: adjustment", 1));
  rx_columns *c = *out;
  c->n_features = n_features;
  rx_status status = RX_NEW(&c->log10_q, "associate: adjustment", n_features);
  if (!status) status = RX_NEW(&c->column, "associate: adjustment", n_mine * width);
  if (!status) status = RX_NEW(&c->row, "associate: adjustment", n_mine * width);
  if (!status) status = rx_adjust_room_create(n_features, &c->room);
  if (status) rx_columns_destroy(out);
  return status;
}

void rx_columns_destroy(rx_columns **columns) {
  rx_columns *c = *columns;

  if (!c) return;
  rx_adjust_room_destroy(&c->room);
  free(c->row);
  free(c->column);
  free(c->log10_q);
  free(c);
  *columns = NULL;
}

void rx_columns_from_rows(size_t n_rows, size_t n_columns, const double *restrict rows,
                          double *restrict columns) {
  for (size_t first = 0; first < n_columns; first += LINE) {
    size_t end = first + LINE < n_columns ? first + LINE : n_columns;
    for (size_t row = 0; row < n_rows; row++)
      for (size_t c = first; c < end; c++) columns[c * n_rows + row] = rows[row * n_columns + c];
  }
}

void rx_columns_to_rows(size_t n_rows, size_t n_columns, const float *restrict columns,
                        float *restrict rows) {
  for (size_t first = 0; first < n_columns; first += LINE) {
    size_t end = first + LINE < n_columns ? first + LINE : n_columns;
    for (size_t row = 0; row < n_rows; row++)
      for (size_t c = first; c < end; c++) rows[row * n_columns + c] = columns[c * n_rows + row];
  }
}
