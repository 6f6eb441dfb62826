#include "radmix/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "radmix/error.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

/* Any array of the process address space fits well below this; aligned_alloc() of more would only
 * be refused later, by the kernel's killer. */
static const size_t largest = (size_t)1 << 46;

rx_status rx_new(void **array, const char *what, size_t count, size_t size) {
  size_t bytes;

  *array = NULL;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > largest)
    return RX_FAIL(RX_ERR_MEMORY, "%s: no memory for %zu elements of %zu bytes", what, count, size);
  const size_t alignment = bytes < HUGE_PAGE ? ALIGNMENT : HUGE_PAGE;
  bytes = (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
  void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory) return RX_FAIL(RX_ERR_MEMORY, "%s: no memory for %zu MiB", what, bytes >> 20);
  /* The first touch of a page costs as much as much arithmetic; whole huge pages alone, so that no
   * more is touched than asked for; a wish, so no error. */
  if (alignment == HUGE_PAGE) madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  *array = memory;
  return RX_OK;
}

rx_status rx_new_agreed(MPI_Comm comm, void **array, const char *what, size_t count, size_t size,
                        const char *file, int line) {
  rx_status status = rx_agree(comm, rx_new(array, what, count, size), file, line);

  if (status) {
    free(*array);
    *array = NULL;
  }
  return status;
}

rx_status rx_copy_text(const char *text, char **out) {
  size_t length = strlen(text) + 1;

  RX_TRY(RX_NEW(out, "text", length));
  memcpy(*out, text, length);
  return RX_OK;
}

void rx_memory_give_back(void) {
  enum { LARGE = 1 << 20 };

  mallopt(M_MMAP_THRESHOLD, LARGE);
}

size_t rx_memory_peak(void) {
  char line[256];
  size_t kib = 0;

  FILE *file = fopen("/proc/self/status", "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "VmHWM: %zu kB", &kib) == 1) break;
  fclose(file);
  return kib << 10;
}
