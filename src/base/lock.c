/* One writer in a study's folder: the file .lock holds host, process, its start, and Slurm's job.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/result.h"

enum { PATH_SIZE = 4096, LINE_SIZE = 512 };
enum { PATIENCE = 600 }; /* twentieths of a second */

typedef struct {
  char host[256];
  long process;
  unsigned long long start; /* of the process, clock ticks since boot: process numbers come again */
  char job[64];             /* SLURM_JOB_ID, or - */
} holder;

/* What the kernel says of a process; nothing of one that is not there. */
typedef struct {
  char state;               /* Z: it has ended, and whoever started it has not yet asked */
  bool is_leaving;          /* killed, but not gone: it may wait for a disk */
  unsigned long long start; /* as in holder */
} process_facts;

/* Tells whether SIGKILL is on its way to a process. */
static bool is_killed(long process) {
  char path[64], line[256];
  unsigned long long pending = 0;

  snprintf(path, sizeof path, "/proc/%ld/status", process);
  FILE *file = fopen(path, "r");
  if (!file) return false;
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, "SigPnd:", 7) || !strncmp(line, "ShdPnd:", 7))
      pending |= strtoull(line + 7, NULL, 16);
  fclose(file);
  return pending >> (SIGKILL - 1) & 1;
}

/* Fields 3, 9 and 22 of /proc/PROCESS/stat: proc(5). */
static process_facts look_at(long process) {
  const unsigned long exiting = 0x4; /* PF_EXITING of Linux */
  process_facts facts = {.state = '?'};
  char path[64], line[1024] = "";

  snprintf(path, sizeof path, "/proc/%ld/stat", process);
  FILE *file = fopen(path, "r");
  if (!file) return facts;
  if (!fgets(line, sizeof line, file)) line[0] = '\0';
  fclose(file);
  const char *p = strrchr(line, ')'); /* the name before may hold anything */
  for (int field = 3; p && field <= 22; field++) {
    p = strchr(p + 1, ' ');
    if (p && field == 3) facts.state = p[1];
    if (p && field == 9) facts.is_leaving = strtoul(p, NULL, 10) & exiting;
    if (p && field == 22) facts.start = strtoull(p, NULL, 10);
  }
  facts.is_leaving = facts.is_leaving || is_killed(process);
  return facts;
}

static holder myself(void) {
  holder me = {.process = (long)getpid()};
  const char *job = getenv("SLURM_JOB_ID");

  if (gethostname(me.host, sizeof me.host - 1) || !me.host[0])
    snprintf(me.host, sizeof me.host, "unknown");
  me.start = look_at(me.process).start;
  snprintf(me.job, sizeof me.job, "%s", job && *job ? job : "-");
  return me;
}

static bool read_holder(const char *path, holder *who) {
  char line[LINE_SIZE] = "";

  FILE *file = fopen(path, "r");
  if (!file) return false;
  if (!fgets(line, sizeof line, file)) line[0] = '\0';
  fclose(file);
  return sscanf(line, "%255s %ld %llu %63s", who->host, &who->process, &who->start, who->job) == 4;
}

/* A holder is gone when its process is, on this host, or when this same Slurm job left it. */
static bool is_gone(const holder *who, const holder *me) {
  if (!strcmp(who->host, me->host)) {
    if (kill((pid_t)who->process, 0) && errno == ESRCH) return true;
    process_facts now = look_at(who->process);
    return now.start != who->start || now.state == 'Z' || now.state == 'X';
  }
  return strcmp(who->job, "-") && !strcmp(who->job, me->job);
}

/* A killed process holds its lock until the kernel lets it go: the next run may begin before that.
 */
static bool has_left(const holder *who, const holder *me) {
  const struct timespec pause = {.tv_nsec = 50000000};

  for (int i = 0; i < PATIENCE && !is_gone(who, me); i++) {
    if (strcmp(who->host, me->host) || !look_at(who->process).is_leaving) return false;
    nanosleep(&pause, NULL);
  }
  return is_gone(who, me);
}

static rx_status write_lock(const char *path, const holder *me, bool *is_taken) {
  char line[LINE_SIZE];
  int n =
      snprintf(line, sizeof line, "%s %ld %llu %s\n", me->host, me->process, me->start, me->job);

  *is_taken = false;
  int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0666);
  if (file < 0 && errno == EEXIST) return RX_OK;
  if (file < 0) return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
  ssize_t written = write(file, line, (size_t)n);
  int reason = errno;
  close(file);
  if (written != n) {
    unlink(path);
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(reason));
  }
  *is_taken = true;
  return RX_OK;
}

static rx_status take(const rx_job *job, const char *path) {
  holder me = myself(), other;
  bool is_taken;

  RX_TRY(rx_output_folder(job->config->study_directory));
  RX_TRY(write_lock(path, &me, &is_taken));
  if (is_taken) return RX_OK;
  bool is_read = read_holder(path, &other);
  if (is_read && has_left(&other, &me)) {
    unlink(path);
    RX_TRY(write_lock(path, &me, &is_taken));
    if (is_taken) return RX_OK;
    is_read = read_holder(path, &other);
  }
  if (!is_read)
    return RX_FAIL(
        RX_ERR_EXISTS,
        "%s: expected no other writer, found a lock that cannot be read; remove it when no "
        "radmix is at work there",
        path);
  return RX_FAIL(
      RX_ERR_EXISTS,
      "%s: expected no other writer, found process %ld on %s (job %s); remove the file when "
      "that is gone",
      path, other.process, other.host, other.job);
}

rx_status rx_lock_take(const rx_job *job) {
  char path[PATH_SIZE];
  rx_status status = rx_job_path(job, ".lock", path, sizeof path);

  if (!status && job->rank == 0) status = take(job, path);
  return RX_AGREE(job->comm, status);
}

void rx_lock_release(const rx_job *job) {
  char path[PATH_SIZE];

  if (job->rank == 0 && !rx_job_path(job, ".lock", path, sizeof path)) unlink(path);
}
