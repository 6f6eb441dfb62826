#include "resample.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"

/* One direction: output o is the sum over t of weight[o][t] * input[index[o][t]]. */
typedef struct {
  int n_in, n_out, n_taps;
  int *index;     /* [n_out][n_taps] */
  double *weight; /* [n_out][n_taps] */
} axis_plan;

struct rx_resampler {
  rx_resample_method method;
  axis_plan rows, columns;
  double *line; /* [columns.n_in]: one output row, not yet resampled along it */
};

/* Output o covers [o n_in, (o+1) n_in) and input i covers [i n_out, (i+1) n_out) on a scale where
 * all borders are whole numbers, so the weights are exact. */
static void plan_area(axis_plan *axis) {
  long long n_in = axis->n_in, n_out = axis->n_out;

  for (long long o = 0; o < n_out; o++) {
    long long begin = o * n_in, end = begin + n_in;
    for (int t = 0; t < axis->n_taps; t++) {
      long long i = begin / n_out + t;
      long long from = i * n_out > begin ? i * n_out : begin;
      long long to = (i + 1) * n_out < end ? (i + 1) * n_out : end;
      axis->index[o * axis->n_taps + t] = (int)(i < n_in ? i : n_in - 1);
      axis->weight[o * axis->n_taps + t] = to > from ? (double)(to - from) / (double)n_in : 0;
    }
  }
}

/* Reflects an index at the centres of the first and the last sample, as often as it takes. */
static int mirror(int i, int n) {
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
  return i;
}

static void plan_cubic(axis_plan *axis) {
  double step = (double)(axis->n_in - 1) / (double)(axis->n_out - 1);

  for (int o = 0; o < axis->n_out; o++) {
    double at = step * (double)o;
    int first = (int)floor(at) - 1;
    double x = at - floor(at), y = 1 - x;
    const double weight[4] = {y * y * y / 6, (x * x * (x - 2) * 3 + 4) / 6,
                              (y * y * (y - 2) * 3 + 4) / 6, x * x * x / 6};
    for (int t = 0; t < 4; t++) {
      axis->index[4 * o + t] = mirror(first + t, axis->n_in);
      axis->weight[4 * o + t] = at > axis->n_in - 1 ? 0 : weight[t];
    }
  }
}

static rx_status create_plan(rx_resample_method method, int n_in, int n_out, axis_plan *axis) {
  axis->n_in = n_in;
  axis->n_out = n_out;
  axis->n_taps = method == RX_RESAMPLE_CUBIC ? 4 : (n_in + n_out - 1) / n_out + 1;
  size_t n = (size_t)n_out * (size_t)axis->n_taps;
  RX_TRY(RX_NEW(&axis->index, "resampling", n));
  RX_TRY(RX_NEW(&axis->weight, "resampling", n));
  if (method == RX_RESAMPLE_CUBIC)
    plan_cubic(axis);
  else
    plan_area(axis);
  return RX_OK;
}

rx_status rx_resample_create(rx_resample_method method, int rows_in, int columns_in, int size,
                             rx_resampler **out) {
  rx_resampler *resampler;

  *out = NULL;
  RX_TRY(RX_NEW(&resampler, "resampling", 1));
  resampler->method = method;
  rx_status status = create_plan(method, rows_in, size, &resampler->rows);
  if (!status) status = create_plan(method, columns_in, size, &resampler->columns);
  if (!status) status = RX_NEW(&resampler->line, "resampling", columns_in);
  if (status)
    rx_resample_destroy(&resampler);
  else
    *out = resampler;
  return status;
}

void rx_resample_destroy(rx_resampler **resampler) {
  if (!*resampler) return;
  free((*resampler)->rows.index);
  free((*resampler)->rows.weight);
  free((*resampler)->columns.index);
  free((*resampler)->columns.weight);
  free((*resampler)->line);
  free(*resampler);
  *resampler = NULL;
}

/* Turns n >= 2 samples into the coefficients of the cubic B-spline through them: a causal and an
 * anticausal recursion with the pole sqrt(3) - 2, their starts summed exactly for mirrored ends. */
static void filter_spline(double *c, size_t n, size_t stride) {
  const double pole = sqrt(3.0) - 2, gain = (1 - pole) * (1 - 1 / pole);
  double power = pole, last_power = pow(pole, (double)(n - 1));

  for (size_t i = 0; i < n; i++) c[i * stride] *= gain;
  double start = c[0] + last_power * c[(n - 1) * stride];
  for (size_t i = 1; i + 1 < n; i++, power *= pole)
    start += power * (c[i * stride] + last_power * c[(n - 1 - i) * stride]);
  c[0] = start / (1 - last_power * last_power);
  for (size_t i = 1; i < n; i++) c[i * stride] += pole * c[(i - 1) * stride];

  c[(n - 1) * stride] =
      (pole * c[(n - 2) * stride] + c[(n - 1) * stride]) * pole / (pole * pole - 1);
  for (size_t i = n - 1; i-- > 0;) c[i * stride] = pole * (c[(i + 1) * stride] - c[i * stride]);
}

static void filter_image(double *image, size_t n_rows, size_t n_columns) {
  for (size_t column = 0; column < n_columns; column++)
    filter_spline(image + column, n_rows, n_columns);
  for (size_t row = 0; row < n_rows; row++) filter_spline(image + row * n_columns, n_columns, 1);
}

void rx_resample_run(rx_resampler *resampler, float *output, double *input) {
  const axis_plan *rows = &resampler->rows, *columns = &resampler->columns;
  double *line = resampler->line;
  size_t n_columns = (size_t)columns->n_in;

  if (resampler->method == RX_RESAMPLE_CUBIC) filter_image(input, (size_t)rows->n_in, n_columns);
  for (int r = 0; r < rows->n_out; r++) {
    for (size_t i = 0; i < n_columns; i++) line[i] = 0;
    for (int t = 0; t < rows->n_taps; t++) {
      double weight = rows->weight[r * rows->n_taps + t];
      const double *source = input + (size_t)rows->index[r * rows->n_taps + t] * n_columns;
      for (size_t i = 0; i < n_columns; i++) line[i] += weight * source[i];
    }
    for (int c = 0; c < columns->n_out; c++) {
      double sum = 0;
      for (int t = 0; t < columns->n_taps; t++)
        sum += columns->weight[c * columns->n_taps + t] *
               line[columns->index[c * columns->n_taps + t]];
      *output++ = (float)sum;
    }
  }
}
