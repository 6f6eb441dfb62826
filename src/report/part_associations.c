/* Associations: counts, hits of each factor, p values against chance, the strongest cells. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "survey.h"
#include "survey_figures.h"

enum { MOST_HITS = 1000, MOST_BARS = 30, LABELS = 300 /* pixels for 24 capitals */ };

/* ---- summary ---- */

/* The gene with most hits, when the factor with most is no gene. */
static void add_gene(FILE *fact, const rx_survey *survey) {
  char hits[RX_WORD_SIZE];

  for (size_t i = 0; i < survey->n_factors; i++) {
    const rx_survey_factor *factor = &survey->factors[survey->ranking[i]];
    if (factor->hits_hierarchical <= 0) return;
    if (strcmp(survey->kinds[factor->kind].name, "gene")) continue;
    if (i)
      rx_html_print(fact, " Among genes it is <b>%s</b> (%s).",
                    survey->matrix->var->names[survey->ranking[i]],
                    rx_html_count(factor->hits_hierarchical, hits));
    return;
  }
}

static void answer(rx_page *page, const rx_survey *survey) {
  FILE *fact = rx_page_fact(page, "Which gene has most hits?");
  const rx_survey_kind *total = &survey->total;
  char hits[RX_WORD_SIZE], features[RX_WORD_SIZE];
  size_t best = survey->n_factors ? survey->ranking[0] : 0;

  if (total->hits_hierarchical > 0) {
    rx_html_print(fact,
                  "<b>%s</b> (%s): %s of %s features. %zu of %zu factors have hits (hierarchical q "
                  "&lt; 0.05).",
                  survey->matrix->var->names[best], survey->kinds[survey->factors[best].kind].name,
                  rx_html_count(survey->factors[best].hits_hierarchical, hits),
                  rx_html_count((double)survey->n_features, features), total->factors_hierarchical,
                  total->n_factors);
    add_gene(fact, survey);
  } else {
    rx_html_print(
        fact, "<b>None</b>: no feature goes with any of %zu factors at hierarchical q &lt; 0.05.",
        total->n_factors);
  }
  rx_page_fact_end(page);
}

static void row_of_counts(FILE *out, const char *name, const rx_survey_kind *kind) {
  rx_html_row(out);
  rx_html_cell(out, name);
  rx_html_integer(out, (double)kind->n_factors);
  rx_html_integer(out, kind->n_tests);
  rx_html_integer(out, kind->hits_hierarchical);
  rx_html_integer(out, (double)kind->factors_hierarchical);
  rx_html_integer(out, kind->hits_all);
  rx_html_integer(out, (double)kind->factors_all);
  rx_html_integer(out, kind->hits_factor);
  rx_html_integer(out, (double)kind->factors_factor);
}

static size_t count_tested(const rx_survey *survey) {
  size_t n = 0;

  for (size_t f = 0; f < survey->n_factors; f++) n += survey->factors[f].n_tests > 0;
  return n;
}

static void show_counts(rx_page *page, const rx_survey *survey) {
  FILE *out = page->out;
  size_t tested = count_tested(survey);

  fputs("<h3>Hits (q &lt; 0.05)</h3>\n", out);
  rx_html_table(out, "counts",
                "Kind of factor|#Factors|#Tests|#Hits, hierarchical|#Factors, hierarchical|"
                "#Hits, whole grid|#Factors, whole grid|#Hits, per factor|#Factors, per factor",
                "");
  for (int k = 0; k < survey->n_kinds; k++)
    row_of_counts(out, survey->kinds[k].name, &survey->kinds[k]);
  if (survey->n_kinds > 1) row_of_counts(out, "all", &survey->total);
  rx_html_table_end(out);
  rx_html_print(
      out,
      "<p>A hit is a feature and a factor. <b>Hierarchical</b> (Benjamini &amp; Bogomolov "
      "2014) first finds factors, then features within them: count and quote these. "
      "<b>Whole grid</b> is one family of all tests. <b>Per factor</b> is the paper's way "
      "of counting: each factor is a family of its own, so that with nothing true up to "
      "%.1f of the %zu tested factors would still be expected to have a hit.</p>\n",
      0.05 * (double)tested, tested);
}

/* ---- bars ---- */

