/* Frames made of text tables, and the clinical table. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/memory.h"
#include "radmix/text.h"

static bool is_numeric(const rx_table *table, size_t column) {
  double number;

  for (size_t r = 0; r < table->n_rows; r++) {
    const char *cell = rx_table_cell(table, r, column);
    if (!rx_is_missing(cell) && !rx_number_read(cell, &number)) return false;
  }
  return true;
}

static rx_status add_column(const rx_table *table, size_t c, rx_frame *frame) {
  rx_column *column;
  const char *name = rx_table_name(table, c);

  if (!*name || rx_frame_find(frame, name))
    return RX_FAIL(RX_ERR_INPUT,
                   "%s:%lld: expected a name of its own for column %zu, found '%.80s'", table->path,
                   (long long)table->lines[0], c + 1, name);
  if (is_numeric(table, c)) {
    RX_TRY(rx_frame_add(frame, name, RX_REAL, &column));
    for (size_t r = 0; r < table->n_rows; r++)
      RX_TRY(rx_table_number(table, r, c, &column->real[r]));
    return RX_OK;
  }
  RX_TRY(rx_frame_add(frame, name, RX_TEXT, &column));
  for (size_t r = 0; r < table->n_rows; r++) {
    const char *cell = rx_table_cell(table, r, c);
    RX_TRY(rx_frame_set_text(frame, column, r, rx_is_missing(cell) ? "" : cell));
  }
  return RX_OK;
}

static rx_status name_rows(const rx_table *table, size_t c, rx_frame *frame) {
  rx_names *names = NULL;
  rx_status status = rx_names_create(&names);

  for (size_t r = 0; r < table->n_rows && !status; r++) {
    const char *name = rx_table_cell(table, r, c);
    char key[RX_KEY_SIZE];
    ptrdiff_t before = -1;
    rx_patient_key(name, key);
    if (!*name)
      status = RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a name in column '%.80s', found nothing",
                       table->path, (long long)rx_table_line(table, r), rx_table_name(table, c));
    if (!status) status = rx_names_add(names, key, (ptrdiff_t)r, &before);
    if (!status && before >= 0)
      status =
          RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected one line for '%.80s', found it on line %lld too",
                  table->path, (long long)rx_table_line(table, r), name,
                  (long long)rx_table_line(table, (size_t)before));
    if (!status) status = rx_frame_name(frame, r, name);
  }
  rx_names_destroy(&names);
  return status;
}

rx_status rx_frame_from_table(const rx_table *table, rx_frame **out) {
  ptrdiff_t found = rx_table_find(table, "patient");
  size_t key = found < 0 ? 0 : (size_t)found;

  RX_TRY(rx_frame_create(table->n_rows, out));
  rx_status status = name_rows(table, key, *out);
  for (size_t c = 0; c < table->n_columns && !status; c++)
    if (c != key) status = add_column(table, c, *out);
  if (status) rx_frame_destroy(out);
  return status;
}

/* The tissue source site of TCGA-AO-A03M is AO. */
static rx_status add_site(rx_frame *frame) {
  rx_column *column;

  for (size_t r = 0; r < frame->n_rows; r++)
    if (!rx_is_barcode(frame->names[r])) return RX_OK;
  if (!frame->n_rows || rx_frame_find(frame, "site")) return RX_OK;
  RX_TRY(rx_frame_add(frame, "site", RX_TEXT, &column));
  for (size_t r = 0; r < frame->n_rows; r++) {
    const char site[3] = {frame->names[r][5], frame->names[r][6], '\0'};
    RX_TRY(rx_frame_set_text(frame, column, r, site));
  }
  return RX_OK;
}

static rx_status read_clinical(const char *path, rx_frame **out) {
  rx_table *table = NULL;

  RX_TRY(rx_table_read(path, &table));
  rx_status status = rx_frame_from_table(table, out);
  if (!status) status = add_site(*out);
  rx_table_destroy(&table);
  return status;
}

rx_status rx_clinical_load(MPI_Comm comm, const char *path, rx_frame **out) {
  int rank;
  rx_status status = RX_OK;

  *out = NULL;
  if (!*path) return RX_OK;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0) status = read_clinical(path, out);
  status = RX_AGREE(comm, status);
  if (!status) status = rx_frame_broadcast(comm, out);
  if (status) rx_frame_destroy(out);
  return status;
}

rx_status rx_frame_match(const rx_frame *frame, size_t n, char *const *patients, ptrdiff_t *rows) {
  rx_names *names = NULL;
  char key[RX_KEY_SIZE];
  rx_status status = rx_names_create(&names);

  for (size_t r = 0; frame && r < frame->n_rows && !status; r++) {
    rx_patient_key(frame->names[r], key);
    status = rx_names_add(names, key, (ptrdiff_t)r, NULL);
  }
  for (size_t i = 0; i < n && !status; i++) {
    rx_patient_key(patients[i], key);
    rows[i] = rx_names_find(names, key);
  }
  rx_names_destroy(&names);
  return status;
}
