/* fold_checkpoint.h: the outer folds and permutations that are done, kept in
 * predictions-checkpoint.h5 of study.directory until predictions.h5 is there (resume.h).
 *
 * A file of another recipe is refused unless the job forces, a damaged one is named and passed
 * over. What is read back is bit for bit what was computed, so that a run that goes on gives the
 * result of one left alone. */
#ifndef RADMIX_PREDICTION_FOLD_CHECKPOINT_H
#define RADMIX_PREDICTION_FOLD_CHECKPOINT_H

#include "prediction/results.h"

typedef struct rx_fold_checkpoint rx_fold_checkpoint;

/* Looks for a checkpoint of this recipe, and says what it found. Collective.
 * results [n]: what is to be saved, looked at until the end, as is the recipe
 * Errors: RX_ERR_EXISTS (of another recipe), RX_ERR_MEMORY. */
rx_status rx_fold_checkpoint_open(const rx_job *job, const rx_recipe *recipe, int n,
                                  rx_results *const *results, rx_fold_checkpoint **out);
void rx_fold_checkpoint_close(rx_fold_checkpoint **checkpoint);

/* Takes over what is done of a prediction of results number k, if anything is; checkpoint may be
 * NULL. Local. */
void rx_fold_checkpoint_restore_nested(const rx_fold_checkpoint *checkpoint, int k, int outcome,
                                       int set, rx_nested *nested);
void rx_fold_checkpoint_restore_permutations(const rx_fold_checkpoint *checkpoint, int outcome,
                                             int set, rx_prediction *p);

/* Saves when a minute has gone since the last time. When the run has been asked to stop, saves and
 * returns RX_ERR_INTERRUPTED. Collective. checkpoint may be NULL. Errors: RX_ERR_OUTPUT. */
rx_status rx_fold_checkpoint_pause(const rx_job *job, rx_fold_checkpoint *checkpoint);

/* Removes the file. Local (rank 0). */
void rx_fold_checkpoint_remove(const rx_job *job);

#endif
