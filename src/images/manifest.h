/* manifest.h: the table that says which file is whose.
 *
 * A line a file: columns `patient` and `path` (relative to the manifest), optionally `split` (train
 * or validate, file by file), and free columns. Patients are one when their keys are
 * (rx_patient_key); the first spelling names them. */
#ifndef RADMIX_IMAGES_MANIFEST_H
#define RADMIX_IMAGES_MANIFEST_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/frame.h"
#include "radmix/status.h"
#include "radmix/table.h"

typedef struct {
  char *path;   /* as it can be opened; owned */
  char *volume; /* name without folder and ending, with #2 .. where a patient has it again; owned */
  size_t patient;
  size_t row; /* of the table */
} rx_manifest_file;

typedef struct {
  rx_table *table; /* owned */
  size_t n_patients;
  const char **patients; /* [n_patients], in order of first appearance; views into table */
  size_t n_files;
  rx_manifest_file *files; /* [n_files], by patient, then as in the table; owned */
} rx_manifest;

/* Reads a manifest and keeps the rows that where asks for. Collective over comm.
 * where  "" or conditions column=value with commas between: conditions on one column are
 *        alternatives, those on different columns must hold together
 * Errors: as rx_table_load(); RX_ERR_INPUT with the line: no patient, no path, a path twice, a
 * split that is neither word, a column name that radmix uses;
 * RX_ERR_CONFIG for a where that cannot be, RX_ERR_INPUT when no row fits it. */
rx_status rx_manifest_load(MPI_Comm comm, const char *path, const char *where, rx_manifest **out);

/* The local part of it. table  taken over, also on failure */
rx_status rx_manifest_create(rx_table *table, const char *where, rx_manifest **out);
void rx_manifest_destroy(rx_manifest **manifest);

/* Adds the free columns (and `split`) to the frame of the slices: numbers where all cells are.
 * file  [frame->n_rows], where each slice comes from */
rx_status rx_manifest_describe(const rx_manifest *manifest, const size_t *file, rx_frame *frame);

#endif
