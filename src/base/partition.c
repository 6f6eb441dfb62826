#include "radmix/partition.h"

void rx_partition(size_t n, int rank, int n_ranks, size_t *first, size_t *count) {
  size_t r = (size_t)rank, ranks = (size_t)n_ranks, length = n / ranks, longer = n % ranks;

  *first = r * length + (r < longer ? r : longer);
  *count = length + (r < longer);
}

/* The first thing that belongs to rank or a later one. */
static size_t border(const size_t *weights, size_t n, double total, int rank, int n_ranks) {
  double goal = total * rank / n_ranks, sum = 0;

  if (rank == 0) return 0;
  if (rank == n_ranks) return n;
  for (size_t i = 0; i < n; i++) {
    if (sum + (double)weights[i] / 2 >= goal) return i;
    sum += (double)weights[i];
  }
  return n;
}

void rx_partition_weighted(const size_t *weights, size_t n, int rank, int n_ranks, size_t *first,
                           size_t *count) {
  double total = 0;

  for (size_t i = 0; i < n; i++) total += (double)weights[i];
  if (total <= 0) {
    rx_partition(n, rank, n_ranks, first, count);
    return;
  }
  *first = border(weights, n, total, rank, n_ranks);
  *count = border(weights, n, total, rank + 1, n_ranks) - *first;
}
