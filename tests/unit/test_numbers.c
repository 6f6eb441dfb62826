/* Tables read line by line hold what table.h reads from them, however they are written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "genomics/numbers.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/table.h"

static char folder[] = "/tmp/radmix-numbers-XXXXXX";

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  char command[128];

  (void)state;
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
}

static const char *path_of(const char *name) {
  static char path[256];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void write_bytes(const char *name, const char *text, size_t size) {
  FILE *file = fopen(path_of(name), "wb");

  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, size, file), size);
  fclose(file);
}

/* Reads all numbers both ways. */
static void same_as_table(const char *name) {
  rx_table *table;
  rx_numbers *numbers;
  ptrdiff_t *row_to, *column_to;
  double *value, expected;

  assert_int_equal(rx_table_read(path_of(name), &table), RX_OK);
  assert_int_equal(rx_numbers_open(path_of(name), &numbers), RX_OK);
  assert_int_equal(numbers->n_rows, table->n_rows);
  assert_int_equal(numbers->n_columns, table->n_columns);
  assert_int_equal(RX_NEW(&row_to, "test", table->n_rows), RX_OK);
  assert_int_equal(RX_NEW(&column_to, "test", table->n_columns), RX_OK);
  assert_int_equal(RX_NEW(&value, "test", table->n_rows * table->n_columns), RX_OK);
  for (size_t row = 0; row < table->n_rows; row++) {
    row_to[row] = (ptrdiff_t)row;
    assert_string_equal(numbers->rows[row], rx_table_cell(table, row, numbers->names_column));
    assert_int_equal(numbers->lines[row], rx_table_line(table, row));
  }
  for (size_t column = 0; column < table->n_columns; column++) {
    column_to[column] = column == numbers->names_column ? -1 : (ptrdiff_t)column;
    assert_string_equal(numbers->columns[column], rx_table_name(table, column));
  }
  for (int is_turned = 0; is_turned < 2; is_turned++) {
    size_t rows = is_turned ? 1 : table->n_columns, columns = is_turned ? table->n_rows : 1;

    assert_int_equal(rx_numbers_read(numbers, row_to, rows, column_to, columns, value), RX_OK);
    for (size_t row = 0; row < table->n_rows; row++)
      for (size_t column = 0; column < table->n_columns; column++) {
        double found = value[row * rows + column * columns];

        if (column_to[column] < 0) continue;
        assert_int_equal(rx_table_number(table, row, column, &expected), RX_OK);
        assert_true(found == expected || (isnan(found) && isnan(expected)));
      }
  }
  rx_table_destroy(&table);
  rx_numbers_destroy(&numbers);
  free(row_to);
  free(column_to);
  free(value);
}

static void any_form_of_table_gives_its_names_and_numbers(void **state) {
  (void)state;
  const struct {
    const char *name, *text;
  } files[] = {
      {"plain.tsv", "gene\tP1\tP2\nA\t1\t-2.5e3\nB\tNA\t\n"},
      {"open.tsv", "gene\tP1\tP2\nA\t1\t2\nB\tNaN\t4"},
      {"windows.tsv", "\xEF\xBB\xBFgene\tP1\tP2\r\nA\t1\t2\r\n\r\nB\t3\t4\r\n\r\n"},
      {"quoted.csv", "\"gene\",\"P,1\",\"say \"\"P2\"\"\"\r\n\"A,B\",1,\"2\"\r\n,\"NA\",\r\n"},
      {"middle.tsv", "x\tpatient\ty\n1\tP1\t2\n\n3\tP2\t4\n"},
      {"header.tsv", "gene\tP1\n"},
  };

  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    write_bytes(files[i].name, files[i].text, strlen(files[i].text));
    same_as_table(files[i].name);
  }
}

