#include "radmix/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024 };

static char message[MESSAGE_SIZE];

const char *rx_error_message(void) {
  return message;
}

/* One line, whatever a file name or a cell held. */
static void make_printable(char *text) {
  for (char *p = text; *p; p++)
    if ((unsigned char)*p < ' ' || *p == 127) *p = '?';
}

rx_status rx_fail(rx_status status, const char *file, int line, const char *format, ...) {
  char text[MESSAGE_SIZE] = ""; /* not message itself: an argument may point into it */
  va_list args;

  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  make_printable(text);
  if (status == RX_ERR_INTERNAL)
    snprintf(message, sizeof message, "%.900s (%s:%d)", text, file, line);
  else
    memcpy(message, text, sizeof message);
  return status;
}

#ifndef NDEBUG
/* All ranks must have come to the same agreement: a rank that skipped one would pair this call with
 * another and go on with a wrong answer. */
static void check_same_site(MPI_Comm comm, const char *file, int line) {
  uint32_t site = 2166136261u;
  for (const char *p = file; *p; p++) site = (site ^ (unsigned char)*p) * 16777619u;
  site = (site ^ (uint32_t)line) & 0x7fffffffu;

  int mine[2] = {(int)site, -(int)site}, most[2];
  MPI_Allreduce(mine, most, 2, MPI_INT, MPI_MAX, comm);
  if (most[0] != -most[1])
    RX_DIE("the ranks met in different agreements; this one is at %s:%d", file, line);
}
#endif

rx_status rx_agree(MPI_Comm comm, rx_status status, const char *file, int line) {
  struct {
    int status, rank;
  } mine = {.status = (int)status}, worst;

#ifndef NDEBUG
  check_same_site(comm, file, line);
#else
  (void)file, (void)line;
#endif
  MPI_Comm_rank(comm, &mine.rank);
  MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm); /* a tie goes to the lowest rank */
  if (worst.status == RX_OK) return RX_OK;
  MPI_Bcast(message, MESSAGE_SIZE, MPI_CHAR, worst.rank, comm);
  return (rx_status)worst.status;
}

void rx_die(const char *file, int line, const char *format, ...) {
  char text[MESSAGE_SIZE];
  va_list args;
  int rank = -1, started = 0, ended = 0;

  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  make_printable(text);
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  if (started && !ended) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  fprintf(stderr, "radmix: rank %d: %s (%s:%d)\n", rank, text, file, line);
  fflush(stderr);
  MPI_Abort(MPI_COMM_WORLD, RX_ERR_INTERNAL);
  __builtin_unreachable();
}
