#include "tiles.h"

#include <math.h>
#include <stdlib.h>

#include "radmix/memory.h"

rx_status rx_tiles_create(size_t n_rows, size_t n_columns, size_t height, size_t width, size_t gap,
                          rx_tiles *tiles) {
  *tiles = (rx_tiles){n_rows, n_columns, height, width, gap, 0, 0, NULL};
  tiles->total_height = n_rows * height + (n_rows - 1) * gap;
  tiles->total_width = n_columns * width + (n_columns - 1) * gap;
  size_t n = tiles->total_height * tiles->total_width;
  rx_status status = RX_NEW(&tiles->values, "figure", n);
  for (size_t i = 0; i < n && !status; i++) tiles->values[i] = NAN;
  return status;
}

void rx_tiles_destroy(rx_tiles *tiles) {
  free(tiles->values);
  *tiles = (rx_tiles){0};
}

void rx_tiles_put(rx_tiles *tiles, size_t row, size_t column, const double *image) {
  size_t top = row * (tiles->height + tiles->gap), left = column * (tiles->width + tiles->gap);

  for (size_t y = 0; y < tiles->height; y++)
    for (size_t x = 0; x < tiles->width; x++)
      tiles->values[(top + y) * tiles->total_width + left + x] = image[y * tiles->width + x];
}

void rx_tiles_write(const rx_tiles *tiles, FILE *data) {
  for (size_t y = tiles->total_height; y-- > 0;)
    for (size_t x = 0; x < tiles->total_width; x++)
      fprintf(data, "%.5g%c", tiles->values[y * tiles->total_width + x],
              x + 1 < tiles->total_width ? ' ' : '\n');
}

double rx_tiles_x(const rx_tiles *tiles, size_t column) {
  return (double)(column * (tiles->width + tiles->gap)) + ((double)tiles->width - 1) / 2;
}

double rx_tiles_y(const rx_tiles *tiles, size_t row) {
  double from_top = (double)(row * (tiles->height + tiles->gap)) + ((double)tiles->height - 1) / 2;

  return (double)tiles->total_height - 1 - from_top;
}
