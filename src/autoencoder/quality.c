#include "quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "awake.h"
#include "fixed.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* Noise of an epoch that there is none of. */
static const uint32_t fresh = UINT32_MAX;

/* Sums of one kind of images, in fixed point. */
typedef struct {
  int64_t cosine, psnr;
} fixed_sums;

static void compare(fixed_sums *sums, const float *output, const float *target, size_t n) {
  double oo = 0, tt = 0, ot = 0, error = 0;

  for (size_t i = 0; i < n; i++) {
    double o = (double)output[i], t = (double)target[i];
    oo += o * o;
    tt += t * t;
    ot += o * t;
    error += (o - t) * (o - t);
  }
  if (oo > 0 && tt > 0) sums->cosine += rx_fixed(ot / sqrt(oo * tt));
  sums->psnr += rx_fixed(fmin(100, -10 * log10(fmax(error / (double)n, 1e-10))));
}

static void measure_own(rx_training *t, const rx_share *share, const float *mean, float *output,
                        fixed_sums sums[2]) {
  size_t n_pixels = (size_t)t->network.size * (size_t)t->network.size;

  for (size_t slice = 0; slice < share->n; slice++) {
    const float *target = share->pixels + slice * n_pixels;
    rx_noise noise = {.seed = t->settings.seed,
                      .epoch = fresh,
                      .image = (uint32_t)share->rows[share->first + slice],
                      .deviation = (float)t->settings.noise};

    t->noise(t->noisy, target, n_pixels, &noise);
    rx_engine_reconstruct(t->engine, output, t->noisy);
    compare(&sums[0], output, target, n_pixels);
    compare(&sums[1], mean, target, n_pixels);
  }
}

static rx_quality mean_quality(fixed_sums sums, size_t n) {
  return (rx_quality){.cosine = (double)sums.cosine * RX_FIXED_UNIT / (double)n,
                      .psnr = (double)sums.psnr * RX_FIXED_UNIT / (double)n};
}

rx_status rx_quality_measure(rx_training *training, rx_qualities *qualities) {
  const rx_strata *strata = training->strata;
  size_t n_pixels = (size_t)training->network.size * (size_t)training->network.size;
  bool is_held_out = strata->validation.n_slices > 0;
  const rx_share *share = is_held_out ? &strata->validation : &strata->training;
  fixed_sums sums[2] = {{0, 0}, {0, 0}};
  float *output;

  RX_TRY(RX_NEW_AGREED(training->job->comm, &output, "image", n_pixels));
  rx_engine_set_weights(training->engine, training->state.best);
  measure_own(training, share, training->mean_image, output, sums);
  MPI_Allreduce(MPI_IN_PLACE, sums, 4, MPI_INT64_T, MPI_SUM, training->job->comm);
  *qualities = (rx_qualities){.network = mean_quality(sums[0], share->n_slices),
                              .mean_image = mean_quality(sums[1], share->n_slices),
                              .is_held_out = is_held_out};
  free(output);
  memset(training->is_live, 0, training->network.n_features);
  rx_training_mark_live(training, training->state.best, &strata->training);
  rx_training_mark_live(training, training->state.best, &strata->validation);
  qualities->n_dead = rx_awake_count_dead(&training->network, training->is_live, training->is_black,
                                          &qualities->n_black);
  return RX_OK;
}
