#include "radmix/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

rx_status rx_frame_create(size_t n_rows, rx_frame **out) {
  RX_TRY(RX_NEW(out, "frame", 1));
  (*out)->n_rows = n_rows;
  rx_status status = RX_NEW(&(*out)->names, "frame", n_rows);
  for (size_t r = 0; r < n_rows && !status; r++) status = rx_copy_text("", &(*out)->names[r]);
  if (status) rx_frame_destroy(out);
  return status;
}

static void destroy_texts(char **texts, size_t n) {
  for (size_t i = 0; texts && i < n; i++) free(texts[i]);
  free(texts);
}

void rx_frame_destroy(rx_frame **frame) {
  rx_frame *f = *frame;

  if (!f) return;
  destroy_texts(f->names, f->n_rows);
  for (size_t c = 0; c < f->n_columns; c++) {
    free(f->columns[c].name);
    destroy_texts(f->columns[c].text, f->n_rows);
    free(f->columns[c].integer);
    free(f->columns[c].real);
  }
  free(f->columns);
  free(f);
  *frame = NULL;
}

static rx_status replace_text(char **place, const char *text) {
  char *copy;

  RX_TRY(rx_copy_text(text, &copy));
  free(*place);
  *place = copy;
  return RX_OK;
}

rx_status rx_frame_name(rx_frame *frame, size_t row, const char *name) {
  return replace_text(&frame->names[row], name);
}

static rx_status fill_column(rx_column *column, size_t n_rows) {
  if (column->kind == RX_INTEGER) return RX_NEW(&column->integer, "column", n_rows);
  if (column->kind == RX_REAL) return RX_NEW(&column->real, "column", n_rows);
  RX_TRY(RX_NEW(&column->text, "column", n_rows));
  for (size_t r = 0; r < n_rows; r++) RX_TRY(rx_copy_text("", &column->text[r]));
  return RX_OK;
}

rx_status rx_frame_add(rx_frame *frame, const char *name, rx_column_kind kind, rx_column **column) {
  rx_column *more;

  RX_TRY(RX_NEW(&more, "columns", frame->n_columns + 1));
  if (frame->n_columns) memcpy(more, frame->columns, frame->n_columns * sizeof *more);
  free(frame->columns);
  frame->columns = more;
  rx_column *last = &more[frame->n_columns++];
  last->kind = kind;
  RX_TRY(rx_copy_text(name, &last->name));
  RX_TRY(fill_column(last, frame->n_rows));
  if (column) *column = last;
  return RX_OK;
}

rx_status rx_frame_set_text(rx_frame *frame, rx_column *column, size_t row, const char *text) {
  (void)frame;
  return replace_text(&column->text[row], text);
}

rx_column *rx_frame_find(const rx_frame *frame, const char *name) {
  for (size_t c = 0; frame && c < frame->n_columns; c++)
    if (!strcmp(frame->columns[c].name, name)) return &frame->columns[c];
  return NULL;
}

rx_status rx_frame_copy_column(rx_frame *frame, const rx_frame *from, const rx_column *column,
                               const ptrdiff_t *rows) {
  rx_column *copy;

  (void)from;
  rx_column_kind kind = column->kind == RX_INTEGER ? RX_REAL : column->kind;
  RX_TRY(rx_frame_add(frame, column->name, kind, &copy));
  for (size_t r = 0; r < frame->n_rows; r++) {
    ptrdiff_t source = rows[r];
    if (kind == RX_REAL)
      copy->real[r] = source < 0        ? NAN
                      : column->integer ? (double)column->integer[source]
                                        : column->real[source];
    else if (source >= 0)
      RX_TRY(replace_text(&copy->text[r], column->text[source]));
  }
  return RX_OK;
}

rx_status rx_frame_copy(const rx_frame *from, rx_frame **out) {
  ptrdiff_t *rows;

  RX_TRY(rx_frame_create(from->n_rows, out));
  RX_TRY(RX_NEW(&rows, "frame", from->n_rows));
  rx_status status = RX_OK;
  for (size_t r = 0; r < from->n_rows && !status; r++) {
    rows[r] = (ptrdiff_t)r;
    status = rx_frame_name(*out, r, from->names[r]);
  }
  for (size_t c = 0; c < from->n_columns && !status; c++)
    status = rx_frame_copy_column(*out, from, &from->columns[c], rows);
  free(rows);
  return status;
}

