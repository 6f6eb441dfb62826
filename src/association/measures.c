#include "measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/text.h"

enum { ROWS_AT_ONCE = 512 };

void rx_measures_destroy(rx_measures **measures) {
  rx_measures *m = *measures;

  if (!m) return;
  rx_frame_destroy(&m->patients);
  rx_frame_destroy(&m->features);
  rx_image_covariates_destroy(&m->image);
  free(m->rows);
  free(m->origin);
  free(m->mean);
  free(m->within);
  free(m);
  *measures = NULL;
}

void rx_measures_start(size_t n_columns, const double *value, double *origin) {
  for (size_t c = 0; c < n_columns; c++) origin[c] = isfinite(value[c]) ? value[c] : 0;
}

void rx_measures_add(size_t n_rows, size_t n_columns, const size_t *patient, const double *value,
                     const double *origin, double *n_before, double *mean, double *within) {
  for (size_t r = 0; r < n_rows; r++) {
    const double *row = value + r * n_columns;
    double *m = mean + patient[r] * n_columns, *s = within + patient[r] * n_columns;
    double n = ++n_before[patient[r]];
    for (size_t c = 0; c < n_columns; c++) {
      double moved = row[c] - origin[c], before = moved - m[c];
      m[c] += before / n;
      s[c] += before * (moved - m[c]);
    }
  }
}

/* An infinite value gives NaN - NaN on its way; makes all that is not a number NaN. */
static void mark_nonfinite(size_t n, double *mean, double *within) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(mean[i]) || !isfinite(within[i])) mean[i] = within[i] = NAN;
    mean[i] += 0.0; /* -0 would not survive a sum over ranks */
  }
}

/* Rows to patients: an index for each row, and the frame of the patients in the order of coming. */
static rx_status index_patients(size_t n_rows, char *const *names, size_t *patient,
                                rx_frame **patients) {
  rx_names *known = NULL;
  size_t n = 0, *first = NULL;
  char key[RX_KEY_SIZE];

  rx_status status = rx_names_create(&known);
  if (!status) status = RX_NEW(&first, "associate: patients", n_rows);
  for (size_t r = 0; r < n_rows && !status; r++) {
    ptrdiff_t before = -1;
    rx_patient_key(names[r], key);
    status = rx_names_add(known, key, (ptrdiff_t)n, &before);
    patient[r] = before < 0 ? n : (size_t)before;
    if (before < 0) first[n++] = r;
  }
  if (!status) status = rx_frame_create(n, patients);
  for (size_t p = 0; p < n && !status; p++) status = rx_frame_name(*patients, p, names[first[p]]);
  rx_names_destroy(&known);
  free(first);
  return status;
}

static rx_status allocate(rx_measures *m) {
  m->n_patients = m->patients->n_rows;
  m->n_features = m->features->n_rows;
  RX_TRY(RX_NEW(&m->rows, "associate: patients", m->n_patients));
  RX_TRY(RX_NEW(&m->origin, "associate: features", m->n_features));
  RX_TRY(RX_NEW(&m->mean, "associate: features", m->n_patients * m->n_features));
  return RX_NEW(&m->within, "associate: features", m->n_patients * m->n_features);
}

/* ---- text tables ---- */

static bool is_listed(const rx_list *list, const char *name) {
  for (int i = 0; i < list->n; i++)
    if (!strcmp(list->items[i], name)) return true;
  return false;
}

