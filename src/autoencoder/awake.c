#include "awake.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "network.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "scalar.h"

/* The network on the mean image, in double precision. */
typedef struct {
  rx_scalar *scalar;
  double *weights;
} mean_view;

static rx_status begin_look(const rx_network *network, const float *weights, const float *image,
                            mean_view *look) {
  size_t n_pixels = (size_t)network->size * (size_t)network->size;

  RX_TRY(rx_scalar_create(network, &look->scalar));
  RX_TRY(RX_NEW(&look->weights, "weights", network->n_weights));
  for (size_t i = 0; i < n_pixels; i++) look->scalar->input[i] = (double)image[i];
  for (size_t i = 0; i < network->n_weights; i++) look->weights[i] = (double)weights[i];
  return RX_OK;
}

static void end_look(mean_view *look) {
  rx_scalar_destroy(&look->scalar);
  free(look->weights);
}

/* Turns a filter whose responses sum to less than 0; the layer has been computed. */
static bool turn_filter(mean_view *look, const rx_layer *layer, const double *convolved, int output,
                        float *weights) {
  int size = layer->output_size > layer->input_size ? layer->output_size : layer->input_size;
  size_t n_responses = (size_t)size * (size_t)size;
  size_t n = rx_layer_n_weights(layer) / (size_t)layer->outputs;
  size_t filter = layer->weights + (size_t)output * n;
  double sum = 0;

  for (size_t i = 0; i < n_responses; i++) sum += convolved[(size_t)output * n_responses + i];
  if (sum >= 0) return false;
  for (size_t i = filter; i < filter + n; i++) {
    weights[i] = -weights[i];
    look->weights[i] = (double)weights[i];
  }
  return true;
}

rx_status rx_awake_orient(const rx_network *network, float *weights, const float *image) {
  mean_view look = {0};
  rx_status status = begin_look(network, weights, image, &look);

  for (int l = 0; l < network->n_layers - 1 && !status; l++) {
    const rx_layer *layer = &network->layers[l];
    bool is_turned = false;

    rx_scalar_forward_layer(look.scalar, look.weights, l);
    for (int output = 0; output < layer->outputs; output++)
      is_turned |= turn_filter(&look, layer, look.scalar->convolved[l], output, weights);
    if (is_turned) rx_scalar_forward_layer(look.scalar, look.weights, l);
  }
  end_look(&look);
  return status;
}

int rx_awake_find_dead(const rx_network *network, const unsigned char *is_live, int *channels) {
  size_t n_places = (size_t)network->feature_size * (size_t)network->feature_size;
  size_t fewest = n_places;
  int n_dead = 0;

  for (int pass = 0; pass < 2; pass++)
    for (int channel = 0; channel < network->channels; channel++) {
      const unsigned char *at =
          is_live + (size_t)(channel / RX_BLOCK) * n_places * RX_BLOCK + channel % RX_BLOCK;
      size_t dead = 0;

      for (size_t place = 0; place < n_places; place++) dead += !at[place * RX_BLOCK];
      if (pass == 0 && dead < fewest) fewest = dead;
      if (pass == 1 && 16 * (dead - fewest) > n_places) channels[n_dead++] = channel;
    }
  return n_dead;
}

/* Lets the next layer forget what it made of a channel. */
static void forget_channel(const rx_layer *next, int channel, const rx_awake_arrays *arrays) {
  for (int output = 0; output < next->outputs; output++) {
    size_t at = next->weights + (size_t)(output * next->inputs + channel) * 9;

    memset(arrays->weights + at, 0, 9 * sizeof(float));
    memset(arrays->first + at, 0, 9 * sizeof(float));
    memset(arrays->second + at, 0, 9 * sizeof(float));
  }
}

static void forget_filter(const rx_layer *layer, int channel, const rx_awake_arrays *arrays) {
  size_t n = rx_layer_n_weights(layer) / (size_t)layer->outputs;
  size_t at = layer->weights + (size_t)channel * n, bias = layer->biases + (size_t)channel;

  memset(arrays->first + at, 0, n * sizeof(float));
  memset(arrays->second + at, 0, n * sizeof(float));
  arrays->first[bias] = arrays->second[bias] = 0;
}

rx_status rx_awake_revive(const rx_network *network, uint64_t seed, int64_t epoch,
                          const int *channels, int n_channels, const float *image,
                          const rx_awake_arrays *arrays) {
  int l = network->feature_layer;
  const rx_layer *layer = &network->layers[l];
  mean_view look = {0};

  for (int i = 0; i < n_channels; i++) {
    rx_network_draw_filter(network, seed, (uint32_t)epoch, l, channels[i], arrays->weights);
    forget_filter(layer, channels[i], arrays);
    forget_channel(layer + 1, channels[i], arrays);
  }
  rx_status status = begin_look(network, arrays->weights, image, &look);
  for (int before = 0; before <= l && !status; before++)
    rx_scalar_forward_layer(look.scalar, look.weights, before);
  for (int i = 0; i < n_channels && !status; i++)
    turn_filter(&look, layer, look.scalar->convolved[l], channels[i], arrays->weights);
  end_look(&look);
  return status;
}
