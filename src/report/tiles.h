/* tiles.h: small images beside each other in one array, which a figure shows as one image. Local.
 */
#ifndef RADMIX_REPORT_TILES_H
#define RADMIX_REPORT_TILES_H

#include <stddef.h>
#include <stdio.h>

#include "radmix/status.h"

/* Tiles of the same shape in a grid, with gaps of NAN (which are not drawn) between them. */
typedef struct {
  size_t n_rows, n_columns; /* of tiles */
  size_t height, width;     /* of a tile */
  size_t gap;
  size_t total_height, total_width;
  double *values; /* [total_height][total_width], first row on top; owned */
} rx_tiles;

/* Makes the array, all NAN. Errors: RX_ERR_MEMORY. */
rx_status rx_tiles_create(size_t n_rows, size_t n_columns, size_t height, size_t width, size_t gap,
                          rx_tiles *tiles);
void rx_tiles_destroy(rx_tiles *tiles);

/* Puts an image [height][width] into its place. */
void rx_tiles_put(rx_tiles *tiles, size_t row, size_t column, const double *image);

/* Writes the values as a matrix for `plot data matrix with image`, the last row first, since
 * gnuplot begins below. */
void rx_tiles_write(const rx_tiles *tiles, FILE *data);

/* Centre of a tile from the left, and from below, in the units of that plot. */
double rx_tiles_x(const rx_tiles *tiles, size_t column);
double rx_tiles_y(const rx_tiles *tiles, size_t row);

#endif
