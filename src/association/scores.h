/* scores.h: normal scores, for what has a few patients far out. Local. */
#ifndef RADMIX_ASSOCIATION_SCORES_H
#define RADMIX_ASSOCIATION_SCORES_H

#include "roster.h"

/* Replaces numbers by qnorm((rank - 1/2) / n), ties by the score of their mean rank; n counts what
 * is finite, the rest becomes NaN.
 * value  [count], every stride-th
 * order  [count], room */
void rx_scores_normal(size_t count, size_t stride, double *value, size_t *order);

/* Makes each feature of the roster's patients normal scores of their means: one row a patient, no
 * variance within. Errors: RX_ERR_MEMORY. */
rx_status rx_scores_features(rx_roster *roster);

#endif
