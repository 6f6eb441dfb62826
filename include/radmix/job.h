/* job.h: what every command is given. */
#ifndef RADMIX_JOB_H
#define RADMIX_JOB_H

#include <mpi.h>
#include <stddef.h>

#include "radmix/config.h"
#include "radmix/log.h"

/* What becomes of a result that is there and was made otherwise. */
typedef enum {
  RX_FORCE_NEVER,   /* stop */
  RX_FORCE_DIFFERS, /* make it again (run --force) */
  RX_FORCE_ALWAYS   /* make it again even when it is up to date (--force) */
} rx_force;

typedef struct rx_job {
  MPI_Comm comm;
  int rank, n_ranks;
  const rx_config *config;
  rx_log *log;
  rx_force force;
  const char *command_line;
  double start;               /* of the command, rx_seconds() */
  int n_options;              /* what stands on the command line for this command alone */
  const char *const *options; /* [n_options], "--factor=TP53" */
} rx_job;

/* Writes study.directory/name into path (size bytes). Local. Errors: RX_ERR_CONFIG. */
rx_status rx_job_path(const rx_job *job, const char *name, char *path, size_t size);

/* Says the totals of a command: time, what was done, the highest memory over ranks, the size of the
 * result. stage "train"; done "1100 steps of 64 images"; path "" when there is no file. Collective.
 */
void rx_job_totals(const rx_job *job, const char *stage, const char *done, const char *path);

#endif
