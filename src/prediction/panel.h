/* panel.h: the patients of a run, their outcomes, and the sets of features they are predicted from.
 *
 * Patients stand in the byte order of their identifiers, so that nothing depends on the order of a
 * file. A patient is in the run when the clinical table has it (and study.subset lets it in) and
 * any set has a row of it; a set is used on the patients it has. */
#ifndef RADMIX_PREDICTION_PANEL_H
#define RADMIX_PREDICTION_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#include "prediction/feature_file.h"
#include "radmix/frame.h"
#include "radmix/job.h"

typedef struct {
  char *name;
  char *path; /* NULL: the union */
  size_t n_rows, n_features;
  int *patient;      /* [n_rows], into the panel; rising; owned, as all that follows */
  double *weight;    /* [n_rows]: 1/n_i (prediction.weights = patient) or 1 */
  rx_frame *var;     /* [n_features] */
  bool *is_used;     /* [n_features]: finite on all rows */
  size_t n_unused;   /* features with a missing or infinite value */
  size_t n_patients; /* with rows */
  bool is_whole;     /* every rank holds all rows */
  size_t first, n_local;
  double *x;            /* [n_local][n_features], whole sets; 0 where not used */
  float *z;             /* [n_local][n_features], others; rx_solver_standardise() */
  double *mean, *scale; /* [n_features], of z: x = mean + scale z; NULL for whole sets */
} rx_feature_set;

typedef struct {
  size_t n_patients;
  char **patients; /* [n_patients]; owned, as all that follows */
  int n_outcomes;
  char **outcomes; /* [n_outcomes] */
  double *y;       /* [n_outcomes][n_patients]; NAN = missing */
  char **positive; /* [n_outcomes]: what counts as 1, "" when it is the number 1 */
  bool is_binary;
  int n_sets;
  rx_feature_set *sets; /* [n_sets]; the last is the union when there are several */
  bool has_union;
  rx_frame *clinical;
  ptrdiff_t *place; /* [rows of clinical], the patient, or -1 */
} rx_panel;

/* Reads everything and says who and what was left out. Collective.
 * Errors: RX_ERR_CONFIG (no clinical table; no such column in study.subset), RX_ERR_NOINPUT,
 * RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_panel_load(const rx_job *job, rx_panel **out);
void rx_panel_destroy(rx_panel **panel);

/* Finds the patient of each row of a file, or -1. place [file->n_rows], to be freed. Local. */
rx_status rx_panel_find_rows(const rx_panel *panel, const rx_feature_file *file, ptrdiff_t **place);

/* ---- panel_sets.c ---- */

/* The path of the features: prediction.features, else features.h5ad of the study. */
rx_status rx_panel_path(const rx_job *job, char *path, size_t size);

/* Sums of the features over the rows of each patient, for which a rank reads its part of the file
 * in pieces of bounded size. Collective. sums [n_patients][n_features], added to on all ranks */
rx_status rx_panel_sum(const rx_job *job, const rx_feature_file *file, const ptrdiff_t *place,
                       size_t n_patients, double *sums);

/* The rows of known patients, in the order of patients and then of the file. order [*n], to be
 * freed. */
rx_status rx_panel_order(size_t n_rows, const ptrdiff_t *place, size_t **order, size_t *n);

/* Fills a set with the rows of a file whose patients are in the panel (rows[r] >= 0). Collective.
 * place  [file->n_rows], the row's patient, or -1 */
rx_status rx_panel_add_set(const rx_job *job, const rx_feature_file *file, const ptrdiff_t *place,
                           size_t n_patients, rx_feature_set *set);
void rx_panel_clear_set(rx_feature_set *set);
/* Puts 1/n_i or 1 as settings say, and counts the patients. Local. */
rx_status rx_panel_weigh(const rx_job *job, size_t n_patients, rx_feature_set *set);

/* ---- panel_union.c ---- */

/* Joins the other sets: rows of the first set whose patient all sets have, beside them the patient
 * means of the others. Collective. file, place: of the first set, which is read again when its rows
 * are split */
rx_status rx_panel_add_union(const rx_job *job, const rx_feature_set *sets, int n_sets,
                             const rx_feature_file *file, const ptrdiff_t *place, size_t n_patients,
                             rx_feature_set *set);

/* Counts the columns whose values depend on other patients of the cohort, as the column fitted_on
 * of factors.h5ad says. Local. */
size_t rx_panel_count_cohort_columns(const rx_frame *var);

#endif
