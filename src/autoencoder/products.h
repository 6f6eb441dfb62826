/* products.h: the two matrix products that all inner layers are made of. Only for *.kernel.c.
 *
 * Pixels are rows of 16 channels. A product sums over the channels in ascending order, block after
 * block, and a gradient over the pixels in ascending order, whatever the tile, so that the width of
 * the registers does not show in the result. */
#ifndef RADMIX_AUTOENCODER_PRODUCTS_H
#define RADMIX_AUTOENCODER_PRODUCTS_H

#include "vector.h"

enum {
  RX_MATRIX = RX_BLOCK * RX_BLOCK, /* floats of one 16 x 16 matrix */
  RX_TILE = RX_ISA == 4   ? 16
            : RX_ISA == 3 ? 6
                          : 2 /* pixels whose sums stay in registers */
};

/* A row of pixels in one or more blocks of channels. */
typedef struct {
  const float *at;
  ptrdiff_t step;  /* floats from one pixel to the next */
  ptrdiff_t block; /* floats from one block of channels to the next */
} rx_row;

/* Matrices [n_blocks][16][16], one for each block of the row. */
typedef struct {
  const float *at;
  ptrdiff_t block;
  int n_blocks;
} rx_matrices;

/* Where the sums begin and end. */
typedef struct {
  const float *start;   /* NULL: zeros */
  ptrdiff_t start_step; /* 0: the same for each pixel */
  const float *more;    /* added to start; NULL: nothing. Step 16 */
  float *to;
  ptrdiff_t to_step;
  int is_rectified;
} rx_sums;

RX_INLINE void multiply_tile(int n, rx_row row, rx_matrices matrices, rx_sums sums) {
  rx_block sum[RX_TILE];

  if (sums.start) {
    RX_UNROLL for (int t = 0; t < n; t++) sum[t] = load(sums.start + t * sums.start_step);
  } else {
    RX_UNROLL for (int t = 0; t < n; t++) sum[t] = zero();
  }
  if (sums.more) {
    RX_UNROLL for (int t = 0; t < n; t++) sum[t] = add(sum[t], load(sums.more + t * RX_BLOCK));
  }
  for (int b = 0; b < matrices.n_blocks; b++) {
    const float *from = row.at + b * row.block, *matrix = matrices.at + b * matrices.block;
    _Pragma("GCC unroll 4") for (int channel = 0; channel < RX_BLOCK; channel++) {
      rx_block weight = load(matrix + channel * RX_BLOCK);
      RX_UNROLL for (int t = 0; t < n; t++) sum[t] =
          multiply_add(spread(from[t * row.step + channel]), weight, sum[t]);
    }
  }
  if (sums.is_rectified) {
    RX_UNROLL for (int t = 0; t < n; t++) sum[t] = rectify(sum[t]);
  }
  RX_UNROLL for (int t = 0; t < n; t++) store(sums.to + t * sums.to_step, sum[t]);
}

RX_INLINE void advance(rx_row *row, rx_sums *sums, int n) {
  row->at += n * row->step;
  if (sums->start) sums->start += n * sums->start_step;
  if (sums->more) sums->more += n * RX_BLOCK;
  sums->to += n * sums->to_step;
}

/* to[t] = start[t] + more[t] + sum over blocks of row[t] matrix, for n pixels t. */
__attribute__((noinline, unused)) static void multiply_row(int n, rx_row row, rx_matrices matrices,
                                                           rx_sums sums) {
  for (; n >= RX_TILE; n -= RX_TILE, advance(&row, &sums, RX_TILE))
    multiply_tile(RX_TILE, row, matrices, sums);
#if RX_ISA == 4
  for (; n >= 8; n -= 8, advance(&row, &sums, 8)) multiply_tile(8, row, matrices, sums);
#endif
#if RX_ISA >= 3
  for (; n >= 4; n -= 4, advance(&row, &sums, 4)) multiply_tile(4, row, matrices, sums);
#endif
  for (; n; n--, advance(&row, &sums, 1)) multiply_tile(1, row, matrices, sums);
}

RX_INLINE void outer_rows(int first, int n_rows, float *matrix, int n, rx_row row,
                          const float *gradient, ptrdiff_t gradient_step) {
  rx_block sum[RX_BLOCK];

  RX_UNROLL for (int c = 0; c < n_rows; c++) sum[c] = load(matrix + (first + c) * RX_BLOCK);
  for (int t = 0; t < n; t++) {
    rx_block d = load(gradient + t * gradient_step);
    RX_UNROLL for (int c = 0; c < n_rows; c++) sum[c] =
        multiply_add(spread(row.at[t * row.step + first + c]), d, sum[c]);
  }
  RX_UNROLL for (int c = 0; c < n_rows; c++) store(matrix + (first + c) * RX_BLOCK, sum[c]);
}

/* matrix[c][d] (added to) += sum over n pixels of row[t][c] gradient[t][d], one block each. */
__attribute__((noinline, unused)) static void outer_row(float *matrix, int n, rx_row row,
                                                        const float *gradient,
                                                        ptrdiff_t gradient_step) {
#if RX_ISA == 4
  outer_rows(0, 16, matrix, n, row, gradient, gradient_step);
#elif RX_ISA == 3
  outer_rows(0, 6, matrix, n, row, gradient, gradient_step);
  outer_rows(6, 5, matrix, n, row, gradient, gradient_step);
  outer_rows(11, 5, matrix, n, row, gradient, gradient_step);
#else
  for (int first = 0; first < RX_BLOCK; first += 2)
    outer_rows(first, 2, matrix, n, row, gradient, gradient_step);
#endif
}

#endif
