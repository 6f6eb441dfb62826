#include "inference.h"

#include <math.h>

/* What the df formulas are made of, for one fit. */
typedef struct {
  double lambda, g1, g2, g3, t1, t2, n_free;
  double r, r_slope, r_curve; /* R, R', R'' */
} fit;

static fit take(const rx_reml_fits *fits, int lane, double within, double n_free) {
  fit f = {.lambda = fits->lambda[lane],
           .g1 = fits->g1[lane],
           .g2 = fits->g2[lane],
           .g3 = fits->g3[lane],
           .t1 = fits->t1[lane],
           .t2 = fits->t2[lane],
           .n_free = n_free};
  double x1 = fits->x1[lane], x2 = fits->x2[lane], x3 = fits->x3[lane], beta = x1 / f.g1;
  double bend = x2 - beta * f.g2;

  f.r = within + fits->y1[lane] - beta * x1;
  f.r_slope = -(fits->y2[lane] - beta * (x2 + bend));
  f.r_curve = 2 * (fits->y3[lane] - 2 * beta * x3 + beta * beta * f.g3 - bend * bend / f.g1);
  return f;
}

/* df = v^2 / (d' H^-1 d): H the Hessian of -2 REML in (lambda, sigma_e^2), d the gradient of
 * v = sigma_e^2 / G_1. */
static double satterthwaite(const fit *f, double containment) {
  double s2 = f->r / f->n_free, v = s2 / f->g1, ratio = f->g2 / f->g1;
  double d_lambda = v * ratio, d_s2 = 1 / f->g1;
  double h_ll = f->r_curve / s2 - f->t2 + 2 * f->g3 / f->g1 - ratio * ratio;
  double h_ls = -f->r_slope / (s2 * s2), h_ss = f->n_free / (s2 * s2);
  double below = d_lambda * d_lambda * h_ss - 2 * d_lambda * d_s2 * h_ls + d_s2 * d_s2 * h_ll;
  double df = v * v * (h_ll * h_ss - h_ls * h_ls) / below;

  /* lmerTest jumps to N - p at lambda = 0; and where f has no curvature there is no such df. */
  return f->lambda > 0 && df > 0 && isfinite(df) ? df : containment;
}

/* The inverse of the expected information of (sigma_u^2, sigma_e^2), in units of sigma_e^4. */
typedef struct {
  double uu, ue, ee;
} covariance;

static covariance invert_information(const fit *f) {
  double ratio = f->g2 / f->g1;
  double uu = f->t2 - 2 * f->g3 / f->g1 + ratio * ratio;
  double ue = f->t1 - ratio - f->lambda * uu;
  double ee = f->n_free - 2 * f->lambda * ue - f->lambda * f->lambda * uu;
  double det = (uu * ee - ue * ue) / 2; /* the information is half of these */
  covariance w = {ee / det, -ue / det, uu / det};
  return w;
}

/* Sets se and df of one lane. */
static void kenward_roger(const fit *f, double *se, double *df) {
  covariance w = invert_information(f);
  double s2 = f->r / f->n_free, phi = 1 / f->g1; /* the variance of beta is s2 phi */
  double bpb = (f->g3 - f->g2 * f->g2 / f->g1) * phi * phi;
  double bb = f->g2 * phi * phi, bdb = phi - f->lambda * bb;
  double inflation = w.uu - 2 * f->lambda * w.ue + f->lambda * f->lambda * w.ee;
  double a1 = (w.uu * bb * bb + 2 * w.ue * bb * bdb + w.ee * bdb * bdb) / (phi * phi);

  *se = sqrt(s2 * (phi + 2 * inflation * bpb));
  *df = 2 / a1;
}

void rx_inference_wald(rx_df method, double containment, double n_free, double within,
                       const rx_reml_fits *fits, rx_estimates out) {
  for (int lane = 0; lane < RX_REML_LANES; lane++) {
    double beta = fits->x1[lane] / fits->g1[lane];
    double r = within + fits->y1[lane] - beta * fits->x1[lane];
    out.beta[lane] = beta;
    out.se[lane] = sqrt(r / (n_free * fits->g1[lane]));
    out.df[lane] = method == RX_DF_NORMAL ? (double)INFINITY : containment;
  }
  if (method == RX_DF_SATTERTHWAITE || method == RX_DF_KENWARD_ROGER)
    for (int lane = 0; lane < RX_REML_LANES; lane++) {
      const fit f = take(fits, lane, within, n_free);
      if (method == RX_DF_SATTERTHWAITE)
        out.df[lane] = satterthwaite(&f, containment);
      else
        kenward_roger(&f, &out.se[lane], &out.df[lane]);
    }
  for (int lane = 0; lane < RX_REML_LANES; lane++) out.t[lane] = out.beta[lane] / out.se[lane];
}

void rx_inference_ordinary(double df, const double *g0, const double *x0, double y0,
                           rx_estimates out) {
  for (int lane = 0; lane < RX_REML_LANES; lane++) {
    double beta = x0[lane] / g0[lane], r = y0 - beta * x0[lane];
    out.beta[lane] = beta;
    out.se[lane] = sqrt((r > 0 ? r : 0) / (df * g0[lane]));
    out.t[lane] = out.beta[lane] / out.se[lane];
    out.df[lane] = df;
  }
}

/* sum over patients of log((lambda_null + 1/n) / (lambda + 1/n)), a logarithm for every 16. */
static double log_det_ratio(const rx_reml_space *ml, double lambda_null, double lambda) {
  double sum = 0, product = 1;

  for (int i = 0; i < ml->n_dets; i++) {
    product *= (lambda_null + ml->det[i]) / (lambda + ml->det[i]);
    if (i % 16 != 15) continue;
    sum += log(product);
    product = 1;
  }
  return sum + log(product);
}

void rx_inference_ratio(const rx_reml_space *ml, double within, double lambda_null, double r_null,
                        const rx_reml_fits *fits, rx_estimates out) {
  for (int lane = 0; lane < RX_REML_LANES; lane++) {
    double beta = fits->x1[lane] / fits->g1[lane];
    double r = within + fits->y1[lane] - beta * fits->x1[lane];
    double ratio =
        ml->n_free * log(r_null / r) + log_det_ratio(ml, lambda_null, fits->lambda[lane]);
    out.beta[lane] = beta;
    out.se[lane] = sqrt(r / (ml->n_free * fits->g1[lane]));
    out.t[lane] = copysign(sqrt(fmax(ratio, 0)), beta);
    out.df[lane] = (double)INFINITY;
  }
}

void rx_inference_ordinary_ratio(double n, const double *g0, const double *x0, double y0,
                                 rx_estimates out) {
  for (int lane = 0; lane < RX_REML_LANES; lane++) {
    double explained = x0[lane] * x0[lane] / (g0[lane] * y0);
    out.t[lane] = copysign(sqrt(-n * log1p(-fmin(explained, 1))), x0[lane]);
    out.df[lane] = (double)INFINITY;
  }
}
