/* data.h: what the stage reads: slices and patients of the study, clinical columns. */
#ifndef RADMIX_CLUSTERING_DATA_H
#define RADMIX_CLUSTERING_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/frame.h"
#include "radmix/gram.h"
#include "radmix/job.h"

/* The same on all ranks but for the slices' values. A feature that is not finite in some slice or
 * patient takes no part: is_used tells, and its slices are zeros here. */
typedef struct {
  size_t n_patients, n_features, n_used;
  rx_frame *patients; /* names and clinical columns of the patients of study.subset */
  rx_frame *features; /* as features.h5ad has them */
  double *rows;       /* [n_patients], slices of each */
  double *means;      /* [n_patients][n_features], as in patients.h5ad */
  double *used_means; /* [n_patients][n_used] */
  double *within;     /* [n_patients][n_used], sums of squares around them; of the slices here when
                       * the file has none */
  bool *is_used;      /* [n_features] */

  size_t n_slices;     /* of these patients */
  rx_frame *slices;    /* names and columns of all of features.h5ad */
  size_t *slice_row;   /* [n_slices], the row in features.h5ad, rising */
  int *slice_patient;  /* [n_slices] */
  size_t first, count; /* slices of this rank */
  float *values;       /* [count][n_features] */
} rx_cluster_data;

/* Reads features.h5ad, patients.h5ad and study.clinical. Collective.
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT: not of the same features, no patient, nothing finite. */
rx_status rx_cluster_data_load(const rx_job *job, const char *features_path,
                               const char *patients_path, rx_cluster_data **out);
void rx_cluster_data_destroy(rx_cluster_data **data);

/* The slices of this rank as rows. */
rx_rows rx_cluster_data_rows(const rx_cluster_data *data);

#endif
