/* pca.h: principal components of rows that the ranks hold among them, as R's prcomp().
 *
 * With more rows than columns from the Gram matrix of the columns, otherwise from that of the rows,
 * whichever is smaller; both in double of centred (and scaled) values. The sign of a component is
 * such that its largest loading is positive. Components of no variance (1e-12 of the largest, the
 * precision of a Gram matrix) are not given. */
#ifndef RADMIX_CLUSTERING_PCA_H
#define RADMIX_CLUSTERING_PCA_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "radmix/gram.h"
#include "radmix/status.h"

typedef struct {
  size_t n_rows, n_columns, n_components, n_values; /* n_values: smaller of rows - 1, columns */
  size_t n_constant;                                /* columns without variance */
  double *centre;                                   /* [n_columns] */
  double *scale;    /* [n_columns]: 1, or 1 / standard deviation; 0 of a constant column */
  double *variance; /* [n_values], falling */
  double *loadings; /* [n_columns][n_components] */
  double total;     /* sum of the variances */
} rx_pca;

/* Collective over comm; every rank gets all.
 * rows     of this rank; of the ranks' rows those of rank 0 are the first, and so on
 * n_most   components wanted, at most
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL. */
rx_status rx_pca_fit(MPI_Comm comm, const rx_rows *rows, size_t n_most, bool is_scaled,
                     rx_pca **out);
void rx_pca_destroy(rx_pca **pca);

/* Places rows along the components. Local. scores  [rows->n_rows][n_components], set.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_pca_scores(const rx_pca *pca, const rx_rows *rows, double *scores);

#endif
