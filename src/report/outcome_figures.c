#include "outcome_figures.h"

#include <math.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

enum { PANEL = 210, MOST_PANELS = 12, A_ROW = 3, PANEL_LEFT = 80, PANEL_BOTTOM = 58 };

/* Curves of all outcomes: a panel each, a line for each set. */
typedef struct {
  const char *name, *title, *x, *y; /* of the figure and of its axes */
  const char *columns[3];           /* arrays of an outcome; the third may be NULL */
  const char *ranges;               /* commands of every panel */
  const char *reference;            /* what is plotted before the lines; "" none */
  const char *style;                /* "lines lw 1.8" */
  bool has_auc;                     /* in the key */
  const char *caption;
} curves;

/* ---- intervals ---- */

static void write_intervals(const rx_outcomes *outcomes, FILE *data) {
  for (size_t s = 0; s < outcomes->n_sets; s++) {
    double shift =
        ((double)s - ((double)outcomes->n_sets - 1) / 2) * 0.6 / (double)outcomes->n_sets;
    for (size_t o = 0; o < outcomes->n_outcomes; o++) {
      const rx_outcome *of = &outcomes->items[o * outcomes->n_sets + s];
      if (rx_outcome_is_ok(of))
        fprintf(data, "%.4g %.6g %.6g %.6g\n", (double)o + shift, of->auc, of->lower, of->upper);
    }
    fputs("NaN NaN NaN NaN\n\n\n", data);
  }
}

static void title_set(const char *set, FILE *script) {
  char name[160];

  rx_html_short(set, 24, name, sizeof name);
  fputs(" title ", script);
  rx_figure_quote(script, name);
}

static void script_intervals(const rx_outcomes *outcomes, const rx_figure *figure) {
  FILE *script = figure->script;
  char name[160];

  rx_figure_panel(figure, 130, figure->width - 20, 60, figure->height - 34);
  fprintf(script,
          "set xrange [0:1]; set yrange [%g:-0.5]; set xlabel 'AUC of patients, 95 %% interval' "
          "offset 0,0.3\nset key outside top right horizontal\nset ytics scale 0 (",
          (double)outcomes->n_outcomes - 0.5);
  for (size_t o = 0; o < outcomes->n_outcomes; o++) {
    rx_html_short(outcomes->outcomes[o], 14, name, sizeof name);
    if (o) fputs(", ", script);
    rx_figure_quote_tic(script, name);
    fprintf(script, " %zu", o);
  }
  fputs(")\nset arrow 1 from 0.5, graph 0 to 0.5, graph 1 nohead ls 100\nplot ", script);
  for (size_t s = 0; s < outcomes->n_sets; s++) {
    fprintf(script, "%sdata index %zu using 2:1:3:4 with xerrorbars pt 7 ps 0.8 lw 1.8 lc rgb '%s'",
            s ? ", " : "", s, rx_figure_colour(s));
    title_set(outcomes->sets[s], script);
  }
  fputc('\n', script);
}

rx_status rx_outcome_figures_intervals(rx_page *page, const rx_outcomes *outcomes) {
  rx_figure figure;
  int height = 100 + (int)(outcomes->n_outcomes * (20 + 14 * outcomes->n_sets));

  RX_TRY(rx_figure_begin(&page->figures, "auc", 600, height, &figure));
  fputs("# outcome, AUC, lower, upper; a block for each set\n", figure.data);
  write_intervals(outcomes, figure.data);
  script_intervals(outcomes, &figure);
  RX_TRY(rx_figure_end(&page->figures, &figure, RX_OK));
  rx_page_figure(page, page->figures.n - 1, "Prediction of outcomes");
  fputs(
      "AUC of one score a patient, from fits that have not seen the patient, with DeLong's "
      "interval; dashed: chance.",
      page->out);
  if (outcomes->is_split_by_image)
    fputs(" <b>Slices, not patients, were held out: these AUCs are inflated by leakage.</b>",
          page->out);
  rx_page_figure_end(page);
  return RX_OK;
}

/* ---- panels of curves ---- */

/* Writes a block for an outcome and set; returns whether it has points in *has. */
static rx_status write_curve(const rx_outcomes *outcomes, const rx_outcome *of, const curves *c,
                             FILE *data, bool *has) {
  double *values[3] = {NULL, NULL, NULL};
  size_t n[3] = {0, 0, 0};
  rx_status status = RX_OK;

  *has = false;
  if (!rx_outcome_is_ok(of)) return RX_OK;
  for (int k = 0; k < 3 && !status && c->columns[k]; k++)
    status = rx_outcomes_vector(outcomes, of, c->columns[k], &n[k], &values[k]);
  for (size_t i = 0; i < n[0] && i < n[1] && !status; i++) {
    if (!isfinite(values[0][i]) || !isfinite(values[1][i])) continue;
    *has = true;
    fprintf(data, "%.6g %.6g %.6g\n", values[0][i], values[1][i], i < n[2] ? values[2][i] : NAN);
  }
  if (*has) fputs("\n\n", data);
  for (int k = 0; k < 3; k++) free(values[k]);
  return status;
}

