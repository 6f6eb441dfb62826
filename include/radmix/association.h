/* association.h: which features go with which factors.
 *
 * For each feature and each factor a linear mixed model over all slices,
 *
 *     feature ~ intercept + factor + patient covariates + (1 | patient),
 *
 * fitted by REML, exactly: what is constant within a patient enters through the number of slices,
 * their mean and their sum of squares, so a fit costs as many steps as there are patients (Liu & Hu
 * 2023 fitted the same model with nlme on 52,238 slices). The t value is referred to Student's
 * distribution; q values are made within each factor, over the whole grid, and hierarchically
 * (Benjamini & Bogomolov 2014). The result, associations.h5ad, has the features in its rows and the
 * factors in its columns. */
#ifndef RADMIX_ASSOCIATION_H
#define RADMIX_ASSOCIATION_H

#include <stddef.h>

#include "radmix/job.h"
#include "radmix/status.h"

/* What became of one cell of the grid. Up to RX_FIT_ONE_ROW it was tested and counts in the
 * adjustment; from RX_FIT_CONSTANT on all its numbers are NaN. */
typedef enum {
  RX_FIT_OK,
  RX_FIT_BOUNDARY,         /* no variance between patients is left: lambda = 0 */
  RX_FIT_ZERO_WITHIN,      /* no variance within patients: regression on means, lambda = inf */
  RX_FIT_ONE_ROW,          /* one slice a patient: ordinary regression, lambda = NaN */
  RX_FIT_CONSTANT_FEATURE, /* not tested, as all below */
  RX_FIT_SPARSE,           /* too few patients differ from the commonest value */
  RX_FIT_RANK_DEFICIENT,   /* the factor depends on intercept and covariates */
  RX_FIT_TOO_FEW_PATIENTS, /* no degree of freedom is left */
  RX_FIT_NOT_CONVERGED,
  RX_FIT_NONFINITE, /* a missing or infinite value of the feature */
  RX_N_FITS
} rx_fit;

/* The name of a status, as in uns/status. */
const char *rx_fit_name(rx_fit fit);
static inline int rx_fit_is_tested(rx_fit fit) {
  return fit <= RX_FIT_ONE_ROW;
}

/* One model, value ~ intercept + predictor + (1 | group), by REML, with nlme's containment df. */
typedef struct {
  rx_fit status;
  double beta, se, t, df, log10_p; /* of the predictor; log10 of the two-sided p */
  double variance_ratio;           /* lambda = sigma_u^2 / sigma_e^2 */
} rx_mixed_model;

/* Fits one model, for programs that use the library; the grid has a faster way. Local.
 * n_rows      any number
 * value       [n_rows]
 * predictor   [n_rows], the same on all rows of a group
 * group       [n_rows], 0 .. n_groups - 1
 * out         set; only status when it is not tested: out->status is RX_FIT_CONSTANT_FEATURE
 * (value), RX_FIT_RANK_DEFICIENT (predictor), RX_FIT_TOO_FEW_PATIENTS (less than 3 groups) or
 *             RX_FIT_NONFINITE, and its numbers are NaN
 * Errors: RX_ERR_INPUT (a group out of range, a predictor that varies within one), RX_ERR_MEMORY.
 */
rx_status rx_mixed_model_fit(size_t n_rows, const double *value, const double *predictor,
                             const int *group, int n_groups, rx_mixed_model *out);

/* Reads patients.h5ad (or association.features) and factors.h5ad, writes associations.h5ad and
 * associations.tsv, unless they are up to date. Collective.
 * Errors: RX_ERR_CONFIG, RX_ERR_NOINPUT, RX_ERR_INPUT, RX_ERR_EXISTS, RX_ERR_OUTPUT, RX_ERR_MEMORY,
 * RX_ERR_INTERRUPTED (permutations, after a checkpoint). */
rx_status rx_association_run(const rx_job *job);

/* Prints the strongest associations of associations.h5ad on standard output, as TSV, by
 * q_hierarchical; with --factors the factors, by the Simes p over their features. Options:
 * --factor=NAME, --kind=KIND, --q=LARGEST, --n=ROWS, --factors. Collective.
 * Errors: RX_ERR_USAGE, RX_ERR_NOINPUT, RX_ERR_INPUT. */
rx_status rx_association_top(const rx_job *job);

#endif
