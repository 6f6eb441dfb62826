/* The SVG of a figure, made fit for a page. */
#include <string.h>
#include <unistd.h>

#include "figure.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"

enum { PATH_SIZE = RX_PATH_SIZE + RX_FIGURE_NAME_SIZE + 16 };

/* Texts that are changed: `from` becomes `to`, or, with is_name, the name of the figure follows. */
typedef struct {
  const char *from, *to;
  bool is_name;
} change;

static const change changes[] = {
    {"id='gp", "id='gp", true},
    {"id=\"gp", "id=\"gp", true},
    {"'#gp", "'#gp", true},
    {"\"#gp", "\"#gp", true},
    {"id=\"gnuplot_", "id=\"gp", true},
    {"id='textbox'", "id='gptextbox", true},
    {"id='greybox'", "id='gpgreybox", true},
    {"<image ", "<image style='image-rendering:optimizeSpeed;image-rendering:pixelated' ", false},
};

static rx_status read_file(const char *path, char **text) {
  FILE *file = fopen(path, "rb");

  *text = NULL;
  if (!file) return RX_FAIL(RX_ERR_OUTPUT, "%s: expected what gnuplot drew, found nothing", path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  rx_status status = size < 0 ? RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be read", path)
                              : RX_NEW(text, "figure", (size_t)size + 1);
  if (!status && fread(*text, 1, (size_t)size, file) != (size_t)size)
    status = RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be read", path);
  fclose(file);
  if (status) {
    free(*text);
    *text = NULL;
  }
  return status;
}

/* A point with a text under the pointer: the text becomes its title. Returns what follows. */
static const char *put_title(const char *at, FILE *page) {
  static const char begin[] = "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'";
  static const char end[] = "')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>";
  const char *text = at + strlen(begin);

  if (strncmp(at, begin, strlen(begin))) return NULL;
  const char *stop = strstr(text, end);
  if (!stop) return NULL;
  fprintf(page, "<g><title>%.*s</title>", (int)(stop - text), text);
  return stop + strlen(end);
}

/* Gnuplot's own titles, which a browser would show. Returns what follows, or NULL. */
static const char *skip_title(const char *at) {
  if (strncmp(at, "<title>gnuplot_", 15) && strncmp(at, "<title>Gnuplot", 14) &&
      strncmp(at, "<desc>Produced", 14))
    return NULL;
  const char *end = strstr(at, at[1] == 't' ? "</title>" : "</desc>");
  return end ? strchr(end, '>') + 1 : NULL;
}

static const char *put_change(const char *at, const char *name, FILE *page) {
  for (size_t c = 0; c < sizeof changes / sizeof *changes; c++) {
    size_t n = strlen(changes[c].from);
    if (strncmp(at, changes[c].from, n)) continue;
    fprintf(page, "%s%s", changes[c].to, changes[c].is_name ? name : "");
    if (changes[c].from[n - 1] == '\'' && changes[c].is_name) fputc('\'', page);
    return at + n;
  }
  return NULL;
}

static void put_svg(const char *svg, const char *name, FILE *page) {
  while (*svg) {
    const char *next = NULL;
    if (*svg == '<') next = put_title(svg, page);
    if (!next && *svg == '<') next = skip_title(svg);
    if (!next && strchr("<i'\"", *svg)) next = put_change(svg, name, page);
    if (!next && *svg == '\t') next = svg + 1;
    if (next) {
      svg = next;
      continue;
    }
    size_t n = strcspn(svg + 1, "<i'\"\t") + 1;
    fwrite(svg, 1, n, page);
    svg += n;
  }
}

/* Writes the drawing, fit for a page, under its name: it is what the page holds. */
static rx_status clean(const char *path, const char *mark, const char *text) {
  const char *body = strstr(text, "viewBox");
  FILE *file;

  if (!body) return RX_FAIL(RX_ERR_OUTPUT, "%s: expected an SVG", path);
  RX_TRY(rx_output_open(path, &file));
  fputs("<svg ", file);
  put_svg(body, mark, file);
  return rx_output_close(path, &file, RX_OK);
}

static void path_of(const rx_figures *figures, size_t index, const char *ending, char *path,
                    size_t size) {
  snprintf(path, size, "%s/%s.svg%s", figures->folder, figures->names[index], ending);
}

rx_status rx_figure_clean(const rx_figures *figures, size_t index) {
  char path[PATH_SIZE], drawn[PATH_SIZE], mark[32], *text;

  path_of(figures, index, "", path, sizeof path);
  path_of(figures, index, RX_FIGURE_DRAWN, drawn, sizeof drawn);
  snprintf(mark, sizeof mark, "-%zu-", index);
  RX_TRY(read_file(drawn, &text));
  rx_status status = clean(path, mark, text);
  free(text);
  unlink(drawn);
  return status;
}

rx_status rx_figure_inline(const rx_figures *figures, size_t index, FILE *page) {
  char path[PATH_SIZE], *text;

  path_of(figures, index, "", path, sizeof path);
  RX_TRY(read_file(path, &text));
  fputs(text, page);
  free(text);
  return RX_OK;
}
