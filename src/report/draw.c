/* Running gnuplot, as many at a time as there are processors for this process. */
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np, sched_getaffinity */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figure.h"
#include "radmix/error.h"
#include "radmix/text.h"

enum { MOST_AT_ONCE = 8, DRAWN_PATH_SIZE = RX_PATH_SIZE + RX_FIGURE_NAME_SIZE + 16 };

extern char **environ;

/* One run of gnuplot. */
typedef struct {
  pid_t pid; /* 0: none */
  size_t figure;
  const char *format;
  char said[RX_PATH_SIZE + RX_FIGURE_NAME_SIZE + 16]; /* file of its messages */
} drawing;

static size_t count_processors(void) {
  cpu_set_t set;

  if (sched_getaffinity(0, sizeof set, &set)) return 1;
  int n = CPU_COUNT(&set);
  return n < 1 ? 1 : n > MOST_AT_ONCE ? MOST_AT_ONCE : (size_t)n;
}

/* What the program is started with: its folder, no input, its messages in a file. */
static int prepare(posix_spawn_file_actions_t *actions, const rx_figures *figures,
                   const char *said) {
  int code = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

  if (!code)
    code = posix_spawn_file_actions_addopen(actions, 2, said, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!code) code = posix_spawn_file_actions_adddup2(actions, 2, 1);
  if (!code) code = posix_spawn_file_actions_addchdir_np(actions, figures->folder);
  return code;
}

static rx_status missing(void) {
  return RX_FAIL(RX_ERR_MISSING,
                 "gnuplot: expected the program (Debian: apt-get install gnuplot-nox), found none; "
                 "page and tables are written without figures");
}

static void drawn_path(const rx_figures *figures, const drawing *d, char *path, size_t size) {
  snprintf(path, size, "%s/%s.%s" RX_FIGURE_DRAWN, figures->folder, figures->names[d->figure],
           d->format);
}

/* A PDF gets its name when it is whole; an SVG does when it has been made fit for the page. */
static rx_status name_drawing(const rx_figures *figures, const drawing *d) {
  char drawn[DRAWN_PATH_SIZE], path[DRAWN_PATH_SIZE];

  if (strcmp(d->format, "pdf")) return RX_OK;
  drawn_path(figures, d, drawn, sizeof drawn);
  snprintf(path, sizeof path, "%.*s", (int)(strlen(drawn) - strlen(RX_FIGURE_DRAWN)), drawn);
  if (!rename(drawn, path)) return RX_OK;
  return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
}

static rx_status start(const rx_figures *figures, size_t figure, const char *format, drawing *d) {
  char script[RX_FIGURE_NAME_SIZE + 8], setting[64];
  char *arguments[] = {"gnuplot", "-d", "-e", setting, script, NULL};
  char drawn[DRAWN_PATH_SIZE];
  posix_spawn_file_actions_t actions;

  d->figure = figure;
  d->format = format;
  snprintf(script, sizeof script, "%s.gp", figures->names[figure]);
  snprintf(setting, sizeof setting, "format='%s';part='" RX_FIGURE_DRAWN "'", format);
  snprintf(d->said, sizeof d->said, "%s/%s.%s.said", figures->folder, figures->names[figure],
           format);
  drawn_path(figures, d, drawn, sizeof drawn);
  unlink(drawn); /* a gnuplot that outlived its radmix may still be writing into that one */
  posix_spawn_file_actions_init(&actions);
  int code = prepare(&actions, figures, d->said);
  if (!code) code = posix_spawnp(&d->pid, "gnuplot", &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (!code) return RX_OK;
  d->pid = 0;
  unlink(d->said);
  if (code == ENOENT) return missing();
  return RX_FAIL(RX_ERR_MISSING, "gnuplot: cannot be started: %s", strerror(code));
}

/* The line in which gnuplot says what is wrong: the last that is not empty. */
static void read_complaint(const char *path, char *line, size_t size) {
  char text[512];
  FILE *file = fopen(path, "r");

  *line = '\0';
  while (file && fgets(text, sizeof text, file)) {
    text[strcspn(text, "\n")] = '\0';
    if (text[strspn(text, " ^\t")]) snprintf(line, size, "%s", rx_trim(text));
  }
  if (file) fclose(file);
}

/* Waits for one run. */
static rx_status finish(const rx_figures *figures, drawing *d) {
  char line[512];
  int code = 0;

  if (!d->pid) return RX_OK;
  while (waitpid(d->pid, &code, 0) < 0 && errno == EINTR) continue;
  d->pid = 0;
  read_complaint(d->said, line, sizeof line);
  unlink(d->said);
  if (WIFEXITED(code) && WEXITSTATUS(code) == 0) return name_drawing(figures, d);
  if (WIFSIGNALED(code)) /* with the job, most likely: no page without figures for that */
    return RX_FAIL(RX_ERR_INTERRUPTED,
                   "report/figures/%s.gp: gnuplot was ended by signal %d; the same command goes on",
                   figures->names[d->figure], WTERMSIG(code));
  if (WIFEXITED(code) && WEXITSTATUS(code) == 127) return missing();
  return RX_FAIL(RX_ERR_MISSING,
                 "report/figures/%s.gp: expected gnuplot 5.4 with the terminals svg and pdfcairo "
                 "(Debian: gnuplot-nox), it said '%.300s'",
                 figures->names[d->figure], line);
}

static bool is_known(const rx_figures *figures, const char *file, size_t length) {
  for (size_t f = 0; f < figures->n; f++)
    if (strlen(figures->names[f]) == length && !strncmp(figures->names[f], file, length))
      return true;
  return false;
}

/* Removes what an earlier report left: files of figures that are not of this one, and of drawing.
 */
static void remove_others(const rx_figures *figures) {
  static const char *const endings[] = {".gp", ".dat", ".svg", ".pdf"};
  static const char *const unfinished[] = {".part", ".said", RX_FIGURE_DRAWN};
  char path[RX_PATH_SIZE + 300];
  DIR *folder = opendir(figures->folder);
  const struct dirent *entry;

  while (folder && (entry = readdir(folder))) {
    for (size_t e = 0; e < sizeof unfinished / sizeof *unfinished; e++) {
      snprintf(path, sizeof path, "%s/%s", figures->folder, entry->d_name);
      if (rx_path_ends(entry->d_name, unfinished[e])) unlink(path);
    }
    for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
      size_t length = strlen(entry->d_name), tail = strlen(endings[e]);
      if (!rx_path_ends(entry->d_name, endings[e])) continue;
      if (is_known(figures, entry->d_name, length - tail)) continue;
      snprintf(path, sizeof path, "%s/%s", figures->folder, entry->d_name);
      unlink(path);
    }
  }
  if (folder) closedir(folder);
}

rx_status rx_figures_draw(rx_figures *figures) {
  static const char *const formats[] = {"svg", "pdf"};
  drawing drawings[MOST_AT_ONCE] = {{.pid = 0}};
  size_t n_slots = count_processors();
  rx_status status = RX_OK;

  remove_others(figures);
  for (size_t i = 0; i < 2 * figures->n && !status; i++) {
    drawing *d = &drawings[i % n_slots];
    status = finish(figures, d);
    if (!status) status = start(figures, i / 2, formats[i % 2], d);
  }
  for (size_t i = 0; i < n_slots; i++) {
    rx_status last = finish(figures, &drawings[i]);
    if (!status) status = last;
  }
  for (size_t f = 0; f < figures->n && !status; f++) status = rx_figure_clean(figures, f);
  figures->are_drawn = !status;
  return status;
}
