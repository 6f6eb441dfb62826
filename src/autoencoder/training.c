#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "awake.h"
#include "checkpoint.h"
#include "fixed.h"
#include "network.h"
#include "peak.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/signal.h"

/* Behind the gradient in the array that ranks sum. */
enum { SUM_LOSS, SUM_BAD, SUM_STOP, SUM_SAVE, N_SUMS };

static size_t n_pixels(const rx_training *t) {
  return (size_t)t->network.size * (size_t)t->network.size;
}

static rx_status allocate(rx_training *t) {
  size_t n_places = (size_t)t->network.feature_size * (size_t)t->network.feature_size;

  RX_TRY(rx_training_state_create(&t->state, t->network.n_weights, t->settings.epochs));
  RX_TRY(RX_NEW(&t->channels.places, "channels", t->network.channels));
  RX_TRY(RX_NEW(&t->channels.live, "channels", t->network.channels));
  RX_TRY(RX_NEW(&t->channels.dead, "channels", t->network.channels));
  RX_TRY(RX_NEW(&t->is_live, "features", t->network.n_features));
  RX_TRY(RX_NEW(&t->is_black, "features", n_places));
  RX_TRY(RX_NEW(&t->gradient, "gradient", t->network.n_weights));
  RX_TRY(RX_NEW(&t->noisy, "image", n_pixels(t)));
  RX_TRY(RX_NEW(&t->mean_image, "image", n_pixels(t)));
  t->n_gradient = rx_engine_gradient_length(t->engine);
  return RX_NEW(&t->sums, "gradient", t->n_gradient + N_SUMS);
}

/* The mean training image and its mean, in fixed point so that ranks do not matter. */
static rx_status average_slices(rx_training *t) {
  const rx_share *training = &t->strata->training;
  size_t n = n_pixels(t);
  int64_t *sums;

  RX_TRY(RX_NEW_AGREED(t->job->comm, &sums, "mean image", n));
  for (size_t slice = 0; slice < training->n; slice++)
    for (size_t i = 0; i < n; i++) sums[i] += rx_fixed((double)training->pixels[slice * n + i]);
  MPI_Allreduce(MPI_IN_PLACE, sums, (int)n, MPI_INT64_T, MPI_SUM, t->job->comm);
  for (size_t i = 0; i < n; i++) {
    double mean = (double)sums[i] * RX_FIXED_UNIT / (double)training->n_slices;
    t->mean_image[i] = (float)mean;
    t->mean_intensity += mean / (double)n;
  }
  free(sums);
  return RX_OK;
}

/* The weights that training starts from. */
static rx_status initialise(rx_training *t) {
  rx_training_state *state = &t->state;
  const rx_layer *last = &t->network.layers[t->network.n_layers - 1];
  rx_status status = RX_OK;

  rx_training_state_clear(state);
  rx_network_initialise(&t->network, t->settings.seed, state->weights);
  if (t->settings.starts_at_mean) {
    double mean = fmin(fmax(t->mean_intensity, 1e-4), 1 - 1e-4);
    state->weights[last->biases] = (float)log(mean / (1 - mean));
    status = rx_awake_orient(&t->network, state->weights, t->mean_image);
  }
  memcpy(state->best, state->weights, state->n_weights * sizeof(float));
  state->best_loss = INFINITY;
  return RX_AGREE(t->job->comm, status);
}

static rx_status begin(rx_training *t) {
  bool is_resumed;

  RX_TRY(average_slices(t));
  rx_awake_find_black(&t->network, t->mean_image, t->is_black);
  RX_TRY(rx_checkpoint_read(t->job, t->recipe, &t->state, &is_resumed));
  if (!is_resumed) return initialise(t);
  rx_log_info(t->job->log, "train: goes on from the checkpoint in epoch %lld, step %lld",
              (long long)t->state.epoch + 1, (long long)t->state.step + 1);
  return RX_OK;
}

rx_status rx_training_create(const rx_job *job, const rx_recipe *recipe,
                             const rx_training_settings *settings, const rx_network *network,
                             int isa, rx_strata *strata, rx_training **out) {
  rx_status status = RX_NEW(out, "training", 1);

  if (!status) {
    rx_training *t = *out;
    t->job = job;
    t->recipe = recipe;
    t->settings = *settings;
    t->network = *network;
    t->strata = strata;
    t->noise = RX_ISA_PICK(isa, rx_noise);
    t->peak = rx_peak_measure(isa) * job->n_ranks;
    status = rx_engine_create(network, isa, &t->engine);
    if (!status) status = allocate(t);
  }
  status = RX_AGREE(job->comm, status);
  if (!status) status = begin(*out);
  if (status) rx_training_destroy(out);
  return status;
}

