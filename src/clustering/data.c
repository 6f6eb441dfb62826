#include "data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/text.h"

enum { ROWS_AT_ONCE = 2048, MOST_NAMED = 8 };

void rx_cluster_data_destroy(rx_cluster_data **data) {
  rx_cluster_data *d = *data;

  if (!d) return;
  rx_frame_destroy(&d->patients);
  rx_frame_destroy(&d->features);
  rx_frame_destroy(&d->slices);
  free(d->rows);
  free(d->means);
  free(d->used_means);
  free(d->within);
  free(d->is_used);
  free(d->slice_row);
  free(d->slice_patient);
  free(d->values);
  free(d);
  *data = NULL;
}

rx_rows rx_cluster_data_rows(const rx_cluster_data *data) {
  return (rx_rows){RX_FLOAT32, data->values, data->count, data->n_features, NULL};
}

/* The files while they are read, and which of their patients are in. */
typedef struct {
  rx_matrix *features, *patients;
  rx_frame *clinical;      /* NULL: none */
  ptrdiff_t *clinical_row; /* [patients->n_obs], -1: not there */
  size_t *kept;            /* [n_patients], rows of patients */
} sources;

static void close_sources(sources *from) {
  rx_matrix_destroy(&from->features);
  rx_matrix_destroy(&from->patients);
  rx_frame_destroy(&from->clinical);
  free(from->clinical_row);
  free(from->kept);
}

static rx_status check_files(const sources *from) {
  const rx_matrix *features = from->features, *patients = from->patients;

  if (features->n_var != patients->n_var)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected the %zu features of %s, found %zu", patients->path,
                   features->n_var, features->path, patients->n_var);
  for (size_t j = 0; j < features->n_var; j++)
    if (strcmp(features->var->names[j], patients->var->names[j]))
      return RX_FAIL(RX_ERR_INPUT, "%s: expected feature %zu to be '%.80s' as in %s, found '%.80s'",
                     patients->path, j + 1, features->var->names[j], features->path,
                     patients->var->names[j]);
  if (!rx_frame_find(features->obs, "patient") ||
      rx_frame_find(features->obs, "patient")->kind != RX_TEXT)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected a column 'patient' of texts in obs, found none",
                   features->path);
  return RX_OK;
}

/* ---- patients ---- */

/* Keeps the patients of study.subset. */
static rx_status keep_patients(const rx_job *job, sources *from, rx_cluster_data *data) {
  const rx_matrix *patients = from->patients;
  const rx_config *config = job->config;
  size_t n = patients->n_obs;
  bool *is_in = NULL;

  rx_status status = RX_NEW(&from->clinical_row, "patients", n);
  if (!status) status = RX_NEW(&from->kept, "patients", n);
  if (!status) status = RX_NEW(&is_in, "patients", n);
  if (!status) status = rx_frame_match(from->clinical, n, patients->obs->names, from->clinical_row);
  if (!status)
    status = rx_subset_mark(config->study_subset, from->clinical, config->study_clinical, n,
                            from->clinical_row, is_in);
  for (size_t i = 0; i < n && !status; i++)
    if (is_in[i]) from->kept[data->n_patients++] = i;
  free(is_in);
  if (!status && !data->n_patients)
    status = RX_FAIL(RX_ERR_INPUT, "%s: expected patients of study.subset, found none of %zu",
                     patients->path, n);
  return status;
}

/* Names, the columns of the clinical table, and those of patients.h5ad that are not in it. */
static rx_status describe_patients(const sources *from, rx_cluster_data *data) {
  const rx_frame *obs = from->patients->obs;
  ptrdiff_t *rows;

  RX_TRY(rx_frame_create(data->n_patients, &data->patients));
  RX_TRY(RX_NEW(&rows, "patients", data->n_patients));
  rx_status status = RX_OK;
  for (size_t i = 0; i < data->n_patients && !status; i++) {
    rows[i] = (ptrdiff_t)from->kept[i];
    status = rx_frame_name(data->patients, i, obs->names[from->kept[i]]);
  }
  for (size_t c = 0; c < obs->n_columns && !status; c++)
    if (!from->clinical || !rx_frame_find(from->clinical, obs->columns[c].name))
      status = rx_frame_copy_column(data->patients, obs, &obs->columns[c], rows);
  for (size_t i = 0; i < data->n_patients; i++) rows[i] = from->clinical_row[from->kept[i]];
  for (size_t c = 0; from->clinical && c < from->clinical->n_columns && !status; c++)
    status =
        rx_frame_copy_column(data->patients, from->clinical, &from->clinical->columns[c], rows);
  free(rows);
  return status;
}

