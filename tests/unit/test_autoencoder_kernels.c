/* The kernels of each instruction set and the scalar reference, against PyTorch (shared reference,
 * sizes from its files), against each other, and against finite differences. */
#include "autoencoder/engine.h"
#include "autoencoder/fixed.h"
#include "autoencoder/network.h"
#include "autoencoder/scalar.h"
#include "autoencoder_reference.h"
#include "radmix/isa.h"

static double batch_gradient(const reference *r, int isa, rx_loss loss, float *gradient) {
  rx_engine *engine;
  size_t n_pixels = (size_t)r->network.size * (size_t)r->network.size;
  int64_t n_bad = 0;
  double sum = 0;

  assert_int_equal(rx_engine_create(&r->network, isa, &engine), 0);
  int64_t *fixed = calloc(rx_engine_gradient_length(engine), sizeof *fixed);
  rx_engine_set_weights(engine, r->weights);
  for (size_t i = 0; i < 4; i++) {
    rx_lesson lesson = {.noisy = r->noisy + i * n_pixels,
                        .target = r->target + i * n_pixels,
                        .loss = loss,
                        .weight = 1,
                        .limit = rx_fixed_limit(4)};
    sum += rx_engine_learn(engine, &lesson, fixed, &n_bad);
  }
  assert_int_equal(n_bad, 0);
  rx_engine_fold(engine, gradient, fixed, 1. / 4);
  free(fixed);
  rx_engine_destroy(&engine);
  return sum / 4;
}

static double scalar_gradient(const reference *r, rx_loss loss, float *gradient) {
  rx_scalar *scalar;
  size_t n_pixels = (size_t)r->network.size * (size_t)r->network.size;
  double *weights = calloc(r->network.n_weights, sizeof *weights);
  double *d_weights = calloc(r->network.n_weights, sizeof *weights);
  double *image = malloc(n_pixels * sizeof *image), *target = malloc(n_pixels * sizeof *image);
  double sum = 0;

  assert_int_equal(rx_scalar_create(&r->network, &scalar), 0);
  for (size_t i = 0; i < r->network.n_weights; i++) weights[i] = (double)r->weights[i];
  for (size_t i = 0; i < 4; i++) {
    for (size_t k = 0; k < n_pixels; k++) {
      image[k] = (double)r->noisy[i * n_pixels + k];
      target[k] = (double)r->target[i * n_pixels + k];
    }
    rx_scalar_forward(scalar, weights, image);
    sum += rx_scalar_loss(scalar, loss, target);
    rx_scalar_backward(scalar, weights, d_weights);
  }
  for (size_t i = 0; i < r->network.n_weights; i++) gradient[i] = (float)(d_weights[i] / 4);
  free(weights);
  free(d_weights);
  free(image);
  free(target);
  rx_scalar_destroy(&scalar);
  return sum / 4;
}

/* isa 0 is the scalar reference. */
static void compare_with_torch(const char *which, int isa) {
  reference r = {0};
  if (isa > rx_isa_of_machine() || !open_reference(&r, which)) skip();

  float *gradient = calloc(r.network.n_weights, sizeof *gradient);
  for (int l = 0; l < 2; l++) {
    rx_loss loss = l ? RX_LOSS_COSINE : RX_LOSS_MSE;
    const char *word = l ? "cos" : "mse";
    char name[64];
    size_t n;

    double found =
        isa ? batch_gradient(&r, isa, loss, gradient) : scalar_gradient(&r, loss, gradient);
    snprintf(name, sizeof name, "f64_%s_loss", word);
    double *expected = read_doubles(r.folder, name, &n);
    assert_true(fabs(found - *expected) < 1e-6 * fabs(*expected));
    free(expected);
    for (int layer = 0; layer < r.network.n_layers; layer++)
      for (int part = 0; part < 2; part++) {
        const rx_layer *at = &r.network.layers[layer];
        snprintf(name, sizeof name, "f64_%s_grad_%c%d", word, part ? 'b' : 'w', layer + 1);
        expected = read_doubles(r.folder, name, &n);
        double error = difference(gradient + (part ? at->biases : at->weights), expected, n);
        /* the last bias with cosine cancels: reference/README.md */
        bool cancels = l && part && layer == r.network.n_layers - 1;
        if (error >= (cancels ? 2e-4 : 1e-5)) print_message("%s: %.2e\n", name, error);
        assert_true(error < (cancels ? 2e-4 : 1e-5));
        free(expected);
      }
  }
  free(gradient);
  close_reference(&r);
}

static void scalar_gives_the_gradients_of_torch(void **state) {
  (void)state;
  compare_with_torch("data", 0);
  compare_with_torch("data_fig2", 0);
}

static void v2_gives_the_gradients_of_torch(void **state) {
  (void)state;
  compare_with_torch("data", 2);
  compare_with_torch("data_fig2", 2);
}

static void v3_gives_the_gradients_of_torch(void **state) {
  (void)state;
  compare_with_torch("data", 3);
  compare_with_torch("data_fig2", 3);
}

static void v4_gives_the_gradients_of_torch(void **state) {
  (void)state;
  compare_with_torch("data", 4);
  compare_with_torch("data_fig2", 4);
}

/* Activations of the first batch, each layer with pooling after pooling (f64_act_pool*), else after
 * ReLU; the logits of the last. */
static void compare_activations(const char *which, int isa) {
  reference r = {0};
  if (isa > rx_isa_of_machine() || !open_reference(&r, which)) skip();

  rx_engine *engine;
  size_t n_pixels = (size_t)r.network.size * (size_t)r.network.size, n = 0;
  float *output = malloc(16 * n_pixels * sizeof *output);
  assert_int_equal(rx_engine_create(&r.network, isa, &engine), 0);
  rx_engine_set_weights(engine, r.weights);
  for (size_t image = 0; image < 4; image++) {
    rx_engine_reconstruct(engine, output, r.noisy + image * n_pixels);
    double *expected = read_doubles(r.folder, "f64_act_out", &n);
    assert_true(difference(output, expected + image * n_pixels, n_pixels) < 1e-5);
    free(expected);
    for (int l = 0; l < r.network.n_layers; l++) {
      const rx_layer *layer = &r.network.layers[l];
      char name[64];
      bool is_pooled = layer->output_size < layer->input_size;
      snprintf(name, sizeof name, "f64_act_%s%d", is_pooled ? "pool" : "conv", l + 1);
      expected = read_doubles(r.folder, name, &n);
      n /= 4;
      const float *found = rx_engine_logits(engine);
      if (layer->kind != RX_LAYER_LAST) {
        rx_engine_output(engine, l, output);
        found = output;
      }
      double error = difference(found, expected + image * n, n);
      if (error >= 1e-5) print_message("%s image %zu: %.2e\n", name, image, error);
      assert_true(error < 1e-5);
      free(expected);
    }
  }
  free(output);
  rx_engine_destroy(&engine);
  close_reference(&r);
}

static void activations_are_those_of_torch(void **state) {
  (void)state;
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    compare_activations("data", isa);
    compare_activations("data_fig2", isa);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scalar_gives_the_gradients_of_torch),
      cmocka_unit_test(activations_are_those_of_torch),
      cmocka_unit_test(v2_gives_the_gradients_of_torch),
      cmocka_unit_test(v3_gives_the_gradients_of_torch),
      cmocka_unit_test(v4_gives_the_gradients_of_torch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
