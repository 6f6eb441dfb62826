/* Association maps: the channels of a factor's signed log10 q, laid out as the features lie in the
 * picture frame. */
#include <math.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "survey_figures.h"
#include "tiles.h"

enum { MOST_MAPS = 6, MOST_CHANNELS = 64 };

static const double not_tested = -1e30; /* below any colour but the one of what was not tested */

/* The layout of features: channels of size x size. */
typedef struct {
  size_t n_channels, size, n_columns;
  const rx_column *channel, *row, *column;
} layout;

rx_status rx_maps_read(const rx_survey *survey, const rx_survey_scale *scale, size_t factor,
                       double *values) {
  double *t, *q;

  RX_TRY(RX_NEW(&t, "map", survey->n_features));
  rx_status status = RX_NEW(&q, "map", survey->n_features);
  if (!status) status = rx_study_column(survey->matrix, "X", factor, t);
  if (!status) status = rx_study_column(survey->matrix, scale->layer, factor, q);
  for (size_t j = 0; j < survey->n_features && !status; j++)
    values[j] = isnan(q[j]) ? NAN : copysign(-log10(fmax(q[j], 1e-45)), t[j]);
  free(t);
  free(q);
  return status;
}

/* Tells whether the features have places. */
static bool find_layout(const rx_survey *survey, layout *l) {
  const rx_frame *features = survey->matrix->obs;

  l->channel = rx_frame_find(features, "channel");
  l->row = rx_frame_find(features, "row");
  l->column = rx_frame_find(features, "column");
  if (!l->channel || !l->row || !l->column) return false;
  double channels = 0, size = 0;
  for (size_t j = 0; j < survey->n_features; j++) {
    channels = fmax(channels, rx_study_value(l->channel, j) + 1);
    size = fmax(size, fmax(rx_study_value(l->row, j), rx_study_value(l->column, j)) + 1);
    if (!(rx_study_value(l->channel, j) >= 0 && rx_study_value(l->row, j) >= 0 &&
          rx_study_value(l->column, j) >= 0))
      return false;
  }
  if (!(channels >= 1 && channels <= MOST_CHANNELS && size <= 256)) return false;
  l->n_channels = (size_t)channels;
  l->size = (size_t)size;
  l->n_columns = (l->n_channels + 1) / 2;
  return true;
}

static void fill_tiles(const rx_survey *survey, const layout *l, const double *values,
                       rx_tiles *tiles) {
  for (size_t j = 0; j < survey->n_features; j++) {
    size_t channel = (size_t)rx_study_value(l->channel, j);
    size_t y = (channel / l->n_columns) * (l->size + tiles->gap);
    size_t x = (channel % l->n_columns) * (l->size + tiles->gap);
    y += (size_t)rx_study_value(l->row, j);
    x += (size_t)rx_study_value(l->column, j);
    tiles->values[y * tiles->total_width + x] = isnan(values[j]) ? not_tested : values[j];
  }
}

static void write_mean(const rx_page *page, FILE *data) {
  size_t n = page->image_size;

  for (size_t y = n; y-- > 0;)
    for (size_t x = 0; x < n; x++)
      fprintf(data, "%.4g%c", page->mean_image[y * n + x], x + 1 < n ? ' ' : '\n');
  fputs("\n\n", data);
}

static void script_map(const rx_page *page, const rx_tiles *tiles, double most,
                       const rx_survey_scale *scale, const rx_figure *figure) {
  FILE *script = figure->script;
  double left = page->mean_image ? 164 : 8;

  fputs("set multiplot\n", script);
  rx_figure_bare(script);
  fputs("unset colorbox\n", script);
  if (page->mean_image) {
    fprintf(script,
            "set palette gray; set title 'mean slice' offset 0,-0.5\n"
            "set xrange [-0.5:%g]; set yrange [-0.5:%g]\n",
            (double)page->image_size - 0.5, (double)page->image_size - 0.5);
    rx_figure_panel(figure, 8, 148, 18, 158);
    fputs("plot data index 0 matrix with image\n", script);
  }
  rx_figure_panel(figure, left,
                  left + 156.0 * (double)tiles->total_width / (double)tiles->total_height, 10, 166);
  fprintf(script,
          "unset title; set title 'signed log10 %s, by channel' offset 0,-0.5\n"
          "eval 'set palette defined '.diverging\n"
          "set colorbox user origin graph 1.02, graph 0.03 size 0.018,0.7\n"
          "set cbtics out scale 0.5 nomirror; set cbrange [%g:%g]\n"
          "set xrange [-0.5:%g]; set yrange [-0.5:%g]\n"
          "set object rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#ffffff' "
          "fillstyle solid noborder\n"
          "plot data index %d matrix with image\nunset multiplot\n",
          scale->name, -1.06 * most, most, (double)tiles->total_width - 0.5,
          (double)tiles->total_height - 0.5, page->mean_image ? 1 : 0);
}

