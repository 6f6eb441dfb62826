/* columns.h: a run of factors column by column, as it is adjusted, and row by row, as it is
 * written. Local. */
#ifndef RADMIX_ASSOCIATION_COLUMNS_H
#define RADMIX_ASSOCIATION_COLUMNS_H

#include "adjust.h"

/* Room for adjusting the columns of a run. */
typedef struct {
  size_t n_features; /* of a whole column */
  double *log10_q;   /* [n_features]; owned, as all that follows */
  float *column;     /* [width][n_mine], q of this rank's features */
  float *row;        /* [n_mine][width] */
  rx_adjust_room *room;
} rx_columns;

rx_status rx_columns_create(size_t n_features, size_t n_mine, size_t width, rx_columns **out);
void rx_columns_destroy(rx_columns **columns);

/* Sets columns [n_columns][n_rows] from rows [n_rows][n_columns]. */
void rx_columns_from_rows(size_t n_rows, size_t n_columns, const double *restrict rows,
                          double *restrict columns);
/* Sets rows [n_rows][n_columns] from columns [n_columns][n_rows]. */
void rx_columns_to_rows(size_t n_rows, size_t n_columns, const float *restrict columns,
                        float *restrict rows);

#endif
