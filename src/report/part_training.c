/* The training curve, and slices with their noise and their reconstruction. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "tiles.h"

/* Columns of the history; NULL where there is none. All have n values. */
typedef struct {
  size_t n;
  double *epoch, *loss, *validation, *dead;
} history;

static void destroy_history(history *h) {
  free(h->epoch);
  free(h->loss);
  free(h->validation);
  free(h->dead);
}

static rx_status read_history(const rx_store *model, history *h) {
  size_t n = 0;

  *h = (history){0};
  rx_status status = rx_study_vector(model, "history/epoch", &h->n, &h->epoch);
  if (!status) status = rx_study_vector(model, "history/loss", &n, &h->loss);
  if (!status && h->loss && n < h->n) h->n = n;
  if (!status) status = rx_study_vector(model, "history/validation_loss", &n, &h->validation);
  if (!status && h->validation && n < h->n) h->n = n;
  if (!status) status = rx_study_vector(model, "history/dead_features", &n, &h->dead);
  if (!status && h->dead && n < h->n) h->n = n;
  if (!h->loss) h->n = 0;
  return status;
}

static bool has_numbers(const double *values, size_t n) {
  for (size_t i = 0; values && i < n; i++)
    if (isfinite(values[i])) return true;
  return false;
}

static double smallest(const double *values, size_t n, size_t *at) {
  double least = INFINITY;

  for (size_t i = 0; values && i < n; i++)
    if (values[i] < least) least = values[i], *at = i;
  return least;
}

static void script_history(const history *h, const rx_figure *figure) {
  FILE *script = figure->script;
  bool is_positive = true;

  for (size_t i = 0; i < h->n; i++)
    if (h->loss[i] <= 0 || (h->validation && h->validation[i] <= 0)) is_positive = false;
  fprintf(script, "set multiplot\nset xrange [0:%g]\nset xlabel 'epoch' offset 0,0.3\n",
          h->n > 1 ? h->epoch[h->n - 1] : 1);
  rx_figure_panel(figure, 80, has_numbers(h->dead, h->n) ? 400 : 700, 60, 285);
  fprintf(script,
          "%sset ylabel 'loss' offset 0.5\nset key top right\nset format y '%%g'\n"
          "plot data using 1:2 with linespoints pt 7 ps 0.35 lw 1.8 lc rgb '%s' title 'training', "
          "data using 1:3 with linespoints pt 7 ps 0.35 lw 1.8 lc rgb '%s' title "
          "'validation patients'\n",
          is_positive ? "set logscale y\n" : "", rx_figure_colour(0), rx_figure_colour(1));
  if (has_numbers(h->dead, h->n)) {
    rx_figure_panel(figure, 490, 700, 60, 285);
    fprintf(script,
            "unset logscale y; unset key; set yrange [0:*]; set ylabel 'dead features' offset 0.5\n"
            "plot data using 1:4 with linespoints pt 7 ps 0.35 lw 1.8 lc rgb '%s'\n",
            rx_figure_colour(2));
  }
  fputs("unset multiplot\n", script);
}

static rx_status draw_history(rx_page *page, const history *h, size_t *index) {
  rx_figure figure;

  RX_TRY(rx_figure_begin(&page->figures, "training", 720, 300, &figure));
  fputs("# epoch, training loss, validation loss, dead features\n", figure.data);
  for (size_t i = 0; i < h->n; i++)
    fprintf(figure.data, "%g %.9g %.9g %g\n", h->epoch[i], h->loss[i],
            h->validation ? h->validation[i] : NAN, h->dead ? h->dead[i] : NAN);
  script_history(h, &figure);
  *index = page->figures.n;
  return rx_figure_end(&page->figures, &figure, RX_OK);
}

static rx_status show_history(rx_page *page, const rx_store *model, const history *h) {
  size_t index = 0, best = 0;
  double levels = rx_study_number(model, "network/levels");
  double channels = rx_study_number(model, "network/channels");

  rx_html_print(page->out,
                "<p>A denoising convolutional autoencoder of %g poolings and %g "
                "channels, trained for %zu epochs",
                levels, channels, h->n ? h->n - 1 : 0);
  double noise = rx_study_number(model, "network/noise");
  rx_html_print(page->out, " on slices with noise of standard deviation %g.</p>\n", noise);
  if (h->n < 2) {
    fputs("<p class=\"warning\">No epoch was trained: this is a random encoder.</p>\n", page->out);
    return RX_OK;
  }
  RX_TRY(draw_history(page, h, &index));
  rx_page_figure(page, index, "Training curve");
  fputs("Loss on the training slices and on slices of patients that were held out, by epoch. ",
        page->out);
  double least = smallest(h->validation, h->n, &best);
  if (isfinite(least))
    rx_html_print(page->out,
                  "The weights of epoch %g, with the smallest validation loss "
                  "(%.4g), make the features. ",
                  h->epoch[best], least);
  fputs("A low loss says that slices are reproduced well, not that features mean anything.",
        page->out);
  rx_page_figure_end(page);
  return RX_OK;
}

