/* say.h: what predict says on screen. */
#ifndef RADMIX_PREDICTION_SAY_H
#define RADMIX_PREDICTION_SAY_H

#include "prediction/results.h"

/* What was learned on all patients without their outcomes, into the log and as a text of its own.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_say_learned(const rx_job *job, const rx_panel *panel, const rx_refit *refit,
                         char **learned);

/* That slices of one patient on both sides of a split leak. */
void rx_say_leak(const rx_job *job);

/* A line for each outcome and set, and for each comparison. */
void rx_say_results(const rx_job *job, const rx_results *results);

#endif
