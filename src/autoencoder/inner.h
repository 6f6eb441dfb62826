/* inner.h: Winograd's F(2 x 2, 3 x 3) (Lavin & Gray 2016): the outputs of a 2 x 2 tile are
 * A' [sum over channels (T w T') . (B' x B)] A, where x is the 4 x 4 window under the tile and
 *
 *   B' = 1  0 -1  0      T = 1    0    0      A' = 1 1  1  0
 *        0  1  1  0          1/2  1/2  1/2         0 1 -1 -1
 *        0 -1  1  0          1/2 -1/2  1/2
 *        0  1  0 -1          0    0    1
 *
 * Tiles are worked on in strips of whole rows of tiles, at least 16 tiles where there are as many.
 * Only for inner*.kernel.c. */
#ifndef RADMIX_AUTOENCODER_INNER_H
#define RADMIX_AUTOENCODER_INNER_H

#include "kernels.h"
#include "products.h"

enum { RX_PLACES = 16 }; /* of the transformed window */

typedef struct {
  int n_columns;   /* tiles in a row of tiles */
  int n_rows;      /* rows of tiles in a strip */
  int n_tiles;     /* in a strip */
  ptrdiff_t place; /* floats from one place to the next: [places][n_tiles][16] */
  ptrdiff_t block; /* floats from one block of channels to the next */
} rx_strip;

RX_INLINE rx_strip lay_out_strip(int size) {
  rx_strip strip;

  strip.n_columns = (size + 1) / 2;
  strip.n_rows = strip.n_columns >= 16 ? 1 : 16 / strip.n_columns;
  if (strip.n_rows > strip.n_columns) strip.n_rows = strip.n_columns;
  strip.n_tiles = strip.n_columns * strip.n_rows;
  strip.place = (ptrdiff_t)strip.n_tiles * RX_BLOCK;
  strip.block = RX_PLACES * strip.place;
  return strip;
}

/* B' of one column of a window. */
RX_INLINE void transform_column(rx_lanes to[4], const float *from, ptrdiff_t pitch) {
  rx_lanes x[4];

  RX_UNROLL for (int row = 0; row < 4; row++) x[row] = *(const rx_lanes *)(from + row * pitch);
  to[0] = x[0] - x[2];
  to[1] = x[1] + x[2];
  to[2] = x[2] - x[1];
  to[3] = x[1] - x[3];
}

/* Transforms the windows of one row of tiles.
 * windows  the first tile's place 0, set; [places][n_tiles][16]
 * from     the pixel above and left of the first tile */
RX_INLINE void transform_windows(float *windows, const float *from, ptrdiff_t pitch,
                                 rx_strip strip) {
  for (int part = 0; part < RX_PARTS; part++) {
    const float *at = from + (ptrdiff_t)part * RX_LANES;
    float *to = windows + (ptrdiff_t)part * RX_LANES;
    rx_lanes column[4][4];

    transform_column(column[0], at, pitch);
    transform_column(column[1], at + RX_BLOCK, pitch);
    for (int tile = 0; tile < strip.n_columns; tile++, at += 2 * RX_BLOCK, to += RX_BLOCK) {
      transform_column(column[2], at + 2 * RX_BLOCK, pitch);
      transform_column(column[3], at + 3 * RX_BLOCK, pitch);
      RX_UNROLL for (int row = 0; row < 4; row++) {
        float *place = to + 4 * row * strip.place;
        *(rx_lanes *)place = column[0][row] - column[2][row];
        *(rx_lanes *)(place + strip.place) = column[1][row] + column[2][row];
        *(rx_lanes *)(place + 2 * strip.place) = column[2][row] - column[1][row];
        *(rx_lanes *)(place + 3 * strip.place) = column[1][row] - column[3][row];
        column[0][row] = column[2][row];
        column[1][row] = column[3][row];
      }
    }
  }
}

/* Transforms all blocks of a strip that begins at a row of tiles. windows  [n_blocks][..], set */
RX_INLINE void transform_strip(float *windows, const rx_map *input, int first_row, int n_rows,
                               rx_strip strip) {
  for (int block = 0; block < input->n_blocks; block++)
    for (int row = 0; row < n_rows; row++)
      transform_windows(windows + block * strip.block + (ptrdiff_t)row * strip.n_columns * RX_BLOCK,
                        rx_map_at(input, block, 2 * (first_row + row) - 1, -1),
                        (ptrdiff_t)input->pitch * RX_BLOCK, strip);
}

/* Products of a strip with the matrices of each place, for one block of results.
 * to        [places][n_tiles][16], set
 * matrices  [n_blocks][places][16][16] */
RX_INLINE void multiply_places(float *to, const float *from, int n_blocks, const float *matrices,
                               int n_tiles, rx_strip strip) {
  for (int place = 0; place < RX_PLACES; place++)
    multiply_row(n_tiles,
                 (rx_row){.at = from + place * strip.place, .step = RX_BLOCK, .block = strip.block},
                 (rx_matrices){.at = matrices + (ptrdiff_t)place * RX_MATRIX,
                               .block = RX_PLACES * RX_MATRIX,
                               .n_blocks = n_blocks},
                 (rx_sums){.to = to + place * strip.place, .to_step = RX_BLOCK});
}

#endif
