/* t-SNE of patients and of features. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_figures.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

long rx_cluster_figures_colour(const rx_column *column, size_t row) {
  char number[32];
  double cluster;
  const char *text = rx_study_text(column, row, number);

  if (!*text || !rx_number_read(text, &cluster) || cluster < 1) return 0x999999;
  return strtol(rx_figure_colour((size_t)cluster - 1) + 1, NULL, 16);
}

/* A name that stands in a column of data: no tabs and no quotes. */
static void write_name(const char *name, FILE *data) {
  char text[256];

  rx_html_short(name, 60, text, sizeof text);
  for (char *c = text; *c; c++) fputc(*c == '"' || *c == '\'' ? '`' : *c, data);
}

static rx_status write_points(const rx_store *store, const char *array, const rx_frame *frame,
                              bool has_names, FILE *data) {
  const rx_column *cluster = rx_frame_find(frame, "cluster");
  size_t n = 0;
  double *y = NULL;

  RX_TRY(rx_study_vector(store, array, &n, &y));
  for (size_t i = 0; 2 * i + 1 < n && i < frame->n_rows; i++) {
    if (!isfinite(y[2 * i])) continue;
    fprintf(data, "%.5g\t%.5g\t%ld", y[2 * i], y[2 * i + 1], rx_cluster_figures_colour(cluster, i));
    if (has_names) {
      fputc('\t', data);
      write_name(frame->names[i], data);
    }
    fputc('\n', data);
  }
  fputs("\n\n", data);
  free(y);
  return RX_OK;
}

static void script_points(const rx_figure *figure, const char *title, int index, double left,
                          bool has_names, double size) {
  FILE *script = figure->script;

  rx_figure_panel(figure, left, left + 380, 12, 392);
  fprintf(script, "set title '%s' offset 0,-0.4\n", title);
  if (has_names)
    fprintf(script,
            "plot data index %d using 1:2:4:3 with labels hypertext point pt 7 ps %g lc rgb "
            "variable\n",
            index, size);
  else
    fprintf(script, "plot data index %d using 1:2:3 with points pt 7 ps %g lc rgb variable\n",
            index, size);
}

static double point_size(size_t n) {
  return n < 60 ? 0.8 : n < 300 ? 0.6 : n < 2000 ? 0.35 : 0.22;
}

static rx_status draw(rx_page *page, const rx_matrix *matrix, const rx_store *store,
                      bool has_patients, bool has_features) {
  int n = has_patients + has_features;
  rx_figure figure;

  RX_TRY(rx_figure_begin(&page->figures, "tsne", 16 + 396 * n, 420, &figure));
  rx_status status = RX_OK;
  if (has_patients) status = write_points(store, "obsm/X_tsne", matrix->obs, true, figure.data);
  if (has_features && !status)
    status = write_points(store, "varm/X_tsne", matrix->var, false, figure.data);
  fputs(
      "set datafile separator tab\nset multiplot\nunset tics; unset grid; unset key; set border 15 "
      "lc rgb '#bbbbbb'\nset offsets graph 0.04, graph 0.04, graph 0.04, graph 0.04\n",
      figure.script);
  if (has_patients) script_points(&figure, "patients", 0, 12, true, point_size(matrix->n_obs));
  if (has_features)
    script_points(&figure, "features", has_patients, has_patients ? 408 : 12, false,
                  point_size(matrix->n_var));
  fputs("unset multiplot\n", figure.script);
  return rx_figure_end(&page->figures, &figure, status);
}

static void say_one(rx_page *page, const rx_store *store, const char *what, const char *group) {
  char name[64];

  snprintf(name, sizeof name, "uns/%s/perplexity", group);
  double perplexity = rx_study_number(store, name);
  snprintf(name, sizeof name, "uns/%s/divergence", group);
  rx_html_print(page->out, "%s: perplexity %.4g, divergence %.3g. ", what, perplexity,
                rx_study_number(store, name));
}

rx_status rx_cluster_figures_tsne(rx_page *page, const rx_matrix *matrix, const rx_store *store) {
  bool has_patients = rx_store_has(store, "obsm/X_tsne");
  bool has_features = rx_store_has(store, "varm/X_tsne");

  if (!has_patients && !has_features) return RX_OK;
  RX_TRY(draw(page, matrix, store, has_patients, has_features));
  rx_page_figure(page, page->figures.n - 1, "t-SNE");
  if (has_patients) say_one(page, store, "Patients", "tsne_patients");
  if (has_features) say_one(page, store, "Features", "tsne_features");
  fputs(
      "Colours are the clusters of the trees, grey where there is none. Neighbours can be read "
      "from such a picture; distances, sizes and gaps between groups cannot.",
      page->out);
  rx_page_figure_end(page);
  return RX_OK;
}
