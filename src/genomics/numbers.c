#include "numbers.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { FIRST_ROOM = 1 << 16, GZIP_ROOM = 1 << 18 };

/* A file taken line by line. */
typedef struct {
  const char *path;
  gzFile file;
  char separator;
  int64_t line;          /* of what was taken last */
  char *buffer;          /* [room + 1] */
  size_t room, from, to; /* what is read and not taken yet stands at from .. to */
  bool is_at_end;
} line_reader;

static void close_lines(line_reader *r) {
  if (r->file) gzclose(r->file);
  free(r->buffer);
}

static rx_status open_lines(const char *path, line_reader *r) {
  bool is_csv = rx_path_ends(path, ".csv") || rx_path_ends(path, ".csv.gz");

  *r = (line_reader){.path = path, .separator = is_csv ? ',' : '\t', .room = FIRST_ROOM};
  RX_TRY(rx_path_check(path, "a table"));
  r->file = gzopen(path, "rb");
  if (!r->file)
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected a table, found: %s", path, strerror(errno));
  gzbuffer(r->file, GZIP_ROOM);
  return RX_NEW(&r->buffer, "table", r->room + 1);
}

/* Makes room for a line longer than the buffer. */
static rx_status widen(line_reader *r) {
  char *larger;

  RX_TRY(RX_NEW(&larger, "table", 2 * r->room + 1));
  memcpy(larger, r->buffer, r->to);
  free(r->buffer);
  r->buffer = larger;
  r->room *= 2;
  return RX_OK;
}

/* Reads more of the file behind what is not taken yet. */
static rx_status read_more(line_reader *r) {
  if (r->from) {
    memmove(r->buffer, r->buffer + r->from, r->to - r->from);
    r->to -= r->from;
    r->from = 0;
  }
  if (r->to == r->room) RX_TRY(widen(r));
  int code = Z_OK, n = gzread(r->file, r->buffer + r->to, (unsigned)(r->room - r->to));
  const char *reason = gzerror(r->file, &code);
  if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
    return RX_FAIL(RX_ERR_INPUT, "%s: expected a whole file, found it damaged or cut (%s)", r->path,
                   code == Z_ERRNO ? strerror(errno) : reason);
  if (memchr(r->buffer + r->to, 0, (size_t)n))
    return RX_FAIL(RX_ERR_INPUT, "%s: expected text, found a zero byte after line %lld", r->path,
                   (long long)r->line);
  r->to += (size_t)n;
  r->is_at_end = n == 0;
  return RX_OK;
}

/* Takes the next line that is not empty, without its end; NULL after the last. It may be changed.
 */
static rx_status take_line(line_reader *r, char **line) {
  for (;;) {
    char *start = r->buffer + r->from;
    char *end = r->to > r->from ? memchr(start, '\n', r->to - r->from) : NULL;

    if (!end && !r->is_at_end) {
      RX_TRY(read_more(r));
      continue;
    }
    *line = NULL;
    if (!end && r->from == r->to) return RX_OK;
    if (!end) end = r->buffer + r->to;
    r->from = (size_t)(end - r->buffer) + (end < r->buffer + r->to);
    *end = '\0';
    if (end > start && end[-1] == '\r') end[-1] = '\0';
    r->line++;
    if (r->line == 1 && !strncmp(start, "\xEF\xBB\xBF", 3)) start += 3;
    *line = start;
    if (*start) return RX_OK;
  }
}

/* Takes the next cell off a line: *rest is NULL after the last. Quotes are taken off in place. */
static rx_status take_cell(const line_reader *r, char **rest, char **cell) {
  char *from = *rest;

  *cell = from;
  if (*from != '"') {
    char *end = strchr(from, r->separator);
    if (end) *end = '\0';
    *rest = end ? end + 1 : NULL;
    return RX_OK;
  }
  char *to = from++;
  for (; *from && (*from != '"' || from[1] == '"'); from++) {
    if (*from == '"') from++;
    *to++ = *from;
  }
  if (!*from)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a closing quote, found the end of the line",
                   r->path, (long long)r->line);
  from++;
  if (*from && *from != r->separator)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a separator after a quote, found '%.20s'",
                   r->path, (long long)r->line, from);
  *rest = *from ? from + 1 : NULL;
  *to = '\0';
  return RX_OK;
}

/* ---- names ---- */

static size_t count_separators(const line_reader *r, const char *line) {
  size_t n = 0;

  for (const char *c = line; (c = strchr(c, r->separator)); c++) n++;
  return n;
}

static rx_status read_header(line_reader *r, rx_numbers *numbers) {
  char *line, *cell;

  RX_TRY(take_line(r, &line));
  if (!line)
    return RX_FAIL(RX_ERR_INPUT,
                   "%s:1: expected a line with the names of the columns, found nothing", r->path);
  RX_TRY(RX_NEW(&numbers->columns, "names of columns", count_separators(r, line) + 1));
  for (char *rest = line; rest;) {
    RX_TRY(take_cell(r, &rest, &cell));
    RX_TRY(rx_copy_text(cell, &numbers->columns[numbers->n_columns]));
    numbers->n_columns++;
  }
  for (size_t column = 0; column < numbers->n_columns; column++)
    if (!strcmp(numbers->columns[column], "patient")) {
      numbers->names_column = column;
      break;
    }
  return RX_OK;
}

