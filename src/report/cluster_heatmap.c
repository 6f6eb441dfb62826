/* The heatmap of patients and features. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_figures.h"
#include "dendrogram.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { MOST_COLUMNS = 600, MOST_BARS = 10, MOST_MERGES = 250, MOST_ROWS = 2000 };

/* A tree as it stands in the file; the arrays are owned. */
typedef struct {
  rx_linkage tree; /* n 0: none */
} stored_tree;

typedef struct {
  const rx_matrix *matrix;
  size_t n_used, *used; /* features of the tree, by their places in the file; owned */
  stored_tree patients, features;
  size_t n_columns; /* of the figure */
  double *values;   /* [n_patients][n_columns], in the order of both trees; owned */
  int n_bars;
  const rx_column *bars[MOST_BARS];
} heatmap;

static void destroy_tree(stored_tree *t) {
  free(t->tree.merge);
  free(t->tree.height);
  free(t->tree.order);
}

static void destroy_heatmap(heatmap *h) {
  free(h->used);
  free(h->values);
  destroy_tree(&h->patients);
  destroy_tree(&h->features);
}

/* ---- reading ---- */

/* Tells whether the order names each of 1 .. n once, and merges name what comes before them. */
static bool is_sound(const rx_linkage *tree, bool *seen) {
  for (size_t i = 0; i < tree->n; i++) {
    int32_t point = tree->order[i];
    if (point < 1 || (size_t)point > tree->n || seen[point - 1]) return false;
    seen[point - 1] = true;
  }
  for (size_t m = 0; m < 2 * (tree->n - 1); m++) {
    int32_t branch = tree->merge[m];
    if (branch == 0 || branch < -(int32_t)tree->n || branch > (int32_t)(m / 2)) return false;
  }
  return true;
}

static rx_status read_tree(const rx_store *store, const char *group, size_t n, stored_tree *t) {
  char name[128];
  bool *seen = NULL;

  snprintf(name, sizeof name, "uns/%s/merge", group);
  if (n < 2 || !rx_store_has(store, name)) return RX_OK;
  t->tree.n = n;
  RX_TRY(RX_NEW(&t->tree.merge, "tree", 2 * (n - 1)));
  RX_TRY(RX_NEW(&t->tree.height, "tree", n - 1));
  RX_TRY(RX_NEW(&t->tree.order, "tree", n));
  RX_TRY(rx_store_get(store, name, RX_INT32, 2 * (n - 1), t->tree.merge));
  snprintf(name, sizeof name, "uns/%s/height", group);
  RX_TRY(rx_store_get(store, name, RX_FLOAT64, n - 1, t->tree.height));
  snprintf(name, sizeof name, "uns/%s/order", group);
  RX_TRY(rx_store_get(store, name, RX_INT32, n, t->tree.order));
  RX_TRY(RX_NEW(&seen, "tree", n));
  rx_status status = is_sound(&t->tree, seen)
                         ? RX_OK
                         : RX_FAIL(RX_ERR_INPUT, "clusters.h5ad: uns/%s is no tree", group);
  free(seen);
  return status;
}

/* Features that have a cluster are those of the tree. */
static rx_status find_used(heatmap *h) {
  const rx_column *cluster = rx_frame_find(h->matrix->var, "cluster");
  char number[32];

  RX_TRY(RX_NEW(&h->used, "features", h->matrix->n_var));
  for (size_t j = 0; j < h->matrix->n_var; j++)
    if (!cluster || *rx_study_text(cluster, j, number)) h->used[h->n_used++] = j;
  return RX_OK;
}

static size_t patient_at(const heatmap *h, size_t row) {
  return h->patients.tree.n ? (size_t)h->patients.tree.order[row] - 1 : row;
}

static size_t feature_at(const heatmap *h, size_t place) {
  return h->used[h->features.tree.n ? (size_t)h->features.tree.order[place] - 1 : place];
}

/* Mean and standard deviation of a column of x [n][n_var]. */
static void measure(const double *x, size_t n, size_t n_var, size_t j, double *mean, double *sd) {
  double sum = 0, squares = 0;

  for (size_t i = 0; i < n; i++) sum += x[i * n_var + j];
  *mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += pow(x[i * n_var + j] - *mean, 2);
  *sd = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
}

/* Standardised features, neighbours in the tree averaged when there are more than columns. */
static rx_status fill_values(heatmap *h) {
  size_t n = h->matrix->n_obs, n_var = h->matrix->n_var;
  double *x, mean, sd;

  h->n_columns = h->n_used < MOST_COLUMNS ? h->n_used : MOST_COLUMNS;
  RX_TRY(RX_NEW(&x, "patient means", n * n_var));
  rx_status status = RX_NEW(&h->values, "heatmap", n * h->n_columns);
  if (!status) status = rx_matrix_read(h->matrix, "X", RX_FLOAT64, 0, n, 0, n_var, x);
  for (size_t place = 0; place < h->n_used && !status; place++) {
    size_t j = feature_at(h, place), column = place * h->n_columns / h->n_used;
    size_t first = (column * h->n_used + h->n_columns - 1) / h->n_columns;
    size_t end = ((column + 1) * h->n_used + h->n_columns - 1) / h->n_columns;
    measure(x, n, n_var, j, &mean, &sd);
    for (size_t r = 0; r < n && sd > 0; r++)
      h->values[r * h->n_columns + column] +=
          (x[patient_at(h, r) * n_var + j] - mean) / sd / (double)(end - first);
  }
  free(x);
  return status;
}

