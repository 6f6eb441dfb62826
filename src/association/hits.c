#include "hits.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/association.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { FIRST_ROOM = 256 };

rx_status rx_hits_create(size_t most, rx_hits **out) {
  RX_TRY(RX_NEW(out, "associate: hits", 1));
  (*out)->most = most;
  return RX_OK;
}

void rx_hits_destroy(rx_hits **hits) {
  if (*hits) free((*hits)->hit);
  free(*hits);
  *hits = NULL;
}

int rx_hits_compare(const void *a, const void *b) {
  const rx_hit *x = a, *y = b;

  if (x->log10_q_hierarchical != y->log10_q_hierarchical)
    return x->log10_q_hierarchical < y->log10_q_hierarchical ? -1 : 1;
  if (x->log10_p != y->log10_p) return x->log10_p < y->log10_p ? -1 : 1;
  if (x->factor != y->factor) return x->factor < y->factor ? -1 : 1;
  return (x->feature > y->feature) - (x->feature < y->feature);
}

/* Sorts, and keeps the strongest. */
static void prune(rx_hits *h) {
  qsort(h->hit, h->n, sizeof *h->hit, rx_hits_compare);
  if (h->n < h->most) return;
  h->n = h->most;
  h->weakest = h->hit[h->most - 1];
  h->is_full = true;
}

static rx_status grow(rx_hits *h, size_t room) {
  rx_hit *larger;

  RX_TRY(RX_NEW(&larger, "associate: hits", room));
  if (h->n) memcpy(larger, h->hit, h->n * sizeof *larger);
  free(h->hit);
  h->hit = larger;
  h->room = room;
  return RX_OK;
}

rx_status rx_hits_offer(rx_hits *h, const rx_hit *hit) {
  if (!h->most || (h->is_full && rx_hits_compare(hit, &h->weakest) > 0)) return RX_OK;
  if (h->n == 2 * h->most) prune(h);
  if (h->n == h->room) {
    size_t room = h->room ? 2 * h->room : FIRST_ROOM;
    RX_TRY(grow(h, room < 2 * h->most ? room : 2 * h->most));
  }
  h->hit[h->n++] = *hit;
  return RX_OK;
}

/* Takes the places of each rank's hits in a message of bytes. */
static rx_status plan(MPI_Comm comm, size_t n, int n_ranks, int *counts, int *starts,
                      size_t *total) {
  const size_t size = sizeof(rx_hit);
  int64_t mine = (int64_t)(n * size), sum = 0;

  *total = 0;
  MPI_Allreduce(&mine, &sum, 1, MPI_INT64_T, MPI_SUM, comm);
  if (sum > INT_MAX)
    return RX_FAIL(RX_ERR_CONFIG,
                   "associate: expected at most %d strongest cells in all, found %lld",
                   (int)(INT_MAX / size), (long long)sum / (long long)size);
  counts[0] = (int)mine;
  int here = (int)mine;
  MPI_Allgather(&here, 1, MPI_INT, counts, 1, MPI_INT, comm);
  for (int r = 1; r < n_ranks; r++) starts[r] = starts[r - 1] + counts[r - 1];
  *total = (size_t)sum / size;
  return RX_OK;
}

rx_status rx_hits_share(MPI_Comm comm, rx_hits *h) {
  int n_ranks, *counts = NULL, *starts = NULL;
  rx_hit *all = NULL;
  size_t total = 0;

  MPI_Comm_size(comm, &n_ranks);
  if (h->n) prune(h);
  rx_status status = RX_NEW(&counts, "associate: hits", n_ranks);
  if (!status) status = RX_NEW(&starts, "associate: hits", n_ranks);
  if ((status = RX_AGREE(comm, status))) goto done;
  if ((status = plan(comm, h->n, n_ranks, counts, starts, &total))) goto done;
  if ((status = RX_NEW_AGREED(comm, &all, "associate: hits", total))) goto done;
  MPI_Allgatherv(h->hit, (int)(h->n * sizeof *all), MPI_BYTE, all, counts, starts, MPI_BYTE, comm);
  free(h->hit);
  h->hit = all, all = NULL;
  h->n = h->room = total;
  if (total) prune(h);
done:
  free(all);
  free(starts);
  free(counts);
  return status;
}

/* ---- the table ---- */

/* 10^log10, also where a double would be 0. */
static void print_power(FILE *file, double log10_value) {
  if (isnan(log10_value))
    fputs("\tNA", file);
  else if (log10_value > -300 || isinf(log10_value))
    fprintf(file, "\t%.6g", pow(10, log10_value));
  else
    fprintf(file, "\t%.5fe%.0f", pow(10, log10_value - floor(log10_value)), floor(log10_value));
}

static void print_number(FILE *file, double value) {
  if (isnan(value))
    fputs("\tNA", file);
  else
    fprintf(file, "\t%.10g", value);
}

void rx_hits_print(const rx_hits *hits, const rx_frame *features, const rx_frame *factors,
                   bool is_permuted, FILE *file) {
  const rx_column *kind = rx_frame_find(factors, "kind");

  fprintf(file,
          "feature\tfactor\tkind\tn_patients\tbeta\tse\tt\tdf\tlog10_p\tq_factor\tq_all\t"
          "q_hierarchical\tvariance_ratio\tlog10_p_means%s\tstatus\n",
          is_permuted ? "\tlog10_p_permutation\tlog10_p_permutation_all" : "");
  for (size_t h = 0; h < hits->n; h++) {
    const rx_hit *hit = &hits->hit[h];
    fprintf(file, "%s\t%s\t%s\t%lld", features->names[hit->feature], factors->names[hit->factor],
            kind && kind->kind == RX_TEXT ? kind->text[hit->factor] : "",
            (long long)hit->n_patients);
    print_number(file, hit->beta);
    print_number(file, hit->se);
    print_number(file, hit->t);
    print_number(file, hit->df);
    print_number(file, hit->log10_p);
    print_power(file, hit->log10_q_factor);
    print_power(file, hit->log10_q_all);
    print_power(file, hit->log10_q_hierarchical);
    print_number(file, hit->lambda);
    print_number(file, hit->log10_p_means);
    if (is_permuted) print_number(file, hit->log10_p_permutation);
    if (is_permuted) print_number(file, hit->log10_p_permutation_all);
    fprintf(file, "\t%s\n", rx_fit_name((rx_fit)hit->fit));
  }
}
