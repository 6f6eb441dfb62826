/* The two products of a pass over rows: z B' and R' z, in single precision.
 *
 * Blocks of rows and of columns so that what is used again is in the nearest cache; the order of
 * the sums depends on neither, nor on the instruction set: 16 lanes over the columns of a row, rows
 * one after the other. */
#include <stddef.h>
#include <string.h>

#include "prediction/newton.h"
#include "radmix/isa.h"

enum {
  LANES = 16,
  WIDTH = RX_ISA == 4   ? 16
          : RX_ISA == 3 ? 8
                        : 4, /* floats of a register */
  PARTS = LANES / WIDTH,
  BLOCK = RX_ISA == 4   ? 8
          : RX_ISA == 3 ? 4
                        : 2, /* rows */
  COLUMNS = 512
};

typedef float vector __attribute__((vector_size(4 * WIDTH)));

static inline vector load(const float *from) {
  vector v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void store(float *to, vector v) {
  memcpy(to, &v, sizeof v);
}

/* a b + c in each lane; one instruction where there is one */
static inline vector multiply_add(vector a, vector b, vector c) {
  vector out = c;
#if RX_ISA >= 3
  for (int l = 0; l < WIDTH; l++) out[l] = __builtin_fmaf(a[l], b[l], c[l]);
#else
  out = a * b + c;
#endif
  return out;
}

/* Adds columns [from, to) of some rows times b to the lanes of each row. */
static inline __attribute__((always_inline)) void add_products(float *lanes, const float *z,
                                                               const float *b, size_t from,
                                                               size_t to, size_t p, int rows) {
  vector sum[BLOCK][PARTS];

#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int k = 0; k < PARTS; k++) sum[r][k] = load(lanes + r * LANES + k * WIDTH);
  for (size_t j = from; j < to; j += LANES)
#pragma GCC unroll 4
    for (int k = 0; k < PARTS; k++) {
      vector c = load(b + j + k * WIDTH);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        sum[r][k] = multiply_add(load(z + (size_t)r * p + j + k * WIDTH), c, sum[r][k]);
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int k = 0; k < PARTS; k++) store(lanes + r * LANES + k * WIDTH, sum[r][k]);
}

/* The same for the rows of r: sum += r z. */
static inline __attribute__((always_inline)) void add_rows(float *sum, const float *z,
                                                           const float *residual, size_t from,
                                                           size_t to, size_t p, int rows) {
  for (size_t j = from; j < to; j += WIDTH) {
    vector s = load(sum + j);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      vector weight = residual[r] - (vector){0};
      s = multiply_add(weight, load(z + (size_t)r * p + j), s);
    }
    store(sum + j, s);
  }
}

static float add_lanes(float *lane) {
  for (int step = LANES / 2; step > 0; step /= 2)
    for (int l = 0; l < step; l++) lane[l] += lane[l + step];
  return lane[0];
}

/* A block of rows. */
static inline __attribute__((always_inline)) void predict_block(float *eta, float *lanes,
                                                                const float *z, const float *b,
                                                                size_t p, size_t n, size_t stride,
                                                                int rows) {
  size_t whole = p / LANES * LANES;

  memset(lanes, 0, n * BLOCK * LANES * sizeof *lanes);
  for (size_t from = 0; from < whole; from += COLUMNS) {
    size_t to = from + COLUMNS < whole ? from + COLUMNS : whole;
    for (size_t c = 0; c < n; c++)
      add_products(lanes + c * BLOCK * LANES, z, b + c * p, from, to, p, rows);
  }
  for (size_t c = 0; c < n; c++)
    for (int r = 0; r < rows; r++) {
      float sum = add_lanes(lanes + (c * BLOCK + (size_t)r) * LANES);
      for (size_t j = whole; j < p; j++) sum += z[(size_t)r * p + j] * b[c * p + j];
      eta[c * stride + (size_t)r] = sum;
    }
}

void RX_ISA_NAME(rx_newton_predict)(float *restrict eta, float *restrict lanes,
                                    const float *restrict z, const float *restrict b, size_t p,
                                    size_t rows, size_t n, size_t stride) {
  size_t i = 0;

  for (; i + BLOCK <= rows; i += BLOCK)
    predict_block(eta + i, lanes, z + i * p, b, p, n, stride, BLOCK);
  for (; i < rows; i++) predict_block(eta + i, lanes, z + i * p, b, p, n, stride, 1);
}

static inline __attribute__((always_inline)) void collect_block(float *sum, const float *z,
                                                                const float *residual, size_t p,
                                                                size_t n, size_t stride, int rows) {
  size_t whole = p / LANES * LANES;

  for (size_t from = 0; from < whole; from += COLUMNS) {
    size_t to = from + COLUMNS < whole ? from + COLUMNS : whole;
    for (size_t c = 0; c < n; c++)
      add_rows(sum + c * p, z, residual + c * stride, from, to, p, rows);
  }
  for (size_t c = 0; c < n; c++)
    for (size_t j = whole; j < p; j++)
      for (int r = 0; r < rows; r++)
        sum[c * p + j] += residual[c * stride + (size_t)r] * z[(size_t)r * p + j];
}

void RX_ISA_NAME(rx_newton_collect)(float *restrict sum, const float *restrict z,
                                    const float *restrict residual, size_t p, size_t rows, size_t n,
                                    size_t stride) {
  size_t i = 0;

  for (; i + BLOCK <= rows; i += BLOCK)
    collect_block(sum, z + i * p, residual + i, p, n, stride, BLOCK);
  for (; i < rows; i++) collect_block(sum, z + i * p, residual + i, p, n, stride, 1);
}
