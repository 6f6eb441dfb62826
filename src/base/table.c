#include "radmix/table.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { FIRST_READ = 1 << 16, READ_SIZE = 1 << 22 };

/* Makes *array hold at least count elements of size bytes, keeping what is there. */
static rx_status widen(void **array, size_t *room, size_t count, size_t size) {
  if (count <= *room) return RX_OK;
  size_t larger = *room * 2 > count ? *room * 2 : count + 64;
  void *memory;
  RX_TRY(rx_new(&memory, "table", larger, size));
  if (*array) memcpy(memory, *array, *room * size);
  free(*array);
  *array = memory;
  *room = larger;
  return RX_OK;
}

static rx_status read_bytes(gzFile file, rx_table *table) {
  size_t room = 0;

  for (unsigned size = FIRST_READ;; size = size < READ_SIZE ? 2 * size : READ_SIZE) {
    RX_TRY(widen((void **)&table->text, &room, table->text_size + size + 2, 1));
    int n = gzread(file, table->text + table->text_size, size);
    int code = Z_OK;
    const char *reason = gzerror(file, &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
      return RX_FAIL(RX_ERR_INPUT, "%s: expected a whole file, found it damaged or cut (%s)",
                     table->path, code == Z_ERRNO ? strerror(errno) : reason);
    table->text_size += (size_t)n;
    if (n == 0) return RX_OK;
  }
}

/* Takes the file into table->text, with an end of line and a zero byte after it. */
static rx_status read_file(rx_table *table) {
  RX_TRY(rx_path_check(table->path, "a table"));
  gzFile file = gzopen(table->path, "rb");
  if (!file)
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected a table, found: %s", table->path, strerror(errno));
  rx_status status = read_bytes(file, table);
  gzclose(file);
  if (status) return status;
  const char *zero = memchr(table->text, 0, table->text_size);
  if (zero)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected text, found a zero byte at place %zu", table->path,
                   (size_t)(zero - table->text));
  table->text[table->text_size++] = '\n';
  table->text[table->text_size++] = '\0';
  return RX_OK;
}

typedef struct {
  rx_table *table;
  char separator;
  char *next;   /* what is not yet read */
  int64_t line; /* where next stands */
  size_t n_cells, cell_room, n_lines, line_room;
} reader;

/* Reads a quoted cell in place; "" stands for one quote. */
static rx_status take_quoted(reader *r, char **end) {
  char *from = r->next + 1, *to = from;
  int64_t first = r->line;

  for (; *from; from++) {
    if (*from == '\n') r->line++;
    if (*from == '"') {
      if (from[1] != '"') break;
      from++;
    }
    *to++ = *from;
  }
  if (!*from)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a closing quote, found the end of the file",
                   r->table->path, (long long)first);
  r->next++;
  *end = to;
  from++;
  if (*from != r->separator && *from != '\n' && *from != '\r')
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a comma after a quote, found '%.20s'",
                   r->table->path, (long long)r->line, from);
  r->table->cells[r->n_cells] = (size_t)(r->next - r->table->text);
  r->next = from;
  return RX_OK;
}

/* Reads one cell; is_last tells that its line ends with it. */
static rx_status take_cell(reader *r, bool *is_last) {
  char *end = r->next;

  RX_TRY(widen((void **)&r->table->cells, &r->cell_room, r->n_cells + 1, sizeof(size_t)));
  if (*r->next == '"') {
    RX_TRY(take_quoted(r, &end));
  } else {
    r->table->cells[r->n_cells] = (size_t)(r->next - r->table->text);
    char *p = r->next;
    while (*p != r->separator && *p != '\n') p++;
    end = p;
    r->next = p;
  }
  r->n_cells++;
  if (*r->next == '\r' && r->next[1] == '\n') r->next++;
  *is_last = *r->next == '\n';
  char *start = r->table->text + r->table->cells[r->n_cells - 1];
  if (*is_last && end > start && end[-1] == '\r') end--;
  r->next++;
  *end = '\0';
  return RX_OK;
}

/* Reads a line of cells; the first line says how many there must be. */
static rx_status take_line(reader *r) {
  rx_table *table = r->table;
  size_t before = r->n_cells;
  int64_t line = r->line;

  for (bool is_last = false; !is_last;) RX_TRY(take_cell(r, &is_last));
  r->line++;
  size_t n = r->n_cells - before;
  if (n == 1 && !table->text[table->cells[before]]) { /* an empty line */
    r->n_cells = before;
    return RX_OK;
  }
  if (!r->n_lines) table->n_columns = n;
  if (n != table->n_columns)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected %zu columns, found %zu", table->path,
                   (long long)line, table->n_columns, n);
  RX_TRY(widen((void **)&table->lines, &r->line_room, r->n_lines + 1, sizeof(int64_t)));
  table->lines[r->n_lines++] = line;
  return RX_OK;
}

