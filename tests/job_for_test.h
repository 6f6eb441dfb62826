/* job_for_test.h: a job with default settings, for tests of collective functions. */
#ifndef RADMIX_TESTS_JOB_FOR_TEST_H
#define RADMIX_TESTS_JOB_FOR_TEST_H

#include <mpi.h>
#include <stdlib.h>

#include "radmix/job.h"

/* The caller owns config and log. */
static inline rx_job job_for_test(rx_config *config, rx_log *log) {
  rx_job job = {.comm = MPI_COMM_WORLD, .config = config, .log = log, .command_line = "test"};

  MPI_Comm_rank(job.comm, &job.rank);
  MPI_Comm_size(job.comm, &job.n_ranks);
  rx_config_defaults(config);
  *log = rx_log_start(job.rank, RX_LOG_WARNING);
  job.start = rx_seconds();
  return job;
}

/* The folder with reference numbers and data. */
static inline const char *shared_folder(void) {
  const char *folder = getenv("RADMIX_SHARED");

  return folder && *folder ? folder : "../shared";
}

#endif
