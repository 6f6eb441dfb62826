/* Signatures through `factors` on all ranks: the six of the paper against genefu, parts of them,
 * what a file can have wrong, and scores that are plain to see. */
#include "genomics_for_test.h"

#include "genomics/signature.h"

static const char *const names[] = {"pik3cags", "endo", "gene70", "genius", "oncotypedx", "rorS"};

/* The column of the reference that a signature is compared with. */
static const char *column_of(const char *name) {
  return strcmp(name, "gene70") ? name : "gene70_none";
}

/* The reference's input with missing values: ESR1 in P03, BIRC5 in P05, MKI67 nowhere. */
static void write_missing(void) {
  rx_table *table;

  if (rank_of_test() == 0) {
    assert_int_equal(rx_table_read(in_reference("signature-scores/expr.tsv"), &table), RX_OK);
    FILE *file = fopen(in_folder("na.tsv"), "w");
    for (size_t row = 0; row <= table->n_rows; row++) {
      const char *name = row ? rx_table_cell(table, row - 1, 0) : "gene";

      if (!strcmp(name, "e4288")) continue;
      fputs(name, file);
      for (size_t column = 1; column < table->n_columns; column++) {
        const char *patient = rx_table_name(table, column);
        bool is_missing =
            row &&
            ((!strncmp(name, "e2099", 5) && !strcmp(patient, "P03")) ||
             ((!strcmp(name, "e332") || !strcmp(name, "e332_b")) && !strcmp(patient, "P05")));
        const char *cell = row ? rx_table_cell(table, row - 1, column) : patient;
        fprintf(file, "\t%s", is_missing ? "NA" : cell);
      }
      fputc('\n', file);
    }
    fclose(file);
    rx_table_destroy(&table);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void score(const char *out, const char *expression, const char *centre,
                  const char *signatures) {
  char settings[8192];

  snprintf(settings, sizeof settings,
           "expression=%s patients=columns id_map=%s genes=none centre=%s signatures=%s",
           expression, in_reference("signature-scores/annot.tsv"), centre, signatures);
  assert_all(run_factors(MPI_COMM_WORLD, out, settings) == RX_OK);
}

static double compare(const char *out, const char *factor, const char *file, const char *column) {
  written w;
  rx_table *expected;
  size_t at;
  double worst = 0;

  read_factors(out, &w);
  assert_int_equal(rx_table_read(in_reference(file), &expected), RX_OK);
  assert_int_equal(rx_table_need(expected, column, &at), RX_OK);
  assert_true(expected->n_rows == w.obs->n_rows);
  for (size_t row = 0; row < expected->n_rows; row++) {
    double value;

    assert_int_equal(rx_table_number(expected, row, at, &value), RX_OK);
    worst = fmax(worst, difference(value, value_of(&w, rx_table_cell(expected, row, 0), factor)));
  }
  rx_table_destroy(&expected);
  free_factors(&w);
  return worst;
}

/* Risk groups of the reference: 0, 1, 2; of oncotypedx 0, 0.5, 1. */
static void compare_risk(const char *out, const char *factor, const char *file) {
  char column[64];
  written w;
  rx_table *expected;
  rx_signature *signature;
  ptrdiff_t at;

  snprintf(column, sizeof column, "%s_risk", column_of(factor));
  read_factors(out, &w);
  assert_int_equal(rx_table_read(in_reference(file), &expected), RX_OK);
  snprintf(column + 32, sizeof column - 32, "%s.sig", factor);
  assert_all(rx_signature_load(MPI_COMM_WORLD, in_signatures(column + 32), &signature) == RX_OK);
  at = rx_table_find(expected, column);
  for (size_t row = 0; at >= 0 && row < expected->n_rows; row++) {
    double value, found = value_of(&w, rx_table_cell(expected, row, 0), factor);

    assert_int_equal(rx_table_number(expected, row, (size_t)at, &value), RX_OK);
    if (!strcmp(factor, "oncotypedx")) value *= 2;
    assert_all(rx_signature_risk(signature, found) == (isnan(value) ? -1 : (int)value));
  }
  rx_signature_destroy(&signature);
  rx_table_destroy(&expected);
  free_factors(&w);
}

static void six_signatures_equal_genefu_raw_centred_and_with_missing_values(void **state) {
  (void)state;
  const struct {
    const char *file, *centre;
  } cases[] = {{"raw", "none"}, {"centred", "median"}, {"na", "none"}};
  char all[8192] = "", file[64];

  skip_without(in_reference("signature-scores/expr.tsv"));
  write_missing();
  for (size_t i = 0; i < 6; i++) {
    snprintf(file, sizeof file, "%s.sig", names[i]);
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? "," : "",
             in_signatures(file));
  }
  for (size_t c = 0; c < 3; c++) {
    bool is_na = !strcmp(cases[c].file, "na");
    score("scored", is_na ? in_folder("na.tsv") : in_reference("signature-scores/expr.tsv"),
          cases[c].centre, all);
    snprintf(file, sizeof file, "signature-scores/scores_%s.tsv", cases[c].file);
    for (size_t i = 0; i < 6; i++) {
      assert_all(compare("scored", names[i], file, column_of(names[i])) < 1e-12);
      compare_risk("scored", names[i], file);
    }
  }
  written w;
  read_factors("scored", &w);
  assert_all(!strcmp(text_of(&w, "oncotypedx", "status"), "incomplete"));
  assert_all(!strcmp(text_of(&w, "gene70", "fitted_on"), "none"));
  assert_all(!strcmp(text_of(&w, "rorS", "fitted_on"), "cohort"));
  free_factors(&w);
}

/* Writes a signature like another one, another name and one thing changed. Rank 0. */
static void write_variant(const char *from, const char *name, const char *old, const char *new) {
  char line[4096], path[512];
  bool is_changed = false;

  snprintf(path, sizeof path, "%s.sig", from);
  FILE *in = fopen(in_signatures(path), "r");
  snprintf(path, sizeof path, "variants/%s.sig", name);
  FILE *out = fopen(in_folder(path), "w");
  assert_true(in && out);
  while (fgets(line, sizeof line, in)) {
    char *place = strstr(line, old);

    if (!strncmp(line, "signature ", 10)) {
      fprintf(out, "signature %s\n", name);
    } else if (place && !is_changed) {
      fprintf(out, "%.*s%s%s", (int)(place - line), line, new, place + strlen(old));
      is_changed = true;
    } else {
      fputs(line, out);
    }
  }
  assert_true(is_changed);
  fclose(in);
  fclose(out);
}

static void parts_and_variants_equal_genefu(void **state) {
  (void)state;
  const struct {
    const char *from, *name, *old, *new, *file, *column;
  } variants[] = {
      {"gene70", "gene70_scale", "steps", "steps\n standardise profile", "scores", "gene70_scale"},
      {"gene70", "gene70_robust", "steps", "steps\n rescale profile quantile 0.025 -1 1", "scores",
       "gene70_robust"},
      {"genius", "m1", "score score", "score m1", "scores", "genius_M1"},
      {"genius", "m2", "score score", "score m2", "scores", "genius_M2"},
      {"genius", "m3", "score score", "score m3", "scores", "genius_M3"},
      {"genius", "esr1", "score score", "score esr1", "scmod1", "ESR1"},
      {"genius", "erbb2", "score score", "score erbb2", "scmod1", "ERBB2"},
      {"genius", "basal", "score score", "score basal", "scmod1", "ER-/HER2-"},
      {"genius", "her2", "score score", "score her2", "scmod1", "HER2+"},
      {"genius", "luminal", "score score", "score luminal", "scmod1", "ER+/HER2-"},
      {"rorS", "pam_basal", "score score", "score basal", "pam50_cor", "Basal"},
      {"rorS", "pam_luma", "score score", "score luma", "pam50_cor", "LumA"},
      {"rorS", "pam_normal", "pam50 LumB", "pam50 Normal", "", ""},
  };
  enum { N = sizeof variants / sizeof *variants };
  const char *const kinds[] = {"raw", "centred", "na"};

  skip_without(in_reference("signature-scores/expr.tsv"));
  write_missing();
  if (rank_of_test() == 0) {
    assert_int_equal(rx_output_folder(in_folder("variants")), RX_OK);
    for (size_t i = 0; i < N; i++)
      write_variant(variants[i].from, variants[i].name, variants[i].old, variants[i].new);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  for (size_t k = 0; k < 3; k++) {
    score("scored", k == 2 ? in_folder("na.tsv") : in_reference("signature-scores/expr.tsv"),
          k == 1 ? "median" : "none", in_folder("variants"));
    for (size_t i = 0; i < N; i++) {
      char file[128];

      snprintf(file, sizeof file, "signature-scores/%s_%s.tsv", variants[i].file, kinds[k]);
      if (*variants[i].file)
        assert_all(compare("scored", variants[i].name, file, variants[i].column) < 1e-12);
    }
  }
}

static const char plain[] =
    "signature plain\ncitation nobody\nrisk 1 2\n"
    "genes g\n symbol entrez alias w group\n A 1 - 2 x\n B 2 - -1 x\n C 3 OLD 4 y\nend\n"
    "steps\n sum s = g w\n sum x = g w x\n mean m = g w\n affine s 2 1\n clip x 0 inf\n"
    " combine r = s + 0.5 * x * m - 3\nend\nscore r\n";
static const char table[] = "gene\tP1\tP2\tP3\nA\t1\t2\t0\nB\t3\t1\tNA\nOLD\t1\t0\t2\n";

static void a_plain_signature_gives_what_one_computes_by_hand(void **state) {
  (void)state;
  char settings[4096];
  written w;

  write_text("plain.sig", plain);
  write_text("table.tsv", table);
  snprintf(settings, sizeof settings, "expression=%s signatures=%s genes=none",
           in_folder("table.tsv"), in_folder("plain.sig"));
  assert_all(run_factors(MPI_COMM_WORLD, "plain", settings) == RX_OK);
  read_factors("plain", &w);
  /* P1: s = 2-3+4 = 3 -> 7; x = 2-3 -> 0; r = 7 - 3.  P2: s = 4-1 = 3 -> 7; x = 3;
   * m = 2/3 (2*2+4*0)/6 - 1/3 * 1 = 1/9; r = 7 + 0.5*3/9 - 3. P3: B is missing */
  assert_all(fabs(value_of(&w, "P1", "plain") - 4) < 1e-14);
  assert_all(fabs(value_of(&w, "P2", "plain") - (4 + 1.0 / 6)) < 1e-14);
  assert_all(isnan(value_of(&w, "P3", "plain")));
  assert_all(!strcmp(text_of(&w, "plain", "fitted_on"), "none"));
  assert_all(rx_frame_find(w.var, "n_matched")->integer[0] == 3);
  free_factors(&w);
}

/* Replaces the first place of old in text by new. */
static void replace(const char *text, const char *old, const char *new, char *out, size_t size) {
  const char *place = strstr(text, old);

  assert_non_null(place);
  snprintf(out, size, "%.*s%s%s", (int)(place - text), text, new, place + strlen(old));
}

static void a_signature_that_is_wrong_is_refused_with_its_line(void **state) {
  (void)state;
  const struct {
    const char *old, *new, *words;
  } cases[] = {
      {"citation nobody\n", "", "expected the statements signature and citation"},
      {"score r\n", "", "expected the statement 'score NAME'"},
      {"score r\n", "score q\n", ":18: expected a score that is made before, found 'q'"},
      {"symbol entrez", "symbol x", ":5: expected the columns symbol and entrez first"},
      {" A 1 - 2 x\n", " A 1 - two x\n", ":6: expected a number as word 4, found 'two'"},
      {" A 1 - 2 x\n", " A 1 2 x\n", ":6: expected 5 words"},
      {" B 2 -", " B 1 -", ":9: expected each row of g once, found 'B' again"},
      {"sum s = g w\n", "sum s = h w\n", ":11: expected a table of genes, found 'h'"},
      {"sum s = g w\n", "sum s = g v\n", ":11: expected a column of g, found 'v'"},
      {"mean m = g w\n", "mean s = g w\n", ":13: expected a name of its own, found 's' again"},
      {"mean m", "median m", ":13: expected a step such as mean or rescale, found 'median'"},
      {"clip x 0 inf", "clip x 0", ":15: expected 'clip X LOW HIGH', found 3 words"},
      {"0.5 * x", "0.5 * y", ":16: expected a score that is made before, found 'y'"},
      {"risk 1 2", "risk 2 1", ":3: expected rising cuts"},
      {"risk 1 2", "cuts 1 2", ":3: expected a statement of a signature, found 'cuts'"},
      {"end\nscore r\n", "", "expected 'end' of the steps"},
  };
  char text[2048];

  write_text("table.tsv", table);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char settings[4096];

    replace(plain, cases[i].old, cases[i].new, text, sizeof text);
    write_text("wrong.sig", text);
    snprintf(settings, sizeof settings, "expression=%s signatures=%s", in_folder("table.tsv"),
             in_folder("wrong.sig"));
    rx_status status = run_factors(MPI_COMM_WORLD, "wrong", settings);
    if (!strstr(rx_error_message(), cases[i].words))
      print_message("expected '%s', found '%s'\n", cases[i].words, rx_error_message());
    assert_all(status == RX_ERR_INPUT && strstr(rx_error_message(), cases[i].words) != NULL);
    assert_all(!is_there(in_folder("wrong/factors.h5ad")));
  }
}

static void new_patients_are_put_on_the_scales_of_the_training_cohort(void **state) {
  (void)state;
  const char *const centres[] = {"none", "median", "mean", "z"};
  char all[8192] = "", file[64], settings[8192];

  skip_without(in_reference("signature-scores/expr.tsv"));
  for (size_t i = 0; i < 6; i++) {
    snprintf(file, sizeof file, "%s.sig", names[i]);
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? "," : "",
             in_signatures(file));
  }
  if (rank_of_test() == 0) { /* three patients of the cohort */
    rx_table *expression;
    assert_int_equal(rx_table_read(in_reference("signature-scores/expr.tsv"), &expression), RX_OK);
    FILE *out = fopen(in_folder("new.tsv"), "w");
    for (size_t row = 0; row <= expression->n_rows; row++)
      for (size_t i = 0; i < 4; i++) {
        size_t column = i * 9;
        fprintf(
            out, "%s%c",
            row ? rx_table_cell(expression, row - 1, column) : rx_table_name(expression, column),
            i == 3 ? '\n' : '\t');
      }
    fclose(out);
    rx_table_destroy(&expression);
  }
  for (size_t i = 0; i < 4; i++) {
    written trained, applied;
    double worst = 0;

    score("trained", in_reference("signature-scores/expr.tsv"), centres[i], all);
    snprintf(settings, sizeof settings, "%s apply=%s", all, in_folder("trained/factors.h5ad"));
    score("applied", in_folder("new.tsv"), centres[i], settings);
    read_factors("trained", &trained);
    read_factors("applied", &applied);
    assert_all(applied.obs->n_rows == 3 && applied.var->n_rows == 6);
    for (size_t row = 0; row < 3; row++)
      for (size_t factor = 0; factor < 6; factor++)
        worst = fmax(worst, difference(applied.x[row * 6 + factor],
                                       value_of(&trained, applied.obs->names[row], names[factor])));
    assert_all(worst == 0);
    assert_all(!strcmp(text_of(&applied, "rorS", "fitted_on"), "training"));
    free_factors(&trained);
    free_factors(&applied);
  }
}

static const struct CMUnitTest tests[] = {
    IN_FOLDER(six_signatures_equal_genefu_raw_centred_and_with_missing_values),
    IN_FOLDER(parts_and_variants_equal_genefu),
    IN_FOLDER(a_plain_signature_gives_what_one_computes_by_hand),
    IN_FOLDER(a_signature_that_is_wrong_is_refused_with_its_line),
    IN_FOLDER(new_patients_are_put_on_the_scales_of_the_training_cohort),
};

MPI_TEST_MAIN(tests)
