/* permute.h: the same grid with the factors given to other patients, many times.
 *
 * What is moved are the factors (their residuals on the patient covariates), over patients, all by
 * the same permutation; the slices of a patient stay together, and lambda is found anew. Without
 * covariates this is exact whatever the numbers of slices and the distribution of a feature. Of
 * each permutation the largest |t| is kept, of each factor over its features and over all factors
 * that miss no patient, so that p = (1 + #{largest >= |t|}) / (1 + B) holds for all features of a
 * factor (of the grid) together (Westfall & Young 1993). */
#ifndef RADMIX_ASSOCIATION_PERMUTE_H
#define RADMIX_ASSOCIATION_PERMUTE_H

#include "block.h"
#include "radmix/result.h"
#include "roster.h"

typedef struct rx_grid rx_grid;

typedef struct {
  int n;               /* B */
  size_t n_own;        /* columns of this rank's group, over all rounds */
  double *largest;     /* [n_own][n], ascending at the end; owned, as all that follows */
  double *lambda_gc;   /* [n_own][n], of the p values, ascending at the end */
  bool *is_complete;   /* [n_own], no patient is missing */
  double *largest_all; /* [n], ascending at the end */
  int64_t *n_hits;     /* [n], cells with q_factor < 0.05, ascending at the end */
} rx_permutations;

/* Runs n permutations, from the checkpoint of recipe on when there is one. Collective.
 * Errors: RX_ERR_CONFIG (association.blocks), RX_ERR_INTERRUPTED (after a checkpoint),
 * RX_ERR_EXISTS (a checkpoint of another recipe), RX_ERR_OUTPUT, RX_ERR_MEMORY, RX_ERR_INTERNAL. */
rx_status rx_permute_run(rx_grid *grid, const rx_recipe *recipe, int n, rx_permutations **out);
void rx_permute_destroy(rx_permutations **permutations);

/* log10 p of a cell with this t, within its factor and over the grid; NaN where there is none.
 * own  column of the group: round times width, and the place in the run */
double rx_permute_log10_p(const rx_permutations *permutations, size_t own, double t);
double rx_permute_log10_p_all(const rx_permutations *permutations, size_t own, double t);

#endif
