#include "engine.h"

#include <string.h>

#include "coordinates.h"
#include "fixed.h"
#include "kernels.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"

struct rx_engine {
  rx_network network;
  rx_layer_kernel *forward[RX_MAX_LAYERS], *backward[RX_MAX_LAYERS];
  rx_sigmoid_kernel *sigmoid;
  rx_loss_kernel *loss;
  rx_fixed_add_kernel *add;
  rx_pass passes[RX_MAX_LAYERS]; /* views into the arrays below */
  rx_plane image, d_image;
  float *maps;     /* activations and their gradients */
  int *argmax;     /* of all pooled layers */
  float *packed;   /* weights, transposed weights, biases */
  float *gradient; /* packed, of one image */
  size_t n_gradient;
  float *planes;                     /* image and d_image */
  float *output, *logits, *d_logits; /* [size][size] */
  float *scratch;
};

static void choose_kernels(rx_engine *engine, int isa) {
  rx_layer_kernel *forward[] = {
      [RX_LAYER_FIRST] = RX_ISA_PICK(isa, rx_first_forward),
      [RX_LAYER_POOLED] = RX_ISA_PICK(isa, rx_inner_forward),
      [RX_LAYER_PLAIN] = RX_ISA_PICK(isa, rx_inner_forward),
      [RX_LAYER_UP] = RX_ISA_PICK(isa, rx_up_forward),
      [RX_LAYER_LAST] = RX_ISA_PICK(isa, rx_last_forward),
  };
  rx_layer_kernel *backward[] = {
      [RX_LAYER_FIRST] = RX_ISA_PICK(isa, rx_first_backward),
      [RX_LAYER_POOLED] = RX_ISA_PICK(isa, rx_inner_backward),
      [RX_LAYER_PLAIN] = RX_ISA_PICK(isa, rx_inner_backward),
      [RX_LAYER_UP] = RX_ISA_PICK(isa, rx_up_backward),
      [RX_LAYER_LAST] = RX_ISA_PICK(isa, rx_last_backward),
  };

  for (int l = 0; l < engine->network.n_layers; l++) {
    engine->forward[l] = forward[engine->network.layers[l].kind];
    engine->backward[l] = backward[engine->network.layers[l].kind];
  }
  engine->sigmoid = RX_ISA_PICK(isa, rx_sigmoid);
  engine->loss = RX_ISA_PICK(isa, rx_loss);
  engine->add = RX_ISA_PICK(isa, rx_fixed_add);
}

static int n_blocks(int channels) {
  return (channels + RX_BLOCK - 1) / RX_BLOCK;
}

/* Floats of a map that a layer puts out. */
static size_t map_length(const rx_layer *layer) {
  size_t pitch = (size_t)rx_map_pitch(layer->output_size);

  return (size_t)n_blocks(layer->outputs) * pitch * pitch * RX_BLOCK;
}

static size_t argmax_length(const rx_layer *layer) {
  if (layer->output_size >= layer->input_size) return 0;
  return (size_t)layer->outputs * (size_t)layer->output_size * (size_t)layer->output_size;
}

static size_t bias_length(const rx_layer *layer) {
  return (size_t)n_blocks(layer->outputs) * RX_BLOCK;
}

/* What the kernels of a layer lay out in their scratch: inner.h, up.h, up_backward.kernel.c. */
static size_t scratch_length(const rx_layer *layer) {
  size_t inputs = (size_t)n_blocks(layer->inputs), outputs = (size_t)n_blocks(layer->outputs);
  size_t row = (size_t)(layer->input_size + 2) * RX_BLOCK;
  size_t n_tiles = (size_t)(layer->input_size + 1) / 2;

  if (n_tiles < 16) n_tiles = 16;
  switch (layer->kind) {
    case RX_LAYER_POOLED:
    case RX_LAYER_PLAIN:
      return (inputs + outputs + 1) * 16 * n_tiles * RX_BLOCK;
    case RX_LAYER_UP:
      return (11 * inputs + 5 * outputs + 4) * row;
    default:
      return 2 * row;
  }
}

