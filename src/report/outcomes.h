/* outcomes.h: predictions.h5 as the page shows it. Local (rank 0). */
#ifndef RADMIX_REPORT_OUTCOMES_H
#define RADMIX_REPORT_OUTCOMES_H

#include <stdbool.h>
#include <stddef.h>

#include "radmix/store.h"

/* One outcome predicted from one set of features. */
typedef struct {
  const char *outcome, *set; /* views */
  char group[512];           /* in the file */
  char *status;              /* "ok" or why not; owned */
  double n_patients, n_positive;
  double auc, lower, upper; /* of patients, with the interval of DeLong */
  double bootstrap_lower, bootstrap_upper;
  double rows_auc, folds_auc; /* of slices; mean over folds */
  double f1, f1_all_positive, balanced_accuracy, brier, slope, r2;
  double permutation_p, permutation_mean; /* NAN: not asked for */
} rx_outcome;

typedef struct {
  const rx_store *store;
  bool is_binary, is_split_by_image;
  size_t n_outcomes, n_sets;
  char **outcomes, **sets; /* owned */
  size_t n_positive;
  char **positive;   /* level that is predicted; owned */
  rx_outcome *items; /* [n_outcomes][n_sets]; owned */
} rx_outcomes;

/* Reads the file. Errors: RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_outcomes_read(const rx_store *store, rx_outcomes **out);
void rx_outcomes_destroy(rx_outcomes **outcomes);

static inline bool rx_outcome_is_ok(const rx_outcome *o) {
  return o->status && o->status[0] == 'o' && o->status[1] == 'k' && !o->status[2];
}

/* A number of an outcome; NAN when it is not there. name  "performance/auc" */
double rx_outcomes_number(const rx_outcomes *outcomes, const rx_outcome *of, const char *name);
/* An array; *values NULL when it is not there; free() it. */
rx_status rx_outcomes_vector(const rx_outcomes *outcomes, const rx_outcome *of, const char *name,
                             size_t *n, double **values);

#endif
