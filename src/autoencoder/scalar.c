#include "scalar.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* The edge at which a layer convolves: before pooling, after doubling. */
static int convolved_size(const rx_layer *layer) {
  return layer->output_size > layer->input_size ? layer->output_size : layer->input_size;
}

static bool is_pooled(const rx_layer *layer) {
  return layer->output_size < layer->input_size;
}

static bool is_doubled(const rx_layer *layer) {
  return layer->output_size > layer->input_size;
}

static size_t map_length(int channels, int size) {
  return (size_t)channels * (size_t)size * (size_t)size;
}

static rx_status allocate(const rx_network *network, rx_scalar *scalar) {
  size_t largest = map_length(network->channels, network->size);

  scalar->network = *network;
  RX_TRY(RX_NEW(&scalar->input, "image", map_length(1, network->size)));
  RX_TRY(RX_NEW(&scalar->scratch, "maps", 2 * largest));
  for (int l = 0; l < network->n_layers; l++) {
    const rx_layer *layer = &network->layers[l];
    size_t outputs = map_length(layer->outputs, layer->output_size);

    RX_TRY(
        RX_NEW(&scalar->convolved[l], "maps", map_length(layer->outputs, convolved_size(layer))));
    RX_TRY(RX_NEW(&scalar->output[l], "maps", outputs));
    RX_TRY(RX_NEW(&scalar->gradient[l], "gradients", outputs));
  }
  return RX_OK;
}

rx_status rx_scalar_create(const rx_network *network, rx_scalar **out) {
  rx_status status = RX_NEW(out, "network", 1);

  if (!status) status = allocate(network, *out);
  if (status) rx_scalar_destroy(out);
  return status;
}

void rx_scalar_destroy(rx_scalar **scalar) {
  if (!*scalar) return;
  for (int l = 0; l < RX_MAX_LAYERS; l++) {
    free((*scalar)->convolved[l]);
    free((*scalar)->output[l]);
    free((*scalar)->gradient[l]);
  }
  free((*scalar)->input);
  free((*scalar)->scratch);
  free(*scalar);
  *scalar = NULL;
}

/* Doubles each pixel in both directions. large [channels][2 size][2 size], set */
static void enlarge(double *large, const double *small, int channels, int size) {
  for (int c = 0; c < channels; c++)
    for (int y = 0; y < 2 * size; y++)
      for (int x = 0; x < 2 * size; x++)
        large[(c * 2 * size + y) * 2 * size + x] = small[(c * size + y / 2) * size + x / 2];
}

/* Sums the four pixels that one became. small [channels][size][size], set */
static void shrink(double *small, const double *large, int channels, int size) {
  memset(small, 0, map_length(channels, size) * sizeof *small);
  for (int c = 0; c < channels; c++)
    for (int y = 0; y < 2 * size; y++)
      for (int x = 0; x < 2 * size; x++)
        small[(c * size + y / 2) * size + x / 2] += large[(c * 2 * size + y) * 2 * size + x];
}

static bool is_inside(int y, int x, int size) {
  return y >= 0 && y < size && x >= 0 && x < size;
}

/* output [outputs][size][size], set */
static void convolve(double *output, const double *input, const double *weights,
                     const double *biases, const rx_layer *layer, int size) {
  for (int o = 0; o < layer->outputs; o++)
    for (int y = 0; y < size; y++)
      for (int x = 0; x < size; x++) {
        double sum = biases[o];
        for (int i = 0; i < layer->inputs; i++)
          for (int k = 0; k < 9; k++) {
            int from_y = y + k / 3 - 1, from_x = x + k % 3 - 1;
            if (is_inside(from_y, from_x, size))
              sum += weights[(o * layer->inputs + i) * 9 + k] *
                     input[(i * size + from_y) * size + from_x];
          }
        output[(o * size + y) * size + x] = sum;
      }
}