static void script_bars(const rx_survey *survey, size_t n, const rx_figure *figure) {
  FILE *script = figure->script;
  char name[160];

  rx_figure_panel(figure, LABELS, figure->width - 20, 60, figure->height - 34);
  fprintf(
      script,
      "set yrange [%g:-0.6]; set xrange [0:*]\nset xlabel 'hits: features with hierarchical q "
      "< 0.05' offset 0,0.3\nset style fill solid 1 noborder; set grid noytics; set boxwidth 0.8\n"
      "set key outside top right horizontal\nset ytics scale 0\nset ytics (",
      (double)n - 0.4);
  for (size_t i = 0; i < n; i++) {
    rx_html_short(survey->matrix->var->names[survey->ranking[i]], 24, name, sizeof name);
    if (i) fputs(", ", script);
    rx_figure_quote_tic(script, name);
    fprintf(script, " %zu", i);
  }
  fputs(")\nplot ", script);
  for (int k = 0; k < survey->n_kinds; k++) {
    fprintf(script,
            "%sdata using (0):($2 == %d ? $1 : NaN):(0):3:($1-0.4):($1+0.4) with boxxyerror lc rgb "
            "'%s' title ",
            k ? ", " : "", k, rx_figure_colour((size_t)k));
    rx_html_short(survey->kinds[k].name, 16, name, sizeof name);
    rx_figure_quote(script, name);
  }
  fputc('\n', script);
}

static rx_status show_bars(rx_page *page, const rx_survey *survey) {
  size_t n = survey->total.factors_hierarchical, index = page->figures.n;
  rx_figure figure;

  if (!n) return RX_OK;
  if (n > MOST_BARS) n = MOST_BARS;
  RX_TRY(
      rx_figure_begin(&page->figures, "hits", 790, 100 + 17 * (int)n + (n < 4 ? 30 : 0), &figure));
  fputs("# place, kind, hits, factor\n", figure.data);
  for (size_t i = 0; i < n; i++) {
    const rx_survey_factor *factor = &survey->factors[survey->ranking[i]];
    fprintf(figure.data, "%zu %d %.0f\n", i, factor->kind, factor->hits_hierarchical);
  }
  script_bars(survey, n, &figure);
  RX_TRY(rx_figure_end(&page->figures, &figure, RX_OK));
  rx_page_figure(page, index, "Hits of each factor");
  rx_html_print(page->out,
                "The %zu factors with most hits, of %zu that have any, among %zu features. "
                "Neighbouring features are correlated: many hits of a factor are not as many "
                "findings.",
                n, survey->total.factors_hierarchical, survey->n_features);
  rx_page_figure_end(page);
  return RX_OK;
}

/* ---- p values against chance ---- */

/* Writes expected and observed -log10 p, from small p to large, few where they lie close. */
static void write_quantiles(const rx_survey_kind *kind, FILE *data, double *most) {
  double above = 0, last = INFINITY;

  for (size_t bin = RX_SURVEY_BINS; bin-- > 0;) {
    if (kind->bins[bin] <= 0) continue;
    double observed = ((double)bin + 0.5) / RX_SURVEY_BINS_A_UNIT;
    double expected = -log10((above + (kind->bins[bin] + 1) / 2) / (kind->n_tests + 1));
    above += kind->bins[bin];
    if (observed > *most) *most = observed;
    if (last - expected < 0.02 && bin) continue;
    fprintf(data, "%.4f %.4f\n", expected, observed);
    last = expected;
  }
  fputs("0 0\n\n\n", data);
}

static double mean_lambda(const rx_survey *survey, int kind) {
  const rx_column *lambda = rx_frame_find(survey->matrix->var, "lambda_gc");
  double sum = 0, n = 0;

  for (size_t f = 0; f < survey->n_factors; f++) {
    double value = rx_study_value(lambda, f);
    if (survey->factors[f].kind == kind && isfinite(value)) sum += value, n++;
  }
  return n > 0 ? sum / n : NAN;
}

static void script_quantiles(const rx_survey *survey, double most, const rx_figure *figure) {
  FILE *script = figure->script;
  char name[160], text[256];
  int drawn = 0;

  rx_figure_panel(figure, 75, 425, 60, 345);
  fprintf(script,
          "set xlabel 'expected -log10 p' offset 0,0.3\nset ylabel 'observed -log10 p' offset 0.5\n"
          "set xrange [0:*]; set yrange [0:%g]\nset key top left Left reverse\nplot x with lines "
          "ls 100 "
          "title 'chance'",
          most * (1.15 + 0.1 * survey->n_kinds) + 0.5); /* the key stands above the curves */
  for (int k = 0; k < survey->n_kinds; k++) {
    if (survey->kinds[k].n_tests <= 0) continue;
    rx_html_short(survey->kinds[k].name, 16, name, sizeof name);
    double lambda = mean_lambda(survey, k);
    if (isfinite(lambda))
      snprintf(text, sizeof text, "%s (mean lambda %.2f)", name, lambda);
    else
      snprintf(text, sizeof text, "%s", name);
    fprintf(script, ", data index %d using 1:2 with lines lw 2 lc rgb '%s' title ", drawn++,
            rx_figure_colour((size_t)k));
    rx_figure_quote(script, text);
  }
  fputc('\n', script);
}

