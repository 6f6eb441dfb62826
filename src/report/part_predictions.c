/* Prediction of outcomes: is it better than chance, and by which features. */
#include <math.h>
#include <string.h>

#include "outcome_figures.h"
#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { MOST_SELECTED = 500 };

static const char question[] = "Is prediction better than chance when split by patient?";

/* ---- the answer ---- */

static bool is_better(const rx_outcome *o) {
  if (!rx_outcome_is_ok(o)) return false;
  if (isfinite(o->permutation_p)) return o->permutation_p < 0.05;
  return o->lower > 0.5;
}

static void list_outcomes(FILE *fact, const rx_outcomes *all) {
  bool is_first = true;

  for (size_t o = 0; o < all->n_outcomes && o < 8; o++) {
    const rx_outcome *of = &all->items[o * all->n_sets];
    rx_html_print(fact, "%s%s ", is_first ? " " : "; ", of->outcome);
    if (rx_outcome_is_ok(of))
      rx_html_print(fact, "%.2f (%.2f to %.2f)", of->auc, of->lower, of->upper);
    else
      rx_html_print(fact, "not predicted (%s)", of->status);
    is_first = false;
  }
  fputs(all->n_outcomes > 8 ? "; ..." : ".", fact);
}

static void answer_binary(rx_page *page, const rx_outcomes *all) {
  FILE *fact = rx_page_fact(page, question);
  size_t better = 0, n = 0;

  for (size_t o = 0; o < all->n_outcomes; o++) {
    better += is_better(&all->items[o * all->n_sets]);
    n += rx_outcome_is_ok(&all->items[o * all->n_sets]);
  }
  if (all->is_split_by_image)
    fputs(
        "<b>Not known</b>: slices were held out, not patients, so that the AUCs are inflated by "
        "leakage.",
        fact);
  else if (!n)
    fputs("<b>Not known</b>: no outcome could be predicted.", fact);
  else
    rx_html_print(fact, "<b>%s</b>: for %zu of %zu outcomes (by chance about %.1f).",
                  better ? "Yes" : "No", better, n, 0.025 * (double)n);
  if (n && !all->is_split_by_image) {
    rx_html_print(fact, " AUC from %s, 95 %% interval:", all->sets[0]);
    list_outcomes(fact, all);
  }
  rx_page_fact_end(page);
}

static void answer_gaussian(rx_page *page, const rx_outcomes *all) {
  FILE *fact = rx_page_fact(page, question);

  for (size_t o = 0; o < all->n_outcomes; o++) {
    const rx_outcome *of = &all->items[o * all->n_sets];
    rx_html_print(fact, "%s%s: R2 out of fold %.2f", o ? "; " : "", of->outcome, of->r2);
  }
  fputs(". Above 0 is better than the mean.", fact);
  rx_page_fact_end(page);
}

/* ---- tables ---- */

static void show_performance(rx_page *page, const rx_outcomes *all) {
  FILE *out = page->out;
  char text[64];

  rx_html_table(
      out, "outcomes",
      "Outcome|Features|Status|#Patients|#Positive|#AUC|95 % interval|Bootstrap|#AUC of "
      "slices|#p, permuted|#F1|#F1 of all positive|#Balanced accuracy|#Brier|#Calibration "
      "slope",
      "0,1");
  for (size_t i = 0; i < all->n_outcomes * all->n_sets; i++) {
    const rx_outcome *o = &all->items[i];
    rx_html_row(out);
    rx_html_cell(out, o->outcome);
    rx_html_cell(out, o->set);
    rx_html_cell(out, o->status);
    rx_html_integer(out, o->n_patients);
    rx_html_integer(out, o->n_positive);
    rx_html_number(out, o->auc, 3);
    snprintf(text, sizeof text, "%.2f to %.2f", o->lower, o->upper);
    rx_html_cell(out, isfinite(o->lower) ? text : "");
    snprintf(text, sizeof text, "%.2f to %.2f", o->bootstrap_lower, o->bootstrap_upper);
    rx_html_cell(out, isfinite(o->bootstrap_lower) ? text : "");
    rx_html_number(out, o->rows_auc, 3);
    rx_html_number(out, o->permutation_p, 3);
    rx_html_number(out, o->f1, 3);
    rx_html_number(out, o->f1_all_positive, 3);
    rx_html_number(out, o->balanced_accuracy, 3);
    rx_html_number(out, o->brier, 3);
    rx_html_number(out, o->slope, 3);
  }
  rx_html_table_end(out);
  fputs("<p>An F1 says something only beside the F1 of calling every patient positive.</p>\n", out);
}

