#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { BLOCK = 1 << 16 };

static rx_status read_bytes(gzFile file, const char *path, rx_lines *lines) {
  size_t room = 0;

  for (;;) {
    if (lines->size + BLOCK + 1 > room) {
      char *larger;

      room = 2 * room + BLOCK + 1;
      RX_TRY(RX_NEW(&larger, "text", room));
      if (lines->size) memcpy(larger, lines->memory, lines->size);
      free(lines->memory);
      lines->memory = larger;
    }
    int code = Z_OK, n = gzread(file, lines->memory + lines->size, BLOCK);
    const char *reason = gzerror(file, &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
      return RX_FAIL(RX_ERR_INPUT, "%s: expected a whole file, found it damaged or cut (%s)", path,
                     code == Z_ERRNO ? strerror(errno) : reason);
    if (n == 0) break;
    lines->size += (size_t)n;
  }
  lines->memory[lines->size++] = '\0';
  return RX_OK;
}

static rx_status read_file(const char *path, rx_lines *lines) {
  RX_TRY(rx_path_check(path, "a text file"));
  gzFile file = gzopen(path, "rb");
  if (!file)
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected a text file, found: %s", path, strerror(errno));
  rx_status status = read_bytes(file, path, lines);
  gzclose(file);
  if (!status && memchr(lines->memory, 0, lines->size - 1))
    status = RX_FAIL(RX_ERR_INPUT, "%s: expected text, found a zero byte", path);
  return status;
}

/* Cuts memory into lines. */
static rx_status cut(const char *path, rx_lines *lines) {
  size_t n_lines = 1, line = 0;

  RX_TRY(rx_copy_text(path, &lines->path));
  for (size_t i = 0; i < lines->size; i++) n_lines += lines->memory[i] == '\n';
  RX_TRY(RX_NEW(&lines->text, "lines", n_lines));
  RX_TRY(RX_NEW(&lines->line, "lines", n_lines));
  char *next = lines->memory;
  if (!strncmp(next, "\xEF\xBB\xBF", 3)) next += 3;
  while (next && *next) {
    char *end = strchr(next, '\n');

    line++;
    if (end) *end++ = '\0';
    size_t length = strlen(next);
    if (length && next[length - 1] == '\r') next[length - 1] = '\0';
    const char *word = next + strspn(next, " \t");
    if (*word && *word != '#') {
      lines->text[lines->n] = next;
      lines->line[lines->n++] = line;
    }
    next = end;
  }
  return RX_OK;
}

rx_status rx_lines_read(const char *path, rx_lines *lines) {
  *lines = (rx_lines){0};
  rx_status status = read_file(path, lines);
  if (!status) status = cut(path, lines);
  if (status) rx_lines_destroy(lines);
  return status;
}

rx_status rx_lines_load(MPI_Comm comm, const char *path, rx_lines *lines) {
  int rank;

  *lines = (rx_lines){0};
  MPI_Comm_rank(comm, &rank);
  rx_status status = RX_AGREE(comm, rank == 0 ? read_file(path, lines) : RX_OK);
  if (!status) status = rx_broadcast_array(comm, "text", (void **)&lines->memory, &lines->size);
  if (!status) status = RX_AGREE(comm, cut(path, lines));
  if (status) rx_lines_destroy(lines);
  return status;
}

void rx_lines_destroy(rx_lines *lines) {
  free(lines->path);
  free(lines->text);
  free(lines->line);
  free(lines->memory);
  *lines = (rx_lines){0};
}
