/* fitter.h: one feature with all factors of a pattern. Local. */
#ifndef RADMIX_ASSOCIATION_FITTER_H
#define RADMIX_ASSOCIATION_FITTER_H

#include <stdbool.h>

#include "pattern.h"
#include "predictors.h"

/* Room for one feature and its factors; arrays of a lane for each factor. */
typedef struct {
  const rx_fit_options *options;
  rx_reml_fits *fits; /* [n_lanes / 8]; owned, as all that follows */
  double *work;       /* [RX_REML_WORK][n_contrasts] */
  double *column;     /* [n_contrasts], a factor */
  double *memory;     /* of the arrays below, [n_lanes] each, in units of the contrasts */
  rx_estimates mixed, means;
  double *lambda, *log10_p, *log10_p_means, *x0;
  unsigned char *fit; /* [n_lanes] */
} rx_fitter;

rx_status rx_fitter_create(const rx_fit_options *options, size_t n_lanes, size_t n_contrasts,
                           rx_fitter **out);
void rx_fitter_destroy(rx_fitter **fitter);

/* Sets mixed, lambda, x0 and fit of a feature of the pattern with its factors; false when the
 * feature is not tested at all, and nothing is set. */
bool rx_fitter_fit(rx_fitter *fitter, const rx_pattern *pattern, size_t feature,
                   const rx_predictors *factors);

/* Then sets means, log10_p and log10_p_means.
 * table  for a df of each fit, when the options ask for one; else NULL */
void rx_fitter_find_p(rx_fitter *fitter, const rx_tail *normal, const rx_tail_table *table,
                      const rx_pattern *pattern, size_t feature, const rx_predictors *factors);

/* The first status that holds of what feature and factor decide alone: nonfinite, constant, sparse,
 * too few patients, rank deficient; else how the feature is fitted. */
rx_fit rx_fitter_judge(const rx_pattern *pattern, size_t feature, rx_fit factor);

#endif
