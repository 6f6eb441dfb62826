/* slice_groups.h: k-means of slices on their principal components, and who is in which group. */
#ifndef RADMIX_CLUSTERING_SLICE_GROUPS_H
#define RADMIX_CLUSTERING_SLICE_GROUPS_H

#include "data.h"
#include "kmeans.h"
#include "radmix/job.h"

typedef struct {
  rx_kmeans *fit;
  int *labels;          /* [n_slices], of all ranks; groups in the order of their first slices */
  int64_t *composition; /* [n_clusters][n_patients], slices */
  size_t n_sampled;
  double silhouette; /* mean over the sample: some slices of each patient */
} rx_slice_groups;

/* Fits. Collective. scores  [data->count][n_components], of this rank's slices
 * Errors: RX_ERR_MEMORY. */
rx_status rx_slice_groups_fit(const rx_job *job, int isa, const rx_cluster_data *data,
                              const double *scores, size_t n_components, size_t n_clusters,
                              rx_slice_groups **out);
void rx_slice_groups_destroy(rx_slice_groups **groups);

#endif
