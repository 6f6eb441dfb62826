#include "kept.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

enum { FIRST_ROOM = 1024, AT_ONCE = 1 << 20 };

rx_status rx_kept_create(double limit, rx_kept **out) {
  RX_TRY(RX_NEW(out, "associate: hits", 1));
  (*out)->log10_limit = log10(limit);
  return RX_OK;
}

void rx_kept_destroy(rx_kept **kept) {
  if (*kept) free((*kept)->hit);
  free(*kept);
  *kept = NULL;
}

static rx_status make_room(rx_kept *k, size_t room) {
  rx_hit *larger;

  if (room <= k->room) return RX_OK;
  RX_TRY(RX_NEW(&larger, "associate: hits", room));
  if (k->n) memcpy(larger, k->hit, k->n * sizeof *larger);
  free(k->hit);
  k->hit = larger;
  k->room = room;
  return RX_OK;
}

rx_status rx_kept_add(rx_kept *k, const rx_hit *hit) {
  if (k->n == k->room) RX_TRY(make_room(k, k->room ? 2 * k->room : FIRST_ROOM));
  k->hit[k->n++] = *hit;
  return RX_OK;
}

/* Takes n hits of a rank, or sends them to rank 0, in messages of bounded size. */
static void move_hits(MPI_Comm comm, int rank, int from, rx_hit *hit, size_t n) {
  for (size_t first = 0; first < n; first += AT_ONCE) {
    size_t count = n - first < AT_ONCE ? n - first : AT_ONCE;
    int bytes = (int)(count * sizeof *hit);
    if (rank == 0)
      MPI_Recv(hit + first, bytes, MPI_BYTE, from, 0, comm, MPI_STATUS_IGNORE);
    else
      MPI_Send(hit + first, bytes, MPI_BYTE, 0, 0, comm);
  }
}

rx_status rx_kept_gather(MPI_Comm comm, rx_kept *k) {
  int rank, n_ranks;
  uint64_t mine = k->n, *counts = NULL, all = 0;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  rx_status status = RX_NEW(&counts, "associate: hits", n_ranks);
  if ((status = RX_AGREE(comm, status))) goto done;
  MPI_Allgather(&mine, 1, MPI_UINT64_T, counts, 1, MPI_UINT64_T, comm);
  for (int r = 0; r < n_ranks; r++) all += counts[r];
  if ((status = RX_AGREE(comm, rank == 0 ? make_room(k, (size_t)all) : RX_OK))) goto done;
  for (int from = 1; from < n_ranks; from++) {
    if (rank && rank != from) continue;
    move_hits(comm, rank, from, k->hit + (rank ? 0 : k->n), (size_t)counts[from]);
    k->n = rank ? 0 : k->n + (size_t)counts[from];
  }
  if (k->n) qsort(k->hit, k->n, sizeof *k->hit, rx_hits_compare);
done:
  free(counts);
  return status;
}

/* ---- the table ---- */

static double real_of(const rx_hit *h, int column) {
  const double reals[] = {h->t,
                          h->beta,
                          h->se,
                          h->df,
                          h->log10_p,
                          pow(10, h->log10_q_factor),
                          pow(10, h->log10_q_all),
                          pow(10, h->log10_q_hierarchical),
                          h->lambda,
                          h->log10_p_means,
                          h->log10_p_permutation,
                          h->log10_p_permutation_all};
  return reals[column];
}

static const char *const real_names[] = {"t",
                                         "beta",
                                         "se",
                                         "df",
                                         "log10_p",
                                         "q_factor",
                                         "q_all",
                                         "q_hierarchical",
                                         "variance_ratio",
                                         "log10_p_means",
                                         "log10_p_permutation",
                                         "log10_p_permutation_all"};

static rx_status fill_frame(const rx_kept *k, bool is_permuted, rx_frame *frame) {
  static const char *const integers[] = {"feature", "factor", "status"};
  const int n_reals = (int)(sizeof real_names / sizeof *real_names) - (is_permuted ? 0 : 2);
  rx_column *column;
  char name[32];

  for (size_t h = 0; h < k->n; h++) {
    snprintf(name, sizeof name, "%zu", h);
    RX_TRY(rx_frame_name(frame, h, name));
  }
  for (int i = 0; i < 3; i++) {
    RX_TRY(rx_frame_add(frame, integers[i], RX_INTEGER, &column));
    for (size_t h = 0; h < k->n; h++)
      column->integer[h] = i == 0 ? k->hit[h].feature : i == 1 ? k->hit[h].factor : k->hit[h].fit;
  }
  for (int i = 0; i < n_reals; i++) {
    RX_TRY(rx_frame_add(frame, real_names[i], RX_REAL, &column));
    for (size_t h = 0; h < k->n; h++) column->real[h] = real_of(&k->hit[h], i);
  }
  return RX_OK;
}

rx_status rx_kept_put(const rx_kept *k, bool is_permuted, rx_store *store) {
  rx_frame *frame = NULL;

  RX_TRY(rx_store_put_integer(store, "uns/n_hits_kept", (int64_t)k->n));
  if (!k->n) return RX_OK;
  rx_status status = rx_frame_create(k->n, &frame);
  if (!status) status = fill_frame(k, is_permuted, frame);
  if (!status) status = rx_store_put_frame(store, "uns/hits", frame);
  rx_frame_destroy(&frame);
  return status;
}
