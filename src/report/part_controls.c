/* The controls beside the real run, as numbers of factors and of hits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controls.h"
#include "outcomes.h"
#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { MOST_ROWS = RX_CONTROLS_RANDOM + 4 };

/* One row: a run, or the mean of many with their 95 % range. */
typedef struct {
  char label[96];
  int group; /* 0 real, 1 random encoders, 2 permutations, 3 other features */
  rx_control_counts counts, low, high;
  double overlap; /* factors that the real run has too; NAN: not asked */
  bool has_range;
} row;

typedef struct {
  int n;
  row rows[MOST_ROWS];
  size_t n_permutations;
} table;

/* ---- reading ---- */

/* Factors with hierarchical hits in both files; the factors are the same. */
static double count_overlap(const rx_matrix *real, const char *path) {
  const rx_column *mine = rx_frame_find(real->var, "n_hits_hierarchical");
  rx_matrix *other = NULL;
  double n = 0;

  if (!mine || rx_matrix_open(MPI_COMM_SELF, path, &other)) return NAN;
  const rx_column *theirs = rx_frame_find(other->var, "n_hits_hierarchical");
  for (size_t f = 0; f < real->n_var && f < other->n_var && theirs; f++)
    n += rx_study_value(mine, f) > 0 && rx_study_value(theirs, f) > 0;
  rx_matrix_destroy(&other);
  return n;
}

/* Adds a run whose file is there. */
static rx_status add_run(rx_page *page, const char *name, const char *label, int group, table *t) {
  const rx_matrix *real = page->study->matrices[RX_STUDY_ASSOCIATIONS];
  char path[RX_PATH_SIZE];
  row *r = &t->rows[t->n];

  if (*name)
    RX_TRY(rx_controls_path(page->job, name, "associations.h5ad", path, sizeof path));
  else
    RX_TRY(rx_job_path(page->job, "associations.h5ad", path, sizeof path));
  if (access(path, F_OK)) return RX_OK;
  *r = (row){.group = group, .overlap = NAN};
  snprintf(r->label, sizeof r->label, "%s", label);
  RX_TRY(rx_controls_count(path, &r->counts));
  if (group == 1) r->overlap = count_overlap(real, path);
  t->n++;
  return RX_OK;
}

