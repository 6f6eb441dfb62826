#include "plage.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"

void rx_plage_zscore(double *score, const double *z, const rx_sets *sets) {
  for (size_t set = 0; set < sets->n_sets; set++) {
    double sum = 0;

    for (size_t i = sets->first[set]; i < sets->first[set + 1]; i++) sum += z[sets->gene[i]];
    score[set] = sum / sqrt((double)(sets->first[set + 1] - sets->first[set]));
  }
}

/* +1 or -1: whether the vector rises with the mean of the z scores; where that is 0, whether its
 * largest entry is positive. */
static double choose_sign(const double *vector, const double *mean, size_t n) {
  double along = 0, largest = 0;

  for (size_t i = 0; i < n; i++) {
    along += vector[i] * mean[i];
    if (fabs(vector[i]) > fabs(largest)) largest = vector[i];
  }
  if (along == 0) along = largest;
  return along < 0 ? -1 : 1;
}

rx_status rx_plage_vector(double *vector, double *loading, double *z, size_t n_members,
                          size_t n_samples) {
  size_t n_values = n_members < n_samples ? n_members : n_samples;
  double *singular, *left = NULL, *right = NULL, *mean = NULL;

  if (n_members == 1) {
    for (size_t j = 0; j < n_samples; j++) vector[j] = 1;
    loading[0] = 0;
    return RX_OK;
  }
  rx_status status = RX_NEW(&singular, "singular values", n_values);
  if (!status) status = RX_NEW(&left, "left singular vectors", n_members * n_values);
  if (!status) status = RX_NEW(&right, "right singular vectors", n_values * n_samples);
  if (!status) status = RX_NEW(&mean, "mean z scores", n_samples);
  if (status) goto done;
  for (size_t i = 0; i < n_members; i++)
    for (size_t j = 0; j < n_samples; j++) mean[j] += z[i * n_samples + j];
  lapack_int info = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)n_members,
                                   (lapack_int)n_samples, z, (lapack_int)n_samples, singular, left,
                                   (lapack_int)n_values, right, (lapack_int)n_samples);
  if (info) {
    status =
        RX_FAIL(RX_ERR_INTERNAL, "plage: the singular vectors do not converge (%d)", (int)info);
    goto done;
  }
  double sign = choose_sign(right, mean, n_samples);
  for (size_t j = 0; j < n_samples; j++) vector[j] = sign * right[j];
  for (size_t i = 0; i < n_members; i++) loading[i] = sign * left[i * n_values] / singular[0];
done:
  free(singular);
  free(left);
  free(right);
  free(mean);
  return status;
}
