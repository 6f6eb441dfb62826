#include "order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/memory.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 6 }; /* 6 x 11 >= 64 */

rx_status rx_order_space_create(size_t n, rx_order_space *space) {
  *space = (rx_order_space){.n = n};
  rx_status status = RX_NEW(&space->key, "sorting", n);
  if (!status) status = RX_NEW(&space->key_other, "sorting", n);
  if (!status) status = RX_NEW(&space->item, "sorting", n);
  if (status) rx_order_space_destroy(space);
  return status;
}

void rx_order_space_destroy(rx_order_space *space) {
  free(space->key);
  free(space->key_other);
  free(space->item);
  *space = (rx_order_space){0};
}

/* An integer that is smaller the larger the value is. */
static uint64_t falling_key(double value) {
  const uint64_t sign = (uint64_t)1 << 63;
  uint64_t bits;

  if (isnan(value)) return UINT64_MAX;
  value += 0.0; /* -0 becomes 0 */
  memcpy(&bits, &value, sizeof bits);
  return bits & sign ? bits : ~(bits | sign);
}

static unsigned digit_of(uint64_t key, int pass) {
  return (unsigned)(key >> (pass * DIGIT_BITS)) & (DIGITS - 1);
}

/* Counts one digit and turns the counts into first places; false when all keys share the digit. */
static int place_digits(size_t place[DIGITS], const uint64_t *key, size_t n, int pass) {
  memset(place, 0, DIGITS * sizeof *place);
  for (size_t i = 0; i < n; i++) place[digit_of(key[i], pass)]++;
  if (place[digit_of(key[0], pass)] == n) return 0;
  for (size_t digit = 0, sum = 0; digit < DIGITS; digit++) {
    size_t count = place[digit];

    place[digit] = sum;
    sum += count;
  }
  return 1;
}

void rx_order_descending(int *order, const double *value, size_t n, rx_order_space *space) {
  uint64_t *key = space->key, *key_other = space->key_other;
  int *item = order, *item_other = space->item;
  size_t place[DIGITS];

  if (n == 0) return;
  for (size_t i = 0; i < n; i++) {
    key[i] = falling_key(value[i]);
    item[i] = (int)i;
  }
  for (int pass = 0; pass < PASSES; pass++) {
    if (!place_digits(place, key, n, pass)) continue;
    for (size_t i = 0; i < n; i++) {
      size_t to = place[digit_of(key[i], pass)]++;

      key_other[to] = key[i];
      item_other[to] = item[i];
    }
    uint64_t *key_swap = key;
    key = key_other;
    key_other = key_swap;
    int *item_swap = item;
    item = item_other;
    item_other = item_swap;
  }
  if (item != order) memcpy(order, item, n * sizeof *order);
}

void rx_order_ranks(double *rank, const int *order, const double *value, size_t n) {
  for (size_t first = 0, end; first < n; first = end) {
    for (end = first + 1; end < n && value[order[end]] == value[order[first]];) end++;
    /* places first .. end - 1 from above are ranks n - end + 1 .. n - first from below */
    double shared = ((double)(n - end + 1) + (double)(n - first)) / 2.0;
    for (size_t i = first; i < end; i++) rank[order[i]] = shared;
  }
}
