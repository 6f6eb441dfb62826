/* contrasts_parts.h: what contrasts with and without inner columns are made of. Local. */
#ifndef RADMIX_ASSOCIATION_CONTRASTS_PARTS_H
#define RADMIX_ASSOCIATION_CONTRASTS_PARTS_H

#include "contrasts.h"

/* Sets inverse_rows, n_rows, is_single. */
void rx_contrasts_describe(rx_contrasts *contrasts, const double *rows);

/* Sets the intercept and covariates as columns of unit length, the covariates around their means.
 * Returns false when a covariate is constant.
 * a  [1 + n_covariates][n_rows], of which the first n_patients rows are set */
bool rx_contrasts_fill(int n_patients, int n_rows, int n_covariates, const double *covariates,
                       double *a);

/* Turns column k of a [][n_rows], of unit length, into the Householder reflection, of unit length,
 * that continues those before it to a triangle; false when it depends on them. */
bool rx_contrasts_reflect(int n_rows, int k, double *a);

/* Sets u [n_rows - first][n_rows] to unit vectors first .. n_rows - 1 sent back through the
 * reflections: from n_columns on they are a basis of all that is orthogonal to the columns, before
 * that of the columns themselves. */
void rx_contrasts_complement(int n_rows, int n_columns, const double *reflections, int first,
                             double *u);

#endif
