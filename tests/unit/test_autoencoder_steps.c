/* What a training step is made of: optimisers, schedules, noise, fixed point, presets. */
#include "autoencoder_reference.h"

#include "autoencoder/engine.h"
#include "autoencoder/fixed.h"
#include "autoencoder/network.h"
#include "autoencoder/noise.h"
#include "autoencoder/optimiser.h"
#include "autoencoder/scalar.h"
#include "autoencoder/settings.h"
#include "radmix/isa.h"
#include "radmix/random.h"

/* Gradient of the batch of a step, by the kernels of an instruction set (0: the scalar reference).
 * gradient [n_weights], set. Returns the loss. */
static double step_gradient(const reference *r, int isa, rx_loss loss, int step,
                            const float *weights, float *gradient) {
  size_t n_pixels = (size_t)r->network.size * (size_t)r->network.size, n = r->network.n_weights;
  rx_engine *engine = NULL;
  rx_scalar *scalar = NULL;
  int64_t *sum = NULL, n_bad = 0;
  double value = 0, *wide = NULL, *d = NULL, *image = NULL;

  if (isa) {
    assert_int_equal(rx_engine_create(&r->network, isa, &engine), 0);
    sum = calloc(rx_engine_gradient_length(engine), sizeof *sum);
    rx_engine_set_weights(engine, weights);
  } else {
    assert_int_equal(rx_scalar_create(&r->network, &scalar), 0);
    wide = malloc(n * sizeof *wide);
    d = calloc(n, sizeof *d);
    image = malloc(2 * n_pixels * sizeof *image);
    for (size_t i = 0; i < n; i++) wide[i] = (double)weights[i];
  }
  for (size_t i = 4 * (size_t)step; i < 4 * (size_t)step + 4; i++) {
    const float *noisy = r->noisy + i * n_pixels, *target = r->target + i * n_pixels;
    if (isa) {
      rx_lesson lesson = {
          .noisy = noisy, .target = target, .loss = loss, .weight = 1, .limit = 100};
      value += rx_engine_learn(engine, &lesson, sum, &n_bad) / 4;
      continue;
    }
    for (size_t k = 0; k < n_pixels; k++) {
      image[k] = (double)noisy[k];
      image[n_pixels + k] = (double)target[k];
    }
    rx_scalar_forward(scalar, wide, image);
    value += rx_scalar_loss(scalar, loss, image + n_pixels) / 4;
    rx_scalar_backward(scalar, wide, d);
  }
  assert_int_equal(n_bad, 0);
  if (isa)
    rx_engine_fold(engine, gradient, sum, 0.25);
  else
    for (size_t i = 0; i < n; i++) gradient[i] = (float)(d[i] / 4);
  rx_engine_destroy(&engine);
  rx_scalar_destroy(&scalar);
  free(sum);
  free(wide);
  free(d);
  free(image);
  return value;
}

typedef struct {
  const char *name; /* in the files */
  rx_optimiser_settings settings;
  double rate;
} optimiser_case;

static const optimiser_case optimisers[] = {
    {"adam", {RX_ADAM_KERAS, 1e-7, 0}, 1e-3},
    {"adam_torch", {RX_ADAM, 1e-8, 0}, 1e-3},
    {"adadelta", {RX_ADADELTA, 1e-7, 0.95}, 1},
    {"adadelta_torch", {RX_ADADELTA, 1e-7, 0.95}, 1},
};

static void compare_weights(const reference *r, const char *group, const float *weights) {
  for (int l = 0; l < r->network.n_layers; l++)
    for (int part = 0; part < 2; part++) {
      const rx_layer *layer = &r->network.layers[l];
      char name[128];
      size_t n = 0;
      snprintf(name, sizeof name, "%.90s_%c%d", group, part ? 'b' : 'w', l + 1);
      double *expected = read_doubles(r->folder, name, &n);
      assert_non_null(expected);
      const float *found = weights + (part ? layer->biases : layer->weights);
      double most = 0;
      for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)found[i] - expected[i]));
      /* Adam divides a gradient by its own size: one that is a thousandth of the largest, and right
       * to 1e-5 of that, moves its weight by the rate (1e-3) to within 1 %. 1e-7 is the rule. */
      if (most >= 1e-5) print_message("%s: %.1e\n", name, most);
      assert_true(most < 1e-5);
      free(expected);
    }
}

