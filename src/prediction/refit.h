/* refit.h: features that are learned anew in each outer fold, from its training patients alone.
 *
 * factors.h5ad of the study, when it has columns scored within the cohort: factors runs on the
 * training patients of the fold (study.training), and scores all others by what it learned there
 * (genomics.apply). With prediction.strict_folds also features.h5ad and patients.h5ad of the study:
 * train and encode run on the training patients, then all are encoded. The results are kept in
 * study.directory/refit/repeat-R-fold-K, and are made again only when they are not up to date.
 *
 * Inner folds, which choose lambda and nothing else, take the features of their outer fold. */
#ifndef RADMIX_PREDICTION_REFIT_H
#define RADMIX_PREDICTION_REFIT_H

#include "prediction/folds.h"
#include "prediction/panel.h"

typedef struct rx_refit rx_refit;

/* Finds what is to be learned anew, and says what that costs; *out is NULL when nothing is. The
 * study's own results must be those of these settings. Collective.
 * Errors: RX_ERR_EXISTS: they are not; RX_ERR_NOINPUT: they are not there; RX_ERR_MEMORY. */
rx_status rx_refit_create(const rx_job *job, const rx_panel *panel, const rx_folds *folds,
                          rx_refit **out);
void rx_refit_destroy(rx_refit **refit);

/* Tells whether a set differs from fold to fold. refit may be NULL. Local. */
bool rx_refit_has(const rx_refit *refit, int set);

/* Gives a set as an outer fold has it (fit = repeat * n_folds + fold), running the stages that are
 * not up to date. To be released by rx_panel_clear_set(). Collective. Errors: as the stages. */
rx_status rx_refit_set(rx_refit *refit, int fit, int set, rx_feature_set *out);

/* ---- refit_stages.c ---- */

typedef struct {
  bool has_deep, has_factors; /* what is learned anew */
} rx_refit_parts;

/* Writes the path of a file of an outer fold. Local. */
rx_status rx_refit_path(const rx_job *job, const rx_folds *folds, int fit, const char *file,
                        char *path, size_t size);
/* Checks that the study's own results are up to date. Collective. */
rx_status rx_refit_check(const rx_job *job, rx_refit_parts parts);
/* Runs the stages of an outer fold. Collective. */
rx_status rx_refit_run(const rx_job *job, const rx_panel *panel, const rx_folds *folds, int fit,
                       rx_refit_parts parts);

#endif