static int compare_values(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* Mean and 2.5 and 97.5 % of one count; values [n] is workspace. */
static void summarise(const rx_control_counts *runs, size_t n, size_t offset, double *values,
                      row *r) {
  double sum = 0;

  for (size_t k = 0; k < n; k++) {
    memcpy(&values[k], (const char *)&runs[k] + offset, sizeof *values);
    sum += values[k];
  }
  qsort(values, n, sizeof *values, compare_values);
  double mean = sum / (double)n, low = values[(size_t)floor(0.025 * (double)(n - 1))];
  double high = values[(size_t)ceil(0.975 * (double)(n - 1))];
  memcpy((char *)&r->counts + offset, &mean, sizeof mean);
  memcpy((char *)&r->low + offset, &low, sizeof low);
  memcpy((char *)&r->high + offset, &high, sizeof high);
}

static rx_status add_permutations(rx_page *page, table *t) {
  rx_control_counts *runs = NULL;
  double *values = NULL;
  row *r = &t->rows[t->n];
  size_t n = 0;

  rx_status status = rx_controls_read_permutations(page->job, &n, &runs);
  if (!status && n) status = RX_NEW(&values, "permutations", n);
  if (!status && n) {
    *r = (row){.group = 2, .overlap = NAN, .has_range = true};
    snprintf(r->label, sizeof r->label, "patients permuted, %zu times", n);
    for (size_t offset = 0; offset < sizeof *runs; offset += sizeof(double))
      summarise(runs, n, offset, values, r);
    t->n_permutations = n;
    t->n++;
  }
  free(values);
  free(runs);
  return status;
}

static rx_status read_table(rx_page *page, table *t) {
  char name[32], label[64];

  RX_TRY(add_run(page, "", "this study", 0, t));
  for (int k = 1; k <= RX_CONTROLS_RANDOM; k++) {
    snprintf(name, sizeof name, "random-%d", k);
    snprintf(label, sizeof label, "random encoder %d", k);
    RX_TRY(add_run(page, name, label, 1, t));
  }
  RX_TRY(add_permutations(page, t));
  RX_TRY(add_run(page, "compare", "conventional features", 3, t));
  return add_run(page, "compare-deep", "deep features, same patients", 3, t);
}

/* ---- what follows ---- */

typedef struct {
  int n_random;
  double least_random, most_random, overlap; /* factors; overlap: mean */
  const row *permuted;                       /* NULL: none */
} verdict;

static verdict judge(const table *t) {
  verdict v = {.least_random = INFINITY};

  for (int i = 0; i < t->n; i++) {
    const row *r = &t->rows[i];
    if (r->group == 2) v.permuted = r;
    if (r->group != 1) continue;
    v.n_random++;
    v.least_random = fmin(v.least_random, r->counts.factors_hierarchical);
    v.most_random = fmax(v.most_random, r->counts.factors_hierarchical);
    v.overlap += r->overlap;
  }
  if (v.n_random) v.overlap /= v.n_random;
  return v;
}

static const char *conclude(const verdict *v, double factors) {
  if (factors <= 0) return "This study finds nothing that could be compared";
  bool is_above_chance = v->permuted && factors > v->permuted->high.factors_hierarchical;

  if (v->permuted && !is_above_chance) return "No more than chance";
  if (v->n_random && factors <= v->most_random)
    return v->permuted ? "More than chance, but a random encoder finds as much"
                       : "A random encoder finds as much";
  if (v->n_random && v->permuted) return "More than chance, and more than random encoders";
  return v->permuted ? "More than chance" : "More than random encoders";
}

static void answer(rx_page *page, const table *t) {
  FILE *fact = rx_page_fact(page, "What do the controls say?");
  verdict v = judge(t);

  if (!v.n_random && !v.permuted) {
    fputs("not known: no controls were run (<code>report.controls = yes</code> runs them)", fact);
  } else {
    double factors = t->rows[0].counts.factors_hierarchical;
    rx_html_print(fact, "<b>%s</b>: %g factors with hits in this study", conclude(&v, factors),
                  factors);
    if (v.n_random)
      rx_html_print(fact, "; %g to %g with %d random encoders", v.least_random, v.most_random,
                    v.n_random);
    if (v.n_random && factors > 0)
      rx_html_print(fact, ", on average %.3g of them the same", v.overlap);
    if (v.permuted)
      rx_html_print(fact, "; %.2g on average with patients permuted (95 %% range %g to %g)",
                    v.permuted->counts.factors_hierarchical, v.permuted->low.factors_hierarchical,
                    v.permuted->high.factors_hierarchical);
    fputs(".", fact);
  }
  rx_page_fact_end(page);
}

/* ---- table ---- */

static void put_count(FILE *out, const row *r, double value, double low, double high) {
  if (r->has_range)
    fprintf(out, "<td class=\"n\" data-v=\"%g\">%.3g (%g to %g)", value, value, low, high);
  else
    rx_html_integer(out, value);
}

static void put_row(FILE *out, const row *r) {
  const rx_control_counts *c = &r->counts, *l = &r->low, *h = &r->high;

  rx_html_row(out);
  rx_html_cell(out, r->label);
  put_count(out, r, c->factors_hierarchical, l->factors_hierarchical, h->factors_hierarchical);
  put_count(out, r, c->hits_hierarchical, l->hits_hierarchical, h->hits_hierarchical);
  put_count(out, r, c->factors_all, l->factors_all, h->factors_all);
  put_count(out, r, c->hits_all, l->hits_all, h->hits_all);
  put_count(out, r, c->factors_factor, l->factors_factor, h->factors_factor);
  put_count(out, r, c->hits_factor, l->hits_factor, h->hits_factor);
  rx_html_integer(out, r->overlap);
}

static void show_table(rx_page *page, const table *t) {
  rx_html_table(page->out, "controls",
                "Run|#Factors, hierarchical|#Hits, hierarchical|#Factors, whole grid|#Hits, whole "
                "grid|#Factors, per factor|#Hits, per factor|#Factors of this study among them",
                "");
  for (int i = 0; i < t->n; i++) put_row(page->out, &t->rows[i]);
  rx_html_table_end(page->out);
  fputs(
      "<p>All at q &lt; 0.05. Permutations: mean and 95 % range. What the last line but one column "
      "counts per factor is the paper's way: compare it with what it finds where patients are "
      "permuted and nothing is true. A random encoder is the same network without training: what "
      "it finds as well is no merit of deep learning.</p>\n",
      page->out);
}

/* ---- figure ---- */

static void write_points(const table *t, FILE *data) {
  fputs("# place, factors, hits, colour\n", data);
  for (int i = 0; i < t->n; i++)
    fprintf(data, "%d %g %g %ld\n", i, t->rows[i].counts.factors_hierarchical,
            t->rows[i].counts.hits_hierarchical,
            strtol(rx_figure_colour((size_t)t->rows[i].group) + 1, NULL, 16));
  fputs("\n\n# place, factors: low, high; hits: low, high\n", data);
  for (int i = 0; i < t->n; i++)
    if (t->rows[i].has_range)
      fprintf(data, "%d %g %g %g %g\n", i, t->rows[i].low.factors_hierarchical,
              t->rows[i].high.factors_hierarchical, t->rows[i].low.hits_hierarchical,
              t->rows[i].high.hits_hierarchical);
  fputs("NaN NaN NaN NaN NaN\n", data);
}

static void script_panel(const rx_figure *figure, double left, double right, const char *label,
                         int column, int low) {
  rx_figure_panel(figure, left, right, 60, figure->height - 12);
  fprintf(
      figure->script,
      "set xrange [0:*]; set xlabel '%s' offset 0,0.3\n"
      "plot data index 1 using %d:1:(column(%d)-column(%d)):(0) with vectors nohead lw 3 lc rgb "
      "'#bbbbbb', data index 0 using %d:1:4 with points pt 7 ps 0.8 lc rgb variable\n",
      label, low, low + 1, low, column);
}

static void script_controls(const table *t, const rx_figure *figure) {
  FILE *script = figure->script;

  fprintf(script,
          "set multiplot\nunset key; set yrange [%g:-0.5]\nset offsets graph 0, graph 0.05, 0, 0\n"
          "set ytics scale 0 (",
          (double)t->n - 0.5);
  for (int i = 0; i < t->n; i++) {
    if (i) fputs(", ", script);
    rx_figure_quote_tic(script, t->rows[i].label);
    fprintf(script, " %d", i);
  }
  fputs(")\n", script);
  script_panel(figure, 205, 455, "factors with hits", 2, 2);
  fputs("unset ytics\n", script);
  script_panel(figure, 485, 735, "hits", 3, 4);
  fputs("unset multiplot\n", script);
}

static rx_status show_figure(rx_page *page, const table *t) {
  rx_figure figure;

  RX_TRY(rx_figure_begin(&page->figures, "controls", 760, 80 + 22 * t->n, &figure));
  write_points(t, figure.data);
  script_controls(t, &figure);
  RX_TRY(rx_figure_end(&page->figures, &figure, RX_OK));
  rx_page_figure(page, page->figures.n - 1, "This study beside its controls");
  fputs(
      "Factors with hits, and hits, at hierarchical q &lt; 0.05; grey: 95 % range over "
      "permutations of patients.",
      page->out);
  rx_page_figure_end(page);
  return RX_OK;
}

/* ---- slices held out ---- */

static void put_outcomes(rx_page *page, const rx_outcomes *real, const rx_outcomes *leaky) {
  fputs("<h3>Prediction: patients held out, and slices held out</h3>\n", page->out);
  rx_html_table(page->out, "split",
                "Outcome|Features|#AUC, patients held out|#AUC, slices held out|#AUC of slices, "
                "slices held out",
                "");
  for (size_t i = 0; i < real->n_outcomes * real->n_sets; i++)
    for (size_t k = 0; k < leaky->n_outcomes * leaky->n_sets; k++) {
      if (strcmp(real->items[i].outcome, leaky->items[k].outcome) ||
          strcmp(real->items[i].set, leaky->items[k].set))
        continue;
      rx_html_row(page->out);
      rx_html_cell(page->out, real->items[i].outcome);
      rx_html_cell(page->out, real->items[i].set);
      rx_html_number(page->out, real->items[i].auc, 3);
      rx_html_number(page->out, leaky->items[k].auc, 3);
      rx_html_number(page->out, leaky->items[k].rows_auc, 3);
    }
  rx_html_table_end(page->out);
  fputs(
      "<p>The difference is leakage: slices of one patient are alike, and a model that has seen "
      "some of them knows the others. Only the first column says how new patients would be "
      "predicted.</p>\n",
      page->out);
}

static rx_status show_split(rx_page *page) {
  const rx_store *store = page->study->stores[RX_STUDY_PREDICTIONS];
  char path[RX_PATH_SIZE];
  rx_store *other = NULL;
  rx_outcomes *real = NULL, *leaky = NULL;

  RX_TRY(rx_controls_path(page->job, "split-image", "predictions.h5", path, sizeof path));
  if (!store || access(path, F_OK)) return RX_OK;
  rx_status status = rx_store_open(path, &other);
  if (!status) status = rx_outcomes_read(store, &real);
  if (!status) status = rx_outcomes_read(other, &leaky);
  if (!status) put_outcomes(page, real, leaky);
  rx_outcomes_destroy(&real);
  rx_outcomes_destroy(&leaky);
  rx_store_close(&other);
  return status;
}

rx_status rx_part_controls(rx_page *page) {
  table t = {0};

  rx_page_section(page, "controls-section", "Controls");
  if (page->study->matrices[RX_STUDY_ASSOCIATIONS]) RX_TRY(read_table(page, &t));
  answer(page, &t);
  if (t.n > 1) {
    RX_TRY(show_figure(page, &t));
    show_table(page, &t);
  } else {
    fputs(
        "<p class=\"absent\">Controls of the associations: absent. <code>report.controls = "
        "yes</code> runs random encoders, permutations of patients, and other features on the "
        "same patients.</p>\n",
        page->out);
  }
  return show_split(page);
}
