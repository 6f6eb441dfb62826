#include "inner.h"

/* A d A' of one tile whose four gradients are d[0..3]. to  [places], set */
RX_INLINE void spread_tile(float *to, const rx_block d[4], rx_strip strip) {
  rx_block left[4] = {d[0], add(d[0], d[2]), subtract(d[0], d[2]), subtract(zero(), d[2])};
  rx_block right[4] = {d[1], add(d[1], d[3]), subtract(d[1], d[3]), subtract(zero(), d[3])};

  RX_UNROLL for (int row = 0; row < 4; row++) {
    float *place = to + 4 * row * strip.place;
    store(place, left[row]);
    store(place + strip.place, add(left[row], right[row]));
    store(place + 2 * strip.place, subtract(left[row], right[row]));
    store(place + 3 * strip.place, subtract(zero(), right[row]));
  }
}

/* The gradients of one row of tiles, transformed; the gradient by the biases. */
RX_INLINE void spread_pooled_row(const rx_pass *pass, float *to, int block, int row,
                                 rx_strip strip) {
  int size = pass->output.size;
  const int *argmax = pass->argmax + (ptrdiff_t)(block * size + row) * size * RX_BLOCK;
  const float *from = rx_map_at(&pass->d_output, block, row, 0);
  const float *output = rx_map_at(&pass->output, block, row, 0);
  float *d_biases = pass->d_biases + (ptrdiff_t)block * RX_BLOCK;
  rx_block sum = load(d_biases);

  for (int tile = 0; tile < strip.n_columns; tile++) {
    ptrdiff_t at = (ptrdiff_t)tile * RX_BLOCK;
    rx_block pooled = keep(is_positive(load(output + at)), load(from + at));
    rx_block d[4];

    RX_UNROLL for (int k = 0; k < 4; k++) d[k] = keep(is_argmax(argmax + at, k), pooled);
    sum = add(sum, pooled);
    spread_tile(to + at, d, strip);
  }
  store(d_biases, sum);
}

RX_INLINE void spread_plain_row(const rx_pass *pass, float *to, int block, int row,
                                rx_strip strip) {
  ptrdiff_t pitch = (ptrdiff_t)pass->d_output.pitch * RX_BLOCK;
  const float *from = rx_map_at(&pass->d_output, block, 2 * row, 0);
  float *d_biases = pass->d_biases + (ptrdiff_t)block * RX_BLOCK;
  rx_block sum = load(d_biases);

  for (int tile = 0; tile < strip.n_columns; tile++) {
    const float *at = from + (ptrdiff_t)tile * 2 * RX_BLOCK;
    rx_block d[4] = {load(at), load(at + RX_BLOCK), load(at + pitch), load(at + pitch + RX_BLOCK)};

    RX_UNROLL for (int k = 0; k < 4; k++) sum = add(sum, d[k]);
    spread_tile(to + (ptrdiff_t)tile * RX_BLOCK, d, strip);
  }
  store(d_biases, sum);
}

/* B v of one column of places. */
RX_INLINE void restore_column(rx_lanes to[4], const float *from, ptrdiff_t step) {
  rx_lanes v[4];

  RX_UNROLL for (int row = 0; row < 4; row++) v[row] = *(const rx_lanes *)(from + row * step);
  to[0] = v[0];
  to[1] = v[1] - v[2] + v[3];
  to[2] = v[1] + v[2] - v[0];
  to[3] = -v[3];
}

/* Adds the windows B v B' of one row of tiles, which overlap, to the map. Tiles hand their last two
 * columns to the next; the first two rows are added to what the row of tiles above left, the last
 * two are set. */
RX_INLINE void add_windows(const rx_map *map, int block, int row, const float *places,
                           rx_strip strip) {
  ptrdiff_t pitch = (ptrdiff_t)map->pitch * RX_BLOCK;

  for (int part = 0; part < RX_PARTS; part++) {
    float *to = rx_map_at(map, block, 2 * row - 1, -1) + (ptrdiff_t)part * RX_LANES;
    const float *from = places + (ptrdiff_t)part * RX_LANES;
    rx_lanes kept[4][2] = {{{0}}};

    for (int tile = 0; tile <= strip.n_columns; tile++, to += 2 * RX_BLOCK, from += RX_BLOCK) {
      rx_lanes column[4][4], window[4][4];

      if (tile < strip.n_columns) {
        RX_UNROLL for (int c = 0; c < 4; c++)
            restore_column(column[c], from + c * strip.place, 4 * strip.place);
        RX_UNROLL for (int r = 0; r < 4; r++) {
          window[r][0] = column[0][r] + kept[r][0];
          window[r][1] = column[1][r] - column[2][r] + column[3][r] + kept[r][1];
          kept[r][0] = column[1][r] + column[2][r] - column[0][r];
          kept[r][1] = -column[3][r];
        }
      } else {
        RX_UNROLL for (int r = 0; r < 4; r++) window[r][0] = kept[r][0], window[r][1] = kept[r][1];
      }
      RX_UNROLL for (int r = 0; r < 4; r++) RX_UNROLL for (int c = 0; c < 2; c++) {
        rx_lanes *pixel = (rx_lanes *)(to + r * pitch + (ptrdiff_t)c * RX_BLOCK);
        if (r < 2 && row > 0) window[r][c] += *pixel;
        *pixel = window[r][c];
      }
    }
  }
}

RX_INLINE void add_weight_gradients(const rx_pass *pass, const float *windows,
                                    const float *gradients, int n_tiles, rx_strip strip) {
  float *matrix = pass->d_weights;

  for (int to = 0; to < pass->output.n_blocks; to++)
    for (int from = 0; from < pass->input.n_blocks; from++)
      for (int place = 0; place < RX_PLACES; place++, matrix += RX_MATRIX)
        outer_row(
            matrix, n_tiles,
            (rx_row){.at = windows + from * strip.block + place * strip.place, .step = RX_BLOCK},
            gradients + to * strip.block + place * strip.place, RX_BLOCK);
}

void RX_ISA_NAME(rx_inner_backward)(const rx_pass *pass) {
  rx_strip strip = lay_out_strip(pass->input.size);
  int n_outputs = pass->output.n_blocks, n_inputs = pass->input.n_blocks;
  float *windows = pass->scratch, *gradients = windows + n_inputs * strip.block;
  float *places = gradients + n_outputs * strip.block;
  int is_pooled = pass->output.size < pass->input.size;

  for (int first = 0; first < strip.n_columns; first += strip.n_rows) {
    int left = strip.n_columns - first, n_rows = left < strip.n_rows ? left : strip.n_rows;
    ptrdiff_t row_length = (ptrdiff_t)strip.n_columns * RX_BLOCK;

    transform_strip(windows, &pass->input, first, n_rows, strip);
    for (int block = 0; block < n_outputs; block++)
      for (int row = 0; row < n_rows; row++) {
        float *to = gradients + block * strip.block + row * row_length;
        if (is_pooled)
          spread_pooled_row(pass, to, block, first + row, strip);
        else
          spread_plain_row(pass, to, block, first + row, strip);
      }
    add_weight_gradients(pass, windows, gradients, n_rows * strip.n_columns, strip);
    for (int block = 0; block < n_inputs; block++) {
      multiply_places(places, gradients, n_outputs,
                      pass->transposed + (ptrdiff_t)block * n_outputs * RX_PLACES * RX_MATRIX,
                      n_rows * strip.n_columns, strip);
      for (int row = 0; row < n_rows; row++)
        add_windows(&pass->d_input, block, first + row, places + row * row_length, strip);
    }
  }
}
