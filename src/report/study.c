#include "study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

static const struct {
  const char *name, *command;
} files[RX_N_STUDY_FILES] = {
    {"images.h5ad", "slice"},     {"model.h5", "train"},         {"features.h5ad", "encode"},
    {"patients.h5ad", "encode"},  {"factors.h5ad", "factors"},   {"associations.h5ad", "associate"},
    {"clusters.h5ad", "cluster"}, {"predictions.h5", "predict"},
};

const char *rx_study_name(rx_study_file file) {
  return files[file].name;
}

const char *rx_study_command(rx_study_file file) {
  return files[file].command;
}

/* One process reads, hence its own communicator. */
static rx_status open_file(const char *folder, rx_study_file file, rx_study *study) {
  char path[4096];

  RX_TRY(rx_path_join(folder, files[file].name, path, sizeof path));
  if (access(path, F_OK)) return RX_OK;
  RX_TRY(rx_store_open(path, &study->stores[file]));
  if (!rx_path_ends(path, ".h5ad")) return RX_OK;
  return rx_matrix_open(MPI_COMM_SELF, path, &study->matrices[file]);
}

rx_status rx_study_open(const char *folder, rx_study **out) {
  RX_TRY(RX_NEW(out, "study", 1));
  rx_status status = RX_OK;
  for (int file = 0; file < RX_N_STUDY_FILES && !status; file++)
    status = open_file(folder, (rx_study_file)file, *out);
  if (status) rx_study_destroy(out);
  return status;
}

void rx_study_destroy(rx_study **study) {
  if (!*study) return;
  for (int file = 0; file < RX_N_STUDY_FILES; file++) {
    rx_matrix_destroy(&(*study)->matrices[file]);
    rx_store_close(&(*study)->stores[file]);
  }
  free(*study);
  *study = NULL;
}

double rx_study_value(const rx_column *column, size_t row) {
  if (!column || column->kind == RX_TEXT) return NAN;
  return column->kind == RX_REAL ? column->real[row] : (double)column->integer[row];
}

const char *rx_study_text(const rx_column *column, size_t row, char number[32]) {
  *number = '\0';
  if (!column) return number;
  if (column->kind == RX_TEXT) return column->text[row];
  double value = rx_study_value(column, row);
  if (!isnan(value)) snprintf(number, 32, "%.6g", value);
  return number;
}

rx_status rx_study_column(const rx_matrix *matrix, const char *name, size_t column,
                          double *values) {
  return rx_matrix_read(matrix, name, RX_FLOAT64, 0, matrix->n_obs, column, 1, values);
}

rx_status rx_study_vector(const rx_store *store, const char *name, size_t *n, double **values) {
  int n_dims;
  size_t dims[4];

  *n = 0;
  *values = NULL;
  if (!rx_store_has(store, name)) return RX_OK;
  RX_TRY(rx_store_shape(store, name, &n_dims, dims));
  *n = 1;
  for (int d = 0; d < n_dims; d++) *n *= dims[d];
  RX_TRY(RX_NEW(values, name, *n));
  rx_status status = rx_store_get(store, name, RX_FLOAT64, *n, *values);
  if (status) {
    free(*values);
    *values = NULL;
    *n = 0;
  }
  return status;
}

double rx_study_number(const rx_store *store, const char *name) {
  double number;

  if (!rx_store_has(store, name) || rx_store_get_number(store, name, &number)) return NAN;
  return number;
}
