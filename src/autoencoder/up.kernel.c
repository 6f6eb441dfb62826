#include "up.h"

/* What the products of one row of one block of outputs share. */
typedef struct {
  const rx_pass *pass;
  rx_differences differences;
  const float *weights; /* [input blocks][9][16][16] */
  float *vertical[2];   /* [size][16]: all that depends on which of the two rows it is */
  float *horizontal[2]; /* the same for columns */
} rx_up_row;

RX_INLINE void multiply_place(const rx_up_row *up, int down, int across, rx_row row, rx_sums sums) {
  multiply_row(up->pass->input.size, row,
               (rx_matrices){.at = up->weights + (ptrdiff_t)(3 * down + across) * RX_MATRIX,
                             .block = RX_UP_PLACES * RX_MATRIX,
                             .n_blocks = up->pass->input.n_blocks},
               sums);
}

RX_INLINE rx_row difference_row(const rx_up_row *up, const float *array, int shift) {
  return (rx_row){.at = array + shift * RX_BLOCK, .step = RX_BLOCK, .block = up->differences.block};
}

/* The terms that two of the four outputs of a pixel have in common. */
RX_INLINE void multiply_shared(const rx_up_row *up, int block, int row) {
  const rx_pass *pass = up->pass;
  rx_row pixels = {.at = rx_map_at(&pass->input, 0, row, 0),
                   .step = RX_BLOCK,
                   .block = (ptrdiff_t)rx_map_block(&pass->input)};
  float *common = up->vertical[1];

  multiply_place(
      up, 0, 0, pixels,
      (rx_sums){
          .start = pass->biases + (ptrdiff_t)block * RX_BLOCK, .to = common, .to_step = RX_BLOCK});
  for (int a = 0; a < 2; a++) {
    multiply_place(
        up, 1 + a, 0, difference_row(up, up->differences.down[a], 0),
        (rx_sums){
            .start = common, .start_step = RX_BLOCK, .to = up->vertical[a], .to_step = RX_BLOCK});
    multiply_place(up, 0, 1 + a, difference_row(up, up->differences.across, a),
                   (rx_sums){.to = up->horizontal[a], .to_step = RX_BLOCK});
  }
}

RX_INLINE void multiply_outputs(const rx_up_row *up, int block, int row) {
  for (int a = 0; a < 2; a++)
    for (int b = 0; b < 2; b++)
      multiply_place(up, 1 + a, 1 + b, difference_row(up, up->differences.both[a], b),
                     (rx_sums){.start = up->vertical[a],
                               .start_step = RX_BLOCK,
                               .more = up->horizontal[b],
                               .to = rx_map_at(&up->pass->output, block, 2 * row + a, b),
                               .to_step = 2 * RX_BLOCK,
                               .is_rectified = 1});
}

void RX_ISA_NAME(rx_up_forward)(const rx_pass *pass) {
  int size = pass->input.size, n_inputs = pass->input.n_blocks;
  ptrdiff_t length = (ptrdiff_t)size * RX_BLOCK;
  rx_up_row up = {.pass = pass, .differences = lay_out_differences(pass->scratch, size)};
  float *sums = pass->scratch + n_inputs * up.differences.block;

  for (int a = 0; a < 2; a++) {
    up.vertical[a] = sums + a * length;
    up.horizontal[a] = sums + (2 + a) * length;
  }
  for (int row = 0; row < size; row++) {
    move_differences(&up.differences, &pass->input, row);
    for (int block = 0; block < pass->output.n_blocks; block++) {
      up.weights = pass->weights + (ptrdiff_t)block * n_inputs * RX_UP_PLACES * RX_MATRIX;
      multiply_shared(&up, block, row);
      multiply_outputs(&up, block, row);
    }
  }
}
