#include "tail.h"

#include <math.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "radmix/isa.h"

enum { GROUP = 8, CHUNK = 64 };
static const double largest_df = 1e40; /* the normal distribution, in double precision */

/* J of tail.h. The substitution s = exp(v - exp(-v)) makes the integrand die doubly exponentially
 * at both ends, where it is singular at s = 0 when eta = 0. */
static long double integral(long double eta, long double df) {
  const long double step = 1.0L / 24, x = 1 - eta * eta;
  long double sum = 0;

  for (int k = -110; k <= 110; k++) {
    long double v = k * step, s = expl(v - expl(-v));
    if (s > 60) break;
    long double weight = expl(-s) * s * (1 + expl(-v));
    sum += weight / sqrtl(eta * eta - x * expm1l(-2 * s / df));
  }
  return sum * step;
}

/* Turns values at the zeros of the Chebyshev polynomial of degree n into the coefficients of the
 * ordinary polynomial through them, in the same variable in [-1,1]. Both in place. */
static void interpolate(int n, long double *values) {
  long double chebyshev[RX_TAIL_DF_TERMS];
  long double before[RX_TAIL_DF_TERMS + 1] = {0}, current[RX_TAIL_DF_TERMS + 1] = {0};

  for (int k = 0; k < n; k++) {
    long double sum = 0;
    for (int j = 0; j < n; j++) sum += values[j] * cosl(acosl(-1.0L) * k * (j + 0.5L) / n);
    chebyshev[k] = sum * (k ? 2 : 1) / n;
  }
  memset(values, 0, (size_t)n * sizeof *values);
  current[0] = 1; /* T_0; then T_{k+1} = 2 s T_k - T_{k-1} */
  for (int k = 0; k < n; k++) {
    for (int j = 0; j <= k; j++) values[j] += chebyshev[k] * current[j];
    for (int j = k + 1; j >= 0; j--) {
      long double next = (j ? (k ? 2 : 1) * current[j - 1] : 0) - (k ? before[j] : 0);
      before[j] = current[j];
      current[j] = next;
    }
  }
}

/* The polynomial in 2 q - 1 for one df. */
static void fit_terms(long double df, long double terms[RX_TAIL_TERMS]) {
  const long double pi = acosl(-1.0L), kappa = 3 / sqrtl(df), at_zero = integral(0, df);

  for (int j = 0; j < RX_TAIL_TERMS; j++) {
    long double q = (1 + cosl(pi * (j + 0.5L) / RX_TAIL_TERMS)) / 2;
    long double eta = kappa * q / (1 + kappa - q);
    terms[j] = integral(eta, df) / at_zero * (1 + eta * sqrtl(pi * df / 2));
  }
  interpolate(RX_TAIL_TERMS, terms);
}

void rx_tail_prepare(double df, rx_tail *tail) {
  long double terms[RX_TAIL_TERMS];

  tail->df = fmin(df, largest_df);
  tail->root_df = sqrt(tail->df);
  tail->kappa = 3 / tail->root_df;
  if (tail->df < 1) return;
  fit_terms(tail->df, terms);
  for (int k = 0; k < RX_TAIL_TERMS; k++) tail->term[k] = (double)terms[k];
}

void rx_tail_tabulate(rx_tail_table *table) {
  long double terms[RX_TAIL_DF_TERMS][RX_TAIL_TERMS], column[RX_TAIL_DF_TERMS];

  for (int j = 0; j < RX_TAIL_DF_TERMS; j++) {
    long double root = (1 + cosl(acosl(-1.0L) * (j + 0.5L) / RX_TAIL_DF_TERMS)) / 2;
    fit_terms(1 / (root * root), terms[j]);
  }
  for (int k = 0; k < RX_TAIL_TERMS; k++) {
    for (int j = 0; j < RX_TAIL_DF_TERMS; j++) column[j] = terms[j][k];
    interpolate(RX_TAIL_DF_TERMS, column);
    for (int j = 0; j < RX_TAIL_DF_TERMS; j++) table->term[k][j] = (double)column[j];
  }
}

static double by_nmath(double t, double df) {
  if (isnan(t)) return t;
  return fmin(0, (M_LN2 + pt(-fabs(t), df, 1, 1)) / M_LN10);
}

void rx_tail_log10_p(int isa, const rx_tail *tail, size_t n, const double *t, double *log10_p) {
  size_t whole = tail->df < 1 ? 0 : n / GROUP * GROUP;
  double in[GROUP] = {0}, out[GROUP];

  if (tail->df < 1) {
    for (size_t i = 0; i < n; i++) log10_p[i] = by_nmath(t[i], tail->df);
    return;
  }
  RX_ISA_PICK(isa, rx_tail_kernel)(log10_p, t, whole, tail);
  if (whole == n) return;
  memcpy(in, t + whole, (n - whole) * sizeof *t);
  RX_ISA_PICK(isa, rx_tail_kernel)(out, in, GROUP, tail);
  memcpy(log10_p + whole, out, (n - whole) * sizeof *t);
}

void rx_tail_log10_p_each(int isa, const rx_tail_table *table, size_t n, const double *t,
                          const double *df, double *log10_p) {
  double t_in[CHUNK], df_in[CHUNK], out[CHUNK];

  for (size_t first = 0; first < n; first += CHUNK) {
    size_t count = n - first < CHUNK ? n - first : CHUNK;
    for (size_t i = 0; i < CHUNK; i++) {
      t_in[i] = i < count ? t[first + i] : 0;
      df_in[i] = i < count ? fmin(fmax(df[first + i], 1), largest_df) : 1;
    }
    RX_ISA_PICK(isa, rx_tail_kernel_each)(out, t_in, df_in, CHUNK, table);
    for (size_t i = 0; i < count; i++)
      log10_p[first + i] = df[first + i] < 1 ? by_nmath(t[first + i], df[first + i]) : out[i];
  }
}