/* Takes the kept rows of a whole array [n_obs][n_features]. Collective. */
static rx_status read_patients(const rx_job *job, const sources *from, const char *name,
                               const rx_cluster_data *data, double **out) {
  size_t n = from->patients->n_obs, p = data->n_features;
  double *all = NULL;

  rx_status status = RX_NEW(&all, "patients", n * p);
  if (!status) status = RX_NEW(out, "patients", data->n_patients * p);
  if (!(status = RX_AGREE(job->comm, status)))
    status = rx_matrix_read(from->patients, name, RX_FLOAT64, 0, n, 0, p, all);
  for (size_t i = 0; i < data->n_patients && !status; i++)
    memcpy(*out + i * p, all + from->kept[i] * p, p * sizeof **out);
  free(all);
  return status;
}

/* ---- slices ---- */

/* Every patient has slices, as many as patients.h5ad says. */
static rx_status check_counts(const sources *from, const rx_cluster_data *data) {
  const rx_column *n_images = rx_frame_find(data->patients, "n_images");

  for (size_t i = 0; i < data->n_patients; i++) {
    double said = !n_images                      ? data->rows[i]
                  : n_images->kind == RX_INTEGER ? (double)n_images->integer[i]
                  : n_images->kind == RX_REAL    ? n_images->real[i]
                                                 : data->rows[i];
    if (data->rows[i] < 1 || said != data->rows[i])
      return RX_FAIL(RX_ERR_INPUT, "%s: expected %.0f slices of patient '%.80s', found %.0f",
                     from->features->path, said, data->patients->names[i], data->rows[i]);
  }
  return RX_OK;
}

/* Finds the slices of the kept patients. */
static rx_status keep_slices(const rx_job *job, const sources *from, rx_cluster_data *data) {
  const rx_matrix *features = from->features;
  const rx_column *patient = rx_frame_find(features->obs, "patient");
  size_t n_outside = 0;
  ptrdiff_t *rows;

  RX_TRY(RX_NEW(&data->slice_row, "slices", features->n_obs));
  RX_TRY(RX_NEW(&data->slice_patient, "slices", features->n_obs));
  RX_TRY(RX_NEW(&data->rows, "slices", data->n_patients));
  RX_TRY(RX_NEW(&rows, "slices", features->n_obs));
  rx_status status = rx_frame_match(data->patients, features->n_obs, patient->text, rows);
  for (size_t row = 0; row < features->n_obs && !status; row++) {
    if (rows[row] < 0) {
      n_outside++;
      continue;
    }
    data->slice_row[data->n_slices] = row;
    data->slice_patient[data->n_slices++] = (int)rows[row];
    data->rows[rows[row]]++;
  }
  free(rows);
  if (!status) status = check_counts(from, data);
  if (!status && n_outside)
    rx_log_info(job->log, "cluster: %zu slices of other patients left out", n_outside);
  return status;
}

