#include "awake.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "network.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"
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

void rx_awake_find_black(const rx_network *network, const float *image, unsigned char *is_black) {
  int n = network->feature_size, size = network->size, edge = size / n;

  for (int place = 0; place < n * n; place++) {
    int top = place / n * edge, left = place % n * edge;

    is_black[place] = 1;
    /* what it sees: its pixels and edge - 1 around them */
    for (int row = top - edge + 1; row < top + 2 * edge - 1; row++)
      for (int column = left - edge + 1; column < left + 2 * edge - 1; column++)
        if (row >= 0 && row < size && column >= 0 && column < size &&
            image[(size_t)row * (size_t)size + (size_t)column] > 0)
          is_black[place] = 0;
  }
}

/* Counts the places at which a channel is dead and the image is as asked. */
static size_t count_places(const rx_network *network, int channel, const unsigned char *is_live,
                           const unsigned char *is_black, unsigned char asked) {
  size_t n_places = (size_t)network->feature_size * (size_t)network->feature_size, n_dead = 0;
  const unsigned char *at =
      is_live + (size_t)(channel / RX_BLOCK) * n_places * RX_BLOCK + channel % RX_BLOCK;

  for (size_t place = 0; place < n_places; place++)
    n_dead += is_black[place] == asked && !at[place * RX_BLOCK];
  return n_dead;
}

size_t rx_awake_count_dead(const rx_network *network, const unsigned char *is_live,
                           const unsigned char *is_black, size_t *n_black) {
  size_t n_dead = 0;

  *n_black = 0;
  for (int channel = 0; channel < network->channels; channel++) {
    n_dead += count_places(network, channel, is_live, is_black, 0);
    *n_black += count_places(network, channel, is_live, is_black, 1);
  }
  return n_dead + *n_black;
}

/* Puts a channel among the live ones, those with the fewest dead places first. */
static void insert_live(rx_awake_channels *found, int channel) {
  int at = found->n_live++;

  for (; at > 0 && found->places[found->live[at - 1]] > found->places[channel]; at--)
    found->live[at] = found->live[at - 1];
  found->live[at] = channel;
}

void rx_awake_sort(const rx_network *network, const unsigned char *is_live,
                   const unsigned char *is_black, rx_awake_channels *found) {
  size_t n_places = (size_t)network->feature_size * (size_t)network->feature_size;
  size_t fewest = n_places, n_seen = 0;

  found->n_live = found->n_dead = 0;
  for (size_t place = 0; place < n_places; place++) n_seen += !is_black[place];
  for (int channel = 0; channel < network->channels; channel++) {
    found->places[channel] = count_places(network, channel, is_live, is_black, 0);
    if (found->places[channel] < fewest) fewest = found->places[channel];
  }
  for (int channel = 0; channel < network->channels; channel++)
    if (4 * (found->places[channel] - fewest) > n_seen)
      found->dead[found->n_dead++] = channel;
    else
      insert_live(found, channel);
}

/* Copies the filter of a channel, and its bias, within an array of all weights. */
static void copy_filter(const rx_layer *layer, int from, int to, float *values) {
  size_t n = rx_layer_n_weights(layer) / (size_t)layer->outputs;

  memcpy(values + layer->weights + (size_t)to * n, values + layer->weights + (size_t)from * n,
         n * sizeof *values);
  values[layer->biases + (size_t)to] = values[layer->biases + (size_t)from];
}

/* Lets the next layer forget what it made of a channel. */
static void forget_channel(const rx_layer *next, int channel, float *values) {
  for (int output = 0; output < next->outputs; output++)
    memset(values + next->weights + (size_t)(output * next->inputs + channel) * 9, 0,
           9 * sizeof *values);
}

/* Moves a copy away from its model, by a tenth of a newly drawn filter. */
static void disturb_filter(const rx_network *network, uint64_t seed, int64_t epoch, int channel,
                           float *weights) {
  const rx_layer *layer = &network->layers[network->feature_layer];
  size_t n = rx_layer_n_weights(layer) / (size_t)layer->outputs;
  float *filter = weights + layer->weights + (size_t)channel * n;
  rx_random random = rx_random_at(seed, RX_RANDOM_WEIGHTS, (uint32_t)epoch, (uint32_t)channel + 1);
  double limit = rx_network_limit(layer);

  for (size_t i = 0; i < n; i++)
    filter[i] += (float)(0.1 * limit * (2 * rx_random_uniform(&random) - 1));
}

void rx_awake_revive(const rx_network *network, uint64_t seed, int64_t epoch,
                     const rx_awake_channels *found, const rx_awake_arrays *arrays) {
  const rx_layer *layer = &network->layers[network->feature_layer];
  float *const values[] = {arrays->weights, arrays->first, arrays->second};

  for (int i = 0; i < found->n_dead; i++) {
    int from = found->live[i % found->n_live], to = found->dead[i];

    for (int array = 0; array < 3; array++) {
      copy_filter(layer, from, to, values[array]);
      forget_channel(layer + 1, to, values[array]);
    }
    disturb_filter(network, seed, epoch, to, arrays->weights);
  }
}
