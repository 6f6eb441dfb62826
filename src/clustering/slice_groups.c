#include "slice_groups.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "distance.h"
#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/random.h"

enum { STARTS = 10, SAMPLE = 2000 };

void rx_slice_groups_destroy(rx_slice_groups **groups) {
  if (!*groups) return;
  rx_kmeans_destroy(&(*groups)->fit);
  free((*groups)->labels);
  free((*groups)->composition);
  free(*groups);
  *groups = NULL;
}

/* ---- labels of all ranks ---- */

/* Renumbers the groups in the order of their first slices. names  [n_clusters], workspace */
static void renumber(rx_slice_groups *groups, size_t n_slices, size_t n_clusters, int *names) {
  int next = 0;

  for (size_t c = 0; c < n_clusters; c++) names[c] = -1;
  for (size_t s = 0; s < n_slices; s++) {
    int *name = &names[groups->labels[s]];
    if (*name < 0) *name = next++;
    groups->labels[s] = *name;
  }
  for (size_t c = 0; c < n_clusters; c++) /* groups that ended empty */
    if (names[c] < 0) names[c] = next++;
}

/* Puts centres and counts in the order of the new names. */
static rx_status reorder(rx_kmeans *fit, const int *names) {
  size_t size = fit->n_clusters * fit->n_dims;
  double *centres;
  int64_t *counts;

  RX_TRY(RX_NEW(&centres, "k-means", size));
  rx_status status = RX_NEW(&counts, "k-means", fit->n_clusters);
  for (size_t c = 0; c < fit->n_clusters && !status; c++) {
    memcpy(centres + (size_t)names[c] * fit->n_dims, fit->centres + c * fit->n_dims,
           fit->n_dims * sizeof *centres);
    counts[names[c]] = fit->counts[c];
  }
  if (!status) memcpy(fit->centres, centres, size * sizeof *centres);
  if (!status) memcpy(fit->counts, counts, fit->n_clusters * sizeof *counts);
  free(counts);
  free(centres);
  return status;
}

static rx_status count_composition(const rx_cluster_data *data, rx_slice_groups *groups) {
  RX_TRY(RX_NEW(&groups->composition, "k-means", groups->fit->n_clusters * data->n_patients));
  for (size_t s = 0; s < data->n_slices; s++)
    groups->composition[(size_t)groups->labels[s] * data->n_patients +
                        (size_t)data->slice_patient[s]]++;
  return RX_OK;
}

/* Collective. */
static rx_status share_labels(MPI_Comm comm, const rx_cluster_data *data, rx_slice_groups *groups) {
  int *names = NULL;

  rx_status status = RX_NEW(&groups->labels, "k-means", data->n_slices);
  if (!status) status = RX_NEW(&names, "k-means", groups->fit->n_clusters);
  if (!(status = RX_AGREE(comm, status))) {
    memcpy(groups->labels + data->first, groups->fit->labels, data->count * sizeof(int));
    MPI_Allreduce(MPI_IN_PLACE, groups->labels, (int)data->n_slices, MPI_INT, MPI_SUM, comm);
    renumber(groups, data->n_slices, groups->fit->n_clusters, names);
    status = reorder(groups->fit, names);
    if (!status) status = count_composition(data, groups);
    status = RX_AGREE(comm, status);
  }
  free(names);
  return status;
}

/* ---- the sample of the silhouette ---- */

typedef struct {
  uint32_t key; /* random */
  int patient;
  size_t slice;
} candidate;

static int compare_candidates(const void *left, const void *right) {
  const candidate *a = left, *b = right;

  if (a->patient != b->patient) return a->patient < b->patient ? -1 : 1;
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return (a->slice > b->slice) - (a->slice < b->slice);
}

/* Draws the same number of slices of each patient (all when it has not so many).
 * sample  [n_slices], set; n_sampled  how many */
