/* Products of all pairs of features over some rows, which is what second derivatives are made of.
 *
 * Features are packed in panels of 32, so that the innermost loop runs through memory in one line;
 * a block of products stays in registers over all rows (loops over it are unrolled: only then it
 * does). Each product is summed row after row, whatever the instruction set. */
#include <stddef.h>
#include <string.h>

#include "prediction/newton.h"
#include "prediction/newton_grid.h"
#include "radmix/isa.h"

enum {
  PANEL = RX_NEWTON_PANEL,
  WIDTH = RX_ISA == 4   ? 16
          : RX_ISA == 3 ? 8
                        : 4, /* floats of a register */
  DEEP = RX_ISA == 4   ? 8
         : RX_ISA == 3 ? 4
                       : 2, /* rows of a block of products */
};

typedef float vector __attribute__((vector_size(4 * WIDTH)));

static inline vector multiply_add(float a, vector b, vector c) {
  vector out = c;
#if RX_ISA >= 3
  for (int l = 0; l < WIDTH; l++) out[l] = __builtin_fmaf(a, b[l], c[l]);
#else
  out = a * b + c;
#endif
  return out;
}

static inline vector load(const float *from) {
  vector v;
  memcpy(&v, from, sizeof v);
  return v;
}

/* sum [DEEP][stride] += a' b; a, b [rows][PANEL] */
static void add_block(double *restrict sum, size_t stride, const float *restrict a,
                      const float *restrict b, size_t rows) {
  vector left[DEEP] = {{0}}, right[DEEP] = {{0}};
  float out[DEEP][2 * WIDTH];

  for (size_t i = 0; i < rows; i++) {
    vector b_left = load(b + i * PANEL), b_right = load(b + i * PANEL + WIDTH);
#pragma GCC unroll 8
    for (int k = 0; k < DEEP; k++) {
      left[k] = multiply_add(a[i * PANEL + (size_t)k], b_left, left[k]);
      right[k] = multiply_add(a[i * PANEL + (size_t)k], b_right, right[k]);
    }
  }
#pragma GCC unroll 8
  for (int k = 0; k < DEEP; k++) {
    memcpy(out[k], &left[k], sizeof left[k]);
    memcpy(out[k] + WIDTH, &right[k], sizeof right[k]);
  }
  for (int k = 0; k < DEEP; k++)
    for (int l = 0; l < 2 * WIDTH; l++)
      sum[(size_t)k * stride + (size_t)l] += rx_newton_grid((double)out[k][l]);
}

void RX_ISA_NAME(rx_newton_square)(double *sum, size_t stride, const float *packed, size_t rows,
                                   size_t first, size_t count) {
  static const size_t panel = (size_t)RX_NEWTON_STRIP * PANEL;

  for (size_t right = 0; right < first + count; right++)
    for (size_t left = first > right ? first : right; left < first + count; left++)
      for (size_t k = 0; k < PANEL; k += DEEP)
        for (size_t l = 0; l < PANEL; l += 2 * WIDTH)
          add_block(sum + ((left - first) * PANEL + k) * stride + right * PANEL + l, stride,
                    packed + left * panel + k, packed + right * panel + l, rows);
}

void RX_ISA_NAME(rx_newton_pack)(float *restrict packed, float *restrict sums,
                                 const float *restrict z, const int *restrict feature, size_t n,
                                 size_t summed, float root) {
  static const size_t panel = (size_t)RX_NEWTON_STRIP * PANEL;

  for (size_t first = 0; first < n; first += PANEL) {
    float *restrict to = packed + first / PANEL * panel;
    size_t count = n - first < PANEL ? n - first : PANEL;
    for (size_t k = 0; k < count; k++) to[k] = root * z[feature[first + k]];
    if (first < summed / PANEL * PANEL) continue;
    for (size_t k = 0; k < count; k++) sums[first + k] += root * to[k];
  }
}
