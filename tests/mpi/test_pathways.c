/* Pathways through `factors` on all ranks: GSVA 1.46 in all variants, statuses, new patients. */
#include "genomics_for_test.h"

/* Largest difference to a reference table of sets and patients; is_signed false: up to the sign of
 * a set. */
static double compare(const char *out, const char *file, bool is_signed) {
  written w;
  rx_table *expected;
  double worst = 0;

  read_factors(out, &w);
  assert_int_equal(rx_table_read(in_reference(file), &expected), RX_OK);
  for (size_t row = 0; row < expected->n_rows; row++) {
    double as_is = 0, turned = 0;

    for (size_t column = 1; column < expected->n_columns; column++) {
      double value,
          found = value_of(&w, rx_table_name(expected, column), rx_table_cell(expected, row, 0));
      assert_int_equal(rx_table_number(expected, row, column, &value), RX_OK);
      as_is = fmax(as_is, difference(value, found));
      turned = fmax(turned, difference(-value, found));
    }
    worst = fmax(worst, is_signed ? as_is : fmin(as_is, turned));
  }
  rx_table_destroy(&expected);
  free_factors(&w);
  return worst;
}

/* Runs on rank 0 alone and on all ranks: the same bits. */
static void run_twice(const char *settings) {
  written alone, all;

  if (rank_of_test() == 0) assert_int_equal(run_factors(MPI_COMM_SELF, "alone", settings), RX_OK);
  MPI_Barrier(MPI_COMM_WORLD);
  assert_all(run_factors(MPI_COMM_WORLD, "all", settings) == RX_OK);
  read_factors("alone", &alone);
  read_factors("all", &all);
  size_t size = alone.obs->n_rows * alone.var->n_rows * sizeof *alone.x;
  assert_all(alone.obs->n_rows == all.obs->n_rows && alone.var->n_rows == all.var->n_rows &&
             !memcmp(alone.x, all.x, size));
  free_factors(&alone);
  free_factors(&all);
}

static void every_variant_equals_gsva_on_any_number_of_ranks(void **state) {
  (void)state;
  const struct {
    const char *input, *settings, *file;
    double tolerance;
    bool is_signed, is_run_alone; /* one of each method on one rank too */
  } cases[] = {
      {"expr", "", "gsva_default", 1e-12, true, true},
      {"expr", "mx_diff=no", "gsva_mxdiff_false", 1e-12, true, false},
      {"expr", "abs_ranking=yes", "gsva_absranking", 1e-12, true, false},
      {"expr", "tau=0.25", "gsva_tau025", 1e-12, true, false},
      {"expr", "kernel=none", "gsva_kcdf_none", 1e-12, true, false},
      {"expr", "min_size=10 max_size=30", "gsva_min10_max30", 1e-12, true, false},
      {"expr", "pathway_method=ssgsea", "ssgsea_default", 1e-12, true, true},
      {"expr", "pathway_method=ssgsea ssgsea_norm=no", "ssgsea_nonorm", 1e-10, true, false},
      {"expr", "pathway_method=zscore", "zscore", 1e-12, true, true},
      {"expr", "pathway_method=plage", "plage", 1e-12, false, true},
      {"counts", "unit=count kernel=poisson min_samples=0", "gsva_poisson", 5e-3, true, false},
  };

  skip_without(in_reference("gsva/expr.tsv"));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char input[64], file[64], settings[4096];

    snprintf(input, sizeof input, "gsva/%s.tsv", cases[i].input);
    snprintf(file, sizeof file, "gsva/%s.tsv", cases[i].file);
    snprintf(settings, sizeof settings, "expression=%s gene_sets=%s genes=none %s",
             in_reference(input), in_reference("gsva/sets.gmt"), cases[i].settings);
    if (cases[i].is_run_alone)
      run_twice(settings);
    else
      assert_all(run_factors(MPI_COMM_WORLD, "all", settings) == RX_OK);
    assert_all(compare("all", file, cases[i].is_signed) < cases[i].tolerance);
  }
}

