#include "between.h"

#include <math.h>
#include <stdlib.h>

#include "association/reml.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

void rx_between_squares(const double *rows, const double *means, size_t n_patients,
                        size_t n_features, double *between) {
  double n_slices = 0;

  for (size_t i = 0; i < n_patients; i++) n_slices += rows[i];
  for (size_t j = 0; j < n_features; j++) {
    double mean = 0, sum = 0;
    for (size_t i = 0; i < n_patients; i++) mean += rows[i] * means[i * n_features + j];
    mean /= n_slices;
    for (size_t i = 0; i < n_patients; i++) {
      double d = means[i * n_features + j] - mean;
      sum += rows[i] * d * d;
    }
    between[j] = sum;
  }
}

/* What one fit needs. */
typedef struct {
  rx_contrasts *contrasts;
  rx_reml_space *space;
  rx_reml_fits *fits;
  double *value, *contrast; /* [n_patients] */
} icc_work;

static void destroy_work(icc_work *work) {
  rx_reml_space_destroy(&work->space);
  rx_contrasts_destroy(&work->contrasts);
  free(work->fits);
  free(work->value);
  free(work->contrast);
}

static rx_status create_work(const double *rows, size_t n_patients, icc_work *work) {
  RX_TRY(rx_contrasts_create((int)n_patients, rows, 0, NULL, &work->contrasts));
  RX_TRY(RX_NEW(&work->fits, "ICC", 1));
  RX_TRY(RX_NEW(&work->value, "ICC", n_patients));
  RX_TRY(RX_NEW(&work->contrast, "ICC", n_patients));
  if (work->contrasts->n < 1 || work->contrasts->is_single) return RX_OK;
  return rx_reml_space_create(work->contrasts, false, &work->space);
}

/* One feature. within  the sum of its squares within patients; total  of all its squares */
static double fit(const icc_work *work, double within, double total) {
  if (!work->space || !(total > 0)) return NAN;
  if (!(within > 1e-14 * total)) return 1;
  rx_contrasts_apply(work->contrasts, work->value, work->contrast);
  if (!rx_reml_search(work->space, NULL, work->contrast, within, 0, work->fits)) return 1;
  double lambda = work->fits->lambda[0];
  return lambda / (1 + lambda);
}

/* This rank's features. */
static void fit_share(const rx_job *job, const icc_work *work, const double *means,
                      const double *within, const double *between, size_t n_patients,
                      size_t n_features, double *icc) {
  size_t first, count;

  rx_partition(n_features, job->rank, job->n_ranks, &first, &count);
  for (size_t j = first; j < first + count; j++) {
    double sum = 0;
    for (size_t i = 0; i < n_patients; i++) {
      work->value[i] = means[i * n_features + j];
      sum += within[i * n_features + j];
    }
    icc[j] = fit(work, sum, sum + between[j]);
  }
}

rx_status rx_between_icc(const rx_job *job, const double *rows, const double *means,
                         const double *within, size_t n_patients, size_t n_features, double *icc) {
  icc_work work = {0};
  double *between = NULL;

  for (size_t j = 0; j < n_features; j++) icc[j] = 0;
  rx_status status = RX_NEW(&between, "ICC", n_features);
  if (!status) status = create_work(rows, n_patients, &work);
  if (!(status = RX_AGREE(job->comm, status))) {
    rx_between_squares(rows, means, n_patients, n_features, between);
    fit_share(job, &work, means, within, between, n_patients, n_features, icc);
    MPI_Allreduce(MPI_IN_PLACE, icc, (int)n_features, MPI_DOUBLE, MPI_SUM, job->comm);
  }
  free(between);
  destroy_work(&work);
  return status;
}

rx_effective rx_between_effective(const double *eigenvalues, size_t n) {
  double sum = 0, squares = 0, roots = 0;

  for (size_t i = 0; i < n; i++) {
    double l = fmax(0, eigenvalues[i]);
    sum += l;
    squares += l * l;
    roots += sqrt(l);
  }
  return (rx_effective){sum > 0 ? sum * sum / squares : NAN, sum > 0 ? roots * roots / sum : NAN};
}
