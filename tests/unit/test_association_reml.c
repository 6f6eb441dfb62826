/* The solver: against exact REML in R, lmerTest, pbkrtest; against long double bisection on the
 * model matrix itself; against the closed form of balanced data; on each instruction set. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "association/inference.h"
#include "association/reml.h"
#include "association/tail.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "unit/association_reference.h"

/* One fit, done by the search and by the kernel. */
typedef struct {
  double lambda, sigma_u, sigma_e, df_containment, n_free;
  double beta[4][8], se[4][8], t[4][8], df[4][8]; /* by rx_df; lane 0 counts */
} outcome;

typedef struct {
  int n_patients, n_covariates;
  const double *rows, *mean, *covariates, *factor;
  double within;
} fit_case;

static double deviation(const double *value, int n) {
  double mean = 0, sum = 0;
  for (int i = 0; i < n; i++) mean += value[i] / n;
  for (int i = 0; i < n; i++) sum += (value[i] - mean) * (value[i] - mean);
  return sqrt(sum / n);
}

static void conclude(const fit_case *of, const rx_contrasts *contrasts, const rx_reml_space *space,
                     double within, double y_scale, double g_scale, const rx_reml_fits *fits,
                     outcome *out) {
  double n_free = space->n_free - 1, beta = fits->x1[0] / fits->g1[0];

  out->lambda = fits->lambda[0];
  out->n_free = n_free;
  out->df_containment = of->n_patients - contrasts->n_columns - 1;
  out->sigma_e = y_scale * sqrt((within + fits->y1[0] - beta * fits->x1[0]) / n_free);
  out->sigma_u = out->sigma_e * sqrt(out->lambda);
  for (int method = 0; method < 4; method++) {
    const rx_estimates e = {out->beta[method], out->se[method], out->t[method], out->df[method]};
    rx_inference_wald((rx_df)method, out->df_containment, n_free, within, fits, e);
    e.beta[0] *= y_scale / g_scale;
    e.se[0] *= y_scale / g_scale;
  }
}

/* isa 0: by rx_reml_search(). Returns 0 when there is nothing to fit. */
static int solve(int isa, const fit_case *of, outcome *out) {
  rx_contrasts *contrasts = NULL;
  rx_reml_space *space = NULL;
  double *y = NULL, *g = NULL, *tile = NULL, *g_tile = NULL, *work = NULL;
  double y_scale = deviation(of->mean, of->n_patients);
  double g_scale = deviation(of->factor, of->n_patients), norm = 0;
  static rx_reml_fits fits;

  if (y_scale == 0) y_scale = 1;
  assert_int_equal(
      rx_contrasts_create(of->n_patients, of->rows, of->n_covariates, of->covariates, &contrasts),
      0);
  int n = contrasts->n, is_fit = n > 0 && g_scale > 0;
  assert_int_equal(rx_reml_space_create(contrasts, false, &space), 0);
  RX_NEW(&y, "test", n), RX_NEW(&g, "test", n), RX_NEW(&tile, "test", n * 8);
  RX_NEW(&g_tile, "test", n * 8), RX_NEW(&work, "test", n * RX_REML_WORK);
  rx_contrasts_apply(contrasts, of->mean, y);
  rx_contrasts_apply(contrasts, of->factor, g);
  for (int j = 0; j < n; j++) {
    y[j] /= y_scale, g[j] /= g_scale;
    norm += g[j] * g[j];
    for (int lane = 0; lane < 8; lane++) tile[j * 8 + lane] = y[j], g_tile[j * 8 + lane] = g[j];
  }
  is_fit = is_fit && norm > 1e-12;
  double within = of->within / (y_scale * y_scale), eight[8], lambda[8], n_minima[8];
  for (int lane = 0; lane < 8; lane++) eight[lane] = within;
  if (is_fit && !isa) assert_true(rx_reml_search(space, g, y, within, 0, &fits) > 0);
  if (is_fit && isa) {
    RX_ISA_PICK(isa, rx_reml_null)(space, tile, eight, lambda, n_minima);
    RX_ISA_PICK(isa, rx_reml_fit)(space, y, within, lambda[0], 1, g_tile, work, &fits);
    for (int lane = 0; lane < 8; lane++) {
      assert_true(fits.is_found[lane] == 1);
      assert_true(fits.lambda[lane] == fits.lambda[0] && fits.x1[lane] == fits.x1[0]);
    }
  }
  if (is_fit) conclude(of, contrasts, space, within, y_scale, g_scale, &fits, out);
  free(y), free(g), free(tile), free(g_tile), free(work);
  rx_reml_space_destroy(&space);
  rx_contrasts_destroy(&contrasts);
  return is_fit;
}