static void lines_longer_than_the_buffer_and_gzip_are_read(void **state) {
  (void)state;
  enum { COLUMNS = 150000, ROWS = 4 };

  FILE *file = fopen(path_of("long.tsv"), "w");
  gzFile zipped = gzopen(path_of("long.tsv.gz"), "wb");
  fputs("gene", file);
  gzputs(zipped, "gene");
  for (int row = -1; row < ROWS; row++) {
    char text[64];

    if (row >= 0) {
      snprintf(text, sizeof text, "g%d", row);
      fputs(text, file);
      gzputs(zipped, text);
    }
    for (int column = 0; column < COLUMNS; column++) {
      snprintf(text, sizeof text, row < 0 ? "\tP%d" : "\t%d.%06d", row < 0 ? column : row, column);
      fputs(text, file);
      gzputs(zipped, text);
    }
    fputs("\n", file);
    gzputs(zipped, "\n");
  }
  fclose(file);
  gzclose(zipped);
  same_as_table("long.tsv");
  same_as_table("long.tsv.gz");
}

static void rows_and_columns_that_are_not_wanted_are_not_looked_at(void **state) {
  (void)state;
  const char text[] = "gene\tP1\tP2\tP3\nA\t1\t2\tx\nB\t3\t4\ty\nC\tz\tz\tz\n";
  const ptrdiff_t row_to[] = {1, 0, -1}, column_to[] = {-1, 1, 0, -1};
  double value[4];
  rx_numbers *numbers;

  write_bytes("some.tsv", text, strlen(text));
  assert_int_equal(rx_numbers_open(path_of("some.tsv"), &numbers), RX_OK);
  assert_int_equal(rx_numbers_read(numbers, row_to, 2, column_to, 1, value), RX_OK);
  const double expected[] = {4, 3, 2, 1};
  assert_memory_equal(value, expected, sizeof value);
  const ptrdiff_t all[] = {-1, 1, 0, 2};
  assert_int_equal(rx_numbers_read(numbers, row_to, 1, all, 1, value), RX_ERR_INPUT);
  assert_non_null(
      strstr(rx_error_message(), "some.tsv:2: P3: expected a finite number, found 'x'"));
  rx_numbers_destroy(&numbers);
}

static void a_damaged_table_is_refused_with_its_line(void **state) {
  (void)state;
  const struct {
    const char *name, *text;
    size_t size;
    const char *words;
  } files[] = {
      {"ragged.tsv", "a\tb\n1\t2\n3\n", 0, "ragged.tsv:3: expected 2 columns, found 1"},
      {"wide.tsv", "a\tb\n1\t2\t3\n", 0, "wide.tsv:2: expected 2 columns, found 3"},
      {"quote.csv", "a,b\n\"1,2\n", 0, "quote.csv:2: expected a closing quote"},
      {"after.csv", "a,b\n\"1\"x,2\n", 0, "after.csv:2: expected a separator after a quote"},
      {"later.tsv", "a\tb\n1\t\"\t2\n", 0, "later.tsv:2: expected a closing quote"},
      {"zero.tsv", "a\tb\n1\0\t2\n", 9, "expected text, found a zero byte"},
      {"empty.tsv", "", 0, "expected a line with the names of the columns"},
  };
  rx_numbers *numbers;

  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    write_bytes(files[i].name, files[i].text,
                files[i].size ? files[i].size : strlen(files[i].text));
    assert_int_equal(rx_numbers_open(path_of(files[i].name), &numbers), RX_ERR_INPUT);
    assert_null(numbers);
    if (!strstr(rx_error_message(), files[i].words)) fail_msg("found '%s'", rx_error_message());
  }
  assert_int_equal(rx_numbers_open(path_of("absent.tsv"), &numbers), RX_ERR_NOINPUT);
  assert_int_equal(rx_numbers_open(folder, &numbers), RX_ERR_INPUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_form_of_table_gives_its_names_and_numbers),
      cmocka_unit_test(lines_longer_than_the_buffer_and_gzip_are_read),
      cmocka_unit_test(rows_and_columns_that_are_not_wanted_are_not_looked_at),
      cmocka_unit_test(a_damaged_table_is_refused_with_its_line),
  };

  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
