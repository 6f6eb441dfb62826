/* The last layer: doubled and convolved to one channel. The pixel (i, j) of the small map reaches a
 * 4 x 4 window of the image that begins at (2 i - 1, 2 j - 1); the 16 lanes are its places, row by
 * row, and each pixel of the image sums four of them. */
#include <string.h>

#include "kernels.h"
#include "products.h"

enum { WINDOW = 4 };

/* One row of the image from the rows of windows above and below it.
 * upper, lower  the window of small pixel 0, at the row of the window that meets this row */
RX_INLINE void gather_row(float *to, const float *upper, const float *lower, int size, float bias) {
  for (int j = 0; j < size; j++) {
    const float *u = upper + (ptrdiff_t)j * RX_BLOCK, *l = lower + (ptrdiff_t)j * RX_BLOCK;

    to[2 * j] = bias + ((u[3 - RX_BLOCK] + l[3 - RX_BLOCK]) + (u[1] + l[1]));
    to[2 * j + 1] = bias + ((u[2] + l[2]) + (u[RX_BLOCK] + l[RX_BLOCK]));
  }
}

void RX_ISA_NAME(rx_last_forward)(const rx_pass *pass) {
  int size = pass->input.size;
  ptrdiff_t length = (ptrdiff_t)(size + 2) * RX_BLOCK; /* with a pixel of zeros at both ends */
  float *upper = pass->scratch + RX_BLOCK, *lower = upper + length;

  memset(pass->scratch, 0, 2 * (size_t)length * sizeof(float));
  for (int row = 0; row <= size; row++) {
    float *used = upper;

    if (row < size)
      multiply_row(
          size,
          (rx_row){.at = rx_map_at(&pass->input, 0, row, 0),
                   .step = RX_BLOCK,
                   .block = (ptrdiff_t)rx_map_block(&pass->input)},
          (rx_matrices){.at = pass->weights, .block = RX_MATRIX, .n_blocks = pass->input.n_blocks},
          (rx_sums){.to = lower, .to_step = RX_BLOCK});
    else
      memset(lower, 0, (size_t)size * RX_BLOCK * sizeof(float));
    if (row > 0)
      gather_row(pass->logits + (ptrdiff_t)(2 * row - 1) * 2 * size, upper + 2 * WINDOW, lower,
                 size, pass->biases[0]);
    if (row < size)
      gather_row(pass->logits + (ptrdiff_t)(2 * row) * 2 * size, upper + 3 * WINDOW, lower + WINDOW,
                 size, pass->biases[0]);
    upper = lower;
    lower = used;
  }
}

/* The gradients of the 16 places of each window of a row. */
RX_INLINE void collect_row(float *to, const rx_plane *d_logits, int row, int size) {
  for (int j = 0; j < size; j++)
    for (int r = 0; r < WINDOW; r++)
      memcpy(to + (ptrdiff_t)j * RX_BLOCK + r * WINDOW,
             rx_plane_at(d_logits, 2 * row - 1 + r, 2 * j - 1), WINDOW * sizeof(float));
}

RX_INLINE void mask_row(const rx_pass *pass, int block, int row) {
  float *to = rx_map_at(&pass->d_input, block, row, 0);
  const float *input = rx_map_at(&pass->input, block, row, 0);

  for (ptrdiff_t at = 0; at < (ptrdiff_t)pass->input.size * RX_BLOCK; at += RX_BLOCK)
    store(to + at, keep(is_positive(load(input + at)), load(to + at)));
}

/* Sums the gradients of all pixels, 16 columns side by side. */
RX_INLINE float sum_plane(const rx_plane *plane) {
  rx_block sum = zero();
  float lanes[RX_BLOCK] __attribute__((aligned(64)));
  float total = 0;

  for (int row = 0; row < plane->size; row++)
    for (int column = 0; column < plane->pitch; column += RX_BLOCK)
      sum = add(sum, load(plane->values + (ptrdiff_t)(row + 1) * plane->pitch + column));
  store(lanes, sum);
  for (int lane = 0; lane < RX_BLOCK; lane++) total += lanes[lane];
  return total;
}

void RX_ISA_NAME(rx_last_backward)(const rx_pass *pass) {
  int size = pass->input.size;
  float *windows = pass->scratch;

  pass->d_biases[0] += sum_plane(&pass->image);
  for (int row = 0; row < size; row++) {
    collect_row(windows, &pass->image, row, size);
    for (int block = 0; block < pass->input.n_blocks; block++) {
      multiply_row(
          size, (rx_row){.at = windows, .step = RX_BLOCK},
          (rx_matrices){.at = pass->transposed + (ptrdiff_t)block * RX_MATRIX, .n_blocks = 1},
          (rx_sums){.to = rx_map_at(&pass->d_input, block, row, 0), .to_step = RX_BLOCK});
      mask_row(pass, block, row);
      outer_row(pass->d_weights + (ptrdiff_t)block * RX_MATRIX, size,
                (rx_row){.at = rx_map_at(&pass->input, block, row, 0), .step = RX_BLOCK}, windows,
                RX_BLOCK);
    }
  }
}
