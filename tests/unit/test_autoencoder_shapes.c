/* The kernels on odd shapes against the scalar reference, the scalar reference against finite
 * differences, and AVX2 against AVX-512 bit by bit. */
#include "autoencoder_reference.h"

#include "autoencoder/engine.h"
#include "autoencoder/fixed.h"
#include "autoencoder/network.h"
#include "autoencoder/scalar.h"
#include "radmix/isa.h"
#include "radmix/random.h"

typedef struct {
  int levels, channels, size;
} shape;

/* Maps of one pixel, of an odd number of them, more than one block of channels, all levels. */
static const shape shapes[] = {{1, 16, 8},  {1, 32, 32}, {2, 16, 20}, {3, 16, 8},   {3, 32, 24},
                               {4, 16, 16}, {4, 32, 32}, {2, 32, 28}, {1, 16, 128}, {2, 48, 12}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* A network with random weights and biases, and a noisy image with its target. */
typedef struct {
  rx_network network;
  size_t n_pixels;
  float *weights, *noisy, *target;
} problem;

/* Draws a problem. number  another one for each */
static problem draw_problem(shape s, uint32_t number) {
  problem p = {0};

  assert_int_equal(rx_network_build(s.levels, s.channels, s.size, &p.network), 0);
  p.n_pixels = (size_t)s.size * (size_t)s.size;
  p.weights = calloc(p.network.n_weights, sizeof(float));
  p.noisy = calloc(p.n_pixels, sizeof(float));
  p.target = calloc(p.n_pixels, sizeof(float));
  rx_network_initialise(&p.network, 7, p.weights);
  rx_random random = rx_random_at(1, 1000, number, 0);
  for (int l = 0; l < p.network.n_layers; l++)
    for (int o = 0; o < p.network.layers[l].outputs; o++)
      p.weights[p.network.layers[l].biases + (size_t)o] =
          (float)(0.1 * (rx_random_uniform(&random) - 0.3));
  for (size_t i = 0; i < p.n_pixels; i++) {
    p.target[i] = (float)rx_random_uniform(&random);
    p.noisy[i] = 0.9f * p.target[i] + 0.1f * (float)rx_random_uniform(&random);
  }
  return p;
}

static void destroy_problem(problem *p) {
  free(p->weights);
  free(p->noisy);
  free(p->target);
}

static double *widen(const float *values, size_t n) {
  double *wide = malloc(n * sizeof *wide);

  for (size_t i = 0; i < n; i++) wide[i] = (double)values[i];
  return wide;
}

/* Smallest distance at which rounding would give a ReLU layer another gradient: of a response from
 * 0, and of the largest of a pooling window from the others. */
static double nearest_kink(const rx_scalar *scalar, int l) {
  const rx_layer *layer = &scalar->network.layers[l];
  bool is_pooled = layer->output_size < layer->input_size;
  int size = is_pooled ? layer->input_size : layer->output_size, step = is_pooled ? 2 : 1;
  double nearest = INFINITY;

  for (int row = 0; row < layer->outputs * size; row += step)
    for (int column = 0; column < size; column += step) {
      const double *at = scalar->convolved[l] + (size_t)row * (size_t)size + column;
      double largest = at[0], second = -INFINITY;
      for (int i = 1; i < step * step; i++) {
        double value = at[i / 2 * size + i % 2];
        second = fmax(second, fmin(value, largest));
        largest = fmax(value, largest);
      }
      nearest = fmin(nearest, fabs(largest));
      if (largest > 0) nearest = fmin(nearest, largest - second);
    }
  return nearest;
}

/* Draws problems until there is one without a kink nearby. A response sums at most 9 x 48 products
 * of numbers below 1 (twice that many, merged, in the up layers): float32 rounding leaves it within
 * a few times 6e-8 of what it should be, and each layer adds as much; 2e-6 is beyond that. */
static problem make_problem(shape s) {
  for (uint32_t number = 0;; number++) {
    problem p = draw_problem(s, number);
    double *weights = widen(p.weights, p.network.n_weights), *noisy = widen(p.noisy, p.n_pixels);
    double nearest = INFINITY;
    rx_scalar *scalar;

    assert_int_equal(rx_scalar_create(&p.network, &scalar), 0);
    rx_scalar_forward(scalar, weights, noisy);
    for (int l = 0; l < p.network.n_layers - 1; l++)
      nearest = fmin(nearest, nearest_kink(scalar, l));
    rx_scalar_destroy(&scalar);
    free(weights);
    free(noisy);
    if (nearest > 2e-6) return p;
    destroy_problem(&p);
    assert_true(number < 100);
  }
}

static double fast_gradient(const problem *p, int isa, rx_loss loss, float *gradient) {
  rx_engine *engine;
  int64_t n_bad = 0;

  assert_int_equal(rx_engine_create(&p->network, isa, &engine), 0);
  int64_t *sum = calloc(rx_engine_gradient_length(engine), sizeof *sum);
  rx_engine_set_weights(engine, p->weights);
  rx_lesson lesson = {
      .noisy = p->noisy, .target = p->target, .loss = loss, .weight = 1, .limit = 100};
  /* twice: what the first image leaves behind must not matter */
  rx_engine_learn(engine, &lesson, sum, &n_bad);
  memset(sum, 0, rx_engine_gradient_length(engine) * sizeof *sum);
  double value = rx_engine_learn(engine, &lesson, sum, &n_bad);
  assert_int_equal(n_bad, 0);
  rx_engine_fold(engine, gradient, sum, 1);
  free(sum);
  rx_engine_destroy(&engine);
  return value;
}

static double scalar_gradient(const problem *p, const double *weights, rx_loss loss,
                              double *gradient) {
  rx_scalar *scalar;
  double *noisy = widen(p->noisy, p->n_pixels), *target = widen(p->target, p->n_pixels);

  assert_int_equal(rx_scalar_create(&p->network, &scalar), 0);
  rx_scalar_forward(scalar, weights, noisy);
  double value = rx_scalar_loss(scalar, loss, target);
  if (gradient) rx_scalar_backward(scalar, weights, gradient);
  rx_scalar_destroy(&scalar);
  free(noisy);
  free(target);
  return value;
}

/* Sum of the sizes of what the bias of the last layer sums: the gradient by each pixel before the
 * sigmoid. */
static double sum_of_sizes(const problem *p, const double *weights, rx_loss loss) {
  rx_scalar *scalar;
  double *noisy = widen(p->noisy, p->n_pixels), *target = widen(p->target, p->n_pixels), sum = 0;
  int last = p->network.n_layers - 1;

  assert_int_equal(rx_scalar_create(&p->network, &scalar), 0);
  rx_scalar_forward(scalar, weights, noisy);
  rx_scalar_loss(scalar, loss, target);
  for (size_t i = 0; i < p->n_pixels; i++) {
    double output = 1 / (1 + exp(-scalar->convolved[last][i]));
    sum += fabs(scalar->gradient[last][i]) * output * (1 - output);
  }
  rx_scalar_destroy(&scalar);
  free(noisy);
  free(target);
  return sum;
}

static void kernels_agree_with_the_scalar_reference(void **state) {
  (void)state;
  for (int s = 0; s < N_SHAPES; s++) {
    problem p = make_problem(shapes[s]);
    double *weights = widen(p.weights, p.network.n_weights);
    float *found = calloc(p.network.n_weights, sizeof *found);
    for (rx_loss loss = RX_LOSS_MSE; loss <= RX_LOSS_BCE; loss++) {
      double *expected = calloc(p.network.n_weights, sizeof *expected);
      double value = scalar_gradient(&p, weights, loss, expected);
      double sizes = sum_of_sizes(&p, weights, loss);
      for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
        assert_true(fabs(fast_gradient(&p, isa, loss, found) - value) < 1e-5 * fabs(value));
        for (int l = 0; l < p.network.n_layers; l++)
          for (int part = 0; part < 2; part++) {
            const rx_layer *layer = &p.network.layers[l];
            size_t at = part ? layer->biases : layer->weights;
            size_t n = part ? (size_t)layer->outputs : rx_layer_n_weights(layer);
            /* Of the largest gradient of the tensor. With cosine the last bias sums pixels that
             * nearly cancel, each right to some ten roundings: 16 x 6e-8 of their sizes. */
            bool cancels = loss == RX_LOSS_COSINE && part && l == p.network.n_layers - 1;
            double error = cancels ? fabs((double)found[at] - expected[at]) / sizes
                                   : difference(found + at, expected + at, n);
            double allowed = cancels ? 16 * 0x1p-24 : 1e-5;
            if (error >= allowed)
              print_message("levels %d channels %d size %d v%d loss %d layer %d %s: %.1e\n",
                            shapes[s].levels, shapes[s].channels, shapes[s].size, isa, (int)loss,
                            l + 1, part ? "biases" : "weights", error);
            assert_true(error < allowed);
          }
      }
      free(expected);
    }
    free(weights);
    free(found);
    destroy_problem(&p);
  }
}