static void take_five_steps(const reference *r, int isa, rx_loss loss, const optimiser_case *o) {
  size_t n = r->network.n_weights, n_losses = 0;
  float *memory = calloc(4 * n, sizeof *memory), *gradient = memory + 3 * n;
  rx_optimiser optimiser = {
      .settings = o->settings, .n = n, .first = memory + n, .second = memory + 2 * n};
  const char *word = loss == RX_LOSS_MSE ? "mse" : "cos";
  char name[96];

  memcpy(memory, r->weights, n * sizeof *memory);
  snprintf(name, sizeof name, "f64_%s_%s_losses", word, o->name);
  double *losses = read_doubles(r->folder, name, &n_losses);
  for (int step = 0; step < (int)n_losses; step++) {
    double value = step_gradient(r, isa, loss, step, memory, gradient);
    assert_true(fabs(value - losses[step]) < 1e-5 * fabs(losses[step]));
    rx_optimiser_step(&optimiser, memory, gradient, o->rate);
  }
  free(losses);
  snprintf(name, sizeof name, "f64_%s_%s_after5", word, o->name);
  compare_weights(r, name, memory);
  free(memory);
}

static void five_steps_give_the_weights_of_torch_and_keras(void **state) {
  static const char *const folders[] = {"data", "data_fig2"};

  (void)state;
  for (int f = 0; f < 2; f++) {
    reference r = {0};
    if (!open_reference(&r, folders[f])) skip();
    for (int isa = 0; isa <= rx_isa_of_machine(); isa += isa ? 1 : 2)
      for (int o = 0; o < 4; o++) {
        /* The scalar reference is slow; its gradients are compared elsewhere. */
        if (isa == 0 && (f == 0 || o % 2)) continue;
        take_five_steps(&r, isa, RX_LOSS_MSE, &optimisers[o]);
        if (isa) take_five_steps(&r, isa, RX_LOSS_COSINE, &optimisers[o]);
      }
    close_reference(&r);
  }
}

/* The noise on a black image, before it is clipped, is on a grey one with a small deviation. */
static void noise_is_the_same_on_every_instruction_set(void **state) {
  enum { N = 4096 + 37 };
  float grey[N], noisy[3][N];
  rx_noise noise = {.seed = 42, .epoch = 3, .image = 17, .deviation = 0.3f};

  (void)state;
  for (int i = 0; i < N; i++) grey[i] = 0.5f;
  rx_noise_v2(noisy[0], grey, N, &noise);
  if (rx_isa_of_machine() >= 3) {
    rx_noise_v3(noisy[1], grey, N, &noise);
    assert_memory_equal(noisy[0], noisy[1], sizeof noisy[0]);
  }
  if (rx_isa_of_machine() >= 4) {
    rx_noise_v4(noisy[2], grey, N, &noise);
    assert_memory_equal(noisy[0], noisy[2], sizeof noisy[0]);
  }
}

/* Box and Muller in double precision on the words of Random123. */
static void noise_comes_from_philox_by_box_and_muller(void **state) {
  enum { N = 1000, QUARTER = 250 };
  float grey[N], noisy[N];
  rx_noise noise = {.seed = 0x123456789abcULL, .epoch = 9, .image = 1234, .deviation = 0.01f};

  (void)state;
  for (int i = 0; i < N; i++) grey[i] = 0.5f;
  rx_noise_v2(noisy, grey, N, &noise);
  rx_random random = rx_random_at(noise.seed, RX_RANDOM_NOISE, noise.epoch, noise.image);
  for (int i = 0; i < QUARTER; i++)
    for (int pair = 0; pair < 4; pair += 2) {
      double u = ((double)(rx_random_u32(&random) >> 8) + 0.5) * 0x1p-24;
      double turn = (double)(rx_random_u32(&random) >> 8) * 0x1p-24 * 2 * M_PI;
      double radius = 0.01 * sqrt(-2 * log(u));
      double found[2] = {(double)noisy[pair * QUARTER + i] - 0.5,
                         (double)noisy[(pair + 1) * QUARTER + i] - 0.5};
      /* 0.5 + noise is a float: steps of 6e-8. */
      assert_true(fabs(found[0] - radius * sin(turn)) < 1e-7);
      assert_true(fabs(found[1] - radius * cos(turn)) < 1e-7);
    }
}

static void noise_is_normal_and_clipped(void **state) {
  enum { N = 1 << 16 };
  float *grey = malloc(N * sizeof *grey), *noisy = malloc(N * sizeof *noisy);
  double sum = 0, square = 0, fourth = 0;
  rx_noise noise = {.seed = 1, .epoch = 1, .image = 1, .deviation = 0.05f};

  (void)state;
  for (int i = 0; i < N; i++) grey[i] = 0.5f;
  rx_noise_v2(noisy, grey, N, &noise);
  for (int i = 0; i < N; i++) {
    double z = ((double)noisy[i] - 0.5) / 0.05;
    sum += z / N;
    square += z * z / N;
    fourth += z * z * z * z / N;
  }
  /* four standard errors */
  assert_true(fabs(sum) < 4 / sqrt(N));
  assert_true(fabs(square - 1) < 4 * sqrt(2. / N));
  assert_true(fabs(fourth - 3) < 4 * sqrt(96. / N));
  noise.deviation = 1;
  rx_noise_v2(noisy, grey, N, &noise);
  for (int i = 0; i < N; i++) assert_true(noisy[i] >= 0 && noisy[i] <= 1);
  free(grey);
  free(noisy);
}

