#include "manifest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { MOST_PATH = 1024 };

typedef struct {
  size_t n;
  size_t *columns;     /* [n] */
  const char **values; /* [n], views into texts */
  rx_list texts;
} condition_list;

static void destroy_conditions(condition_list *conditions) {
  free(conditions->columns);
  free(conditions->values);
  rx_list_destroy(&conditions->texts);
}

static rx_status parse_conditions(const rx_table *table, const char *where,
                                  condition_list *conditions) {
  RX_TRY(rx_list_create(where, ',', &conditions->texts));
  conditions->n = (size_t)conditions->texts.n;
  RX_TRY(RX_NEW(&conditions->columns, "images.where", conditions->n));
  RX_TRY(RX_NEW(&conditions->values, "images.where", conditions->n));
  for (size_t n = 0; n < conditions->n; n++) {
    char *text = conditions->texts.items[n], *sign = strchr(text, '=');
    if (!sign)
      return RX_FAIL(RX_ERR_CONFIG, "images.where: expected column=value, found '%s'", text);
    *sign = '\0';
    ptrdiff_t column = rx_table_find(table, rx_trim(text));
    if (column < 0)
      return RX_FAIL(RX_ERR_CONFIG, "images.where: %s has no column '%s'", table->path,
                     rx_trim(text));
    conditions->columns[n] = (size_t)column;
    conditions->values[n] = rx_trim(sign + 1);
  }
  return RX_OK;
}

static bool fits(const rx_table *table, size_t row, const condition_list *conditions) {
  for (size_t n = 0; n < conditions->n; n++) {
    bool is_met = false;
    for (size_t other = 0; other < conditions->n; other++)
      if (conditions->columns[other] == conditions->columns[n] &&
          strcmp(rx_table_cell(table, row, conditions->columns[other]),
                 conditions->values[other]) == 0)
        is_met = true;
    if (!is_met) return false;
  }
  return true;
}

/* rows  [table->n_rows], set: the rows that fit; n_rows how many */
static rx_status choose_rows(const rx_table *table, const char *where, size_t *rows,
                             size_t *n_rows) {
  condition_list conditions = {0};

  *n_rows = 0;
  rx_status status = parse_conditions(table, where, &conditions);
  for (size_t row = 0; !status && row < table->n_rows; row++)
    if (fits(table, row, &conditions)) rows[(*n_rows)++] = row;
  destroy_conditions(&conditions);
  if (!status && *n_rows == 0)
    status = where[0]
                 ? RX_FAIL(RX_ERR_INPUT, "%s: no row has images.where = %s", table->path, where)
                 : RX_FAIL(RX_ERR_INPUT, "%s: no rows", table->path);
  return status;
}

/* Copies the name of a file without its folder and without .nii, .hdr, .img, .gz. */
static void find_stem(const char *path, char stem[MOST_PATH]) {
  const char *endings[] = {".gz", ".nii", ".hdr", ".img"};

  snprintf(stem, MOST_PATH, "%s", rx_path_name(path));
  for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
    size_t length = strlen(stem), end = strlen(endings[e]);
    if (length > end && strcasecmp(stem + length - end, endings[e]) == 0) stem[length - end] = '\0';
  }
}

/* Names a volume of a patient: its stem, or stem#2 when the patient has that already. */
static rx_status name_volume(const char *patient, const char *path, rx_names *used, char **volume) {
  char stem[MOST_PATH], name[MOST_PATH + 32], key[RX_KEY_SIZE + MOST_PATH + 64];
  ptrdiff_t before = 0;

  find_stem(path, stem);
  for (int n = 1; before >= 0; n++) {
    snprintf(name, sizeof name, n > 1 ? "%s#%d" : "%s", stem, n);
    snprintf(key, sizeof key, "%s\t%s", patient, name);
    RX_TRY(rx_names_add(used, key, 0, &before));
  }
  return rx_copy_text(name, volume);
}

