/* Units of expression against reference/genomics/expr (edgeR, GDC formulas), and identities. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "genomics/genes.h"
#include "genomics/measure.h"
#include "radmix/memory.h"
#include "radmix/table.h"

static void path_of(const char *name, char *path, size_t size) {
  const char *shared = getenv("RADMIX_SHARED");

  snprintf(path, size, "%s/reference/genomics/expr/%s", shared ? shared : "../shared", name);
}

static void skip_without_reference(void) {
  char path[4096];

  path_of("counts.tsv", path, sizeof path);
  FILE *file = fopen(path, "r");
  if (file) {
    fclose(file);
    return;
  }
  print_message("skipped: no %s\n", path);
  skip();
}

static rx_table *read(const char *name) {
  char path[4096];
  rx_table *table;

  path_of(name, path, sizeof path);
  assert_int_equal(rx_table_read(path, &table), RX_OK);
  return table;
}

static double number(const rx_table *table, size_t row, size_t column) {
  double value;

  assert_int_equal(rx_table_number(table, row, column, &value), RX_OK);
  return value;
}

/* Counts by sample, and what belongs to genes. */
typedef struct {
  rx_table *counts, *genes;
  size_t n_genes, n_samples;
  double *count;  /* [n_samples][n_genes] */
  double *length; /* [n_genes] */
  bool *is_coding;
  double *room;
} cohort;

static void cohort_read(cohort *c) {
  c->counts = read("counts.tsv");
  c->genes = read("genes.tsv");
  c->n_genes = c->counts->n_rows;
  c->n_samples = c->counts->n_columns - 1;
  assert_int_equal(RX_NEW(&c->count, "test", c->n_genes * c->n_samples), RX_OK);
  assert_int_equal(RX_NEW(&c->length, "test", c->n_genes), RX_OK);
  assert_int_equal(RX_NEW(&c->is_coding, "test", c->n_genes), RX_OK);
  assert_int_equal(RX_NEW(&c->room, "test", c->n_genes), RX_OK);
  for (size_t gene = 0; gene < c->n_genes; gene++) {
    c->length[gene] = number(c->genes, gene, 1);
    c->is_coding[gene] = !strcmp(rx_table_cell(c->genes, gene, 2), "protein_coding");
    for (size_t sample = 0; sample < c->n_samples; sample++)
      c->count[sample * c->n_genes + gene] = number(c->counts, gene, sample + 1);
  }
}

static void cohort_free(cohort *c) {
  rx_table_destroy(&c->counts);
  rx_table_destroy(&c->genes);
  free(c->count);
  free(c->length);
  free(c->is_coding);
  free(c->room);
}

/* Relative to what is expected, or to 1. */
static void check(const char *file, const rx_table *expected, size_t gene, size_t sample,
                  double found) {
  double value = number(expected, gene, sample + 1);

  if (!(fabs(found - value) <= 1e-12 * fmax(1, fabs(value))))
    fail_msg("%s: gene %zu sample %zu: expected %.17g, found %.17g", file, gene, sample, value,
             found);
}

static void counts_per_million_keep_the_genes_that_edger_keeps(void **state) {
  (void)state;
  skip_without_reference();
  cohort c;
  char path[4096], line[256];
  double total[64], gene_counts[64];
  size_t n_kept = 0;

  cohort_read(&c);
  rx_table *cpm = read("cpm.tsv");
  path_of("kept_cpm1_3.txt", path, sizeof path);
  FILE *kept = fopen(path, "r");
  assert_non_null(kept);
  for (size_t sample = 0; sample < c.n_samples; sample++)
    total[sample] = rx_measure_total(c.count + sample * c.n_genes, NULL, c.n_genes);
  for (size_t gene = 0; gene < c.n_genes; gene++) {
    for (size_t sample = 0; sample < c.n_samples; sample++) {
      gene_counts[sample] = c.count[sample * c.n_genes + gene];
      check("cpm.tsv", cpm, gene, sample, rx_measure_cpm(gene_counts[sample], total[sample]));
    }
    if (!rx_measure_is_expressed(gene_counts, total, c.n_samples, 1, 3)) continue;
    n_kept++;
    assert_non_null(fgets(line, sizeof line, kept));
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(line, rx_table_cell(c.counts, gene, 0));
  }
  assert_null(fgets(line, sizeof line, kept));
  assert_true(n_kept > 0 && n_kept < c.n_genes);
  fclose(kept);
  rx_table_destroy(&cpm);
  cohort_free(&c);
}