static rx_status draw_sample(const rx_cluster_data *data, uint64_t seed, size_t *sample,
                             size_t *n_sampled) {
  size_t each = SAMPLE / data->n_patients > 1 ? SAMPLE / data->n_patients : 1, taken = 0;
  candidate *candidates;

  RX_TRY(RX_NEW(&candidates, "sample", data->n_slices));
  for (size_t s = 0; s < data->n_slices; s++) {
    rx_random random = rx_random_at(seed, RX_RANDOM_CLUSTERS, UINT32_MAX - 1, (uint32_t)s);
    candidates[s] = (candidate){rx_random_u32(&random), data->slice_patient[s], s};
  }
  qsort(candidates, data->n_slices, sizeof *candidates, compare_candidates);
  *n_sampled = 0;
  for (size_t s = 0; s < data->n_slices; s++) {
    taken = s && candidates[s].patient == candidates[s - 1].patient ? taken + 1 : 0;
    if (taken < each) sample[(*n_sampled)++] = candidates[s].slice;
  }
  free(candidates);
  return RX_OK;
}

/* Gives all ranks the scores of the sample. out  [n][k], zeros; collective */
static void gather_scores(MPI_Comm comm, const rx_cluster_data *data, const double *scores,
                          size_t k, const size_t *sample, size_t n, double *out) {
  for (size_t i = 0; i < n; i++)
    if (sample[i] >= data->first && sample[i] < data->first + data->count)
      memcpy(out + i * k, scores + (sample[i] - data->first) * k, k * sizeof *out);
  MPI_Allreduce(MPI_IN_PLACE, out, (int)(n * k), MPI_DOUBLE, MPI_SUM, comm);
}

/* The sum of the silhouettes of this rank's part of the sample. */
static rx_status add_silhouettes(const rx_job *job, int isa, const rx_points *points,
                                 const int *labels, size_t n_clusters, double *sum) {
  size_t n = points->n, first, count;
  double *work;
  int64_t *counts;

  RX_TRY(RX_NEW(&work, "silhouettes", n + n_clusters));
  rx_status status = RX_NEW(&counts, "silhouettes", n_clusters);
  if (!status) {
    for (size_t i = 0; i < n; i++) counts[labels[i]]++;
    rx_partition(n, job->rank, job->n_ranks, &first, &count);
    for (size_t i = first; i < first + count; i++) {
      rx_distance_rows(isa, points, i, 1, work);
      *sum += rx_silhouette_of(work, n, labels, i, n_clusters, counts, work + n);
    }
  }
  free(counts);
  free(work);
  return status;
}

/* Collective. */
static rx_status judge(const rx_job *job, int isa, const rx_cluster_data *data,
                       const double *scores, size_t k, rx_slice_groups *groups) {
  size_t *sample = NULL, n = 0;
  double *values = NULL, sum = 0;
  int *labels = NULL;
  rx_points *points = NULL;

  rx_status status = RX_NEW(&sample, "sample", data->n_slices);
  if (!status) status = draw_sample(data, (uint64_t)job->config->study_seed, sample, &n);
  if (!status) status = RX_NEW(&values, "sample", n * k);
  if (!status) status = RX_NEW(&labels, "sample", n);
  if (!(status = RX_AGREE(job->comm, status))) {
    gather_scores(job->comm, data, scores, k, sample, n, values);
    for (size_t i = 0; i < n; i++) labels[i] = groups->labels[sample[i]];
    status = rx_points_of_rows(values, n, k, RX_EUCLIDEAN, &points);
    if (!status) status = add_silhouettes(job, isa, points, labels, groups->fit->n_clusters, &sum);
    status = RX_AGREE(job->comm, status);
  }
  if (!status) {
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, job->comm);
    groups->n_sampled = n;
    groups->silhouette = sum / (double)n;
  }
  rx_points_destroy(&points);
  free(labels);
  free(values);
  free(sample);
  return status;
}

rx_status rx_slice_groups_fit(const rx_job *job, int isa, const rx_cluster_data *data,
                              const double *scores, size_t n_components, size_t n_clusters,
                              rx_slice_groups **out) {
  const rx_kmeans_points points = {scores, data->count, n_components, data->first, data->n_slices};

  rx_status status = RX_NEW_AGREED(job->comm, out, "k-means", 1);
  if (!status)
    status = rx_kmeans_fit(job->comm, &points, n_clusters, (uint64_t)job->config->study_seed,
                           STARTS, &(*out)->fit);
  if (!status) status = share_labels(job->comm, data, *out);
  if (!status) status = judge(job, isa, data, scores, n_components, *out);
  if (status) rx_slice_groups_destroy(out);
  return status;
}
