#include "prediction/record_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { NAME_SIZE = 512 };

rx_status rx_record_parts_vector(rx_store *store, const char *group, const char *name, size_t n,
                                 const double *values) {
  char path[NAME_SIZE];
  const size_t dims[1] = {n};

  RX_TRY(rx_path_join(group, name, path, sizeof path));
  return n ? rx_store_put(store, path, RX_FLOAT64, 1, dims, values) : RX_OK;
}

rx_status rx_record_parts_number(rx_store *store, const char *group, const char *name,
                                 double number) {
  char path[NAME_SIZE];

  RX_TRY(rx_path_join(group, name, path, sizeof path));
  return rx_store_put_number(store, path, number);
}

rx_status rx_record_parts_numbers(rx_store *store, const char *group,
                                  const rx_named_number *numbers, size_t n) {
  RX_TRY(rx_store_put_group(store, group, "dict"));
  for (size_t i = 0; i < n; i++)
    RX_TRY(rx_record_parts_number(store, group, numbers[i].name, numbers[i].value));
  return RX_OK;
}

rx_status rx_record_parts_performance(rx_store *store, const char *group, const rx_performance *f) {
  const rx_named_number numbers[] = {
      {"auc", f->auc.auc},
      {"delong_variance", f->auc.variance},
      {"delong_lower", f->auc.lower},
      {"delong_upper", f->auc.upper},
      {"bootstrap_lower", f->bootstrap_lower},
      {"bootstrap_upper", f->bootstrap_upper},
      {"f1", f->calls.f1},
      {"f1_all_positive", f->calls.f1_all_positive},
      {"balanced_accuracy", f->calls.balanced_accuracy},
      {"calibration_intercept", f->calibration.intercept},
      {"calibration_slope", f->calibration.slope},
      {"brier", f->calibration.brier},
      {"r2", f->fit.r2},
      {"mse", f->fit.mse},
      {"correlation", f->fit.correlation},
  };
  char name[NAME_SIZE];

  snprintf(name, sizeof name, "%s/performance", group);
  RX_TRY(rx_record_parts_numbers(store, name, numbers, sizeof numbers / sizeof *numbers));
  snprintf(name, sizeof name, "%s/calibration", group);
  RX_TRY(rx_store_put_group(store, name, "dict"));
  size_t n = (size_t)f->calibration.n_bins;
  RX_TRY(rx_record_parts_vector(store, name, "patients", n, f->calibration.n));
  RX_TRY(rx_record_parts_vector(store, name, "predicted", n, f->calibration.predicted));
  return rx_record_parts_vector(store, name, "observed", n, f->calibration.observed);
}

rx_status rx_record_parts_roc(rx_store *store, const char *group, size_t n_patients,
                              const double *y, const double *score) {
  size_t room = n_patients + 1, n_points = 0;
  char name[NAME_SIZE];
  double *memory;

  RX_TRY(RX_NEW(&memory, "ROC", 5 * room));
  double *known_y = memory, *known_score = memory + room, *threshold = memory + 2 * room;
  double *false_positive = memory + 3 * room, *true_positive = memory + 4 * room;
  size_t n = rx_performance_pairs(n_patients, y, score, known_y, known_score);
  rx_status status =
      rx_roc_points(n, known_y, known_score, threshold, false_positive, true_positive, &n_points);
  snprintf(name, sizeof name, "%s/roc", group);
  if (!status) status = rx_store_put_group(store, name, "dict");
  if (!status) status = rx_record_parts_vector(store, name, "threshold", n_points, threshold);
  if (!status)
    status = rx_record_parts_vector(store, name, "false_positive", n_points, false_positive);
  if (!status)
    status = rx_record_parts_vector(store, name, "true_positive", n_points, true_positive);
  free(memory);
  return status;
}
