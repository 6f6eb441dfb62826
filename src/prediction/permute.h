/* permute.h: what the whole nested fit finds when outcomes are given to other patients.
 *
 * The features are patient means, one row a patient. Labels are permuted over the patients that
 * have rows and an outcome, folds are dealt anew so that they are stratified by the permuted
 * outcome, lambda is chosen anew within them. The outcomes as they are go the same way first, and
 * are what the permutations are compared with: p = (1 + #{as good or better}) / (1 + B). The figure
 * is the AUC of the patients' scores (gaussian: the correlation). */
#ifndef RADMIX_PREDICTION_PERMUTE_H
#define RADMIX_PREDICTION_PERMUTE_H

#include "prediction/results.h"

/* Permutes the labels of all outcomes that are predicted from a set, prediction.permutations times,
 * and says beforehand how long that takes. Collective.
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERRUPTED. */
rx_status rx_permute_set(const rx_job *job, rx_results *results, int set, int isa);

#endif
