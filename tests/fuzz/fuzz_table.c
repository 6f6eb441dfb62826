/* Text tables, .tsv or .csv by the first byte: as cells, as a frame, as numbers. */
#include "fuzz.h"
#include "genomics/numbers.h"
#include "radmix/frame.h"
#include "radmix/table.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  fuzz_start(argc, argv);
  return 0;
}

static void read_cells(const char *path) {
  rx_table *table = NULL;
  rx_frame *frame = NULL;
  double number;
  rx_status status = rx_table_read(path, &table);

  fuzz_check(status);
  if (status) return;
  for (size_t row = 0; row < table->n_rows; row++)
    for (size_t column = 0; column < table->n_columns; column++)
      fuzz_check(rx_table_number(table, row, column, &number));
  fuzz_check(rx_frame_from_table(table, &frame));
  rx_frame_destroy(&frame);
  rx_table_destroy(&table);
}

static void read_numbers(const char *path) {
  rx_numbers *numbers = NULL;
  rx_status status = rx_numbers_open(path, &numbers);

  fuzz_check(status);
  if (status) return;
  size_t n_rows = numbers->n_rows, n_columns = numbers->n_columns;
  double *value = calloc(n_rows * n_columns + 1, sizeof *value);
  ptrdiff_t *row_to = calloc(n_rows + 1, sizeof *row_to);
  ptrdiff_t *column_to = calloc(n_columns + 1, sizeof *column_to);
  for (size_t i = 0; i < n_rows; i++) row_to[i] = (ptrdiff_t)i;
  for (size_t i = 0; i < n_columns; i++)
    column_to[i] = i == numbers->names_column ? -1 : (ptrdiff_t)i;
  fuzz_check(rx_numbers_read(numbers, row_to, n_columns, column_to, 1, value));
  free(value);
  free(row_to);
  free(column_to);
  rx_numbers_destroy(&numbers);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  if (n < 1) return 0;
  const char *path = fuzz_file(bytes + 1, n - 1, bytes[0] & 1 ? ".csv" : ".tsv");
  read_cells(path);
  read_numbers(path);
  return 0;
}
