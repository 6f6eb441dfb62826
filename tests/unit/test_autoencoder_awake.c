/* What keeps the features awake, and what sees when training goes wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autoencoder/awake.h"
#include "autoencoder/network.h"
#include "autoencoder/scalar.h"
#include "autoencoder/watch.h"
#include "radmix/isa.h"

enum { SIZE = 16, N_PIXELS = SIZE * SIZE, MOST_PLACES = 64, MOST_CHANNELS = 32, MOST = 2048 };

static rx_network network_of(int levels, int channels, float **weights) {
  rx_network network;

  assert_int_equal(rx_network_build(levels, channels, SIZE, &network), 0);
  *weights = calloc(3 * network.n_weights, sizeof **weights); /* and the optimiser's memories */
  rx_network_initialise(&network, 3, *weights);
  return network;
}

static void draw_disc(float *image) {
  for (int i = 0; i < N_PIXELS; i++) {
    int y = i / SIZE - 8, x = i % SIZE - 6;
    image[i] = x * x + y * y < 30 ? 0.5f + 0.02f * (float)x : 0;
  }
}

static void filters_are_turned_until_the_mean_image_pleases_them(void **state) {
  float image[N_PIXELS], *weights, *before;

  (void)state;
  draw_disc(image);
  rx_network network = network_of(3, 16, &weights), same = network_of(3, 16, &before);
  assert_int_equal(rx_awake_orient(&network, weights, image), 0);
  rx_scalar *scalar;
  double *wide = calloc(network.n_weights, sizeof *wide), pixels[N_PIXELS];
  for (size_t i = 0; i < network.n_weights; i++) {
    wide[i] = (double)weights[i];
    assert_true(fabsf(weights[i]) == fabsf(before[i]));
  }
  for (int i = 0; i < N_PIXELS; i++) pixels[i] = (double)image[i];
  assert_int_equal(rx_scalar_create(&same, &scalar), 0);
  rx_scalar_forward(scalar, wide, pixels);
  for (int l = 0; l < network.n_layers - 1; l++) {
    const rx_layer *layer = &network.layers[l];
    int edge = layer->output_size > layer->input_size ? layer->output_size : layer->input_size;
    for (int output = 0; output < layer->outputs; output++) {
      double sum = 0;
      for (int i = 0; i < edge * edge; i++) sum += scalar->convolved[l][output * edge * edge + i];
      assert_true(sum >= 0);
    }
  }
  rx_scalar_destroy(&scalar);
  free(wide);
  free(weights);
  free(before);
}

/* Lights one pixel after the other: a feature changes only where the place is not black. */
static void black_places_are_those_that_see_nothing(void **state) {
  unsigned char is_black[MOST_PLACES];
  float black[MOST], lit[MOST], *weights;

  (void)state;
  for (int levels = 1; levels <= 3; levels++) {
    rx_network network = network_of(levels, 16, &weights);
    int n_places = network.feature_size * network.feature_size;
    rx_engine *engine;
    for (size_t i = 0; i < network.n_weights; i++) weights[i] = fabsf(weights[i]);
    assert_int_equal(rx_engine_create(&network, 2, &engine), 0);
    rx_engine_set_weights(engine, weights);
    for (int pixel = -1; pixel < N_PIXELS; pixel += 7) {
      float image[N_PIXELS] = {0};
      if (pixel >= 0) image[pixel] = 1;
      rx_awake_find_black(&network, image, is_black);
      rx_engine_encode(engine, pixel < 0 ? black : lit, image);
      for (int place = 0; place < n_places && pixel >= 0; place++)
        assert_true(is_black[place] == (lit[place] == black[place]));
      for (int place = 0; place < n_places && pixel < 0; place++) assert_true(is_black[place]);
    }
    rx_engine_destroy(&engine);
    free(weights);
  }
}

