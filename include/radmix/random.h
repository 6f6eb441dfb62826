/* random.h: random numbers that do not depend on the number of ranks.
 *
 * Philox 4x32-10 (Salmon et al. 2011; Random123), a counter-based generator: a number is a function
 * of what it is for (seed, purpose, a, b) and of its place, never of who asked before. */
#ifndef RADMIX_RANDOM_H
#define RADMIX_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What numbers are for; a number of this list is never used for another thing. */
typedef enum {
  RX_RANDOM_WEIGHTS = 1,
  RX_RANDOM_NOISE = 2,
  RX_RANDOM_ORDER = 3,
  RX_RANDOM_VALIDATION = 4,
  RX_RANDOM_PERMUTATION = 5,
  RX_RANDOM_FOLDS = 6,
  RX_RANDOM_BOOTSTRAP = 7,
  RX_RANDOM_CLUSTERS = 8,
  RX_RANDOM_EXAMPLES = 9,
  RX_RANDOM_LABELS = 10,
  RX_RANDOM_LABEL_FOLDS = 11,
  RX_RANDOM_CONTROL = 60,
  RX_RANDOM_SIMULATION = 100 /* and above: the simulation's own list */
} rx_random_purpose;

typedef struct {
  uint32_t key[2], counter[4], block[4];
  int used; /* of block */
} rx_random;

/* One block of Philox 4x32-10. */
void rx_random_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A sequence for (seed, purpose, a, b). Key: seed; counter: place, purpose, a, b (32 bits each). */
rx_random rx_random_at(uint64_t seed, int purpose, uint32_t a, uint32_t b);
uint32_t rx_random_u32(rx_random *random);
/* Uniform in (0,1), 53 bits. */
double rx_random_uniform(rx_random *random);
/* Standard normal, by Box and Muller, two uniforms each. */
double rx_random_normal(rx_random *random);
/* Uniform in 0 .. n-1, n < 2^32, without bias. */
uint32_t rx_random_below(rx_random *random, uint32_t n);
/* Fisher-Yates. */
void rx_random_shuffle(rx_random *random, int64_t *items, size_t n);

#endif