static double relative(double found, double expected) {
  return fabs(found - expected) / fmax(fabs(expected), 1e-300);
}

static void close_to(const char *what, const char *row, double found, double expected,
                     double tolerance) {
  if (!(relative(found, expected) <= tolerance) && !(found == expected))
    fail_msg("%s: %s: found %.17g, expected %.17g", row, what, found, expected);
}

static void compare(const reference *it, size_t row, const char *name, const outcome *found) {
  const rx_table *table = it->expected;
  double lambda = cell_number(table, row, "ref_lambda"), log10_p;
  double kr_df = cell_number(table, row, "kr_df"), t = found->t[0][0];
  rx_tail tail;

  close_to("beta", name, found->beta[0][0], cell_number(table, row, "ref_beta"), 1e-9);
  close_to("se", name, found->se[0][0], cell_number(table, row, "ref_se"), 1e-9);
  close_to("sigma_u", name, found->sigma_u, cell_number(table, row, "ref_sigma_u"), 1e-9);
  close_to("sigma_e", name, found->sigma_e, cell_number(table, row, "ref_sigma_e"), 1e-9);
  close_to("df", name, found->df_containment, cell_number(table, row, "ref_df_containment"), 0);
  rx_tail_prepare(found->df_containment, &tail);
  rx_tail_log10_p(rx_isa_of_machine(), &tail, 1, &t, &log10_p);
  close_to("log10 p", name, log10_p, cell_number(table, row, "ref_log10p_containment"), 1e-9);
  rx_tail_prepare(INFINITY, &tail);
  rx_tail_log10_p(rx_isa_of_machine(), &tail, 1, &t, &log10_p);
  close_to("log10 p, normal", name, log10_p, cell_number(table, row, "ref_log10p_wald_z"), 1e-9);
  /* The packages stop lambda at 1e-6 or so of its value; the formulas are compared at that. */
  if (lambda > 0)
    close_to("Satterthwaite df", name, found->df[RX_DF_SATTERTHWAITE][0],
             cell_number(table, row, "satt_df"), 1e-5);
  else
    close_to("boundary df", name, found->df[RX_DF_SATTERTHWAITE][0], found->df_containment, 0);
  close_to("Kenward-Roger se", name, found->se[RX_DF_KENWARD_ROGER][0],
           cell_number(table, row, "kr_se"), 1e-6);
  close_to("Kenward-Roger df", name, found->df[RX_DF_KENWARD_ROGER][0], kr_df, 1e-4);
}

static void compare_with_reference(const char *file, int isa) {
  double rows[MOST_PATIENTS], mean[MOST_PATIENTS], within[MOST_PATIENTS], factor[MOST_PATIENTS];
  static double covariates[MOST_PATIENTS * MOST_COVARIATES];
  reference it = {0};
  int n_compared = 0;

  if (!reference_load(file, &it)) {
    print_message("[  SKIPPED ] reference/lmm is not there\n");
    reference_free(&it);
    skip();
  }
  for (size_t row = 0; row < it.expected->n_rows; row++) {
    char name[256];
    const char *gf = cell_text(it.expected, row, "gf");
    const char *feature = cell_text(it.expected, row, "feature");
    const char *formula = cell_text(it.expected, row, "formula");
    outcome found;

    snprintf(name, sizeof name, "%s %s ~ %s", file, feature, formula);
    summarise(&it, feature, rows, mean, within);
    fit_case of = {.n_patients = (int)it.patients->n_rows,
                   .rows = rows,
                   .mean = mean,
                   .factor = factor,
                   .covariates = covariates};
    for (size_t p = 0; p < it.patients->n_rows; p++) {
      factor[p] = cell_number(it.patients, p, gf);
      of.within += within[p];
    }
    of.n_covariates = reference_covariates(it.patients, formula, covariates);
    if (strcmp(cell_text(it.expected, row, "status"), "ok")) continue; /* see the grid's test */
    assert_true(solve(isa, &of, &found));
    compare(&it, row, name, &found);
    n_compared++;
  }
  assert_true(n_compared > 0);
  reference_free(&it);
}