static void dead_features_are_counted_where_they_are(void **state) {
  unsigned char is_live[MOST], is_black[MOST_PLACES] = {1, 1}; /* two of the 16 places */
  size_t places[MOST_CHANNELS], n_black;
  int live[MOST_CHANNELS], dead[MOST_CHANNELS];
  rx_awake_channels found = {.places = places, .live = live, .dead = dead};
  float *weights;

  (void)state;
  rx_network network = network_of(2, 32, &weights);
  memset(is_live, 1, sizeof is_live);
  /* Channel 20 (fourth of the second block) is dead everywhere, channel 2 at 4 places, two of them
   * black, channel 5 at 4 that are not: more than a quarter of 14. */
  for (int place = 0; place < 16; place++) is_live[(16 + place) * 16 + 4] = 0;
  for (int place = 0; place < 4; place++) is_live[place * 16 + 2] = 0;
  for (int place = 8; place < 12; place++) is_live[place * 16 + 5] = 0;
  assert_int_equal(rx_awake_count_dead(&network, is_live, is_black, &n_black), 24);
  assert_int_equal(n_black, 4);
  rx_awake_sort(&network, is_live, is_black, &found);
  assert_int_equal(found.n_dead, 2);
  assert_int_equal(dead[0], 5);
  assert_int_equal(dead[1], 20);
  assert_int_equal(found.n_live, 30);
  assert_int_equal(live[0], 0);
  assert_int_equal(live[29], 2); /* the one with the most dead places is the last */
  assert_int_equal(places[2], 2);
  free(weights);
}

static void a_revived_channel_lives_and_leaves_the_output_as_it_was(void **state) {
  float image[N_PIXELS], before[N_PIXELS], after[N_PIXELS], features[MOST], *weights;
  size_t places[MOST_CHANNELS] = {0};
  int live[] = {3}, dead[] = {7, 12};
  rx_awake_channels found = {places, live, dead, 1, 2};

  (void)state;
  draw_disc(image);
  rx_network network = network_of(2, 16, &weights);
  assert_int_equal(rx_awake_orient(&network, weights, image), 0);
  for (int i = 0; i < 2; i++) weights[network.layers[1].biases + (size_t)dead[i]] = -10;
  for (size_t i = network.n_weights; i < 3 * network.n_weights; i++) weights[i] = 1;
  rx_awake_arrays arrays = {weights, weights + network.n_weights, weights + 2 * network.n_weights};
  float *revived = malloc(3 * network.n_weights * sizeof *revived);
  memcpy(revived, weights, 3 * network.n_weights * sizeof *revived);
  rx_awake_arrays theirs = {revived, revived + network.n_weights, revived + 2 * network.n_weights};
  rx_awake_revive(&network, 1, 4, &found, &theirs);
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    rx_engine *engine;
    assert_int_equal(rx_engine_create(&network, isa, &engine), 0);
    rx_engine_set_weights(engine, arrays.weights);
    rx_engine_reconstruct(engine, before, image);
    rx_engine_set_weights(engine, theirs.weights);
    rx_engine_reconstruct(engine, after, image);
    for (int i = 0; i < N_PIXELS; i++) assert_true(before[i] == after[i]);
    rx_engine_encode(engine, features, image);
    for (int i = 0; i < 2; i++) {
      int n_live[2] = {0, 0};
      for (int place = 0; place < 16; place++) {
        n_live[0] += features[live[0] * 16 + place] > 0;
        n_live[1] += features[dead[i] * 16 + place] > 0;
      }
      assert_true(n_live[0] > 0 && n_live[1] > 0);
    }
    rx_engine_destroy(&engine);
  }
  /* two copies are not the same, and what the optimiser knew of their way on is forgotten */
  const rx_layer *layer = &network.layers[1], *next = layer + 1;
  assert_memory_not_equal(revived + layer->weights + (size_t)dead[0] * 144,
                          revived + layer->weights + (size_t)dead[1] * 144, 144 * sizeof(float));
  for (int i = 0; i < 9; i++) {
    assert_true(theirs.second[next->weights + (size_t)(dead[0] * 9 + i)] == 0);
    assert_true(theirs.second[next->weights + (size_t)(live[0] * 9 + i)] == 1);
  }
  free(weights);
  free(revived);
}

