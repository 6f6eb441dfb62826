#include "null_column.h"

#include <math.h>
#include <stdlib.h>

static const double log10_level = -1.30102999566398119521; /* 0.05 */

static void swap(double *a, double *b) {
  double kept = *a;
  *a = *b;
  *b = kept;
}

/* Quickselect (Hoare 1961), the pivot the middle of three. */
double rx_null_column_select(size_t n, double *value, size_t rank) {
  size_t low = 0, high = n - 1;

  while (low < high) {
    size_t middle = low + (high - low) / 2, left = low, right = high;
    if (value[middle] < value[low]) swap(&value[middle], &value[low]);
    if (value[high] < value[low]) swap(&value[high], &value[low]);
    if (value[high] < value[middle]) swap(&value[high], &value[middle]);
    const double pivot = value[middle];
    while (left <= right) {
      while (value[left] < pivot) left++;
      while (value[right] > pivot) right--;
      if (left > right) break;
      swap(&value[left++], &value[right]);
      if (right == 0) break;
      right--;
    }
    if (rank <= right)
      high = right;
    else if (rank >= left)
      low = left;
    else
      return value[rank];
  }
  return value[low];
}

static int compare_down(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* BH rejects the k smallest p for the largest k with p_(k) <= 0.05 k / m: only p <= 0.05 count. */
static int64_t count_hits(int isa, const rx_tail *tail, size_t n, size_t n_small, double *t,
                          double *log10_p) {
  qsort(t, n_small, sizeof *t, compare_down);
  rx_tail_log10_p(isa, tail, n_small, t, log10_p);
  for (size_t k = n_small; k > 0; k--)
    if (log10_p[k - 1] < log10_level + log10((double)k / (double)n)) return (int64_t)k;
  return 0;
}

rx_null_column rx_null_column_of(int isa, const rx_tail *tail, double t_level, size_t n, double *t,
                                 double *log10_p) {
  rx_null_column column = {0, 0, 0};
  size_t n_small = 0;

  if (n == 0) return column;
  for (size_t i = 0; i < n; i++) {
    if (t[i] > column.largest) column.largest = t[i];
    if (t[i] < t_level) continue;
    swap(&t[i], &t[n_small++]);
  }
  column.n_hits = count_hits(isa, tail, n, n_small, t, log10_p);
  column.median = rx_null_column_select(n, t, (n - 1) / 2);
  if (n % 2 == 0) column.median = (column.median + rx_null_column_select(n, t, n / 2)) / 2;
  return column;
}
