/* figure.h: figures drawn by gnuplot, a program found at run time.
 *
 * A figure NAME is a script NAME.gp and its data NAME.dat, in report/figures; gnuplot makes
 * NAME.svg and NAME.pdf of them. Anyone can draw it again there: gnuplot -e "format='pdf'" NAME.gp.
 * Local.
 *
 *   rx_figure_begin(figures, "training", 720, 300, &figure);
 *   fprintf(figure.data, "%d %g\n", ...);
 *   fprintf(figure.script, "plot data using 1:2 with lines\n");   // `data` is the name of the file
 *   rx_figure_end(figures, &figure, status);
 *   ...
 *   rx_figures_draw(figures, log);
 *   rx_figure_inline(figures, 0, page); */
#ifndef RADMIX_REPORT_FIGURE_H
#define RADMIX_REPORT_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

#include "radmix/status.h"

enum { RX_FIGURE_NAME_SIZE = 80, RX_PATH_SIZE = 4096 };

/* What follows the name of a drawing until it is whole. */
#define RX_FIGURE_DRAWN ".drawn"

/* A figure that is being written. */
typedef struct {
  char name[RX_FIGURE_NAME_SIZE];
  int width, height; /* pixels */
  FILE *script, *data;
} rx_figure;

typedef struct {
  char folder[RX_PATH_SIZE];
  size_t n, room;
  char (*names)[RX_FIGURE_NAME_SIZE]; /* [n]; owned */
  int *widths, *heights;              /* [n], pixels; owned */
  bool are_drawn;
} rx_figures;

rx_status rx_figures_create(const char *folder, rx_figures *figures);
void rx_figures_destroy(rx_figures *figures);

/* Opens script and data; the script begins with terminals, fonts and colours.
 * name  becomes small letters, digits and hyphens; a number is put to a name that is taken
 * width, height  pixels; 96 of them are an inch of the PDF. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY.
 */
rx_status rx_figure_begin(rx_figures *figures, const char *name, int width, int height,
                          rx_figure *figure);
/* Closes both. status  of what was written so far, passed on. */
rx_status rx_figure_end(rx_figures *figures, rx_figure *figure, rx_status status);

/* Draws all figures, and removes files of other figures that were left in the folder. The PDFs of
 * more than one processor are drawn at the same time.
 * Errors: RX_ERR_MISSING: no gnuplot, or it cannot draw these; RX_ERR_INTERRUPTED: it was killed;
 * RX_ERR_OUTPUT. */
rx_status rx_figures_draw(rx_figures *figures);

/* Writes the SVG of a figure under its name, changed from what gnuplot drew so that it can stand in
 * a page: names of its parts unlike those of other figures, texts under the pointer as titles,
 * sharp pixels, no scripts. Errors: RX_ERR_OUTPUT. */
rx_status rx_figure_clean(const rx_figures *figures, size_t index);
/* Writes the SVG of a figure into a page. Errors: RX_ERR_OUTPUT. */
rx_status rx_figure_inline(const rx_figures *figures, size_t index, FILE *page);

/* ---- parts of scripts ---- */

/* Writes text as a string of gnuplot, 'it''s'; control characters become blanks. */
void rx_figure_quote(FILE *script, const char *text);
/* The same, as a label of a tic, where % has a meaning. */
void rx_figure_quote_tic(FILE *script, const char *text);
/* Places the panel that is plotted next: its edges in pixels, from the left and from below. Labels
 * of the axes need some 75 pixels on the left and 50 below. */
void rx_figure_panel(const rx_figure *figure, double left, double right, double bottom, double top);
/* Panels without tics and grid, for images. */
void rx_figure_bare(FILE *script);

/* Colour-blind-safe colours (Okabe & Ito 2008), "#0072B2"; repeats after eight. */
const char *rx_figure_colour(size_t i);

#endif