static void fixed_point_sums_are_exact_and_guarded(void **state) {
  enum { N = 19 };
  (void)state;
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    rx_fixed_add_kernel *add = RX_ISA_PICK(isa, rx_fixed_add);
    float numbers[N];
    int64_t sums[N] = {0};

    for (int i = 0; i < N; i++) numbers[i] = (float)(i - 9) * 0x1p-20f;
    assert_int_equal(add(sums, numbers, 3, 127, N), 0);
    for (int i = 0; i < N; i++) {
      assert_int_equal(sums[i], (i - 9) * (int64_t)3 * (1 << 24));
      assert_true(numbers[i] == 0);
    }
    numbers[3] = NAN;
    numbers[5] = INFINITY;
    numbers[7] = -128;
    numbers[9] = 126;
    assert_int_equal(add(sums, numbers, 1, 127, N), 3);
  }
  assert_int_equal(rx_fixed(-0.25), -((int64_t)1 << 42));
  /* the limit of n numbers leaves room for their sum */
  for (int64_t n = 1; n < 100000; n *= 3)
    assert_true(rx_fixed_limit(n) * (double)n < 0x1p19 && rx_fixed_limit(n) < 128);
}

static void presets_set_what_the_deck_does_not_name(void **state) {
  rx_config config;

  (void)state;
  rx_config_defaults(&config);
  rx_training_settings s = rx_training_settings_of(&config);
  assert_true(s.levels == 2 && s.loss == RX_LOSS_MSE && s.optimiser.kind == RX_ADAM);
  assert_true(s.learning_rate == 0.001 && s.optimiser.epsilon == 1e-8 && s.starts_at_mean);

  assert_int_equal(rx_config_set(&config, "autoencoder", "preset", "paper-figure"), 0);
  s = rx_training_settings_of(&config);
  assert_true(s.levels == 2 && s.loss == RX_LOSS_MSE && s.optimiser.kind == RX_ADAM_KERAS);
  assert_true(s.learning_rate == 0.1 && s.optimiser.epsilon == 1e-7 && !s.starts_at_mean);

  assert_int_equal(rx_config_set(&config, "autoencoder", "preset", "paper-code"), 0);
  s = rx_training_settings_of(&config);
  assert_true(s.levels == 3 && s.loss == RX_LOSS_COSINE_KERAS && s.learning_rate == 1);
  assert_true(s.optimiser.kind == RX_ADADELTA && !s.starts_at_mean);

  assert_int_equal(rx_config_set(&config, "autoencoder", "loss", "cosine"), 0);
  assert_int_equal(rx_config_set(&config, "autoencoder", "levels", "2"), 0);
  assert_int_equal(rx_config_set(&config, "autoencoder", "learning_rate", "0.5"), 0);
  s = rx_training_settings_of(&config);
  assert_true(s.levels == 2 && s.loss == RX_LOSS_COSINE && s.learning_rate == 0.5);
}

static void schedules_follow_their_definitions(void **state) {
  rx_training_settings s = {.learning_rate = 1, .epochs = 100};

  (void)state;
  assert_true(rx_learning_rate_at(&s, 99) == 1);
  s.schedule = RX_SCHEDULE_STEP;
  assert_true(rx_learning_rate_at(&s, 49.9) == 1 && rx_learning_rate_at(&s, 50) == 0.1);
  assert_true(rx_learning_rate_at(&s, 75) == 0.01);
  s.schedule = RX_SCHEDULE_COSINE;
  s.warmup = 10;
  assert_true(rx_learning_rate_at(&s, 5) == 0.5);
  assert_true(fabs(rx_learning_rate_at(&s, 10) - 1) < 1e-12);
  assert_true(fabs(rx_learning_rate_at(&s, 55) - 0.5) < 1e-12);
  assert_true(fabs(rx_learning_rate_at(&s, 100)) < 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(five_steps_give_the_weights_of_torch_and_keras),
      cmocka_unit_test(noise_is_the_same_on_every_instruction_set),
      cmocka_unit_test(noise_comes_from_philox_by_box_and_muller),
      cmocka_unit_test(noise_is_normal_and_clipped),
      cmocka_unit_test(fixed_point_sums_are_exact_and_guarded),
      cmocka_unit_test(presets_set_what_the_deck_does_not_name),
      cmocka_unit_test(schedules_follow_their_definitions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
