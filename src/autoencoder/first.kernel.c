/* The first layer: one channel in, so that a pixel is a number and the lanes are the outputs. */
#include "kernels.h"
#include "vector.h"

enum { TAPS = 9 };

/* One row of pooled pixels of one block. window  the pixel above and left of the first one */
RX_INLINE void forward_row(float *to, int *argmax, const float *window, ptrdiff_t pitch, int size,
                           const rx_block weights[TAPS], rx_block bias) {
  for (int column = 0; column < size; column++, window += 2) {
    rx_block c[4] = {bias, bias, bias, bias};

    RX_UNROLL for (int tap = 0; tap < TAPS; tap++) RX_UNROLL for (int k = 0; k < 4; k++) c[k] =
        multiply_add(spread(window[(k / 2 + tap / 3) * pitch + k % 2 + tap % 3]), weights[tap],
                     c[k]);
    store(to + (ptrdiff_t)column * RX_BLOCK, pool(c, argmax + (ptrdiff_t)column * RX_BLOCK));
  }
}

void RX_ISA_NAME(rx_first_forward)(const rx_pass *pass) {
  int size = pass->output.size;

  for (int block = 0; block < pass->output.n_blocks; block++) {
    rx_block bias = load(pass->biases + (ptrdiff_t)block * RX_BLOCK), weights[TAPS];

    RX_UNROLL for (int tap = 0; tap < TAPS; tap++) weights[tap] =
        load(pass->weights + (ptrdiff_t)(block * TAPS + tap) * RX_BLOCK);
    for (int row = 0; row < size; row++)
      forward_row(rx_map_at(&pass->output, block, row, 0),
                  pass->argmax + (ptrdiff_t)(block * size + row) * size * RX_BLOCK,
                  rx_plane_at(&pass->image, 2 * row - 1, -1), pass->image.pitch, size, weights,
                  bias);
  }
}

/* Only the largest value of a window had an influence: its window of the image is the one that
 * counts, and that is another one in each lane. */
RX_INLINE void backward_pixel(rx_lanes sums[TAPS], const float *window, ptrdiff_t pitch,
                              const int *argmax, rx_lanes d) {
  rx_marks which = *(const rx_marks *)argmax;

  RX_UNROLL for (int k = 0; k < 4; k++) {
    rx_lanes mine = (rx_lanes)((rx_marks)(which == k) & (rx_marks)d);
    RX_UNROLL for (int tap = 0; tap < TAPS; tap++) {
      float pixel = window[(k / 2 + tap / 3) * pitch + k % 2 + tap % 3];
      sums[tap] = multiply_add_lanes(pixel - (rx_lanes){0}, mine, sums[tap]);
    }
  }
}

/* Some lanes of a block, so that the sums stay in registers. */
RX_INLINE void backward_lanes(const rx_pass *pass, int block, int part) {
  int size = pass->output.size;
  ptrdiff_t lane = (ptrdiff_t)part * RX_LANES;
  float *d_weights = pass->d_weights + (ptrdiff_t)block * TAPS * RX_BLOCK + lane;
  rx_lanes *d_bias = (rx_lanes *)(pass->d_biases + (ptrdiff_t)block * RX_BLOCK + lane);
  rx_lanes sums[TAPS], total = *d_bias;

  RX_UNROLL for (int tap = 0; tap < TAPS; tap++) sums[tap] =
      *(rx_lanes *)(d_weights + (ptrdiff_t)tap * RX_BLOCK);
  for (int row = 0; row < size; row++) {
    const float *from = rx_map_at(&pass->d_output, block, row, 0) + lane;
    const float *output = rx_map_at(&pass->output, block, row, 0) + lane;
    const int *argmax = pass->argmax + (ptrdiff_t)(block * size + row) * size * RX_BLOCK + lane;
    const float *window = rx_plane_at(&pass->image, 2 * row - 1, -1);

    for (int column = 0; column < size; column++, window += 2) {
      ptrdiff_t at = (ptrdiff_t)column * RX_BLOCK;
      rx_marks is_live = *(const rx_lanes *)(output + at) > 0;
      rx_lanes d = (rx_lanes)(is_live & *(const rx_marks *)(from + at));

      total += d;
      backward_pixel(sums, window, pass->image.pitch, argmax + at, d);
    }
  }
  RX_UNROLL for (int tap = 0; tap < TAPS; tap++) *
      (rx_lanes *)(d_weights + (ptrdiff_t)tap * RX_BLOCK) = sums[tap];
  *d_bias = total;
}

void RX_ISA_NAME(rx_first_backward)(const rx_pass *pass) {
  for (int block = 0; block < pass->output.n_blocks; block++)
    for (int part = 0; part < RX_PARTS; part++) backward_lanes(pass, block, part);
}
