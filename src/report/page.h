/* page.h: the page, put together from parts. A part writes its text and its figures; the page knows
 * their numbers and puts the drawings in when gnuplot has made them. Local (rank 0). */
#ifndef RADMIX_REPORT_PAGE_H
#define RADMIX_REPORT_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "figure.h"
#include "html.h"
#include "radmix/job.h"
#include "study.h"
#include "tiles.h"

/* A text that is being written to memory. */
typedef struct {
  FILE *file;
  char *text; /* owned; valid once file is closed */
  size_t size;
} rx_page_stream;

typedef struct {
  const rx_job *job;
  rx_study *study;
  rx_figures figures;
  rx_page_stream summary, contents, body, data; /* data: values under the pointer, JSON */
  FILE *out;                                    /* of the body */
  char folder[RX_PATH_SIZE];                    /* report/ */
  int n_figures, n_sections;
  size_t open_figure; /* whose caption is being written */
  size_t n_hovers;
  /* What the summary and other parts need of a part. */
  double *mean_image; /* [image_size][image_size] over a sample of slices; NULL: none; owned */
  size_t image_size;
} rx_page;

rx_status rx_page_create(const rx_job *job, rx_page **out);
void rx_page_destroy(rx_page **page);

/* Starts a section. id  of its anchor. */
void rx_page_section(rx_page *page, const char *id, const char *title);
/* Says that a file is not there, and what makes it. */
void rx_page_absent(rx_page *page, const char *what, rx_study_file file);

/* Puts a drawn figure into the text. index  in page->figures, known after rx_figure_end().
 * name   what it shows, for who cannot see it and for links
 * After it the caller writes the caption to page->out, and calls rx_page_figure_end(). */
void rx_page_figure(rx_page *page, size_t index, const char *title);
void rx_page_figure_end(rx_page *page);

/* A line of the summary on top: a question, and after it the answer is written to the stream that
 * is returned; rx_page_fact_end(). */
FILE *rx_page_fact(rx_page *page, const char *question);
void rx_page_fact_end(rx_page *page);

/* Values that the script shows under the pointer, for the image number `image` of a figure, from 0.
 * unit  what a value is; rows, columns  their names, rows from below
 * values  [n_rows][n_columns]; what is not finite is not shown */
void rx_page_hover(rx_page *page, size_t figure, int image, const char *unit, size_t n_rows,
                   const char *const *rows, size_t n_columns, const char *const *columns,
                   const double *values);
/* The same for tiles, each of which is a channel. */
void rx_page_hover_tiles(rx_page *page, size_t figure, int image, const char *unit,
                         const rx_tiles *tiles);

/* Writes index.html. id  of what it was made of. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_page_write(rx_page *page, const char *path, const char *id);

/* The style and the script of the page. */
extern const char *const rx_page_style[];
extern const char *const rx_page_script[];

#endif