static void avx2_and_avx512_give_the_same_bits(void **state) {
  (void)state;
  if (rx_isa_of_machine() < 4) skip();
  for (int s = 0; s < N_SHAPES; s++) {
    problem p = make_problem(shapes[s]);
    float *three = calloc(p.network.n_weights, sizeof *three);
    float *four = calloc(p.network.n_weights, sizeof *four);
    for (rx_loss loss = RX_LOSS_MSE; loss <= RX_LOSS_COSINE_KERAS; loss++) {
      double a = fast_gradient(&p, 3, loss, three), b = fast_gradient(&p, 4, loss, four);
      assert_memory_equal(&a, &b, sizeof a);
      assert_memory_equal(three, four, p.network.n_weights * sizeof *three);
    }
    free(three);
    free(four);
    destroy_problem(&p);
  }
}

/* Loss along a direction of the weights first .. first + n - 1, left and right, against the
 * gradient. */
static void check_direction(const problem *p, rx_loss loss, const double *gradient, size_t first,
                            size_t n) {
  double *weights = widen(p->weights, p->network.n_weights), step = 1e-6, slope = 0;
  double *direction = calloc(n, sizeof *direction);
  rx_random random = rx_random_at(2, 1001, (uint32_t)first, 0);
  double sides[2];

  for (size_t i = 0; i < n; i++) {
    direction[i] = rx_random_uniform(&random) - 0.5;
    slope += direction[i] * gradient[first + i];
  }
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < n; i++)
      weights[first + i] = (double)p->weights[first + i] + (side ? 1 : -1) * step * direction[i];
    sides[side] = scalar_gradient(p, weights, loss, NULL);
  }
  double found = (sides[1] - sides[0]) / (2 * step);
  /* Rounding of the loss, divided by the step; a kink of ReLU or pooling on the way. */
  double allowed = 1e-5 * fabs(slope) + 1e-8;
  if (fabs(found - slope) >= allowed)
    print_message("loss %d at %zu: %.10g, expected %.10g\n", (int)loss, first, found, slope);
  assert_true(fabs(found - slope) < allowed);
  free(weights);
  free(direction);
}

