#include "source.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "numbers.h"
#include "radmix/config.h"
#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "transpose.h"

/* What a file holds, before it is known which side the patients are on. */
typedef struct {
  const char *path;
  const char *corner;       /* the first header cell */
  size_t n_rows, n_columns; /* of numbers */
  const char **row_names, **column_names;
  size_t *column_at;   /* [n_columns], column of the text table; of .h5ad the column itself */
  rx_numbers *numbers; /* one of these two */
  rx_matrix *matrix;
} file_view;

static void view_close(file_view *view) {
  free(view->row_names);
  free(view->column_names);
  free(view->column_at);
  rx_numbers_destroy(&view->numbers);
  rx_matrix_destroy(&view->matrix);
}

static bool is_label(const char *name) {
  return !strcmp(name, "image") || !strcmp(name, "volume") || !strcmp(name, "slice");
}

/* Names the sides of a text table: the column `patient` names the rows, else the first. */
static rx_status view_table(file_view *view) {
  const rx_numbers *numbers = view->numbers;

  RX_TRY(RX_NEW(&view->row_names, "names of a table", numbers->n_rows));
  RX_TRY(RX_NEW(&view->column_names, "names of a table", numbers->n_columns));
  RX_TRY(RX_NEW(&view->column_at, "names of a table", numbers->n_columns));
  view->corner = numbers->columns[numbers->names_column];
  view->n_rows = numbers->n_rows;
  for (size_t row = 0; row < numbers->n_rows; row++) view->row_names[row] = numbers->rows[row];
  for (size_t column = 0; column < numbers->n_columns; column++) {
    if (column == numbers->names_column || is_label(numbers->columns[column])) continue;
    view->column_at[view->n_columns] = column;
    view->column_names[view->n_columns++] = numbers->columns[column];
  }
  if (view->n_rows == 0 || view->n_columns == 0)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected patients and columns of numbers, found %zu x %zu",
                   view->path, view->n_rows, view->n_columns);
  return RX_OK;
}

static rx_status view_matrix(file_view *view) {
  const rx_matrix *matrix = view->matrix;

  view->corner = "patient"; /* as AnnData has it, unless genomics.patients says otherwise */
  view->n_rows = matrix->n_obs;
  view->n_columns = matrix->n_var;
  RX_TRY(RX_NEW(&view->row_names, "names of a table", view->n_rows));
  RX_TRY(RX_NEW(&view->column_names, "names of a table", view->n_columns));
  RX_TRY(RX_NEW(&view->column_at, "names of a table", view->n_columns));
  for (size_t row = 0; row < view->n_rows; row++) view->row_names[row] = matrix->obs->names[row];
  for (size_t column = 0; column < view->n_columns; column++) {
    view->column_names[column] = matrix->var->names[column];
    view->column_at[column] = column;
  }
  return RX_OK;
}

static rx_status view_open(MPI_Comm comm, const char *path, file_view *view) {
  *view = (file_view){.path = path};
  if (rx_path_ends(path, ".h5ad")) {
    RX_TRY(rx_matrix_open(comm, path, &view->matrix));
    return RX_AGREE(comm, view_matrix(view));
  }
  rx_status status =
      rx_numbers_open(path, &view->numbers); /* each rank for itself: it may be large */
  if (!status) status = view_table(view);
  return RX_AGREE(comm, status);
}

/* Whether a header cell such as "gene_id" or "Hugo Symbol" has one of the words. */
static bool has_word(const char *cell, const char *const *words) {
  char word[64];

  for (const char *at = cell; *at;) {
    size_t length = 0;

    while (isalnum((unsigned char)at[length])) length++;
    snprintf(word, sizeof word, "%.*s", (int)length, at);
    for (int i = 0; length && words[i]; i++)
      if (!strcasecmp(word, words[i])) return true;
    at += length;
    while (*at && !isalnum((unsigned char)*at)) at++;
  }
  return false;
}

static size_t count_known(const rx_names *known, const char *const *names, size_t n) {
  char key[RX_KEY_SIZE];
  size_t n_known = 0;

  for (size_t i = 0; i < n; i++) {
    rx_patient_key(names[i], key);
    n_known += rx_names_find(known, key) >= 0;
  }
  return n_known;
}

