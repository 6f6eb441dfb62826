/* hdf5.h: what store.c, store_frame.c and matrix.c share about HDF5. */
#ifndef RADMIX_BASE_HDF5_H
#define RADMIX_BASE_HDF5_H

#include <hdf5.h>
#include <stdbool.h>

#include "radmix/store.h"

struct rx_store {
  char *path; /* final name */
  char *part; /* path.part while it is written, else NULL */
  hid_t file;
  bool keeps_part; /* the matrix that owns the part removes it */
};

hid_t rx_hdf5_type(rx_type type);      /* in memory */
hid_t rx_hdf5_file_type(rx_type type); /* little-endian, in a file */
/* A dataset creation list: no times, no fill; chunks when chunk is not NULL. */
hid_t rx_hdf5_creation(int n_dims, const hsize_t *chunk);
/* Links made on the way to a dataset. */
hid_t rx_hdf5_links(void);
/* A file access list without file locks, and over comm when it is not MPI_COMM_NULL. */
hid_t rx_hdf5_access(MPI_Comm comm, MPI_Info info);
/* Opens a dataset whose numbers are in this file; a negative number when it is none. */
hid_t rx_hdf5_open(hid_t file, const char *name);
/* Tells whether a file can hold what a dataset claims: names of 2^36 rows take no room in it when
 * they were never written, and all memory when they are read. */
bool rx_hdf5_is_stored(hid_t dataset);
rx_status rx_hdf5_attribute(hid_t object, const char *name, const char *text);
rx_status rx_hdf5_encode(hid_t object, const char *encoding, const char *version);
hid_t rx_hdf5_text_type(void); /* UTF-8, of variable length; close with H5Tclose() */
/* rx_store_create() with arrays and chunks at multiples of so many bytes. */
rx_status rx_store_create_aligned(const char *path, unsigned long long alignment, rx_store **out);
/* Opens path.part, which is there, for more. */
rx_status rx_store_continue(const char *path, rx_store **out);
rx_status rx_store_unreadable(const rx_store *store, const char *name, const char *expected);
rx_status rx_store_unwritable(const rx_store *store, const char *name);

#endif
