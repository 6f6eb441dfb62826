/* resume.h: files from which interrupted work goes on: some arrays, the recipe of the result that
 * they become, and a checksum. All functions are local, for rank 0. */
#ifndef RADMIX_RESUME_H
#define RADMIX_RESUME_H

#include <stddef.h>

#include "radmix/result.h"
#include "radmix/store.h"

/* An array of the file. data  [count] of that type, looked at or filled, not owned */
typedef struct {
  const char *name;
  rx_type type;
  size_t count;
  void *data;
} rx_resume_array;

/* Puts all of it into a new file; the caller commits the store, and closes it in any case.
 * Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_resume_put(const char *path, const rx_recipe *recipe, int n,
                        const rx_resume_array *arrays, rx_store **store);
/* Fills the arrays from an open file. Errors: RX_ERR_INPUT (an array is absent, of another size, or
 * not what the checksum says), RX_ERR_MEMORY. */
rx_status rx_resume_get(rx_store *store, const char *path, int n, const rx_resume_array *arrays);
/* Refuses a file of another recipe with RX_ERR_EXISTS, naming the first line in which they differ.
 * work  "training was" */
rx_status rx_resume_refuse(const char *path, const char *work, const char *theirs,
                           const char *ours);

#endif