static rx_status allocate(rx_engine *engine) {
  const rx_network *network = &engine->network;
  size_t maps = 0, argmax = 0, packed = 0, biases = 0, scratch = 0;
  size_t n_pixels = (size_t)network->size * (size_t)network->size;

  for (int l = 0; l < network->n_layers; l++) {
    const rx_layer *layer = &network->layers[l];
    size_t wanted = scratch_length(layer);

    if (layer->kind != RX_LAYER_LAST) maps += 2 * map_length(layer);
    argmax += argmax_length(layer);
    packed += rx_packed_length(layer);
    biases += bias_length(layer);
    if (wanted > scratch) scratch = wanted;
  }
  engine->n_gradient = packed + biases;
  RX_TRY(RX_NEW(&engine->maps, "feature maps", maps));
  RX_TRY(RX_NEW(&engine->argmax, "places of the largest values", argmax));
  RX_TRY(RX_NEW(&engine->packed, "weights", 2 * packed + biases));
  RX_TRY(RX_NEW(&engine->gradient, "gradient", packed + biases));
  RX_TRY(RX_NEW(&engine->scratch, "scratch of the kernels", scratch));
  RX_TRY(RX_NEW(&engine->planes, "image",
                2 * (size_t)(network->size + 2) * (size_t)rx_plane_pitch(network->size)));
  RX_TRY(RX_NEW(&engine->output, "image", n_pixels));
  RX_TRY(RX_NEW(&engine->logits, "image", n_pixels));
  return RX_NEW(&engine->d_logits, "image", n_pixels);
}

static void lay_out_planes(rx_engine *engine) {
  int size = engine->network.size, pitch = rx_plane_pitch(size);

  engine->image = (rx_plane){.size = size, .pitch = pitch, .values = engine->planes};
  engine->d_image = engine->image;
  engine->d_image.values += (size_t)(size + 2) * (size_t)pitch;
}

/* Points the passes at their parts of the arrays. */
static void lay_out_passes(rx_engine *engine) {
  const rx_network *network = &engine->network;
  float *maps = engine->maps, *packed = engine->packed, *gradient = engine->gradient;
  int *argmax = engine->argmax;

  for (int l = 0; l < network->n_layers; l++) {
    const rx_layer *layer = &network->layers[l];
    rx_pass *pass = &engine->passes[l];
    size_t length = rx_packed_length(layer), biases = bias_length(layer);

    pass->image = layer->kind == RX_LAYER_LAST ? engine->d_image : engine->image;
    pass->logits = engine->logits;
    pass->scratch = engine->scratch;
    pass->weights = packed;
    pass->transposed = packed + length;
    pass->biases = packed + 2 * length;
    packed += 2 * length + biases;
    pass->d_weights = gradient;
    pass->d_biases = gradient + length;
    gradient += length + biases;
    pass->argmax = argmax;
    argmax += argmax_length(layer);
    if (l > 0) {
      pass->input = pass[-1].output;
      pass->d_input = pass[-1].d_output;
    }
    if (layer->kind == RX_LAYER_LAST) continue;
    pass->output = (rx_map){.size = layer->output_size,
                            .pitch = rx_map_pitch(layer->output_size),
                            .n_blocks = n_blocks(layer->outputs),
                            .values = maps};
    pass->d_output = pass->output;
    pass->d_output.values += map_length(layer);
    maps += 2 * map_length(layer);
  }
}

rx_status rx_engine_create(const rx_network *network, int isa, rx_engine **out) {
  RX_TRY(RX_NEW(out, "engine", 1));
  (*out)->network = *network;
  rx_status status = allocate(*out);
  if (status) {
    rx_engine_destroy(out);
    return status;
  }
  choose_kernels(*out, isa);
  lay_out_planes(*out);
  lay_out_passes(*out);
  return RX_OK;
}

void rx_engine_destroy(rx_engine **engine) {
  if (!*engine) return;
  free((*engine)->maps);
  free((*engine)->argmax);
  free((*engine)->packed);
  free((*engine)->gradient);
  free((*engine)->scratch);
  free((*engine)->planes);
  free((*engine)->output);
  free((*engine)->logits);
  free((*engine)->d_logits);
  free(*engine);
  *engine = NULL;
}

