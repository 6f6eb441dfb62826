/* survey_figures.h: figures that show parts of the grid of associations. Local (rank 0). */
#ifndef RADMIX_REPORT_SURVEY_FIGURES_H
#define RADMIX_REPORT_SURVEY_FIGURES_H

#include "page.h"
#include "survey.h"

/* The layer that figures show, by its q: hierarchical when anything is found, else per factor. */
typedef struct {
  const char *layer; /* "layers/q_hierarchical" */
  const char *name;  /* "hierarchical q" */
} rx_survey_scale;

/* Signed log10 q of a factor: -log10 q, with the sign of t; NAN where nothing was tested.
 * values  [n_features], set. Errors: RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_maps_read(const rx_survey *survey, const rx_survey_scale *scale, size_t factor,
                       double *values);

/* Association maps of the factors with most hits: where in the picture frame they are. */
rx_status rx_maps_show(rx_page *page, const rx_survey *survey);

/* Heatmaps of the strongest features and factors of each kind, with dendrograms. */
rx_status rx_heatmaps_show(rx_page *page, const rx_survey *survey);

#endif
