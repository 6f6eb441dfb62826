/* mpi_cmocka.h: cmocka under mpirun. Every rank runs every test; rank 0 alone prints; a failure on
 * any rank fails the test on all, so that none is left alone in a collective call. */
#ifndef RADMIX_TESTS_MPI_CMOCKA_H
#define RADMIX_TESTS_MPI_CMOCKA_H

#include <fcntl.h>
#include <mpi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "radmix/error.h"
#include "radmix/store.h"

static inline int rank_of_test(void) {
  int rank;

  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

/* Asserts that a condition holds on all ranks. Collective. */
#define assert_all(condition) assert_all_at((condition), #condition, __FILE__, __LINE__)

static inline void assert_all_at(int mine, const char *text, const char *file, int line) {
  int all;

  mine = mine != 0;
  if (!mine) fprintf(stderr, "rank %d: last error: %s\n", rank_of_test(), rx_error_message());
  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
  _assert_true((unsigned long)all, text, file, line);
}

static inline int ranks_of_test(void) {
  int ranks;

  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  return ranks;
}

/* The main() of a test program: starts MPI, silences ranks > 0, runs, stops MPI. */
#define MPI_TEST_MAIN(tests)                                          \
  int main(int argc, char **argv) {                                   \
    MPI_Init(&argc, &argv);                                           \
    rx_store_quiet();                                                 \
    if (rank_of_test() != 0) {                                        \
      int nowhere = open("/dev/null", O_WRONLY);                      \
      dup2(nowhere, 1);                                               \
      dup2(nowhere, 2);                                               \
      close(nowhere);                                                 \
    }                                                                 \
    int bad = cmocka_run_group_tests(tests, NULL, NULL), worst;       \
    MPI_Allreduce(&bad, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD); \
    MPI_Finalize();                                                   \
    return worst != 0;                                                \
  }

#endif
