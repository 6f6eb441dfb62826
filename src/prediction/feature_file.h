/* feature_file.h: a matrix of features, of slices or of patients, as a file has it. */
#ifndef RADMIX_PREDICTION_FEATURE_FILE_H
#define RADMIX_PREDICTION_FEATURE_FILE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "radmix/frame.h"
#include "radmix/matrix.h"
#include "radmix/status.h"

/* A rank holds some of the rows; which, the caller says. */
typedef struct {
  char *name; /* the file's name without folder and ending; owned, as all that follows */
  char *path;
  size_t n_rows; /* in the file */
  size_t n_features;
  char **patients;   /* [n_rows] */
  rx_frame *var;     /* [n_features], named; channel, row, column, kind where the file has them */
  double *table;     /* [n_rows][n_features], of a text table, on all ranks; else NULL */
  rx_matrix *matrix; /* of an .h5ad; else NULL */
} rx_feature_file;

/* Opens an .h5ad or reads a text table. Collective over comm.
 * Rows are named by the column `patient` wherever it stands, else by the first column (text), or
 * the index (.h5ad); `image`, `volume`, `slice` are labels; all else must be numbers. Errors:
 * RX_ERR_NOINPUT, RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_feature_file_open(MPI_Comm comm, const char *path, rx_feature_file **out);
void rx_feature_file_destroy(rx_feature_file **file);

/* Reads rows for this rank; each rank may ask for rows of its own. Collective over comm.
 * x  [n_rows][n_features], set; n_rows may be 0 */
rx_status rx_feature_file_read(const rx_feature_file *file, size_t row, size_t n_rows, double *x);

/* The same in single precision; a text table is rounded. */
rx_status rx_feature_file_read_float(const rx_feature_file *file, size_t row, size_t n_rows,
                                     float *x);

/* Joins two files of the same features (feature_join.c): the rows of other, those whose patient one
 * has taken from there; the columns named in var, missing where a file has no such feature, and for
 * all where one has none. Collective over comm. */
rx_status rx_feature_file_join(MPI_Comm comm, const rx_feature_file *one,
                               const rx_feature_file *other, const rx_frame *var,
                               rx_feature_file **out);

#endif
