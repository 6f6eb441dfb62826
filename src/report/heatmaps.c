/* Heatmaps of significance: for each kind of factor the strongest factors and features, ordered by
 * trees of their t values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dendrogram.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "survey_figures.h"

enum { MOST_FACTORS = 40, MOST_FEATURES = 300, LABEL_SIZE = 160 };

static const double not_tested = -1e30;

/* What is shown of one kind. */
typedef struct {
  const char *kind;
  rx_survey_scale scale;
  size_t n_factors, n_features;
  size_t factors[MOST_FACTORS];
  size_t *features;                       /* [n_features] */
  double *shown;                          /* [n_factors][survey->n_features], signed log10 q */
  double *t;                              /* [n_factors][survey->n_features] */
  rx_linkage *factor_tree, *feature_tree; /* NULL: fewer than two */
} heatmap;

static void destroy_heatmap(heatmap *h) {
  free(h->features);
  free(h->shown);
  free(h->t);
  rx_linkage_destroy(&h->factor_tree);
  rx_linkage_destroy(&h->feature_tree);
}

/* The factors of a kind, in the order of the ranking; those without hits only when none has. */
static void choose_factors(const rx_survey *survey, int kind, heatmap *h) {
  bool has_hits = survey->kinds[kind].hits_hierarchical > 0;

  h->kind = survey->kinds[kind].name;
  h->scale = has_hits ? (rx_survey_scale){"layers/q_hierarchical", "hierarchical q"}
                      : (rx_survey_scale){"layers/q_factor", "per-factor q"};
  for (size_t i = 0; i < survey->n_factors && h->n_factors < MOST_FACTORS; i++) {
    const rx_survey_factor *factor = &survey->factors[survey->ranking[i]];
    if (factor->kind != kind || factor->n_tests <= 0) continue;
    if (has_hits && factor->hits_hierarchical <= 0) continue;
    h->factors[h->n_factors++] = survey->ranking[i];
  }
}

typedef struct {
  double most;
  size_t feature;
} strength;

static int compare_strengths(const void *a, const void *b) {
  const strength *x = a, *y = b;

  if (x->most != y->most) return x->most > y->most ? -1 : 1;
  return x->feature < y->feature ? -1 : 1;
}

/* The features that are strongest with any of the factors, by q and then by t. */
static rx_status choose_features(const rx_survey *survey, heatmap *h) {
  size_t n = survey->n_features;
  strength *all;

  RX_TRY(RX_NEW(&all, "heatmap", n));
  for (size_t j = 0; j < n; j++) {
    all[j] = (strength){-1, j};
    for (size_t f = 0; f < h->n_factors; f++) {
      double value = fabs(h->shown[f * n + j]) + 1e-6 * fabs(h->t[f * n + j]);
      if (value > all[j].most) all[j].most = value;
    }
  }
  qsort(all, n, sizeof *all, compare_strengths);
  rx_status status = RX_NEW(&h->features, "heatmap", n);
  while (!status && h->n_features < MOST_FEATURES && h->n_features < n &&
         all[h->n_features].most >= 0) {
    h->features[h->n_features] = all[h->n_features].feature;
    h->n_features++;
  }
  free(all);
  return status;
}

static rx_status read_values(const rx_survey *survey, heatmap *h) {
  size_t n = survey->n_features;

  RX_TRY(RX_NEW(&h->shown, "heatmap", h->n_factors * n));
  RX_TRY(RX_NEW(&h->t, "heatmap", h->n_factors * n));
  for (size_t f = 0; f < h->n_factors; f++) {
    RX_TRY(rx_maps_read(survey, &h->scale, h->factors[f], h->shown + f * n));
    RX_TRY(rx_study_column(survey->matrix, "X", h->factors[f], h->t + f * n));
  }
  return choose_features(survey, h);
}

