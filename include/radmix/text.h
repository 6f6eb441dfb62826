/* text.h: lists with separators, paths, identifiers of patients, a set of names. Local. */
#ifndef RADMIX_TEXT_H
#define RADMIX_TEXT_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "radmix/status.h"

/* The parts of a text between separators, blanks around them removed, empty parts left out. */
typedef struct {
  int n;
  char **items; /* [n], views into memory; owned */
  char *memory; /* owned */
} rx_list;

rx_status rx_list_create(const char *text, char separator, rx_list *list);
/* The same on all ranks, or empty on all. Collective over comm. */
rx_status rx_list_agreed(MPI_Comm comm, const char *text, char separator, rx_list *list);
void rx_list_destroy(rx_list *list);

/* Removes blanks at both ends, in place; returns the new start. */
char *rx_trim(char *text);

/* Tells whether text is a missing value: empty, NA or NaN. */
bool rx_is_missing(const char *text);

/* Reads a whole text as a number; false when it is anything else. NA is not a number here. */
bool rx_number_read(const char *text, double *value);

/* Joins folder and path into out (size bytes); an absolute path, or an empty one, stays as it is.
 * Errors: RX_ERR_CONFIG when it does not fit. */
rx_status rx_path_join(const char *folder, const char *path, char *out, size_t size);
/* The folder of a path: "" when there is none. */
rx_status rx_path_folder(const char *path, char *out, size_t size);
rx_status rx_path_absolute(const char *path, char *out, size_t size);
/* Points at the last part of a path. */
const char *rx_path_name(const char *path);
bool rx_path_ends(const char *path, const char *ending);
/* Checks that an input is there and is a file: a pipe can be read once only, a device for ever.
 * expected  "a table". Errors: RX_ERR_NOINPUT; RX_ERR_INPUT: a folder, a pipe, a device. */
rx_status rx_path_check(const char *path, const char *expected);

/* Identifiers of patients match when their keys are equal: a TCGA barcode's key is its first 12
 * characters, any other identifier is its own key. */
enum { RX_KEY_SIZE = 256 };
bool rx_is_barcode(const char *id);
void rx_patient_key(const char *id, char key[RX_KEY_SIZE]);

/* Positions of names. */
typedef struct rx_names rx_names;
rx_status rx_names_create(rx_names **out);
void rx_names_destroy(rx_names **names);
/* Adds name with its position; when it is there already, position_before gets the earlier one
 * (else -1) and nothing is added. Errors: RX_ERR_MEMORY. */
rx_status rx_names_add(rx_names *names, const char *name, ptrdiff_t position,
                       ptrdiff_t *position_before);
/* Returns the position of name, or -1. */
ptrdiff_t rx_names_find(const rx_names *names, const char *name);

#endif
