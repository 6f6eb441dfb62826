/* features.h: deep radiomic features (DRFs) of every slice, and their summaries by patient.
 *
 * The encoder of model.h5 gives channels x rows x columns values a slice, the DRFs. Normalisation
 * `quantile` is that of Liu & Hu 2023: the reference is the mean over slices of the r-th smallest
 * value of a slice; each value becomes the reference at its rank, the smallest rank among ties.
 * patients.h5ad has for each patient the mean of each DRF and the sum of squares around it. Sums
 * over slices run by patient, then in patient order: the same bits at any number of ranks. */
#ifndef RADMIX_FEATURES_H
#define RADMIX_FEATURES_H

#include "radmix/job.h"
#include "radmix/status.h"

/* radmix encode: images.h5ad and model.h5 to features.h5ad and patients.h5ad. Collective.
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT, RX_ERR_EXISTS, RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_features_run(const rx_job *job);

#endif
