#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/autoencoder.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

/* Numbers the patients in the order of their first slices. patient  [n_slices], set */
static rx_status number_patients(const rx_column *column, rx_cohort *cohort, size_t *patient) {
  rx_names *names = NULL;
  rx_status status = rx_names_create(&names);

  for (size_t slice = 0; slice < cohort->n_slices && !status; slice++) {
    ptrdiff_t before;
    status = rx_names_add(names, column->text[slice], (ptrdiff_t)cohort->n_patients, &before);
    if (status) break;
    patient[slice] = before >= 0 ? (size_t)before : cohort->n_patients;
    if (before >= 0) continue;
    cohort->patients[cohort->n_patients++] = column->text[slice];
  }
  rx_names_destroy(&names);
  return status;
}

/* Sorts the slices by patient, counting. */
static void sort_slices(rx_cohort *cohort, const size_t *patient) {
  for (size_t slice = 0; slice < cohort->n_slices; slice++) cohort->first[patient[slice] + 1]++;
  for (size_t p = 0; p < cohort->n_patients; p++) cohort->first[p + 1] += cohort->first[p];
  for (size_t slice = 0; slice < cohort->n_slices; slice++)
    cohort->rows[cohort->first[patient[slice]]++] = slice;
  for (size_t p = cohort->n_patients; p > 0; p--) cohort->first[p] = cohort->first[p - 1];
  cohort->first[0] = 0;
}

static rx_status fill(const rx_matrix *images, rx_cohort *cohort) {
  const rx_column *column = rx_frame_find(images->obs, "patient");
  size_t *patient;

  if (!column || column->kind != RX_TEXT)
    return RX_FAIL(RX_ERR_INPUT, "%s: obs: expected a column of texts named patient", images->path);
  cohort->n_slices = images->n_obs;
  cohort->size = (int)lround(sqrt((double)images->n_var));
  if ((size_t)cohort->size * (size_t)cohort->size != images->n_var)
    return RX_FAIL(RX_ERR_INPUT, "%s: X: expected square slices, found %zu pixels", images->path,
                   images->n_var);
  RX_TRY(RX_NEW(&cohort->rows, "slices", cohort->n_slices));
  RX_TRY(RX_NEW(&cohort->first, "patients", cohort->n_slices + 1));
  RX_TRY(RX_NEW(&cohort->patients, "patients", cohort->n_slices));
  RX_TRY(RX_NEW(&patient, "slices", cohort->n_slices));
  rx_status status = number_patients(column, cohort, patient);
  if (!status) sort_slices(cohort, patient);
  free(patient);
  return status;
}

rx_status rx_cohort_create(const rx_matrix *images, rx_cohort **out) {
  RX_TRY(RX_NEW(out, "patients", 1));
  rx_status status = fill(images, *out);
  if (status) rx_cohort_destroy(out);
  return status;
}

void rx_cohort_destroy(rx_cohort **cohort) {
  if (!*cohort) return;
  free((*cohort)->rows);
  free((*cohort)->first);
  free((*cohort)->patients);
  free(*cohort);
  *cohort = NULL;
}

rx_status rx_cohort_keep(rx_cohort *cohort, const rx_names *training) {
  size_t n_slices = 0, n_patients = 0, begin = 0;

  for (size_t p = 0; p < cohort->n_patients; p++) {
    size_t end = cohort->first[p + 1];

    if (rx_learners_has(training, cohort->patients[p])) {
      for (size_t slice = begin; slice < end; slice++)
        cohort->rows[n_slices++] = cohort->rows[slice];
      cohort->patients[n_patients++] = cohort->patients[p];
      cohort->first[n_patients] = n_slices;
    }
    begin = end;
  }
  cohort->n_slices = n_slices;
  cohort->n_patients = n_patients;
  return n_patients ? RX_OK
                    : RX_FAIL(RX_ERR_INPUT,
                              "study.training: expected a patient that has images, found none");
}

/* Length of the run of neighbouring rows that begins at rows[0]. */
static size_t run_length(const size_t *rows, size_t n) {
  size_t length = n > 0;

  while (length < n && rows[length] == rows[length - 1] + 1) length++;
  return length;
}

rx_status rx_cohort_read(MPI_Comm comm, const rx_matrix *images, const size_t *rows, size_t n,
                         float *data) {
  uint64_t n_runs = 0;

  for (size_t at = 0; at < n; n_runs++) at += run_length(rows + at, n - at);
  MPI_Allreduce(MPI_IN_PLACE, &n_runs, 1, MPI_UINT64_T, MPI_MAX, comm);
  for (size_t at = 0; n_runs > 0; n_runs--) {
    size_t length = run_length(rows + at, n - at);

    RX_TRY(rx_matrix_read(images, "X", RX_FLOAT32, length ? rows[at] : 0, length, 0, images->n_var,
                          length ? data + at * images->n_var : NULL));
    at += length;
  }
  return RX_OK;
}
