#include "radmix/gram.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "radmix/memory.h"

/* Rows of one product: with fewer OpenBLAS spends its time on writing the matrix. */
enum { BLOCK_ROWS = 768, TILE = 64 };

static double weight_of(const rx_rows *rows, size_t row) {
  return rows->weights ? rows->weights[row] : 1;
}

static const float *single_row(const rx_rows *rows, size_t row) {
  return (const float *)rows->values + row * rows->n_columns;
}

static const double *double_row(const rx_rows *rows, size_t row) {
  return (const double *)rows->values + row * rows->n_columns;
}

void rx_gram_sums(const rx_rows *rows, double *sums) {
  for (size_t row = 0; row < rows->n_rows; row++) {
    double w = weight_of(rows, row);
    if (rows->type == RX_FLOAT32) {
      const float *x = single_row(rows, row);
      for (size_t j = 0; j < rows->n_columns; j++) sums[j] += w * (double)x[j];
    } else {
      const double *x = double_row(rows, row);
      for (size_t j = 0; j < rows->n_columns; j++) sums[j] += w * x[j];
    }
  }
}

void rx_gram_squares(const rx_rows *rows, const double *centre, double *squares) {
  for (size_t row = 0; row < rows->n_rows; row++) {
    double w = weight_of(rows, row);
    if (rows->type == RX_FLOAT32) {
      const float *x = single_row(rows, row);
      for (size_t j = 0; j < rows->n_columns; j++) {
        double d = (double)x[j] - centre[j];
        squares[j] += w * d * d;
      }
    } else {
      const double *x = double_row(rows, row);
      for (size_t j = 0; j < rows->n_columns; j++) {
        double d = x[j] - centre[j];
        squares[j] += w * d * d;
      }
    }
  }
}

static void standardise_row(const rx_rows *rows, size_t row, const double *centre,
                            const double *scale, double *restrict z) {
  size_t n = rows->n_columns;

  if (rows->type == RX_FLOAT32) {
    const float *x = single_row(rows, row);
    for (size_t j = 0; j < n; j++) z[j] = (double)x[j];
  } else {
    const double *x = double_row(rows, row);
    for (size_t j = 0; j < n; j++) z[j] = x[j];
  }
  if (centre)
    for (size_t j = 0; j < n; j++) z[j] -= centre[j];
  if (scale)
    for (size_t j = 0; j < n; j++) z[j] *= scale[j];
  if (rows->weights) {
    double root = sqrt(rows->weights[row]);
    for (size_t j = 0; j < n; j++) z[j] *= root;
  }
}

void rx_gram_standardise(const rx_rows *rows, const double *centre, const double *scale,
                         double *z) {
  for (size_t row = 0; row < rows->n_rows; row++)
    standardise_row(rows, row, centre, scale, z + row * rows->n_columns);
}

rx_status rx_gram_create(size_t n_columns, rx_gram **out) {
  rx_status status = RX_NEW(out, "Gram matrix", 1);

  if (status) return status;
  (*out)->n_columns = n_columns;
  (*out)->block_rows = BLOCK_ROWS;
  status = RX_NEW(&(*out)->values, "Gram matrix", n_columns * n_columns);
  if (!status) status = RX_NEW(&(*out)->block, "rows of a Gram matrix", BLOCK_ROWS * n_columns);
  if (status) rx_gram_destroy(out);
  return status;
}

void rx_gram_destroy(rx_gram **gram) {
  if (!*gram) return;
  free((*gram)->block);
  free((*gram)->values);
  free(*gram);
  *gram = NULL;
}

/* Adds the waiting rows to the upper triangle. */
static void multiply(rx_gram *gram) {
  int n = (int)gram->n_columns;

  if (gram->n_waiting)
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, (int)gram->n_waiting, 1, gram->block, n,
                1, gram->values, n);
  gram->n_waiting = 0;
}

void rx_gram_add(rx_gram *gram, const rx_rows *rows, const double *centre, const double *scale) {
  for (size_t row = 0; row < rows->n_rows; row++) {
    standardise_row(rows, row, centre, scale, gram->block + gram->n_waiting * gram->n_columns);
    if (++gram->n_waiting == gram->block_rows) multiply(gram);
  }
}

/* Copies the upper triangle to the lower, tile by tile so that both sides stay in the cache. */
static void mirror(double *values, size_t n) {
  for (size_t row = 0; row < n; row += TILE)
    for (size_t column = row; column < n; column += TILE)
      for (size_t i = row; i < n && i < row + TILE; i++)
        for (size_t j = column > i ? column : i + 1; j < n && j < column + TILE; j++)
          values[j * n + i] = values[i * n + j];
}

void rx_gram_finish(rx_gram *gram) {
  multiply(gram);
  mirror(gram->values, gram->n_columns);
}
