/* noise.h: normal noise on an image, the same for an epoch and an image wherever it is computed.
 *
 * Philox 4x32-10 (Salmon et al. 2011) with key = seed and counter = (i, purpose, epoch, image), as
 * rx_random_at() has it; its four words become four normals by Box and Muller, for the pixels i,
 * i + q, i + 2q and i + 3q, q = n / 4 rounded up. Sums and products are not fused, so that every
 * instruction set gives the same bits. */
#ifndef RADMIX_AUTOENCODER_NOISE_H
#define RADMIX_AUTOENCODER_NOISE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t seed;
  uint32_t epoch, image;
  float deviation; /* standard deviation */
} rx_noise;

/* Sets noisy [n] to image + noise, clipped to [0,1]. */
typedef void rx_noise_kernel(float *noisy, const float *image, size_t n, const rx_noise *noise);
rx_noise_kernel rx_noise_v2, rx_noise_v3, rx_noise_v4;

#endif
