/* The counts of one run of associate. */
#include <math.h>

#include <stdlib.h>

#include "controls.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "survey.h"

static void add_column(const rx_frame *var, const char *name, double *hits, double *factors) {
  const rx_column *column = rx_frame_find(var, name);

  for (size_t f = 0; f < var->n_rows && column && column->kind == RX_INTEGER; f++) {
    *hits += (double)column->integer[f];
    *factors += column->integer[f] > 0;
  }
}

/* What is significant over the whole grid is among the hits. */
static rx_status add_all(const rx_frame *hits, size_t n_factors, rx_control_counts *counts) {
  const rx_column *q = rx_frame_find(hits, "q_all"), *factor = rx_frame_find(hits, "factor");
  bool *has_any;

  if (!q || q->kind != RX_REAL || !factor || factor->kind != RX_INTEGER)
    return RX_FAIL(RX_ERR_INPUT, "associations: expected factor and q_all in uns/hits");
  RX_TRY(RX_NEW(&has_any, "factors", n_factors));
  for (size_t h = 0; h < hits->n_rows; h++) {
    if (!(q->real[h] < 0.05)) continue;
    size_t f = (size_t)factor->integer[h];
    counts->hits_all++;
    if (f < n_factors && !has_any[f]) has_any[f] = true, counts->factors_all++;
  }
  free(has_any);
  return RX_OK;
}

/* A file of output = hits: the counts of its factors, and the table of its hits. */
static rx_status count_kept(const rx_matrix *matrix, rx_control_counts *counts) {
  rx_store *store = NULL;
  rx_frame *hits = NULL;

  *counts = (rx_control_counts){.n_factors = (double)matrix->n_var};
  add_column(matrix->var, "n_hits_factor", &counts->hits_factor, &counts->factors_factor);
  add_column(matrix->var, "n_hits_hierarchical", &counts->hits_hierarchical,
             &counts->factors_hierarchical);
  RX_TRY(rx_store_open(matrix->path, &store));
  rx_status status = RX_OK;
  if (rx_store_has(store, "uns/hits")) {
    status = rx_store_get_frame(store, "uns/hits", &hits);
    if (!status) status = add_all(hits, matrix->n_var, counts);
  }
  rx_frame_destroy(&hits);
  rx_store_close(&store);
  return status;
}

rx_status rx_controls_count(const char *path, rx_control_counts *counts) {
  rx_matrix *matrix = NULL;
  rx_survey *survey = NULL;

  rx_status status = rx_matrix_open(MPI_COMM_SELF, path, &matrix);
  const bool is_full = !status && rx_matrix_has(matrix, "X");
  if (!status) status = is_full ? rx_survey_create(matrix, 0, &survey) : count_kept(matrix, counts);
  if (!status && is_full) {
    const rx_survey_kind *total = &survey->total;
    *counts = (rx_control_counts){(double)survey->n_factors, (double)total->factors_hierarchical,
                                  total->hits_hierarchical,  (double)total->factors_all,
                                  total->hits_all,           (double)total->factors_factor,
                                  total->hits_factor};
  }
  rx_survey_destroy(&survey);
  rx_matrix_destroy(&matrix);
  return status;
}