/* Tells which columns are features, and which one names the patient. */
static rx_status sort_columns(const rx_table *table, const rx_list *covariates, bool *is_feature,
                              size_t *patient, size_t *n_features) {
  ptrdiff_t found = rx_table_find(table, "patient");

  *patient = found < 0 ? 0 : (size_t)found;
  *n_features = 0;
  for (size_t c = 0; c < table->n_columns; c++) {
    const char *name = rx_table_name(table, c);
    bool is_label = c == *patient || !strcmp(name, "image") || !strcmp(name, "volume") ||
                    !strcmp(name, "slice") || is_listed(covariates, name);
    /* Another first column is a row name: unless all of it is numbers, as in a plain matrix. */
    if (c == 0 && !is_label) {
      double number;
      const char *cell = table->n_rows ? rx_table_cell(table, 0, 0) : "";
      is_label = !*name || !(rx_is_missing(cell) || rx_number_read(cell, &number));
    }
    is_feature[c] = !is_label;
    *n_features += is_feature[c];
  }
  if (!*n_features)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected columns of features, found none", table->path,
                   (long long)table->lines[0]);
  if (!table->n_rows)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected rows of patients, found none", table->path);
  return RX_OK;
}

static rx_status name_features(const rx_table *table, const bool *is_feature, rx_frame *features) {
  rx_names *names = NULL;
  size_t n = 0;
  rx_status status = rx_names_create(&names);

  for (size_t c = 0; c < table->n_columns && !status; c++) {
    ptrdiff_t before = -1;
    if (!is_feature[c]) continue;
    status = rx_names_add(names, rx_table_name(table, c), (ptrdiff_t)c, &before);
    if (!status && (before >= 0 || !*rx_table_name(table, c)))
      status =
          RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a name of its own for column %zu, found '%.80s'",
                  table->path, (long long)table->lines[0], c + 1, rx_table_name(table, c));
    if (!status) status = rx_frame_name(features, n++, rx_table_name(table, c));
  }
  rx_names_destroy(&names);
  return status;
}

/* The image covariates of a table: a column of numbers, or of texts when any cell is none. */
static rx_status frame_covariates(const rx_table *table, const rx_list *names, rx_frame **out) {
  rx_column *column = NULL;
  double number;

  RX_TRY(rx_frame_create(table->n_rows, out));
  for (int k = 0; k < names->n; k++) {
    ptrdiff_t found = rx_table_find(table, names->items[k]);
    rx_column_kind kind = RX_REAL;
    if (found < 0) continue;
    for (size_t r = 0; r < table->n_rows && kind == RX_REAL; r++) {
      const char *cell = rx_table_cell(table, r, (size_t)found);
      if (!rx_is_missing(cell) && !rx_number_read(cell, &number)) kind = RX_TEXT;
    }
    RX_TRY(rx_frame_add(*out, names->items[k], kind, &column));
    for (size_t r = 0; r < table->n_rows; r++) {
      const char *cell = rx_table_cell(table, r, (size_t)found);
      if (kind == RX_REAL)
        column->real[r] = rx_number_read(cell, &number) ? number : (double)NAN;
      else
        RX_TRY(rx_frame_set_text(*out, column, r, rx_is_missing(cell) ? "" : cell));
    }
  }
  return RX_OK;
}

/* One row more: the features into m, and their products with the image covariates into cross
 * [n_patients][covariates][n_columns]. after  [n_columns], room */
static void add_row(size_t row, size_t patient, size_t n_columns, const double *value,
                    const double *origin, const rx_image_covariates *image, double *rows,
                    double *mean, double *within, double *cross, double *after) {
  rx_measures_add(1, n_columns, &patient, value, origin, rows, mean, within);
  if (!image) return;
  const size_t k = (size_t)image->n_columns;
  for (size_t c = 0; c < n_columns; c++)
    after[c] = value[c] - origin[c] - mean[patient * n_columns + c];
  rx_image_covariates_add(image->n_columns, image->deviation + row * k, n_columns, after,
                          cross + patient * k * n_columns);
}

