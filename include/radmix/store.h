/* store.h: an HDF5 file read or written by one process. Local; the parallel part is matrix.h.
 *
 * Names are paths within the file, "weights/best/conv1_w"; groups on the way are made. Arrays,
 * texts and frames carry the encodings of AnnData, so that Python and R read them by name.
 * Every error names file and dataset: RX_ERR_NOINPUT (no file), RX_ERR_INPUT (not what was
 * expected), RX_ERR_OUTPUT (cannot be written). */
#ifndef RADMIX_STORE_H
#define RADMIX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/frame.h"
#include "radmix/status.h"

typedef enum { RX_FLOAT32, RX_FLOAT64, RX_UINT8, RX_INT32, RX_INT64 } rx_type;
size_t rx_type_size(rx_type type);

typedef struct rx_store rx_store;

/* Starts path.part; it becomes path by rx_store_commit(), and is removed by rx_store_close(). */
rx_status rx_store_create(const char *path, rx_store **out);
rx_status rx_store_open(const char *path, rx_store **out);
/* Closes the file, brings it to the disk, and gives it its name. */
rx_status rx_store_commit(rx_store **store);
void rx_store_close(rx_store **store);

/* Writes an array. dims [n_dims]; data in C order. No dimension may be 0. */
rx_status rx_store_put(rx_store *store, const char *name, rx_type type, int n_dims,
                       const size_t *dims, const void *data);
rx_status rx_store_put_text(rx_store *store, const char *name, const char *text);
rx_status rx_store_put_number(rx_store *store, const char *name, double number);
rx_status rx_store_put_integer(rx_store *store, const char *name, int64_t number);
rx_status rx_store_put_texts(rx_store *store, const char *name, size_t n, char *const *texts);
rx_status rx_store_put_frame(rx_store *store, const char *name, const rx_frame *frame);
/* Adds a column to a frame that is there, or replaces one (of real or integer kind). */
rx_status rx_store_put_column(rx_store *store, const char *frame, size_t n_rows,
                              const rx_column *column);
/* Makes a group, with an encoding ("dict") or "". */
rx_status rx_store_put_group(rx_store *store, const char *name, const char *encoding);

bool rx_store_has(const rx_store *store, const char *name);
/* Gives the shape of an array of at most 4 dimensions. */
rx_status rx_store_shape(const rx_store *store, const char *name, int *n_dims, size_t dims[4]);
/* Reads an array that must have exactly count elements, converted to type. */
rx_status rx_store_get(const rx_store *store, const char *name, rx_type type, size_t count,
                       void *data);
/* Reads a scalar text into memory of its own; release with free(). */
rx_status rx_store_get_text(const rx_store *store, const char *name, char **text);
rx_status rx_store_get_number(const rx_store *store, const char *name, double *number);
/* Reads texts (plain or categorical) into memory; release with rx_texts_destroy(). */
rx_status rx_store_get_texts(const rx_store *store, const char *name, size_t *n, char ***texts);
void rx_texts_destroy(char ***texts, size_t n);
/* Reads a frame: index, numbers, texts, categoricals, booleans; columns of other kinds are left
 * out. */
rx_status rx_store_get_frame(const rx_store *store, const char *name, rx_frame **out);

/* Silences HDF5's own messages, and forbids files to lead to other files (external links). */
void rx_store_quiet(void);

#endif
