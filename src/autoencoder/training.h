/* training.h: the training loop.
 *
 * All that training needs to go on from a point is in rx_training_state; it is the same on every
 * rank, bit for bit, and does not depend on how many there are. */
#ifndef RADMIX_AUTOENCODER_TRAINING_H
#define RADMIX_AUTOENCODER_TRAINING_H

#include <stdbool.h>

#include "engine.h"
#include "noise.h"
#include "optimiser.h"
#include "radmix/autoencoder.h"
#include "settings.h"
#include "strata.h"

/* What an epoch gave. Epoch 0 is the network before training. */
typedef struct {
  double loss, validation_loss; /* NAN: not measured */
  double learning_rate;         /* of its last step */
  double n_dead;                /* features that were 0 on all its slices; NAN: not measured */
} rx_history_row;

typedef struct {
  size_t n_weights;
  float *weights, *best, *first, *second; /* [n_weights]: now, best, optimiser; in one array */
  int64_t epoch, step;                    /* epochs done; steps done of the one that is under way */
  int64_t n_optimised;                    /* steps of the optimiser */
  int64_t loss_sum;                       /* fixed point, of the epoch under way */
  int64_t best_epoch;
  double best_loss;        /* of validation */
  unsigned char *is_live;  /* [n_features], of the epoch under way, on this rank; owned */
  rx_history_row *history; /* [epochs + 1], rows 0 .. epoch are filled; owned */
} rx_training_state;

typedef struct {
  const rx_job *job;
  rx_training_settings settings;
  rx_network network;
  rx_strata *strata; /* not owned */
  rx_engine *engine;
  rx_noise_kernel *noise;
  rx_training_state state;
  float *gradient; /* [n_weights] */
  float *noisy;    /* [size][size] */
  int *channels;   /* [channels], dead ones */
  int64_t *sums;   /* the summed gradient of a step, and what else ranks tell each other */
  size_t n_gradient;
  float *mean_image;     /* [size][size], of the training slices */
  double mean_intensity; /* of all their pixels */
  /* for the log */
  double start, communication; /* seconds */
  size_t memory_peak;          /* bytes, over ranks; for the record */
  int64_t n_images;            /* learnt from since start, over all ranks */
} rx_training;

/* Sets the training up at its beginning. Collective over job->comm. Errors: RX_ERR_MEMORY. */
rx_status rx_training_create(const rx_job *job, const rx_training_settings *settings,
                             const rx_network *network, int isa, rx_strata *strata,
                             rx_training **out);
void rx_training_destroy(rx_training **training);

/* Trains to the end. Collective. Errors: RX_ERR_CONFIG when a gradient is too large to go on. */
rx_status rx_training_run(rx_training *training);

#endif
