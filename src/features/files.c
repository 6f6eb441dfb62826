#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* Names the features, channel after channel, row after row: drf_c03_r07_c12. */
static rx_status describe_features(const rx_feature_results *results, rx_frame **out) {
  const rx_network *network = &results->model->network;
  size_t size = (size_t)network->feature_size;
  static const char *const columns[] = {"channel", "row", "column"};
  rx_column *column[3], *zero;
  char name[64];

  RX_TRY(rx_frame_create(network->n_features, out));
  for (int i = 0; i < 3; i++) RX_TRY(rx_frame_add(*out, columns[i], RX_INTEGER, NULL));
  RX_TRY(rx_frame_add(*out, "fraction_zero", RX_REAL, &zero));
  memcpy(zero->real, results->encoded->fraction_zero, network->n_features * sizeof(double));
  for (int i = 0; i < 3; i++) column[i] = rx_frame_find(*out, columns[i]);
  for (size_t f = 0; f < network->n_features; f++) {
    column[0]->integer[f] = (int64_t)(f / (size * size));
    column[1]->integer[f] = (int64_t)(f / size % size);
    column[2]->integer[f] = (int64_t)(f % size);
    snprintf(name, sizeof name, "drf_c%02d_r%02d_c%02d", (int)column[0]->integer[f],
             (int)column[1]->integer[f], (int)column[2]->integer[f]);
    RX_TRY(rx_frame_name(*out, f, name));
  }
  return RX_OK;
}

static bool is_same(const rx_column *column, size_t a, size_t b) {
  if (column->kind == RX_TEXT) return !strcmp(column->text[a], column->text[b]);
  if (column->kind == RX_INTEGER) return column->integer[a] == column->integer[b];
  return column->real[a] == column->real[b] || (isnan(column->real[a]) && isnan(column->real[b]));
}

/* Adds what the slices have in common within each patient, such as the scanner or the site: a
 * column that differs within any patient says nothing of patients. first  [n_patients], row */
static rx_status add_common(const rx_feature_results *results, const ptrdiff_t *first,
                            rx_frame *patients) {
  const rx_cohort *cohort = results->cohort;
  const rx_frame *slices = results->images->obs;

  for (size_t c = 0; c < slices->n_columns; c++) {
    const rx_column *column = &slices->columns[c];
    bool is_common = strcmp(column->name, "patient") && !rx_frame_find(patients, column->name);
    for (size_t p = 0; p < cohort->n_patients && is_common; p++)
      for (size_t i = cohort->first[p]; i < cohort->first[p + 1] && is_common; i++)
        is_common = is_same(column, (size_t)first[p], cohort->rows[i]);
    if (is_common) RX_TRY(rx_frame_copy_column(patients, slices, column, first));
  }
  return RX_OK;
}

/* Patients with their numbers of slices, clinical columns, and those of the manifest that hold for
 * all slices of a patient. */
static rx_status describe_patients(const rx_feature_results *results, rx_frame **out) {
  const rx_cohort *cohort = results->cohort;
  const rx_frame *clinical = results->clinical;
  rx_column *n_images;
  ptrdiff_t *rows;

  RX_TRY(rx_frame_create(cohort->n_patients, out));
  RX_TRY(rx_frame_add(*out, "n_images", RX_INTEGER, &n_images));
  for (size_t p = 0; p < cohort->n_patients; p++) {
    n_images->integer[p] = (int64_t)(cohort->first[p + 1] - cohort->first[p]);
    RX_TRY(rx_frame_name(*out, p, cohort->patients[p]));
  }
  RX_TRY(RX_NEW(&rows, "patients", cohort->n_patients));
  rx_status status =
      clinical ? rx_frame_match(clinical, cohort->n_patients, cohort->patients, rows) : RX_OK;
  for (size_t c = 0; clinical && c < clinical->n_columns && !status; c++)
    if (!rx_frame_find(*out, clinical->columns[c].name))
      status = rx_frame_copy_column(*out, clinical, &clinical->columns[c], rows);
  for (size_t p = 0; p < cohort->n_patients; p++)
    rows[p] = (ptrdiff_t)cohort->rows[cohort->first[p]];
  if (!status) status = add_common(results, rows, *out);
  free(rows);
  return status;
}

