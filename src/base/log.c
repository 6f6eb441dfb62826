#include "radmix/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };
static const double interval = 30; /* seconds between two lines of progress */

double rx_seconds(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

rx_log rx_log_start(int rank, rx_log_level level) {
  return (rx_log){.level = level,
                  .is_speaker = rank == 0,
                  .is_terminal = isatty(STDERR_FILENO),
                  .start = rx_seconds()};
}

/* One write a line, so that lines of other programs do not cut it. */
static void print(rx_log *log, const char *text) {
  char line[LINE_SIZE + 128];

  snprintf(line, sizeof line, "%s[%7.1f s] %s\n", log->has_open_line ? "\r\033[K" : "",
           rx_seconds() - log->start, text);
  fputs(line, stderr);
  fflush(stderr);
  log->has_open_line = false;
}

static void say(rx_log *log, rx_log_level level, const char *format, va_list args) {
  char text[LINE_SIZE], warning[LINE_SIZE + 16];

  if (!log->is_speaker || level > log->level) return;
  vsnprintf(text, sizeof text, format, args);
  for (char *p = text; *p; p++)
    if ((unsigned char)*p < ' ') *p = '?';
  if (level == RX_LOG_WARNING) {
    const char *colon = strstr(text, ": ");
    int word = colon ? (int)(colon - text) : 0;
    snprintf(warning, sizeof warning, "%.*s%swarning: %s", word, text, word ? ": " : "",
             colon ? colon + 2 : text);
    print(log, warning);
  } else {
    print(log, text);
  }
}

void rx_log_info(rx_log *log, const char *format, ...) {
  va_list args;

  va_start(args, format);
  say(log, RX_LOG_INFO, format, args);
  va_end(args);
}

void rx_log_detail(rx_log *log, const char *format, ...) {
  va_list args;

  va_start(args, format);
  say(log, RX_LOG_DETAIL, format, args);
  va_end(args);
}

void rx_log_warn(rx_log *log, const char *format, ...) {
  va_list args;

  va_start(args, format);
  say(log, RX_LOG_WARNING, format, args);
  va_end(args);
}

void rx_duration(double seconds, char text[32]) {
  if (seconds < 100)
    snprintf(text, 32, "%.1f s", seconds);
  else if (seconds < 6000)
    snprintf(text, 32, "%.1f min", seconds / 60);
  else
    snprintf(text, 32, "%.1f h", seconds / 3600);
}

rx_progress rx_progress_begin(rx_log *log, const char *stage, double total, const char *unit) {
  double now = rx_seconds();

  return (rx_progress){
      .log = log, .stage = stage, .unit = unit, .total = total, .start = now, .last = now};
}

bool rx_progress_is_due(const rx_progress *progress) {
  double wait = progress->log->is_terminal ? 0.2 : interval;

  return progress->log->is_speaker && rx_seconds() - progress->last >= wait;
}

void rx_progress_update(rx_progress *progress, double done) {
  char left[32], line[LINE_SIZE];
  rx_log *log = progress->log;

  if (log->level < RX_LOG_INFO || !rx_progress_is_due(progress)) return;
  progress->last = rx_seconds();
  double taken = progress->last - progress->start, rate = done / taken;
  rx_duration(done > 0 ? (progress->total - done) / rate : 0, left);
  snprintf(line, sizeof line, "%s: %.0f of %.0f %s, %.4g %s/s, left %s", progress->stage, done,
           progress->total, progress->unit, rate, progress->unit, left);
  if (!log->is_terminal) {
    print(log, line);
    return;
  }
  fprintf(stderr, "\r\033[K[%7.1f s] %s", progress->last - log->start, line);
  fflush(stderr);
  log->has_open_line = true;
}

void rx_progress_end(rx_progress *progress) {
  if (progress->log->has_open_line) {
    fputs("\r\033[K", stderr);
    progress->log->has_open_line = false;
  }
}
