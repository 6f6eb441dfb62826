/* The mixed-model reference of RADMIX_SHARED/reference/lmm, as the solver wants it. */
#ifndef RADMIX_TESTS_ASSOCIATION_REFERENCE_H
#define RADMIX_TESTS_ASSOCIATION_REFERENCE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/table.h"

enum { MOST_PATIENTS = 512, MOST_COVARIATES = 8 };

typedef struct {
  rx_table *images, *patients, *expected;
} reference;

static const char *shared_folder(void) {
  const char *folder = getenv("RADMIX_SHARED");
  return folder ? folder : "../shared";
}

/* Returns 0 when the reference is not there. */
static int reference_load(const char *name, reference *out) {
  char path[4096];
  const char *parts[3] = {"images", "patients", "reference"};
  rx_table **tables[3] = {&out->images, &out->patients, &out->expected};

  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/reference/lmm/%s_%s.csv", shared_folder(), name, parts[i]);
    if (rx_table_read(path, tables[i])) return 0;
  }
  return 1;
}

static void reference_free(reference *it) {
  rx_table_destroy(&it->images);
  rx_table_destroy(&it->patients);
  rx_table_destroy(&it->expected);
}

static double cell_number(const rx_table *table, size_t row, const char *column) {
  double value = NAN;
  rx_table_number(table, row, (size_t)rx_table_find(table, column), &value);
  return value;
}

static const char *cell_text(const rx_table *table, size_t row, const char *column) {
  return rx_table_cell(table, row, (size_t)rx_table_find(table, column));
}

/* Rows, mean and within sum of squares of each patient, in the order of the patients table. */
static void summarise(const reference *it, const char *feature, double *rows, double *mean,
                      double *within) {
  size_t column = (size_t)rx_table_find(it->images, feature);

  for (size_t p = 0; p < it->patients->n_rows; p++) {
    const char *patient = rx_table_cell(it->patients, p, 0);
    double value, sum = 0;
    rows[p] = within[p] = 0;
    for (int pass = 0; pass < 2; pass++)
      for (size_t i = 0; i < it->images->n_rows; i++) {
        if (strcmp(rx_table_cell(it->images, i, 0), patient)) continue;
        rx_table_number(it->images, i, column, &value);
        if (pass)
          within[p] += (value - mean[p]) * (value - mean[p]);
        else
          rows[p]++, sum += value;
        if (!pass) mean[p] = sum / rows[p];
      }
  }
}

/* Adds the columns of one covariate: itself, or treatment contrasts of its levels. */
static int add_covariate(const rx_table *patients, const char *name, double *out, int n) {
  const char *levels[MOST_PATIENTS];
  int n_levels = 0;
  double value;
  size_t column = (size_t)rx_table_find(patients, name);

  if (rx_table_number(patients, 0, column, &value) == RX_OK) {
    for (size_t p = 0; p < patients->n_rows; p++) {
      rx_table_number(patients, p, column, &value);
      out[p * MOST_COVARIATES + (size_t)n] = value;
    }
    return n + 1;
  }
  for (size_t p = 0; p < patients->n_rows; p++) {
    const char *level = rx_table_cell(patients, p, column);
    int at = 0;
    while (at < n_levels && strcmp(levels[at], level) < 0) at++;
    if (at < n_levels && !strcmp(levels[at], level)) continue;
    memmove(levels + at + 1, levels + at, (size_t)(n_levels - at) * sizeof *levels);
    levels[at] = level;
    n_levels++;
  }
  for (int level = 1; level < n_levels; level++, n++)
    for (size_t p = 0; p < patients->n_rows; p++)
      out[p * MOST_COVARIATES + (size_t)n] =
          !strcmp(rx_table_cell(patients, p, column), levels[level]);
  return n;
}

/* The covariates of a formula "gf+age+race", all but its first term; [n_patients][n]. */
static int reference_covariates(const rx_table *patients, const char *formula, double *out) {
  char text[256], *rest = NULL;
  double wide[MOST_PATIENTS * MOST_COVARIATES];
  int n = 0;

  snprintf(text, sizeof text, "%s", formula);
  strtok_r(text, "+", &rest);
  for (char *name = strtok_r(NULL, "+", &rest); name; name = strtok_r(NULL, "+", &rest))
    n = add_covariate(patients, name, wide, n);
  for (size_t p = 0; p < patients->n_rows; p++)
    for (int c = 0; c < n; c++)
      out[p * (size_t)n + (size_t)c] = wide[p * MOST_COVARIATES + (size_t)c];
  return n;
}

#endif
