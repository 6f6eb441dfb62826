#include "prediction/feature_file.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/table.h"
#include "radmix/text.h"

/* crf36.tsv.gz in any folder is crf36. */
static rx_status name_set(const char *path, char **name) {
  RX_TRY(rx_copy_text(rx_path_name(path), name));
  char *dot = strchr(*name, '.');
  if (dot && dot != *name) *dot = '\0';
  return RX_OK;
}

static rx_status copy_patient(rx_feature_file *p, size_t row, const char *name) {
  if (!*name)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected a patient in each row, found none in row %zu",
                   p->path, row + 1);
  return rx_copy_text(name, &p->patients[row]);
}

/* ---- text ---- */

static bool is_label(const char *name) {
  static const char *const labels[] = {"patient", "image", "volume", "slice"};

  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
    if (!strcmp(name, labels[i])) return true;
  return false;
}

static rx_status find_patients(const rx_table *table, size_t *column) {
  ptrdiff_t found = rx_table_find(table, "patient");

  *column = found < 0 ? 0 : (size_t)found;
  if (found < 0 && is_label(rx_table_name(table, 0)))
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a column 'patient', found none", table->path,
                   (long long)table->lines[0]);
  return RX_OK;
}

static rx_status name_features(const rx_table *table, const size_t *columns, rx_feature_file *p) {
  rx_names *names;

  RX_TRY(rx_frame_create(p->n_features, &p->var));
  RX_TRY(rx_names_create(&names));
  rx_status status = RX_OK;
  for (size_t j = 0; j < p->n_features && !status; j++) {
    const char *name = rx_table_name(table, columns[j]);
    ptrdiff_t before = -1;
    status = rx_names_add(names, name, (ptrdiff_t)j, &before);
    if (!status && (before >= 0 || !*name))
      status =
          RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a name of its own for column %zu, found '%s'",
                  table->path, (long long)table->lines[0], columns[j] + 1, name);
    if (!status) status = rx_frame_name(p->var, j, name);
  }
  rx_names_destroy(&names);
  return status;
}

static rx_status read_cells(const rx_table *table, size_t key, const size_t *columns,
                            rx_feature_file *p) {
  RX_TRY(RX_NEW(&p->patients, "patients", p->n_rows));
  RX_TRY(RX_NEW(&p->table, p->path, p->n_rows * p->n_features));
  for (size_t r = 0; r < p->n_rows; r++) {
    RX_TRY(copy_patient(p, r, rx_table_cell(table, r, key)));
    for (size_t j = 0; j < p->n_features; j++)
      RX_TRY(rx_table_number(table, r, columns[j], &p->table[r * p->n_features + j]));
  }
  return RX_OK;
}

static rx_status take_table(const rx_table *table, rx_feature_file *p) {
  size_t key, *columns;

  RX_TRY(find_patients(table, &key));
  RX_TRY(RX_NEW(&columns, "columns", table->n_columns));
  for (size_t c = 0; c < table->n_columns; c++)
    if (c != key && !is_label(rx_table_name(table, c))) columns[p->n_features++] = c;
  p->n_rows = table->n_rows;
  rx_status status = RX_OK;
  if (!p->n_features || !p->n_rows)
    status = RX_FAIL(RX_ERR_INPUT, "%s: expected rows and features, found %zu and %zu", p->path,
                     p->n_rows, p->n_features);
  if (!status) status = name_features(table, columns, p);
  if (!status) status = read_cells(table, key, columns, p);
  free(columns);
  return status;
}

static rx_status load_table(MPI_Comm comm, rx_feature_file *p) {
  rx_table *table = NULL;

  RX_TRY(rx_table_load(comm, p->path, &table));
  rx_status status = RX_AGREE(comm, take_table(table, p));
  rx_table_destroy(&table);
  return status;
}

/* ---- .h5ad ---- */

static rx_status take_names(rx_feature_file *p) {
  const rx_matrix *m = p->matrix;
  const rx_column *patient = rx_frame_find(m->obs, "patient");

  p->n_rows = m->n_obs;
  p->n_features = m->n_var;
  if (!p->n_rows || !p->n_features)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected rows and features, found %zu and %zu", p->path,
                   p->n_rows, p->n_features);
  RX_TRY(RX_NEW(&p->patients, "patients", p->n_rows));
  for (size_t r = 0; r < p->n_rows; r++)
    RX_TRY(copy_patient(p, r,
                        patient && patient->kind == RX_TEXT ? patient->text[r] : m->obs->names[r]));
  p->var = m->var;
  p->matrix->var = NULL; /* taken over */
  return RX_OK;
}

static rx_status open_matrix(MPI_Comm comm, rx_feature_file *p) {
  size_t n_rows, n_columns;

  RX_TRY(rx_matrix_open(comm, p->path, &p->matrix));
  RX_TRY(RX_AGREE(comm, take_names(p)));
  RX_TRY(rx_matrix_shape(p->matrix, "X", &n_rows, &n_columns));
  rx_status status = RX_OK;
  if (n_rows != p->n_rows || n_columns != p->n_features)
    status = RX_FAIL(RX_ERR_INPUT, "%s: /X: expected %zu x %zu numbers, found %zu x %zu", p->path,
                     p->n_rows, p->n_features, n_rows, n_columns);
  return RX_AGREE(comm, status);
}

rx_status rx_feature_file_open(MPI_Comm comm, const char *path, rx_feature_file **out) {
  rx_status status = RX_NEW(out, "feature file", 1);

  if (!status) status = rx_copy_text(path, &(*out)->path);
  if (!status) status = name_set(path, &(*out)->name);
  status = RX_AGREE(comm, status);
  if (!status)
    status = rx_path_ends(path, ".h5ad") ? open_matrix(comm, *out) : load_table(comm, *out);
  if (status) rx_feature_file_destroy(out);
  return status;
}

void rx_feature_file_destroy(rx_feature_file **file) {
  rx_feature_file *p = *file;

  if (!p) return;
  for (size_t r = 0; p->patients && r < p->n_rows; r++) free(p->patients[r]);
  free(p->patients);
  rx_frame_destroy(&p->var);
  rx_matrix_destroy(&p->matrix);
  free(p->table);
  free(p->name);
  free(p->path);
  free(p);
  *file = NULL;
}

rx_status rx_feature_file_read(const rx_feature_file *p, size_t row, size_t n_rows, double *x) {
  if (p->matrix)
    return rx_matrix_read(p->matrix, "X", RX_FLOAT64, row, n_rows, 0, p->n_features, x);
  memcpy(x, p->table + row * p->n_features, n_rows * p->n_features * sizeof *x);
  return RX_OK;
}

rx_status rx_feature_file_read_float(const rx_feature_file *p, size_t row, size_t n_rows,
                                     float *x) {
  if (p->matrix)
    return rx_matrix_read(p->matrix, "X", RX_FLOAT32, row, n_rows, 0, p->n_features, x);
  for (size_t i = 0; i < n_rows * p->n_features; i++)
    x[i] = (float)p->table[row * p->n_features + i];
  return RX_OK;
}
