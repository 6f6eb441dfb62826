#include "ranks.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/memory.h"

enum { DIGIT_BITS = 11, N_DIGITS = 3, N_BUCKETS = 1 << DIGIT_BITS };

rx_status rx_ranking_create(size_t n, rx_ranking **out) {
  rx_status status = RX_NEW(out, "ranks", 1);

  if (!status) status = RX_NEW(&(*out)->items, "ranks", n);
  if (!status) status = RX_NEW(&(*out)->spare, "ranks", n);
  if (status)
    rx_ranking_destroy(out);
  else
    (*out)->n = n;
  return status;
}

void rx_ranking_destroy(rx_ranking **ranking) {
  if (!*ranking) return;
  free((*ranking)->items);
  free((*ranking)->spare);
  free(*ranking);
  *ranking = NULL;
}

/* Bits that sort as the numbers do: IEEE numbers are sign and magnitude. -0 counts as 0. */
static uint32_t sortable(float value) {
  uint32_t bits;

  value += 0.0f;
  memcpy(&bits, &value, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float sorted_value(uint32_t bits) {
  float value;

  bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Sorts by the high halves of the items, three digits of 11 bits, the lowest first. */
static void sort(rx_ranking *ranking, uint32_t counts[N_DIGITS][N_BUCKETS], size_t n) {
  for (int digit = 0; digit < N_DIGITS; digit++) {
    int shift = 32 + digit * DIGIT_BITS;
    uint32_t *next = counts[digit], total = 0;
    uint64_t *from = ranking->items;

    for (int bucket = 0; bucket < N_BUCKETS; bucket++) {
      uint32_t count = next[bucket];
      next[bucket] = total;
      total += count;
    }
    for (size_t i = 0; i < n; i++)
      ranking->spare[next[from[i] >> shift & (N_BUCKETS - 1)]++] = from[i];
    ranking->items = ranking->spare;
    ranking->spare = from;
  }
}

/* Zeros are a third of the values and the smallest of them: they need no sorting. Returns the
 * number of items, the others. */
static size_t list_items(rx_ranking *ranking, uint32_t counts[N_DIGITS][N_BUCKETS],
                         const float *values, int has_negative) {
  size_t n = 0;

  for (size_t i = 0; i < ranking->n; i++) {
    uint32_t key = sortable(values[i]);
    if (values[i] == 0 && !has_negative) continue;
    ranking->items[n++] = (uint64_t)key << 32 | i;
    for (int digit = 0; digit < N_DIGITS; digit++)
      counts[digit][key >> digit * DIGIT_BITS & (N_BUCKETS - 1)]++;
  }
  return n;
}

void rx_ranking_rank(rx_ranking *ranking, uint32_t *ranks, float *sorted, const float *values) {
  uint32_t counts[N_DIGITS][N_BUCKETS] = {{0}};
  int has_negative = 0;

  for (size_t i = 0; i < ranking->n; i++) has_negative |= values[i] < 0;
  size_t n = list_items(ranking, counts, values, has_negative), n_zeros = ranking->n - n;
  sort(ranking, counts, n);

  memset(ranks, 0, ranking->n * sizeof *ranks);
  memset(sorted, 0, n_zeros * sizeof *sorted);
  uint32_t rank = 0, key_before = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t key = (uint32_t)(ranking->items[i] >> 32);
    if (i == 0 || key != key_before) rank = (uint32_t)(n_zeros + i);
    key_before = key;
    sorted[n_zeros + i] = sorted_value(key);
    ranks[(uint32_t)ranking->items[i]] = rank;
  }
}
