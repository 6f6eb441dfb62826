/* watch.h: sees when training goes wrong, and says what helps.
 *
 *   collapse  the output for the mean training image is black or flat: its mean or its standard
 *             deviation is under a tenth of the image's, and the loss has not fallen by 1 % for
 *             three epochs (or they are over)
 *   spike     the loss has lost half of what it had gained
 *   dead      more than 1 % of the features are 0 on all slices, where these are not all black
 * Each warning is given once. Local. */
#ifndef RADMIX_AUTOENCODER_WATCH_H
#define RADMIX_AUTOENCODER_WATCH_H

#include <stdbool.h>

#include "radmix/log.h"
#include "settings.h"
#include "training_state.h"

typedef struct {
  bool has_collapsed, has_spiked;
} rx_watch;

/* Warns of a setting that cannot work. */
void rx_watch_settings(rx_log *log, const rx_training_settings *settings);

/* Looks at the epoch that has ended.
 * share  of the mean image that is left in the output for it */
void rx_watch_epoch(rx_watch *watch, rx_log *log, const rx_training_settings *settings,
                    const rx_training_state *state, double share);

/* Looks at the end, at the features that are 0 on all slices though these are not all black. */
void rx_watch_end(rx_log *log, const rx_training_settings *settings, size_t n_dead,
                  size_t n_features);

#endif
