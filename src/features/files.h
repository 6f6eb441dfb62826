/* files.h: features.h5ad and patients.h5ad. */
#ifndef RADMIX_FEATURES_FILES_H
#define RADMIX_FEATURES_FILES_H

#include "encoded.h"
#include "examples.h"
#include "radmix/result.h"

typedef struct {
  const rx_matrix *images;
  const rx_cohort *cohort;
  const rx_model *model;
  const rx_encoded *encoded;
  const rx_examples *examples;
  const rx_frame *clinical; /* NULL: no table */
} rx_feature_results;

/* Both are collective over job->comm. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_features_write(const rx_job *job, const rx_recipe *recipe,
                            const rx_feature_results *results, const char *path);
rx_status rx_patients_write(const rx_job *job, const rx_recipe *recipe,
                            const rx_feature_results *results, const char *path);

#endif