/* Outcomes and covariates that the file has, then other columns that are not its own. */
static rx_status choose_bars(const rx_config *config, heatmap *h) {
  static const char *const own[] = {"cluster", "silhouette"};
  rx_list wanted = {0};
  char text[2 * RX_TEXT_SIZE];

  snprintf(text, sizeof text, "%s,%s", config->prediction_outcomes, config->association_covariates);
  RX_TRY(rx_list_create(text, ',', &wanted));
  for (int i = 0; i < wanted.n && h->n_bars < MOST_BARS; i++) {
    const rx_column *column = rx_frame_find(h->matrix->obs, wanted.items[i]);
    bool is_new = column && strcmp(column->name, own[0]) && strcmp(column->name, own[1]);
    for (int b = 0; b < h->n_bars; b++) is_new = is_new && h->bars[b] != column;
    if (is_new) h->bars[h->n_bars++] = column;
  }
  rx_list_destroy(&wanted);
  return RX_OK;
}

/* ---- bars: each column from 0 (least) to 1 (most) ---- */

/* A text becomes the number of texts of the column that are less. */
static double number_of(const rx_column *column, size_t row, size_t n) {
  if (column->kind != RX_TEXT) return rx_study_value(column, row);
  if (rx_is_missing(column->text[row])) return NAN;
  double below = 0;
  for (size_t i = 0; i < n; i++)
    below += !rx_is_missing(column->text[i]) && strcmp(column->text[i], column->text[row]) < 0;
  return below;
}

static rx_status write_bars(const heatmap *h, FILE *data) {
  size_t n = h->matrix->n_obs;
  double *values;

  RX_TRY(RX_NEW(&values, "bars", n * MOST_BARS));
  for (int b = 0; b < h->n_bars; b++) {
    double least = INFINITY, most = -INFINITY;
    for (size_t r = 0; r < n; r++) {
      double value = number_of(h->bars[b], patient_at(h, r), n);
      values[r * MOST_BARS + (size_t)b] = value;
      if (isfinite(value)) least = fmin(least, value), most = fmax(most, value);
    }
    for (size_t r = 0; r < n; r++) {
      double *value = &values[r * MOST_BARS + (size_t)b];
      *value = most > least ? (*value - least) / (most - least) : 0 * *value;
    }
  }
  for (size_t r = 0; r < n; r++)
    for (int b = 0; b < h->n_bars; b++)
      fprintf(data, "%.3g%c", values[r * MOST_BARS + (size_t)b], b + 1 < h->n_bars ? ' ' : '\n');
  free(values);
  return RX_OK;
}

/* ---- the figure ---- */

static rx_status write_data(const heatmap *h, FILE *data) {
  const rx_column *cluster = rx_frame_find(h->matrix->obs, "cluster");

  for (size_t r = 0; r < h->matrix->n_obs; r++)
    for (size_t c = 0; c < h->n_columns; c++)
      fprintf(data, "%.3g%c", h->values[r * h->n_columns + c], c + 1 < h->n_columns ? ' ' : '\n');
  fputs("\n\n", data);
  for (size_t r = 0; r < h->matrix->n_obs; r++)
    fprintf(data, "%zu %ld\n", r, rx_cluster_figures_colour(cluster, patient_at(h, r)));
  fputs("\n\n", data);
  if (h->n_bars) RX_TRY(write_bars(h, data));
  if (h->n_bars) fputs("\n\n", data);
  if (h->patients.tree.n) RX_TRY(rx_dendrogram_write(&h->patients.tree, MOST_ROWS, data));
  if (h->features.tree.n) RX_TRY(rx_dendrogram_write(&h->features.tree, MOST_MERGES, data));
  return RX_OK;
}

enum { TREE_LEFT = 6, TREE_RIGHT = 84, BARS_LEFT = 106, BAR_WIDTH = 15, BOTTOM = 72, RIGHT = 790 };

