#include "up.h"

/* Sums of the four gradients of each pixel of a small row, each [size][16]. */
enum { ALL, UPPER, LOWER, LEFT, RIGHT, N_SUMS };

/* Gradients by the differences around a row, for one block of inputs. */
typedef struct {
  float *pixels;    /* [size][16] */
  float *across;    /* [size + 1][16] */
  float *down;      /* [size][16], between the row above and this one */
  float *both;      /* [size + 1][16] */
  float *next_down; /* what this row adds to those between it and the row below */
  float *next_both;
} rx_up_gradients;

enum { N_GRADIENTS = 6 };

typedef struct {
  const rx_pass *pass;
  const float *sums; /* [output blocks][N_SUMS][size][16] */
  ptrdiff_t length;  /* floats of one row: size x 16 */
  int row;
} rx_up_row;

RX_INLINE void sum_gradients(const rx_pass *pass, float *sums, int block, int row) {
  ptrdiff_t length = (ptrdiff_t)pass->input.size * RX_BLOCK;
  const float *upper = rx_map_at(&pass->d_output, block, 2 * row, 0);
  const float *lower = rx_map_at(&pass->d_output, block, 2 * row + 1, 0);
  float *d_biases = pass->d_biases + (ptrdiff_t)block * RX_BLOCK;
  rx_block total = load(d_biases);

  for (ptrdiff_t at = 0; at < length; at += RX_BLOCK) {
    rx_block d00 = load(upper + 2 * at), d01 = load(upper + 2 * at + RX_BLOCK);
    rx_block d10 = load(lower + 2 * at), d11 = load(lower + 2 * at + RX_BLOCK);
    rx_block both_upper = add(d00, d01), both_lower = add(d10, d11);
    rx_block all = add(both_upper, both_lower);

    store(sums + ALL * length + at, all);
    store(sums + UPPER * length + at, both_upper);
    store(sums + LOWER * length + at, both_lower);
    store(sums + LEFT * length + at, add(d00, d10));
    store(sums + RIGHT * length + at, add(d01, d11));
    total = add(total, all);
  }
  store(d_biases, total);
}

/* The gradient of place (down, across): where it begins, for output block 0. */
RX_INLINE rx_row gradient_row(const rx_up_row *up, int down, int across) {
  static const int sum_of[3][3] = {{ALL, LEFT, RIGHT}, {UPPER, 0, 0}, {LOWER, 0, 0}};

  if (down && across)
    return (rx_row){.at = rx_map_at(&up->pass->d_output, 0, 2 * up->row + down - 1, across - 1),
                    .step = 2 * RX_BLOCK,
                    .block = (ptrdiff_t)rx_map_block(&up->pass->d_output)};
  return (rx_row){.at = up->sums + sum_of[down][across] * up->length,
                  .step = RX_BLOCK,
                  .block = N_SUMS * up->length};
}

RX_INLINE rx_row value_row(const rx_up_row *up, const rx_differences *d, int down, int across) {
  if (!down && !across)
    return (rx_row){.at = rx_map_at(&up->pass->input, 0, up->row, 0),
                    .step = RX_BLOCK,
                    .block = (ptrdiff_t)rx_map_block(&up->pass->input)};
  const float *array = !down ? d->across : across ? d->both[down - 1] : d->down[down - 1];
  return (rx_row){.at = array + (across == 2 ? RX_BLOCK : 0), .step = RX_BLOCK, .block = d->block};
}

RX_INLINE void add_weight_gradients(const rx_up_row *up, const rx_differences *differences) {
  const rx_pass *pass = up->pass;

  for (int down = 0; down < 3; down++)
    for (int across = 0; across < 3; across++) {
      rx_row values = value_row(up, differences, down, across);
      rx_row gradients = gradient_row(up, down, across);
      float *matrix = pass->d_weights + (ptrdiff_t)(3 * down + across) * RX_MATRIX;

      for (int to = 0; to < pass->output.n_blocks; to++)
        for (int from = 0; from < pass->input.n_blocks; from++, matrix += RX_UP_PLACES * RX_MATRIX)
          outer_row(matrix, pass->input.size,
                    (rx_row){.at = values.at + from * values.block, .step = values.step},
                    gradients.at + to * gradients.block, gradients.step);
    }
}

/* to = start + the gradient of a place times its transposed matrix. */
RX_INLINE void multiply_place(const rx_up_row *up, int block, int down, int across, float *to,
                              const float *start) {
  const rx_pass *pass = up->pass;
  int n_outputs = pass->output.n_blocks;

  multiply_row(pass->input.size, gradient_row(up, down, across),
               (rx_matrices){.at = pass->transposed + (ptrdiff_t)(block * n_outputs * RX_UP_PLACES +
                                                                  3 * down + across) *
                                                          RX_MATRIX,
                             .block = RX_UP_PLACES * RX_MATRIX,
                             .n_blocks = n_outputs},
               (rx_sums){.start = start, .start_step = RX_BLOCK, .to = to, .to_step = RX_BLOCK});
}