/* Patients of the training cohort, as new ones: some of them, genes in another order. */
static void write_some_patients(void) {
  rx_table *table;

  if (rank_of_test() == 0) {
    assert_int_equal(rx_table_read(in_reference("gsva/expr.tsv"), &table), RX_OK);
    FILE *file = fopen(in_folder("new.tsv"), "w");
    for (size_t row = 0; row <= table->n_rows; row++)
      for (size_t i = 0; i < 4; i++) {
        size_t column = i ? (i * 7) % table->n_columns : 0;
        const char *cell =
            row ? rx_table_cell(table, table->n_rows - row, column) : rx_table_name(table, column);
        fprintf(file, "%s%c", cell, i == 3 ? '\n' : '\t');
      }
    fclose(file);
    rx_table_destroy(&table);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void patients_scored_on_a_training_cohort_get_its_scores_back(void **state) {
  (void)state;
  const char *const methods[] = {"gsva", "gsva kernel=none", "ssgsea", "zscore", "plage"};

  skip_without(in_reference("gsva/expr.tsv"));
  write_some_patients();
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    char settings[4096];
    written trained, applied;
    double worst = 0;

    snprintf(settings, sizeof settings, "expression=%s gene_sets=%s genes=none pathway_method=%s",
             in_reference("gsva/expr.tsv"), in_reference("gsva/sets.gmt"), methods[i]);
    assert_all(run_factors(MPI_COMM_WORLD, "trained", settings) == RX_OK);
    snprintf(settings, sizeof settings,
             "expression=%s gene_sets=%s genes=none pathway_method=%s apply=%s",
             in_folder("new.tsv"), in_reference("gsva/sets.gmt"), methods[i],
             in_folder("trained/factors.h5ad"));
    assert_all(run_factors(MPI_COMM_WORLD, "applied", settings) == RX_OK);
    read_factors("trained", &trained);
    read_factors("applied", &applied);
    assert_all(applied.obs->n_rows == 3);
    for (size_t row = 0; row < applied.obs->n_rows; row++)
      for (size_t set = 0; set < applied.var->n_rows; set++)
        worst =
            fmax(worst,
                 difference(applied.x[row * applied.var->n_rows + set],
                            value_of(&trained, applied.obs->names[row], applied.var->names[set])));
    assert_all(worst < (i < 3 ? 1e-300 : 1e-13)); /* the same sums; z scores by other products */
    assert_all(!strcmp(text_of(&applied, "SET01", "fitted_on"), "training"));
    free_factors(&trained);
    free_factors(&applied);
  }
  char settings[4096];
  snprintf(settings, sizeof settings, "expression=%s gene_sets=%s pathway_method=zscore apply=%s",
           in_folder("new.tsv"), in_reference("gsva/sets.gmt"), in_folder("applied/factors.h5ad"));
  assert_all(run_factors(MPI_COMM_WORLD, "again", settings) == RX_ERR_INPUT);
}

/* A table of 6 genes and 5 patients whose shapes are plain to see. */
static const char small[] =
    "gene\tP1\tP2\tP3\tP4\tP5\n"
    "A\t1\t2\t3\t4\t5\nB\t2\t1\t4\t3\t6\nC\t9\t8\t7\t6\t1\nD\t3\t3\t3\t3\t3\nE\t1\tNA\t2\t5\t4\n"
    "F\t0\t1\t0\t1\t7\n";

static void sets_of_the_wrong_size_get_a_status_and_their_genes_are_named(void **state) {
  (void)state;
  char settings[4096];
  written w;

  write_text("small.tsv", small);
  write_text("small.gmt",
             "one\tna\tA\tX\tY\ntwo\t\tA\tB\nthree\tna\tA\tB\tC\n\r\nflat\tna\tD\tE\r\nfour\tna\tA"
             "\tB\tC\tF\n");
  snprintf(settings, sizeof settings,
           "expression=%s gene_sets=%s genes=none min_size=2 max_size=3 min_share=0.5",
           in_folder("small.tsv"), in_folder("small.gmt"));
  run_twice(settings);
  read_factors("all", &w);
  const char *const expected[][2] = {{"one", "few_genes"},
                                     {"two", "ok"},
                                     {"three", "ok"},
                                     {"flat", "few_genes"}, /* constant, and missing in a patient */
                                     {"four", "few_genes"}};
  for (size_t i = 0; i < 5; i++) {
    bool is_ok = !strcmp(expected[i][1], "ok");
    assert_all(!strcmp(text_of(&w, expected[i][0], "status"), expected[i][1]));
    assert_all(isfinite(value_of(&w, "P3", expected[i][0])) == is_ok);
  }
  assert_all(rx_frame_find(w.var, "n_genes")->integer[0] == 3);
  assert_all(rx_frame_find(w.var, "n_matched")->integer[0] == 1);
  free_factors(&w);
  rx_table *report;
  assert_int_equal(rx_table_read(in_folder("all/factors.tsv"), &report), RX_OK);
  assert_all(!strcmp(rx_table_cell(report, 0, (size_t)rx_table_find(report, "missing")), "X,Y"));
  assert_all(!strcmp(rx_table_cell(report, 3, (size_t)rx_table_find(report, "missing")), "D,E"));
  rx_table_destroy(&report);
}

static void scores_do_not_change_with_units_order_or_company_of_genes(void **state) {
  (void)state;
  char settings[4096];
  written plain, scaled;

  write_text("small.tsv", small);
  /* values times 2, patients in another order: densities, z scores and ranks stay */
  write_text("scaled.tsv",
             "gene\tP5\tP3\tP1\tP2\tP4\n"
             "A\t10\t6\t2\t4\t8\nB\t12\t8\t4\t2\t6\nC\t2\t14\t18\t16\t12\nD\t6\t6\t6\t6\t6\n"
             "E\t8\t4\t2\tNA\t10\nF\t14\t0\t0\t2\t2\n");
  write_text("sets.gmt", "two\t\tA\tB\nthree\tna\tA\tC\tF\n");
  const char *const methods[] = {"gsva", "ssgsea", "zscore", "plage"};
  for (size_t i = 0; i < 4; i++) {
    for (int is_scaled = 0; is_scaled < 2; is_scaled++) {
      snprintf(settings, sizeof settings, "expression=%s gene_sets=%s genes=none pathway_method=%s",
               in_folder(is_scaled ? "scaled.tsv" : "small.tsv"), in_folder("sets.gmt"),
               methods[i]);
      assert_all(run_factors(MPI_COMM_WORLD, is_scaled ? "scaled" : "plain", settings) == RX_OK);
    }
    read_factors("plain", &plain);
    read_factors("scaled", &scaled);
    double worst = 0;
    for (size_t row = 0; row < plain.obs->n_rows; row++)
      for (size_t set = 0; set < 2; set++)
        worst = fmax(worst,
                     difference(plain.x[row * 2 + set],
                                value_of(&scaled, plain.obs->names[row], plain.var->names[set])));
    assert_all(worst < 1e-12);
    free_factors(&plain);
    free_factors(&scaled);
  }
}

static const struct CMUnitTest tests[] = {
    IN_FOLDER(every_variant_equals_gsva_on_any_number_of_ranks),
    IN_FOLDER(patients_scored_on_a_training_cohort_get_its_scores_back),
    IN_FOLDER(sets_of_the_wrong_size_get_a_status_and_their_genes_are_named),
    IN_FOLDER(scores_do_not_change_with_units_order_or_company_of_genes),
};

MPI_TEST_MAIN(tests)
