#include "html.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* Length of the UTF-8 character at text: 1 to 4; 0 when it is none (RFC 3629). */
static size_t character_length(const unsigned char *c) {
  size_t n = *c < 0x80                 ? 1
             : *c >= 0xC2 && *c < 0xE0 ? 2
             : *c >= 0xE0 && *c < 0xF0 ? 3
             : *c >= 0xF0 && *c < 0xF5 ? 4
                                       : 0;

  for (size_t i = 1; i < n; i++)
    if ((c[i] & 0xC0) != 0x80) return 0;
  bool is_overlong = (*c == 0xE0 && c[1] < 0xA0) || (*c == 0xF0 && c[1] < 0x90);
  bool is_no_character = (*c == 0xED && c[1] > 0x9F) || (*c == 0xF4 && c[1] > 0x8F);
  return is_overlong || is_no_character ? 0 : n;
}

static const char *entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return NULL;
  }
}

void rx_html_text(FILE *out, const char *text) {
  for (const char *c = text; *c;) {
    size_t n = character_length((const unsigned char *)c);
    const char *name = entity(*c);
    bool is_control = n == 0 || (unsigned char)*c < 0x20 || *c == 0x7F;
    if (name)
      fputs(name, out);
    else if (*c == '\t' || *c == '\n')
      fputc(*c, out);
    else if (is_control)
      fputs("\xEF\xBF\xBD", out);
    else
      fwrite(c, 1, n, out);
    c += n ? n : 1;
  }
}

/* Writes one conversion; spec is "%.3g". */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the caller's format was checked */
static void print_value(FILE *out, const char *spec, va_list *values) {
  size_t n = strlen(spec);

  switch (spec[n - 1]) {
    case '%':
      fputc('%', out);
      break;
    case 's':
      rx_html_text(out, va_arg(*values, const char *));
      break;
    case 'u': /* NOLINT(bugprone-branch-clone): each takes a type of its own */
      fprintf(out, spec, va_arg(*values, size_t));
      break;
    case 'd':
    case 'c':
      fprintf(out, spec, va_arg(*values, int));
      break;
    default:
      fprintf(out, spec, va_arg(*values, double));
  }
}
#pragma GCC diagnostic pop

void rx_html_print(FILE *out, const char *format, ...) {
  enum { SPEC_SIZE = 16 };
  char spec[SPEC_SIZE];
  va_list values;

  va_start(values, format);
  for (const char *c = format; *c;) {
    if (*c != '%') {
      fputc(*c++, out);
      continue;
    }
    size_t n = 1 + strcspn(c + 1, "sdugfec%") + 1;
    if (n >= SPEC_SIZE) break;
    memcpy(spec, c, n);
    spec[n] = '\0';
    print_value(out, spec, &values);
    c += n;
  }
  va_end(values);
}

const char *rx_html_count(double n, char text[RX_WORD_SIZE]) {
  char digits[RX_WORD_SIZE];
  size_t at = 0;

  snprintf(digits, sizeof digits, "%.0f", n);
  size_t length = strnlen(digits, 40);
  for (size_t i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0 && digits[i - 1] != '-') text[at++] = ',';
    text[at++] = digits[i];
  }
  text[at] = '\0';
  return text;
}

const char *rx_html_power(double log10_value, char text[RX_WORD_SIZE]) {
  if (isnan(log10_value)) {
    *text = '\0';
  } else if (log10_value > -3) {
    snprintf(text, RX_WORD_SIZE, "%.3g", pow(10, log10_value));
  } else {
    double exponent = floor(log10_value), mantissa = pow(10, log10_value - exponent);
    if (mantissa >= 9.95) mantissa = 1, exponent += 1;
    snprintf(text, RX_WORD_SIZE, "%.1fe%.0f", mantissa, exponent);
  }
  return text;
}

/* ---- tables ---- */

static void print_header(FILE *out, const char *header, size_t length) {
  bool is_number = *header == '#';
  char name[128];

  snprintf(name, sizeof name, "%.*s", (int)length - is_number, header + is_number);
  fprintf(out, "<th scope=\"col\"%s>", is_number ? " class=\"n\"" : "");
  rx_html_text(out, name);
  fputs("</th>", out);
}

void rx_html_table(FILE *out, const char *id, const char *headers, const char *filters) {
  rx_html_print(out, "<div class=\"scroll\"><table id=\"%s\" data-filters=\"%s\"><thead><tr>", id,
                filters);
  for (const char *h = headers; *h;) {
    size_t n = strcspn(h, "|");
    print_header(out, h, n);
    h += n + (h[n] == '|');
  }
  fputs("</tr></thead><tbody>", out);
}

void rx_html_row(FILE *out) {
  fputs("\n<tr>", out); /* the end of a row may be left out in HTML */
}

void rx_html_cell(FILE *out, const char *text) {
  fputs("<td>", out);
  rx_html_text(out, text);
}

void rx_html_number(FILE *out, double value, int digits) {
  if (isnan(value))
    fputs("<td class=\"n\">", out);
  else
    fprintf(out, "<td class=\"n\">%.*g", digits, value);
}

void rx_html_integer(FILE *out, double value) {
  char text[RX_WORD_SIZE];

  if (isnan(value))
    fputs("<td class=\"n\">", out);
  else
    fprintf(out, "<td class=\"n\" data-v=\"%.0f\">%s", value, rx_html_count(value, text));
}

void rx_html_log10(FILE *out, double log10_value) {
  char text[RX_WORD_SIZE];

  if (isnan(log10_value))
    fputs("<td class=\"n\">", out);
  else
    fprintf(out, "<td class=\"n\" data-v=\"%.6g\">%s", log10_value,
            rx_html_power(log10_value, text));
}

void rx_html_table_end(FILE *out) {
  fputs("\n</tbody></table></div>\n", out);
}

void rx_html_short(const char *text, size_t characters, char *out, size_t size) {
  size_t at = 0, n = 0;
  const char *c = text;

  while (*c && n < characters && at + 8 < size) {
    size_t length = character_length((const unsigned char *)c);
    bool is_plain = length && (unsigned char)*c >= 0x20 && *c != 0x7F;
    for (size_t i = 0; i < (is_plain ? length : 1); i++) out[at++] = (char)(is_plain ? c[i] : '?');
    c += length ? length : 1;
    n++;
  }
  if (*c) memcpy(out + at, "\xE2\x80\xA6", 3), at += 3;
  out[at] = '\0';
}
