/* settings.h: the section [autoencoder] with its presets applied. */
#ifndef RADMIX_AUTOENCODER_SETTINGS_H
#define RADMIX_AUTOENCODER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "loss.h"
#include "optimiser.h"
#include "radmix/config.h"

typedef enum { RX_SCHEDULE_CONSTANT, RX_SCHEDULE_COSINE, RX_SCHEDULE_STEP } rx_schedule;

typedef struct {
  int levels, channels;
  rx_loss loss;
  rx_optimiser_settings optimiser;
  double learning_rate;
  rx_schedule schedule;
  double warmup; /* epochs */
  double noise;  /* standard deviation */
  int batch, epochs, patience;
  double validation;    /* share of the patients */
  bool starts_at_mean;  /* output bias: logit of the mean intensity, else 0 */
  bool weighs_patients; /* a patient counts as much as any other, else a slice does */
  double checkpoint_seconds;
  uint64_t seed;
} rx_training_settings;

/* Resolves the settings: a preset sets only what the deck does not name. Local. */
rx_training_settings rx_training_settings_of(const rx_config *config);

/* The learning rate after a share of the way, done in epochs (2.5: in the middle of the third). */
double rx_learning_rate_at(const rx_training_settings *settings, double epochs_done);

#endif