/* Features that the folds of an outcome selected. Writes at most what is left of *room. */
static rx_status add_selected(rx_page *page, const rx_outcomes *all, const rx_outcome *o,
                              size_t *room) {
  char path[640];
  char **names = NULL;
  size_t n = 0, n_share = 0, n_alone = 0;
  double *share = NULL, *alone = NULL;

  snprintf(path, sizeof path, "%s/selected/feature", o->group);
  if (!rx_store_has(all->store, path)) return RX_OK;
  rx_status status = rx_store_get_texts(all->store, path, &n, &names);
  if (!status) status = rx_outcomes_vector(all, o, "selected/share", &n_share, &share);
  if (!status) status = rx_outcomes_vector(all, o, "selected/auc_alone", &n_alone, &alone);
  for (size_t i = 0; i < n && *room && !status; i++) {
    if (i < n_share && share[i] < 0.5) continue;
    (*room)--;
    rx_html_row(page->out);
    rx_html_cell(page->out, o->outcome);
    rx_html_cell(page->out, o->set);
    rx_html_cell(page->out, names[i]);
    rx_html_number(page->out, i < n_share ? 100 * share[i] : NAN, 3);
    rx_html_number(page->out, i < n_alone ? alone[i] : NAN, 3);
  }
  rx_texts_destroy(&names, n);
  free(share);
  free(alone);
  return status;
}

static rx_status show_selected(rx_page *page, const rx_outcomes *all) {
  size_t room = MOST_SELECTED;

  fputs("<h3>Features that at least half of the folds selected</h3>\n", page->out);
  rx_html_table(page->out, "selected", "Outcome|Features|Feature|#Folds, %|#AUC alone", "0,1");
  for (size_t i = 0; i < all->n_outcomes * all->n_sets; i++)
    RX_TRY(add_selected(page, all, &all->items[i], &room));
  rx_html_table_end(page->out);
  rx_html_print(page->out,
                "<p>%sThe lasso takes one of several correlated features by chance: "
                "absence from this list says little.</p>\n",
                room ? "" : "The first 500; all are in <code>predictions-selected.tsv</code>. ");
  return RX_OK;
}

/* ---- the part ---- */

static bool has_any(const rx_outcomes *all) {
  for (size_t i = 0; i < all->n_outcomes * all->n_sets; i++)
    if (rx_outcome_is_ok(&all->items[i])) return true;
  return false;
}

static rx_status show(rx_page *page, const rx_outcomes *all) {
  char *learned = NULL;

  if (rx_store_has(all->store, "learned") && !rx_store_get_text(all->store, "learned", &learned) &&
      *learned)
    rx_html_print(page->out, "<p>Learned on all patients, without outcomes: %s.</p>\n", learned);
  free(learned);
  if (all->is_split_by_image)
    fputs(
        "<p class=\"warning\">Slices of one patient are in training and in test "
        "(<code>prediction.split = image</code>, as in the paper). With labels that are pure "
        "noise this gives AUCs of 0.88 to 0.99.</p>\n",
        page->out);
  if (all->is_binary && has_any(all)) {
    RX_TRY(rx_outcome_figures_intervals(page, all));
    RX_TRY(rx_outcome_figures_roc(page, all));
    RX_TRY(rx_outcome_figures_paths(page, all));
    RX_TRY(rx_outcome_figures_calibration(page, all));
  }
  show_performance(page, all);
  return show_selected(page, all);
}

rx_status rx_part_predictions(rx_page *page) {
  const rx_store *store = page->study->stores[RX_STUDY_PREDICTIONS];
  rx_outcomes *all = NULL;

  rx_page_section(page, "predictions", "Prediction of outcomes");
  if (!store) {
    rx_page_absent(page, "Predictions", RX_STUDY_PREDICTIONS);
    fputs("not known: nothing was predicted", rx_page_fact(page, question));
    rx_page_fact_end(page);
    return RX_OK;
  }
  RX_TRY(rx_outcomes_read(store, &all));
  if (all->is_binary)
    answer_binary(page, all);
  else
    answer_gaussian(page, all);
  rx_status status = show(page, all);
  rx_outcomes_destroy(&all);
  return status;
}
