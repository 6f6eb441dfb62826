#include "network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/random.h"

size_t rx_layer_n_weights(const rx_layer *layer) {
  return (size_t)layer->outputs * (size_t)layer->inputs * 9;
}

void rx_layer_name(int layer, char part, char name[RX_LAYER_NAME_SIZE]) {
  snprintf(name, RX_LAYER_NAME_SIZE, "conv%d_%c", (layer + 1) % 100, part);
}

static void add_layer(rx_network *network, rx_layer_kind kind, int input_size, int output_size) {
  rx_layer *layer = &network->layers[network->n_layers++];

  layer->kind = kind;
  layer->inputs = kind == RX_LAYER_FIRST ? 1 : network->channels;
  layer->outputs = kind == RX_LAYER_LAST ? 1 : network->channels;
  layer->input_size = input_size;
  layer->output_size = output_size;
  layer->weights = network->n_weights;
  layer->biases = layer->weights + rx_layer_n_weights(layer);
  network->n_weights = layer->biases + (size_t)layer->outputs;
}

static rx_status check_shape(int levels, int channels, int size) {
  if (levels < 1 || levels > RX_MAX_LEVELS)
    return RX_FAIL(RX_ERR_CONFIG, "autoencoder.levels: expected 1 to %d, found %d", RX_MAX_LEVELS,
                   levels);
  if (channels < 16 || channels % 16)
    return RX_FAIL(RX_ERR_CONFIG, "autoencoder.channels: expected a multiple of 16, found %d",
                   channels);
  if (size < 1 || size % (1 << levels))
    return RX_FAIL(RX_ERR_CONFIG,
                   "autoencoder.levels: expected images whose edge is divisible by %d (%d "
                   "poolings), found %d pixels",
                   1 << levels, levels, size);
  return RX_OK;
}

rx_status rx_network_build(int levels, int channels, int size, rx_network *network) {
  RX_TRY(check_shape(levels, channels, size));
  memset(network, 0, sizeof *network);
  network->levels = levels;
  network->channels = channels;
  network->size = size;

  int edge = size;
  for (int level = 0; level < levels; level++, edge /= 2)
    add_layer(network, level ? RX_LAYER_POOLED : RX_LAYER_FIRST, edge, edge / 2);
  add_layer(network, RX_LAYER_PLAIN, edge, edge);
  for (int level = 0; level < levels; level++, edge *= 2)
    add_layer(network, level < levels - 1 ? RX_LAYER_UP : RX_LAYER_LAST, edge, 2 * edge);

  network->feature_layer = levels > 1 ? 1 : 0;
  network->feature_size = network->layers[network->feature_layer].output_size;
  network->n_features =
      (size_t)channels * (size_t)network->feature_size * (size_t)network->feature_size;
  return RX_OK;
}

double rx_network_limit(const rx_layer *layer) {
  return sqrt(6.0 / (9.0 * layer->inputs + 9.0 * layer->outputs));
}

void rx_network_initialise(const rx_network *network, uint64_t seed, float *weights) {
  memset(weights, 0, network->n_weights * sizeof *weights);
  for (int l = 0; l < network->n_layers; l++) {
    const rx_layer *layer = &network->layers[l];
    rx_random random = rx_random_at(seed, RX_RANDOM_WEIGHTS, (uint32_t)l, 0);
    double limit = rx_network_limit(layer);

    for (size_t i = 0; i < rx_layer_n_weights(layer); i++)
      weights[layer->weights + i] = (float)(limit * (2 * rx_random_uniform(&random) - 1));
  }
}
