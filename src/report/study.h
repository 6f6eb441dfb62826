/* study.h: the files of a study that are there. They are opened by one process. */
#ifndef RADMIX_REPORT_STUDY_H
#define RADMIX_REPORT_STUDY_H

#include "radmix/job.h"
#include "radmix/matrix.h"
#include "radmix/store.h"

/* The files that a report can show, in the order of the flow. */
typedef enum {
  RX_STUDY_IMAGES,
  RX_STUDY_MODEL,
  RX_STUDY_FEATURES,
  RX_STUDY_PATIENTS,
  RX_STUDY_FACTORS,
  RX_STUDY_ASSOCIATIONS,
  RX_STUDY_CLUSTERS,
  RX_STUDY_PREDICTIONS,
  RX_N_STUDY_FILES
} rx_study_file;

/* A file that is not there, or is no matrix, has NULL. */
typedef struct {
  rx_matrix *matrices[RX_N_STUDY_FILES];
  rx_store *stores[RX_N_STUDY_FILES]; /* of all files that are there */
} rx_study;

/* The name of a file, "features.h5ad", and the command that makes it, "encode". */
const char *rx_study_name(rx_study_file file);
const char *rx_study_command(rx_study_file file);

/* Opens what is in a folder. Errors: RX_ERR_INPUT when a file is there and damaged. */
rx_status rx_study_open(const char *folder, rx_study **out);
void rx_study_destroy(rx_study **study);

/* The value of a row: NAN for texts and for column NULL. */
double rx_study_value(const rx_column *column, size_t row);
/* The text of a row: numbers as numbers; "" for what is missing and for column NULL. */
const char *rx_study_text(const rx_column *column, size_t row, char number[32]);

/* Reads a column of a large array as double, values [n_obs]. */
rx_status rx_study_column(const rx_matrix *matrix, const char *name, size_t column, double *values);

/* Reads a whole array of one dimension; *values NULL and *n 0 when it is not there. free() it. */
rx_status rx_study_vector(const rx_store *store, const char *name, size_t *n, double **values);

/* Reads a number; NAN when it is not there. */
double rx_study_number(const rx_store *store, const char *name);

#endif
