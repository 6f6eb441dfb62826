/* What of the truth of a simulated cohort was found.
 *
 *     bench_recovery associations.h5ad truth.tsv
 *
 * A gene is found when its Simes p over the features passes Benjamini and Hochberg over the genes
 * at 0.05; it is false when it is neither planted nor correlated with a planted one. Prints one
 * line: planted genes, those found, all found, false ones, whether the confounded gene was found.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/memory.h"
#include "radmix/store.h"
#include "radmix/table.h"

typedef enum { NOTHING, PLANTED, CORRELATED, CONFOUNDED } role;

typedef struct {
  double log10_p;
  role role;
} gene;

static role find_role(const rx_table *truth, size_t gene_column, size_t role_column,
                      const char *name) {
  for (size_t row = 0; row < truth->n_rows; row++) {
    if (strcmp(rx_table_cell(truth, row, gene_column), name) != 0) continue;
    const char *word = rx_table_cell(truth, row, role_column);
    return strcmp(word, "planted") == 0      ? PLANTED
           : strcmp(word, "correlated") == 0 ? CORRELATED
                                             : CONFOUNDED;
  }
  return NOTHING;
}

static rx_status read_genes(const char *associations, const char *truth_path, gene **genes,
                            size_t *n_genes) {
  rx_store *store;
  rx_frame *var = NULL;
  rx_table *truth = NULL;
  size_t gene_column, role_column;

  RX_TRY(rx_store_open(associations, &store));
  rx_status status = rx_store_get_frame(store, "var", &var);
  if (!status) status = rx_table_read(truth_path, &truth);
  if (!status) status = rx_table_need(truth, "gene", &gene_column);
  if (!status) status = rx_table_need(truth, "role", &role_column);
  if (!status) status = RX_NEW(genes, "genes", var->n_rows);
  *n_genes = 0;
  for (size_t row = 0; !status && row < var->n_rows; row++) {
    double p = rx_frame_find(var, "log10_p_simes")->real[row];
    if (strcmp(rx_frame_find(var, "kind")->text[row], "gene") != 0 || isnan(p)) continue;
    (*genes)[(*n_genes)++] = (gene){p, find_role(truth, gene_column, role_column, var->names[row])};
  }
  rx_store_close(&store);
  rx_frame_destroy(&var);
  rx_table_destroy(&truth);
  return status;
}

static int compare_genes(const void *a, const void *b) {
  double left = ((const gene *)a)->log10_p, right = ((const gene *)b)->log10_p;
  return left < right ? -1 : left > right;
}

int main(int argc, char **argv) {
  gene *genes = NULL;
  size_t n_genes, n_found = 0, n_of[4] = {0}, n_planted = 0;

  if (argc != 3 || read_genes(argv[1], argv[2], &genes, &n_genes)) {
    fprintf(stderr, "bench_recovery: %s\n", argc == 3 ? rx_error_message() : "expected two files");
    return 1;
  }
  qsort(genes, n_genes, sizeof *genes, compare_genes);
  for (size_t rank = 1; rank <= n_genes; rank++) {
    if (genes[rank - 1].log10_p <= log10(0.05 * (double)rank / (double)n_genes)) n_found = rank;
    n_planted += genes[rank - 1].role == PLANTED;
  }
  for (size_t n = 0; n < n_found; n++) n_of[genes[n].role]++;
  printf("%zu %zu %zu %zu %zu\n", n_planted, n_of[PLANTED], n_found,
         n_of[NOTHING] + n_of[CONFOUNDED], n_of[CONFOUNDED]);
  free(genes);
  return 0;
}
