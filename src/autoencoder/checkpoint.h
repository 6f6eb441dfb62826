/* checkpoint.h: training that was interrupted goes on where it was, with the same bits, on any
 * number of ranks.
 *
 * checkpoint.h5 holds the state of training.h, the recipe it belongs to, and an xxh64 of all of it;
 * checkpoint-previous.h5 is the one before, used when the newer is damaged. Both are removed when
 * the model is written. */
#ifndef RADMIX_AUTOENCODER_CHECKPOINT_H
#define RADMIX_AUTOENCODER_CHECKPOINT_H

#include <stdbool.h>

#include "radmix/result.h"
#include "training_state.h"

/* Writes the state of rank 0. Collective over job->comm. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_checkpoint_write(const rx_job *job, const rx_recipe *recipe, rx_training_state *state);

/* Fills the state from the newest checkpoint that is whole; is_found tells whether there is one;
 * the state is to be begun anew where there is none. A damaged one is named in a warning.
 * Collective over job->comm. Errors: RX_ERR_EXISTS when it belongs to another recipe, naming the
 * first difference, unless job->force; RX_ERR_MEMORY. */
rx_status rx_checkpoint_read(const rx_job *job, const rx_recipe *recipe, rx_training_state *state,
                             bool *is_found);

/* Removes the checkpoints. Local, rank 0. */
void rx_checkpoint_remove(const rx_job *job);

#endif
