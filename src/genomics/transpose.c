#include "transpose.h"

#include <stdint.h>
#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

enum { ROOM = 1 << 18 }; /* numbers a rank sends in one round */

typedef struct {
  int rank, n_ranks;
  size_t rows_a_round; /* of each rank */
  double *send, *receive;
  int *send_count, *send_at, *receive_count, *receive_at; /* [n_ranks] */
} exchange;

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t width_of(const size_t *border, int rank) {
  return border[rank + 1] - border[rank];
}

/* Rows of a rank in the round that starts at its row `done`. */
static size_t rows_of(const exchange *x, const size_t *row_border, int rank, size_t done) {
  size_t n_rows = width_of(row_border, rank);

  if (done >= n_rows) return 0;
  return n_rows - done < x->rows_a_round ? n_rows - done : x->rows_a_round;
}

static void exchange_destroy(exchange *x) {
  free(x->send);
  free(x->receive);
  free(x->send_count);
  free(x->send_at);
  free(x->receive_count);
  free(x->receive_at);
}

static rx_status exchange_create(MPI_Comm comm, const size_t *column_border, exchange *x) {
  *x = (exchange){0};
  MPI_Comm_rank(comm, &x->rank);
  MPI_Comm_size(comm, &x->n_ranks);
  size_t n = (size_t)x->n_ranks, n_columns = column_border[n], widest = 1;
  for (int rank = 0; rank < x->n_ranks; rank++)
    widest = larger(widest, width_of(column_border, rank));
  x->rows_a_round = larger(1, ROOM / larger(n_columns, widest * n));
  rx_status status = RX_NEW(&x->send, "transposition", x->rows_a_round * n_columns);
  if (!status) status = RX_NEW(&x->receive, "transposition", x->rows_a_round * n * widest);
  if (!status) status = RX_NEW(&x->send_count, "transposition", n);
  if (!status) status = RX_NEW(&x->send_at, "transposition", n);
  if (!status) status = RX_NEW(&x->receive_count, "transposition", n);
  if (!status) status = RX_NEW(&x->receive_at, "transposition", n);
  return status;
}

/* Lays out what goes to each rank: its columns of the rows of this round. */
static void pack(exchange *x, const double *in, size_t done, size_t n_rows, size_t n_columns,
                 const size_t *column_border) {
  size_t at = 0;

  for (int rank = 0; rank < x->n_ranks; rank++) {
    size_t width = width_of(column_border, rank);

    x->send_at[rank] = (int)at;
    x->send_count[rank] = (int)(n_rows * width);
    for (size_t row = 0; row < n_rows; row++)
      for (size_t column = 0; column < width; column++)
        x->send[at++] = in[(done + row) * n_columns + column_border[rank] + column];
  }
}

/* Turns a few rows at a time, so that what is read and what is written both stay in the cache. */
static void turn(const double *from, size_t n_rows, size_t width, double *out, size_t out_stride) {
  enum { TILE = 16 };

  for (size_t row = 0; row < n_rows; row += TILE) {
    size_t end = row + TILE < n_rows ? row + TILE : n_rows;

    for (size_t column = 0; column < width; column++)
      for (size_t i = row; i < end; i++) out[column * out_stride + i] = from[i * width + column];
  }
}

static void unpack(const exchange *x, const size_t *row_border, size_t done, size_t width,
                   double *out, size_t out_stride) {
  for (int rank = 0; rank < x->n_ranks; rank++)
    turn(x->receive + x->receive_at[rank], rows_of(x, row_border, rank, done), width,
         out + row_border[rank] + done, out_stride);
}

rx_status rx_transpose(MPI_Comm comm, const double *in, const size_t *row_border, size_t n_columns,
                       const size_t *column_border, double *out, size_t out_stride) {
  exchange x;
  size_t longest = 0;

  rx_status status = RX_AGREE(comm, exchange_create(comm, column_border, &x));
  if (status) goto done;
  for (int rank = 0; rank < x.n_ranks; rank++)
    longest = larger(longest, width_of(row_border, rank));
  size_t width = width_of(column_border, x.rank);
  for (size_t done = 0; done < longest; done += x.rows_a_round) {
    size_t at = 0;

    pack(&x, in, done, rows_of(&x, row_border, x.rank, done), n_columns, column_border);
    for (int rank = 0; rank < x.n_ranks; rank++) {
      x.receive_at[rank] = (int)at;
      x.receive_count[rank] = (int)(rows_of(&x, row_border, rank, done) * width);
      at += (size_t)x.receive_count[rank];
    }
    MPI_Alltoallv(x.send, x.send_count, x.send_at, MPI_DOUBLE, x.receive, x.receive_count,
                  x.receive_at, MPI_DOUBLE, comm);
    unpack(&x, row_border, done, width, out, out_stride);
  }
done:
  exchange_destroy(&x);
  return status;
}

void rx_transpose_borders(MPI_Comm comm, size_t count, size_t *border) {
  int n_ranks;
  uint64_t own = count;

  MPI_Comm_size(comm, &n_ranks);
  _Static_assert(sizeof(uint64_t) == sizeof(size_t), "counts travel as 64 bits");
  MPI_Allgather(&own, 1, MPI_UINT64_T, border + 1, 1, MPI_UINT64_T, comm);
  border[0] = 0;
  for (int rank = 0; rank < n_ranks; rank++) border[rank + 1] += border[rank];
}

void rx_transpose_partition(size_t n, int n_ranks, size_t *border) {
  border[0] = 0;
  for (int rank = 0; rank < n_ranks; rank++) {
    size_t first, count;

    rx_partition(n, rank, n_ranks, &first, &count);
    border[rank + 1] = border[rank] + count;
  }
}
