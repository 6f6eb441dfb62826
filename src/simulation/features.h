/* features.h: a table of features instead of images. Local.
 *
 * Every second feature carries a property of the slices with a loading between 0.5 and 0.95; what
 * is left, and all of the others, is noise with the intraclass correlation of the cohort. With
 * groups, every fourth feature is shifted by the patient's group. */
#ifndef RADMIX_SIMULATION_FEATURES_H
#define RADMIX_SIMULATION_FEATURES_H

#include <stdio.h>

#include "population.h"
#include "radmix/status.h"

/* Writes the header: patient, image, f0001 ... */
void rx_features_write_header(size_t n_features, FILE *file);

/* Writes the rows of one patient. Errors: RX_ERR_MEMORY. */
rx_status rx_features_write_patient(const rx_population *population, size_t n_features,
                                    size_t patient, FILE *file);

/* Writes features-truth.tsv: feature, property, loading. Errors: RX_ERR_OUTPUT. */
rx_status rx_features_write_truth(const rx_population *population, size_t n_features,
                                  const char *folder);

#endif
