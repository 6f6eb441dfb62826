/* error.h: one error, one message, all ranks.
 *
 * A rank that fails calls RX_FAIL(), which notes a message and returns a status. It must not stop
 * there: the other ranks are on their way to the next collective call and would wait for ever. So
 * each phase of work ends in RX_AGREE(), which gives every rank the worst status of all and the
 * message of the lowest rank that has it. Then all ranks unwind together, and main() prints the
 * message once.
 *
 *   static rx_status load_patients(...);            // local: may fail on one rank
 *
 *   status = RX_AGREE(comm, load_patients(...));    // collective: same on all ranks
 *   if (status) goto done;
 */
#ifndef RADMIX_ERROR_H
#define RADMIX_ERROR_H

#include <mpi.h>

#include "radmix/status.h"

/* Notes the error of this rank and yields its status. Write the message for the person who runs the
 * job: file, line, what was expected, what was found. No full stop, no newline. */
#define RX_FAIL(status, ...) rx_fail((status), __FILE__, __LINE__, __VA_ARGS__)

/* Passes a failure up to the caller of the current function. Only for functions that own nothing
 * yet; a function that owns something uses goto done. */
#define RX_TRY(call)                           \
  do {                                         \
    rx_status rx_try_status_ = (call);         \
    if (rx_try_status_) return rx_try_status_; \
  } while (0)

/* Yields the worst status of all ranks, on all ranks. Collective over comm. */
#define RX_AGREE(comm, status) rx_agree((comm), (status), __FILE__, __LINE__)

/* Ends the job when the ranks cannot agree any more: a broken invariant, MPI-IO that failed in
 * mid-collective. Prints and never returns. */
#define RX_DIE(...) rx_die(__FILE__, __LINE__, __VA_ARGS__)

/* What clang's analyzer, which sees one file at a time, cannot know of the two. */
#ifdef __clang_analyzer__
#undef RX_FAIL
#define RX_FAIL(status, ...) \
  (rx_fail(RX_ERR_INTERNAL, __FILE__, __LINE__, __VA_ARGS__), rx_failed(status))
#undef RX_AGREE
#define RX_AGREE(comm, status) rx_worst((status), rx_agree((comm), RX_OK, __FILE__, __LINE__))
static inline rx_status rx_failed(rx_status status) {
  return status ? status : RX_ERR_INTERNAL;
}
static inline rx_status rx_worst(rx_status own, rx_status all) {
  return own ? own : all;
}
#endif

rx_status rx_fail(rx_status status, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
rx_status rx_agree(MPI_Comm comm, rx_status status, const char *file, int line);
void rx_die(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* Returns the message of the last failure; "" when there was none. */
const char *rx_error_message(void);

#endif