static rx_status sum_table(const rx_table *table, const bool *is_feature, const size_t *patient,
                           rx_measures *m) {
  double *row = NULL, *after = NULL, *cross = m->image ? m->image->cross : NULL;

  RX_TRY(RX_NEW(&row, "associate: features", m->n_features));
  rx_status status = RX_NEW(&after, "associate: features", m->n_features);
  for (size_t r = 0; r < table->n_rows && !status; r++) {
    size_t n = 0;
    for (size_t c = 0; c < table->n_columns && !status; c++)
      if (is_feature[c]) status = rx_table_number(table, r, c, &row[n++]);
    if (r == 0) rx_measures_start(m->n_features, row, m->origin);
    add_row(r, patient[r], m->n_features, row, m->origin, m->image, m->rows, m->mean, m->within,
            cross, after);
  }
  free(after);
  free(row);
  mark_nonfinite(m->n_patients * m->n_features, m->mean, m->within);
  return status;
}

/* On rank 0. */
static rx_status read_table(const char *path, const rx_list *covariates, rx_measures *m) {
  rx_table *table = NULL;
  rx_frame *slices = NULL;
  bool *is_feature = NULL;
  char **names = NULL;
  size_t key = 0, n_features = 0, *patient = NULL;
  rx_status status;

  if ((status = rx_table_read(path, &table))) goto done;
  if ((status = RX_NEW(&is_feature, "associate: features", table->n_columns))) goto done;
  if ((status = RX_NEW(&patient, "associate: rows", table->n_rows))) goto done;
  if ((status = RX_NEW(&names, "associate: rows", table->n_rows))) goto done;
  if ((status = sort_columns(table, covariates, is_feature, &key, &n_features))) goto done;
  for (size_t r = 0; r < table->n_rows && !status; r++) {
    names[r] = (char *)rx_table_cell(table, r, key);
    if (!*names[r])
      status = RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a patient, found nothing", path,
                       (long long)rx_table_line(table, r));
  }
  if (!status) status = index_patients(table->n_rows, names, patient, &m->patients);
  if (!status) status = rx_frame_create(n_features, &m->features);
  if (!status) status = name_features(table, is_feature, m->features);
  if (!status) status = allocate(m);
  if (!status && covariates->n) status = frame_covariates(table, covariates, &slices);
  if (!status && covariates->n)
    status = rx_image_covariates_create(slices, covariates, path, patient, m->n_patients,
                                        m->n_features, &m->image);
  if (!status) status = sum_table(table, is_feature, patient, m);
done:
  rx_frame_destroy(&slices);
  free(names);
  free(patient);
  free(is_feature);
  rx_table_destroy(&table);
  return status;
}

static rx_status load_table(MPI_Comm comm, const char *path, const rx_list *covariates,
                            rx_measures *m) {
  int rank;
  rx_status status = RX_OK;

  MPI_Comm_rank(comm, &rank);
  if (rank == 0) status = read_table(path, covariates, m);
  RX_TRY(RX_AGREE(comm, status));
  RX_TRY(rx_frame_broadcast(comm, &m->patients));
  RX_TRY(rx_frame_broadcast(comm, &m->features));
  if (rank) status = allocate(m);
  RX_TRY(RX_AGREE(comm, status));
  const size_t size = m->n_patients * m->n_features * sizeof(double);
  rx_broadcast_bytes(comm, m->rows, m->n_patients * sizeof(double));
  rx_broadcast_bytes(comm, m->origin, m->n_features * sizeof(double));
  rx_broadcast_bytes(comm, m->mean, size);
  rx_broadcast_bytes(comm, m->within, size);
  return covariates->n ? rx_image_covariates_share(comm, m->n_patients, m->n_features, &m->image)
                       : RX_OK;
}

/* ---- matrices ---- */

static rx_status take_rows(const rx_matrix *matrix, rx_measures *m) {
  const rx_column *column = rx_frame_find(matrix->obs, "n_images");

  for (size_t p = 0; p < m->n_patients; p++) {
    m->rows[p] = !column                      ? 1
                 : column->kind == RX_INTEGER ? (double)column->integer[p]
                 : column->kind == RX_REAL    ? column->real[p]
                                              : NAN;
    if (!(m->rows[p] >= 1 && m->rows[p] == floor(m->rows[p])))
      return RX_FAIL(RX_ERR_INPUT, "%s: /obs/n_images: expected a number of slices for '%.80s'",
                     matrix->path, matrix->obs->names[p]);
  }
  return RX_OK;
}