static rx_status make_trees(const rx_survey *survey, heatmap *h) {
  double *by_factor = NULL, *by_feature = NULL;
  size_t n = h->n_features, m = h->n_factors;

  rx_status status = RX_NEW(&by_factor, "heatmap", m * n);
  if (!status) status = RX_NEW(&by_feature, "heatmap", m * n);
  for (size_t f = 0; f < m && !status; f++)
    for (size_t j = 0; j < n; j++)
      by_factor[f * n + j] = by_feature[j * m + f] = h->t[f * survey->n_features + h->features[j]];
  if (!status && m > 1) status = rx_dendrogram_make(by_factor, m, n, &h->factor_tree);
  if (!status && n > 1) status = rx_dendrogram_make(by_feature, n, m, &h->feature_tree);
  free(by_factor);
  free(by_feature);
  return status;
}

/* The factor in a row from below, the feature in a column. */
static size_t factor_at(const heatmap *h, size_t row) {
  return h->factor_tree ? (size_t)h->factor_tree->order[row] - 1 : row;
}

static size_t feature_at(const heatmap *h, size_t column) {
  return h->features[h->feature_tree ? (size_t)h->feature_tree->order[column] - 1 : column];
}

/* ---- figure ---- */

static double write_matrix(const rx_survey *survey, const heatmap *h, FILE *data) {
  double most = 2;

  for (size_t r = 0; r < h->n_factors; r++)
    for (size_t c = 0; c < h->n_features; c++) {
      double value = h->shown[factor_at(h, r) * survey->n_features + feature_at(h, c)];
      if (fabs(value) > most) most = fabs(value);
      fprintf(data, "%.4g%c", isnan(value) ? not_tested : value,
              c + 1 < h->n_features ? ' ' : '\n');
    }
  fputs("\n\n", data);
  return most;
}

static void label_rows(const rx_survey *survey, const heatmap *h, FILE *script) {
  char name[LABEL_SIZE];

  fputs("set ytics scale 0 (", script);
  for (size_t r = 0; r < h->n_factors; r++) {
    rx_html_short(survey->matrix->var->names[h->factors[factor_at(h, r)]], 24, name, sizeof name);
    if (r) fputs(", ", script);
    rx_figure_quote_tic(script, name);
    fprintf(script, " %zu", r);
  }
  fputs(")\n", script);
}

static void script_tree(const rx_linkage *tree, int index, const char *columns, FILE *script) {
  if (tree)
    fprintf(script, "plot data index %d using %s with lines lw 0.8 lc rgb '#444444'\n", index,
            columns);
}

static void script_heatmap(const rx_survey *survey, const heatmap *h, double most,
                           const rx_figure *figure) {
  FILE *script = figure->script;
  double left = 300, right = 785, bottom = 42, top = figure->height - 62;

  fputs("set multiplot\nunset key; unset grid\nset border 15\n", script);
  label_rows(survey, h, script);
  fprintf(script,
          "unset xtics; set xlabel '%zu features' offset 0,0.3\n"
          "eval 'set palette defined '.diverging\nset cbrange [%g:%g]\n"
          "set colorbox user origin %g,%g size 0.014,%g\n"
          "set cbtics out scale 0.5 nomirror; set cblabel 'signed log10 q' offset 0.5\n"
          "set xrange [-0.5:%g]; set yrange [-0.5:%g]\n",
          h->n_features, -1.06 * most, most, 870.0 / figure->width, bottom / figure->height,
          fmin(150, figure->height - bottom - 20) / figure->height, (double)h->n_features - 0.5,
          (double)h->n_factors - 0.5);
  rx_figure_panel(figure, left, right, bottom, top);
  fputs("plot data index 0 matrix with image\n", script);
  fputs("unset colorbox; unset tics; unset border; unset xlabel\n", script);
  rx_figure_panel(figure, left, right, top + 3, figure->height - 6);
  fputs("set yrange [0:*]\n", script);
  script_tree(h->feature_tree, 1, "1:2", script);
  rx_figure_panel(figure, right + 3, 860, bottom, top);
  fprintf(script, "set xrange [0:*]; set yrange [-0.5:%g]\n", (double)h->n_factors - 0.5);
  script_tree(h->factor_tree, h->feature_tree ? 2 : 1, "2:1", script);
  fputs("unset multiplot\n", script);
}

