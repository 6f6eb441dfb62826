/* outcome_figures.h: figures of predictions. Local (rank 0). Errors: RX_ERR_INPUT, RX_ERR_OUTPUT,
 * RX_ERR_MEMORY. */
#ifndef RADMIX_REPORT_OUTCOME_FIGURES_H
#define RADMIX_REPORT_OUTCOME_FIGURES_H

#include "outcomes.h"
#include "page.h"

/* AUC of each outcome and set with its interval. */
rx_status rx_outcome_figures_intervals(rx_page *page, const rx_outcomes *outcomes);
rx_status rx_outcome_figures_roc(rx_page *page, const rx_outcomes *outcomes);
/* AUC against the number of features (paper, Figure 5). */
rx_status rx_outcome_figures_paths(rx_page *page, const rx_outcomes *outcomes);
rx_status rx_outcome_figures_calibration(rx_page *page, const rx_outcomes *outcomes);

#endif
