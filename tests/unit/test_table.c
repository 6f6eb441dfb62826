#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/table.h"

static rx_status read_text(const char *path, const char *text, rx_table **table) {
  FILE *file = fopen(path, "wb");

  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  fclose(file);
  return rx_table_read(path, table);
}

static void lines_of_windows_and_missing_values_are_read(void **state) {
  rx_table *table = NULL;
  double x;

  (void)state;
  assert_int_equal(
      read_text("a.tsv", "\xef\xbb\xbfpatient\tx\ty\r\nA\t1.5\tNA\r\n\r\nB\t\tNaN", &table), 0);
  assert_int_equal(table->n_rows, 2);
  assert_int_equal(table->n_columns, 3);
  assert_string_equal(rx_table_name(table, 0), "patient");
  assert_string_equal(rx_table_name(table, 2), "y");
  assert_int_equal(rx_table_number(table, 0, 1, &x), 0);
  assert_true(x == 1.5);
  assert_string_equal(rx_table_cell(table, 0, 2), "NA");
  for (size_t c = 1; c < 3; c++) {
    assert_int_equal(rx_table_number(table, 1, c, &x), 0);
    assert_true(isnan(x));
  }
  assert_int_equal(rx_table_line(table, 1), 4);
  rx_table_destroy(&table);
}

static void quotes_hold_commas_and_lines(void **state) {
  rx_table *table = NULL;

  (void)state;
  assert_int_equal(read_text("a.csv", "\"a,b\",c\n\"say \"\"x\"\"\",\"two\nlines\"\n1,2\n", &table),
                   0);
  assert_string_equal(rx_table_name(table, 0), "a,b");
  assert_string_equal(rx_table_cell(table, 0, 0), "say \"x\"");
  assert_string_equal(rx_table_cell(table, 0, 1), "two\nlines");
  assert_int_equal(rx_table_line(table, 1), 4);
  rx_table_destroy(&table);
}

static void bad_tables_are_named_with_their_line(void **state) {
  const struct {
    const char *text, *words;
  } cases[] = {{"", "a.csv:1: expected a line with the names"},
               {"a,b\n1,2,3\n", "a.csv:2: expected 2 columns, found 3"},
               {"a,b\n1\n", "a.csv:2: expected 2 columns, found 1"},
               {"a,b\n\"1,2\n", "a.csv:2: expected a closing quote"},
               {"a,b\n\"1\"x,2\n", "a.csv:2: expected a comma after a quote"}};
  rx_table *table = NULL;
  double x;

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(read_text("a.csv", cases[i].text, &table), RX_ERR_INPUT);
    assert_null(table);
    assert_non_null(strstr(rx_error_message(), cases[i].words));
  }
  assert_int_equal(rx_table_read("absent.tsv", &table), RX_ERR_NOINPUT);
  assert_int_equal(rx_table_read(".", &table), RX_ERR_INPUT);
  assert_int_equal(read_text("a.csv", "a,b\n1,oops\n", &table), 0);
  assert_int_equal(rx_table_number(table, 0, 1, &x), RX_ERR_INPUT);
  assert_non_null(strstr(rx_error_message(), "a.csv:2: b: expected a number, found 'oops'"));
  rx_table_destroy(&table);
}

static void a_cut_gzip_file_is_an_error(void **state) {
  rx_table *table = NULL;
  char bytes[4096];

  (void)state;
  gzFile file = gzopen("b.tsv.gz", "wb");
  gzputs(file, "a\tb\n");
  for (int i = 0; i < 5000; i++) gzprintf(file, "%d\t%d\n", i, i * i);
  gzclose(file);
  assert_int_equal(rx_table_read("b.tsv.gz", &table), 0);
  assert_int_equal(table->n_rows, 5000);
  rx_table_destroy(&table);
  FILE *whole = fopen("b.tsv.gz", "rb"), *cut = fopen("c.tsv.gz", "wb");
  size_t n = fread(bytes, 1, sizeof bytes, whole);
  fwrite(bytes, 1, n / 2, cut);
  fclose(whole);
  fclose(cut);
  assert_int_equal(rx_table_read("c.tsv.gz", &table), RX_ERR_INPUT);
  assert_non_null(strstr(rx_error_message(), "c.tsv.gz: expected a whole file"));
}

static void a_frame_knows_numbers_from_texts(void **state) {
  rx_table *table = NULL;
  rx_frame *frame = NULL;

  (void)state;
  assert_int_equal(read_text("a.tsv", "age\tpatient\trace\n50\tA\twhite\nNA\tB\t\n", &table), 0);
  assert_int_equal(rx_frame_from_table(table, &frame), 0);
  assert_string_equal(frame->names[1], "B");
  assert_int_equal(rx_frame_find(frame, "age")->kind, RX_REAL);
  assert_true(isnan(rx_frame_find(frame, "age")->real[1]));
  assert_int_equal(rx_frame_find(frame, "race")->kind, RX_TEXT);
  assert_string_equal(rx_frame_find(frame, "race")->text[1], "");
  rx_frame_destroy(&frame);
  rx_table_destroy(&table);
  assert_int_equal(read_text("a.tsv", "patient\tx\nA\t1\nB\t2\nA\t3\n", &table), 0);
  assert_int_equal(rx_frame_from_table(table, &frame), RX_ERR_INPUT);
  assert_non_null(strstr(rx_error_message(), "a.tsv:4: expected one line for 'A'"));
  rx_table_destroy(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_of_windows_and_missing_values_are_read),
      cmocka_unit_test(quotes_hold_commas_and_lines),
      cmocka_unit_test(bad_tables_are_named_with_their_line),
      cmocka_unit_test(a_cut_gzip_file_is_an_error),
      cmocka_unit_test(a_frame_knows_numbers_from_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
