/* clustering.h: groups of patients and of features, and whether they mean anything.
 *
 * The command `cluster` reads features.h5ad and patients.h5ad and writes clusters.h5ad: principal
 * components over slices and over patients, hierarchical clusters and exact t-SNE of patients and
 * of features, k-means of slices, silhouettes, the share of variance between patients, and tests of
 * the clusters against clinical columns, whose sample is the patients, never the slices.
 *
 * Below is its mathematics of trees and labels: local functions with the conventions of R's
 * hclust(), cutree(), silhouette(), chisq.test(), fisher.test(), kruskal.test(). A label is 0 ..
 * k-1 (R: 1 .. k); -1 is a missing one and takes no part. */
#ifndef RADMIX_CLUSTERING_H
#define RADMIX_CLUSTERING_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/job.h"
#include "radmix/status.h"

/* Runs the stage. Collective over job->comm. */
rx_status rx_clustering_run(const rx_job *job);

/* ---- trees ---- */

typedef enum { RX_WARD_D2, RX_WARD_D, RX_AVERAGE, RX_COMPLETE, RX_SINGLE } rx_linkage_method;

/* A tree of n points: n - 1 merges from low to high. */
typedef struct {
  size_t n;
  int32_t *merge; /* [n-1][2]: -i is point i (from 1), i the merge i (from 1), as in hclust() */
  double *height; /* [n-1], not falling */
  int32_t *order; /* [n], points (from 1) from left to right, no two branches cross */
} rx_linkage;

/* Joins the points by the nearest-neighbour chain (Murtagh 1983; Bruynooghe 1977): n^2 steps.
 * distances  [n][n], symmetric, finite; used up as workspace
 * Where distances are equal the tree may differ from R's. Errors: RX_ERR_MEMORY. */
rx_status rx_linkage_create(double *distances, size_t n, rx_linkage_method method,
                            rx_linkage **out);
void rx_linkage_destroy(rx_linkage **linkage);

/* Cuts the tree into n_clusters (at most n), or at a height. Clusters are numbered in the order of
 * their first points. labels  [n], set; n_found  how many clusters there are.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_linkage_cut(const rx_linkage *linkage, size_t n_clusters, int *labels,
                         size_t *n_found);
rx_status rx_linkage_cut_height(const rx_linkage *linkage, double height, int *labels,
                                size_t *n_found);

/* ---- labels ---- */

/* Returns the silhouette of one point (Rousseeuw 1987); 0 alone in its cluster, NAN with fewer than
 * two clusters.
 * distances  [n], from the point; sums  [n_clusters], workspace; counts  [n_clusters] */
double rx_silhouette_of(const double *distances, size_t n, const int *labels, size_t point,
                        size_t n_clusters, const int64_t *counts, double *sums);

/* Returns the adjusted Rand index (Hubert & Arabie 1985) of two labelings; NAN when both are
 * trivial. Errors: RX_ERR_MEMORY. */
rx_status rx_compare_rand(const int *a, const int *b, size_t n, double *index);

typedef struct {
  int64_t n;        /* points that took part */
  int64_t df, df2;  /* df2: of the denominator of F */
  double statistic; /* NAN: none */
  double p;         /* NAN: cannot be tested */
} rx_test;

/* Pearson's chi-square of a x b without correction. Errors: RX_ERR_MEMORY, as below. */
rx_status rx_compare_chi_square(const int *a, const int *b, size_t n, rx_test *test);
/* Fisher's exact test of a x b: the tables at most as likely as the one seen, all enumerated; p is
 * NAN when there are more than 5 million. */
rx_status rx_compare_fisher(const int *a, const int *b, size_t n, rx_test *test);
/* Kruskal and Wallis, with the correction for ties. values  [n], NAN takes no part */
rx_status rx_compare_kruskal(const int *labels, const double *values, size_t n, rx_test *test);
/* One-way analysis of variance: F. */
rx_status rx_compare_anova(const int *labels, const double *values, size_t n, rx_test *test);

#endif
