/* `factors` on all ranks: which side the patients are on, samples to patients, names of genes,
 * counts, ready-made tables, real data, and what inputs can have wrong. */
#include "genomics_for_test.h"

/* The names of rows, or columns, in their order with commas between. */
static const char *joined(const rx_frame *frame) {
  static char text[4096];

  text[0] = '\0';
  for (size_t row = 0; row < frame->n_rows; row++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", row ? "," : "",
             frame->names[row]);
  return text;
}

static bool has_frames(const char *out, const char *patients, const char *factors) {
  written w;

  read_factors(out, &w);
  bool is_right = !strcmp(joined(w.obs), patients);
  if (!is_right) print_message("patients %s\n", joined(w.obs));
  if (strcmp(joined(w.var), factors) != 0) {
    print_message("factors %s\n", joined(w.var));
    is_right = false;
  }
  free_factors(&w);
  return is_right;
}

static bool has_value(const char *out, const char *patient, const char *factor, double value) {
  written w;

  read_factors(out, &w);
  bool is_right = difference(value_of(&w, patient, factor), value) == 0;
  if (!is_right)
    print_message("%s of %s is %.17g, expected %.17g\n", factor, patient,
                  value_of(&w, patient, factor), value);
  free_factors(&w);
  return is_right;
}

static const char *settings_of(const char *table, const char *more) {
  static char settings[4096];

  snprintf(settings, sizeof settings, "expression=%s %s", in_folder(table), more);
  return settings;
}

static void patients_may_be_in_rows_or_columns(void **state) {
  (void)state;
  const struct {
    const char *text, *more;
  } tables[] = {
      {"patient\tA\tB\nP1\t1\t2\nP2\t3\t4\nP3\t5\tNA\n", ""},
      {"Sample ID\tA\tB\nP1\t1\t2\nP2\t3\t4\nP3\t5\t\n", ""},
      {"image\tA\tpatient\tB\nx\t1\tP1\t2\ny\t3\tP2\t4\nz\t5\tP3\tNaN\n", ""},
      {"gene_id\tP1\tP2\tP3\nA\t1\t3\t5\nB\t2\t4\tNA\n", ""},
      {"Hugo_Symbol\tP1\tP2\tP3\r\nA\t1\t3\t5\r\nB\t2\t4\tNA\r\n", ""},
      {"x\tP1\tP2\tP3\nA\t1\t3\t5\nB\t2\t4\tNA\n", "patients=columns"},
      {"id\tA\tB\nP1\t1\t2\nP2\t3\t4\nP3\t5\tNA\n", "patients=rows"},
  };

  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    write_text("t.tsv", tables[i].text);
    assert_all(run_factors(MPI_COMM_WORLD, "out", settings_of("t.tsv", tables[i].more)) == RX_OK);
    assert_all(has_frames("out", "P1,P2,P3", "A,B"));
    assert_all(has_value("out", "P2", "A", 3) && has_value("out", "P1", "B", 2));
    assert_all(has_value("out", "P3", "B", NAN));
  }
}

static void barcodes_become_patients_and_only_primary_tumours_stay(void **state) {
  (void)state;
  write_text("t.csv",
             "gene,TCGA-A1-0001-01B-11R,TCGA-A1-0002-11A-11R,TCGA-A1-0001-01A-22R,TCGA-A1-0003,"
             "TCGA-A1-0002-01A\nA,1,2,3,4,5\n\"B\",6,7,8,9,10\n");
  assert_all(run_factors(MPI_COMM_WORLD, "out", settings_of("t.csv", "")) == RX_OK);
  assert_all(has_frames("out", "TCGA-A1-0001,TCGA-A1-0003,TCGA-A1-0002", "A,B"));
  assert_all(has_value("out", "TCGA-A1-0001", "A", 3)); /* 01A before 01B */
  assert_all(has_value("out", "TCGA-A1-0002", "B", 10));
}

