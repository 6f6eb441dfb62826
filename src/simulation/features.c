#include "features.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"

enum { PATH_SIZE = 4096 };

/* Gives the property that a feature carries, and how much of it; -1 and 0 for noise. */
static int find_loading(const rx_population *population, size_t feature, double *loading) {
  rx_random random = rx_random_at(population->seed, RX_SIMULATE_LOADING, (uint32_t)feature, 0);

  *loading = feature % 2 ? 0 : 0.5 + 0.45 * rx_random_uniform(&random);
  return feature % 2 ? -1 : (int)(feature / 2 % RX_N_PROPERTIES);
}

static double find_shift(const rx_population *population, size_t feature, size_t patient) {
  if (population->n_groups == 0 || feature % 4 != 1) return 0;
  rx_random random = rx_random_at(population->seed, RX_SIMULATE_SHIFT, (uint32_t)feature,
                                  (uint32_t)population->group[patient]);
  return 2 * rx_random_normal(&random);
}

void rx_features_write_header(size_t n_features, FILE *file) {
  fputs("patient\timage", file);
  for (size_t feature = 0; feature < n_features; feature++) fprintf(file, "\tf%04zu", feature + 1);
  fputc('\n', file);
}

/* values  [n_slices][n_features], set; properties  [n_slices][RX_N_PROPERTIES] */
static void make_values(const rx_population *population, size_t n_features, size_t patient,
                        const double *properties, double *values) {
  size_t n_slices = (size_t)population->n_images[patient];
  double icc = population->icc;

  for (size_t feature = 0; feature < n_features; feature++) {
    double loading;
    int property = find_loading(population, feature, &loading);
    double shift = find_shift(population, feature, patient);
    rx_random random =
        rx_random_at(population->seed, RX_SIMULATE_FEATURE, (uint32_t)feature, (uint32_t)patient);
    double common = sqrt(icc) * rx_random_normal(&random);
    for (size_t slice = 0; slice < n_slices; slice++) {
      double noise = common + sqrt(1 - icc) * rx_random_normal(&random);
      double signal = property < 0 ? 0 : properties[slice * RX_N_PROPERTIES + (size_t)property];
      values[slice * n_features + feature] =
          shift + loading * signal + sqrt(1 - loading * loading) * noise;
    }
  }
}

rx_status rx_features_write_patient(const rx_population *population, size_t n_features,
                                    size_t patient, FILE *file) {
  size_t n_slices = (size_t)population->n_images[patient];
  double *properties, *values = NULL;
  char name[RX_PATIENT_NAME_SIZE];

  RX_TRY(RX_NEW(&properties, "properties", n_slices * RX_N_PROPERTIES));
  rx_status status = RX_NEW(&values, "features", n_slices * n_features);
  if (!status) {
    rx_population_slices(population, patient, properties);
    make_values(population, n_features, patient, properties, values);
    rx_population_patient(patient, name);
    for (size_t slice = 0; slice < n_slices; slice++) {
      fprintf(file, "%s\t%s|%zu", name, name, slice);
      for (size_t feature = 0; feature < n_features; feature++)
        fprintf(file, "\t%.7g", values[slice * n_features + feature]);
      fputc('\n', file);
    }
  }
  free(properties);
  free(values);
  return status;
}

rx_status rx_features_write_truth(const rx_population *population, size_t n_features,
                                  const char *folder) {
  char path[PATH_SIZE];

  snprintf(path, sizeof path, "%s/features-truth.tsv", folder);
  FILE *file = fopen(path, "w");
  if (!file) return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
  fputs("feature\tproperty\tloading\n", file);
  for (size_t feature = 0; feature < n_features; feature++) {
    double loading;
    int property = find_loading(population, feature, &loading);
    fprintf(file, "f%04zu\t%s\t%.4f\n", feature + 1,
            property < 0 ? "NA" : rx_property_names[property], loading);
  }
  int failed = ferror(file);
  if (fclose(file) || failed) return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written", path);
  return RX_OK;
}