/* Gradients by the pixels of this row and the differences around it. On entry down and both hold
 * what the row above gave. */
RX_INLINE void multiply_gradients(const rx_up_row *up, int block, const rx_up_gradients *g) {
  multiply_place(up, block, 0, 0, g->pixels, NULL);
  store(g->across + up->length, zero());
  multiply_place(up, block, 0, 1, g->across, NULL);
  multiply_place(up, block, 0, 2, g->across + RX_BLOCK, g->across + RX_BLOCK);

  multiply_place(up, block, 1, 0, g->down, g->down);
  multiply_place(up, block, 1, 1, g->both, g->both);
  multiply_place(up, block, 1, 2, g->both + RX_BLOCK, g->both + RX_BLOCK);

  multiply_place(up, block, 2, 0, g->next_down, NULL);
  store(g->next_both + up->length, zero());
  multiply_place(up, block, 2, 1, g->next_both, NULL);
  multiply_place(up, block, 2, 2, g->next_both + RX_BLOCK, g->next_both + RX_BLOCK);
}

/* A difference D[j] = x[j] - x[j-1] adds its gradient to x[j] and takes it from x[j-1]. */
RX_INLINE rx_block down_gradient(const float *down, const float *both, ptrdiff_t at) {
  return subtract(add(load(down + at), load(both + at)), load(both + at + RX_BLOCK));
}

/* Ends the row above: takes from it what the differences between it and this row give. */
RX_INLINE void finish_row(const rx_pass *pass, int block, int row, const float *down,
                          const float *both) {
  float *to = rx_map_at(&pass->d_input, block, row, 0);
  const float *input = rx_map_at(&pass->input, block, row, 0);

  for (ptrdiff_t at = 0; at < (ptrdiff_t)pass->input.size * RX_BLOCK; at += RX_BLOCK) {
    rx_block d = subtract(load(to + at), down_gradient(down, both, at));
    store(to + at, keep(is_positive(load(input + at)), d));
  }
}

RX_INLINE void begin_row(const rx_pass *pass, int block, int row, const rx_up_gradients *g) {
  float *to = rx_map_at(&pass->d_input, block, row, 0);

  for (ptrdiff_t at = 0; at < (ptrdiff_t)pass->input.size * RX_BLOCK; at += RX_BLOCK) {
    rx_block across = subtract(load(g->across + at), load(g->across + at + RX_BLOCK));
    store(to + at, add(add(load(g->pixels + at), across), down_gradient(g->down, g->both, at)));
  }
}

RX_INLINE void add_input_gradients(const rx_up_row *up, int block, const rx_up_gradients *g) {
  multiply_gradients(up, block, g);
  if (up->row > 0) finish_row(up->pass, block, up->row - 1, g->down, g->both);
  begin_row(up->pass, block, up->row, g);
  if (up->row == up->pass->input.size - 1)
    finish_row(up->pass, block, up->row, g->next_down, g->next_both);
}

/* Points at the gradients of a block; which of the two arrays hold what was kept for the next row
 * changes from row to row. */
RX_INLINE rx_up_gradients lay_out_gradients(float *memory, int block, int row, ptrdiff_t array) {
  float *at = memory + block * N_GRADIENTS * array;
  int now = 2 + row % 2 * 2, next = 2 + (row + 1) % 2 * 2;

  return (rx_up_gradients){.pixels = at,
                           .across = at + array,
                           .down = at + now * array,
                           .both = at + (now + 1) * array,
                           .next_down = at + next * array,
                           .next_both = at + (next + 1) * array};
}

void RX_ISA_NAME(rx_up_backward)(const rx_pass *pass) {
  int size = pass->input.size, n_inputs = pass->input.n_blocks, n_outputs = pass->output.n_blocks;
  rx_differences differences = lay_out_differences(pass->scratch, size);
  ptrdiff_t length = (ptrdiff_t)size * RX_BLOCK, array = length + RX_BLOCK;
  float *sums = pass->scratch + n_inputs * differences.block;
  float *gradients = sums + n_outputs * N_SUMS * length;

  for (ptrdiff_t at = 0; at < n_inputs * N_GRADIENTS * array; at += RX_BLOCK)
    store(gradients + at, zero());
  for (int row = 0; row < size; row++) {
    rx_up_row up = {.pass = pass, .sums = sums, .length = length, .row = row};

    move_differences(&differences, &pass->input, row);
    for (int block = 0; block < n_outputs; block++)
      sum_gradients(pass, sums + block * N_SUMS * length, block, row);
    add_weight_gradients(&up, &differences);
    for (int block = 0; block < n_inputs; block++) {
      rx_up_gradients g = lay_out_gradients(gradients, block, row, array);
      add_input_gradients(&up, block, &g);
    }
  }
}