static void genes_lose_versions_get_symbols_and_of_namesakes_the_widest_stays(void **state) {
  (void)state;
  write_text("t.tsv",
             "gene\tP1\tP2\tP3\nENSG00000000001.5\t1\t2\t3\nENSG00000000002.1\t4\t5\t6\n"
             "ENSG00000000003\t0\t9\t0\nX\t7\t7\t8\n");
  write_text("map.tsv",
             "id\tentrez\tsymbol\nENSG00000000001\t11\tONE\nENSG00000000002.7\t22\tTWO\n"
             "ENSG00000000003\t33\tTWO\n");
  write_text("list.txt", "# genes\nTWO\r\n11\nX\nABSENT\n");
  char more[2048];
  snprintf(more, sizeof more, "id_map=%s", in_folder("map.tsv"));
  assert_all(run_factors(MPI_COMM_WORLD, "out", settings_of("t.tsv", more)) == RX_OK);
  assert_all(has_frames("out", "P1,P2,P3", "ONE,TWO,X"));
  assert_all(has_value("out", "P2", "TWO", 9));
  snprintf(more, sizeof more, "id_map=%s genes=%s", in_folder("map.tsv"), in_folder("list.txt"));
  assert_all(run_factors(MPI_COMM_WORLD, "out", settings_of("t.tsv", more)) == RX_OK);
  assert_all(has_frames("out", "P1,P2,P3", "TWO,11,X,ABSENT"));
  assert_all(has_value("out", "P3", "11", 3) && has_value("out", "P1", "ABSENT", NAN));
  written w;
  read_factors("out", &w);
  assert_all(!strcmp(text_of(&w, "ABSENT", "status"), "few_genes"));
  assert_all(!strcmp(text_of(&w, "X", "status"), "ok"));
  free_factors(&w);
}

static void tables_are_joined_over_the_union_of_patients(void **state) {
  (void)state;
  char settings[4096];
  double value[6];

  write_text("t.tsv", "patient\tA\nP1\t1\nP2\t2\n");
  write_text("more.csv", "patient,\"set, one\",set2\nP3,1,2\nP1,-3,4\n");
  write_text("turned.tsv", "pathway\tP2\tP4\nS3\t5\t6\n");
  snprintf(settings, sizeof settings, "expression=%s table=%s,%s", in_folder("t.tsv"),
           in_folder("more.csv"), in_folder("turned.tsv"));
  assert_all(run_factors(MPI_COMM_WORLD, "out", settings) == RX_OK);
  written w;
  read_factors("out", &w);
  assert_all(!strcmp(joined(w.obs), "P1,P2,P3,P4"));
  const char *const factors[] = {"A", "set, one", "S3"};
  const double expected[4][3] = {{1, -3, NAN}, {2, NAN, 5}, {NAN, 1, NAN}, {NAN, NAN, 6}};
  for (size_t row = 0; row < 4; row++)
    for (size_t i = 0; i < 3; i++) {
      value[i] = value_of(&w, w.obs->names[row], factors[i]);
      assert_all(difference(value[i], expected[row][i]) == 0);
    }
  assert_all(!strcmp(text_of(&w, "S3", "kind"), "table") &&
             !strcmp(text_of(&w, "A", "kind"), "gene"));
  assert_all(!strcmp(text_of(&w, "S3", "source"), "turned.tsv"));
  free_factors(&w);
  /* an annotated matrix is a table too */
  snprintf(settings, sizeof settings, "table=%s", in_folder("out/factors.h5ad"));
  assert_all(run_factors(MPI_COMM_WORLD, "again", settings) == RX_OK);
  assert_all(has_frames("again", "P1,P2,P3,P4", "A,set, one,set2,S3"));
  assert_all(has_value("again", "P4", "S3", 6) && has_value("again", "P3", "A", NAN));
}

