#include "coordinates.h"

#include "map.h"

enum { MAX_ROWS = 4 };

/* T, [n_rows][3]. */
typedef struct {
  int n_rows;
  double t[MAX_ROWS][3];
} transform;

static const transform transforms[] = {
    [RX_LAYER_FIRST] = {3, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
    [RX_LAYER_POOLED] = {4, {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}}},
    [RX_LAYER_PLAIN] = {4, {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}}},
    [RX_LAYER_UP] = {3, {{1, 1, 1}, {-1, 0, 0}, {0, 0, 1}}},
    [RX_LAYER_LAST] = {4, {{0, 0, 1}, {0, 1, 1}, {1, 1, 0}, {1, 0, 0}}},
};

/* How far a step in one direction goes in a packed array. */
typedef struct {
  size_t output, output_block, input, input_block, place;
} strides;

static size_t n_places(const rx_layer *layer) {
  int n_rows = transforms[layer->kind].n_rows;

  return (size_t)(n_rows * n_rows);
}

size_t rx_packed_length(const rx_layer *layer) {
  return n_places(layer) * (size_t)layer->outputs * (size_t)layer->inputs;
}

static strides packed_strides(const rx_layer *layer) {
  size_t places = n_places(layer), matrix = RX_BLOCK * RX_BLOCK;

  if (layer->kind == RX_LAYER_FIRST)
    return (strides){.output = 1, .output_block = places * RX_BLOCK, .place = RX_BLOCK};
  if (layer->kind == RX_LAYER_LAST)
    return (strides){.input = places, .input_block = matrix, .place = 1};
  return (strides){.output = 1,
                   .output_block = (size_t)layer->inputs / RX_BLOCK * places * matrix,
                   .input = RX_BLOCK,
                   .input_block = places * matrix,
                   .place = matrix};
}

static strides transposed_strides(const rx_layer *layer) {
  size_t places = n_places(layer), matrix = RX_BLOCK * RX_BLOCK;

  if (layer->kind == RX_LAYER_LAST)
    return (strides){.input = 1, .input_block = matrix, .place = RX_BLOCK};
  return (strides){.output = RX_BLOCK,
                   .output_block = places * matrix,
                   .input = 1,
                   .input_block = (size_t)layer->outputs / RX_BLOCK * places * matrix,
                   .place = matrix};
}

static size_t first_place(strides s, int output, int input) {
  return (size_t)(output % RX_BLOCK) * s.output + (size_t)(output / RX_BLOCK) * s.output_block +
         (size_t)(input % RX_BLOCK) * s.input + (size_t)(input / RX_BLOCK) * s.input_block;
}

/* u = T w T' */
static void to_coordinates(double u[MAX_ROWS * MAX_ROWS], const float w[9], const transform *t) {
  for (int row = 0; row < t->n_rows; row++) {
    const double *left = t->t[row];
    double tw[3];

    for (int k = 0; k < 3; k++)
      tw[k] = left[0] * (double)w[k] + left[1] * (double)w[3 + k] + left[2] * (double)w[6 + k];
    for (int column = 0; column < t->n_rows; column++) {
      const double *right = t->t[column];
      u[row * t->n_rows + column] = tw[0] * right[0] + tw[1] * right[1] + tw[2] * right[2];
    }
  }
}

void rx_pack(float *packed, float *transposed, const float *weights, const rx_layer *layer) {
  strides to = packed_strides(layer), across = transposed_strides(layer);
  size_t places = n_places(layer);
  double u[MAX_ROWS * MAX_ROWS] = {0};

  for (int output = 0; output < layer->outputs; output++)
    for (int input = 0; input < layer->inputs; input++, weights += 9) {
      size_t at = first_place(to, output, input),
             at_transposed = first_place(across, output, input);

      to_coordinates(u, weights, &transforms[layer->kind]);
      for (size_t place = 0; place < places; place++)
        packed[at + place * to.place] = (float)u[place];
      if (layer->kind == RX_LAYER_FIRST) continue;
      for (size_t place = 0; place < places; place++)
        transposed[at_transposed + place * across.place] = (float)u[place];
    }
}

/* d_w = T' d T */
static void from_coordinates(float d_w[9], const double d[MAX_ROWS * MAX_ROWS],
                             const transform *t) {
  double sum[9] = {0};

  for (int row = 0; row < t->n_rows; row++) {
    double dt[3] = {0};

    for (int column = 0; column < t->n_rows; column++)
      for (int k = 0; k < 3; k++) dt[k] += d[row * t->n_rows + column] * t->t[column][k];
    for (int k = 0; k < 9; k++) sum[k] += t->t[row][k / 3] * dt[k % 3];
  }
  for (int k = 0; k < 9; k++) d_w[k] = (float)sum[k];
}

void rx_fold(float *d_weights, const int64_t *packed, double scale, const rx_layer *layer) {
  strides from = packed_strides(layer);
  size_t places = n_places(layer);
  double d[MAX_ROWS * MAX_ROWS] = {0};

  for (int output = 0; output < layer->outputs; output++)
    for (int input = 0; input < layer->inputs; input++, d_weights += 9) {
      size_t at = first_place(from, output, input);

      for (size_t place = 0; place < places; place++)
        d[place] = (double)packed[at + place * from.place] * scale;
      from_coordinates(d_weights, d, &transforms[layer->kind]);
    }
}
