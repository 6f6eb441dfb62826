#include "peak.h"

#include "vector.h"

/* Two sums of 12 blocks: on v3 that is 24 registers' work on 12 of them. */
enum { N_SUMS = RX_ISA == 4 ? 24 : RX_ISA == 3 ? 6 : 3, N_REPEATS = 24 / N_SUMS };

float RX_ISA_NAME(rx_peak_run)(long n_rounds) {
  rx_block sum[N_SUMS], factor = spread(0.999f), term = spread(0.001f);
  float lanes[RX_BLOCK] __attribute__((aligned(64)));

  RX_UNROLL for (int i = 0; i < N_SUMS; i++) sum[i] = spread((float)i);
  for (long round = 0; round < n_rounds; round++)
    RX_UNROLL for (int repeat = 0; repeat < N_REPEATS; repeat++)
        RX_UNROLL for (int i = 0; i < N_SUMS; i++) sum[i] = multiply_add(sum[i], factor, term);
  RX_UNROLL for (int i = 1; i < N_SUMS; i++) sum[0] = add(sum[0], sum[i]);
  store(lanes, sum[0]);
  return lanes[0];
}