/* ---- watch ---- */

static rx_log silent = {.level = RX_LOG_WARNING};

/* Feeds losses [n] and a share of the mean image in the output to a watch. */
static rx_watch watch_losses(rx_loss loss, const double *losses, int n, double share) {
  rx_watch watch = {0};
  rx_training_settings settings = {.loss = loss, .epochs = 100};
  rx_training_state state = {0};

  assert_int_equal(rx_training_state_create(&state, 1, settings.epochs), 0);
  for (state.epoch = 1; state.epoch <= n; state.epoch++) {
    state.history[state.epoch].loss = losses[state.epoch - 1];
    rx_watch_epoch(&watch, &silent, &settings, &state, share);
  }
  rx_training_state_destroy(&state);
  return watch;
}

static void collapse_is_a_black_output_whose_loss_stays(void **state) {
  static const double flat[] = {1, 0.5, 0.4, 0.399, 0.398, 0.398};
  static const double falling[] = {1, 0.9, 0.8, 0.7, 0.6, 0.5};

  (void)state;
  assert_true(watch_losses(RX_LOSS_MSE, flat, 6, 0.05).has_collapsed);
  assert_false(watch_losses(RX_LOSS_MSE, flat, 4, 0.05).has_collapsed); /* not yet */
  assert_false(watch_losses(RX_LOSS_MSE, flat, 6, 0.5).has_collapsed);
  assert_false(watch_losses(RX_LOSS_MSE, falling, 6, 0.05).has_collapsed);
  assert_false(watch_losses(RX_LOSS_COSINE_KERAS, flat, 6, 0.05).has_collapsed);
}

static void a_spike_is_the_loss_of_half_of_what_was_gained(void **state) {
  static const double spike[] = {1, 0.5, 0.3, 0.2, 0.7};
  static const double bump[] = {1, 0.5, 0.3, 0.2, 0.5};

  (void)state;
  assert_true(watch_losses(RX_LOSS_MSE, spike, 5, 1).has_spiked);
  assert_false(watch_losses(RX_LOSS_MSE, bump, 5, 1).has_spiked);
  assert_false(watch_losses(RX_LOSS_MSE, spike, 4, 1).has_spiked);
}

/* Tells what was written to standard error while dead features were looked at. */
static bool warns_of_dead(size_t n_dead, bool starts_at_mean, const char *remedy) {
  rx_log log = {.level = RX_LOG_WARNING, .is_speaker = true};
  rx_training_settings settings = {.starts_at_mean = starts_at_mean};
  char text[1024] = "";
  FILE *file = tmpfile();
  int kept = dup(STDERR_FILENO);

  dup2(fileno(file), STDERR_FILENO);
  rx_watch_end(&log, &settings, n_dead, 4096);
  dup2(kept, STDERR_FILENO);
  close(kept);
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return strstr(text, "train: warning: ") && strstr(text, remedy);
}

static void more_than_one_feature_in_a_hundred_dead_is_said(void **state) {
  (void)state;
  assert_false(warns_of_dead(40, true, ""));
  assert_true(warns_of_dead(41, true, "41 of 4096"));
  assert_true(warns_of_dead(41, false, "output_bias = logit-mean"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(filters_are_turned_until_the_mean_image_pleases_them),
      cmocka_unit_test(black_places_are_those_that_see_nothing),
      cmocka_unit_test(dead_features_are_counted_where_they_are),
      cmocka_unit_test(a_revived_channel_lives_and_leaves_the_output_as_it_was),
      cmocka_unit_test(collapse_is_a_black_output_whose_loss_stays),
      cmocka_unit_test(a_spike_is_the_loss_of_half_of_what_was_gained),
      cmocka_unit_test(more_than_one_feature_in_a_hundred_dead_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
