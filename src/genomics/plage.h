/* plage.h: scores of gene sets from standardised expression: the combined z score (Lee et al., PLoS
 * Comput Biol 2008;4:e1000217) and pathway level analysis of gene expression (Tomfohr, Lu & Kepler,
 * BMC Bioinformatics 2005;6:225). Local. */
#ifndef GENOMICS_PLAGE_H
#define GENOMICS_PLAGE_H

#include "sets.h"

/* Sum of z scores over the root of the set's size.
 * score  [n_sets], set
 * z      [n_genes], of the sample */
void rx_plage_zscore(double *score, const double *z, const rx_sets *sets);

/* First right singular vector of a set's z scores, its sign such that it rises with their mean. A
 * set of one gene gets 1 everywhere, as in GSVA (whose matrix of one row turns into a column).
 * vector   [n_samples], set
 * loading  [n_members], set: the left vector over the singular value, so that the score of another
 *          sample is the inner product of its z scores with it (0 with one gene)
 * z        [n_members][n_samples]; overwritten
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL when LAPACK does not converge. */
rx_status rx_plage_vector(double *vector, double *loading, double *z, size_t n_members,
                          size_t n_samples);

#endif