/* Doubles the room for rows when it is full. */
static rx_status widen_rows(rx_numbers *numbers, size_t *room) {
  char **rows = NULL;
  int64_t *lines = NULL;

  if (numbers->n_rows < *room) return RX_OK;
  *room = *room ? 2 * *room : 1024;
  rx_status status = RX_NEW(&rows, "names of rows", *room);
  if (!status) status = RX_NEW(&lines, "lines of rows", *room);
  if (status) {
    free(rows);
    return status;
  }
  if (numbers->n_rows) {
    memcpy(rows, numbers->rows, numbers->n_rows * sizeof *rows);
    memcpy(lines, numbers->lines, numbers->n_rows * sizeof *lines);
  }
  free(numbers->rows);
  free(numbers->lines);
  numbers->rows = rows;
  numbers->lines = lines;
  return RX_OK;
}

/* Notes the name of a row, and counts its cells. The row counts as soon as it has a name, so that
 * the name is given back when a later cell fails. */
static rx_status read_name(const line_reader *r, char *line, rx_numbers *numbers, size_t *room) {
  size_t n_cells = 0;

  RX_TRY(widen_rows(numbers, room));
  for (char *rest = line, *cell; rest; n_cells++) {
    RX_TRY(take_cell(r, &rest, &cell));
    if (n_cells != numbers->names_column) continue;
    RX_TRY(rx_copy_text(cell, &numbers->rows[numbers->n_rows]));
    numbers->lines[numbers->n_rows++] = r->line;
  }
  if (n_cells != numbers->n_columns)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected %zu columns, found %zu", r->path,
                   (long long)r->line, numbers->n_columns, n_cells);
  return RX_OK;
}

static rx_status read_names(rx_numbers *numbers) {
  line_reader r;
  size_t room = 0;
  char *line = NULL;

  rx_status status = open_lines(numbers->path, &r);
  if (!status) status = read_header(&r, numbers);
  while (!status && !(status = take_line(&r, &line)) && line)
    status = read_name(&r, line, numbers, &room);
  close_lines(&r);
  return status;
}

rx_status rx_numbers_open(const char *path, rx_numbers **out) {
  RX_TRY(RX_NEW(out, "table", 1));
  rx_status status = rx_copy_text(path, &(*out)->path);
  if (!status) status = read_names(*out);
  if (status) rx_numbers_destroy(out);
  return status;
}

void rx_numbers_destroy(rx_numbers **numbers) {
  rx_numbers *n = *numbers;

  if (!n) return;
  for (size_t column = 0; column < n->n_columns; column++) free(n->columns[column]);
  for (size_t row = 0; row < n->n_rows; row++) free(n->rows[row]);
  free(n->path);
  free(n->columns);
  free(n->rows);
  free(n->lines);
  free(n);
  *numbers = NULL;
}

/* ---- numbers ---- */

static rx_status read_number(const rx_numbers *numbers, const line_reader *r, size_t column,
                             const char *cell, double *value) {
  *value = NAN;
  if (rx_is_missing(cell)) return RX_OK;
  if (rx_number_read(cell, value) && isfinite(*value)) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s:%lld: %.80s: expected a finite number, found '%.100s'", r->path,
                 (long long)r->line, numbers->columns[column], cell);
}

static rx_status read_row(const rx_numbers *numbers, const line_reader *r, char *line,
                          const ptrdiff_t *column_to, size_t column_stride, double *value) {
  size_t column = 0;

  for (char *rest = line, *cell; rest && column < numbers->n_columns; column++) {
    RX_TRY(take_cell(r, &rest, &cell));
    if (column_to[column] < 0) continue;
    RX_TRY(
        read_number(numbers, r, column, cell, value + (size_t)column_to[column] * column_stride));
  }
  return RX_OK;
}

rx_status rx_numbers_read(const rx_numbers *numbers, const ptrdiff_t *row_to, size_t row_stride,
                          const ptrdiff_t *column_to, size_t column_stride, double *value) {
  line_reader r;
  char *line = NULL;
  size_t n_rows = numbers->n_rows;

  while (n_rows && row_to[n_rows - 1] < 0) n_rows--; /* what follows need not be read */
  rx_status status = open_lines(numbers->path, &r);
  if (!status) status = take_line(&r, &line); /* the names of the columns */
  for (size_t row = 0; row < n_rows && !status; row++) {
    status = take_line(&r, &line);
    if (!status && !line)
      status =
          RX_FAIL(RX_ERR_INPUT, "%s: expected %zu rows, found %zu: it changes while it is read",
                  numbers->path, numbers->n_rows, row);
    if (!status && row_to[row] >= 0)
      status = read_row(numbers, &r, line, column_to, column_stride,
                        value + (size_t)row_to[row] * row_stride);
  }
  close_lines(&r);
  return status;
}