/* The range of lambda under permutation, when there is one. */
static void say_lambda(rx_page *page, const rx_survey *survey) {
  const rx_column *lower = rx_frame_find(survey->matrix->var, "lambda_gc_low");
  const rx_column *upper = rx_frame_find(survey->matrix->var, "lambda_gc_high");
  const rx_column *lambda = rx_frame_find(survey->matrix->var, "lambda_gc");
  size_t n = 0, outside = 0;

  for (size_t f = 0; f < survey->n_factors && lower && upper; f++) {
    double value = rx_study_value(lambda, f);
    if (!isfinite(value) || !isfinite(rx_study_value(lower, f))) continue;
    n++;
    outside += value < rx_study_value(lower, f) || value > rx_study_value(upper, f);
  }
  if (n)
    rx_html_print(page->out,
                  "Lambda of %zu of %zu factors lies outside its 95 %% range under "
                  "permutation of patients.",
                  outside, n);
  else
    fputs(
        "Lambda cannot be judged by its distance from 1, since features are correlated: it needs "
        "its range under permutation (<code>association.permutations</code>), which was not "
        "asked for.",
        page->out);
}

static rx_status show_quantiles(rx_page *page, const rx_survey *survey) {
  size_t index = page->figures.n;
  rx_figure figure;
  double most = 0;
  char tests[RX_WORD_SIZE];

  if (survey->total.n_tests <= 0) return RX_OK;
  RX_TRY(rx_figure_begin(&page->figures, "quantiles", 440, 360, &figure));
  for (int k = 0; k < survey->n_kinds; k++)
    if (survey->kinds[k].n_tests > 0) write_quantiles(&survey->kinds[k], figure.data, &most);
  script_quantiles(survey, most, &figure);
  RX_TRY(rx_figure_end(&page->figures, &figure, RX_OK));
  rx_page_figure(page, index, "All p values against chance");
  rx_html_print(page->out,
                "%s tests. Curves above the line have more small p values than independent tests "
                "of nothing would. ",
                rx_html_count(survey->total.n_tests, tests));
  say_lambda(page, survey);
  rx_page_figure_end(page);
  return RX_OK;
}

/* ---- the strongest cells ---- */

static double log10_of(double q) {
  return q > 0 ? log10(q) : q == 0 ? -45 : NAN;
}

static void show_hits(rx_page *page, const rx_survey *survey) {
  const rx_frame *features = survey->matrix->obs, *factors = survey->matrix->var;

  rx_html_print(
      page->out,
      "<h3>The strongest associations</h3>\n<p>The %zu of smallest hierarchical q; all "
      "are in <code>associations.h5ad</code>. t is that of the mixed model; its sign says "
      "whether the feature rises with the factor.</p>\n",
      survey->n_top);
  rx_html_table(page->out, "hits",
                "Feature|Factor|Kind|#beta|#t|#p|#q hierarchical|#q whole grid|#q per factor",
                "1,2");
  for (size_t i = 0; i < survey->n_top; i++) {
    const rx_survey_cell *cell = &survey->top[i];
    rx_html_row(page->out);
    rx_html_cell(page->out, features->names[cell->feature]);
    rx_html_cell(page->out, factors->names[cell->factor]);
    rx_html_cell(page->out, survey->kinds[survey->factors[cell->factor].kind].name);
    rx_html_number(page->out, cell->beta, 3);
    rx_html_number(page->out, cell->t, 3);
    rx_html_log10(page->out, cell->log10_p);
    rx_html_log10(page->out, log10_of(cell->q_hierarchical));
    rx_html_log10(page->out, log10_of(cell->q_all));
    rx_html_log10(page->out, log10_of(cell->q_factor));
  }
  rx_html_table_end(page->out);
}

rx_status rx_part_associations(rx_page *page) {
  const rx_matrix *matrix = page->study->matrices[RX_STUDY_ASSOCIATIONS];
  rx_survey *survey = NULL;

  rx_page_section(page, "associations", "Associations");
  if (!matrix) {
    rx_page_absent(page, "Associations", RX_STUDY_ASSOCIATIONS);
    fputs("not known: there are no associations", rx_page_fact(page, "Which gene has most hits?"));
    rx_page_fact_end(page);
    return RX_OK;
  }
  if (!rx_matrix_has(matrix, "X")) {
    fputs("in associations.tsv: of this grid only hits are kept",
          rx_page_fact(page, "Which gene has most hits?"));
    rx_page_fact_end(page);
    fputs(
        "<p>This grid was made with <code>association.output = hits</code>: its hits are in "
        "<code>associations.tsv</code>, in <code>uns/hits</code> of "
        "<code>associations.h5ad</code>, and printed by <code>radmix top</code>; maps and "
        "heatmaps need the full grid.</p>\n",
        page->out);
    return RX_OK;
  }
  RX_TRY(rx_survey_create(matrix, MOST_HITS, &survey));
  answer(page, survey);
  show_counts(page, survey);
  rx_status status = show_bars(page, survey);
  if (!status) status = rx_maps_show(page, survey);
  if (!status) status = rx_heatmaps_show(page, survey);
  if (!status) status = show_quantiles(page, survey);
  if (!status) show_hits(page, survey);
  rx_survey_destroy(&survey);
  return status;
}
