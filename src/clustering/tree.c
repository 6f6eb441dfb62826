#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

void rx_tree_destroy(rx_tree **tree) {
  if (!*tree) return;
  rx_linkage_destroy(&(*tree)->linkage);
  free((*tree)->labels);
  free((*tree)->silhouette);
  free(*tree);
  *tree = NULL;
}

enum { ROWS_AT_ONCE = 16 };

/* A cut: its labels, and what silhouettes need of it. */
typedef struct {
  size_t n_clusters;
  int *labels;     /* [n] */
  int64_t *counts; /* [n_clusters] */
} cut;

/* The cut asked for is the first one, the guides follow. */
enum { MOST_CUTS = RX_MOST_GUIDES + 1 };
typedef struct {
  size_t n_cuts;
  cut cuts[MOST_CUTS];
  double *sums; /* [n] */
} cut_work;

static void destroy_work(cut_work *work) {
  for (size_t c = 0; c < MOST_CUTS; c++) {
    free(work->cuts[c].labels);
    free(work->cuts[c].counts);
  }
  free(work->sums);
}

static rx_status create_work(size_t n, cut_work *work) {
  rx_status status = RX_NEW(&work->sums, "clusters", n);

  for (size_t c = 0; c < work->n_cuts && !status; c++) {
    status = RX_NEW(&work->cuts[c].labels, "clusters", n);
    if (!status) status = RX_NEW(&work->cuts[c].counts, "clusters", n);
  }
  return status;
}

/* ---- rank 0 ---- */

static rx_status grow(int isa, const rx_points *points, rx_linkage_method method,
                      rx_linkage **linkage) {
  double *distances;

  RX_TRY(RX_NEW(&distances, "distances", points->n * points->n));
  rx_distance_rows(isa, points, 0, points->n, distances);
  rx_status status = rx_linkage_create(distances, points->n, method, linkage);
  free(distances);
  return status;
}

static rx_status make_cuts(const rx_linkage *linkage, size_t n_clusters, double height,
                           cut_work *work) {
  cut *c = work->cuts;

  RX_TRY(isfinite(height) ? rx_linkage_cut_height(linkage, height, c->labels, &c->n_clusters)
                          : rx_linkage_cut(linkage, n_clusters, c->labels, &c->n_clusters));
  for (size_t k = 1; k < work->n_cuts; k++)
    RX_TRY(rx_linkage_cut(linkage, k + 1, c[k].labels, &c[k].n_clusters));
  return RX_OK;
}

/* ---- all ranks ---- */

static void share_cuts(MPI_Comm comm, size_t n, cut_work *work) {
  for (size_t c = 0; c < work->n_cuts; c++) {
    rx_broadcast_bytes(comm, &work->cuts[c].n_clusters, sizeof work->cuts[c].n_clusters);
    rx_broadcast_bytes(comm, work->cuts[c].labels, n * sizeof *work->cuts[c].labels);
    for (size_t i = 0; i < n; i++) work->cuts[c].counts[work->cuts[c].labels[i]]++;
  }
}

/* Silhouettes of this rank's points for every cut.
 * distances  [ROWS_AT_ONCE][n], workspace; out  [n][n_cuts], zeros elsewhere */
static void find_silhouettes(const rx_job *job, int isa, const rx_points *points,
                             const cut_work *work, double *distances, double *out) {
  size_t first, count;

  rx_partition(points->n, job->rank, job->n_ranks, &first, &count);
  for (size_t i = first; i < first + count; i++) {
    size_t place = (i - first) % ROWS_AT_ONCE, left = first + count - i;
    if (!place)
      rx_distance_rows(isa, points, i, left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE, distances);
    for (size_t c = 0; c < work->n_cuts; c++)
      out[i * work->n_cuts + c] =
          rx_silhouette_of(distances + place * points->n, points->n, work->cuts[c].labels, i,
                           work->cuts[c].n_clusters, work->cuts[c].counts, work->sums);
  }
}

/* Collective. */
static rx_status judge(const rx_job *job, int isa, const rx_points *points, const cut_work *work,
                       rx_tree *tree) {
  size_t n = points->n;
  double *distances = NULL, *each = NULL;

  rx_status status = RX_NEW(&distances, "distances", ROWS_AT_ONCE * n);
  if (!status) status = RX_NEW(&each, "silhouettes", n * work->n_cuts);
  if (!(status = RX_AGREE(job->comm, status))) {
    find_silhouettes(job, isa, points, work, distances, each);
    MPI_Allreduce(MPI_IN_PLACE, each, (int)(n * work->n_cuts), MPI_DOUBLE, MPI_SUM, job->comm);
    for (size_t i = 0; i < n; i++) {
      const double *row = each + i * work->n_cuts;
      tree->silhouette[i] = row[0];
      tree->mean += row[0] / (double)n;
      for (size_t c = 1; c < work->n_cuts; c++) tree->guide[c - 1] += row[c] / (double)n;
    }
  }
  free(each);
  free(distances);
  return status;
}

static rx_status create(size_t n, rx_tree **out) {
  RX_TRY(RX_NEW(out, "clusters", 1));
  (*out)->n = n;
  (*out)->n_guides = n < 3 ? 0 : n - 2 < RX_MOST_GUIDES ? n - 2 : RX_MOST_GUIDES;
  RX_TRY(RX_NEW(&(*out)->labels, "clusters", n));
  return RX_NEW(&(*out)->silhouette, "clusters", n);
}

rx_status rx_tree_grow(const rx_job *job, int isa, const rx_points *points,
                       rx_linkage_method method, size_t n_clusters, double height, rx_tree **out) {
  cut_work work = {0};

  *out = NULL;
  rx_status status = create(points->n, out);
  if (!status) {
    work.n_cuts = 1 + (*out)->n_guides;
    status = create_work(points->n, &work);
  }
  if (!status && job->rank == 0) status = grow(isa, points, method, &(*out)->linkage);
  if (!status && job->rank == 0) status = make_cuts((*out)->linkage, n_clusters, height, &work);
  if (!(status = RX_AGREE(job->comm, status))) {
    share_cuts(job->comm, points->n, &work);
    (*out)->n_clusters = work.cuts[0].n_clusters;
    memcpy((*out)->labels, work.cuts[0].labels, points->n * sizeof(int));
    status = judge(job, isa, points, &work, *out);
  }
  destroy_work(&work);
  if (status) rx_tree_destroy(out);
  return status;
}