static void gradients_are_finite_differences(void **state) {
  static const shape few[] = {{1, 32, 32}, {4, 32, 32}, {2, 16, 20}, {1, 32, 128}, {4, 32, 128}};

  (void)state;
  for (size_t s = 0; s < sizeof few / sizeof *few; s++) {
    problem p = draw_problem(few[s], 0);
    bool is_large = few[s].size > 32; /* one loss, weights and biases of a layer at once */
    for (rx_loss loss = RX_LOSS_MSE; loss <= (is_large ? RX_LOSS_MSE : RX_LOSS_BCE); loss++) {
      double *weights = widen(p.weights, p.network.n_weights);
      double *gradient = calloc(p.network.n_weights, sizeof *gradient);
      scalar_gradient(&p, weights, loss, gradient);
      for (int l = 0; l < p.network.n_layers; l += 1 + is_large) {
        const rx_layer *layer = &p.network.layers[l];
        size_t n = rx_layer_n_weights(layer), n_biases = (size_t)layer->outputs;
        check_direction(&p, loss, gradient, layer->weights, is_large ? n + n_biases : n);
        if (!is_large) check_direction(&p, loss, gradient, layer->biases, n_biases);
      }
      free(weights);
      free(gradient);
    }
    destroy_problem(&p);
  }
}

static void cosine_keras_has_no_gradient(void **state) {
  (void)state;
  problem p = make_problem((shape){2, 16, 16});
  float *gradient = calloc(p.network.n_weights, sizeof *gradient);

  double loss = fast_gradient(&p, 2, RX_LOSS_COSINE_KERAS, gradient);
  assert_true(fabs(loss + 1) < 1e-6); /* every pixel is in line with itself */
  for (size_t i = 0; i < p.network.n_weights; i++) assert_true(gradient[i] == 0);
  free(gradient);
  destroy_problem(&p);
}

static void an_empty_image_has_no_loss_and_no_gradient_with_cosine(void **state) {
  (void)state;
  problem p = make_problem((shape){2, 16, 16});
  float *gradient = calloc(p.network.n_weights, sizeof *gradient);

  memset(p.target, 0, p.n_pixels * sizeof(float));
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    assert_true(fast_gradient(&p, isa, RX_LOSS_COSINE, gradient) == 0);
    for (size_t i = 0; i < p.network.n_weights; i++) assert_true(gradient[i] == 0);
  }
  free(gradient);
  destroy_problem(&p);
}

static void shapes_that_cannot_be_are_refused(void **state) {
  rx_network network;

  (void)state;
  assert_int_equal(rx_network_build(0, 16, 64, &network), RX_ERR_CONFIG);
  assert_int_equal(rx_network_build(5, 16, 64, &network), RX_ERR_CONFIG);
  assert_int_equal(rx_network_build(2, 24, 64, &network), RX_ERR_CONFIG);
  assert_int_equal(rx_network_build(3, 16, 60, &network), RX_ERR_CONFIG);
  assert_int_equal(rx_network_build(2, 16, 64, &network), RX_OK);
  assert_int_equal(network.n_weights, 7265);
  assert_int_equal(network.n_features, 4096);
  assert_int_equal(rx_network_build(3, 16, 64, &network), RX_OK);
  assert_int_equal(network.n_weights, 11905);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shapes_that_cannot_be_are_refused),
      cmocka_unit_test(kernels_agree_with_the_scalar_reference),
      cmocka_unit_test(avx2_and_avx512_give_the_same_bits),
      cmocka_unit_test(gradients_are_finite_differences),
      cmocka_unit_test(cosine_keras_has_no_gradient),
      cmocka_unit_test(an_empty_image_has_no_loss_and_no_gradient_with_cosine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
