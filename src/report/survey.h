/* survey.h: associations.h5ad read once, by blocks of factors: counts, the strongest cells, and
 * where the p values lie. The grid is never held whole. Local (rank 0). */
#ifndef RADMIX_REPORT_SURVEY_H
#define RADMIX_REPORT_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "radmix/matrix.h"
#include "radmix/status.h"

enum { RX_SURVEY_MOST_KINDS = 12, RX_SURVEY_BINS = 8000, RX_SURVEY_BINS_A_UNIT = 100 };

/* What stands in one cell. */
typedef struct {
  size_t feature, factor;
  double t, beta, log10_p, q_factor, q_all, q_hierarchical;
} rx_survey_cell;

/* The cells of one kind of factor. */
typedef struct {
  char *name; /* a view into the file's frame, or a constant */
  size_t n_factors;
  double n_tests, n_not_tested;
  double hits_factor, hits_all, hits_hierarchical;          /* cells with q < 0.05 */
  size_t factors_factor, factors_all, factors_hierarchical; /* factors that have any */
  double *bins; /* [RX_SURVEY_BINS], cells by -log10 p, RX_SURVEY_BINS_A_UNIT to 1; owned */
} rx_survey_kind;

/* Of one factor. */
typedef struct {
  int kind;
  double n_tests, hits_factor, hits_all, hits_hierarchical;
  double least_q_factor, least_log10_p;
  size_t best; /* feature of the smallest p */
} rx_survey_factor;

typedef struct rx_survey {
  const rx_matrix *matrix;
  size_t n_features, n_factors;
  int n_kinds;
  rx_survey_kind kinds[RX_SURVEY_MOST_KINDS];
  rx_survey_kind total;      /* its bins are NULL */
  rx_survey_factor *factors; /* [n_factors]; owned */
  size_t *ranking;           /* [n_factors], most hits first, then by smallest p; owned */
  size_t n_top;
  rx_survey_cell *top; /* [n_top], the smallest q_hierarchical first, then p; owned */
} rx_survey;

/* Reads the file. n_top  cells to keep. Errors: RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_survey_create(const rx_matrix *matrix, size_t n_top, rx_survey **out);
void rx_survey_destroy(rx_survey **survey);

#endif
