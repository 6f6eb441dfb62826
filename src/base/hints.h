/* hints.h: what MPI-IO and the file system are told of a file that all ranks write, from section
 * [output]. None of it changes what is in the file. */
#ifndef RADMIX_BASE_HINTS_H
#define RADMIX_BASE_HINTS_H

#include <mpi.h>

#include "radmix/config.h"
#include "radmix/status.h"

/* Makes the hints, by the names of ROMIO and of Open MPI's OMPIO; config NULL: those of a file that
 * is read. Free with MPI_Info_free(). */
MPI_Info rx_hints_create(const rx_config *config);

/* Makes an empty file with the stripes of [output], when they are given: a file gets them when it
 * is made and at no other time, and what is written serially is made without. Collective over comm,
 * of the one rank that makes the file. Errors: RX_ERR_OUTPUT. */
rx_status rx_hints_make_file(MPI_Comm comm, const rx_config *config, const char *path);

/* Bytes at whose multiples arrays and chunks begin; 1 = anywhere. */
unsigned long long rx_hints_alignment(const rx_config *config);

#endif
