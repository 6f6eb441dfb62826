/* source.h: a table of patients and columns (genes, or ready-made factors), whichever way it lies,
 * its columns spread over the ranks.
 *
 * The side of the patients follows from genomics.patients, else from the first header cell
 * (patient, sample, barcode: rows; gene, symbol, set, pathway, id: columns), else from where known
 * patients stand. TCGA barcodes are cut to patients; samples other than primary tumours (type 01)
 * are left out; of several tumour samples of a patient the first in byte order is taken. */
#ifndef GENOMICS_SOURCE_H
#define GENOMICS_SOURCE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "radmix/status.h"
#include "radmix/text.h"

typedef struct {
  char *path;
  bool has_patient_rows;
  size_t n_patients, n_columns;
  char **patients; /* [n_patients], in the order of the table */
  char **columns;  /* [n_columns], in the order of the table */
  size_t *line;    /* [n_columns], line of a column in the file; all 1 when patients are rows */
  size_t *border;  /* [n_ranks + 1], the columns of rank r are border[r] .. border[r + 1] - 1 */
  double *value;   /* [columns of this rank][n_patients]; NAN = missing */
  size_t n_not_tumour, n_repeated;
} rx_source;

/* Reads a table (.tsv, .csv, .h5ad). Collective over comm.
 * side      genomics.patients: auto, rows, columns
 * known     keys of patients (rx_patient_key) that are known from elsewhere
 * training  those that are read; NULL: all
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT (with file, line and column), RX_ERR_MEMORY. */
rx_status rx_source_load(MPI_Comm comm, const char *path, const char *side, const rx_names *known,
                         const rx_names *training, rx_source **out);
void rx_source_destroy(rx_source **source);

/* Writes where a column stands: "expr.tsv:17" or "expr.tsv: column 17 'TP53'". */
void rx_source_where(const rx_source *source, size_t column, char *text, size_t size);

#endif
