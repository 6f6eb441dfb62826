/* bench_train LEVELS [ISA]: images a second of training steps and of encoding on one core, and
 * their share of the core's peak. Prints one line: `radmix vISA train RATE SHARE encode RATE`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "autoencoder/engine.h"
#include "autoencoder/fixed.h"
#include "autoencoder/network.h"
#include "autoencoder/noise.h"
#include "autoencoder/peak.h"
#include "radmix/isa.h"

enum { N_IMAGES = 64, SIZE = 64, N_PIXELS = SIZE * SIZE };

typedef struct {
  rx_engine *engine;
  rx_network network;
  rx_noise_kernel *noise;
  float *images, *noisy, *weights, *gradient, *features;
  int64_t *sum;
} bench;

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void encode(bench *b) {
  for (int i = 0; i < N_IMAGES; i++)
    rx_engine_encode(b->engine, b->features, b->images + i * N_PIXELS);
}

/* One step: noise, forward, loss, backward, fixed-point sum, folding; packing of the weights. */
static void train(bench *b) {
  int64_t n_bad = 0;

  rx_engine_set_weights(b->engine, b->weights);
  for (int i = 0; i < N_IMAGES; i++) {
    rx_noise noise = {.seed = 1, .epoch = 1, .image = (uint32_t)i, .deviation = 0.05f};
    rx_lesson lesson = {
        .noisy = b->noisy, .target = b->images + i * N_PIXELS, .weight = 1, .limit = 127};
    b->noise(b->noisy, lesson.target, N_PIXELS, &noise);
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

static int allocate(bench *b, int isa) {
  b->images = malloc(sizeof(float) * N_IMAGES * N_PIXELS);
  b->noisy = malloc(sizeof(float) * N_PIXELS);
  b->weights = calloc(b->network.n_weights, sizeof(float));
  b->gradient = calloc(b->network.n_weights, sizeof(float));
  b->features = calloc(b->network.n_features, sizeof(float));
  if (rx_engine_create(&b->network, isa, &b->engine)) return 1;
  b->sum = calloc(rx_engine_gradient_length(b->engine), sizeof *b->sum);
  return !b->images || !b->noisy || !b->weights || !b->gradient || !b->features || !b->sum;
}

int main(int argc, char **argv) {
  bench b = {0};
  int levels = argc > 1 ? argv[1][0] - '0' : 3;
  int isa = argc > 2 ? argv[2][0] - '0' : rx_isa_of_machine();

  if (isa > rx_isa_of_machine() || rx_network_build(levels, 16, SIZE, &b.network)) return 1;
  if (allocate(&b, isa)) return 1;
  b.noise = RX_ISA_PICK(isa, rx_noise);
  for (int i = 0; i < N_IMAGES * N_PIXELS; i++)
    b.images[i] = (float)((unsigned)i * 2654435761u % 1000) / 1000;
  rx_network_initialise(&b.network, 1, b.weights);
  rx_engine_set_weights(b.engine, b.weights);
  double rate = best_rate(&b, train);
  double share = rate * rx_peak_training_flops(&b.network) / rx_peak_measure(isa);
  printf("radmix v%d train %.0f %.2f encode %.0f\n", isa, rate, share, best_rate(&b, encode));
  rx_engine_destroy(&b.engine);
  free(b.images);
  free(b.noisy);
  free(b.weights);
  free(b.gradient);
  free(b.features);
  free(b.sum);
  return 0;
}
