#include "distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

/* Subtracts each point's mean and divides by its length. What remains of a constant point is
 * rounding; it becomes zero. */
static rx_status standardise(rx_points *points) {
  double *mean, *square;
  size_t n = points->n, n_dims = points->n_dims;

  rx_status status = RX_NEW(&mean, "points", 2 * n);
  if (status) return status;
  square = mean + n;
  for (size_t dim = 0; dim < n_dims; dim++)
    for (size_t i = 0; i < n; i++) mean[i] += points->values[dim * points->stride + i];
  for (size_t i = 0; i < n; i++) mean[i] /= (double)n_dims;
  for (size_t dim = 0; dim < n_dims; dim++)
    for (size_t i = 0; i < n; i++) {
      double *x = &points->values[dim * points->stride + i];
      *x -= mean[i];
      square[i] += *x * *x;
    }
  for (size_t i = 0; i < n; i++) {
    double length = sqrt(square[i]), rounding = 1e-14 * fabs(mean[i]) * sqrt((double)n_dims);
    double scale = length > rounding ? 1 / length : 0;
    if (scale <= 0) points->n_constant++;
    for (size_t dim = 0; dim < n_dims; dim++) points->values[dim * points->stride + i] *= scale;
  }
  free(mean);
  return RX_OK;
}

static rx_status create(size_t n, size_t n_dims, rx_distance_kind kind, rx_points **out) {
  RX_TRY(RX_NEW(out, "points", 1));
  (*out)->kind = kind;
  (*out)->n = n;
  (*out)->n_dims = n_dims;
  (*out)->stride = (n + 16) / 16 * 16 + 16;
  rx_status status = RX_NEW(&(*out)->values, "points", n_dims * (*out)->stride);
  if (status) rx_points_destroy(out);
  return status;
}

rx_status rx_points_of_rows(const double *values, size_t n_rows, size_t n_columns,
                            rx_distance_kind kind, rx_points **out) {
  RX_TRY(create(n_rows, n_columns, kind, out));
  for (size_t i = 0; i < n_rows; i++)
    for (size_t j = 0; j < n_columns; j++)
      (*out)->values[j * (*out)->stride + i] = values[i * n_columns + j];
  rx_status status = kind == RX_CORRELATION ? standardise(*out) : RX_OK;
  if (status) rx_points_destroy(out);
  return status;
}

rx_status rx_points_of_columns(const double *values, size_t n_rows, size_t n_columns,
                               rx_distance_kind kind, rx_points **out) {
  RX_TRY(create(n_columns, n_rows, kind, out));
  for (size_t i = 0; i < n_rows; i++)
    memcpy((*out)->values + i * (*out)->stride, values + i * n_columns, n_columns * sizeof *values);
  rx_status status = kind == RX_CORRELATION ? standardise(*out) : RX_OK;
  if (status) rx_points_destroy(out);
  return status;
}

void rx_points_destroy(rx_points **points) {
  if (!*points) return;
  free((*points)->values);
  free(*points);
  *points = NULL;
}

void rx_distance_squares(int isa, const rx_points *points, size_t first, size_t count, double *out,
                         size_t stride) {
  RX_ISA_PICK(isa, rx_distance_square)(out, stride, points, first, count);
}

void rx_distance_rows(int isa, const rx_points *points, size_t first, size_t count, double *out) {
  rx_distance_squares(isa, points, first, count, out, points->n);
  size_t total = count * points->n;
  if (points->kind == RX_CORRELATION)
    for (size_t i = 0; i < total; i++) out[i] *= 0.5;
  else
    for (size_t i = 0; i < total; i++) out[i] = sqrt(out[i]);
}
