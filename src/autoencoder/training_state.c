#include "training_state.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

rx_status rx_training_state_create(rx_training_state *state, size_t n_weights, int64_t n_epochs) {
  *state = (rx_training_state){.n_weights = n_weights, .n_epochs = n_epochs};
  RX_TRY(RX_NEW(&state->weights, "weights", 4 * n_weights));
  state->best = state->weights + n_weights;
  state->first = state->best + n_weights;
  state->second = state->first + n_weights;
  return RX_NEW(&state->history, "history", n_epochs + 1);
}

void rx_training_state_clear(rx_training_state *state) {
  memset(state->weights, 0, 4 * state->n_weights * sizeof *state->weights);
  memset(state->history, 0, (size_t)(state->n_epochs + 1) * sizeof *state->history);
  state->epoch = state->step = state->n_optimised = state->loss_sum = state->best_epoch = 0;
  state->best_loss = 0;
}

void rx_training_state_destroy(rx_training_state *state) {
  free(state->weights);
  free(state->history);
  *state = (rx_training_state){0};
}