/* A frame as one run of bytes, to be sent: sizes, then each name and column. */
typedef struct {
  char *bytes;
  size_t size, room;
} packet;

static rx_status put(packet *p, const void *bytes, size_t n) {
  if (p->size + n > p->room) {
    packet larger = {.size = p->size, .room = 2 * (p->size + n) + 4096};
    RX_TRY(RX_NEW(&larger.bytes, "frame", larger.room));
    if (p->size) memcpy(larger.bytes, p->bytes, p->size);
    free(p->bytes);
    *p = larger;
  }
  if (n) memcpy(p->bytes + p->size, bytes, n);
  p->size += n;
  return RX_OK;
}

static rx_status put_texts(packet *p, char *const *texts, size_t n) {
  for (size_t i = 0; i < n; i++) RX_TRY(put(p, texts[i], strlen(texts[i]) + 1));
  return RX_OK;
}

static rx_status pack(const rx_frame *frame, packet *p) {
  uint64_t sizes[2] = {frame->n_rows, frame->n_columns};

  RX_TRY(put(p, sizes, sizeof sizes));
  RX_TRY(put_texts(p, frame->names, frame->n_rows));
  for (size_t c = 0; c < frame->n_columns; c++) {
    const rx_column *column = &frame->columns[c];
    RX_TRY(put(p, &column->kind, sizeof column->kind));
    RX_TRY(put(p, column->name, strlen(column->name) + 1));
    if (column->kind == RX_TEXT) RX_TRY(put_texts(p, column->text, frame->n_rows));
    if (column->kind == RX_INTEGER) RX_TRY(put(p, column->integer, frame->n_rows * 8));
    if (column->kind == RX_REAL) RX_TRY(put(p, column->real, frame->n_rows * 8));
  }
  return RX_OK;
}

static const char *take_texts(const char *from, char **texts, size_t n, rx_status *status) {
  for (size_t i = 0; i < n && !*status; i++) {
    *status = replace_text(&texts[i], from);
    from += strlen(from) + 1;
  }
  return from;
}

static rx_status unpack_column(const char **from, rx_frame *frame) {
  rx_column *column;
  rx_column_kind kind;
  rx_status status = RX_OK;

  memcpy(&kind, *from, sizeof kind);
  *from += sizeof kind;
  RX_TRY(rx_frame_add(frame, *from, kind, &column));
  *from += strlen(*from) + 1;
  if (kind == RX_TEXT) {
    *from = take_texts(*from, column->text, frame->n_rows, &status);
    return status;
  }
  memcpy(kind == RX_INTEGER ? (void *)column->integer : (void *)column->real, *from,
         frame->n_rows * 8);
  *from += frame->n_rows * 8;
  return RX_OK;
}

static rx_status unpack(const char *from, rx_frame **out) {
  uint64_t sizes[2];
  rx_status status;

  memcpy(sizes, from, sizeof sizes);
  from += sizeof sizes;
  RX_TRY(rx_frame_create(sizes[0], out));
  status = RX_OK;
  from = take_texts(from, (*out)->names, (*out)->n_rows, &status);
  for (size_t c = 0; c < sizes[1] && !status; c++) status = unpack_column(&from, *out);
  if (status) rx_frame_destroy(out);
  return status;
}

rx_status rx_frame_broadcast(MPI_Comm comm, rx_frame **frame) {
  int rank;
  packet p = {0};
  rx_status status = RX_OK;

  MPI_Comm_rank(comm, &rank);
  if (rank == 0) status = pack(*frame, &p);
  status = RX_AGREE(comm, status);
  if (!status) status = rx_broadcast_array(comm, "frame", (void **)&p.bytes, &p.size);
  if (status) goto done;
  if (rank) status = unpack(p.bytes, frame);
  status = RX_AGREE(comm, status);
done:
  free(p.bytes);
  return status;
}
