/* html.h: text that is safe in a page. Local. */
#ifndef RADMIX_REPORT_HTML_H
#define RADMIX_REPORT_HTML_H

#include <stddef.h>
#include <stdio.h>

enum { RX_WORD_SIZE = 64 };

/* Writes text with & < > " ' as entities; control characters and bytes that are no UTF-8 become
 * U+FFFD. */
void rx_html_text(FILE *out, const char *text);

/* As fprintf(), but each %s is written by rx_html_text(). Conversions: %s %d %zu %g %f %e %c %%,
 * with flags, width and precision as digits. */
void rx_html_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A count with commas: 52,238. Returns text. */
const char *rx_html_count(double n, char text[RX_WORD_SIZE]);
/* A probability given as log10: 0.0312, 1.3e-8. NAN gives "". */
const char *rx_html_power(double log10_value, char text[RX_WORD_SIZE]);

/* ---- tables ---- */

/* Starts a table. headers  "Factor|#Hits|Kind": a cell each; # = numbers, which stand right.
 * filters  columns, from 0, that get a list to filter by: "2"; "" none; script only */
void rx_html_table(FILE *out, const char *id, const char *headers, const char *filters);
void rx_html_row(FILE *out);
void rx_html_cell(FILE *out, const char *text);
/* A number with significant digits; NAN is an empty cell. */
void rx_html_number(FILE *out, double value, int digits);
void rx_html_integer(FILE *out, double value);
/* A probability by its log10, sorted by it. */
void rx_html_log10(FILE *out, double log10_value);
void rx_html_table_end(FILE *out);

/* Copies text, cut to so many characters with an ellipsis, never within a character. size at least
 * 4 x characters + 4. */
void rx_html_short(const char *text, size_t characters, char *out, size_t size);

#endif
