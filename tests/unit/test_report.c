/* Safe text for pages and for gnuplot, names of figures, trees, tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/dendrogram.h"
#include "report/figure.h"
#include "report/html.h"
#include "report/tiles.h"

static char *text;
static size_t size;

/* What a call writes to `out`. */
#define WRITTEN(call)                         \
  do {                                        \
    FILE *out = open_memstream(&text, &size); \
    assert_non_null(out);                     \
    call;                                     \
    fclose(out);                              \
  } while (0)

static void expect(const char *expected) {
  assert_string_equal(text, expected);
  free(text);
}

static void markup_in_a_name_becomes_entities(void **state) {
  (void)state;
  WRITTEN(rx_html_text(out, "<b>\"A\" & 'B'</b>"));
  expect("&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;");
}

static void bytes_that_are_no_text_are_replaced(void **state) {
  (void)state;
  WRITTEN(rx_html_text(
      out, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA7\xAC|\x80|\xC0\xAF|\xED\xA0\x80|\x01|\xE2\x82"));
  expect(
      "\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA7\xAC|\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD|"
      "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void a_printed_argument_is_escaped_and_the_format_is_not(void **state) {
  (void)state;
  WRITTEN(rx_html_print(out, "<i>%s</i> %d %zu %.3g 5 %%", "<x>", -3, (size_t)7, 0.12345));
  expect("<i>&lt;x&gt;</i> -3 7 0.123 5 %");
}

static void a_string_of_gnuplot_holds_quotes_and_no_control_characters(void **state) {
  (void)state;
  WRITTEN(rx_figure_quote(out, "it's `date` 100 %\n$x\\"));
  expect("'it''s `date` 100 % $x\\'");
  WRITTEN(rx_figure_quote_tic(out, "100 %"));
  expect("'100 %%'");
}

static void a_long_name_is_cut_between_characters(void **state) {
  char out[64];

  (void)state;
  rx_html_short("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 3, out, sizeof out);
  assert_string_equal(out, "\xC3\xA9\xC3\xA9\xC3\xA9\xE2\x80\xA6");
  rx_html_short("abc", 3, out, sizeof out);
  assert_string_equal(out, "abc");
  rx_html_short("a\tb\xFF", 9, out, sizeof out);
  assert_string_equal(out, "a?b?");
}

static void numbers_are_written_for_people(void **state) {
  char out[RX_WORD_SIZE];

  (void)state;
  assert_string_equal(rx_html_count(52238, out), "52,238");
  assert_string_equal(rx_html_count(999, out), "999");
  assert_string_equal(rx_html_count(1949696, out), "1,949,696");
  assert_string_equal(rx_html_power(log10(0.0312), out), "0.0312");
  assert_string_equal(rx_html_power(-8, out), "1.0e-8");
  assert_string_equal(rx_html_power(-400.5, out), "3.2e-401");
  assert_string_equal(rx_html_power(-7.001, out), "1.0e-7");
  assert_string_equal(rx_html_power(NAN, out), "");
}

/* Names of figures are names of files: whatever a factor is called. */
static void a_figure_of_any_name_has_a_plain_file(void **state) {
  char folder[] = "/tmp/radmix-report-XXXXXX", path[256];
  static const char *const names[] = {"map ../../etc/passwd", "map \xCE\xB2<", "map", "map", ""};
  static const char *const files[] = {"map-etc-passwd", "map", "map-2", "map-3", "figure"};
  rx_figures figures;
  rx_figure figure;

  (void)state;
  assert_non_null(mkdtemp(folder));
  assert_int_equal(rx_figures_create(folder, &figures), RX_OK);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(rx_figure_begin(&figures, names[i], 100, 100, &figure), RX_OK);
    assert_int_equal(rx_figure_end(&figures, &figure, RX_OK), RX_OK);
    assert_string_equal(figures.names[i], files[i]);
    for (int e = 0; e < 2; e++) {
      snprintf(path, sizeof path, "%s/%s%s", folder, files[i], e ? ".gp" : ".dat");
      assert_int_equal(unlink(path), 0);
    }
  }
  assert_int_equal(rmdir(folder), 0);
  rx_figures_destroy(&figures);
}

static void tiles_keep_their_places_and_gaps_are_no_numbers(void **state) {
  const double image[] = {1, 2, 3, 4};
  rx_tiles tiles;

  (void)state;
  assert_int_equal(rx_tiles_create(1, 2, 2, 2, 1, &tiles), RX_OK);
  assert_int_equal(tiles.total_width, 5);
  rx_tiles_put(&tiles, 0, 1, image);
  assert_true(isnan(tiles.values[2]));
  assert_true(tiles.values[3] == 1 && tiles.values[9] == 4);
  assert_true(rx_tiles_x(&tiles, 1) == 3.5 && rx_tiles_y(&tiles, 0) == 0.5);
  WRITTEN(rx_tiles_write(&tiles, out));
  expect("nan nan nan 3 4\nnan nan nan 1 2\n");
  rx_tiles_destroy(&tiles);
}

/* Three points, the first two close: two merges, the upper one drawn alone when asked. */
static void a_tree_is_drawn_from_its_merges(void **state) {
  const double points[] = {0, 1, 5};
  rx_linkage *tree = NULL;

  (void)state;
  assert_int_equal(rx_dendrogram_make(points, 3, 1, &tree), RX_OK);
  assert_true(tree->height[0] == 1 && tree->height[1] == 4.5);
  WRITTEN(assert_int_equal(rx_dendrogram_write(tree, 1, out), RX_OK));
  assert_non_null(strstr(text, " 4.5\n"));
  assert_null(strstr(text, "0 1\n1 1\n"));
  free(text);
  WRITTEN(assert_int_equal(rx_dendrogram_write(tree, 9, out), RX_OK));
  size_t n_lines = 0;
  for (const char *c = text; *c; c++) n_lines += *c == '\n';
  assert_int_equal(n_lines, 2 * 5 + 1);
  free(text);
  rx_linkage_destroy(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(markup_in_a_name_becomes_entities),
      cmocka_unit_test(bytes_that_are_no_text_are_replaced),
      cmocka_unit_test(a_printed_argument_is_escaped_and_the_format_is_not),
      cmocka_unit_test(a_string_of_gnuplot_holds_quotes_and_no_control_characters),
      cmocka_unit_test(a_long_name_is_cut_between_characters),
      cmocka_unit_test(numbers_are_written_for_people),
      cmocka_unit_test(a_figure_of_any_name_has_a_plain_file),
      cmocka_unit_test(tiles_keep_their_places_and_gaps_are_no_numbers),
      cmocka_unit_test(a_tree_is_drawn_from_its_merges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
