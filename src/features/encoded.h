/* encoded.h: the features of this rank's patients, from values to ranks to normalised values. */
#ifndef RADMIX_FEATURES_ENCODED_H
#define RADMIX_FEATURES_ENCODED_H

#include <stdbool.h>

#include "radmix/autoencoder.h"
#include "radmix/job.h"

enum { RX_DENSITY_BINS = 200 };

/* How often values occur, in bins of equal width from 0 to most, over some 1,000 of the slices. */
typedef struct {
  double most;
  double before[RX_DENSITY_BINS], after[RX_DENSITY_BINS]; /* their integral is 1 */
} rx_density;

typedef struct {
  size_t n_features;
  size_t n_slices, first_slice;     /* of this rank, within cohort->rows */
  size_t n_patients, first_patient; /* of this rank */
  const size_t *rows;               /* [n_slices], of the file; view into the cohort */
  float *values;                    /* [n_slices][n_features], normalised at last; owned */
  float *raw;                       /* the same before normalisation, when kept; owned */
  double *reference;                /* [n_features]; NULL: not normalised; owned */
  double *fraction_zero;            /* [n_features], of all slices, before normalisation; owned */
  double *mean, *within_ss;         /* [n_patients][n_features]; owned */
  rx_density density;
  double seconds; /* of the encoder, on this rank */
} rx_encoded;

typedef struct {
  bool is_normalised, keeps_raw;
  const double *reference;  /* [n_features], given; NULL: made of these slices */
  const rx_names *training; /* whose slices it is made of; NULL: of all */
} rx_encoding;

/* Encodes the slices of this rank's patients, normalises, and sums by patient. Collective over
 * job->comm. Errors: RX_ERR_MEMORY, RX_ERR_INPUT. */
rx_status rx_encoded_make(const rx_job *job, const rx_matrix *images, const rx_cohort *cohort,
                          const rx_model *model, const rx_encoding *encoding, rx_encoded **out);
void rx_encoded_destroy(rx_encoded **encoded);

#endif
