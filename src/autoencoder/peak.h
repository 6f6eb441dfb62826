/* peak.h: what a core could do at most, to compare with. */
#ifndef RADMIX_AUTOENCODER_PEAK_H
#define RADMIX_AUTOENCODER_PEAK_H

#include "radmix/autoencoder.h"

/* Measures fused multiply-adds of registers for some 10 ms. Returns flops a second of this core
 * with an instruction set, two for each multiply-add. */
double rx_peak_measure(int isa);

/* Returns the flops of one image: those of the products in transformed coordinates (kernels.h),
 * without transforms. */
double rx_peak_training_flops(const rx_network *network);

/* Takes n_rounds x RX_PEAK_FLOPS flops' time; returns a number that depends on all of them. */
enum { RX_PEAK_FLOPS = 2 * 16 * 24 };
typedef float rx_peak_kernel(long n_rounds);
rx_peak_kernel rx_peak_run_v2, rx_peak_run_v3, rx_peak_run_v4;

#endif