static rx_status hover(rx_page *page, const rx_survey *survey, const heatmap *h) {
  const char **names;
  double *values;

  RX_TRY(RX_NEW(&names, "heatmap", h->n_factors + h->n_features));
  rx_status status = RX_NEW(&values, "heatmap", h->n_factors * h->n_features);
  if (!status) {
    for (size_t r = 0; r < h->n_factors; r++)
      names[r] = survey->matrix->var->names[h->factors[factor_at(h, r)]];
    for (size_t c = 0; c < h->n_features; c++)
      names[h->n_factors + c] = survey->matrix->obs->names[feature_at(h, c)];
    for (size_t r = 0; r < h->n_factors; r++)
      for (size_t c = 0; c < h->n_features; c++)
        values[r * h->n_features + c] =
            h->shown[factor_at(h, r) * survey->n_features + feature_at(h, c)];
    rx_page_hover(page, page->figures.n, 0, "signed log10 q", h->n_factors, names, h->n_features,
                  names + h->n_factors, values);
  }
  free(names);
  free(values);
  return status;
}

static rx_status draw(rx_page *page, const rx_survey *survey, const heatmap *h) {
  char name[128];
  rx_figure figure;

  snprintf(name, sizeof name, "heatmap %.60s", h->kind);
  RX_TRY(rx_figure_begin(&page->figures, name, 955,
                         150 + (h->n_factors < 8 ? 22 : 15) * (int)h->n_factors, &figure));
  double most = write_matrix(survey, h, figure.data);
  rx_status status = RX_OK;
  if (h->feature_tree) status = rx_dendrogram_write(h->feature_tree, MOST_FEATURES, figure.data);
  if (!status && h->factor_tree)
    status = rx_dendrogram_write(h->factor_tree, MOST_FACTORS, figure.data);
  script_heatmap(survey, h, most, &figure);
  if (!status) status = hover(page, survey, h);
  return rx_figure_end(&page->figures, &figure, status);
}

static void caption(rx_page *page, const rx_survey *survey, const heatmap *h, int kind) {
  char title[160];
  bool has_hits = survey->kinds[kind].hits_hierarchical > 0;

  snprintf(title, sizeof title, "Significance of the strongest: %.80s", h->kind);
  rx_page_figure(page, page->figures.n - 1, title);
  rx_html_print(page->out,
                "%zu of %zu factors of this kind (%s) and the %zu of %zu features that are "
                "strongest with any of them; ordered by average linkage of t. Colour: -log10 %s "
                "with the sign of t; beyond 1.3 it is below 0.05; grey: not tested. ",
                h->n_factors, survey->kinds[kind].n_factors,
                has_hits ? "those with most hits" : "those of smallest p", h->n_features,
                survey->n_features, h->scale.name);
  if (!has_hits)
    fputs("<b>No factor of this kind has hits</b>: what is red or blue here is no finding.",
          page->out);
  rx_page_figure_end(page);
}

static rx_status show_kind(rx_page *page, const rx_survey *survey, int kind) {
  heatmap h = {0};

  choose_factors(survey, kind, &h);
  if (!h.n_factors || !rx_matrix_has(survey->matrix, h.scale.layer)) return RX_OK;
  rx_status status = read_values(survey, &h);
  if (!status && h.n_features) {
    status = make_trees(survey, &h);
    if (!status) status = draw(page, survey, &h);
    if (!status) caption(page, survey, &h, kind);
  }
  destroy_heatmap(&h);
  return status;
}

rx_status rx_heatmaps_show(rx_page *page, const rx_survey *survey) {
  if (survey->total.n_tests <= 0) return RX_OK;
  fputs("<h3>Which features with which factors</h3>\n", page->out);
  for (int kind = 0; kind < survey->n_kinds; kind++) RX_TRY(show_kind(page, survey, kind));
  return RX_OK;
}
