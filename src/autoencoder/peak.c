#include "peak.h"

#include "radmix/isa.h"
#include "radmix/log.h"

double rx_peak_measure(int isa) {
  rx_peak_kernel *run = RX_ISA_PICK(isa, rx_peak_run);
  volatile float keep = run(1000); /* wakes the unit */
  double best = 0;

  for (int repeat = 0; repeat < 5; repeat++) {
    const long n_rounds = 20000;
    double start = rx_seconds();
    keep = run(n_rounds);
    double rate = (double)n_rounds * RX_PEAK_FLOPS / (rx_seconds() - start);
    if (rate > best) best = rate;
  }
  (void)keep;
  return best;
}

/* Multiply-adds of one pass through a layer. */
static double layer_products(const rx_layer *layer) {
  double pixels = (double)layer->input_size * layer->input_size;
  const int edge = (layer->input_size + 1) / 2;
  double tiles = (double)edge * edge;
  double channels = (double)layer->inputs * layer->outputs;

  switch (layer->kind) {
    case RX_LAYER_FIRST:
      return 9 * pixels * layer->outputs;
    case RX_LAYER_POOLED:
    case RX_LAYER_PLAIN:
      return 16 * tiles * channels;
    case RX_LAYER_UP:
      return 9 * pixels * channels;
    default:
      return 16 * pixels * layer->inputs;
  }
}

double rx_peak_training_flops(const rx_network *network) {
  double sum = 0;

  /* forward, gradient by the weights, and, but for the first, by the input */
  for (int l = 0; l < network->n_layers; l++)
    sum += (l ? 3 : 2) * layer_products(&network->layers[l]);
  return 2 * sum;
}
