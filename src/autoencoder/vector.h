/* vector.h: 16 floats at a time on every instruction set. Only for *.kernel.c.
 *
 * A block is one register of 16 lanes (v4), two of 8 (v3) or four of 4 (v2). An operation does the
 * same to every lane, so v3 and v4 give the same bits; multiply-add is fused there and is a product
 * and a sum on v2, which has no fused one. */
#ifndef RADMIX_AUTOENCODER_VECTOR_H
#define RADMIX_AUTOENCODER_VECTOR_H

#include <immintrin.h>
#include <stddef.h>

#include "map.h"
#include "radmix/isa.h"

#define RX_INLINE static inline __attribute__((always_inline))
#define RX_UNROLL _Pragma("GCC unroll 32")

enum { RX_LANES = RX_ISA == 4 ? 16 : RX_ISA == 3 ? 8 : 4, RX_PARTS = RX_BLOCK / RX_LANES };

typedef float rx_lanes __attribute__((vector_size(RX_LANES * 4), may_alias));
typedef int rx_marks __attribute__((vector_size(RX_LANES * 4), may_alias));
typedef float rx_lanes_anywhere __attribute__((vector_size(RX_LANES * 4), may_alias, aligned(4)));

typedef struct {
  rx_lanes part[RX_PARTS];
} rx_block;

/* Lanes of which all bits are set or none. */
typedef struct {
  rx_marks part[RX_PARTS];
} rx_mask;

RX_INLINE rx_lanes multiply_add_lanes(rx_lanes a, rx_lanes b, rx_lanes c) {
#if RX_ISA == 4
  return (rx_lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif RX_ISA == 3
  return (rx_lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

/* The larger of both; b when they compare equal. */
RX_INLINE rx_lanes larger_lanes(rx_lanes a, rx_lanes b) {
#if RX_ISA == 4
  return (rx_lanes)_mm512_max_ps((__m512)a, (__m512)b);
#elif RX_ISA == 3
  return (rx_lanes)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return (rx_lanes)_mm_max_ps((__m128)a, (__m128)b);
#endif
}

RX_INLINE rx_block zero(void) {
  rx_block a;
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] = (rx_lanes){0};
  return a;
}

/* The number in all 16 lanes. */
RX_INLINE rx_block spread(float number) {
  rx_block a;
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] = number - (rx_lanes){0};
  return a;
}

/* From and to memory at a multiple of 64 bytes. */
RX_INLINE rx_block load(const float *from) {
  rx_block a;
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] =
      *(const rx_lanes *)(from + (ptrdiff_t)i * RX_LANES);
  return a;
}

RX_INLINE void store(float *to, rx_block a) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) * (rx_lanes *)(to + (ptrdiff_t)i * RX_LANES) =
      a.part[i];
}

/* From and to memory anywhere. */
RX_INLINE rx_block load_anywhere(const float *from) {
  rx_block a;
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] =
      (rx_lanes) * (const rx_lanes_anywhere *)(from + (ptrdiff_t)i * RX_LANES);
  return a;
}

RX_INLINE void store_anywhere(float *to, rx_block a) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) *
      (rx_lanes_anywhere *)(to + (ptrdiff_t)i * RX_LANES) = a.part[i];
}

RX_INLINE rx_block add(rx_block a, rx_block b) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] += b.part[i];
  return a;
}

RX_INLINE rx_block subtract(rx_block a, rx_block b) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] -= b.part[i];
  return a;
}

RX_INLINE rx_block multiply(rx_block a, rx_block b) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] *= b.part[i];
  return a;
}

/* a b + c */
RX_INLINE rx_block multiply_add(rx_block a, rx_block b, rx_block c) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) c.part[i] =
      multiply_add_lanes(a.part[i], b.part[i], c.part[i]);
  return c;
}

RX_INLINE rx_block larger(rx_block a, rx_block b) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] = larger_lanes(a.part[i], b.part[i]);
  return a;
}

RX_INLINE rx_block rectify(rx_block a) {
  return larger(a, zero());
}

RX_INLINE rx_mask is_positive(rx_block a) {
  rx_mask mask;
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) mask.part[i] = a.part[i] > 0;
  return mask;
}

/* a where the mask is set, else 0. */
RX_INLINE rx_block keep(rx_mask mask, rx_block a) {
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) a.part[i] =
      (rx_lanes)(mask.part[i] & (rx_marks)a.part[i]);
  return a;
}

/* 2 x 2 max pooling and ReLU of the values c[0..3] of a window (row by row).
 * argmax  gets which of the four is the largest, the first among equals */
RX_INLINE rx_block pool(const rx_block c[4], int *argmax) {
  rx_block most = larger(larger(c[0], c[1]), larger(c[2], c[3]));

  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) {
    rx_marks which = (rx_marks){0} + 3;
    RX_UNROLL for (int k = 2; k >= 0; k--) {
      rx_marks same = c[k].part[i] == most.part[i];
      which = (same & k) | (~same & which);
    }
    *(rx_marks *)(argmax + (ptrdiff_t)i * RX_LANES) = which;
  }
  return rectify(most);
}

/* The lanes whose largest value was the k-th of the window. */
RX_INLINE rx_mask is_argmax(const int *argmax, int k) {
  rx_mask mask;
  RX_UNROLL for (int i = 0; i < RX_PARTS; i++) mask.part[i] =
      *(const rx_marks *)(argmax + (ptrdiff_t)i * RX_LANES) == k;
  return mask;
}

#endif
