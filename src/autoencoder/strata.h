/* strata.h: which slices train, which rank has them, and in what order they come.
 *
 * The training slices, in patient order, are cut into as many strata of equal length (+-1) as a
 * batch has places. A step takes the next slice of each stratum's own random order, so that an
 * epoch uses each slice once; the last step is smaller when the strata are unlike. A rank owns a
 * run of strata, hence a run of patients. None of this depends on the number of ranks. */
#ifndef RADMIX_AUTOENCODER_STRATA_H
#define RADMIX_AUTOENCODER_STRATA_H

#include "radmix/autoencoder.h"
#include "settings.h"

/* Slices of one purpose, and those of them that this rank has. */
typedef struct {
  size_t n_slices, n_patients; /* of all ranks */
  size_t first, n;             /* this rank's run */
  size_t *rows;                /* [n_slices], of the file; owned */
  double *weights;             /* [n_slices], their mean is 1; owned */
  float *pixels;               /* [n][size][size]; owned */
} rx_share;

typedef struct {
  rx_share training, validation;
  size_t n_strata;                    /* places of a batch */
  size_t first_stratum, n_own_strata; /* of this rank */
  int64_t n_steps;                    /* of an epoch */
  int64_t
      *order; /* [training.n], each stratum's slices (of this rank) in the order of this epoch */
} rx_strata;

/* Chooses and reads the slices. Collective over job->comm.
 * Errors: RX_ERR_INPUT when no slice is left to train on, or `split` has another word than train
 * and validate; RX_ERR_MEMORY. */
rx_status rx_strata_load(const rx_job *job, const rx_matrix *images, const rx_cohort *cohort,
                         const rx_training_settings *settings, rx_strata **out);
void rx_strata_destroy(rx_strata **strata);

/* Draws the order of an epoch. */
void rx_strata_shuffle(rx_strata *strata, uint64_t seed, int64_t epoch);

/* Returns how many slices a step has, over all ranks. */
int64_t rx_strata_step_size(const rx_strata *strata, int64_t step);

/* Returns the slice (counted within training.pixels) that a stratum of this rank gives to a step,
 * or -1 when it has no more. stratum  0 .. n_own_strata - 1 */
ptrdiff_t rx_strata_slice(const rx_strata *strata, size_t stratum, int64_t step);

#endif