/* ---- examples ---- */

static const char *const kinds[] = {"original", "noisy", "reconstruction"};

static rx_status read_examples(const rx_store *features, rx_tiles *tiles) {
  char name[64];
  size_t n;
  double *values;

  for (size_t kind = 0; kind < 3; kind++) {
    snprintf(name, sizeof name, "uns/examples/%s", kinds[kind]);
    RX_TRY(rx_study_vector(features, name, &n, &values));
    size_t n_pixels = tiles->height * tiles->width;
    for (size_t e = 0; e < tiles->n_columns && (e + 1) * n_pixels <= n; e++)
      rx_tiles_put(tiles, kind, e, values + e * n_pixels);
    free(values);
  }
  return RX_OK;
}

static void script_examples(const rx_tiles *tiles, const rx_figure *figure) {
  FILE *script = figure->script;

  rx_figure_bare(script);
  rx_figure_panel(figure, 100, figure->width - 6, 4, figure->height - 22);
  fputs("set palette gray; unset colorbox; set cbrange [0:1]\n", script);
  for (size_t kind = 0; kind < 3; kind++)
    fprintf(script, "set label '%s' at graph -0.012, first %g right\n", kinds[kind],
            rx_tiles_y(tiles, kind));
  for (size_t e = 0; e < tiles->n_columns; e++)
    fprintf(script, "set label '%zu' at first %g, graph 1 offset 0,0.7 center\n", e + 1,
            rx_tiles_x(tiles, e));
  fprintf(script, "set xrange [-0.5:%g]; set yrange [-0.5:%g]\nplot data matrix with image\n",
          (double)tiles->total_width - 0.5, (double)tiles->total_height - 0.5);
}

static rx_status draw_examples(rx_page *page, const rx_store *features, const size_t dims[4],
                               size_t *index) {
  rx_tiles tiles;
  rx_figure figure;

  RX_TRY(rx_tiles_create(3, dims[0], dims[1], dims[2], 3, &tiles));
  rx_status status = read_examples(features, &tiles);
  if (!status)
    status = rx_figure_begin(&page->figures, "examples", 720,
                             (int)(614 * tiles.total_height / tiles.total_width) + 26, &figure);
  if (!status) {
    rx_tiles_write(&tiles, figure.data);
    script_examples(&tiles, &figure);
    *index = page->figures.n;
    status = rx_figure_end(&page->figures, &figure, status);
  }
  rx_tiles_destroy(&tiles);
  return status;
}

static rx_status show_examples(rx_page *page, const rx_store *features) {
  size_t dims[4], n = 0, index = 0;
  int n_dims = 0;
  char **names = NULL;

  if (!rx_store_has(features, "uns/examples/original")) return RX_OK;
  RX_TRY(rx_store_shape(features, "uns/examples/original", &n_dims, dims));
  if (n_dims != 3) return RX_OK;
  RX_TRY(draw_examples(page, features, dims, &index));
  if (rx_store_has(features, "uns/examples/slice"))
    RX_TRY(rx_store_get_texts(features, "uns/examples/slice", &n, &names));
  rx_page_figure(page, index, "Slices, with noise, and as the network makes them of that");
  for (size_t i = 0; i < n; i++)
    rx_html_print(page->out, "%s%zu: %s", i ? "; " : "Slices ", i + 1, names[i]);
  if (n) fputs(". ", page->out);
  rx_texts_destroy(&names, n);
  fputs(
      "They were chosen by chance among all slices, training slices among them. Grey from 0 to 1.",
      page->out);
  rx_page_figure_end(page);
  return RX_OK;
}

rx_status rx_part_training(rx_page *page) {
  const rx_store *model = page->study->stores[RX_STUDY_MODEL];
  const rx_store *features = page->study->stores[RX_STUDY_FEATURES];
  history h = {0};

  rx_page_section(page, "training", "Autoencoder");
  if (!model) rx_page_absent(page, "Autoencoder", RX_STUDY_MODEL);
  rx_status status = model ? read_history(model, &h) : RX_OK;
  if (!status && model) status = show_history(page, model, &h);
  destroy_history(&h);
  if (!status && features) status = show_examples(page, features);
  return status;
}
