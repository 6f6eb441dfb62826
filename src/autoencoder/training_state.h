/* training_state.h: all that training needs to go on from a point. The same on every rank, bit for
 * bit, and independent of how many there are. */
#ifndef RADMIX_AUTOENCODER_TRAINING_STATE_H
#define RADMIX_AUTOENCODER_TRAINING_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

/* What an epoch gave. Epoch 0 is the network before training. */
typedef struct {
  double loss, validation_loss; /* NAN: not measured */
  double learning_rate;         /* of its last step */
  double n_dead;                /* features that are 0 on all training slices; NAN: not measured */
} rx_history_row;

typedef struct {
  size_t n_weights;
  float *weights, *best, *first, *second; /* [n_weights]: now, best, optimiser; in one array */
  int64_t epoch, step;                    /* epochs done; steps done of the one that is under way */
  int64_t n_optimised;                    /* steps of the optimiser */
  int64_t loss_sum;                       /* fixed point, of the epoch under way */
  int64_t best_epoch;
  double best_loss;        /* of validation */
  int64_t n_epochs;        /* that there may be */
  rx_history_row *history; /* [n_epochs + 1], rows 0 .. epoch are filled; owned */
} rx_training_state;

/* Allocates the arrays of a state. Errors: RX_ERR_MEMORY. */
rx_status rx_training_state_create(rx_training_state *state, size_t n_weights, int64_t n_epochs);
/* Sets all to 0 again. */
void rx_training_state_clear(rx_training_state *state);
void rx_training_state_destroy(rx_training_state *state);

#endif