/* One row a patient: X, and layers/within_ss when there is one. Takes over the names. */
static rx_status load_patients(MPI_Comm comm, rx_matrix *matrix, rx_measures *m) {
  const bool has_within = rx_matrix_has(matrix, "layers/within_ss");
  size_t *patient = NULL;
  rx_frame *keys = NULL;

  rx_status status = RX_NEW(&patient, "associate: patients", matrix->n_obs);
  if (!status) status = index_patients(matrix->n_obs, matrix->obs->names, patient, &keys);
  if (!status && keys->n_rows < matrix->n_obs)
    status = RX_FAIL(RX_ERR_INPUT, "%s: expected one row a patient, found %zu rows of %zu patients",
                     matrix->path, matrix->n_obs, keys->n_rows);
  rx_frame_destroy(&keys);
  free(patient);
  m->patients = matrix->obs, matrix->obs = NULL;
  m->features = matrix->var, matrix->var = NULL;
  if (!status) status = allocate(m);
  matrix->obs = m->patients; /* lent back for its columns */
  if (!status && has_within) status = take_rows(matrix, m);
  matrix->obs = NULL;
  for (size_t p = 0; p < m->n_patients && !status && !has_within; p++) m->rows[p] = 1;
  RX_TRY(RX_AGREE(comm, status));
  RX_TRY(rx_matrix_read(matrix, "X", RX_FLOAT64, 0, m->n_patients, 0, m->n_features, m->mean));
  if (has_within)
    RX_TRY(rx_matrix_read(matrix, "layers/within_ss", RX_FLOAT64, 0, m->n_patients, 0,
                          m->n_features, m->within));
  mark_nonfinite(m->n_patients * m->n_features, m->mean, m->within);
  return RX_OK;
}

/* The columns of a rank, and their sums. */
typedef struct {
  size_t first, count;
  double *origin;        /* [count] */
  double *mean, *within; /* [n_patients][count] */
  double *cross;         /* [n_patients][covariates][count] */
} part;

static void free_part(part *p) {
  free(p->origin);
  free(p->mean);
  free(p->within);
  free(p->cross);
}

/* Sums the columns of a rank over all rows, a few rows at a time. */
static rx_status sum_columns(MPI_Comm comm, rx_matrix *matrix, const size_t *patient,
                             rx_measures *m, part *p) {
  double *block = NULL, *after = NULL;

  rx_status status = RX_NEW(&block, "associate: features", ROWS_AT_ONCE * p->count);
  if (!status) status = RX_NEW(&after, "associate: features", p->count);
  status = RX_AGREE(comm, status);
  for (size_t row = 0; row < matrix->n_obs && !status; row += ROWS_AT_ONCE) {
    size_t n = matrix->n_obs - row < ROWS_AT_ONCE ? matrix->n_obs - row : ROWS_AT_ONCE;
    status =
        rx_matrix_read(matrix, "X", RX_FLOAT64, row, p->count ? n : 0, p->first, p->count, block);
    if (row == 0) rx_measures_start(p->count, block, p->origin);
    for (size_t r = row; r < row + n && !status; r++)
      add_row(r, patient[r], p->count, block + (r - row) * p->count, p->origin, m->image, m->rows,
              p->mean, p->within, p->cross, after);
  }
  free(after);
  free(block);
  return status;
}

