/* cluster_figures.h: figures of clusters.h5ad. Local (rank 0). Errors: RX_ERR_INPUT, RX_ERR_OUTPUT,
 * RX_ERR_MEMORY. */
#ifndef RADMIX_REPORT_CLUSTER_FIGURES_H
#define RADMIX_REPORT_CLUSTER_FIGURES_H

#include "page.h"

/* Patient means of all features, both trees, clinical bars (paper, Figure 4a). */
rx_status rx_cluster_figures_heatmap(rx_page *page, const rx_matrix *matrix, const rx_store *store);

/* t-SNE of patients and of features (Figure 4b, c). */
rx_status rx_cluster_figures_tsne(rx_page *page, const rx_matrix *matrix, const rx_store *store);

/* The colour of a cluster, 0xRRGGBB; grey for what has none. column  "cluster" of a frame; may be
 * NULL */
long rx_cluster_figures_colour(const rx_column *column, size_t row);

#endif
