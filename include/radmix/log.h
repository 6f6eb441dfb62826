/* log.h: what the program says: on standard error, from rank 0, one line a step.
 *
 *     [   12.4 s] train: epoch 3/100, loss 0.0312
 *
 * All functions may be called on every rank; only rank 0 prints. They make no MPI call. */
#ifndef RADMIX_LOG_H
#define RADMIX_LOG_H

#include <stdbool.h>

typedef enum { RX_LOG_WARNING, RX_LOG_INFO, RX_LOG_DETAIL } rx_log_level;

typedef struct {
  rx_log_level level; /* what is printed */
  bool is_speaker;    /* rank 0 */
  bool is_terminal;   /* progress may redraw its line */
  bool has_open_line; /* a progress line stands without its end */
  double start;       /* seconds */
} rx_log;

/* Seconds of a clock that only goes forward. */
double rx_seconds(void);

rx_log rx_log_start(int rank, rx_log_level level);

/* The text starts with the word of the stage: "slice: 437 slices of 28 patients". A warning says
 * "slice: warning: ...". */
void rx_log_info(rx_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rx_log_detail(rx_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rx_log_warn(rx_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Progress: at most a line each half minute; on a terminal one line that is redrawn. */
typedef struct {
  rx_log *log;
  const char *stage, *unit;
  double total, start, last;
} rx_progress;

rx_progress rx_progress_begin(rx_log *log, const char *stage, double total, const char *unit);
void rx_progress_update(rx_progress *progress, double done);
/* Tells whether an update would print now; for those who make a line of their own. */
bool rx_progress_is_due(const rx_progress *progress);
void rx_progress_end(rx_progress *progress);

/* Writes a number of seconds as a person says it: 4.2 s, 3.1 min, 2.5 h. */
void rx_duration(double seconds, char text[32]);

#endif