void rx_training_destroy(rx_training **training) {
  rx_training *t = *training;

  if (!t) return;
  rx_engine_destroy(&t->engine);
  rx_training_state_destroy(&t->state);
  free(t->gradient);
  free(t->noisy);
  free(t->channels.places);
  free(t->channels.live);
  free(t->channels.dead);
  free(t->is_live);
  free(t->is_black);
  free(t->mean_image);
  free(t->sums);
  free(t);
  *training = NULL;
}

/* Puts the noise of an epoch on a slice; 0 is the epoch of validation. */
static rx_lesson make_lesson(rx_training *t, const rx_share *share, size_t slice, int64_t epoch) {
  const float *pixels = share->pixels + slice * n_pixels(t);
  size_t place = share->first + slice;
  rx_noise noise = {.seed = t->settings.seed,
                    .epoch = (uint32_t)epoch,
                    .image = (uint32_t)share->rows[place],
                    .deviation = (float)t->settings.noise};

  t->noise(t->noisy, pixels, n_pixels(t), &noise);
  return (rx_lesson){.noisy = t->noisy,
                     .target = pixels,
                     .loss = t->settings.loss,
                     .weight = share->weights[place],
                     .limit = rx_fixed_limit((int64_t)t->strata->n_strata)};
}

/* A weighted loss in fixed point; counts those that do not fit. */
static int64_t fixed_loss(double loss, const rx_lesson *lesson, int64_t *n_bad) {
  double weighted = loss * lesson->weight;

  if (fabs(weighted) < lesson->limit) return rx_fixed(weighted);
  (*n_bad)++;
  return 0;
}

/* Sums the gradients of this rank's slices of a step. */
static void learn_own(rx_training *t) {
  int64_t *sums = t->sums, *loss = &t->sums[t->n_gradient + SUM_LOSS];
  int64_t *n_bad = &t->sums[t->n_gradient + SUM_BAD];

  memset(sums, 0, (t->n_gradient + N_SUMS) * sizeof *sums);
  for (size_t stratum = 0; stratum < t->strata->n_own_strata; stratum++) {
    ptrdiff_t slice = rx_strata_slice(t->strata, stratum, t->state.step);
    if (slice < 0) continue;
    rx_lesson lesson = make_lesson(t, &t->strata->training, (size_t)slice, t->state.epoch + 1);
    double value = rx_engine_learn(t->engine, &lesson, sums, n_bad);

    *loss += fixed_loss(value, &lesson, n_bad);
  }
}

/* What rank 0 and the signals of any rank ask for after this step. */
static void ask(rx_training *t) {
  double due = t->last_checkpoint + t->settings.checkpoint_seconds;
  bool wants_save = t->job->rank == 0 && t->settings.checkpoint_seconds > 0 && rx_seconds() > due;

  t->sums[t->n_gradient + SUM_STOP] = rx_signal_pending();
  t->sums[t->n_gradient + SUM_SAVE] = wants_save;
}

static rx_status refuse_gradient(const rx_training *t, double rate) {
  return RX_FAIL(RX_ERR_CONFIG,
                 "autoencoder.learning_rate: training ran away in epoch %lld, step %lld: gradients "
                 "above %.3g or not finite; expected a smaller rate than %g",
                 (long long)t->state.epoch + 1, (long long)t->state.step + 1,
                 rx_fixed_limit((int64_t)t->strata->n_strata), rate);
}

/* Moves the weights by the summed gradient. */
static void optimise(rx_training *t, double rate, int64_t n_slices) {
  rx_training_state *state = &t->state;
  rx_optimiser optimiser = {.settings = t->settings.optimiser,
                            .n = state->n_weights,
                            .step = state->n_optimised++,
                            .first = state->first,
                            .second = state->second};

  rx_engine_fold(t->engine, t->gradient, t->sums, 1 / (double)n_slices);
  rx_optimiser_step(&optimiser, state->weights, t->gradient, rate);
}

static rx_status save_when_asked(rx_training *t) {
  bool stops = t->sums[t->n_gradient + SUM_STOP] > 0;

  if (!stops && !t->sums[t->n_gradient + SUM_SAVE]) return RX_OK;
  RX_TRY(rx_checkpoint_write(t->job, t->recipe, &t->state));
  t->last_checkpoint = rx_seconds();
  if (!stops) return RX_OK;
  return RX_FAIL(RX_ERR_INTERRUPTED,
                 "train: interrupted in epoch %lld, step %lld; the same command goes on from there",
                 (long long)t->state.epoch + 1, (long long)t->state.step + 1);
}

