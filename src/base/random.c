#include "radmix/random.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

void rx_random_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
  philox4x32_key_t k = {{key[0], key[1]}};

  c = philox4x32(c, k);
  memcpy(out, c.v, sizeof c.v);
}

rx_random rx_random_at(uint64_t seed, int purpose, uint32_t a, uint32_t b) {
  return (rx_random){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                     .counter = {0, (uint32_t)purpose, a, b},
                     .used = 4};
}

uint32_t rx_random_u32(rx_random *random) {
  if (random->used == 4) {
    rx_random_block(random->counter, random->key, random->block);
    random->counter[0]++;
    random->used = 0;
  }
  return random->block[random->used++];
}

double rx_random_uniform(rx_random *random) {
  uint64_t high = rx_random_u32(random) >> 5, low = rx_random_u32(random) >> 6;

  return ((double)(high << 26 | low) + 0.5) * 0x1p-53;
}

double rx_random_normal(rx_random *random) {
  double radius = sqrt(-2 * log(rx_random_uniform(random)));

  return radius * cos(2 * 3.14159265358979323846 * rx_random_uniform(random));
}

/* Lemire (2019): multiply, and refuse the few values that would make some results more likely. */
uint32_t rx_random_below(rx_random *random, uint32_t n) {
  uint64_t product = (uint64_t)rx_random_u32(random) * n;

  if ((uint32_t)product < n) {
    uint32_t least = -n % n;
    while ((uint32_t)product < least) product = (uint64_t)rx_random_u32(random) * n;
  }
  return (uint32_t)(product >> 32);
}

void rx_random_shuffle(rx_random *random, int64_t *items, size_t n) {
  for (size_t i = n; i > 1; i--) {
    size_t j = rx_random_below(random, (uint32_t)i);
    int64_t item = items[i - 1];
    items[i - 1] = items[j];
    items[j] = item;
  }
}
