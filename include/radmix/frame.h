/* frame.h: named columns beside the rows (obs) or the columns (var) of a matrix. Local but where an
 * MPI_Comm is asked for. */
#ifndef RADMIX_FRAME_H
#define RADMIX_FRAME_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"
#include "radmix/table.h"
#include "radmix/text.h"

typedef enum { RX_TEXT, RX_INTEGER, RX_REAL } rx_column_kind;

typedef struct {
  char *name;
  rx_column_kind kind;
  char **text; /* [n_rows], RX_TEXT; "" = missing; never NULL in a row once the frame is made */
  int64_t *integer; /* [n_rows], RX_INTEGER */
  double *real;     /* [n_rows], RX_REAL; NAN = missing */
} rx_column;

typedef struct {
  size_t n_rows;
  char **names; /* [n_rows], the index; owned, as all that follows */
  size_t n_columns;
  rx_column *columns;
} rx_frame;

rx_status rx_frame_create(size_t n_rows, rx_frame **out);
void rx_frame_destroy(rx_frame **frame);

/* Names a row. Errors: RX_ERR_MEMORY. */
rx_status rx_frame_name(rx_frame *frame, size_t row, const char *name);

/* Adds a column of zeros (or empty texts). column may be NULL; it stays valid until the next add.
 */
rx_status rx_frame_add(rx_frame *frame, const char *name, rx_column_kind kind, rx_column **column);
rx_status rx_frame_set_text(rx_frame *frame, rx_column *column, size_t row, const char *text);

/* Returns the column of that name, or NULL. */
rx_column *rx_frame_find(const rx_frame *frame, const char *name);

/* Adds a copy of a column of another frame, its rows taken in the order of rows (-1: missing).
 * rows  [frame->n_rows] */
rx_status rx_frame_copy_column(rx_frame *frame, const rx_frame *from, const rx_column *column,
                               const ptrdiff_t *rows);

/* Makes a copy. */
rx_status rx_frame_copy(const rx_frame *from, rx_frame **out);

/* Gives every rank the frame of rank 0 (which is not touched there). Collective over comm. */
rx_status rx_frame_broadcast(MPI_Comm comm, rx_frame **frame);

/* Makes a frame of a table: the column `patient` (else the first) names the rows, a column all of
 * whose cells are numbers or missing is real, any other text.
 * Errors: RX_ERR_INPUT: an empty or repeated name of a row or a column, with its line. */
rx_status rx_frame_from_table(const rx_table *table, rx_frame **out);

/* Reads the clinical table: rx_frame_from_table(), and for TCGA identifiers a text column `site`
 * (characters 6-7) unless there is one. path "" gives NULL. Collective over comm. */
rx_status rx_clinical_load(MPI_Comm comm, const char *path, rx_frame **out);

/* Marks the patients of study.subset, "ER=1,T=0": those for whom all of it holds. "" marks all.
 * clinical  may be NULL; path  its file, for messages
 * rows      [n], the patients in clinical, as of rx_frame_match(); is_in  [n], set
 * Errors: RX_ERR_CONFIG: not column=value, no such column. */
rx_status rx_subset_mark(const char *subset, const rx_frame *clinical, const char *path, size_t n,
                         const ptrdiff_t *rows, bool *is_in);

/* Reads study.training: the keys of the patients of its column `patient`, else the first; path ""
 * gives NULL, which stands for all. Collective over comm. Errors: as rx_table_load(); RX_ERR_INPUT:
 * no patients. */
rx_status rx_learners_load(MPI_Comm comm, const char *path, rx_names **out);
bool rx_learners_has(const rx_names *learners, const char *patient);

/* Finds each of n patients in the rows of frame by rx_patient_key(); rows[i] = -1 when absent.
 * frame NULL: all -1. */
rx_status rx_frame_match(const rx_frame *frame, size_t n, char *const *patients, ptrdiff_t *rows);

#endif
