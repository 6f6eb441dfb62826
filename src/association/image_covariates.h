/* image_covariates.h: what is known of each slice and goes into every model beside the factor.
 *
 * With z the covariates of a slice and y its feature, a fit needs of each patient the means of z,
 * the products of z around these means, and the products of z and y: three sums, made in one pass
 * over the slices. A number is one column; a text has a column for each of its levels, of which a
 * fit leaves out the first that it sees. */
#ifndef RADMIX_ASSOCIATION_IMAGE_COVARIATES_H
#define RADMIX_ASSOCIATION_IMAGE_COVARIATES_H

#include <mpi.h>
#include <stdbool.h>

#include "radmix/frame.h"
#include "radmix/status.h"
#include "radmix/text.h"

typedef struct {
  int n_columns;
  int *covariate; /* [n_columns], place in the list; owned, as all that follows */
  bool *is_level; /* [n_columns], of a text */
  size_t n_rows, n_patients;
  double *deviation;         /* [n_rows][n_columns], from the mean of the patient's rows before */
  double *origin;            /* [n_columns], taken off, so that a large offset costs no digits */
  double *mean;              /* [n_patients][n_columns], from origin */
  double *product;           /* [n_patients][n_columns][n_columns], around the means */
  double *cross;             /* [n_patients][n_columns][n_features], with the features */
  unsigned char *is_missing; /* [n_patients], in one slice or more */
} rx_image_covariates;

/* Takes columns of the slices and sums them up. Local; cross is left at 0.
 * slices   a row a slice
 * names    columns of slices; path, for messages
 * patient  [slices->n_rows], 0 .. n_patients - 1
 * Errors: RX_ERR_CONFIG (no such column, too many levels), RX_ERR_MEMORY. */
rx_status rx_image_covariates_create(const rx_frame *slices, const rx_list *names, const char *path,
                                     const size_t *patient, size_t n_patients, size_t n_features,
                                     rx_image_covariates **out);
void rx_image_covariates_destroy(rx_image_covariates **covariates);

/* Gives all ranks the sums of rank 0 (deviation stays there). Collective. Errors: RX_ERR_MEMORY. */
rx_status rx_image_covariates_share(MPI_Comm comm, size_t n_patients, size_t n_features,
                                    rx_image_covariates **covariates);

/* Adds one slice to the products with some features.
 * deviation  [n_columns], of this slice
 * value      [n_features], deviations of the features from the means that include this slice
 * cross      [n_columns][n_features], of its patient */
void rx_image_covariates_add(int n_columns, const double *deviation, size_t n_features,
                             const double *value, double *cross);

#endif