/* d_input [inputs][size][size], set; d_weights, d_biases added to */
static void convolve_backward(double *d_input, double *d_weights, double *d_biases,
                              const double *d_output, const double *input, const double *weights,
                              const rx_layer *layer, int size) {
  memset(d_input, 0, map_length(layer->inputs, size) * sizeof *d_input);
  for (int o = 0; o < layer->outputs; o++)
    for (int y = 0; y < size; y++)
      for (int x = 0; x < size; x++) {
        double d = d_output[(o * size + y) * size + x];
        d_biases[o] += d;
        for (int i = 0; i < layer->inputs; i++)
          for (int k = 0; k < 9; k++) {
            int from_y = y + k / 3 - 1, from_x = x + k % 3 - 1;
            if (!is_inside(from_y, from_x, size)) continue;
            d_weights[(o * layer->inputs + i) * 9 + k] +=
                d * input[(i * size + from_y) * size + from_x];
            d_input[(i * size + from_y) * size + from_x] +=
                d * weights[(o * layer->inputs + i) * 9 + k];
          }
      }
}

/* Place of the largest of the four pixels of a window, the first among equals. */
static size_t window_largest(const double *map, int channel, int y, int x, int size) {
  size_t best = ((size_t)(channel * size) + (size_t)(2 * y)) * (size_t)size + (size_t)(2 * x);

  for (int k = 1; k < 4; k++) {
    size_t place = ((size_t)(channel * size) + (size_t)(2 * y + k / 2)) * (size_t)size +
                   (size_t)(2 * x + k % 2);
    if (map[place] > map[best]) best = place;
  }
  return best;
}

static void rectify_and_pool(double *output, const double *convolved, const rx_layer *layer) {
  int size = layer->output_size;

  for (int c = 0; c < layer->outputs; c++)
    for (int y = 0; y < size; y++)
      for (int x = 0; x < size; x++)
        output[(c * size + y) * size + x] =
            fmax(0, convolved[window_largest(convolved, c, y, x, 2 * size)]);
}

void rx_scalar_forward_layer(rx_scalar *scalar, const double *weights, int l) {
  const rx_layer *layer = &scalar->network.layers[l];
  const double *input = l ? scalar->output[l - 1] : scalar->input;
  double *convolved = scalar->convolved[l], *output = scalar->output[l];
  int size = convolved_size(layer);

  if (is_doubled(layer)) {
    enlarge(scalar->scratch, input, layer->inputs, layer->input_size);
    input = scalar->scratch;
  }
  convolve(convolved, input, weights + layer->weights, weights + layer->biases, layer, size);
  if (is_pooled(layer)) {
    rectify_and_pool(output, convolved, layer);
    return;
  }
  for (size_t i = 0; i < map_length(layer->outputs, size); i++)
    output[i] = layer->kind == RX_LAYER_LAST ? 1 / (1 + exp(-convolved[i])) : fmax(0, convolved[i]);
}

void rx_scalar_forward(rx_scalar *scalar, const double *weights, const double *image) {
  memcpy(scalar->input, image, map_length(1, scalar->network.size) * sizeof *image);
  for (int l = 0; l < scalar->network.n_layers; l++) rx_scalar_forward_layer(scalar, weights, l);
}

static double cosine_loss(double *d_output, const double *output, const double *target, size_t n) {
  double oo = 0, tt = 0, ot = 0;

  for (size_t i = 0; i < n; i++) {
    oo += output[i] * output[i];
    tt += target[i] * target[i];
    ot += output[i] * target[i];
  }
  double scale_o = 1 / sqrt(fmax(oo, RX_LOSS_NORM_FLOOR));
  double scale_t = 1 / sqrt(fmax(tt, RX_LOSS_NORM_FLOOR));
  double cosine = ot * scale_o * scale_t;
  double shrinkage = oo > RX_LOSS_NORM_FLOOR ? cosine * scale_o * scale_o : 0;
  for (size_t i = 0; i < n; i++)
    d_output[i] = shrinkage * output[i] - scale_o * scale_t * target[i];
  return -cosine;
}

