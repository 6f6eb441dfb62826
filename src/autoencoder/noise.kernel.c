#include "noise.h"

#include "radmix/isa.h"
#include "radmix/random.h"

enum { LANES = 64, ROUNDS = 10 };

/* Philox of the counters first, first + 1, ... word[k][lane], set. */
static void philox(uint32_t word[4][LANES], uint32_t first, const rx_noise *noise) {
  uint32_t key0 = (uint32_t)noise->seed, key1 = (uint32_t)(noise->seed >> 32);

  for (uint32_t lane = 0; lane < LANES; lane++) {
    word[0][lane] = first + lane;
    word[1][lane] = RX_RANDOM_NOISE;
    word[2][lane] = noise->epoch;
    word[3][lane] = noise->image;
  }
  for (int round = 0; round < ROUNDS; round++) {
    for (int lane = 0; lane < LANES; lane++) {
      uint64_t product0 = (uint64_t)word[0][lane] * 0xD2511F53u;
      uint64_t product1 = (uint64_t)word[2][lane] * 0xCD9E8D57u;

      word[0][lane] = (uint32_t)(product1 >> 32) ^ word[1][lane] ^ key0;
      word[1][lane] = (uint32_t)product1;
      word[2][lane] = (uint32_t)(product0 >> 32) ^ word[3][lane] ^ key1;
      word[3][lane] = (uint32_t)product0;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

typedef union {
  float number;
  int32_t bits;
} float_bits;

/* Natural logarithm of x in (0,1], by the polynomial of Cephes' logf. */
static inline float logarithm(float x) {
  float_bits u = {x};
  int32_t exponent = (u.bits >> 23) - 126;

  u.bits = (u.bits & 0x7fffff) | 0x3f000000; /* in [1/2, 1) */
  int32_t is_low = u.number < 0.70710678f;
  exponent -= is_low;
  float m = (is_low ? u.number + u.number : u.number) - 1;
  float z = m * m;
  float p = 7.0376836292e-2f;

  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return m + (p * m * z - 0.5f * z) + (float)exponent * 0.69314718f;
}

/* Sine and cosine of a turn t in [0,1), by Cephes' polynomials on an eighth of it. */
static inline void sine_cosine(float t, float *sine, float *cosine) {
  int32_t quarter = (int32_t)(t * 4 + 0.5f);
  float r = (t - (float)quarter * 0.25f) * 6.2831853f, z = r * r;
  float s = r + r * z * (-1.6666654611e-1f + z * (8.3321608736e-3f - z * 1.9515295891e-4f));
  float c =
      1 - 0.5f * z + z * z * (4.1666645683e-2f + z * (-1.3887316255e-3f + z * 2.4433157118e-5f));
  float a = quarter & 1 ? c : s, b = quarter & 1 ? s : c;

  *sine = quarter & 2 ? -a : a;
  *cosine = (quarter + 1) & 2 ? -b : b;
}

/* Four normals, times the deviation, of the four words of each lane. */
static void box_muller(float normal[4][LANES], uint32_t word[4][LANES], float deviation) {
  for (int pair = 0; pair < 4; pair += 2)
    for (int lane = 0; lane < LANES; lane++) {
      float u = ((float)(int32_t)(word[pair][lane] >> 8) + 0.5f) * 0x1p-24f;
      float turn = (float)(int32_t)(word[pair + 1][lane] >> 8) * 0x1p-24f;
      float radius = deviation * __builtin_sqrtf(-2 * logarithm(u)), sine, cosine;

      sine_cosine(turn, &sine, &cosine);
      normal[pair][lane] = radius * sine;
      normal[pair + 1][lane] = radius * cosine;
    }
}

static void put(float *noisy, const float *image, const float *normal, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float pixel = image[i] + normal[i];
    pixel = pixel < 0 ? 0 : pixel;
    noisy[i] = pixel > 1 ? 1 : pixel;
  }
}

void RX_ISA_NAME(rx_noise)(float *noisy, const float *image, size_t n, const rx_noise *noise) {
  size_t quarter = (n + 3) / 4;
  uint32_t word[4][LANES];
  float normal[4][LANES];

  for (size_t first = 0; first < quarter; first += LANES) {
    philox(word, (uint32_t)first, noise);
    box_muller(normal, word, noise->deviation);
    for (size_t k = 0; k < 4; k++) {
      size_t start = k * quarter + first;
      size_t end = (k + 1) * quarter < n ? (k + 1) * quarter : n;
      if (start >= end) continue;
      size_t count = end - start < LANES ? end - start : LANES;
      if (count == LANES)
        put(noisy + start, image + start, normal[k], LANES);
      else
        put(noisy + start, image + start, normal[k], count);
    }
  }
}
