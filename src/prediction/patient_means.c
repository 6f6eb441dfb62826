#include "prediction/patient_means.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

static rx_status begin(const rx_feature_set *set, size_t n_patients, rx_feature_set *out,
                       size_t **n_rows) {
  *out = (rx_feature_set){.n_features = set->n_features,
                          .n_unused = set->n_unused,
                          .n_patients = set->n_patients,
                          .is_whole = true};
  RX_TRY(RX_NEW(n_rows, "patients", n_patients));
  RX_TRY(RX_NEW(&out->patient, "patients", set->n_patients));
  RX_TRY(RX_NEW(&out->weight, "patients", set->n_patients));
  RX_TRY(RX_NEW(&out->is_used, "features", set->n_features));
  memcpy(out->is_used, set->is_used, set->n_features * sizeof *set->is_used);
  return RX_NEW(&out->x, "patient means", set->n_patients * set->n_features);
}

/* Lists the patients that have rows. n_rows [n_patients], added to */
static void list_patients(const rx_feature_set *set, size_t *n_rows, rx_feature_set *out) {
  for (size_t r = 0; r < set->n_rows; r++) {
    if (!n_rows[set->patient[r]]++) out->patient[out->n_rows++] = set->patient[r];
  }
  out->n_local = out->n_rows;
  for (size_t i = 0; i < out->n_rows; i++) out->weight[i] = 1;
}

/* The rows of a patient stand together, and patients rise. */
static void add_rows(const rx_feature_set *set, const size_t *n_rows, rx_feature_set *out) {
  size_t p = set->n_features, at = 0;

  for (size_t r = 0; r < set->n_local; r++) {
    size_t patient = (size_t)set->patient[set->first + r];
    while ((size_t)out->patient[at] != patient) at++;
    double *mean = out->x + at * p, share = 1 / (double)n_rows[patient];
    if (set->is_whole)
      for (size_t j = 0; j < p; j++) mean[j] += set->x[r * p + j] * share;
    else
      for (size_t j = 0; j < p; j++)
        mean[j] += (set->mean[j] + set->scale[j] * (double)set->z[r * p + j]) * share;
  }
}

rx_status rx_patient_means_find(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                                rx_feature_set *out) {
  size_t *n_rows = NULL;
  rx_status status = RX_AGREE(comm, begin(set, n_patients, out, &n_rows));

  if (!status) {
    list_patients(set, n_rows, out);
    add_rows(set, n_rows, out);
    for (size_t i = 0; i < out->n_rows && !set->is_whole; i++)
      MPI_Allreduce(MPI_IN_PLACE, out->x + i * set->n_features, (int)set->n_features, MPI_DOUBLE,
                    MPI_SUM, comm);
  }
  free(n_rows);
  if (status) rx_panel_clear_set(out);
  return status;
}
