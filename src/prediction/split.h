/* split.h: how the patients of a run, or the rows of a set, are dealt to outer folds. */
#ifndef RADMIX_PREDICTION_SPLIT_H
#define RADMIX_PREDICTION_SPLIT_H

#include "prediction/folds.h"
#include "prediction/panel.h"

/* Folds of patients: those of prediction.fold_file, or dealt so that each class of each outcome is
 * spread evenly; with prediction.folds = 1 a single split that holds out test_share. Collective.
 * Errors: those of rx_folds_read(), RX_ERR_MEMORY. */
rx_status rx_split_patients(const rx_job *job, const rx_panel *panel, rx_folds **out);

/* Deals n units to the folds of one repeat. fold [n] set; negative on entry takes no part. Local.
 */
rx_status rx_split_deal(const rx_config *config, size_t n, int n_labels,
                        const unsigned char *labels, int n_folds, rx_random *random, int *fold);

/* Folds of the rows of a set, whatever patient they are of: as many as folds has, and as many
 * repeats. Rows of patients that take no part there take none. fold [n_repeats][set->n_rows], to be
 * freed. Local. Errors: RX_ERR_MEMORY. */
rx_status rx_split_rows(const rx_job *job, const rx_panel *panel, const rx_feature_set *set,
                        const rx_folds *folds, int **fold);

#endif
