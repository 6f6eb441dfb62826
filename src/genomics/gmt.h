/* gmt.h: files of gene sets: a line a set: name, description, genes, TAB between. */
#ifndef GENOMICS_GMT_H
#define GENOMICS_GMT_H

#include "lines.h"

typedef struct {
  rx_lines lines; /* what names and genes point into */
  size_t n_sets;
  const char **name; /* [n_sets] */
  size_t *first;     /* [n_sets + 1]: the genes of set s are gene[first[s]] .. */
  const char **gene; /* [first[n_sets]] */
} rx_gmt;

/* Reads a .gmt. Collective over comm.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT with file and line: a set without genes or without a name, a
 * set twice, a gene twice in a set, no set at all. */
rx_status rx_gmt_load(MPI_Comm comm, const char *path, rx_gmt *gmt);
void rx_gmt_destroy(rx_gmt *gmt);

#endif
