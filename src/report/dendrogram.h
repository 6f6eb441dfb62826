/* dendrogram.h: trees as lines for a figure. Local. */
#ifndef RADMIX_REPORT_DENDROGRAM_H
#define RADMIX_REPORT_DENDROGRAM_H

#include <stdio.h>

#include "radmix/clustering.h"
#include "radmix/status.h"

/* Writes the highest `most` merges as lines "place height", places 0 .. n-1 in the order of the
 * tree; a blank line between lines, two after the last. Errors: RX_ERR_MEMORY. */
rx_status rx_dendrogram_write(const rx_linkage *tree, size_t most, FILE *data);

/* Orders n points by average linkage of Euclidean distances; tree->order counts from 1.
 * points  [n][n_dims], NAN counts as 0; n at least 2. Errors: RX_ERR_MEMORY. */
rx_status rx_dendrogram_make(const double *points, size_t n, size_t n_dims, rx_linkage **tree);

#endif
