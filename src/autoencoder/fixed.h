/* fixed.h: gradients as 64-bit integers in units of 2^-44.
 *
 * Sums of integers do not depend on their order: the gradient of a step, and so the weights, have
 * the same bits at any number of ranks. Values up to 128 are converted exactly to within a unit
 * (5.7e-14); the sum of n of them fits when each is below 2^19 / n. */
#ifndef RADMIX_AUTOENCODER_FIXED_H
#define RADMIX_AUTOENCODER_FIXED_H

#include <stddef.h>
#include <stdint.h>

#define RX_FIXED_UNIT 0x1p-44

/* Largest value that may be added when n of them are summed. */
static inline double rx_fixed_limit(int64_t n) {
  double fits = 0x1p18 / (double)(n > 0 ? n : 1);

  return fits < 127 ? fits : 127;
}

/* Returns a number in fixed point, rounded. |number| < 128 */
static inline int64_t rx_fixed(double number) {
  return (int64_t)__builtin_floor(number * 0x1p44 + 0.5);
}

/* Adds weight x numbers[n] to sums[n] and sets the numbers to 0. Returns how many of them were not
 * finite or not below the limit; then the sums are of no use. */
typedef int64_t rx_fixed_add_kernel(int64_t *sums, float *numbers, double weight, double limit,
                                    size_t n);
rx_fixed_add_kernel rx_fixed_add_v2, rx_fixed_add_v3, rx_fixed_add_v4;

#endif
