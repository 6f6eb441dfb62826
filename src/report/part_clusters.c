/* Clusters: patients x features with both trees and clinical bars, t-SNE, tests. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_figures.h"
#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* ---- words and tables ---- */

static void say(rx_page *page, const rx_store *store) {
  rx_html_print(page->out,
                "<p>%g clusters of patients (mean silhouette %.2f) and %g of features (%.2f). A "
                "silhouette near 0 says that the clusters are cuts through one cloud.",
                rx_study_number(store, "uns/patient_clusters/n_clusters"),
                rx_study_number(store, "uns/patient_clusters/silhouette"),
                rx_study_number(store, "uns/feature_clusters/n_clusters"),
                rx_study_number(store, "uns/feature_clusters/silhouette"));
  double share = rx_study_number(store, "uns/structure/share_between");
  double effective = rx_study_number(store, "uns/structure/effective_features_li_ji");
  if (isfinite(share))
    rx_html_print(page->out, " %.0f %% of the variance of features lies between patients.",
                  100 * share);
  if (isfinite(effective))
    rx_html_print(page->out,
                  " The correlated features count as about %.0f independent ones (Li &amp; Ji).",
                  effective);
  fputs("</p>\n", page->out);
}

static rx_status show_tests(rx_page *page, const rx_store *store) {
  rx_frame *tests = NULL;
  char number[32];

  if (!rx_store_has(store, "uns/tests")) return RX_OK;
  RX_TRY(rx_store_get_frame(store, "uns/tests", &tests));
  fputs("<h3>Clusters of patients against what is known of them</h3>\n", page->out);
  rx_html_table(page->out, "cluster-tests",
                "Column|Test|#Patients|#Levels|#Statistic|#p|#q|#Adjusted Rand index", "");
  for (size_t r = 0; r < tests->n_rows; r++) {
    double p = rx_study_value(rx_frame_find(tests, "p"), r);
    double q = rx_study_value(rx_frame_find(tests, "q"), r);
    rx_html_row(page->out);
    rx_html_cell(page->out, tests->names[r]);
    rx_html_cell(page->out, rx_study_text(rx_frame_find(tests, "test"), r, number));
    rx_html_integer(page->out, rx_study_value(rx_frame_find(tests, "n"), r));
    rx_html_integer(page->out, rx_study_value(rx_frame_find(tests, "levels"), r));
    rx_html_number(page->out, rx_study_value(rx_frame_find(tests, "statistic"), r), 4);
    rx_html_log10(page->out, p > 0 ? log10(p) : NAN);
    rx_html_log10(page->out, q > 0 ? log10(q) : NAN);
    rx_html_number(page->out, rx_study_value(rx_frame_find(tests, "rand"), r), 2);
  }
  rx_html_table_end(page->out);
  fputs(
      "<p>The sample is the patients, not their slices. Look at acquisition (sequence, site, "
      "number of slices) before biology.</p>\n",
      page->out);
  rx_frame_destroy(&tests);
  return RX_OK;
}

rx_status rx_part_clusters(rx_page *page) {
  const rx_matrix *matrix = page->study->matrices[RX_STUDY_CLUSTERS];
  const rx_store *store = page->study->stores[RX_STUDY_CLUSTERS];

  rx_page_section(page, "clusters", "Clusters");
  if (!matrix) {
    rx_page_absent(page, "Clusters", RX_STUDY_CLUSTERS);
    return RX_OK;
  }
  say(page, store);
  RX_TRY(rx_cluster_figures_heatmap(page, matrix, store));
  RX_TRY(rx_cluster_figures_tsne(page, matrix, store));
  return show_tests(page, store);
}
