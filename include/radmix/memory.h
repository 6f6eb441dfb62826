/* memory.h: the only allocator. Zeroed, 64-byte aligned, checked for overflow. */
#ifndef RADMIX_MEMORY_H
#define RADMIX_MEMORY_H

#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>

#include "radmix/status.h"

/* Makes *array hold count elements, all zero bytes; release with free().
 * what  names the thing in the message: "slices: no memory for 816 MiB"
 * count 0 gives a pointer that may be freed and not be read
 * Errors: RX_ERR_MEMORY; then *array is NULL. */
#define RX_NEW(array, what, count) \
  rx_new((void **)(array), (what), (size_t)(count), sizeof **(array))

#ifdef __clang_analyzer__ /* which sees one file at a time: with RX_OK the array is there */
#undef RX_NEW
#define RX_NEW(array, what, count)                                                  \
  (rx_new((void **)(array), (what), (size_t)(count), sizeof **(array)) || !*(array) \
       ? RX_ERR_MEMORY                                                              \
       : RX_OK)
#endif

rx_status rx_new(void **array, const char *what, size_t count, size_t size);

/* The same on all ranks: where one has no memory, none keeps its own. Collective over comm. */
#define RX_NEW_AGREED(comm, array, what, count)                                                \
  rx_new_agreed((comm), (void **)(array), (what), (size_t)(count), sizeof **(array), __FILE__, \
                __LINE__)

rx_status rx_new_agreed(MPI_Comm comm, void **array, const char *what, size_t count, size_t size,
                        const char *file, int line);

/* Copies text into memory of its own. Errors: RX_ERR_MEMORY. */
rx_status rx_copy_text(const char *text, char **out);

/* From now on, arrays of a megabyte and more go back to the system when they are released, whatever
 * was released before (glibc keeps ever larger ones): for work whose arrays grow and go. */
void rx_memory_give_back(void);

/* Returns the highest memory use of this process so far, in bytes (VmHWM); 0 when unknown. */
size_t rx_memory_peak(void);

#endif
