/* measures.h: the features, summed up by patient.
 *
 * All that a fit needs of the slices of a patient is their number, the mean of the feature and the
 * sum of squares around that mean. They come from patients.h5ad, or are made from a table or a
 * matrix with one or several rows a patient. */
#ifndef RADMIX_ASSOCIATION_MEASURES_H
#define RADMIX_ASSOCIATION_MEASURES_H

#include <mpi.h>

#include "image_covariates.h"
#include "radmix/frame.h"
#include "radmix/status.h"

typedef struct {
  size_t n_patients, n_features;
  rx_frame *patients; /* names, and what columns there were; owned, as all that follows */
  rx_frame *features;
  double *rows; /* [n_patients], n_i */
  double *
      origin; /* [n_features], what was taken off all values of a feature before they were summed */
  double *mean;   /* [n_patients][n_features], from origin; NaN where a value is not finite */
  double *within; /* [n_patients][n_features], sum of squares around the mean */
  rx_image_covariates *image; /* NULL without */
} rx_measures;

/* Reads path on all ranks: .h5ad with layers/within_ss and obs/n_images (patients), .h5ad with
 * obs/patient (slices), any other .h5ad (a row a patient), or a text table, where `patient` names
 * the patient, `image`, `volume` and `slice` are labels, another first column is a name, and all
 * the rest are features. Patients keep the order in which they come. Collective.
 * image_covariates  columns of the slices, with commas; "" for none. They need rows of slices.
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT (with the line of the cell), RX_ERR_CONFIG (image
 * covariates), RX_ERR_MEMORY. */
rx_status rx_measures_load(MPI_Comm comm, const char *path, const char *image_covariates,
                           rx_measures **out);
void rx_measures_destroy(rx_measures **measures);

/* Adds rows to sums: mean and within [n_patients][n_columns] are brought up to date, row by row
 * (Welford 1962). Local.
 * patient   [n_rows], index
 * n_before  [n_patients], rows seen so far; brought up to date
 * origin    [n_columns], taken off the values first, so that a large offset costs no digits
 * value     [n_rows][n_columns] */
void rx_measures_add(size_t n_rows, size_t n_columns, const size_t *patient, const double *value,
                     const double *origin, double *n_before, double *mean, double *within);
/* Sets origin to the first row, or 0 where that is not finite. */
void rx_measures_start(size_t n_columns, const double *value, double *origin);

#endif