/* Rows that follow each other in the file are written together; each rank joins every write. */
static rx_status write_slices(const rx_job *job, rx_matrix *matrix, const char *name,
                              const rx_encoded *e, const float *values) {
  uint64_t n_runs = 0;
  size_t at = 0, n;

  for (size_t i = 0; i < e->n_slices; i++) n_runs += i == 0 || e->rows[i] != e->rows[i - 1] + 1;
  MPI_Allreduce(MPI_IN_PLACE, &n_runs, 1, MPI_UINT64_T, MPI_MAX, job->comm);
  for (; n_runs > 0; n_runs--, at += n) {
    n = at < e->n_slices;
    while (n && at + n < e->n_slices && e->rows[at + n] == e->rows[at + n - 1] + 1) n++;
    RX_TRY(rx_matrix_write(matrix, name, RX_FLOAT32, n ? e->rows[at] : 0, n, 0, e->n_features,
                           n ? values + at * e->n_features : NULL));
  }
  return RX_OK;
}

static rx_status put_density(rx_store *store, const rx_density *density) {
  double centre[RX_DENSITY_BINS];
  size_t n = RX_DENSITY_BINS;

  for (size_t bin = 0; bin < n; bin++)
    centre[bin] = ((double)bin + 0.5) * density->most / RX_DENSITY_BINS;
  RX_TRY(rx_store_put_group(store, "uns/density", "dict"));
  RX_TRY(rx_store_put(store, "uns/density/value", RX_FLOAT64, 1, &n, centre));
  RX_TRY(rx_store_put(store, "uns/density/before", RX_FLOAT64, 1, &n, density->before));
  return rx_store_put(store, "uns/density/after", RX_FLOAT64, 1, &n, density->after);
}

static rx_status put_extras(rx_store *store, const rx_feature_results *results) {
  const rx_encoded *e = results->encoded;

  if (e->reference)
    RX_TRY(
        rx_store_put(store, "uns/quantile_reference", RX_FLOAT64, 1, &e->n_features, e->reference));
  RX_TRY(rx_examples_put(results->examples, results->images->obs, store));
  return put_density(store, &e->density);
}

rx_status rx_features_write(const rx_job *job, const rx_recipe *recipe,
                            const rx_feature_results *results, const char *path) {
  const rx_encoded *e = results->encoded;
  size_t n_slices = results->cohort->n_slices;
  const rx_array arrays[] = {{"X", RX_FLOAT32, n_slices, e->n_features, 0},
                             {"layers/raw", RX_FLOAT32, n_slices, e->n_features, 0}};
  rx_matrix_layout layout = {.obs = results->images->obs,
                             .n_arrays = job->config->features_keep_raw ? 2 : 1,
                             .arrays = arrays};
  rx_frame *var = NULL;
  rx_matrix *matrix = NULL;
  rx_store *store;

  rx_status status = RX_AGREE(job->comm, describe_features(results, &var));
  layout.var = var;
  if (!status) status = rx_matrix_create(job, path, &layout, &matrix);
  if (!status) status = write_slices(job, matrix, "X", e, e->values);
  if (!status && layout.n_arrays == 2) status = write_slices(job, matrix, "layers/raw", e, e->raw);
  if (!status) status = rx_matrix_seal(matrix, &store);
  if (!status) status = RX_AGREE(job->comm, store ? put_extras(store, results) : RX_OK);
  if (!status)
    status = rx_matrix_commit(&matrix, recipe);
  else
    rx_matrix_destroy(&matrix);
  rx_frame_destroy(&var);
  return status;
}

static rx_status describe_both(const rx_feature_results *results, rx_frame **obs, rx_frame **var) {
  rx_status status = describe_features(results, var);

  return status ? status : describe_patients(results, obs);
}

rx_status rx_patients_write(const rx_job *job, const rx_recipe *recipe,
                            const rx_feature_results *results, const char *path) {
  const rx_encoded *e = results->encoded;
  size_t n_patients = results->cohort->n_patients;
  const rx_array arrays[] = {{"X", RX_FLOAT64, n_patients, e->n_features, 0},
                             {"layers/within_ss", RX_FLOAT64, n_patients, e->n_features, 0}};
  rx_matrix_layout layout = {.n_arrays = 2, .arrays = arrays};
  rx_frame *obs = NULL, *var = NULL;
  rx_matrix *matrix = NULL;

  rx_status status = RX_AGREE(job->comm, describe_both(results, &obs, &var));
  layout.obs = obs;
  layout.var = var;
  if (!status) status = rx_matrix_create(job, path, &layout, &matrix);
  for (int array = 0; array < 2 && !status; array++)
    status = rx_matrix_write(matrix, arrays[array].name, RX_FLOAT64,
                             e->n_patients ? e->first_patient : 0, e->n_patients, 0, e->n_features,
                             array ? e->within_ss : e->mean);
  if (!status)
    status = rx_matrix_commit(&matrix, recipe);
  else
    rx_matrix_destroy(&matrix);
  rx_frame_destroy(&obs);
  rx_frame_destroy(&var);
  return status;
}