static rx_status take_step(rx_training *t) {
  rx_training_state *state = &t->state;
  double epochs_done = (double)state->epoch + (double)state->step / (double)t->strata->n_steps;
  double rate = rx_learning_rate_at(&t->settings, epochs_done);
  int64_t n_slices = rx_strata_step_size(t->strata, state->step);

  rx_engine_set_weights(t->engine, state->weights);
  learn_own(t);
  ask(t);
  double start = rx_seconds();
  MPI_Allreduce(MPI_IN_PLACE, t->sums, (int)(t->n_gradient + N_SUMS), MPI_INT64_T, MPI_SUM,
                t->job->comm);
  t->communication += rx_seconds() - start;
  if (t->sums[t->n_gradient + SUM_BAD]) return refuse_gradient(t, rate);
  optimise(t, rate, n_slices);
  state->loss_sum += t->sums[t->n_gradient + SUM_LOSS];
  state->history[state->epoch + 1].learning_rate = rate;
  state->step++;
  t->n_images += n_slices;
  t->n_steps++;
  return save_when_asked(t);
}

/* Mean loss over the validation slices; NAN without them. */
static double validate(rx_training *t) {
  const rx_share *share = &t->strata->validation;
  int64_t sums[2] = {0, 0};

  if (!share->n_slices) return NAN;
  rx_engine_set_weights(t->engine, t->state.weights);
  for (size_t slice = 0; slice < share->n; slice++) {
    rx_lesson lesson = make_lesson(t, share, slice, 0);
    sums[0] += fixed_loss(rx_engine_loss(t->engine, &lesson), &lesson, &sums[1]);
  }
  MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_INT64_T, MPI_SUM, t->job->comm);
  return sums[1] ? INFINITY : (double)sums[0] * RX_FIXED_UNIT / (double)share->n_slices;
}

void rx_training_mark_live(rx_training *t, const float *weights, const rx_share *share) {
  rx_engine_set_weights(t->engine, weights);
  for (size_t slice = 0; slice < share->n; slice++)
    rx_engine_mark_live(t->engine, t->is_live, share->pixels + slice * n_pixels(t));
  MPI_Allreduce(MPI_IN_PLACE, t->is_live, (int)t->network.n_features, MPI_UNSIGNED_CHAR, MPI_MAX,
                t->job->comm);
}

/* Some twenty times, as it costs a sixth of an epoch, and at the end. */
static bool is_time_to_look(const rx_training *t) {
  int64_t epoch = t->state.epoch, n_epochs = t->settings.epochs;

  return epoch == n_epochs || epoch % ((n_epochs + 19) / 20) == 0;
}

/* Counts dead features. Dead channels start anew, until three quarters of training so that they
 * can learn. */
static void look_for_dead(rx_training *t) {
  rx_training_state *state = &t->state;
  rx_awake_arrays arrays = {state->weights, state->first, state->second};
  size_t n_black;

  memset(t->is_live, 0, t->network.n_features);
  rx_training_mark_live(t, state->weights, &t->strata->training);
  state->history[state->epoch].n_dead =
      (double)rx_awake_count_dead(&t->network, t->is_live, t->is_black, &n_black);
  if (!t->settings.starts_at_mean || 4 * state->epoch > 3 * (int64_t)t->settings.epochs) return;
  rx_awake_sort(&t->network, t->is_live, t->is_black, &t->channels);
  if (!t->channels.n_dead) return;
  rx_log_detail(t->job->log, "train: epoch %lld: %d of %d channels were dead and start anew",
                (long long)state->epoch, t->channels.n_dead, t->network.channels);
  rx_awake_revive(&t->network, t->settings.seed, state->epoch, &t->channels, &arrays);
}

/* Fills the row of history of the epoch that has ended, and keeps the weights when they are the
 * best so far. */
static void end_epoch(rx_training *t) {
  rx_training_state *state = &t->state;
  rx_history_row *row = &state->history[++state->epoch];

  row->loss = (double)state->loss_sum * RX_FIXED_UNIT / (double)t->strata->training.n_slices;
  row->validation_loss = validate(t);
  row->n_dead = NAN;
  state->loss_sum = 0;
  state->step = 0;
  if (isnan(row->validation_loss) || row->validation_loss < state->best_loss) {
    state->best_loss = row->validation_loss;
    state->best_epoch = state->epoch;
    memcpy(state->best, state->weights, state->n_weights * sizeof(float));
  }
  if (is_time_to_look(t)) look_for_dead(t);
}

