/* transpose.h: from genes over ranks to patients over ranks. */
#ifndef GENOMICS_TRANSPOSE_H
#define GENOMICS_TRANSPOSE_H

#include <mpi.h>
#include <stddef.h>

#include "radmix/status.h"

/* Gives each rank its columns of a matrix whose rows are spread over the ranks. Collective over
 * comm; what is in flight stays at some MiB a rank. in             [row_border[rank + 1] -
 * row_border[rank]][n_columns] row_border     [n_ranks + 1], the same on all ranks; so
 * column_border column_border  [n_ranks + 1], column_border[n_ranks] <= n_columns out set:
 * out[column * out_stride + row], column from 0 within the rank's own, row over all Errors:
 * RX_ERR_MEMORY. */
rx_status rx_transpose(MPI_Comm comm, const double *in, const size_t *row_border, size_t n_columns,
                       const size_t *column_border, double *out, size_t out_stride);

/* Turns each rank's count into borders [n_ranks + 1]. Collective over comm. */
void rx_transpose_borders(MPI_Comm comm, size_t count, size_t *border);

/* Borders of rx_partition(). Local. */
void rx_transpose_partition(size_t n, int n_ranks, size_t *border);

#endif