static rx_status choose_side(const file_view *view, const char *side, const rx_names *known,
                             bool *has_patient_rows) {
  static const char *const of_rows[] = {"patient", "sample", "barcode", NULL};
  static const char *const of_columns[] = {"gene", "symbol", "set", "pathway", "id", NULL};

  *has_patient_rows = rx_is(side, "rows");
  if (!rx_is(side, "auto")) return RX_OK;
  if (has_word(view->corner, of_rows)) {
    *has_patient_rows = true;
    return RX_OK;
  }
  if (has_word(view->corner, of_columns)) return RX_OK;
  size_t in_rows = count_known(known, view->row_names, view->n_rows);
  size_t in_columns = count_known(known, view->column_names, view->n_columns);
  if (in_rows == in_columns)
    return RX_FAIL(
        RX_ERR_INPUT,
        "%s:1: expected patient, sample, barcode, gene, symbol, set, pathway or id in the "
        "first cell, or patients that the clinical table or the manifest knows on one "
        "side, found '%.80s'; genomics.patients = rows or columns settles it",
        view->path, view->corner);
  *has_patient_rows = in_rows > in_columns;
  return RX_OK;
}

/* Whether a barcode names a sample that is no primary tumour: TCGA-A1-A0SB-11A. */
static bool is_other_tissue(const char *id) {
  return rx_is_barcode(id) && strlen(id) >= 15 && strncmp(id + 13, "01", 2) != 0;
}

/* Chooses the samples that stand for patients.
 * at  [n], set: their places, [source->n_patients] of them */
static rx_status choose_patients(const file_view *view, const rx_names *training, rx_source *source,
                                 size_t *at) {
  const char **ids = source->has_patient_rows ? view->row_names : view->column_names;
  size_t n = source->has_patient_rows ? view->n_rows : view->n_columns;
  rx_names *keys = NULL;
  rx_status status = rx_names_create(&keys);

  for (size_t i = 0; i < n && !status; i++) {
    char key[RX_KEY_SIZE];
    ptrdiff_t before;

    if (!rx_learners_has(training, ids[i])) continue;
    if (is_other_tissue(ids[i])) {
      source->n_not_tumour++;
      continue;
    }
    rx_patient_key(ids[i], key);
    if (!*key)
      status = RX_FAIL(RX_ERR_INPUT, "%s: expected the name of a patient at place %zu, found none",
                       view->path, i + 1);
    if (!status) status = rx_names_add(keys, key, (ptrdiff_t)source->n_patients, &before);
    if (status) break;
    if (before < 0) {
      at[source->n_patients++] = i;
    } else if (!strcmp(ids[i], ids[at[before]])) {
      status = RX_FAIL(RX_ERR_INPUT,
                       "%s: expected patient '%.80s' once, found it at places %zu and "
                       "%zu",
                       view->path, ids[i], at[before] + 1, i + 1);
    } else {
      source->n_repeated++;
      if (strcmp(ids[i], ids[at[before]]) < 0) at[before] = i;
    }
  }
  if (!status && source->n_patients == 0)
    status =
        RX_FAIL(RX_ERR_INPUT, "%s: expected primary tumour samples (type 01)%s, found none of %zu",
                view->path, training ? " of study.training" : "", n);
  rx_names_destroy(&keys);
  return status;
}

static rx_status copy_names(const file_view *view, rx_source *source, const size_t *at) {
  const char **ids = source->has_patient_rows ? view->row_names : view->column_names;
  const char **names = source->has_patient_rows ? view->column_names : view->row_names;

  source->n_columns = source->has_patient_rows ? view->n_columns : view->n_rows;
  RX_TRY(RX_NEW(&source->patients, "patients", source->n_patients));
  RX_TRY(RX_NEW(&source->columns, "names of columns", source->n_columns));
  RX_TRY(RX_NEW(&source->line, "lines of columns", source->n_columns));
  for (size_t i = 0; i < source->n_patients; i++) {
    char key[RX_KEY_SIZE];

    rx_patient_key(ids[at[i]], key);
    RX_TRY(rx_copy_text(key, &source->patients[i]));
  }
  for (size_t column = 0; column < source->n_columns; column++) {
    RX_TRY(rx_copy_text(names[column], &source->columns[column]));
    source->line[column] = 1;
    if (view->numbers && !source->has_patient_rows)
      source->line[column] = (size_t)view->numbers->lines[column];
    if (!*names[column])
      return RX_FAIL(RX_ERR_INPUT, "%s:%zu: expected a name for column %zu, found none", view->path,
                     source->line[column], column + 1);
  }
  return RX_OK;
}

/* Names the sides. */
static rx_status lay_out(const file_view *view, const char *side, const rx_names *known,
                         const rx_names *training, size_t **at, rx_source *source) {
  size_t longest = view->n_rows > view->n_columns ? view->n_rows : view->n_columns;

  RX_TRY(choose_side(view, side, known, &source->has_patient_rows));
  RX_TRY(RX_NEW(at, "patients", longest));
  RX_TRY(choose_patients(view, training, source, *at));
  return copy_names(view, source, *at);
}

