#include "settings.h"

#include <math.h>
#include <string.h>

/* What a preset says where the deck is silent; recommended is the defaults of the table. */
typedef struct {
  const char *name;
  int levels;
  const char *loss, *optimiser;
  double learning_rate;
} preset;

static const preset presets[] = {
    {"paper-figure", 2, "mse", "adam-keras", 0.1},
    {"paper-code", 3, "cosine-keras", "adadelta-keras", 1},
};

static const preset *find_preset(const char *name) {
  for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
    if (rx_is(name, presets[i].name)) return &presets[i];
  return NULL;
}

static rx_loss read_loss(const char *word) {
  return rx_is(word, "cosine")         ? RX_LOSS_COSINE
         : rx_is(word, "bce")          ? RX_LOSS_BCE
         : rx_is(word, "cosine-keras") ? RX_LOSS_COSINE_KERAS
                                       : RX_LOSS_MSE;
}

static rx_optimiser_kind read_optimiser(const char *word) {
  return rx_is(word, "adam") ? RX_ADAM : rx_is(word, "adam-keras") ? RX_ADAM_KERAS : RX_ADADELTA;
}

static rx_schedule read_schedule(const char *word) {
  return rx_is(word, "cosine") ? RX_SCHEDULE_COSINE
         : rx_is(word, "step") ? RX_SCHEDULE_STEP
                               : RX_SCHEDULE_CONSTANT;
}

#define IS_NAMED(key) rx_config_is_named(config, RX_SETTING_autoencoder_##key)

/* levels, loss, optimiser, rate, epsilon and output bias: what presets touch. */
static void resolve(const rx_config *config, rx_training_settings *settings) {
  const preset *p = find_preset(config->autoencoder_preset);
  const char *loss = config->autoencoder_loss, *optimiser = config->autoencoder_optimiser;

  settings->levels = config->autoencoder_levels;
  settings->starts_at_mean = rx_is(config->autoencoder_output_bias, "logit-mean");
  if (p && !IS_NAMED(levels)) settings->levels = p->levels;
  if (p && !IS_NAMED(loss)) loss = p->loss;
  if (p && !IS_NAMED(optimiser)) optimiser = p->optimiser;
  if (p && !IS_NAMED(output_bias)) settings->starts_at_mean = false;
  settings->loss = read_loss(loss);
  settings->optimiser.kind = read_optimiser(optimiser);
  settings->optimiser.rho = config->autoencoder_rho;
  settings->optimiser.epsilon = config->autoencoder_epsilon;
  if (isnan(settings->optimiser.epsilon))
    settings->optimiser.epsilon = settings->optimiser.kind == RX_ADAM ? 1e-8 : 1e-7;
  settings->learning_rate = config->autoencoder_learning_rate;
  if (isnan(settings->learning_rate))
    settings->learning_rate = p && !IS_NAMED(optimiser)                 ? p->learning_rate
                              : settings->optimiser.kind == RX_ADADELTA ? 1
                                                                        : 0.001;
}

rx_training_settings rx_training_settings_of(const rx_config *config) {
  rx_training_settings settings = {
      .channels = config->autoencoder_channels,
      .schedule = read_schedule(config->autoencoder_schedule),
      .warmup = config->autoencoder_warmup,
      .noise = config->autoencoder_noise,
      .batch = config->autoencoder_batch,
      .epochs = config->autoencoder_epochs,
      .patience = config->autoencoder_patience,
      .validation = config->autoencoder_validation,
      .weighs_patients = rx_is(config->autoencoder_weight, "patient"),
      .checkpoint_seconds = 60 * config->autoencoder_checkpoint_minutes,
      .seed = (uint64_t)config->study_seed,
  };

  resolve(config, &settings);
  return settings;
}

double rx_learning_rate_at(const rx_training_settings *settings, double epochs_done) {
  double rate = settings->learning_rate, share = epochs_done / settings->epochs;

  if (epochs_done < settings->warmup) return rate * epochs_done / settings->warmup;
  switch (settings->schedule) {
    case RX_SCHEDULE_COSINE: {
      double way = (epochs_done - settings->warmup) / (settings->epochs - settings->warmup);
      return rate * 0.5 * (1 + cos(M_PI * way));
    }
    case RX_SCHEDULE_STEP:
      return share < 0.5 ? rate : share < 0.75 ? rate / 10 : rate / 100;
    default:
      return rate;
  }
}
