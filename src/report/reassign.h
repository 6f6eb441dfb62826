/* reassign.h: factors.h5ad with its rows given to other patients. */
#ifndef RADMIX_REPORT_REASSIGN_H
#define RADMIX_REPORT_REASSIGN_H

#include "radmix/job.h"
#include "radmix/status.h"

/* Writes the factors of `from` as `to`.
 * keep         patients who stay, by their names; n_keep 0: none; the others are left out
 * permutation  0: every patient keeps their factors; k: the k-th permutation over those who stay,
 *              within the levels of association.blocks
 * Collective. Errors: RX_ERR_INPUT, RX_ERR_CONFIG, RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_reassign_factors(const rx_job *job, const char *from, const char *to, size_t n_keep,
                              char *const *keep, int permutation);

#endif