static void counts_are_filtered_and_become_upper_quartile_fpkm(void **state) {
  (void)state;
  char settings[4096];
  rx_table *expected, *kept;
  written w;
  double worst = 0;

  skip_without(in_reference("expr/counts.tsv"));
  snprintf(settings, sizeof settings, "expression=%s unit=count gene_lengths=%s",
           in_reference("expr/counts.tsv"), in_reference("expr/genes.tsv"));
  assert_all(run_factors(MPI_COMM_WORLD, "out", settings) == RX_OK);
  read_factors("out", &w);
  assert_int_equal(rx_table_read(in_reference("expr/log2_fpkm_uq_p1.tsv"), &expected), RX_OK);
  assert_int_equal(rx_table_read(in_reference("expr/kept_cpm1_3.txt"), &kept), RX_OK);
  assert_all(w.var->n_rows == kept->n_rows + 1); /* the list has no header */
  for (size_t row = 0; row < expected->n_rows; row++) {
    const char *gene = rx_table_cell(expected, row, 0);
    bool is_there = false;

    for (size_t factor = 0; factor < w.var->n_rows; factor++)
      is_there = is_there || !strcmp(w.var->names[factor], gene);
    for (size_t column = 1; is_there && column < expected->n_columns; column++) {
      double value;
      assert_int_equal(rx_table_number(expected, row, column, &value), RX_OK);
      worst = fmax(worst, difference(value, value_of(&w, rx_table_name(expected, column), gene)));
    }
  }
  assert_all(worst < 1e-12);
  rx_table_destroy(&expected);
  rx_table_destroy(&kept);
  free_factors(&w);
}

