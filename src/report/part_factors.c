/* Genomic factors: what each was made of, and those that could not be made. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/text.h"

enum { MOST_ROWS = 1000 };

static bool is_ok(const rx_column *status, size_t f) {
  return !status || status->kind != RX_TEXT || !strcmp(status->text[f], "ok");
}

/* Hits of a factor, found by its name among the associations; NAN when there are none to know. */
static rx_status find_hits(const rx_matrix *associations, rx_names **names) {
  ptrdiff_t before;

  *names = NULL;
  if (!associations) return RX_OK;
  RX_TRY(rx_names_create(names));
  rx_status status = RX_OK;
  for (size_t f = 0; f < associations->n_var && !status; f++)
    status = rx_names_add(*names, associations->var->names[f], (ptrdiff_t)f, &before);
  return status;
}

static double hits_of(const rx_matrix *associations, const rx_names *names, const char *factor) {
  ptrdiff_t f = names ? rx_names_find(names, factor) : -1;

  if (f < 0) return NAN;
  return rx_study_value(rx_frame_find(associations->var, "n_hits_hierarchical"), (size_t)f);
}

static void put_row(rx_page *page, const rx_frame *factors, size_t f, double hits) {
  static const char *const texts[] = {"kind", "source", "status", "fitted_on"};
  char number[32];

  rx_html_row(page->out);
  rx_html_cell(page->out, factors->names[f]);
  for (int i = 0; i < 4; i++)
    rx_html_cell(page->out, rx_study_text(rx_frame_find(factors, texts[i]), f, number));
  rx_html_integer(page->out, rx_study_value(rx_frame_find(factors, "n_genes"), f));
  rx_html_integer(page->out, rx_study_value(rx_frame_find(factors, "n_matched"), f));
  rx_html_integer(page->out, hits);
}

static void show_table(rx_page *page, const rx_matrix *factors, const rx_names *names) {
  const rx_matrix *associations = page->study->matrices[RX_STUDY_ASSOCIATIONS];
  const rx_column *status = rx_frame_find(factors->var, "status");
  bool is_long = factors->n_var > MOST_ROWS;
  size_t n_shown = 0;

  rx_html_table(page->out, "factor-table",
                "Factor|Kind|Source|Status|Fitted on|#Genes|#Matched|#Hits, hierarchical", "1,3");
  for (size_t f = 0; f < factors->n_var && n_shown < MOST_ROWS; f++) {
    double hits = hits_of(associations, names, factors->var->names[f]);
    if (is_long && is_ok(status, f) && !(hits > 0)) continue;
    put_row(page, factors->var, f, hits);
    n_shown++;
  }
  rx_html_table_end(page->out);
  if (is_long)
    rx_html_print(
        page->out,
        "<p>Of %zu factors those with hits, and those that could not be made, %zu in all; "
        "the others are in <code>factors.tsv</code>.</p>\n",
        factors->n_var, n_shown);
}

static void say(rx_page *page, const rx_matrix *factors) {
  const rx_column *status = rx_frame_find(factors->var, "status");
  const rx_column *fitted = rx_frame_find(factors->var, "fitted_on");
  size_t n_bad = 0, n_fitted = 0;
  char number[32], count[RX_WORD_SIZE];

  for (size_t f = 0; f < factors->n_var; f++) {
    n_bad += !is_ok(status, f);
    n_fitted += !strcmp(rx_study_text(fitted, f, number), "cohort");
  }
  rx_html_print(page->out, "<p>%s factors of %zu patients",
                rx_html_count((double)factors->n_var, count), factors->n_obs);
  if (n_bad)
    rx_html_print(page->out,
                  "; %zu could not be made (too few or missing genes) and are nowhere "
                  "tested",
                  n_bad);
  if (n_fitted)
    rx_html_print(page->out, "; the values of %zu depend on the other patients of the cohort",
                  n_fitted);
  fputs(".</p>\n", page->out);
}

rx_status rx_part_factors(rx_page *page) {
  const rx_matrix *factors = page->study->matrices[RX_STUDY_FACTORS];
  rx_names *names = NULL;

  rx_page_section(page, "factors", "Genomic factors");
  if (!factors) {
    rx_page_absent(page, "Genomic factors", RX_STUDY_FACTORS);
    return RX_OK;
  }
  say(page, factors);
  rx_status status = find_hits(page->study->matrices[RX_STUDY_ASSOCIATIONS], &names);
  if (!status) show_table(page, factors, names);
  rx_names_destroy(&names);
  return status;
}
