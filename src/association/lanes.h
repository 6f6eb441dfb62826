/* lanes.h: a few doubles side by side, for the kernels of this folder.
 *
 * RX_LANES is what one register of the instruction set holds: 8, 4 or 2. A kernel works on groups
 * of eight values, RX_LANES at a time, and no lane ever depends on its neighbours; so AVX2 and
 * AVX-512 give the same bits. Fused multiply-adds are written out (the baseline has none). */
#ifndef RADMIX_ASSOCIATION_LANES_H
#define RADMIX_ASSOCIATION_LANES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#if RX_ISA >= 4
enum { RX_LANES = 8 };
#elif RX_ISA == 3
enum { RX_LANES = 4 };
#else
enum { RX_LANES = 2 };
#endif

typedef double lanes __attribute__((vector_size(RX_LANES * sizeof(double))));
typedef int64_t lanes_mask __attribute__((vector_size(RX_LANES * sizeof(int64_t))));

static inline lanes lanes_of(double value) {
  return value - (lanes){0};
}

static inline lanes lanes_load(const double *from) {
  lanes value;
  memcpy(&value, from, sizeof value);
  return value;
}

static inline void lanes_store(double *to, lanes value) {
  memcpy(to, &value, sizeof value);
}

/* a * b + c, rounded once (twice on the baseline). */
static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
#if RX_ISA >= 4
  return (lanes)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif RX_ISA == 3
  return (lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}

static inline lanes lanes_sqrt(lanes a) {
#if RX_ISA >= 4
  return (lanes)_mm512_sqrt_pd((__m512d)a);
#elif RX_ISA == 3
  return (lanes)_mm256_sqrt_pd((__m256d)a);
#else
  return (lanes)_mm_sqrt_pd((__m128d)a);
#endif
}

/* Where mask is set a, else b. */
static inline lanes lanes_select(lanes_mask mask, lanes a, lanes b) {
  return (lanes)((mask & (lanes_mask)a) | (~mask & (lanes_mask)b));
}

static inline lanes lanes_max(lanes a, lanes b) {
  return lanes_select(a > b, a, b);
}

static inline lanes lanes_min(lanes a, lanes b) {
  return lanes_select(a < b, a, b);
}

static inline lanes lanes_abs(lanes a) {
  return (lanes)((lanes_mask)a & INT64_MAX);
}

static inline int lanes_any(lanes_mask mask) {
  int64_t any = 0;
  for (int lane = 0; lane < RX_LANES; lane++) any |= mask[lane];
  return any != 0;
}

/* Natural logarithm of normal numbers > 0, to 1.5 units in the last place: with x = 2^k m and m in
 * [sqrt(1/2), sqrt(2)), log x = k log 2 + 2 atanh((m - 1) / (m + 1)), the series of atanh to its
 * tenth term. */
static inline lanes lanes_log(lanes x) {
  const lanes_mask one = (lanes_mask)lanes_of(1.0),
                   root = (lanes_mask)lanes_of(0x1.6a09e667f3bcdp-1);
  const lanes_mask mantissa = (lanes_mask){0} + 0x000fffffffffffffLL;
  /* The exponent is counted from sqrt(1/2), so that m is around 1. */
  lanes_mask bits = (lanes_mask)x + (one - root);
  lanes_mask exponent = (bits >> 52) - 1023;
  lanes m = (lanes)((bits & mantissa) + root);
  lanes k = __builtin_convertvector(exponent, lanes);

  lanes f = m - 1.0, s = f / (f + 2.0), z = s * s;
  lanes series = lanes_of(2.0 / 23.0);
  for (int n = 21; n >= 3; n -= 2) series = lanes_fma(series, z, lanes_of(2.0 / n));
  /* log m = f - s (f - 2 z (1/3 + z/5 + ...)), which keeps the digits of f. */
  lanes tail = s * (f - z * series);
  const double log2_high = 0x1.62e42fefa3800p-1, log2_low = 0x1.ef35793c76730p-45;
  return lanes_fma(k, lanes_of(log2_high), f - (tail - k * log2_low));
}

/* 10^x for x <= 0, to 3e-16 (1e-300 below -300): 10^x = 2^k 2^f with |f| <= 1/2, the series of 2^f.
 */
static inline lanes lanes_exp10(lanes x) {
  const lanes shift = lanes_of(0x1.8p52); /* adding it rounds to an integer, kept in the low bits */
  x = lanes_max(x, lanes_of(-300.0));
  lanes bits = lanes_fma(x, lanes_of(0x1.a934f0979a371p+1), shift), k = bits - shift;
  /* f log 2 = (x - k log10 2) log 10, log10 2 in two parts so that the difference keeps its digits.
   */
  lanes f = lanes_fma(-k, lanes_of(0x1.34413509f79fep-2), x);
  f = lanes_fma(-k, lanes_of(0x1.e623e2566b02ep-55), f) * 0x1.26bb1bbb55516p+1;
  lanes sum = lanes_of(1.0);
  for (int n = 14; n >= 1; n--) sum = lanes_fma(sum, f * (1.0 / n), lanes_of(1.0));
  lanes_mask exponent = (((lanes_mask)bits & 0xfff) + 1023) << 52 & 0x7ff0000000000000LL;
  return sum * (lanes)exponent;
}

#endif