static rx_status check_name(const rx_table *table, size_t row, size_t column) {
  const char *cell = rx_table_cell(table, row, column);

  if (!rx_is_missing(cell)) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a %s, found '%s'", table->path,
                 (long long)rx_table_line(table, row), rx_table_name(table, column), cell);
}

/* Columns have names, which are their own, and not those that the slices get from elsewhere. */
static rx_status check_columns(const rx_table *table) {
  const char *taken[] = {"volume", "slice", "image"};

  for (size_t n = 0; n < sizeof taken / sizeof *taken; n++)
    if (rx_table_find(table, taken[n]) >= 0)
      return RX_FAIL(RX_ERR_INPUT, "%s:%lld: a column must not be named '%s': slices have one",
                     table->path, (long long)table->lines[0], taken[n]);
  for (size_t column = 0; column < table->n_columns; column++) {
    const char *name = rx_table_name(table, column);
    if (!*name || rx_table_find(table, name) != (ptrdiff_t)column)
      return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a name of its own for column %zu, found '%s'",
                     table->path, (long long)table->lines[0], column + 1, name);
  }
  return RX_OK;
}

static rx_status check_split(const rx_table *table, size_t row) {
  ptrdiff_t column = rx_table_find(table, "split");

  if (column < 0) return RX_OK;
  const char *split = rx_table_cell(table, row, (size_t)column);
  if (strcmp(split, "train") == 0 || strcmp(split, "validate") == 0) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s:%lld: split: expected train or validate, found '%s'",
                 table->path, (long long)rx_table_line(table, row), split);
}

/* What is needed while rows become files. */
typedef struct {
  size_t patient_column, path_column;
  char folder[MOST_PATH];
  rx_names *patients, *paths, *volumes;
} reader;

static rx_status take_patient(rx_manifest *manifest, reader *r, size_t row, size_t *patient) {
  char key[RX_KEY_SIZE];
  ptrdiff_t before;

  RX_TRY(check_name(manifest->table, row, r->patient_column));
  rx_patient_key(rx_table_cell(manifest->table, row, r->patient_column), key);
  RX_TRY(rx_names_add(r->patients, key, (ptrdiff_t)manifest->n_patients, &before));
  *patient = before < 0 ? manifest->n_patients : (size_t)before;
  if (before < 0)
    manifest->patients[manifest->n_patients++] =
        rx_table_cell(manifest->table, row, r->patient_column);
  return check_split(manifest->table, row);
}

static rx_status take_file(rx_manifest *manifest, reader *r, size_t row, rx_manifest_file *file) {
  const rx_table *table = manifest->table;
  char path[MOST_PATH];
  ptrdiff_t before;

  file->row = row;
  RX_TRY(take_patient(manifest, r, row, &file->patient));
  RX_TRY(check_name(table, row, r->path_column));
  RX_TRY(rx_path_join(r->folder, rx_table_cell(table, row, r->path_column), path, sizeof path));
  RX_TRY(rx_names_add(r->paths, path, (ptrdiff_t)row, &before));
  if (before >= 0)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: %s stands already in line %lld", table->path,
                   (long long)rx_table_line(table, row), path,
                   (long long)rx_table_line(table, (size_t)before));
  RX_TRY(rx_copy_text(path, &file->path));
  return name_volume(manifest->patients[file->patient], path, r->volumes, &file->volume);
}

static int compare_files(const void *a, const void *b) {
  const rx_manifest_file *left = a, *right = b;

  if (left->patient != right->patient) return left->patient < right->patient ? -1 : 1;
  return left->row < right->row ? -1 : left->row > right->row;
}

