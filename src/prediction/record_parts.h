/* record_parts.h: what files of predictions have in common. Local. */
#ifndef RADMIX_PREDICTION_RECORD_PARTS_H
#define RADMIX_PREDICTION_RECORD_PARTS_H

#include <stddef.h>

#include "prediction/performance.h"
#include "radmix/store.h"

typedef struct {
  const char *name;
  double value;
} rx_named_number;

/* GROUP/NAME; an empty vector is left out. */
rx_status rx_record_parts_vector(rx_store *store, const char *group, const char *name, size_t n,
                                 const double *values);
rx_status rx_record_parts_number(rx_store *store, const char *group, const char *name,
                                 double number);
/* Makes the group with numbers in it. */
rx_status rx_record_parts_numbers(rx_store *store, const char *group,
                                  const rx_named_number *numbers, size_t n);

/* GROUP/performance and GROUP/calibration. */
rx_status rx_record_parts_performance(rx_store *store, const char *group, const rx_performance *f);
/* GROUP/roc of the patients that have an outcome and a score. y, score [n_patients] */
rx_status rx_record_parts_roc(rx_store *store, const char *group, size_t n_patients,
                              const double *y, const double *score);

#endif