/* Reads this rank's slices. Collective. */
static rx_status read_slices(const rx_job *job, const sources *from, rx_cluster_data *data) {
  size_t p = data->n_features, start = 0, end = 0, taken = 0;
  float *block = NULL;

  rx_partition(data->n_slices, job->rank, job->n_ranks, &data->first, &data->count);
  if (data->count) {
    start = data->slice_row[data->first];
    end = data->slice_row[data->first + data->count - 1] + 1;
  }
  unsigned long long rounds = (end - start + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
  MPI_Allreduce(MPI_IN_PLACE, &rounds, 1, MPI_UNSIGNED_LONG_LONG, MPI_MAX, job->comm);
  rx_status status = RX_NEW(&data->values, "slices", data->count * p);
  if (!status) status = RX_NEW(&block, "slices", ROWS_AT_ONCE * p);
  status = RX_AGREE(job->comm, status);
  for (unsigned long long round = 0; round < rounds && !status; round++) {
    size_t row = start + (size_t)round * ROWS_AT_ONCE;
    size_t n = row < end ? (end - row < ROWS_AT_ONCE ? end - row : ROWS_AT_ONCE) : 0;
    status = rx_matrix_read(from->features, "X", RX_FLOAT32, n ? row : 0, n, 0, p, block);
    for (; taken < data->count && data->slice_row[data->first + taken] < row + n; taken++)
      memcpy(data->values + taken * p, block + (data->slice_row[data->first + taken] - row) * p,
             p * sizeof *block);
  }
  free(block);
  return status;
}

/* ---- features that are not finite ---- */

/* Lists up to MOST_NAMED features that are not used. */
static void name_unused(const rx_cluster_data *data, char *text, size_t size) {
  size_t n = 0, used = 0;

  *text = '\0';
  for (size_t j = 0; j < data->n_features && n < MOST_NAMED; j++)
    if (!data->is_used[j] && used < size)
      used += (size_t)snprintf(text + used, size - used, "%s%.60s", n++ ? ", " : "",
                               data->features->names[j]);
  if (data->n_features - data->n_used > n && used < size)
    snprintf(text + used, size - used, " and %zu more", data->n_features - data->n_used - n);
}

/* Marks what is not finite anywhere, and clears its slices. Collective. */
static rx_status set_aside(const rx_job *job, const double *within, rx_cluster_data *data) {
  size_t p = data->n_features;
  unsigned char *is_bad;
  char text[1024];

  rx_status status = RX_NEW(&is_bad, "features", p);
  if (!status) status = RX_NEW(&data->is_used, "features", p);
  if ((status = RX_AGREE(job->comm, status))) {
    free(is_bad);
    return status;
  }
  for (size_t i = 0; i < data->count * p; i++) is_bad[i % p] |= !isfinite(data->values[i]);
  for (size_t i = 0; i < data->n_patients * p; i++)
    is_bad[i % p] |= !isfinite(data->means[i]) || (within && !isfinite(within[i]));
  MPI_Allreduce(MPI_IN_PLACE, is_bad, (int)p, MPI_UNSIGNED_CHAR, MPI_MAX, job->comm);
  for (size_t j = 0; j < p; j++) {
    data->is_used[j] = !is_bad[j];
    data->n_used += !is_bad[j];
    for (size_t i = 0; i < data->count && is_bad[j]; i++) data->values[i * p + j] = 0;
  }
  free(is_bad);
  name_unused(data, text, sizeof text);
  if (!data->n_used)
    return RX_FAIL(RX_ERR_INPUT, "cluster: expected features with finite values, found none of %zu",
                   p);
  if (data->n_used < p)
    rx_log_warn(job->log, "cluster: %zu features left out with values that are not finite: %s",
                p - data->n_used, text);
  return RX_OK;
}

/* Keeps the used columns of [n_patients][n_features]. */
static rx_status compact(const rx_cluster_data *data, const double *all, double **out) {
  size_t place = 0;

  RX_TRY(RX_NEW(out, "patients", data->n_patients * data->n_used));
  for (size_t i = 0; i < data->n_patients; i++)
    for (size_t j = 0; j < data->n_features; j++)
      if (data->is_used[j]) (*out)[place++] = all[i * data->n_features + j];
  return RX_OK;
}

/* Sums of squares of the slices around patient means, [n_patients][n_features]. Collective. */
static rx_status square_slices(const rx_job *job, const rx_cluster_data *data, double **out) {
  size_t p = data->n_features;

  rx_status status = RX_NEW_AGREED(job->comm, out, "patients", data->n_patients * p);
  if (status) return status;
  for (size_t s = 0; s < data->count; s++) {
    size_t patient = (size_t)data->slice_patient[data->first + s];
    for (size_t j = 0; j < p; j++) {
      double d = (double)data->values[s * p + j] - data->means[patient * p + j];
      (*out)[patient * p + j] += d * d;
    }
  }
  for (size_t i = 0; i < data->n_patients; i++)
    MPI_Allreduce(MPI_IN_PLACE, *out + i * p, (int)p, MPI_DOUBLE, MPI_SUM, job->comm);
  return RX_OK;
}

/* Collective. */
static rx_status read_values(const rx_job *job, const sources *from, rx_cluster_data *data) {
  double *within = NULL;

  rx_status status = read_patients(job, from, "X", data, &data->means);
  if (!status) status = read_slices(job, from, data);
  if (!status)
    status = rx_matrix_has(from->patients, "layers/within_ss")
                 ? read_patients(job, from, "layers/within_ss", data, &within)
                 : square_slices(job, data, &within);
  if (!status) status = set_aside(job, within, data);
  if (!status) {
    status = compact(data, data->means, &data->used_means);
    if (!status) status = compact(data, within, &data->within);
    status = RX_AGREE(job->comm, status);
  }
  free(within);
  return status;
}

/* ---- together ---- */

static rx_status open_sources(const rx_job *job, const char *features_path,
                              const char *patients_path, sources *from) {
  RX_TRY(rx_matrix_open(job->comm, features_path, &from->features));
  RX_TRY(rx_matrix_open(job->comm, patients_path, &from->patients));
  RX_TRY(rx_clinical_load(job->comm, job->config->study_clinical, &from->clinical));
  return RX_AGREE(job->comm, check_files(from));
}

/* Local: who and what is in. */
static rx_status choose(const rx_job *job, sources *from, rx_cluster_data *data) {
  data->n_features = from->features->n_var;
  RX_TRY(keep_patients(job, from, data));
  RX_TRY(describe_patients(from, data));
  RX_TRY(keep_slices(job, from, data));
  data->features = from->features->var; /* taken over */
  data->slices = from->features->obs;
  from->features->var = from->features->obs = NULL;
  return RX_OK;
}

rx_status rx_cluster_data_load(const rx_job *job, const char *features_path,
                               const char *patients_path, rx_cluster_data **out) {
  sources from = {0};

  rx_status status = RX_NEW_AGREED(job->comm, out, "data", 1);
  if (!status) status = open_sources(job, features_path, patients_path, &from);
  if (!status) status = RX_AGREE(job->comm, choose(job, &from, *out));
  if (!status) status = read_values(job, &from, *out);
  close_sources(&from);
  if (status) rx_cluster_data_destroy(out);
  return status;
}
