/* training.h: the training loop. */
#ifndef RADMIX_AUTOENCODER_TRAINING_H
#define RADMIX_AUTOENCODER_TRAINING_H

#include "awake.h"
#include "engine.h"
#include "noise.h"
#include "optimiser.h"
#include "radmix/autoencoder.h"
#include "radmix/result.h"
#include "settings.h"
#include "strata.h"
#include "training_state.h"
#include "watch.h"

typedef struct {
  const rx_job *job;
  const rx_recipe *recipe; /* of the checkpoints; not owned */
  rx_training_settings settings;
  rx_network network;
  rx_strata *strata; /* not owned */
  rx_engine *engine;
  rx_noise_kernel *noise;
  rx_training_state state;
  float *gradient;            /* [n_weights] */
  float *noisy;               /* [size][size] */
  rx_awake_channels channels; /* its arrays are owned */
  unsigned char *is_live;     /* [n_features]: some slice makes it larger than 0 */
  unsigned char *is_black; /* [feature_size][feature_size]: all training slices are black there */
  int64_t *sums;           /* the summed gradient of a step, and what else ranks tell each other */
  size_t n_gradient;
  float *mean_image;      /* [size][size], of the training slices */
  double mean_intensity;  /* of all their pixels */
  double last_checkpoint; /* seconds */
  rx_watch watch;
  /* for the log */
  double start, communication; /* seconds; the second waiting for other ranks included */
  int64_t n_steps;             /* taken since start */
  double peak;                 /* FMA flops a second of this rank's core, times the ranks */
  size_t memory_peak;          /* bytes, over ranks; for the record */
  int64_t n_images;            /* learnt from since start, over all ranks */
  double epochs_before;        /* done before start */
} rx_training;

/* Sets the training up, at its beginning or where a checkpoint left it. Collective over job->comm.
 * Errors: RX_ERR_MEMORY; RX_ERR_EXISTS as rx_checkpoint_read(). */
rx_status rx_training_create(const rx_job *job, const rx_recipe *recipe,
                             const rx_training_settings *settings, const rx_network *network,
                             int isa, rx_strata *strata, rx_training **out);
void rx_training_destroy(rx_training **training);

/* Marks in is_live the features that weights make larger than 0 on some slice of a share, as it is,
 * without noise; a feature that only noise wakes is dead to encode. Collective. */
void rx_training_mark_live(rx_training *training, const float *weights, const rx_share *share);

/* Trains to the end. Collective. Errors: RX_ERR_CONFIG when a gradient is too large to go on;
 * RX_ERR_INTERRUPTED after a signal, when a checkpoint has been written. */
rx_status rx_training_run(rx_training *training);

#endif
