/* lines.h: text files read by rank 0 and given to all: gene lists, .gmt, signatures. */
#ifndef GENOMICS_LINES_H
#define GENOMICS_LINES_H

#include <mpi.h>
#include <stddef.h>

#include "radmix/status.h"

/* The lines that say something: without blanks at both ends, without empty ones and those that
 * start with #. Windows line ends and a byte order mark are taken off. */
typedef struct {
  char *path;
  size_t n;
  char **text;  /* [n], views into memory */
  size_t *line; /* [n], from 1 */
  char *memory;
  size_t size;
} rx_lines;

/* Reads a file, also .gz. Collective over comm.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT: a folder, a damaged .gz, a zero byte; RX_ERR_MEMORY. */
rx_status rx_lines_load(MPI_Comm comm, const char *path, rx_lines *lines);
/* The same on one rank. Local. */
rx_status rx_lines_read(const char *path, rx_lines *lines);
void rx_lines_destroy(rx_lines *lines);

#endif
