#include "tail.h"
#include "lanes.h"
#include "radmix/isa.h"

/* What does not depend on how the polynomial is found: t to u, q, and the power of x. */
typedef struct {
  lanes eta, place; /* place = 2 q - 1 */
  lanes log_power;  /* -(df/2) log(1 + u^2) */
} reduced;

static inline reduced reduce(lanes t, lanes root_df, lanes kappa) {
  reduced r;
  const lanes one = lanes_of(1.0);
  /* Above 1e8, 1 + u^2 is u^2 in double precision, and its logarithm is twice that of u. */
  lanes u = lanes_min(lanes_abs(t) / root_df, lanes_of(1e300));
  lanes_mask is_far = u > 1e8;
  lanes near = lanes_select(is_far, lanes_of(0.0), u);
  lanes square = near * near, sum = square + one;
  lanes log_sum = lanes_log(lanes_select(is_far, u, sum));
  log_sum = lanes_select(is_far, log_sum + log_sum, log_sum + (square - (sum - one)) / sum);

  r.eta = lanes_select(is_far, one, near / lanes_sqrt(sum));
  r.place = (r.eta + r.eta) * (one + kappa) / (r.eta + kappa) - one;
  r.log_power = -0.5 * root_df * root_df * log_sum;
  return r;
}

static inline lanes finish(lanes t, reduced r, lanes root_df, lanes g) {
  const double root_half_pi = 0x1.40d931ff62706p+0, log10_e = 0x1.bcb7b1526e50ep-2;
  lanes ratio = g / lanes_fma(r.eta * root_df, lanes_of(root_half_pi), lanes_of(1.0));
  lanes log10_p = lanes_min((r.log_power + lanes_log(ratio)) * log10_e, lanes_of(0.0));
  return lanes_select(t == t, log10_p, t);
}

void RX_ISA_NAME(rx_tail_kernel)(double *restrict log10_p, const double *restrict t, size_t n,
                                 const rx_tail *tail) {
  const lanes root_df = lanes_of(tail->root_df), kappa = lanes_of(tail->kappa);

  for (size_t i = 0; i < n; i += RX_LANES) {
    lanes value = lanes_load(t + i);
    reduced r = reduce(value, root_df, kappa);
    lanes g = lanes_of(tail->term[RX_TAIL_TERMS - 1]);
    for (int k = RX_TAIL_TERMS - 2; k >= 0; k--) g = lanes_fma(g, r.place, lanes_of(tail->term[k]));
    lanes_store(log10_p + i, finish(value, r, root_df, g));
  }
}

void RX_ISA_NAME(rx_tail_kernel_each)(double *restrict log10_p, const double *restrict t,
                                      const double *restrict df, size_t n,
                                      const rx_tail_table *table) {
  for (size_t i = 0; i < n; i += RX_LANES) {
    lanes value = lanes_load(t + i), root_df = lanes_sqrt(lanes_load(df + i));
    lanes inverse = 1.0 / root_df, df_place = inverse + inverse - 1.0;
    reduced r = reduce(value, root_df, 3.0 * inverse);
    lanes g = lanes_of(0.0);
    for (int k = RX_TAIL_TERMS - 1; k >= 0; k--) {
      lanes term = lanes_of(table->term[k][RX_TAIL_DF_TERMS - 1]);
      for (int m = RX_TAIL_DF_TERMS - 2; m >= 0; m--)
        term = lanes_fma(term, df_place, lanes_of(table->term[k][m]));
      g = lanes_fma(g, r.place, term);
    }
    lanes_store(log10_p + i, finish(value, r, root_df, g));
  }
}
