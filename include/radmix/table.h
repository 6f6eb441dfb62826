/* table.h: text tables as spreadsheets and R write them.
 *
 * .tsv (and anything else): TAB between cells; .csv: commas, with "quotes"; each also .gz. The
 * first line names the columns; lines may end as in Windows; empty lines are skipped; NA, NaN and
 * nothing are missing values. A header that is one cell shorter than the rows, as write.table()
 * makes it, is an error like any other ragged row. */
#ifndef RADMIX_TABLE_H
#define RADMIX_TABLE_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

typedef struct {
  char *path;    /* owned */
  size_t n_rows; /* without the header */
  size_t n_columns;
  char *text; /* all cells, each ended by a zero byte; owned */
  size_t text_size;
  size_t *cells;  /* [1 + n_rows][n_columns], offsets into text, the header first; owned */
  int64_t *lines; /* [1 + n_rows], line in the file, from 1; owned */
} rx_table;

/* Reads a whole file. Local.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT with file and line: no header, a ragged row, an open quote,
 * a damaged .gz, a zero byte; RX_ERR_MEMORY. */
rx_status rx_table_read(const char *path, rx_table **out);
/* The same on rank 0, given to all. Collective over comm. */
rx_status rx_table_load(MPI_Comm comm, const char *path, rx_table **out);
void rx_table_destroy(rx_table **table);

const char *rx_table_name(const rx_table *table, size_t column);
const char *rx_table_cell(const rx_table *table, size_t row, size_t column);
int64_t rx_table_line(const rx_table *table, size_t row);

/* Returns the column of that name, or -1. */
ptrdiff_t rx_table_find(const rx_table *table, const char *name);
/* The same, but a column that is not there, or is there twice, is RX_ERR_INPUT. */
rx_status rx_table_need(const rx_table *table, const char *name, size_t *column);

/* Reads a cell as a number; missing gives NAN.
 * Errors: RX_ERR_INPUT, naming file, line, column and what stands there. */
rx_status rx_table_number(const rx_table *table, size_t row, size_t column, double *value);

#endif