static void the_search_agrees_with_exact_reml(void **state) {
  (void)state;
  compare_with_reference("A_unbalanced", 0);
  compare_with_reference("C_balanced_degenerate", 0);
}

static void the_kernel_agrees_with_exact_reml_on_each_instruction_set(void **state) {
  (void)state;
  for (int isa = 2; isa <= rx_isa_of_machine(); isa++) {
    compare_with_reference("A_unbalanced", isa);
    compare_with_reference("C_balanced_degenerate", isa);
  }
}

/* A small linear congruential stream, so that the cases are the same everywhere. */
static double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *seed) {
  double radius = sqrt(-2 * log(uniform(seed)));
  return radius * cos(6.283185307179586 * uniform(seed));
}

enum { MOST = 64 };

/* f' of the whole model in long double, from its normal equations: another way than contrasts. */
typedef struct {
  long double slope, beta, variance, sigma2;
} direct;

static direct direct_at(const fit_case *of, long double lambda) {
  const int p = of->n_covariates + 2;
  long double a[8][17] = {{0}}, b[8][8] = {{0}}, beta[8] = {0}, n_rows = 0, r, r2 = 0, trace = 0;
  direct d;

  r = of->within;
  for (int i = 0; i < of->n_patients; i++) {
    long double w = 1 / (lambda + 1 / (long double)of->rows[i]), x[8];
    n_rows += of->rows[i];
    for (int c = 0; c < p; c++)
      x[c] = c == 0 ? 1 : c == 1 ? of->factor[i] : of->covariates[i * of->n_covariates + c - 2];
    for (int c = 0; c < p; c++) {
      a[c][2 * p] += w * x[c] * of->mean[i];
      for (int k = 0; k < p; k++) a[c][k] += w * x[c] * x[k], b[c][k] += w * w * x[c] * x[k];
    }
    trace += w;
  }
  for (int c = 0; c < p; c++) a[c][p + c] = 1;
  for (int c = 0; c < p; c++) { /* Gauss-Jordan with pivots: inverse in columns p.., beta last */
    int best = c;
    for (int k = c + 1; k < p; k++)
      if (fabsl(a[k][c]) > fabsl(a[best][c])) best = k;
    for (int k = 0; k <= 2 * p; k++) {
      long double swap = a[c][k];
      a[c][k] = a[best][k], a[best][k] = swap;
    }
    for (int k = 2 * p; k >= c; k--) a[c][k] /= a[c][c];
    for (int row = 0; row < p; row++) {
      long double times = a[row][c];
      for (int k = c; row != c && k <= 2 * p; k++) a[row][k] -= times * a[c][k];
    }
  }
  for (int c = 0; c < p; c++) beta[c] = a[c][2 * p];
  for (int i = 0; i < of->n_patients; i++) {
    long double w = 1 / (lambda + 1 / (long double)of->rows[i]), e = of->mean[i];
    for (int c = 0; c < p; c++)
      e -= beta[c] * (c == 0   ? 1
                      : c == 1 ? of->factor[i]
                               : of->covariates[i * of->n_covariates + c - 2]);
    r += w * e * e;
    r2 += w * w * e * e;
  }
  for (int c = 0; c < p; c++)
    for (int k = 0; k < p; k++) trace -= a[c][p + k] * b[k][c];
  d.beta = beta[1];
  d.sigma2 = r / (n_rows - p);
  d.variance = d.sigma2 * a[1][p + 1];
  d.slope = trace - (n_rows - p) * r2 / r;
  return d;
}

