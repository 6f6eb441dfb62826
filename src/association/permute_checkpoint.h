/* permute_checkpoint.h: permutations that were interrupted go on where they were, with the same
 * bits, on any number of ranks.
 *
 * associations-checkpoint.h5 holds what the first permutations gave, by factor, whichever rank had
 * it; the recipe they belong to; and an xxh64 of all of it. It is written anew every minute or so,
 * appears whole, and is removed when the associations are written. */
#ifndef RADMIX_ASSOCIATION_PERMUTE_CHECKPOINT_H
#define RADMIX_ASSOCIATION_PERMUTE_CHECKPOINT_H

#include "permute.h"
#include "radmix/result.h"

/* Writes permutations 0 .. done - 1. Collective. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_permute_save(const rx_grid *grid, const rx_recipe *recipe,
                          const rx_permutations *permutations, int done);

/* Fills the permutations from the checkpoint, if there is one; sets done, 0 without. A damaged one
 * is named in a warning. Collective.
 * Errors: RX_ERR_EXISTS when it belongs to another recipe, naming the first difference, unless
 * job->force; RX_ERR_MEMORY. */
rx_status rx_permute_restore(const rx_grid *grid, const rx_recipe *recipe,
                             rx_permutations *permutations, int *done);

/* Removes the checkpoint. Local, rank 0. */
void rx_permute_forget(const rx_job *job);

#endif