static rx_status parse(rx_table *table) {
  bool is_csv = rx_path_ends(table->path, ".csv") || rx_path_ends(table->path, ".csv.gz");
  reader r = {.table = table, .separator = is_csv ? ',' : '\t', .line = 1};

  r.next = strncmp(table->text, "\xef\xbb\xbf", 3) ? table->text : table->text + 3;
  while (*r.next) RX_TRY(take_line(&r));
  if (!r.n_lines)
    return RX_FAIL(RX_ERR_INPUT,
                   "%s:1: expected a line with the names of the columns, found nothing",
                   table->path);
  table->n_rows = r.n_lines - 1;
  return RX_OK;
}

rx_status rx_table_read(const char *path, rx_table **out) {
  RX_TRY(RX_NEW(out, "table", 1));
  rx_status status = rx_copy_text(path, &(*out)->path);
  if (!status) status = read_file(*out);
  if (!status) status = parse(*out);
  if (status) rx_table_destroy(out);
  return status;
}

void rx_table_destroy(rx_table **table) {
  if (!*table) return;
  free((*table)->path);
  free((*table)->text);
  free((*table)->cells);
  free((*table)->lines);
  free(*table);
  *table = NULL;
}

/* Gives the other ranks the table of rank 0. */
static rx_status share(MPI_Comm comm, rx_table *table) {
  uint64_t sizes[2] = {table->n_rows, table->n_columns};
  size_t path_size = table->path ? strlen(table->path) + 1 : 0;

  MPI_Bcast(sizes, 2, MPI_UINT64_T, 0, comm);
  table->n_rows = sizes[0];
  table->n_columns = sizes[1];
  size_t cells = (table->n_rows + 1) * table->n_columns * sizeof(size_t);
  size_t lines = (table->n_rows + 1) * sizeof(int64_t);
  RX_TRY(rx_broadcast_array(comm, "table", (void **)&table->path, &path_size));
  RX_TRY(rx_broadcast_array(comm, "table", (void **)&table->text, &table->text_size));
  RX_TRY(rx_broadcast_array(comm, "table", (void **)&table->cells, &cells));
  return rx_broadcast_array(comm, "table", (void **)&table->lines, &lines);
}

rx_status rx_table_load(MPI_Comm comm, const char *path, rx_table **out) {
  int rank;

  *out = NULL;
  MPI_Comm_rank(comm, &rank);
  rx_status status = rank ? RX_NEW(out, "table", 1) : rx_table_read(path, out);
  status = RX_AGREE(comm, status);
  if (!status) status = share(comm, *out);
  if (status) rx_table_destroy(out);
  return status;
}

const char *rx_table_name(const rx_table *table, size_t column) {
  return table->text + table->cells[column];
}

const char *rx_table_cell(const rx_table *table, size_t row, size_t column) {
  return table->text + table->cells[(row + 1) * table->n_columns + column];
}

int64_t rx_table_line(const rx_table *table, size_t row) {
  return table->lines[row + 1];
}

ptrdiff_t rx_table_find(const rx_table *table, const char *name) {
  for (size_t c = 0; c < table->n_columns; c++)
    if (!strcmp(rx_table_name(table, c), name)) return (ptrdiff_t)c;
  return -1;
}

rx_status rx_table_need(const rx_table *table, const char *name, size_t *column) {
  ptrdiff_t found = rx_table_find(table, name);

  if (found < 0)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a column '%s', found none", table->path,
                   (long long)table->lines[0], name);
  for (size_t c = (size_t)found + 1; c < table->n_columns; c++)
    if (!strcmp(rx_table_name(table, c), name))
      return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected one column '%s', found two", table->path,
                     (long long)table->lines[0], name);
  *column = (size_t)found;
  return RX_OK;
}

rx_status rx_table_number(const rx_table *table, size_t row, size_t column, double *value) {
  const char *cell = rx_table_cell(table, row, column);

  *value = NAN;
  if (rx_is_missing(cell)) return RX_OK;
  if (rx_number_read(cell, value)) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s:%lld: %s: expected a number, found '%.100s'", table->path,
                 (long long)rx_table_line(table, row), rx_table_name(table, column), cell);
}
