/* The counts of one run of associate. */
#include <math.h>

#include "controls.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "survey.h"

rx_status rx_controls_count(const char *path, rx_control_counts *counts) {
  rx_matrix *matrix = NULL;
  rx_survey *survey = NULL;

  rx_status status = rx_matrix_open(MPI_COMM_SELF, path, &matrix);
  if (!status) status = rx_survey_create(matrix, 0, &survey);
  if (!status) {
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
