#include "inner.h"

/* A' m A of one tile: c[0..3] are its outputs, row by row, biases added. */
RX_INLINE void finish_tile(rx_block c[4], const float *products, rx_block bias, rx_strip strip) {
  rx_block upper[4], lower[4];

  RX_UNROLL for (int column = 0; column < 4; column++) {
    rx_block m[4];
    RX_UNROLL for (int row = 0; row < 4; row++) m[row] =
        load(products + (4 * row + column) * strip.place);
    upper[column] = add(add(m[0], m[1]), m[2]);
    lower[column] = subtract(subtract(m[1], m[2]), m[3]);
  }
  c[0] = add(add(add(upper[0], upper[1]), upper[2]), bias);
  c[1] = add(subtract(subtract(upper[1], upper[2]), upper[3]), bias);
  c[2] = add(add(add(lower[0], lower[1]), lower[2]), bias);
  c[3] = add(subtract(subtract(lower[1], lower[2]), lower[3]), bias);
}

RX_INLINE void pool_row(const rx_pass *pass, const float *products, int block, int row,
                        rx_strip strip) {
  rx_block bias = load(pass->biases + (ptrdiff_t)block * RX_BLOCK);
  int size = pass->output.size;
  int *argmax = pass->argmax + (ptrdiff_t)(block * size + row) * size * RX_BLOCK;
  float *to = rx_map_at(&pass->output, block, row, 0);

  for (int tile = 0; tile < strip.n_columns; tile++) {
    rx_block c[4];
    finish_tile(c, products + (ptrdiff_t)tile * RX_BLOCK, bias, strip);
    store(to + (ptrdiff_t)tile * RX_BLOCK, pool(c, argmax + (ptrdiff_t)tile * RX_BLOCK));
  }
}

RX_INLINE void rectify_row(const rx_pass *pass, const float *products, int block, int row,
                           rx_strip strip) {
  rx_block bias = load(pass->biases + (ptrdiff_t)block * RX_BLOCK);
  ptrdiff_t pitch = (ptrdiff_t)pass->output.pitch * RX_BLOCK;
  int size = pass->output.size;

  for (int tile = 0; tile < strip.n_columns; tile++) {
    float *to = rx_map_at(&pass->output, block, 2 * row, 2 * tile);
    int has_right = 2 * tile + 1 < size, has_below = 2 * row + 1 < size;
    rx_block c[4];

    finish_tile(c, products + (ptrdiff_t)tile * RX_BLOCK, bias, strip);
    store(to, rectify(c[0]));
    if (has_right) store(to + RX_BLOCK, rectify(c[1]));
    if (has_below) store(to + pitch, rectify(c[2]));
    if (has_right && has_below) store(to + pitch + RX_BLOCK, rectify(c[3]));
  }
}

void RX_ISA_NAME(rx_inner_forward)(const rx_pass *pass) {
  rx_strip strip = lay_out_strip(pass->input.size);
  float *windows = pass->scratch, *products = windows + pass->input.n_blocks * strip.block;
  ptrdiff_t matrices = (ptrdiff_t)pass->input.n_blocks * RX_PLACES * RX_MATRIX;
  int is_pooled = pass->output.size < pass->input.size;

  for (int first = 0; first < strip.n_columns; first += strip.n_rows) {
    int left = strip.n_columns - first, n_rows = left < strip.n_rows ? left : strip.n_rows;

    transform_strip(windows, &pass->input, first, n_rows, strip);
    for (int block = 0; block < pass->output.n_blocks; block++) {
      multiply_places(products, windows, pass->input.n_blocks, pass->weights + block * matrices,
                      n_rows * strip.n_columns, strip);
      for (int row = 0; row < n_rows; row++) {
        const float *at = products + (ptrdiff_t)row * strip.n_columns * RX_BLOCK;
        if (is_pooled)
          pool_row(pass, at, block, first + row, strip);
        else
          rectify_row(pass, at, block, first + row, strip);
      }
    }
  }
}
