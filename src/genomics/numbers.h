/* numbers.h: large text tables of numbers, read line by line so that a rank holds its own part
 * alone.
 *
 * The same tables as table.h reads (.tsv, .csv with quotes, each .gz; NA, NaN or nothing is
 * missing; Windows line ends), with numbers everywhere but in one column of names. The file is read
 * twice: once for the names of rows and columns, once for the numbers that are wanted. Local. */
#ifndef GENOMICS_NUMBERS_H
#define GENOMICS_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

typedef struct {
  char *path;
  size_t n_columns;    /* all of the file */
  char **columns;      /* [n_columns], their names */
  size_t names_column; /* `patient`, else the first */
  size_t n_rows;
  char **rows;    /* [n_rows], their names */
  int64_t *lines; /* [n_rows], in the file, from 1 */
} rx_numbers;

/* Reads the names, and checks that every line has as many cells as the first.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT with file and line: a ragged row, an open quote, a zero
 * byte, a damaged .gz, no header; RX_ERR_MEMORY. */
rx_status rx_numbers_open(const char *path, rx_numbers **out);
void rx_numbers_destroy(rx_numbers **numbers);

/* Reads the numbers of some rows and columns: the cell at (row, column) goes to
 * value[row_to[row] * row_stride + column_to[column] * column_stride].
 * row_to     [n_rows], column_to [n_columns]; -1: not wanted
 * value      set where wanted; NAN = missing
 * Errors: RX_ERR_INPUT with file, line and column for what is no finite number. */
rx_status rx_numbers_read(const rx_numbers *numbers, const ptrdiff_t *row_to, size_t row_stride,
                          const ptrdiff_t *column_to, size_t column_stride, double *value);

#endif
