#include "adjust.h"

#include "lanes.h"
#include "radmix/isa.h"

void RX_ISA_NAME(rx_adjust_power)(float *restrict q, const double *restrict log10_q, size_t n) {
  for (size_t i = 0; i < n; i += RX_LANES) {
    lanes value = lanes_load(log10_q + i);
    lanes power = lanes_select(value == value, lanes_exp10(value), value);
    for (int lane = 0; lane < RX_LANES; lane++) q[i + (size_t)lane] = (float)power[lane];
  }
}
