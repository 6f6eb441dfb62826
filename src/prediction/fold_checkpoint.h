/* fold_checkpoint.h: the outer folds and permutations that are done, kept in
 * predictions-checkpoint.h5 of study.directory until predictions.h5 is there.
 *
 * The file holds the id of the recipe; one of another recipe is passed over. What is read back is
 * bit for bit what was computed, so that a run that goes on gives the result of one left alone. */
#ifndef RADMIX_PREDICTION_FOLD_CHECKPOINT_H
#define RADMIX_PREDICTION_FOLD_CHECKPOINT_H

#include <stdint.h>

#include "prediction/results.h"

typedef struct rx_fold_checkpoint rx_fold_checkpoint;

/* Looks for a checkpoint of this recipe, and says what it found. Collective. Errors: RX_ERR_INPUT
 * (it cannot be read), RX_ERR_MEMORY. */
rx_status rx_fold_checkpoint_open(const rx_job *job, uint64_t recipe, rx_fold_checkpoint **out);
void rx_fold_checkpoint_close(rx_fold_checkpoint **checkpoint);

/* Names what is to be saved. results [n], looked at until the end */
void rx_fold_checkpoint_watch(rx_fold_checkpoint *checkpoint, int n, rx_results *const *results);

/* Takes over what is done of a prediction of results number k, if anything is. Local. */
rx_status rx_fold_checkpoint_restore_nested(const rx_fold_checkpoint *checkpoint, int k,
                                            int outcome, int set, const rx_nested_plan *plan,
                                            const rx_feature_set *features, rx_nested *nested);
rx_status rx_fold_checkpoint_restore_permutations(const rx_fold_checkpoint *checkpoint, int outcome,
                                                  int set, int n, rx_prediction *p);

/* Saves when a minute has gone since the last time. When the run has been asked to stop, saves and
 * returns RX_ERR_INTERRUPTED. Collective. checkpoint may be NULL. Errors: RX_ERR_OUTPUT. */
rx_status rx_fold_checkpoint_pause(const rx_job *job, rx_fold_checkpoint *checkpoint);

/* Removes the file. Local (rank 0). */
void rx_fold_checkpoint_remove(const rx_job *job);

#endif