static void script_bars(const heatmap *h, const rx_figure *figure, double top) {
  FILE *script = figure->script;
  char name[160];

  rx_figure_panel(figure, 88, 101, BOTTOM, top);
  fputs(
      "set xrange [0:1]; set xtics scale 0 rotate by 90 right ('cluster' 0.5)\n"
      "set style fill solid 1 noborder\n"
      "plot data index 1 using (0.5):1:(0):(1):($1-0.5):($1+0.5):2 with boxxyerror lc rgb "
      "variable\n",
      script);
  if (!h->n_bars) return;
  rx_figure_panel(figure, BARS_LEFT, BARS_LEFT + BAR_WIDTH * h->n_bars, BOTTOM, top);
  fprintf(script, "set xrange [-0.5:%g]\nset xtics (", h->n_bars - 0.5);
  for (int b = 0; b < h->n_bars; b++) {
    rx_html_short(h->bars[b]->name, 9, name, sizeof name);
    if (b) fputs(", ", script);
    rx_figure_quote_tic(script, name);
    fprintf(script, " %d", b);
  }
  fputs(
      ")\nset palette defined (0 '#dceaf4', 1 '#08306b'); set cbrange [0:1]; unset colorbox\n"
      "plot data index 2 matrix with image\n",
      script);
}

static void script_heatmap(const heatmap *h, const rx_figure *figure) {
  FILE *script = figure->script;
  double top = figure->height - 74, left = BARS_LEFT + 6 + BAR_WIDTH * h->n_bars;
  int index = 2 + (h->n_bars > 0);

  fputs("set multiplot\nunset key; unset grid; unset border; unset ytics\n", script);
  fprintf(script, "set yrange [-0.5:%g]\n", (double)h->matrix->n_obs - 0.5);
  script_bars(h, figure, top);
  rx_figure_panel(figure, left, RIGHT, BOTTOM, top);
  fprintf(script,
          "unset xtics; set border 15; set xrange [-0.5:%g]; set xlabel '%zu features' offset "
          "0,0.3\nset palette defined (-1 '#2166ac', -0.5 '#92c5de', 0 '#f7f7f7', 0.5 '#f4a582', "
          "1 '#b2182b')\nset cbrange [-2.5:2.5]\n"
          "set colorbox user origin %g,%g size 0.014,%g\nset cbtics out scale 0.5 nomirror\n"
          "set cblabel 'standard deviations' offset 0.5\nplot data index 0 matrix with image\n"
          "unset colorbox; unset border; unset xlabel\n",
          (double)h->n_columns - 0.5, h->n_used, (RIGHT + 14.0) / figure->width,
          (double)BOTTOM / figure->height, 150.0 / figure->height);
  if (h->patients.tree.n) {
    rx_figure_panel(figure, TREE_LEFT, TREE_RIGHT, BOTTOM, top);
    fprintf(script,
            "set xrange [0:*] reverse\nplot data index %d using 2:1 with lines lw 0.8 lc rgb "
            "'#444444'\n",
            index++);
  }
  if (h->features.tree.n) {
    rx_figure_panel(figure, left, RIGHT, top + 3, figure->height - 6);
    fprintf(script,
            "set xrange [-0.5:%g] noreverse; set yrange [*:*]\nplot data index %d using 1:2 with "
            "lines lw 0.8 "
            "lc rgb '#444444'\n",
            (double)h->n_used - 0.5, index);
  }
  fputs("unset multiplot\n", script);
}

static rx_status draw(rx_page *page, const heatmap *h) {
  double height = fmin(620, fmax(160, 6 * (double)h->matrix->n_obs));
  rx_figure figure;

  RX_TRY(rx_figure_begin(&page->figures, "clusters", 880, (int)height + BOTTOM + 74, &figure));
  rx_status status = write_data(h, figure.data);
  script_heatmap(h, &figure);
  return rx_figure_end(&page->figures, &figure, status);
}

static void caption(rx_page *page, const heatmap *h) {
  rx_page_figure(page, page->figures.n - 1, "Patients and features");
  rx_html_print(page->out,
                "Means of %zu features of %zu patients (rows), each feature in standard deviations "
                "from its mean; trees and order as in <code>clusters.h5ad</code>. ",
                h->n_used, h->matrix->n_obs);
  if (h->n_used > h->n_columns)
    rx_html_print(
        page->out,
        "Features that are neighbours in the tree are averaged into %zu columns, and only "
        "the %d highest branches are drawn. ",
        h->n_columns, (int)MOST_MERGES);
  if (h->n_bars)
    fputs(
        "Bars on the left: cluster (a colour each), then clinical columns from the smallest "
        "value (light) to the largest (dark), white where missing.",
        page->out);
  rx_page_figure_end(page);
}

rx_status rx_cluster_figures_heatmap(rx_page *page, const rx_matrix *matrix,
                                     const rx_store *store) {
  heatmap h = {.matrix = matrix};

  rx_status status = find_used(&h);
  if (!status && h.n_used && matrix->n_obs && matrix->n_obs <= MOST_ROWS) {
    status = read_tree(store, "patient_clusters", matrix->n_obs, &h.patients);
    if (!status) status = read_tree(store, "feature_clusters", h.n_used, &h.features);
    if (!status) status = choose_bars(page->job->config, &h);
    if (!status) status = fill_values(&h);
    if (!status) status = draw(page, &h);
    if (!status) caption(page, &h);
  }
  destroy_heatmap(&h);
  return status;
}
