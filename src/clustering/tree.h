/* tree.h: hierarchical clusters of points, with silhouettes. */
#ifndef RADMIX_CLUSTERING_TREE_H
#define RADMIX_CLUSTERING_TREE_H

#include "distance.h"
#include "radmix/clustering.h"
#include "radmix/job.h"

/* Numbers of clusters whose mean silhouette is given as a guide: 2 .. RX_MOST_GUIDES + 1. */
enum { RX_MOST_GUIDES = 9 };

typedef struct {
  size_t n, n_clusters, n_guides;
  rx_linkage *linkage;          /* rank 0 only */
  int *labels;                  /* [n] */
  double *silhouette;           /* [n]; NAN with one cluster */
  double mean;                  /* of the silhouettes */
  double guide[RX_MOST_GUIDES]; /* mean silhouette with 2, 3, ... clusters */
} rx_tree;

/* Grows a tree and cuts it into n_clusters (at most n), or at height when that is a number. The
 * tree is made on rank 0, the silhouettes by all ranks; all get the same. Collective.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_tree_grow(const rx_job *job, int isa, const rx_points *points,
                       rx_linkage_method method, size_t n_clusters, double height, rx_tree **out);
void rx_tree_destroy(rx_tree **tree);

#endif
