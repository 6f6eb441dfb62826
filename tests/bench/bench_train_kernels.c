/* Time of each layer's kernels, of encoding and of a training step, on one core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "autoencoder/engine.h"
#include "autoencoder/fixed.h"
#include "autoencoder/network.h"
#include "radmix/isa.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

enum { N_IMAGES = 64, SIZE = 64, N_PIXELS = SIZE * SIZE };

typedef struct {
  rx_engine *engine;
  rx_network network;
  float *images, *weights, *gradient;
  int64_t *sum;
} bench;

static void encode(bench *b) {
  for (int i = 0; i < N_IMAGES; i++)
    rx_engine_encode(b->engine, b->gradient, b->images + i * N_PIXELS);
}

static void train(bench *b) {
  int64_t n_bad = 0;
  rx_engine_set_weights(b->engine, b->weights);
  for (int i = 0; i < N_IMAGES; i++) {
    rx_lesson lesson = {.noisy = b->images + i * N_PIXELS,
                        .target = b->images + i * N_PIXELS,
                        .weight = 1,
                        .limit = 127};
    rx_engine_learn(b->engine, &lesson, b->sum, &n_bad);
  }
  rx_engine_fold(b->engine, b->gradient, b->sum, 1. / N_IMAGES);
}

static double best_rate(bench *b, void (*work)(bench *)) {
  double best = 1e9;
  for (int repeat = 0; repeat < 15; repeat++) {
    double start = now();
    work(b);
    double time = now() - start;
    if (time < best) best = time;
  }
  return N_IMAGES / best;
}

int main(int argc, char **argv) {
  bench b = {0};
  int isa = rx_isa_of_machine(), levels = argc > 1 ? argv[1][0] - '0' : 3;

  if (rx_network_build(levels, 16, SIZE, &b.network)) return 1;
  b.images = malloc(sizeof(float) * N_IMAGES * N_PIXELS);
  b.weights = calloc(b.network.n_weights, sizeof(float));
  b.gradient = calloc(b.network.n_features + b.network.n_weights, sizeof(float));
  for (int i = 0; i < N_IMAGES * N_PIXELS; i++)
    b.images[i] = (float)((unsigned)i * 2654435761u % 1000) / 1000;
  rx_network_initialise(&b.network, 1, b.weights);
  for (; isa >= 2; isa--) {
    if (rx_engine_create(&b.network, isa, &b.engine)) return 1;
    b.sum = calloc(rx_engine_gradient_length(b.engine), sizeof *b.sum);
    rx_engine_set_weights(b.engine, b.weights);
    printf("v%d levels %d: encode %.0f images/s, train %.0f images/s\n", isa, levels,
           best_rate(&b, encode), best_rate(&b, train));
    free(b.sum);
    rx_engine_destroy(&b.engine);
  }
  return 0;
}