/* The only minimum, when there is one: bisection in long double. Returns 0 when there are more. */
static int direct_minimum(const fit_case *of, long double *lambda) {
  long double before = direct_at(of, 0).slope, low = 0, high = 0, last = 0;
  int n_minima = before >= 0;

  for (int k = -100; k <= 60; k++) {
    long double here = expl(k * 0.2L), slope = direct_at(of, here).slope;
    if (before < 0 && slope >= 0) n_minima++, low = last, high = here;
    before = slope, last = here;
  }
  for (int step = 0; step < 100 && high > 0; step++) {
    long double middle = (low + high) / 2;
    if (direct_at(of, middle).slope < 0)
      low = middle;
    else
      high = middle;
  }
  *lambda = (low + high) / 2;
  return n_minima == 1;
}

static void make_case(uint64_t *seed, fit_case *of, double *rows, double *mean, double *covariates,
                      double *factor) {
  static const double ratios[] = {0, 0.003, 0.1, 1, 30};
  int m = 12 + (int)(40 * uniform(seed)), most = uniform(seed) < 0.5 ? 20 : 1000;
  double sigma_u = sqrt(ratios[(int)(5 * uniform(seed))]), effect = uniform(seed) < 0.3 ? 1 : 0;

  of->n_patients = m;
  of->n_covariates = (int)(3.99 * uniform(seed));
  of->within = 0;
  for (int i = 0; i < m; i++) {
    rows[i] = 1 + floor(most * uniform(seed));
    factor[i] = normal(seed);
    for (int c = 0; c < of->n_covariates; c++)
      covariates[i * of->n_covariates + c] = c == 1 ? uniform(seed) < 0.4 : 50 + 9 * normal(seed);
    mean[i] = sigma_u * normal(seed) + normal(seed) / sqrt(rows[i]) + effect * factor[i];
    for (int k = 1; k < rows[i]; k++) of->within += pow(normal(seed), 2);
  }
}

static void kernel_and_search_agree_with_long_double_bisection_to_1e9(void **state) {
  double rows[MOST], mean[MOST], covariates[MOST * 4], factor[MOST];
  fit_case of = {.rows = rows, .mean = mean, .covariates = covariates, .factor = factor};
  uint64_t seed = 20230109;
  int n_boundary = 0, n_interior = 0;

  (void)state;
  for (int trial = 0; trial < 200; trial++) {
    long double lambda;
    outcome by_search, by_kernel;
    make_case(&seed, &of, rows, mean, covariates, factor);
    if (!direct_minimum(&of, &lambda)) continue;
    direct exact = direct_at(&of, lambda);
    char name[64];
    snprintf(name, sizeof name, "trial %d", trial);
    assert_true(solve(0, &of, &by_search));
    assert_true(solve(rx_isa_of_machine(), &of, &by_kernel));
    const outcome *both[2] = {&by_search, &by_kernel};
    for (int i = 0; i < 2; i++) {
      close_to("lambda", name, both[i]->lambda, (double)lambda, 1e-9);
      close_to("beta", name, both[i]->beta[0][0], (double)exact.beta, 1e-9);
      close_to("se", name, both[i]->se[0][0], sqrt((double)exact.variance), 1e-9);
      close_to("sigma_e", name, both[i]->sigma_e, sqrt((double)exact.sigma2), 1e-9);
    }
    n_boundary += lambda == 0;
    n_interior += lambda > 0;
  }
  assert_true(n_boundary >= 10 && n_interior >= 100);
}

/* n rows a patient: lambda = (MSB / MSE - 1) / n or 0, and beta is that of ordinary regression. */
static void balanced_data_have_a_closed_form(void **state) {
  enum { M = 20 };
  double rows[M], mean[M], factor[M], g = 0, gg = 0, gy = 0, y = 0, rss = 0;
  fit_case of = {.n_patients = M, .rows = rows, .mean = mean, .factor = factor, .within = 150};
  uint64_t seed = 7;
  outcome found;

  (void)state;
  for (int i = 0; i < M; i++) {
    rows[i] = 9;
    factor[i] = normal(&seed);
    mean[i] = 5 + 0.7 * factor[i] + normal(&seed);
    g += factor[i] / M, y += mean[i] / M;
  }
  for (int i = 0; i < M; i++)
    gg += (factor[i] - g) * (factor[i] - g), gy += (factor[i] - g) * (mean[i] - y);
  for (int i = 0; i < M; i++) rss += pow(mean[i] - y - gy / gg * (factor[i] - g), 2);
  double between = 9 * rss / (M - 2), error = of.within / (M * 8);
  for (int isa = 0; isa <= rx_isa_of_machine(); isa += isa ? 1 : 2) {
    assert_true(solve(isa, &of, &found));
    close_to("lambda", "balanced", found.lambda, (between / error - 1) / 9, 1e-12);
    close_to("beta", "balanced", found.beta[0][0], gy / gg, 1e-12);
    close_to("se", "balanced", found.se[0][0], sqrt(between / 9 / gg), 1e-12);
    close_to("df", "balanced", found.df[RX_DF_SATTERTHWAITE][0], M - 2, 1e-9);
    close_to("df", "balanced", found.df[RX_DF_KENWARD_ROGER][0], M - 2, 1e-9);
  }
}