static double largest(const double *values, size_t n) {
  double most = 2;

  for (size_t j = 0; j < n; j++)
    if (fabs(values[j]) > most) most = fabs(values[j]);
  return most;
}

static rx_status draw_map(rx_page *page, const rx_survey *survey, const layout *l, size_t factor,
                          const rx_survey_scale *scale, const double *values) {
  char name[256];
  rx_tiles tiles;
  rx_figure figure;

  snprintf(name, sizeof name, "map %.200s", survey->matrix->var->names[factor]);
  RX_TRY(rx_tiles_create(2, l->n_columns, l->size, l->size, 1, &tiles));
  fill_tiles(survey, l, values, &tiles);
  rx_status status = rx_figure_begin(&page->figures, name, 910, 196, &figure);
  if (!status) {
    if (page->mean_image) write_mean(page, figure.data);
    rx_tiles_write(&tiles, figure.data);
    script_map(page, &tiles, largest(values, survey->n_features), scale, &figure);
    rx_page_hover_tiles(page, page->figures.n, page->mean_image ? 1 : 0, "signed log10 q", &tiles);
    status = rx_figure_end(&page->figures, &figure, status);
  }
  rx_tiles_destroy(&tiles);
  return status;
}

static void caption(rx_page *page, const rx_survey *survey, size_t factor, bool is_first,
                    const rx_survey_scale *scale) {
  const rx_survey_factor *of = &survey->factors[factor];
  char title[512], count[RX_WORD_SIZE];

  snprintf(title, sizeof title, "Association map of %.400s", survey->matrix->var->names[factor]);
  rx_page_figure(page, page->figures.n - 1, title);
  rx_html_print(page->out, "%s hits (%s, %s q < 0.05). ",
                rx_html_count(of->hits_hierarchical, count), survey->kinds[of->kind].name,
                "hierarchical");
  if (is_first)
    rx_html_print(page->out,
                  "Red: the feature rises with the factor; blue: it falls; beyond 1.3 in either "
                  "direction %s is below 0.05; grey: not tested. Channel 0 top left. The map shows "
                  "where in the picture frame the association sits, not in the anatomy: slices are "
                  "not registered, and a place sees 10 x 10 pixels of 64 x 64.",
                  scale->name);
  else
    fputs("Colours as above.", page->out);
  rx_page_figure_end(page);
}

rx_status rx_maps_show(rx_page *page, const rx_survey *survey) {
  const bool has_hits = survey->total.hits_hierarchical > 0;
  const rx_survey_scale scale = {has_hits ? "layers/q_hierarchical" : "layers/q_factor",
                                 has_hits ? "hierarchical q" : "per-factor q"};
  size_t n = has_hits ? survey->total.factors_hierarchical : 1;
  layout l;
  double *values;

  if (!find_layout(survey, &l) || !survey->n_factors) return RX_OK;
  if (survey->total.n_tests <= 0 || !rx_matrix_has(survey->matrix, scale.layer)) return RX_OK;
  if (n > MOST_MAPS) n = MOST_MAPS;
  fputs("<h3>Where in the picture frame</h3>\n", page->out);
  if (!has_hits)
    fputs(
        "<p class=\"warning\">No factor has hits; the map of the smallest p is shown with q "
        "within that factor. It is no finding.</p>\n",
        page->out);
  RX_TRY(RX_NEW(&values, "map", survey->n_features));
  rx_status status = RX_OK;
  for (size_t i = 0; i < n && !status; i++) {
    size_t factor = survey->ranking[i];
    status = rx_maps_read(survey, &scale, factor, values);
    if (!status) status = draw_map(page, survey, &l, factor, &scale, values);
    if (!status) caption(page, survey, factor, i == 0, &scale);
  }
  free(values);
  return status;
}