void rx_engine_set_weights(rx_engine *engine, const float *weights) {
  float *packed = engine->packed;

  for (int l = 0; l < engine->network.n_layers; l++) {
    const rx_layer *layer = &engine->network.layers[l];
    size_t length = rx_packed_length(layer);

    rx_pack(packed, packed + length, weights + layer->weights, layer);
    memcpy(packed + 2 * length, weights + layer->biases, (size_t)layer->outputs * sizeof *weights);
    packed += 2 * length + bias_length(layer);
  }
}

static void copy_to_plane(const rx_plane *plane, const float *image) {
  size_t size = (size_t)plane->size;

  for (int row = 0; row < plane->size; row++)
    memcpy(rx_plane_at(plane, row, 0), image + (size_t)row * size, size * sizeof *image);
}

static void forward(rx_engine *engine, const float *image, int n_layers) {
  copy_to_plane(&engine->image, image);
  for (int l = 0; l < n_layers; l++) engine->forward[l](&engine->passes[l]);
}

static void forward_all(rx_engine *engine, const float *image, float *output) {
  size_t size = (size_t)engine->network.size;

  forward(engine, image, engine->network.n_layers);
  engine->sigmoid(output, engine->logits, size * size);
}

void rx_engine_output(const rx_engine *engine, int layer, float *output) {
  const rx_map *map = &engine->passes[layer].output;

  for (int block = 0; block < map->n_blocks; block++)
    for (int channel = 0; channel < RX_BLOCK; channel++)
      for (int row = 0; row < map->size; row++) {
        const float *from = rx_map_at(map, block, row, 0) + channel;
        for (int column = 0; column < map->size; column++) *output++ = from[column * RX_BLOCK];
      }
}

void rx_engine_encode(rx_engine *engine, float *features, const float *image) {
  int layer = engine->network.feature_layer;

  forward(engine, image, layer + 1);
  rx_engine_output(engine, layer, features);
}

void rx_engine_reconstruct(rx_engine *engine, float *output, const float *image) {
  forward_all(engine, image, output);
}

size_t rx_engine_gradient_length(const rx_engine *engine) {
  return engine->n_gradient;
}

double rx_engine_loss(rx_engine *engine, const rx_lesson *lesson) {
  size_t size = (size_t)engine->network.size;

  forward_all(engine, lesson->noisy, engine->output);
  return engine->loss(engine->d_logits, engine->output, engine->logits, lesson->target,
                      lesson->loss, size * size);
}

double rx_engine_learn(rx_engine *engine, const rx_lesson *lesson, int64_t *sum, int64_t *n_bad) {
  double loss = rx_engine_loss(engine, lesson);

  copy_to_plane(&engine->d_image, engine->d_logits);
  for (int l = engine->network.n_layers - 1; l >= 0; l--) engine->backward[l](&engine->passes[l]);
  *n_bad += engine->add(sum, engine->gradient, lesson->weight, lesson->limit, engine->n_gradient);
  return loss;
}

void rx_engine_fold(const rx_engine *engine, float *gradient, const int64_t *sum, double scale) {
  double unit = scale * RX_FIXED_UNIT;

  for (int l = 0; l < engine->network.n_layers; l++) {
    const rx_layer *layer = &engine->network.layers[l];

    rx_fold(gradient + layer->weights, sum, unit, layer);
    sum += rx_packed_length(layer);
    for (int output = 0; output < layer->outputs; output++)
      gradient[layer->biases + (size_t)output] = (float)((double)sum[output] * unit);
    sum += bias_length(layer);
  }
}

const float *rx_engine_logits(const rx_engine *engine) {
  return engine->logits;
}

void rx_engine_mark_live(rx_engine *engine, unsigned char *is_live, const float *image) {
  const rx_map *map = &engine->passes[engine->network.feature_layer].output;

  forward(engine, image, engine->network.feature_layer + 1);
  for (int block = 0; block < map->n_blocks; block++)
    for (int row = 0; row < map->size; row++) {
      const float *from = rx_map_at(map, block, row, 0);
      for (int i = 0; i < map->size * RX_BLOCK; i++) *is_live++ |= from[i] > 0;
    }
}
