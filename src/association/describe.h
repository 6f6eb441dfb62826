/* describe.h: what stands beside the grid: rows, columns, the words. */
#ifndef RADMIX_ASSOCIATION_DESCRIBE_H
#define RADMIX_ASSOCIATION_DESCRIBE_H

#include "grid.h"

/* Makes the frames of associations.h5ad on rank 0: features with icc, fraction_zero, kurtosis;
 * factors with what factors.h5ad says of them. NULL on other ranks. Collective. */
rx_status rx_describe_frames(rx_grid *grid, rx_frame **obs, rx_frame **var);

/* Adds to the file what is known at the end. Local (rank 0). */
rx_status rx_describe_results(const rx_grid *grid, rx_store *store);

/* Says before the fits what the data are, and what can be found in them. Collective. */
rx_status rx_describe_data(rx_grid *grid);
/* Says after them what was found. Collective. */
void rx_describe_found(const rx_grid *grid);

#endif
