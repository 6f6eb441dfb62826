#include "measure.h"

#include <math.h>
#include <stdlib.h>

double rx_measure_total(const double *count, const bool *is_used, size_t n_genes) {
  double total = 0;

  for (size_t gene = 0; gene < n_genes; gene++)
    if ((!is_used || is_used[gene]) && !isnan(count[gene])) total += count[gene];
  return total;
}

static int by_value(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;

  return (a > b) - (a < b);
}

double rx_measure_quantile(const double *count, const bool *is_used, size_t n_genes,
                           double quantile, double *sorted) {
  size_t n = 0;

  for (size_t gene = 0; gene < n_genes; gene++)
    if ((!is_used || is_used[gene]) && !isnan(count[gene])) sorted[n++] = count[gene];
  if (n == 0) return NAN;
  qsort(sorted, n, sizeof *sorted, by_value);
  double place = (double)(n - 1) * quantile;
  size_t below = (size_t)floor(place);
  double share = place - (double)below;
  if (share == 0 || below + 1 == n) return sorted[below];
  return (1 - share) * sorted[below] + share * sorted[below + 1];
}

double rx_measure_cpm(double count, double total) {
  return count / total * 1e6;
}

double rx_measure_fpkm(double count, double length, double scale) {
  return count * 1e9 / length / scale;
}

void rx_measure_tpm(double *count, const double *length, size_t n_genes) {
  double total = 0;

  for (size_t gene = 0; gene < n_genes; gene++) {
    count[gene] /= length[gene];
    if (!isnan(count[gene])) total += count[gene];
  }
  for (size_t gene = 0; gene < n_genes; gene++) count[gene] = count[gene] / total * 1e6;
}

double rx_measure_log(double value) {
  return log2(value + 1);
}

bool rx_measure_is_expressed(const double *count, const double *total, size_t n_samples,
                             double min_cpm, int min_samples) {
  int n_above = 0;

  for (size_t sample = 0; sample < n_samples; sample++)
    n_above += rx_measure_cpm(count[sample], total[sample]) > min_cpm;
  return n_above >= min_samples;
}