static double cosine_keras_loss(double *d_output, const double *output, const double *target,
                                size_t n) {
  double sum = 0;

  for (size_t i = 0; i < n; i++) {
    double oo = output[i] * output[i], tt = target[i] * target[i];
    double scale_o = 1 / sqrt(fmax(oo, RX_LOSS_NORM_FLOOR));
    double direction = target[i] / sqrt(fmax(tt, RX_LOSS_NORM_FLOOR));

    sum += output[i] * scale_o * direction;
    d_output[i] = oo > RX_LOSS_NORM_FLOOR ? 0 : -direction * scale_o / (double)n;
  }
  return -sum / (double)n;
}

double rx_scalar_loss(rx_scalar *scalar, rx_loss loss, const double *target) {
  int last = scalar->network.n_layers - 1;
  size_t n = map_length(1, scalar->network.size);
  const double *output = scalar->output[last], *logit = scalar->convolved[last];
  double *d_output = scalar->gradient[last];
  double sum = 0;

  if (loss == RX_LOSS_COSINE) return cosine_loss(d_output, output, target, n);
  if (loss == RX_LOSS_COSINE_KERAS) return cosine_keras_loss(d_output, output, target, n);
  for (size_t i = 0; i < n; i++) {
    double difference = output[i] - target[i];
    if (loss == RX_LOSS_MSE) {
      sum += difference * difference;
      d_output[i] = 2 * difference / (double)n;
    } else {
      sum += fmax(logit[i], 0) - logit[i] * target[i] + log1p(exp(-fabs(logit[i])));
      d_output[i] = difference / (output[i] * (1 - output[i])) / (double)n;
    }
  }
  return sum / (double)n;
}

/* The gradient before ReLU and pooling, or before the sigmoid. d_convolved, set */
static void activation_backward(double *d_convolved, const double *d_output,
                                const double *convolved, const double *output,
                                const rx_layer *layer) {
  int size = layer->output_size;
  size_t n = map_length(layer->outputs, size);

  if (!is_pooled(layer)) {
    for (size_t i = 0; i < n; i++)
      d_convolved[i] = layer->kind == RX_LAYER_LAST ? d_output[i] * output[i] * (1 - output[i])
                       : convolved[i] > 0           ? d_output[i]
                                                    : 0;
    return;
  }
  memset(d_convolved, 0, 4 * n * sizeof *d_convolved);
  for (int c = 0; c < layer->outputs; c++)
    for (int y = 0; y < size; y++)
      for (int x = 0; x < size; x++) {
        size_t place = window_largest(convolved, c, y, x, 2 * size);
        if (convolved[place] > 0) d_convolved[place] = d_output[(c * size + y) * size + x];
      }
}

void rx_scalar_backward(rx_scalar *scalar, const double *weights, double *d_weights) {
  const rx_network *network = &scalar->network;
  size_t largest = map_length(network->channels, network->size);
  double *enlarged = scalar->scratch, *d_input = scalar->scratch + largest;

  for (int l = network->n_layers - 1; l >= 0; l--) {
    const rx_layer *layer = &network->layers[l];
    const double *input = l ? scalar->output[l - 1] : scalar->input;
    double *d_convolved = scalar->convolved[l];

    /* In place: the values before ReLU are not needed any more. */
    if (is_pooled(layer)) {
      activation_backward(d_input, scalar->gradient[l], scalar->convolved[l], scalar->output[l],
                          layer);
      memcpy(d_convolved, d_input, map_length(layer->outputs, layer->input_size) * sizeof *d_input);
    } else {
      activation_backward(d_convolved, scalar->gradient[l], scalar->convolved[l], scalar->output[l],
                          layer);
    }
    if (is_doubled(layer)) {
      enlarge(enlarged, input, layer->inputs, layer->input_size);
      input = enlarged;
    }
    convolve_backward(d_input, d_weights + layer->weights, d_weights + layer->biases, d_convolved,
                      input, weights + layer->weights, layer, convolved_size(layer));
    if (!l) continue;
    if (is_doubled(layer))
      shrink(scalar->gradient[l - 1], d_input, layer->inputs, layer->input_size);
    else
      memcpy(scalar->gradient[l - 1], d_input,
             map_length(layer->inputs, layer->input_size) * sizeof *d_input);
  }
}
