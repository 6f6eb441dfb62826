#include "radmix/job.h"

#include <stdio.h>
#include <sys/stat.h>

#include "radmix/error.h"
#include "radmix/result.h"
#include "radmix/text.h"

rx_status rx_job_path(const rx_job *job, const char *name, char *path, size_t size) {
  return rx_path_join(job->config->study_directory, name, path, size);
}

void rx_job_totals(const rx_job *job, const char *stage, const char *done, const char *path) {
  char time[32];
  struct stat about;
  size_t memory = rx_result_memory(job->comm);

  if (job->rank) return;
  rx_duration(rx_seconds() - job->start, time);
  bool has_file = *path && !stat(path, &about);
  if (has_file)
    rx_log_info(job->log, "%s: %s in %s, %.4g MB in %s, at most %.4g MB of memory a rank", stage,
                done, time, (double)about.st_size * 1e-6, path, (double)memory * 1e-6);
  else
    rx_log_info(job->log, "%s: %s in %s, at most %.4g MB of memory a rank", stage, done, time,
                (double)memory * 1e-6);
}
