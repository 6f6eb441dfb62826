/* between.h: how much of a feature lies between patients, and how many features there are in
 * effect. Local, but rx_between_icc(). */
#ifndef RADMIX_CLUSTERING_BETWEEN_H
#define RADMIX_CLUSTERING_BETWEEN_H

#include <stddef.h>

#include "radmix/job.h"
#include "radmix/status.h"

/* Gives the sums of squares of patient means around the mean of all slices, weighted by slices.
 * rows  [n_patients]; means  [n_patients][n_features]; between  [n_features], set */
void rx_between_squares(const double *rows, const double *means, size_t n_patients,
                        size_t n_features, double *between);

/* Gives the intraclass correlation lambda / (1 + lambda) of each feature, lambda the ratio of
 * variances of a random intercept for patients by REML, as in associations.h5ad; NAN with one
 * patient, one slice of each, or no variance. Collective: each rank fits its share.
 * within  [n_patients][n_features]; icc  [n_features], set. Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL.
 */
rx_status rx_between_icc(const rx_job *job, const double *rows, const double *means,
                         const double *within, size_t n_patients, size_t n_features, double *icc);

/* Numbers of independent features from the eigenvalues l of their correlation matrix; of n patients
 * at most n - 1 (the count of Li & Ji 2005 is not, and is left out for that). */
typedef struct {
  double participation; /* (sum l)^2 / sum l^2 */
  double galwey;        /* (sum sqrt l)^2 / sum l: Galwey 2009, Genet. Epidemiol. 33:559 */
} rx_effective;
rx_effective rx_between_effective(const double *eigenvalues, size_t n);

#endif
