#include "figure.h"

#include <ctype.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/text.h"

rx_status rx_figures_create(const char *folder, rx_figures *figures) {
  *figures = (rx_figures){0};
  if (snprintf(figures->folder, RX_PATH_SIZE, "%s", folder) >= RX_PATH_SIZE)
    return RX_FAIL(RX_ERR_CONFIG, "study.directory: expected a shorter path");
  return RX_OK;
}

void rx_figures_destroy(rx_figures *figures) {
  free(figures->names);
  free(figures->widths);
  free(figures->heights);
  *figures = (rx_figures){0};
}

/* ---- names ---- */

static void make_name(const char *from, char *name, size_t size) {
  size_t at = 0;

  for (const char *c = from; *c && at + 1 < size && at < 40; c++) {
    unsigned char letter = (unsigned char)*c;
    if (letter < 0x80 && isalnum(letter))
      name[at++] = (char)tolower(letter);
    else if (at && name[at - 1] != '-')
      name[at++] = '-';
  }
  while (at && name[at - 1] == '-') at--;
  name[at] = '\0';
  if (!at) snprintf(name, size, "figure");
}

static bool is_taken(const rx_figures *figures, const char *name) {
  for (size_t f = 0; f < figures->n; f++)
    if (!strcmp(figures->names[f], name)) return true;
  return false;
}

static rx_status grow(rx_figures *figures) {
  size_t room = figures->room ? 2 * figures->room : 32;
  char(*names)[RX_FIGURE_NAME_SIZE];
  int *widths = NULL, *heights = NULL;

  if (figures->n < figures->room) return RX_OK;
  RX_TRY(RX_NEW(&names, "figures", room));
  rx_status status = RX_NEW(&widths, "figures", room);
  if (!status) status = RX_NEW(&heights, "figures", room);
  if (status) {
    free(names);
    free(widths);
    return status;
  }
  for (size_t f = 0; f < figures->n; f++) {
    memcpy(names[f], figures->names[f], sizeof *names);
    widths[f] = figures->widths[f];
    heights[f] = figures->heights[f];
  }
  free(figures->names);
  free(figures->widths);
  free(figures->heights);
  figures->names = names, figures->widths = widths, figures->heights = heights;
  figures->room = room;
  return RX_OK;
}

static rx_status add_name(rx_figures *figures, const char *from, rx_figure *figure) {
  char name[RX_FIGURE_NAME_SIZE - 16];

  RX_TRY(grow(figures));
  make_name(from, name, sizeof name);
  snprintf(figure->name, sizeof figure->name, "%s", name);
  for (int k = 2; is_taken(figures, figure->name); k++)
    snprintf(figure->name, sizeof figure->name, "%s-%d", name, k);
  memcpy(figures->names[figures->n], figure->name, sizeof figure->name);
  return RX_OK;
}

/* ---- files ---- */

enum { FILE_PATH_SIZE = RX_PATH_SIZE + RX_FIGURE_NAME_SIZE + 8 };

static rx_status open_file(const rx_figures *figures, const char *name, const char *ending,
                           FILE **file) {
  char path[FILE_PATH_SIZE];

  snprintf(path, sizeof path, "%s/%s%s", figures->folder, name, ending);
  return rx_output_open(path, file);
}

static rx_status close_file(const rx_figures *figures, const char *name, const char *ending,
                            FILE **file, rx_status status) {
  char path[FILE_PATH_SIZE];

  snprintf(path, sizeof path, "%s/%s%s", figures->folder, name, ending);
  return rx_output_close(path, file, status);
}

static const char prologue[] =
    "if (!exists('format')) format = 'svg'\n"
    "if (!exists('part')) part = ''\n"
    "set encoding utf8\n"
    "data = '%s.dat'\n"
    "if (format eq 'svg') set terminal svg size %d,%d dynamic noenhanced background '#ffffff' "
    "font 'Helvetica,13'\n"
    "if (format eq 'pdf') set terminal pdfcairo size %.4fin,%.4fin noenhanced color "
    "font 'Helvetica,9.75' fontscale 1\n"
    "small = format eq 'svg' ? ',11' : ',8.25'\n"
    "set output '%s.'.format.part\n"
    "# diverging: blue below, red above, white at 0; grey: not tested\n"
    "diverging = \"(-1.06 '#b8b8b8', -1.005 '#b8b8b8', -1 '#053061', -0.75 '#2166ac', "
    "-0.5 '#4393c3', -0.25 '#a6cfe3', 0 '#ffffff', 0.25 '#fbc4a5', 0.5 '#d6604d', "
    "0.75 '#b2182b', 1 '#67001f')\"\n"
    "viridis = \"(0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', "
    "5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')\"\n"
    "set border 3 linecolor '#444444' linewidth 0.8\n"
    "set tics nomirror out scale 0.6 textcolor '#222222'\n"
    "set grid linecolor '#e6e6e6' linewidth 0.6 linetype 1\n"
    "set key opaque samplen 2 spacing 1.1 noautotitle\n"
    "set style line 100 linecolor '#888888' linewidth 1 dashtype 2\n";

rx_status rx_figure_begin(rx_figures *figures, const char *name, int width, int height,
                          rx_figure *figure) {
  *figure = (rx_figure){.width = width, .height = height};
  RX_TRY(add_name(figures, name, figure));
  RX_TRY(open_file(figures, figure->name, ".gp", &figure->script));
  rx_status status = open_file(figures, figure->name, ".dat", &figure->data);
  if (status) return close_file(figures, figure->name, ".gp", &figure->script, status);
  fprintf(figure->script, "# gnuplot 5.4; for a PDF: gnuplot -e \"format='pdf'\" %s.gp\n",
          figure->name);
  fprintf(figure->script, prologue, figure->name, width, height, width / 96.0, height / 96.0,
          figure->name);
  figures->widths[figures->n] = width;
  figures->heights[figures->n] = height;
  return RX_OK;
}

rx_status rx_figure_end(rx_figures *figures, rx_figure *figure, rx_status status) {
  status = close_file(figures, figure->name, ".gp", &figure->script, status);
  status = close_file(figures, figure->name, ".dat", &figure->data, status);
  if (!status) figures->n++;
  return status;
}

/* ---- parts of scripts ---- */

static void quote(FILE *script, const char *text, bool is_tic) {
  fputc('\'', script);
  for (const char *c = text; *c; c++) {
    bool is_control = (unsigned char)*c < 0x20 || *c == 0x7F;
    if (*c == '\'' || (*c == '%' && is_tic)) fputc(*c, script);
    fputc(is_control ? ' ' : *c, script);
  }
  fputc('\'', script);
}

void rx_figure_quote(FILE *script, const char *text) {
  quote(script, text, false);
}

void rx_figure_quote_tic(FILE *script, const char *text) {
  quote(script, text, true);
}

void rx_figure_panel(const rx_figure *figure, double left, double right, double bottom,
                     double top) {
  fprintf(figure->script,
          "set lmargin at screen %.5f; set rmargin at screen %.5f\n"
          "set bmargin at screen %.5f; set tmargin at screen %.5f\n",
          left / figure->width, right / figure->width, bottom / figure->height,
          top / figure->height);
}

void rx_figure_bare(FILE *script) {
  fputs("unset border; unset tics; unset grid; unset xlabel; unset ylabel; unset key\n", script);
}

const char *rx_figure_colour(size_t i) {
  static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                        "#E69F00", "#56B4E9", "#000000", "#F0E442"};

  return colours[i % (sizeof colours / sizeof *colours)];
}