static void fpkm_upper_quartile_and_tpm_equal_their_definitions(void **state) {
  (void)state;
  skip_without_reference();
  cohort c;
  rx_table *fpkm = read("fpkm.tsv"), *uq = read("fpkm_uq.tsv"), *tpm = read("tpm.tsv"),
           *logged = read("log2_fpkm_uq_p1.tsv"), *nonzero = read("fpkm_uq_nonzero.tsv"),
           *release32 = read("fpkm_uq_dr32.tsv");

  cohort_read(&c);
  for (size_t sample = 0; sample < c.n_samples; sample++) {
    double *count = c.count + sample * c.n_genes;
    double total = rx_measure_total(count, c.is_coding, c.n_genes);
    double quartile = rx_measure_quantile(count, c.is_coding, c.n_genes, 0.75, c.room);
    bool *is_positive;
    size_t n_coding = 0;

    assert_int_equal(RX_NEW(&is_positive, "test", c.n_genes), RX_OK);
    for (size_t gene = 0; gene < c.n_genes; gene++) {
      is_positive[gene] = c.is_coding[gene] && count[gene] > 0;
      n_coding += c.is_coding[gene];
    }
    double of_positive = rx_measure_quantile(count, is_positive, c.n_genes, 0.75, c.room);
    for (size_t gene = 0; gene < c.n_genes; gene++) {
      double value = rx_measure_fpkm(count[gene], c.length[gene], quartile);

      check("fpkm.tsv", fpkm, gene, sample, rx_measure_fpkm(count[gene], c.length[gene], total));
      check("fpkm_uq.tsv", uq, gene, sample, value);
      check("log2_fpkm_uq_p1.tsv", logged, gene, sample, rx_measure_log(value));
      check("fpkm_uq_nonzero.tsv", nonzero, gene, sample,
            rx_measure_fpkm(count[gene], c.length[gene], of_positive));
      check("fpkm_uq_dr32.tsv", release32, gene, sample,
            rx_measure_fpkm(count[gene], c.length[gene], quartile * (double)n_coding));
    }
    free(is_positive);
    rx_measure_tpm(count, c.length, c.n_genes);
    for (size_t gene = 0; gene < c.n_genes; gene++)
      check("tpm.tsv", tpm, gene, sample, count[gene]);
    assert_true(fabs(rx_measure_total(count, NULL, c.n_genes) - 1e6) < 1e-6); /* what TPM means */
  }
  rx_table *all[] = {fpkm, uq, tpm, logged, nonzero, release32};
  for (int i = 0; i < 6; i++) rx_table_destroy(&all[i]);
  cohort_free(&c);
}

static void quantile_is_type_7_and_leaves_missing_values_out(void **state) {
  (void)state;
  const double value[] = {5, NAN, 1, 3, 2, 4};
  const bool is_used[] = {true, true, true, false, true, true};
  double room[6];

  assert_true(rx_measure_quantile(value, NULL, 6, 0.5, room) == 3);
  assert_true(fabs(rx_measure_quantile(value, NULL, 6, 0.1, room) - 1.4) < 1e-15);
  assert_true(rx_measure_quantile(value, NULL, 6, 0, room) == 1);
  assert_true(rx_measure_quantile(value, NULL, 6, 1, room) == 5);
  assert_true(fabs(rx_measure_quantile(value, is_used, 6, 0.5, room) - 3) < 1e-15);
  assert_true(isnan(rx_measure_quantile(value + 1, NULL, 1, 0.5, room)));
  assert_true(rx_measure_total(value, is_used, 6) == 12);
}

static void versions_are_cut_off_ensembl_ids_alone(void **state) {
  (void)state;
  const char *const names[][2] = {
      {"ENSG00000141510.16", "ENSG00000141510"}, {"ENSG00000002586.20_PAR_Y", "ENSG00000002586"},
      {"ENSG00000141510", "ENSG00000141510"},    {"HLA.A", "HLA.A"},
      {"RP11-34P13.7", "RP11-34P13.7"},          {"ENSA", "ENSA"}};
  char name[RX_GENE_SIZE];

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    rx_genes_name(names[i][0], name);
    assert_string_equal(name, names[i][1]);
  }
  assert_true(rx_genes_is_counter("__no_feature") && rx_genes_is_counter("N_unmapped"));
  assert_false(rx_genes_is_counter("NAT1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_per_million_keep_the_genes_that_edger_keeps),
      cmocka_unit_test(fpkm_upper_quartile_and_tpm_equal_their_definitions),
      cmocka_unit_test(quantile_is_type_7_and_leaves_missing_values_out),
      cmocka_unit_test(versions_are_cut_off_ensembl_ids_alone),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