static void begin_panel(const rx_outcomes *outcomes, size_t o, size_t panel, size_t n_rows,
                        const curves *c, const rx_figure *figure) {
  double left = PANEL_LEFT + (double)(panel % A_ROW) * (PANEL + 66);
  const size_t row = n_rows - 1 - panel / A_ROW;
  double bottom = PANEL_BOTTOM + (double)row * (PANEL + 92);
  char name[160], title[256];

  rx_html_short(outcomes->outcomes[o], 24, name, sizeof name);
  snprintf(title, sizeof title, "%s", name);
  rx_figure_panel(figure, left, left + PANEL, bottom, bottom + PANEL);
  fputs("set title ", figure->script);
  rx_figure_quote(figure->script, title);
  fprintf(figure->script, " offset 0,-0.4\nset xlabel '%s' offset 0,0.3\n", c->x);
  if (panel % A_ROW == 0)
    fprintf(figure->script, "set ylabel '%s' offset 0.5\n", c->y);
  else
    fputs("unset ylabel\n", figure->script);
}

/* A legend within the panel, short: the colours of sets are named with their AUC. */
static void plot_set(const rx_outcome *of, size_t s, size_t index, const curves *c, FILE *script) {
  char name[160], text[256];

  rx_html_short(of->set, 14, name, sizeof name);
  if (c->has_auc)
    snprintf(text, sizeof text, "%s %.2f (%.2f-%.2f)", name, of->auc, of->lower, of->upper);
  else
    snprintf(text, sizeof text, "%s", name);
  fprintf(script, "data index %zu using 1:2 with %s lc rgb '%s' title ", index, c->style,
          rx_figure_colour(s));
  rx_figure_quote(script, text);
}

static rx_status add_panel(const rx_outcomes *outcomes, size_t o, const curves *c, size_t *index,
                           const rx_figure *figure) {
  bool is_first = true, has;

  fprintf(figure->script, "%splot %s", c->ranges, c->reference);
  if (*c->reference) is_first = false;
  for (size_t s = 0; s < outcomes->n_sets; s++) {
    const rx_outcome *of = &outcomes->items[o * outcomes->n_sets + s];
    RX_TRY(write_curve(outcomes, of, c, figure->data, &has));
    if (!has) continue;
    if (!is_first) fputs(", ", figure->script);
    plot_set(of, s, (*index)++, c, figure->script);
    is_first = false;
  }
  if (is_first) fputs("NaN", figure->script);
  fputc('\n', figure->script);
  return RX_OK;
}

static rx_status draw_panels(rx_page *page, const rx_outcomes *outcomes, const curves *c) {
  size_t n = outcomes->n_outcomes < MOST_PANELS ? outcomes->n_outcomes : MOST_PANELS, index = 0;
  size_t n_rows = (n + A_ROW - 1) / A_ROW, n_columns = n < A_ROW ? n : A_ROW;
  rx_figure figure;

  RX_TRY(rx_figure_begin(&page->figures, c->name, PANEL_LEFT + (int)n_columns * (PANEL + 66) - 48,
                         (int)n_rows * (PANEL + 92) - 4, &figure));
  fputs("set multiplot\n", figure.script);
  rx_status status = RX_OK;
  for (size_t o = 0; o < n && !status; o++) {
    begin_panel(outcomes, o, o, n_rows, c, &figure);
    status = add_panel(outcomes, o, c, &index, &figure);
  }
  fputs("unset multiplot\n", figure.script);
  RX_TRY(rx_figure_end(&page->figures, &figure, status));
  rx_page_figure(page, page->figures.n - 1, c->title);
  fputs(c->caption, page->out);
  rx_page_figure_end(page);
  return RX_OK;
}

rx_status rx_outcome_figures_roc(rx_page *page, const rx_outcomes *outcomes) {
  static const curves roc = {
      "roc",
      "ROC curves",
      "false positive rate",
      "true positive rate",
      {"roc/false_positive", "roc/true_positive", NULL},
      "set xrange [0:1]; set yrange [0:1]; set xtics 0.5; set ytics 0.5\nset key bottom right "
      "samplen 1 font small noopaque\n",
      "x with lines ls 100 notitle",
      "lines lw 1.8",
      true,
      "Scores of patients; AUC with DeLong's 95 % interval beside each set of features. Dashed: "
      "chance.",
  };

  return draw_panels(page, outcomes, &roc);
}

rx_status rx_outcome_figures_paths(rx_page *page, const rx_outcomes *outcomes) {
  static const curves paths = {
      "paths",
      "AUC against the number of features",
      "features in the model",
      "AUC (cross-validated)",
      {"path/nonzeros", "path/cv_auc_patients", NULL},
      "set logscale x; set xrange [1:*]; set yrange [0:1]; set ytics 0.25\nset key bottom right "
      "samplen 1 font small noopaque\n",
      "0.5 with lines ls 100 notitle",
      "linespoints pt 7 ps 0.3 lw 1.4",
      false,
      "Along the path of the lasso on all patients: AUC of patients in the folds that choose "
      "lambda. The best point of such a curve is too good, since it was chosen for being best; "
      "the AUC to quote is the nested one above.",
  };

  return draw_panels(page, outcomes, &paths);
}

rx_status rx_outcome_figures_calibration(rx_page *page, const rx_outcomes *outcomes) {
  static const curves calibration = {
      "calibration",
      "Calibration",
      "predicted probability",
      "observed share",
      {"calibration/predicted", "calibration/observed", "calibration/patients"},
      "set xrange [0:1]; set yrange [0:1]; set xtics 0.5; set ytics 0.5\nset key top left Left "
      "reverse samplen 1 font small noopaque\n",
      "x with lines ls 100 notitle",
      "linespoints pt 7 ps 0.6 lw 1.4",
      false,
      "Fifths of the patients by their score; dashed: predictions that are right on average. The "
      "slopes are in the table.",
  };

  return draw_panels(page, outcomes, &calibration);
}
