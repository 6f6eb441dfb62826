/* The kernels of the lasso over rows: AVX2 and AVX-512 to the same bits, all of them what plain
 * loops in double give. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prediction/newton.h"
#include "radmix/isa.h"
#include "radmix/random.h"

/* Not even: no size is a multiple of a register, a block or a panel. */
enum { ROWS = 43, FEATURES = 1061, MODELS = 3, STRIDE = 48, PANELS = 2, LISTED = 37 };
enum { FOUND = PANELS * RX_NEWTON_PANEL };

/* What the kernels of one instruction set make of the same numbers. */
typedef struct {
  float eta[MODELS * STRIDE], collected[MODELS * FEATURES], sums[LISTED];
  double square[FOUND * FOUND], u[FOUND], beta[FOUND], largest;
} made;

typedef struct {
  float z[ROWS * FEATURES], b[MODELS * FEATURES], residual[MODELS * STRIDE];
  float h[FOUND * FOUND], packed[PANELS * RX_NEWTON_STRIP * RX_NEWTON_PANEL];
  float lanes[MODELS * RX_NEWTON_LANES];
  int feature[LISTED], order[FOUND];
} numbers;

static void fill(float *x, size_t n, uint32_t what) {
  rx_random random = rx_random_at(11, RX_RANDOM_SIMULATION, what, 5);

  for (size_t i = 0; i < n; i++) x[i] = (float)rx_random_normal(&random);
}

static numbers *make_numbers(void) {
  numbers *x = calloc(1, sizeof *x);

  fill(x->z, ROWS * FEATURES, 1);
  fill(x->b, MODELS * FEATURES, 2);
  fill(x->residual, MODELS * STRIDE, 3);
  for (int k = 0; k < LISTED; k++) x->feature[k] = (k * 131) % FEATURES;
  for (int j = 0; j < FOUND; j++) x->order[j] = (j * 29) % FOUND;
  for (int i = 0; i < FOUND; i++)
    for (int j = 0; j < FOUND; j++) x->h[i * FOUND + j] = (float)exp(-abs(i - j) / 3.0);
  return x;
}

/* The square root of a row's weight. */
static float root_of(size_t row) {
  return 0.5F + 0.01F * (float)row;
}

static made *run(numbers *x, int isa) {
  made *m = calloc(1, sizeof *m);
  rx_newton_quadratic q = {
      .n = FOUND, .stride = FOUND, .h = x->h, .u = m->u, .beta = m->beta, .l1 = 0.3, .l2 = 0.01};

  RX_ISA_PICK(isa, rx_newton_predict)
  (m->eta, x->lanes, x->z, x->b, FEATURES, ROWS, MODELS, STRIDE);
  RX_ISA_PICK(isa, rx_newton_collect)
  (m->collected, x->z, x->residual, FEATURES, ROWS, MODELS, STRIDE);
  memset(x->packed, 0, sizeof x->packed);
  for (size_t r = 0; r < ROWS; r++) RX_ISA_PICK(isa, rx_newton_pack)
  (x->packed + r * RX_NEWTON_PANEL, m->sums, x->z + r * FEATURES, x->feature, LISTED, 0,
   root_of(r));
  RX_ISA_PICK(isa, rx_newton_square)(m->square, FOUND, x->packed, ROWS, 0, PANELS);
  for (int j = 0; j < FOUND; j++) m->u[j] = sin(j);
  m->largest = RX_ISA_PICK(isa, rx_newton_sweep)(&q, x->order, FOUND);
  return m;
}

static void avx2_and_avx512_give_the_same_bits(void **state) {
  (void)state;
  if (rx_isa_of_machine() < 4) skip();
  numbers *x = make_numbers();
  made *three = run(x, 3), *four = run(x, 4);

  assert_memory_equal(three, four, sizeof *three);
  assert_true(three->largest > 0);
  free(three);
  free(four);
  free(x);
}

static void assert_near(double value, double expected, double size) {
  const double tolerance = 1e-5; /* sums of up to 1,061 floats */

  assert_true(fabs(value - expected) <= tolerance * (size + 1));
}

static void check_products(const numbers *x, const made *m) {
  for (size_t c = 0; c < MODELS; c++)
    for (size_t r = 0; r < ROWS; r++) {
      double sum = 0, size = 0;
      for (size_t j = 0; j < FEATURES; j++) {
        double product = (double)x->z[r * FEATURES + j] * (double)x->b[c * FEATURES + j];
        sum += product;
        size += fabs(product);
      }
      assert_near((double)m->eta[c * STRIDE + r], sum, size);
    }
  for (size_t c = 0; c < MODELS; c++)
    for (size_t j = 0; j < FEATURES; j++) {
      double sum = 0;
      for (size_t r = 0; r < ROWS; r++)
        sum += (double)x->residual[c * STRIDE + r] * (double)x->z[r * FEATURES + j];
      assert_near((double)m->collected[c * FEATURES + j], sum, ROWS);
    }
}

static void check_squares(const numbers *x, const made *m) {
  for (size_t i = 0; i < LISTED; i++) {
    double total = 0;
    for (size_t k = 0; k <= i; k++) {
      double sum = 0;
      total = 0;
      for (size_t r = 0; r < ROWS; r++) {
        double w = pow((double)root_of(r), 2),
               z = (double)x->z[r * FEATURES + (size_t)x->feature[i]];
        sum += w * z * (double)x->z[r * FEATURES + (size_t)x->feature[k]];
        total += w * z;
      }
      assert_near(m->square[i * FOUND + k], sum, ROWS);
    }
    assert_near((double)m->sums[i], total, ROWS);
  }
}

/* After a sweep the gradient is still that of the model at beta. */
static void check_sweep(const numbers *x, const made *m) {
  for (int i = 0; i < FOUND; i++) {
    double u = sin(i);
    for (int j = 0; j < FOUND; j++) u -= (double)x->h[j * FOUND + i] * m->beta[j];
    assert_near(m->u[i], u, FOUND);
  }
}

static void every_instruction_set_agrees_with_plain_loops(void **state) {
  (void)state;
  numbers *x = make_numbers();

  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    made *m = run(x, isa);
    check_products(x, m);
    check_squares(x, m);
    check_sweep(x, m);
    free(m);
  }
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(avx2_and_avx512_give_the_same_bits),
      cmocka_unit_test(every_instruction_set_agrees_with_plain_loops)};

  return cmocka_run_group_tests(tests, NULL, NULL);
}
