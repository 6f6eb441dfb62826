/* matrix.h: the annotated matrix, radmix's one form of data, written and read by all ranks.
 *
 * A file .h5ad (AnnData 0.1.0): X and layers [n_obs][n_var], frames obs and var that name rows and
 * columns, uns for the rest. Texts of variable length cannot be written in parallel: rank 0 makes
 * the file with all names serially and closes it; then all ranks open it for the numbers; then rank
 * 0 has it once more, for what is known only at the end, and gives it its name.
 *
 *   rx_matrix_create(job, path, &layout, &matrix);
 *   rx_matrix_write(matrix, "layers/beta", RX_FLOAT64, 0, n, first, count, beta);  // as often as
 * needed rx_matrix_seal(matrix, &store);                      // rank 0: store; others: NULL if
 * (store) rx_store_put(store, "uns/density", ...);  // local rx_matrix_commit(&matrix, recipe);
 *
 * All functions but rx_matrix_destroy() of a matrix that was never made are collective. */
#ifndef RADMIX_MATRIX_H
#define RADMIX_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/frame.h"
#include "radmix/job.h"
#include "radmix/result.h"
#include "radmix/store.h"

/* A large array: "X", "layers/beta", "obsm/X_pca", "uns/large". n_columns 0: one dimension.
 * An array that is written by rows stays in one piece (chunk_columns 0); one that is written in
 * blocks of columns is kept in chunks of output.chunk rows and chunk_columns columns. */
typedef struct {
  const char *name;
  rx_type type; /* in the file */
  size_t n_rows, n_columns, chunk_columns;
} rx_array;

typedef struct {
  const rx_frame *obs, *var; /* looked at on rank 0 only; may be NULL elsewhere */
  int n_arrays;
  const rx_array *arrays; /* the same on all ranks; no dimension 0 but n_columns */
} rx_matrix_layout;

typedef struct rx_matrix {
  char *path;
  size_t n_obs, n_var;
  rx_frame *obs, *var; /* of a matrix that was opened; on all ranks */
  struct rx_matrix_file *file;
} rx_matrix;

/* ---- writing ---- */

rx_status rx_matrix_create(const rx_job *job, const char *path, const rx_matrix_layout *layout,
                           rx_matrix **out);
/* Writes this rank's block, data [n_rows][n_columns] in C order; n_rows 0 joins without data (data
 * may be NULL). Blocks of ranks do not overlap. For one dimension give column 0, n_columns 1.
 * Errors: RX_ERR_OUTPUT on all ranks. */
rx_status rx_matrix_write(rx_matrix *matrix, const char *name, rx_type type, size_t row,
                          size_t n_rows, size_t column, size_t n_columns, const void *data);
/* Ends the parallel part. */
rx_status rx_matrix_seal(rx_matrix *matrix, rx_store **store);
/* Writes the record of how it was made, and gives the file its name. Seals when that is not done.
 * *matrix is NULL afterwards, also after a failure, which leaves nothing behind. */
rx_status rx_matrix_commit(rx_matrix **matrix, const rx_recipe *recipe);

/* ---- reading ---- */

/* Opens a file of radmix, or of anndata. Errors: RX_ERR_NOINPUT, RX_ERR_INPUT. */
rx_status rx_matrix_open(MPI_Comm comm, const char *path, rx_matrix **out);
bool rx_matrix_has(const rx_matrix *matrix, const char *name);
/* Gives the shape of an array; n_columns 0 when it has one dimension. */
rx_status rx_matrix_shape(const rx_matrix *matrix, const char *name, size_t *n_rows,
                          size_t *n_columns);
/* Reads a block for this rank, as rx_matrix_write() writes one; blocks may overlap. */
rx_status rx_matrix_read(const rx_matrix *matrix, const char *name, rx_type type, size_t row,
                         size_t n_rows, size_t column, size_t n_columns, void *data);
/* Opens the same file serially, on rank 0, for small things; NULL elsewhere. Close it there. */
rx_status rx_matrix_store(const rx_matrix *matrix, rx_store **store);

void rx_matrix_destroy(rx_matrix **matrix);

#endif