static double pearson(const double *x, const double *y, size_t n) {
  double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

  for (size_t i = 0; i < n; i++) {
    mx += x[i] / (double)n;
    my += y[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xy / sqrt(xx * yy);
}

static const char *in_cohort(const char *name) {
  static char paths[4][1024];
  static int next;
  char *path = paths[next++ % 4];

  snprintf(path, 1024, "%s/data/tcga-brca/%s", shared_folder(), name);
  return path;
}

static void mitotic_pathways_of_real_tumours_go_with_their_proliferation(void **state) {
  (void)state;
  const char *const words[] = {"KINETOCHORE", "SISTER_CHROMATID", "PROMETAPHASE"};
  char settings[4096];
  rx_table *signatures;
  written w;
  size_t column, n_sets = 0;

  skip_without(in_cohort("pathways150_gsva.tsv"));
  snprintf(settings, sizeof settings, "expression=%s table=%s", in_cohort("genes260_log2tpm.tsv"),
           in_cohort("pathways150_gsva.tsv"));
  assert_all(run_factors(MPI_COMM_WORLD, "out", settings) == RX_OK);
  assert_int_equal(rx_table_read(in_cohort("signatures_perou.tsv"), &signatures), RX_OK);
  assert_int_equal(rx_table_need(signatures, "UNC_Prolif", &column), RX_OK);
  read_factors("out", &w);
  for (size_t factor = 0; factor < w.var->n_rows; factor++) {
    bool is_mitotic = false;
    double x[512], y[512];
    size_t n = 0;

    for (int i = 0; i < 3; i++) is_mitotic |= strstr(w.var->names[factor], words[i]) != NULL;
    if (!is_mitotic) continue;
    for (size_t row = 0; row < signatures->n_rows && n < 512; row++) {
      const char *patient = rx_table_cell(signatures, row, 0);
      double proliferation;

      assert_int_equal(rx_table_number(signatures, row, column, &proliferation), RX_OK);
      for (size_t i = 0; i < w.obs->n_rows; i++)
        if (!strcmp(w.obs->names[i], patient) && !isnan(w.x[i * w.var->n_rows + factor])) {
          x[n] = w.x[i * w.var->n_rows + factor];
          y[n++] = proliferation;
        }
    }
    n_sets++;
    double r = pearson(x, y, n);
    print_message("%s: r = %.3f in %zu patients\n", w.var->names[factor], r, n);
    assert_all(r > 0.735 && r < 0.845);
  }
  assert_all(n_sets > 0);
  free_factors(&w);
  rx_table_destroy(&signatures);
}

static void bad_inputs_are_named_with_their_line(void **state) {
  (void)state;
  const struct {
    const char *table, *gmt, *more, *words;
    rx_status status;
  } cases[] = {
      {"gene\tP1\tP2\nA\t1\t2\nB\t3\n", "", "", "t.tsv:3: expected 3 columns", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\nB\t3\tx4\n", "", "",
       "t.tsv:3: P2: expected a finite number, found 'x4'", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\tinf\n", "", "", "t.tsv:2: P2: expected a finite number", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\nB\tNA\t\n", "", "", "t.tsv:3: expected a value of 'B'",
       RX_ERR_INPUT},
      {"patient\tA\tB\nP1\t1\tNA\nP2\t1\tNA\n", "", "", "t.tsv: column 'B': expected a value",
       RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\nB\t3\t-4\n", "", "unit=count",
       "t.tsv:3: expected a count of 0 or more", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t0\nB\t3\t0\n", "", "unit=count", "expected counts above 0 in 'P2'",
       RX_ERR_INPUT},
      {"gene\tP1\tP1\nA\t1\t0\n", "", "", "expected patient 'P1' once", RX_ERR_INPUT},
      {"x\tP1\tP2\nA\t1\t0\n", "", "", "genomics.patients = rows or columns settles it",
       RX_ERR_INPUT},
      {"gene\tTCGA-A1-0001-11A\nA\t1\n", "", "", "expected primary tumour samples", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\n", "S\tna\n", "",
       "s.gmt:1: expected a set, a description and its genes", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\n", "S\tna\tA\n\nS\tna\tB\n", "",
       "s.gmt:3: expected each set once, found 'S' on line 1 too", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\n", "T\tna\tA\r\nS\tna\tA\tB\tA\r\n", "",
       "s.gmt:2: expected each gene once in set 'S', found 'A' again", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\nB\t2\t1\n", "A\tna\tA\tB\n", "",
       "expected factor names that are there once, found pathway 'A'", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\nB\t2\t2\n", "S\tna\tA\tB\n", "",
       "expected two genes or more that have all patients and vary", RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\n", "S\tna\tA\n", "kernel=poisson", "expected genomics.unit = count",
       RX_ERR_CONFIG},
      {"gene\tP1\tP2\nA\t1\t2\n", "", "genes=none", "expected a gene, set, signature or table",
       RX_ERR_INPUT},
      {"gene\tP1\tP2\nA\t1\t2\n", "", "signatures=nosuch", "expected nosuch.sig", RX_ERR_NOINPUT},
      {"gene\tP1\tP2\nA\t1\t2\n", "", "table=none.tsv", "none.tsv: expected", RX_ERR_NOINPUT},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char more[2048];

    write_text("t.tsv", cases[i].table);
    write_text("s.gmt", cases[i].gmt);
    snprintf(more, sizeof more, "%s%s%s %s", *cases[i].gmt ? "gene_sets=" : "",
             *cases[i].gmt ? in_folder("s.gmt") : "", "", cases[i].more);
    rx_status status = run_factors(MPI_COMM_WORLD, "bad", settings_of("t.tsv", more));
    if (!strstr(rx_error_message(), cases[i].words))
      print_message("expected '%s', found '%s'\n", cases[i].words, rx_error_message());
    assert_all(status == cases[i].status && strstr(rx_error_message(), cases[i].words) != NULL);
    assert_all(!is_there(in_folder("bad/factors.h5ad")) && !is_there(in_folder("bad/factors.tsv")));
  }
}

static const struct CMUnitTest tests[] = {
    IN_FOLDER(patients_may_be_in_rows_or_columns),
    IN_FOLDER(barcodes_become_patients_and_only_primary_tumours_stay),
    IN_FOLDER(genes_lose_versions_get_symbols_and_of_namesakes_the_widest_stays),
    IN_FOLDER(tables_are_joined_over_the_union_of_patients),
    IN_FOLDER(counts_are_filtered_and_become_upper_quartile_fpkm),
    IN_FOLDER(mitotic_pathways_of_real_tumours_go_with_their_proliferation),
    IN_FOLDER(bad_inputs_are_named_with_their_line),
};

MPI_TEST_MAIN(tests)
