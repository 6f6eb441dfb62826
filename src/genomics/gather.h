/* gather.h: what each rank knows of its own part, given to all. Collective. */
#ifndef GENOMICS_GATHER_H
#define GENOMICS_GATHER_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

/* Rank r knows numbers[border[r]] .. numbers[border[r + 1] - 1]; afterwards all know all. */
void rx_gather_numbers(MPI_Comm comm, const size_t *border, double *numbers);
void rx_gather_flags(MPI_Comm comm, const size_t *border, bool *flags);

#endif