/* Gives every rank the columns of all. mine [n_rows][p->count], all [n_rows][n_features] */
static void gather_columns(MPI_Comm comm, const part *p, size_t n_rows, size_t n_features,
                           const double *mine, double *all) {
  memset(all, 0, n_rows * n_features * sizeof *all);
  for (size_t row = 0; row < n_rows; row++) {
    memcpy(all + row * n_features + p->first, mine + row * p->count, p->count * sizeof *all);
    MPI_Allreduce(MPI_IN_PLACE, all + row * n_features, (int)n_features, MPI_DOUBLE, MPI_SUM,
                  comm); /* of numbers and zeros: no rounding */
  }
}

/* Several rows a patient: each rank sums up its share of the features. */
static rx_status load_slices(MPI_Comm comm, rx_matrix *matrix, char *const *names,
                             const rx_list *covariates, rx_measures *m) {
  int rank, n_ranks;
  size_t *patient = NULL, n_cross = 0;
  part p = {0};
  rx_status status;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  rx_partition(matrix->n_var, rank, n_ranks, &p.first, &p.count);
  status = RX_NEW(&patient, "associate: rows", matrix->n_obs);
  if (!status) status = index_patients(matrix->n_obs, names, patient, &m->patients);
  m->features = matrix->var, matrix->var = NULL;
  if (!status) status = allocate(m);
  if (!status && covariates->n)
    status = rx_image_covariates_create(matrix->obs, covariates, matrix->path, patient,
                                        m->n_patients, m->n_features, &m->image);
  if (m->image) n_cross = m->n_patients * (size_t)m->image->n_columns;
  if (!status) status = RX_NEW(&p.cross, "associate: features", n_cross * p.count);
  if (!status) status = RX_NEW(&p.origin, "associate: features", p.count);
  if (!status) status = RX_NEW(&p.mean, "associate: features", m->n_patients * p.count);
  if (!status) status = RX_NEW(&p.within, "associate: features", m->n_patients * p.count);
  status = RX_AGREE(comm, status);
  if (!status) status = sum_columns(comm, matrix, patient, m, &p);
  if (!status) {
    mark_nonfinite(m->n_patients * p.count, p.mean, p.within);
    gather_columns(comm, &p, 1, m->n_features, p.origin, m->origin);
    gather_columns(comm, &p, m->n_patients, m->n_features, p.mean, m->mean);
    gather_columns(comm, &p, m->n_patients, m->n_features, p.within, m->within);
    if (m->image) gather_columns(comm, &p, n_cross, m->n_features, p.cross, m->image->cross);
  }
  free_part(&p);
  free(patient);
  return status;
}

static rx_status load_matrix(MPI_Comm comm, const char *path, const rx_list *covariates,
                             rx_measures *m) {
  rx_matrix *matrix = NULL;

  RX_TRY(rx_matrix_open(comm, path, &matrix));
  const rx_column *patient = rx_frame_find(matrix->obs, "patient");
  bool is_summed = rx_matrix_has(matrix, "layers/within_ss");
  rx_status status;
  if (!is_summed && patient && patient->kind == RX_TEXT)
    status = load_slices(comm, matrix, patient->text, covariates, m);
  else if (covariates->n)
    status = RX_FAIL(RX_ERR_CONFIG,
                     "association.image_covariates: %s: expected a row a slice and /obs/patient, "
                     "found patients",
                     path);
  else
    status = load_patients(comm, matrix, m);
  rx_matrix_destroy(&matrix);
  return status;
}

rx_status rx_measures_load(MPI_Comm comm, const char *path, const char *image_covariates,
                           rx_measures **out) {
  rx_list covariates = {0};
  rx_status status = RX_NEW(out, "associate: features", 1);

  if (!status) status = rx_list_create(image_covariates, ',', &covariates);
  status = RX_AGREE(comm, status);
  if (!status)
    status = rx_path_ends(path, ".h5ad") ? load_matrix(comm, path, &covariates, *out)
                                         : load_table(comm, path, &covariates, *out);
  rx_list_destroy(&covariates);
  if (status) rx_measures_destroy(out);
  return status;
}