static void a_feature_may_be_scaled_and_moved(void **state) {
  double rows[MOST], mean[MOST], other[MOST], covariates[MOST * 4], factor[MOST];
  fit_case of = {.rows = rows, .mean = mean, .covariates = covariates, .factor = factor};
  uint64_t seed = 99;

  (void)state;
  for (int trial = 0; trial < 50; trial++) {
    outcome first, second;
    make_case(&seed, &of, rows, mean, covariates, factor);
    fit_case changed = of;
    changed.mean = other;
    changed.within = of.within * 1e6;
    for (int i = 0; i < of.n_patients; i++) other[i] = 1e3 * mean[i] + 1e6;
    assert_true(solve(rx_isa_of_machine(), &of, &first));
    assert_true(solve(rx_isa_of_machine(), &changed, &second));
    if (first.lambda > 0) close_to("lambda", "moved", second.lambda, first.lambda, 1e-9);
    assert_true(fabs(second.t[0][0] - first.t[0][0]) < 1e-9);
  }
}

static void avx2_and_avx512_give_the_same_bits(void **state) {
  enum { N = 37, TILES = 3 };
  static double rows[N], y[N * 8], g[TILES * N * 8], work[N * RX_REML_WORK], one[N];
  double within[8], lambda[2][8], n_minima[2][8];
  static rx_reml_fits fits[2][TILES];
  rx_contrasts *contrasts;
  rx_reml_space *space;
  uint64_t seed = 5;

  (void)state;
  if (rx_isa_of_machine() < 4) skip();
  for (int i = 0; i < N; i++) rows[i] = 1 + floor(60 * uniform(&seed));
  for (int i = 0; i < N * 8; i++) y[i] = normal(&seed);
  for (int i = 0; i < TILES * N * 8; i++) g[i] = normal(&seed);
  for (int lane = 0; lane < 8; lane++) within[lane] = 200 + 4000 * lane * lane;
  assert_int_equal(rx_contrasts_create(N, rows, 0, NULL, &contrasts), 0);
  assert_int_equal(rx_reml_space_create(contrasts, false, &space), 0);
  rx_reml_null_v3(space, y, within, lambda[0], n_minima[0]);
  rx_reml_null_v4(space, y, within, lambda[1], n_minima[1]);
  assert_memory_equal(lambda[0], lambda[1], sizeof lambda[0]);
  assert_memory_equal(n_minima[0], n_minima[1], sizeof n_minima[0]);
  for (int lane = 0; lane < 8; lane++) {
    for (int j = 0; j < contrasts->n; j++) one[j] = y[j * 8 + lane];
    rx_reml_fit_v3(space, one, within[lane], lambda[0][lane], TILES, g, work, fits[0]);
    rx_reml_fit_v4(space, one, within[lane], lambda[0][lane], TILES, g, work, fits[1]);
    assert_memory_equal(fits[0], fits[1], sizeof fits[0]);
  }
  rx_reml_space_destroy(&space);
  rx_contrasts_destroy(&contrasts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_search_agrees_with_exact_reml),
      cmocka_unit_test(the_kernel_agrees_with_exact_reml_on_each_instruction_set),
      cmocka_unit_test(kernel_and_search_agree_with_long_double_bisection_to_1e9),
      cmocka_unit_test(balanced_data_have_a_closed_form),
      cmocka_unit_test(a_feature_may_be_scaled_and_moved),
      cmocka_unit_test(avx2_and_avx512_give_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
