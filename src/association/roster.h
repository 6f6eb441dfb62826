/* roster.h: the patients of a run, who have features, at least one factor and all covariates. */
#ifndef RADMIX_ASSOCIATION_ROSTER_H
#define RADMIX_ASSOCIATION_ROSTER_H

#include <stdbool.h>

#include "measures.h"
#include "radmix/job.h"
#include "radmix/matrix.h"

/* A patient covariate: a number, or a level of a text. */
typedef struct {
  char *name;     /* owned, as all that follows */
  int n_levels;   /* 0: a number */
  double *number; /* [n_patients]; the level, 0 .. n_levels - 1 in byte order, of a text */
} rx_covariate;

typedef struct {
  rx_measures *measures; /* owned, as all that follows */
  rx_matrix *factors;
  rx_frame *clinical; /* NULL without study.clinical */
  size_t n_patients;
  size_t *measure;         /* [n_patients], row of measures */
  size_t *factor;          /* [n_patients], row of factors */
  ptrdiff_t *clinical_row; /* [n_patients], or -1 */
  double *rows;            /* [n_patients], n_i */
  int n_covariates;
  rx_covariate *covariates; /* [n_covariates] */
} rx_roster;

/* Reads features, factors and clinical table, and says who was left out and why. Collective.
 * features_path, factors_path  of the inputs
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT, RX_ERR_CONFIG (a column that is not there), RX_ERR_MEMORY.
 */
rx_status rx_roster_load(const rx_job *job, const char *features_path, const char *factors_path,
                         rx_roster **out);
void rx_roster_destroy(rx_roster **roster);

/* Patients that must differ from the commonest value of a feature. */
int rx_roster_min_patients(const rx_job *job, const rx_roster *roster);

#endif
