/* broadcast.h: sending to all what may be larger than an MPI count. Collective. */
#ifndef RADMIX_BROADCAST_H
#define RADMIX_BROADCAST_H

#include <mpi.h>
#include <stddef.h>

#include "radmix/status.h"

/* Gives every rank the bytes of rank 0. */
void rx_broadcast_bytes(MPI_Comm comm, void *bytes, size_t n);

/* Gives every rank the bytes of rank root. */
void rx_broadcast_bytes_from(MPI_Comm comm, int root, void *bytes, size_t n);

/* As from rank 0, for an array that only rank 0 has made: the others get one of the same size, to
 * be released with free(). what  names it when there is no memory. Errors: RX_ERR_MEMORY. */
rx_status rx_broadcast_array(MPI_Comm comm, const char *what, void **bytes, size_t *n);

#endif
