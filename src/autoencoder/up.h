/* up.h: a map doubled in both directions and convolved with w, without ever being doubled.
 *
 * In one direction, with W = w0 + w1 + w2 and the differences D[i] = x[i] - x[i-1],
 *   out[2i]     = w0 x[i-1] + (w1 + w2) x[i] = W x[i] - w0 D[i]
 *   out[2i + 1] = (w0 + w1) x[i] + w2 x[i+1] = W x[i] + w2 D[i+1]
 * In two directions the map, its differences across, down and both are multiplied with the nine
 * matrices T w T', T = [1 1 1; -1 0 0; 0 0 1], place 3 (down) + (across). x is 0 outside, so that
 * there is one difference more than pixels. Only for up*.kernel.c. */
#ifndef RADMIX_AUTOENCODER_UP_H
#define RADMIX_AUTOENCODER_UP_H

#include "kernels.h"
#include "products.h"

enum { RX_UP_PLACES = 9 };

/* Differences around one row of the small map, each [size + 1][16]; one set a block of channels. */
typedef struct {
  float *across;  /* of this row */
  float *down[2]; /* between the row above and this; between this and the row below */
  float *both[2];
  ptrdiff_t row, block; /* floats of one array; from one block of channels to the next */
} rx_differences;

enum { RX_DIFFERENCES = 5 }; /* arrays in a set */

RX_INLINE rx_differences lay_out_differences(float *memory, int size) {
  ptrdiff_t row = (ptrdiff_t)(size + 1) * RX_BLOCK;

  return (rx_differences){.across = memory,
                          .down = {memory + row, memory + 2 * row},
                          .both = {memory + 3 * row, memory + 4 * row},
                          .row = row,
                          .block = RX_DIFFERENCES * row};
}

/* Differences between row - 1 and row, down and both ways, of one block. */
RX_INLINE void difference_down(float *down, float *both, const rx_map *input, int block, int row) {
  const float *upper = rx_map_at(input, block, row - 1, 0);
  const float *lower = rx_map_at(input, block, row, 0);
  rx_block before = zero();

  for (int column = 0; column <= input->size; column++) {
    ptrdiff_t at = (ptrdiff_t)column * RX_BLOCK;
    rx_block here = subtract(load(lower + at), load(upper + at));

    store(down + at, here);
    store(both + at, subtract(here, before));
    before = here;
  }
}

RX_INLINE void difference_across(float *across, const rx_map *input, int block, int row) {
  const float *from = rx_map_at(input, block, row, 0);
  rx_block before = zero();

  for (int column = 0; column <= input->size; column++) {
    ptrdiff_t at = (ptrdiff_t)column * RX_BLOCK;
    rx_block here = load(from + at);

    store(across + at, subtract(here, before));
    before = here;
  }
}

/* Moves the differences to a row: what was below it is now above it. */
RX_INLINE void move_differences(rx_differences *d, const rx_map *input, int row) {
  float *down = d->down[0], *both = d->both[0];

  d->down[0] = d->down[1];
  d->both[0] = d->both[1];
  d->down[1] = down;
  d->both[1] = both;
  for (int block = 0; block < input->n_blocks; block++) {
    ptrdiff_t at = block * d->block;
    if (row == 0) difference_down(d->down[0] + at, d->both[0] + at, input, block, 0);
    difference_down(d->down[1] + at, d->both[1] + at, input, block, row + 1);
    difference_across(d->across + at, input, block, row);
  }
}

#endif
