#include <math.h>
#include <string.h>

#include "kernels.h"
#include "vector.h"

/* The pixels of an image from place at: 16, or those that are left and zeros. */
RX_INLINE rx_block load_some(const float *from, size_t at, size_t n) {
  float some[RX_BLOCK] __attribute__((aligned(64))) = {0};

  if (at + RX_BLOCK <= n) return load_anywhere(from + at);
  memcpy(some, from + at, (n - at) * sizeof *from);
  return load(some);
}

RX_INLINE void store_some(float *to, rx_block a, size_t at, size_t n) {
  float some[RX_BLOCK] __attribute__((aligned(64)));

  if (at + RX_BLOCK <= n) {
    store_anywhere(to + at, a);
  } else {
    store(some, a);
    memcpy(to + at, some, (n - at) * sizeof *to);
  }
}

RX_INLINE double sum_lanes(rx_block a) {
  float lanes[RX_BLOCK] __attribute__((aligned(64)));
  double sum = 0;

  store(lanes, a);
  for (int lane = 0; lane < RX_BLOCK; lane++) sum += lanes[lane];
  return sum;
}

/* exp for |x| <= 80: 2^n exp(r), |r| <= ln 2 / 2, by the Taylor series to r^7 (error < 1e-7). */
RX_INLINE rx_lanes exp_lanes(rx_lanes x) {
  const float magic = 0x1.8p23f; /* adding it rounds to an integer */
  rx_lanes n =
      (multiply_add_lanes(x, 0x1.715476p0f - (rx_lanes){0}, magic - (rx_lanes){0})) - magic;
  rx_lanes r = multiply_add_lanes(n, -0x1.62e4p-1f - (rx_lanes){0}, x);
  static const float series[] = {1.f / 5040, 1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, .5f, 1, 1};
  rx_lanes sum = series[0] - (rx_lanes){0};

  r = multiply_add_lanes(n, -0x1.7f7d1cp-20f - (rx_lanes){0}, r);
  RX_UNROLL for (int i = 1; i < 8; i++) sum = multiply_add_lanes(sum, r, series[i] - (rx_lanes){0});
  rx_marks power = (__builtin_convertvector(n, rx_marks) + 127) << 23;
  return sum * (rx_lanes)power;
}

void RX_ISA_NAME(rx_sigmoid)(float *output, const float *logits, size_t n) {
  const rx_lanes most = 80 - (rx_lanes){0};

  for (size_t at = 0; at < n; at += RX_BLOCK) {
    rx_block x = load_some(logits, at, n);
    RX_UNROLL for (int i = 0; i < RX_PARTS; i++) {
      rx_lanes t = -larger_lanes(-larger_lanes(-x.part[i], -most), -most);
      x.part[i] = 1 / (1 + exp_lanes(t));
    }
    store_some(output, x, at, n);
  }
}

/* d sigmoid / d logit = o (1 - o) */
RX_INLINE rx_block through_sigmoid(rx_block d, rx_block output) {
  return multiply(d, multiply(output, subtract(spread(1), output)));
}

static double mse(float *d_logits, const float *output, const float *target, size_t n) {
  rx_block sum = zero(), scale = spread(2 / (float)n);

  for (size_t at = 0; at < n; at += RX_BLOCK) {
    rx_block o = load_some(output, at, n);
    rx_block difference = subtract(o, load_some(target, at, n));

    sum = multiply_add(difference, difference, sum);
    store_some(d_logits, through_sigmoid(multiply(difference, scale), o), at, n);
  }
  return sum_lanes(sum) / (double)n;
}

static double cosine(float *d_logits, const float *output, const float *target, size_t n) {
  rx_block oo = zero(), tt = zero(), ot = zero();

  for (size_t at = 0; at < n; at += RX_BLOCK) {
    rx_block o = load_some(output, at, n), t = load_some(target, at, n);
    oo = multiply_add(o, o, oo);
    tt = multiply_add(t, t, tt);
    ot = multiply_add(o, t, ot);
  }
  double outputs = sum_lanes(oo);
  double scale_o = 1 / sqrt(outputs > RX_LOSS_NORM_FLOOR ? outputs : RX_LOSS_NORM_FLOOR);
  double targets = sum_lanes(tt);
  double scale_t = 1 / sqrt(targets > RX_LOSS_NORM_FLOOR ? targets : RX_LOSS_NORM_FLOOR);
  double result = sum_lanes(ot) * scale_o * scale_t;
  rx_block pull = spread((float)(-scale_o * scale_t));
  rx_block push = spread(outputs > RX_LOSS_NORM_FLOOR ? (float)(result * scale_o * scale_o) : 0);

  for (size_t at = 0; at < n; at += RX_BLOCK) {
    rx_block o = load_some(output, at, n), t = load_some(target, at, n);
    rx_block d = multiply_add(t, pull, multiply(o, push));
    store_some(d_logits, through_sigmoid(d, o), at, n);
  }
  return -result;
}

/* Through a sigmoid the gradient of the cross entropy is output - target. Pixel by pixel: a loss
 * that few use, and the C library's logarithm. */
static double cross_entropy(float *d_logits, const float *output, const float *logits,
                            const float *target, size_t n) {
  double sum = 0;

  for (size_t i = 0; i < n; i++) {
    double logit = logits[i];
    sum += (logit > 0 ? logit : 0) - logit * (double)target[i] + log1p(exp(-fabs(logit)));
    d_logits[i] = (output[i] - target[i]) / (float)n;
  }
  return sum / (double)n;
}

static double cosine_keras(float *d_logits, const float *output, const float *target, size_t n) {
  double sum = 0;

  for (size_t i = 0; i < n; i++) {
    double o = output[i], t = target[i];
    double scale_o = 1 / sqrt(o * o > RX_LOSS_NORM_FLOOR ? o * o : RX_LOSS_NORM_FLOOR);
    double scale_t = 1 / sqrt(t * t > RX_LOSS_NORM_FLOOR ? t * t : RX_LOSS_NORM_FLOOR);
    double d = o * o > RX_LOSS_NORM_FLOOR ? 0 : -t * scale_t * scale_o / (double)n;

    sum += o * scale_o * t * scale_t;
    d_logits[i] = (float)(d * o * (1 - o));
  }
  return -sum / (double)n;
}

double RX_ISA_NAME(rx_loss)(float *d_logits, const float *output, const float *logits,
                            const float *target, rx_loss loss, size_t n) {
  switch (loss) {
    case RX_LOSS_COSINE:
      return cosine(d_logits, output, target, n);
    case RX_LOSS_BCE:
      return cross_entropy(d_logits, output, logits, target, n);
    case RX_LOSS_COSINE_KERAS:
      return cosine_keras(d_logits, output, target, n);
    default:
      return mse(d_logits, output, target, n);
  }
}