static bool has_lost_patience(const rx_training *t) {
  return t->settings.patience > 0 && t->strata->validation.n_slices > 0 &&
         t->state.epoch - t->state.best_epoch >= t->settings.patience;
}

static void mean_and_deviation(const float *image, size_t n, double *mean, double *deviation) {
  double sum = 0, squares = 0;

  for (size_t i = 0; i < n; i++) sum += (double)image[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    double difference = (double)image[i] - sum;
    squares += difference * difference / (double)n;
  }
  *mean = sum;
  *deviation = sqrt(squares);
}

/* How much is left of the mean training image in the output for it: the share of its mean or of its
 * standard deviation, whichever is smaller. */
static double output_share(rx_training *t) {
  double mean[2], deviation[2];

  rx_engine_set_weights(t->engine, t->state.weights);
  rx_engine_reconstruct(t->engine, t->noisy, t->mean_image);
  mean_and_deviation(t->noisy, n_pixels(t), &mean[0], &deviation[0]);
  mean_and_deviation(t->mean_image, n_pixels(t), &mean[1], &deviation[1]);
  if (!(mean[1] > 0 && deviation[1] > 0)) return 1;
  return fmin(mean[0] / mean[1], deviation[0] / deviation[1]);
}

static void say_epoch(rx_training *t, rx_progress *progress) {
  const rx_training_state *state = &t->state;
  const rx_history_row *row = &state->history[state->epoch];
  double seconds = rx_seconds() - t->start, rate = (double)t->n_images / seconds;
  double left = seconds * (double)(t->settings.epochs - state->epoch) /
                ((double)state->epoch - t->epochs_before);
  bool is_due = state->epoch == t->settings.epochs || state->epoch == 1;
  char validation[64] = "", time[32];

  if (!is_due && !rx_progress_is_due(progress)) return;
  progress->last = rx_seconds();
  rx_duration(left, time);
  if (!isnan(row->validation_loss))
    snprintf(validation, sizeof validation, ", validation loss %.6f", row->validation_loss);
  rx_log_info(t->job->log,
              "train: epoch %lld/%d, loss %.6f%s, %.0f images/s, %.0f %% of peak, left %s",
              (long long)state->epoch, t->settings.epochs, row->loss, validation, rate,
              100 * rate * rx_peak_training_flops(&t->network) / t->peak, time);
}

/* Where the time went. The rank that waits least in the sums waits for nobody: what it spends there
 * is the price of the sums themselves, at most. */
static void say_shares(const rx_training *t) {
  double seconds = rx_seconds() - t->start, sums[2] = {seconds, t->communication};
  double least = t->communication, n_ranks = (double)t->job->n_ranks;

  MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, t->job->comm);
  MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, t->job->comm);
  if (t->job->n_ranks == 1 || !t->n_steps) return;
  rx_log_info(t->job->log,
              "train: of %.2f s a rank computed %.2f s, summed %.2f s (%lld times %.1f kB, %.3f ms "
              "each) and waited %.2f s for others",
              sums[0] / n_ranks, (sums[0] - sums[1]) / n_ranks, least, (long long)t->n_steps,
              8e-3 * (double)(t->n_gradient + N_SUMS), 1e3 * least / (double)t->n_steps,
              sums[1] / n_ranks - least);
}

rx_status rx_training_run(rx_training *t) {
  rx_training_state *state = &t->state;
  rx_progress progress =
      rx_progress_begin(t->job->log, "train", (double)t->settings.epochs, "epochs");

  t->start = t->last_checkpoint = rx_seconds();
  t->epochs_before = (double)state->epoch + (double)state->step / (double)t->strata->n_steps;
  rx_watch_settings(t->job->log, &t->settings);
  if (state->epoch == 0 && state->step == 0)
    state->history[0] = (rx_history_row){
        .loss = NAN, .validation_loss = validate(t), .learning_rate = NAN, .n_dead = NAN};
  while (state->epoch < t->settings.epochs && !has_lost_patience(t)) {
    rx_strata_shuffle(t->strata, t->settings.seed, state->epoch + 1);
    while (state->step < t->strata->n_steps) RX_TRY(take_step(t));
    end_epoch(t);
    say_epoch(t, &progress);
    rx_watch_epoch(&t->watch, t->job->log, &t->settings, state, output_share(t));
  }
  if (state->epoch < t->settings.epochs)
    rx_log_info(t->job->log, "train: stops after %lld epochs: none of the last %d was better",
                (long long)state->epoch, t->settings.patience);
  say_shares(t);
  return RX_OK;
}
