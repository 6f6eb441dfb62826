/* fuzz.h: what the fuzz targets share. A target is one call of a reader on an input of libFuzzer's;
 * it may fail with a status and a message, and nothing else. */
#ifndef RADMIX_TESTS_FUZZ_H
#define RADMIX_TESTS_FUZZ_H

#include <mpi.h>
#include <sanitizer/lsan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/status.h"
#include "radmix/store.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* MPI is started once, alone; what it keeps to the end is no leak of radmix. */
static inline void fuzz_start(int *argc, char ***argv) {
  __lsan_disable();
  MPI_Init(argc, argv);
  __lsan_enable();
  rx_store_quiet();
}

/* Writes an input to a file of that ending and gives its path. */
static inline const char *fuzz_file(const uint8_t *bytes, size_t n, const char *ending) {
  static char path[128];

  snprintf(path, sizeof path, "%s/radmix-fuzz-%d%s", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
           (int)getpid(), ending);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, n, file) != n || fclose(file)) abort();
  return path;
}

/* A failure has a message of one line. */
static inline void fuzz_check(rx_status status) {
  if (status && (!*rx_error_message() || strpbrk(rx_error_message(), "\n\r"))) abort();
}

#endif
