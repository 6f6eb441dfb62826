/* The deep features: the maps of a slice, and their distribution before and after normalisation. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "tiles.h"

/* ---- maps of a slice ---- */

static ptrdiff_t find_slice(const rx_frame *obs, const char *name) {
  for (size_t s = 0; s < obs->n_rows; s++)
    if (!strcmp(obs->names[s], name)) return (ptrdiff_t)s;
  return -1;
}

/* Edge of a map, when features are channels x size x size in this order; 0 when not. */
static size_t map_size(const rx_matrix *features, size_t *n_channels) {
  const rx_column *row = rx_frame_find(features->var, "row");
  const rx_column *channel = rx_frame_find(features->var, "channel");
  size_t n = features->n_var;

  if (!row || !channel) return 0;
  size_t size = (size_t)rx_study_value(row, n - 1) + 1;
  *n_channels = (size_t)rx_study_value(channel, n - 1) + 1;
  return *n_channels * size * size == n ? size : 0;
}

static void script_maps(const rx_tiles *tiles, size_t image_size, const rx_figure *figure) {
  FILE *script = figure->script;

  fputs("set multiplot\n", script);
  rx_figure_bare(script);
  fprintf(script,
          "set palette gray; unset colorbox\nset title 'slice' offset 0,-0.5\n"
          "set xrange [-0.5:%g]; set yrange [-0.5:%g]\n",
          (double)image_size - 0.5, (double)image_size - 0.5);
  rx_figure_panel(figure, 8, 148, 18, 158);
  fputs("plot data index 0 matrix with image\n", script);
  rx_figure_panel(figure, 164,
                  164 + 156.0 * (double)tiles->total_width / (double)tiles->total_height, 10, 166);
  fprintf(script,
          "set title 'features, by channel'\n"
          "eval 'set palette defined '.viridis\nset colorbox user origin graph 1.02, graph 0.03 "
          "size 0.018,0.7\n"
          "set cbtics out scale 0.5 nomirror; set cbrange [0:*]\n"
          "set xrange [-0.5:%g]; set yrange [-0.5:%g]\n",
          (double)tiles->total_width - 0.5, (double)tiles->total_height - 0.5);
  fputs("plot data index 1 matrix with image\nunset multiplot\n", script);
}

static void write_image(const double *image, size_t size, FILE *data) {
  for (size_t y = size; y-- > 0;)
    for (size_t x = 0; x < size; x++)
      fprintf(data, "%.4g%c", image[y * size + x], x + 1 < size ? ' ' : '\n');
}

/* A slice and its features, read from the file. image  [image_size][image_size] */
static rx_status draw_maps(rx_page *page, const rx_matrix *features, size_t slice,
                           const double *image, size_t image_size, size_t *index) {
  size_t n_channels = 0, size = map_size(features, &n_channels);
  size_t n_columns = (n_channels + 1) / 2;
  double *values;
  rx_tiles tiles = {0};
  rx_figure figure;

  RX_TRY(RX_NEW(&values, "features", features->n_var));
  rx_status status =
      rx_matrix_read(features, "X", RX_FLOAT64, slice, 1, 0, features->n_var, values);
  if (!status) status = rx_tiles_create(2, n_columns, size, size, 1, &tiles);
  if (!status) status = rx_figure_begin(&page->figures, "channels", 910, 196, &figure);
  if (!status) {
    for (size_t c = 0; c < n_channels; c++)
      rx_tiles_put(&tiles, c / n_columns, c % n_columns, values + c * size * size);
    write_image(image, image_size, figure.data);
    fputs("\n\n", figure.data);
    rx_tiles_write(&tiles, figure.data);
    script_maps(&tiles, image_size, &figure);
    *index = page->figures.n;
    status = rx_figure_end(&page->figures, &figure, status);
  }
  rx_tiles_destroy(&tiles);
  free(values);
  return status;
}

/* The example with most light, whose maps show most. */
static size_t brightest(const double *images, size_t n, size_t n_pixels) {
  size_t best = 0;
  double most = -1;

  for (size_t e = 0; e < n; e++) {
    double sum = 0;
    for (size_t i = 0; i < n_pixels; i++) sum += images[e * n_pixels + i];
    if (sum > most) most = sum, best = e;
  }
  return best;
}

