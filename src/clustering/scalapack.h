/* scalapack.h: what is used of ScaLAPACK 2.2 and its BLACS, which come without C headers: all
 * arguments by pointer, 32-bit integers, arrays by columns. */
#ifndef RADMIX_CLUSTERING_SCALAPACK_H
#define RADMIX_CLUSTERING_SCALAPACK_H

#include <mpi.h>

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int n_rows, int n_columns);
void Cblacs_gridinfo(int context, int *n_rows, int *n_columns, int *row, int *column);
void Cblacs_gridexit(int context);
int numroc_(const int *n, const int *block, const int *process, const int *source,
            const int *n_processes);
void descinit_(int *descriptor, const int *m, const int *n, const int *row_block,
               const int *column_block, const int *source_row, const int *source_column,
               const int *context, const int *leading, int *info);
void pdsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *row_a,
              const int *column_a, const int *descriptor_a, double *values, double *z,
              const int *row_z, const int *column_z, const int *descriptor_z, double *work,
              const int *n_work, int *integers, const int *n_integers, int *info);

#endif
