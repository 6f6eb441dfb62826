/* results.h: all that the stage finds, and its file. */
#ifndef RADMIX_CLUSTERING_RESULTS_H
#define RADMIX_CLUSTERING_RESULTS_H

#include "between.h"
#include "data.h"
#include "pca.h"
#include "radmix/job.h"
#include "radmix/result.h"
#include "slice_groups.h"
#include "tree.h"

/* A t-SNE; y is NULL when there are too few points. */
typedef struct {
  double perplexity, divergence;
  double *y; /* [n][2] */
} rx_picture;

/* Of features there are n_used, in the order of data->is_used. The same on all ranks but for
 * scores. */
typedef struct {
  rx_tree *patients, *features;
  rx_pca *slice_components, *patient_components; /* NULL when not asked for */
  double *scores;         /* [data->count][components], of this rank's slices */
  double *patient_scores; /* [n_patients][components], over patients */
  double *mean_scores;    /* [n_patients][components], patient means along those over slices */
  double *score_between;  /* [components], share of variance between patients over slices */
  rx_picture patient_picture, feature_picture;
  rx_slice_groups *groups; /* NULL: none */
  double *icc, *between;   /* [n_used]: ICC; share of variance between patients, NAN without any */
  double share_between;    /* of all features' variance */
  rx_effective effective;  /* features, from the correlations of patient means */
  rx_frame *tests, *slice_columns; /* rank 0 */
} rx_cluster_results;

void rx_cluster_results_clear(rx_cluster_results *results);

/* Writes clusters.h5ad. Collective. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_cluster_results_write(const rx_job *job, const rx_recipe *recipe, const char *path,
                                   const rx_cluster_data *data, const rx_cluster_results *results);

#endif