static rx_status make_room(int rank, int n_ranks, rx_source *source) {
  RX_TRY(RX_NEW(&source->border, "columns of ranks", n_ranks + 1));
  rx_transpose_partition(source->n_columns, n_ranks, source->border);
  return RX_NEW(&source->value, "table",
                (source->border[rank + 1] - source->border[rank]) * source->n_patients);
}

/* Reads this rank's columns, which are rows of the text table or columns. */
static rx_status read_cells(const file_view *view, const size_t *at, size_t first, size_t end,
                            rx_source *source) {
  size_t n = source->n_patients;
  ptrdiff_t *row_to = NULL, *column_to = NULL;

  rx_status status = RX_NEW(&row_to, "rows of a table", view->numbers->n_rows);
  if (!status) status = RX_NEW(&column_to, "columns of a table", view->numbers->n_columns);
  if (status) goto done;
  for (size_t row = 0; row < view->numbers->n_rows; row++) row_to[row] = -1;
  for (size_t column = 0; column < view->numbers->n_columns; column++) column_to[column] = -1;
  for (size_t patient = 0; patient < n; patient++)
    if (source->has_patient_rows)
      row_to[at[patient]] = (ptrdiff_t)patient;
    else
      column_to[view->column_at[at[patient]]] = (ptrdiff_t)patient;
  for (size_t column = first; column < end; column++)
    if (source->has_patient_rows)
      column_to[view->column_at[column]] = (ptrdiff_t)(column - first);
    else
      row_to[column] = (ptrdiff_t)(column - first);
  status = rx_numbers_read(view->numbers, row_to, source->has_patient_rows ? 1 : n, column_to,
                           source->has_patient_rows ? n : 1, source->value);
done:
  free(row_to);
  free(column_to);
  return status;
}

/* Reads this rank's columns of X, which lie as the patients do. Collective. */
static rx_status read_matrix(MPI_Comm comm, const file_view *view, const size_t *at, size_t first,
                             size_t end, rx_source *source) {
  size_t count = end - first;
  double *block = NULL;
  size_t n_across = source->has_patient_rows ? view->n_rows : view->n_columns;

  RX_TRY(RX_NEW_AGREED(comm, &block, "table", count * n_across));
  rx_status status =
      source->has_patient_rows
          ? rx_matrix_read(view->matrix, "X", RX_FLOAT64, 0, count ? n_across : 0, first, count,
                           block)
          : rx_matrix_read(view->matrix, "X", RX_FLOAT64, first, count, 0, n_across, block);
  for (size_t column = 0; !status && column < count; column++)
    for (size_t patient = 0; patient < source->n_patients; patient++)
      source->value[column * source->n_patients + patient] =
          source->has_patient_rows ? block[at[patient] * count + column]
                                   : block[column * n_across + at[patient]];
  free(block);
  return status;
}

rx_status rx_source_load(MPI_Comm comm, const char *path, const char *side, const rx_names *known,
                         const rx_names *training, rx_source **out) {
  int rank, n_ranks;
  size_t *at = NULL;
  file_view view;

  *out = NULL;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  rx_status status = view_open(comm, path, &view);
  if (status) goto done;
  status = RX_NEW(out, "table", 1);
  if (!status) status = rx_copy_text(path, &(*out)->path);
  if (!status) status = lay_out(&view, side, known, training, &at, *out);
  if (!status) status = make_room(rank, n_ranks, *out);
  if ((status = RX_AGREE(comm, status))) goto done;
  size_t first = (*out)->border[rank], end = (*out)->border[rank + 1];
  if (view.matrix)
    status = read_matrix(comm, &view, at, first, end, *out);
  else
    status = RX_AGREE(comm, read_cells(&view, at, first, end, *out));
done:
  free(at);
  view_close(&view);
  if (status) rx_source_destroy(out);
  return status;
}

void rx_source_destroy(rx_source **source) {
  rx_source *s = *source;

  if (!s) return;
  for (size_t i = 0; s->patients && i < s->n_patients; i++) free(s->patients[i]);
  for (size_t i = 0; s->columns && i < s->n_columns; i++) free(s->columns[i]);
  free(s->path);
  free(s->patients);
  free(s->columns);
  free(s->line);
  free(s->border);
  free(s->value);
  free(s);
  *source = NULL;
}

void rx_source_where(const rx_source *source, size_t column, char *text, size_t size) {
  if (source->has_patient_rows)
    snprintf(text, size, "%s: column '%.80s'", source->path, source->columns[column]);
  else
    snprintf(text, size, "%s:%zu", source->path, source->line[column]);
}
