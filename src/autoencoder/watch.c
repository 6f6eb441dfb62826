#include "watch.h"

#include <math.h>

enum { PATIENCE = 3 };

void rx_watch_settings(rx_log *log, const rx_training_settings *settings) {
  if (settings->loss == RX_LOSS_COSINE_KERAS && settings->epochs > 0)
    rx_log_warn(log,
                "train: loss = cosine-keras divides every pixel by itself: its gradient is 0 and "
                "the network cannot learn; its features are those of a random encoder (use loss = "
                "cosine)");
}

/* Tells whether the loss of the last epochs is no better than before them. */
static bool is_flat(const rx_training_state *state, int64_t n_epochs) {
  const rx_history_row *row = state->history;
  int64_t now = state->epoch;

  if (now == n_epochs) return true;
  if (now <= PATIENCE) return false;
  return row[now].loss > row[now - PATIENCE].loss - 0.01 * fabs(row[now - PATIENCE].loss);
}

static void warn_of_collapse(rx_log *log, const rx_training_settings *settings,
                             const rx_training_state *state) {
  rx_log_warn(
      log,
      "train: the output has collapsed in epoch %lld: it is black or the same everywhere, loss "
      "%.6f; %s",
      (long long)state->epoch, state->history[state->epoch].loss,
      settings->starts_at_mean
          ? "use a smaller autoencoder.learning_rate"
          : "use autoencoder.output_bias = logit-mean, or a smaller learning_rate");
}

/* Tells whether more than half of the way from the first loss to the best was lost. */
static bool has_jumped(const rx_training_state *state) {
  const rx_history_row *row = state->history;
  double first = row[1].loss, best = first, now = row[state->epoch].loss;

  for (int64_t epoch = 2; epoch < state->epoch; epoch++) best = fmin(best, row[epoch].loss);
  return now - best > 0.5 * (first - best) && now - best > 1e-3 * fabs(best);
}

void rx_watch_epoch(rx_watch *watch, rx_log *log, const rx_training_settings *settings,
                    const rx_training_state *state, double share) {
  bool can_learn = settings->loss != RX_LOSS_COSINE_KERAS;

  if (!watch->has_collapsed && can_learn && share < 0.1 && is_flat(state, settings->epochs)) {
    watch->has_collapsed = true;
    warn_of_collapse(log, settings, state);
  }
  if (!watch->has_spiked && state->epoch > PATIENCE && has_jumped(state)) {
    watch->has_spiked = true;
    rx_log_warn(log,
                "train: the loss jumped to %.6f in epoch %lld: use a smaller "
                "autoencoder.learning_rate, or warmup",
                state->history[state->epoch].loss, (long long)state->epoch);
  }
}

void rx_watch_end(rx_log *log, const rx_training_settings *settings, size_t n_dead,
                  size_t n_features) {
  if (100 * n_dead <= n_features) return;
  rx_log_warn(
      log, "train: %zu of %zu features are 0 on all slices: they are dead; %s", n_dead, n_features,
      settings->starts_at_mean ? "use more epochs, a smaller learning_rate, or another study.seed"
                               : "use autoencoder.output_bias = logit-mean");
}
