#include "fixed.h"

#include <string.h>

#include "radmix/isa.h"

/* Adding 1.5 x 2^52 units leaves the number of units in the low bits of the mantissa. */
int64_t RX_ISA_NAME(rx_fixed_add)(int64_t *restrict sums, float *restrict numbers, double weight,
                                  double limit, size_t n) {
  const double magic = 0x1.8p52 * RX_FIXED_UNIT;
  int64_t magic_bits, n_bad = 0;

  memcpy(&magic_bits, &magic, sizeof magic);
  for (size_t i = 0; i < n; i++) {
    double number = (double)numbers[i] * weight, shifted = number + magic;
    int64_t bits;

    memcpy(&bits, &shifted, sizeof bits);
    n_bad += !(__builtin_fabs(number) < limit);
    /* A number over the limit wraps round: the caller drops these sums when n_bad > 0. */
    sums[i] = (int64_t)((uint64_t)sums[i] + (uint64_t)bits - (uint64_t)magic_bits);
  }
  memset(numbers, 0, n * sizeof *numbers);
  return n_bad;
}