static rx_status show_maps(rx_page *page, const rx_matrix *features, const rx_store *store) {
  size_t n = 0, n_values = 0, n_channels = 0, index = 0;
  char **names = NULL;
  double *images = NULL;

  size_t size = map_size(features, &n_channels);
  if (!size || n_channels > 64 || !rx_store_has(store, "uns/examples/slice")) return RX_OK;
  rx_status status = rx_store_get_texts(store, "uns/examples/slice", &n, &names);
  if (!status) status = rx_study_vector(store, "uns/examples/original", &n_values, &images);
  if (!status && n && images) {
    size_t n_pixels = n_values / n, e = brightest(images, n, n_pixels);
    size_t image_size = (size_t)lround(sqrt((double)n_pixels));
    ptrdiff_t slice = find_slice(features->obs, names[e]);
    if (slice >= 0 && image_size * image_size == n_pixels) {
      status = draw_maps(page, features, (size_t)slice, images + e * n_pixels, image_size, &index);
      if (!status) {
        rx_page_figure(page, index, "The features of one slice");
        rx_html_print(page->out,
                      "Slice %s and its %zu channels of %zu x %zu features, channel 0 top left, as "
                      "they are stored (normalised). A feature sees only a few pixels around its "
                      "place.",
                      names[e], n_channels, size, size);
        rx_page_figure_end(page);
      }
    }
  }
  rx_texts_destroy(&names, n);
  free(images);
  return status;
}

/* ---- densities ---- */

static void script_density(const rx_figure *figure) {
  rx_figure_panel(figure, 80, 545, 60, 285);
  fprintf(figure->script,
          "set xlabel 'value of a feature' offset 0,0.3\nset ylabel 'density' offset 0.5\nset "
          "logscale y\n"
          "set format y '%%g'\nset key top right\nset xrange [0:*]\n"
          "plot data using 1:($2 > 0 ? $2 : NaN) with lines lw 2 lc rgb '%s' title "
          "'before normalisation', "
          "data using 1:($3 > 0 ? $3 : NaN) with lines lw 2 dt 2 lc rgb '%s' title "
          "'after normalisation'\n",
          rx_figure_colour(0), rx_figure_colour(1));
}

static rx_status show_density(rx_page *page, const rx_store *store) {
  size_t n = 0, n_before = 0, n_after = 0;
  double *value = NULL, *before = NULL, *after = NULL;
  rx_figure figure;

  rx_status status = rx_study_vector(store, "uns/density/value", &n, &value);
  if (!status) status = rx_study_vector(store, "uns/density/before", &n_before, &before);
  if (!status) status = rx_study_vector(store, "uns/density/after", &n_after, &after);
  if (!status && n && n_before == n && n_after == n) {
    status = rx_figure_begin(&page->figures, "density", 560, 300, &figure);
    if (!status) {
      for (size_t i = 0; i < n; i++)
        fprintf(figure.data, "%.6g %.6g %.6g\n", value[i], before[i], after[i]);
      script_density(&figure);
      status = rx_figure_end(&page->figures, &figure, status);
    }
    if (!status) {
      rx_page_figure(page, page->figures.n - 1, "Feature values before and after normalisation");
      fputs(
          "Density of all values of all slices. Quantile normalisation gives every slice the "
          "same distribution of values; what differs between slices afterwards is where they "
          "are, not how large.",
          page->out);
      rx_page_figure_end(page);
    }
  }
  free(value);
  free(before);
  free(after);
  return status;
}

static void say(rx_page *page, const rx_matrix *features) {
  const rx_column *zero = rx_frame_find(features->var, "fraction_zero");
  size_t n_dead = 0, n_sparse = 0;
  char count[RX_WORD_SIZE];

  for (size_t j = 0; j < features->n_var && zero; j++) {
    n_dead += rx_study_value(zero, j) >= 1;
    n_sparse += rx_study_value(zero, j) >= 0.95;
  }
  rx_html_print(page->out, "<p>%s features of a slice",
                rx_html_count((double)features->n_var, count));
  if (zero)
    rx_html_print(page->out, "; %zu are 0 on every slice, %zu on at least 95 %% of them", n_dead,
                  n_sparse);
  fputs(".</p>\n", page->out);
}

rx_status rx_part_features(rx_page *page) {
  const rx_matrix *features = page->study->matrices[RX_STUDY_FEATURES];
  const rx_store *store = page->study->stores[RX_STUDY_FEATURES];

  rx_page_section(page, "features", "Deep features");
  if (!features) {
    rx_page_absent(page, "Deep features", RX_STUDY_FEATURES);
    return RX_OK;
  }
  say(page, features);
  RX_TRY(show_maps(page, features, store));
  return show_density(page, store);
}
