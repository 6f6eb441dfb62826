/* shared_rows.h: feature sets too large for every rank to hold: rows shared over the ranks. */
#ifndef RADMIX_PREDICTION_SHARED_ROWS_H
#define RADMIX_PREDICTION_SHARED_ROWS_H

#include "prediction/panel.h"

/* Reads this rank's share of the rows whose patients are in the panel, into the first columns of
 * set->z, as they are in the file; set->n_features columns are made. Collective.
 * place  [file->n_rows], the row's patient, or -1. Errors: RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_shared_rows_read(const rx_job *job, const rx_feature_file *file,
                              const ptrdiff_t *place, rx_feature_set *set);

#endif