static rx_status take_files(rx_manifest *manifest, const size_t *rows, size_t n_rows, reader *r) {
  const rx_table *table = manifest->table;

  RX_TRY(rx_table_need(table, "patient", &r->patient_column));
  RX_TRY(rx_table_need(table, "path", &r->path_column));
  RX_TRY(check_columns(table));
  RX_TRY(rx_path_folder(table->path, r->folder, sizeof r->folder));
  RX_TRY(rx_names_create(&r->patients));
  RX_TRY(rx_names_create(&r->paths));
  RX_TRY(rx_names_create(&r->volumes));
  RX_TRY(RX_NEW(&manifest->patients, "manifest", n_rows));
  RX_TRY(RX_NEW(&manifest->files, "manifest", n_rows));
  for (size_t n = 0; n < n_rows; n++) {
    manifest->n_files++; /* counted first: what it owns is freed when it fails */
    RX_TRY(take_file(manifest, r, rows[n], &manifest->files[n]));
  }
  qsort(manifest->files, manifest->n_files, sizeof *manifest->files, compare_files);
  return RX_OK;
}

rx_status rx_manifest_create(rx_table *table, const char *where, rx_manifest **out) {
  reader r = {0};
  size_t *rows = NULL, n_rows;
  rx_manifest *manifest = NULL;

  *out = NULL;
  rx_status status = RX_NEW(&manifest, "manifest", 1);
  if (status) {
    rx_table_destroy(&table);
    return status;
  }
  manifest->table = table;
  status = RX_NEW(&rows, "manifest", table->n_rows);
  if (!status) status = choose_rows(table, where, rows, &n_rows);
  if (!status) status = take_files(manifest, rows, n_rows, &r);
  free(rows);
  rx_names_destroy(&r.patients);
  rx_names_destroy(&r.paths);
  rx_names_destroy(&r.volumes);
  if (status)
    rx_manifest_destroy(&manifest);
  else
    *out = manifest;
  return status;
}

void rx_manifest_destroy(rx_manifest **manifest) {
  if (!*manifest) return;
  for (size_t n = 0; n < (*manifest)->n_files; n++) {
    free((*manifest)->files[n].path);
    free((*manifest)->files[n].volume);
  }
  free((*manifest)->files);
  free((*manifest)->patients);
  rx_table_destroy(&(*manifest)->table);
  free(*manifest);
  *manifest = NULL;
}

rx_status rx_manifest_load(MPI_Comm comm, const char *path, const char *where, rx_manifest **out) {
  rx_table *table;

  *out = NULL;
  RX_TRY(rx_table_load(comm, path, &table));
  return RX_AGREE(comm, rx_manifest_create(table, where, out));
}

static bool is_numeric(const rx_manifest *manifest, size_t column) {
  double value;
  bool has_number = false;

  for (size_t n = 0; n < manifest->n_files; n++) {
    const char *cell = rx_table_cell(manifest->table, manifest->files[n].row, column);
    if (rx_is_missing(cell)) continue;
    if (!rx_number_read(cell, &value)) return false;
    has_number = true;
  }
  return has_number;
}

static rx_status describe_column(const rx_manifest *manifest, size_t column, const size_t *file,
                                 rx_frame *frame) {
  const rx_table *table = manifest->table;
  rx_column *to;
  bool is_real = is_numeric(manifest, column);

  RX_TRY(rx_frame_add(frame, rx_table_name(table, column), is_real ? RX_REAL : RX_TEXT, &to));
  for (size_t n = 0; n < frame->n_rows; n++) {
    size_t row = manifest->files[file[n]].row;
    if (is_real)
      RX_TRY(rx_table_number(table, row, column, &to->real[n]));
    else
      RX_TRY(rx_frame_set_text(frame, to, n, rx_table_cell(table, row, column)));
  }
  return RX_OK;
}

rx_status rx_manifest_describe(const rx_manifest *manifest, const size_t *file, rx_frame *frame) {
  const rx_table *table = manifest->table;

  for (size_t column = 0; column < table->n_columns; column++) {
    const char *name = rx_table_name(table, column);
    if (strcmp(name, "patient") == 0 || strcmp(name, "path") == 0) continue;
    RX_TRY(describe_column(manifest, column, file, frame));
  }
  return RX_OK;
}
