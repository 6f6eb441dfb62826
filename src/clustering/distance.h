/* distance.h: points, and the distances between them. Local.
 *
 * Euclidean, or 1 - Pearson's correlation, which is half the squared Euclidean distance of points
 * that were centred and divided by their length. A constant point has no correlation: it is put at
 * the origin, at distance 1/2 from all but its like; the caller counts such points. */
#ifndef RADMIX_CLUSTERING_DISTANCE_H
#define RADMIX_CLUSTERING_DISTANCE_H

#include <stddef.h>

#include "radmix/status.h"

typedef enum { RX_EUCLIDEAN, RX_CORRELATION } rx_distance_kind;

typedef struct {
  rx_distance_kind kind;
  size_t n, n_dims, stride; /* stride: n and room for a kernel to read past the end */
  size_t n_constant;        /* points that were put at the origin (correlation) */
  double *values;           /* [n_dims][stride]; owned */
} rx_points;

/* Makes points of the rows of a matrix, or of its columns.
 * values  [n_rows][n_columns], finite. Errors: RX_ERR_MEMORY. */
rx_status rx_points_of_rows(const double *values, size_t n_rows, size_t n_columns,
                            rx_distance_kind kind, rx_points **out);
rx_status rx_points_of_columns(const double *values, size_t n_rows, size_t n_columns,
                               rx_distance_kind kind, rx_points **out);
void rx_points_destroy(rx_points **points);

/* Gives the distances of points first .. first + count - 1 to all points.
 * isa  as of rx_isa_choose(); out  [count][points->n], set */
void rx_distance_rows(int isa, const rx_points *points, size_t first, size_t count, double *out);
/* The squared Euclidean distances of the points as they stand (t-SNE).
 * out  [count][stride], the first n of each row set */
void rx_distance_squares(int isa, const rx_points *points, size_t first, size_t count, double *out,
                         size_t stride);

void rx_distance_square_v2(double *restrict out, size_t stride, const rx_points *points,
                           size_t first, size_t count);
void rx_distance_square_v3(double *restrict out, size_t stride, const rx_points *points,
                           size_t first, size_t count);
void rx_distance_square_v4(double *restrict out, size_t stride, const rx_points *points,
                           size_t first, size_t count);

#endif
