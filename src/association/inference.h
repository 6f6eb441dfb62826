/* inference.h: from the sums of a fit to estimate, standard error, t and degrees of freedom.
 *
 * In the contrasts there is one column, the factor, and the two variances are those of independent
 * numbers; so Satterthwaite's df (observed information of lambda and sigma_e^2, as lmerTest) and
 * Kenward & Roger's df and standard error (expected information of sigma_u^2 and sigma_e^2, as
 * pbkrtest) are closed forms in G_1, G_2, G_3, T_1, T_2 and the slope and curvature of R. With
 * b = w g / G_1, the weights of beta on the contrasts, and P the REML projection,
 *
 *   tr(P P) = T_2 - 2 G_3/G_1 + (G_2/G_1)^2 =: a
 *   tr(P D) = T - lambda a =: c,  tr(P D P D) = N - p - 2 lambda c - lambda^2 a,  D = diag(pole)
 *   b'b = G_2/G_1^2,  b'D b = 1/G_1 - lambda b'b
 *   b'P b = (G_3 - G_2^2/G_1)/G_1^2,  and P D b = -lambda P b since P V b = 0.
 */
#ifndef RADMIX_ASSOCIATION_INFERENCE_H
#define RADMIX_ASSOCIATION_INFERENCE_H

#include "reml.h"

typedef enum { RX_DF_CONTAINMENT, RX_DF_SATTERTHWAITE, RX_DF_KENWARD_ROGER, RX_DF_NORMAL } rx_df;

/* Where the estimates of eight fits go, in the units of the contrasts; [8] each. */
typedef struct {
  double *beta, *se, *t, *df;
} rx_estimates;

/* Sets the estimates of REML fits. Local.
 * containment  degrees of freedom of nlme: patients less patient-level columns
 * n_free       N - p */
void rx_inference_wald(rx_df method, double containment, double n_free, double within,
                       const rx_reml_fits *fits, rx_estimates out);

/* Sets the estimates of fits by maximum likelihood: t is the signed root of the likelihood ratio,
 * 2 (log L1 - log L0), which is standard normal when there is no effect; df is INFINITY.
 * lambda_null  of the feature without the factor, by ML; r_null its weighted residual sum */
void rx_inference_ratio(const rx_reml_space *ml, double within, double lambda_null, double r_null,
                        const rx_reml_fits *fits, rx_estimates out);

/* Ordinary regression of contrasts, each with the same variance.
 * g0, y0  [8] and one number: sums of squares; x0 [8] */
void rx_inference_ordinary(double df, const double *g0, const double *x0, double y0,
                           rx_estimates out);

/* The likelihood ratio of ordinary regression on n rows; sets t and df of eight estimates. */
void rx_inference_ordinary_ratio(double n, const double *g0, const double *x0, double y0,
                                 rx_estimates out);

#endif
