/* associate as a whole: against exact REML, lmerTest, pbkrtest and likelihood ratios in R; its
 * statuses, its invariance, its bits on any number of ranks. */
#include "mpi/association_study.h"

static rx_table *load(const char *name, const char *part) {
  char path[4096];
  rx_table *table = NULL;

  snprintf(path, sizeof path, "%s/reference/lmm/%s_%s.csv", shared_folder(), name, part);
  return rx_table_load(MPI_COMM_WORLD, path, &table) ? NULL : table;
}

static double number(const rx_table *table, size_t row, const char *column) {
  double value = NAN;
  ptrdiff_t c = rx_table_find(table, column);
  if (c >= 0) rx_table_number(table, row, (size_t)c, &value);
  return value;
}

static const char *text(const rx_table *table, size_t row, const char *column) {
  return rx_table_cell(table, row, (size_t)rx_table_find(table, column));
}

/* The columns gf... of the patients become factors.h5ad. */
static rx_status write_gf(study *s, const rx_table *patients) {
  char *rows[512], *columns[16];
  double value[512 * 16];
  size_t n = 0;

  for (size_t c = 0; c < patients->n_columns; c++)
    if (!strncmp(rx_table_name(patients, c), "gf", 2))
      columns[n++] = (char *)rx_table_name(patients, c);
  for (size_t p = 0; p < patients->n_rows; p++) {
    rows[p] = (char *)rx_table_cell(patients, p, 0);
    for (size_t c = 0; c < n; c++) value[p * n + c] = number(patients, p, columns[c]);
  }
  return study_factors(s, patients->n_rows, n, rows, columns, value);
}

/* A study on the images and patients of a reference. */
static void start_reference(study *s, const char *name, const rx_table *patients,
                            const char *covariates) {
  char path[4096];

  study_start(s, MPI_COMM_WORLD, "reference");
  snprintf(path, sizeof path, "%s/reference/lmm/%s_images.csv", shared_folder(), name);
  study_set(s, "association", "features", path);
  snprintf(path, sizeof path, "%s/reference/lmm/%s_patients.csv", shared_folder(), name);
  study_set(s, "study", "clinical", path);
  study_set(s, "association", "covariates", covariates);
  study_set(s, "association", "min_patients", "1");
  assert_all(write_gf(s, patients) == RX_OK);
}

static int has_status(const rx_table *expected, size_t row, double fit) {
  const char *name = text(expected, row, "status");
  bool is_boundary = !strcmp(name, "ok") && number(expected, row, "ref_lambda") == 0;

  return !strcmp(is_boundary ? "boundary" : name, rx_fit_name((rx_fit)(int)fit));
}

static int is_right(const grid_result *r, const rx_table *expected, size_t row, const char *df) {
  size_t at = cell_of(r, text(expected, row, "feature"), text(expected, row, "gf"));
  double t = number(expected, row, "ref_t");

  if (!has_status(expected, row, r->fit[at])) return 0;
  if (strcmp(text(expected, row, "status"), "ok"))
    return isnan(r->t[at]) && isnan(r->beta[at]) && isnan(r->log10_p[at]) && isnan(r->q_all[at]);
  if (!is_close(r->beta[at], number(expected, row, "ref_beta"), 1e-9)) return 0;
  if (!is_close(r->lambda[at], number(expected, row, "ref_lambda"), 1e-8)) return 0;
  if (!strcmp(df, "kenward-roger")) /* pbkrtest's own lambda is good to 1e-6 or so */
    return is_close(r->se[at], number(expected, row, "kr_se"), 1e-6) &&
           is_close(r->df[at], number(expected, row, "kr_df"), 1e-4) &&
           is_close(pow(10, r->log10_p[at]), number(expected, row, "kr_p"), 1e-4);
  if (!is_close(r->se[at], number(expected, row, "ref_se"), 1e-9)) return 0;
  if (!is_close(r->t[at], t, 1e-9)) return 0;
  if (!strcmp(df, "satterthwaite"))
    return r->lambda[at] == 0 ||
           (is_close(r->df[at], number(expected, row, "satt_df"), 1e-5) &&
            is_close(pow(10, r->log10_p[at]), number(expected, row, "satt_p"), 1e-5));
  if (!strcmp(df, "normal"))
    return isinf(r->df[at]) &&
           is_close(r->log10_p[at], number(expected, row, "ref_log10p_wald_z"), 1e-9);
  return r->df[at] == number(expected, row, "ref_df_containment") &&
         is_close(r->log10_p[at], number(expected, row, "ref_log10p_containment"), 1e-9);
}

static int is_right_ratio(const grid_result *r, const rx_table *expected, size_t row) {
  size_t at = cell_of(r, text(expected, row, "feature"), text(expected, row, "gf"));

  if (strcmp(text(expected, row, "status"), "ok")) return isnan(r->t[at]);
  /* Where the ratio is tiny it is a difference of two large numbers in R. */
  double ratio = number(expected, row, "ref_lrt");
  return fabs(r->t[at] * r->t[at] - ratio) < 1e-8 * ratio + 1e-9 &&
         fabs(r->log10_p[at] - number(expected, row, "ref_log10p_lrt")) < 1e-7;
}

static void check_reference(const char *name, const char *set, const char *covariates,
                            const char *df, const char *test) {
  rx_table *patients = load(name, "patients"), *expected = load(name, "reference");
  study *s = NULL;
  grid_result r;
  int n = 0;

  if (!patients || !expected) {
    rx_table_destroy(&patients);
    rx_table_destroy(&expected);
    skip();
  }
  assert_all(RX_NEW(&s, "test", 1) == RX_OK);
  start_reference(s, name, patients, covariates);
  study_set(s, "association", "df", df);
  study_set(s, "association", "test", test);
  assert_all(rx_association_run(&s->job) == RX_OK);
  assert_all(result_read(s, &r) == RX_OK);
  for (size_t row = 0; row < expected->n_rows; row++) {
    if (strcmp(text(expected, row, "covset"), set)) continue;
    int ok =
        strcmp(test, "lrt") ? is_right(&r, expected, row, df) : is_right_ratio(&r, expected, row);
    if (!ok) print_message("%s, %s: %s\n", name, df, text(expected, row, "formula"));
    assert_all(ok);
    n++;
  }
  assert_all(n > 0);
  result_free(&r);
  rx_table_destroy(&patients);
  rx_table_destroy(&expected);
  free(s);
}

static void exact_reml_is_met_with_and_without_covariates(void **state) {
  (void)state;
  check_reference("A_unbalanced", "none", "", "containment", "wald");
  check_reference("A_unbalanced", "age_race", "age,race", "containment", "wald");
  check_reference("C_balanced_degenerate", "none", "", "containment", "wald");
  check_reference("C_balanced_degenerate", "age", "age", "containment", "wald");
}

static void other_degrees_of_freedom_are_those_of_lmertest_and_pbkrtest(void **state) {
  (void)state;
  check_reference("A_unbalanced", "none", "", "satterthwaite", "wald");
  check_reference("A_unbalanced", "age_race", "age,race", "satterthwaite", "wald");
  check_reference("A_unbalanced", "age_race", "age,race", "kenward-roger", "wald");
  check_reference("C_balanced_degenerate", "age", "age", "kenward-roger", "wald");
  check_reference("A_unbalanced", "none", "", "normal", "wald");
}

static void likelihood_ratios_are_those_of_maximum_likelihood(void **state) {
  (void)state;
  check_reference("A_unbalanced", "none", "", "containment", "lrt");
  check_reference("A_unbalanced", "age_race", "age,race", "containment", "lrt");
  check_reference("C_balanced_degenerate", "age", "age", "containment", "lrt");
}

/* ---- studies of our own ---- */

enum { PATIENTS = 24, FEATURES = 13, FACTORS = 21, MOST_ROWS = 9 };

static double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *seed) {
  double radius = sqrt(-2 * log(uniform(seed)));
  return radius * cos(6.283185307179586 * uniform(seed));
}

/* Features 0 .. 5 are ordinary; then one that is zero within patients, constant, sparse, with a
 * missing value, nearly always 0, the same within patients but one, and without patients' variance.
 */
static double feature_value(int feature, double mean, double noise, int patient, int row) {
  switch (feature) {
    case 6:
      return mean;
    case 7:
      return 2.5;
    case 8:
      return patient < 3 ? mean : 0;
    case 9:
      return patient == 4 && row == 1 ? NAN : mean + noise;
    case 10:
      return patient < 14 ? mean + noise : 0;
    case 11:
      return patient == 2 ? mean + noise : mean;
    case 12:
      return noise;
    default:
      return mean + noise * (feature + 1);
  }
}

/* Writes features.tsv; reverse: the patients from the last to the first; factor and shift for the
 * ordinary features; only: that feature alone (-1: all). */
static void write_features(const char *path, int reverse, double factor, double shift, int only) {
  FILE *file = fopen(path, "w");

  fprintf(file, "patient\timage");
  for (int f = 0; f < FEATURES; f++)
    if (only < 0 || f == only) fprintf(file, "\tf%d", f);
  for (int k = 0; k < PATIENTS; k++) {
    int patient = reverse ? PATIENTS - 1 - k : k;
    uint64_t seed = (uint64_t)patient * 977 + 5;
    double mean[FEATURES];
    for (int f = 0; f < FEATURES; f++) mean[f] = normal(&seed);
    int rows = 1 + (int)(MOST_ROWS * uniform(&seed));
    if (patient == 4) rows = 4;
    for (int row = 0; row < rows; row++) {
      fprintf(file, "\nP%02d\t%d", patient, row);
      for (int f = 0; f < FEATURES; f++) {
        double value = feature_value(f, mean[f], normal(&seed), patient, row);
        if (f < 6) value = value * factor + shift;
        if (only < 0 || f == only) fprintf(file, isnan(value) ? "\tNA" : "\t%.17g", value);
      }
    }
  }
  fputs("\n", file);
  fclose(file);
}

/* Factor 17 misses patients, 18 all but two, 19 is constant, 20 is missing. */
static double factor_value(int patient, int factor) {
  uint64_t seed = (uint64_t)(patient * 64 + factor) * 7919 + 3;

  uniform(&seed);
  double value = normal(&seed);
  if (factor == 17 && patient % 6 == 1) return NAN;
  if (factor == 18 && patient > 1) return NAN;
  if (factor == 20) return NAN;
  return factor == 19 ? 7 : value;
}

static void start_own(study *s, MPI_Comm comm, const char *folder, int reverse, double factor,
                      double shift, int only, const char *permutations) {
  static double value[PATIENTS * FACTORS];
  static char names[PATIENTS + FACTORS][8];
  char *patients[PATIENTS], *factors[FACTORS], path[256];

  study_start(s, comm, folder);
  for (int p = 0; p < PATIENTS; p++) {
    patients[p] = names[p];
    snprintf(names[p], sizeof names[p], "P%02d", p);
    for (int f = 0; f < FACTORS; f++) value[p * FACTORS + f] = factor_value(p, f);
  }
  for (int f = 0; f < FACTORS; f++) {
    factors[f] = names[PATIENTS + f];
    snprintf(factors[f], 8, "g%02d", f);
  }
  rx_status status = study_factors(s, PATIENTS, FACTORS, patients, factors, value);
  snprintf(path, sizeof path, "%s/features.tsv", folder);
  if (s->job.rank == 0) write_features(path, reverse, factor, shift, only);
  MPI_Barrier(comm);
  if (!status) status = rx_config_set(&s->config, "association", "features", path);
  if (!status) status = rx_config_set(&s->config, "association", "permutations", permutations);
  if (!status) status = rx_association_run(&s->job);
  if (status) print_message("%s\n", rx_error_message());
}

static void each_cell_has_the_status_it_should(void **state) {
  const struct {
    const char *feature, *factor;
    rx_fit fit;
  } cases[] = {{"f0", "g00", RX_FIT_OK},
               {"f6", "g00", RX_FIT_ZERO_WITHIN},
               {"f7", "g00", RX_FIT_CONSTANT_FEATURE},
               {"f8", "g00", RX_FIT_SPARSE},
               {"f9", "g00", RX_FIT_NONFINITE},
               {"f9", "g19", RX_FIT_NONFINITE},
               {"f7", "g19", RX_FIT_CONSTANT_FEATURE},
               {"f0", "g18", RX_FIT_SPARSE}, /* two patients differ: sparse comes before too few */
               {"f0", "g19", RX_FIT_RANK_DEFICIENT},
               {"f0", "g20", RX_FIT_TOO_FEW_PATIENTS}};
  study *s = NULL;
  grid_result r;

  (void)state;
  assert_all(RX_NEW(&s, "test", 1) == RX_OK);
  start_own(s, MPI_COMM_WORLD, "own", 0, 1, 0, -1, "0");
  assert_all(result_read(s, &r) == RX_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t at = cell_of(&r, cases[i].feature, cases[i].factor);
    if ((rx_fit)(int)r.fit[at] != cases[i].fit)
      print_message("%s ~ %s is %s\n", cases[i].feature, cases[i].factor,
                    rx_fit_name((rx_fit)(int)r.fit[at]));
    assert_all((rx_fit)(int)r.fit[at] == cases[i].fit);
    assert_all(isnan(r.log10_p[at]) == !rx_fit_is_tested(cases[i].fit));
    assert_all(isnan(r.q_factor[at]) == !rx_fit_is_tested(cases[i].fit));
  }
  size_t zero = cell_of(&r, "f6", "g01"); /* regression on means */
  assert_all(isinf(r.lambda[zero]) && is_close(r.log10_p[zero], r.means[zero], 1e-6));
  assert_all(r.df[cell_of(&r, "f0", "g17")] == PATIENTS - 4 - 2);
  result_free(&r);
  free(s);
}

static void compare_results(const grid_result *a, const grid_result *b, double scale) {
  int ok = 1;

  for (size_t i = 0; i < b->n_features; i++)
    for (size_t j = 0; j < b->n_factors; j++) {
      size_t at = i * b->n_factors + j;
      size_t from = cell_of(a, b->matrix->obs->names[i], b->matrix->var->names[j]);
      int is_ordinary = b->matrix->obs->names[i][2] == '\0' && b->matrix->obs->names[i][1] < '6';
      double unit = is_ordinary ? scale : 1;
      ok = ok && a->fit[from] == b->fit[at];
      ok = ok && is_close(b->t[at], a->t[from], 1e-9);
      ok = ok && is_close(b->beta[at], a->beta[from] * unit, 1e-9);
      ok = ok && is_close(b->se[at], a->se[from] * unit, 1e-9);
      ok = ok && is_close(b->log10_p[at], a->log10_p[from], 1e-9);
      ok = ok && (is_close(b->lambda[at], a->lambda[from], 1e-8) || a->lambda[from] < 1e-4);
    }
  assert_all(ok);
}

static void scale_offset_order_and_company_of_a_feature_change_nothing(void **state) {
  const struct {
    int reverse, only;
    double factor, shift;
  } cases[] = {{0, -1, 1e3, 0}, {0, -1, 1, 1e6}, {1, -1, 1, 0}, {0, 3, 1, 0}, {0, 6, 1, 0}};
  study *s = NULL;
  grid_result plain, other;

  (void)state;
  assert_all(RX_NEW(&s, "test", 1) == RX_OK);
  start_own(s, MPI_COMM_WORLD, "plain", 0, 1, 0, -1, "0");
  assert_all(result_read(s, &plain) == RX_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    start_own(s, MPI_COMM_WORLD, "other", cases[i].reverse, cases[i].factor, cases[i].shift,
              cases[i].only, "0");
    assert_all(result_read(s, &other) == RX_OK);
    compare_results(&plain, &other, cases[i].factor);
    result_free(&other);
  }
  result_free(&plain);
  free(s);
}

static int same_bits(const double *a, const double *b, size_t n) {
  return !memcmp(a, b, n * sizeof *a);
}

static rx_status read_permutation(const grid_result *r, const char *name, double **out) {
  RX_TRY(RX_NEW(out, "test", r->n_features * r->n_factors));
  return rx_matrix_read(r->matrix, name, RX_FLOAT64, 0, r->n_features, 0, r->n_factors, *out);
}

/* p by permutation: one of 1/20 .. 20/20, in the order of |t| within a factor; over the grid no
 * smaller than within the factor, and none for a factor that misses patients. */
static int is_ordered(const grid_result *r, const double *within, const double *over) {
  int ok = 1;

  for (size_t j = 0; j < r->n_factors; j++)
    for (size_t i = 0; i < r->n_features; i++) {
      size_t at = i * r->n_factors + j;
      double twentieths = 20 * pow(10, within[at]);
      ok = ok && isnan(within[at]) == isnan(r->t[at]);
      ok = ok && (isnan(r->t[at]) || (fabs(twentieths - round(twentieths)) < 1e-5 &&
                                      twentieths > 0.99 && twentieths < 20.01));
      ok = ok && (isnan(over[at]) ? isnan(r->t[at]) || j == 17 : over[at] >= within[at] - 1e-6);
      for (size_t k = 0; k < r->n_features; k++) {
        size_t other = k * r->n_factors + j;
        if (fabs(r->t[other]) > fabs(r->t[at])) ok = ok && within[other] <= within[at];
      }
    }
  return ok;
}

static void one_rank_gives_the_bits_of_all(void **state) {
  study *s = NULL;
  grid_result all, one;

  (void)state;
  assert_all(RX_NEW(&s, "test", 1) == RX_OK);
  start_own(s, MPI_COMM_WORLD, "all", 0, 1, 0, -1, "19");
  assert_all(result_read(s, &all) == RX_OK);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank_of_test() == 0) start_own(s, MPI_COMM_SELF, "one", 0, 1, 0, -1, "19");
  MPI_Barrier(MPI_COMM_WORLD);
  snprintf(s->config.study_directory, sizeof s->config.study_directory, "one");
  s->job.comm = MPI_COMM_WORLD;
  assert_all(result_read(s, &one) == RX_OK);
  size_t n = all.n_features * all.n_factors;
  assert_all(same_bits(all.t, one.t, n) && same_bits(all.beta, one.beta, n));
  assert_all(same_bits(all.se, one.se, n) && same_bits(all.log10_p, one.log10_p, n));
  assert_all(same_bits(all.lambda, one.lambda, n) && same_bits(all.df, one.df, n));
  assert_all(same_bits(all.q_factor, one.q_factor, n) && same_bits(all.q_all, one.q_all, n));
  assert_all(same_bits(all.q_hierarchical, one.q_hierarchical, n));
  assert_all(same_bits(all.means, one.means, n) && same_bits(all.fit, one.fit, n));
  for (size_t c = 0; c < all.matrix->var->n_columns; c++)
    if (all.matrix->var->columns[c].kind == RX_REAL)
      assert_all(same_bits(all.matrix->var->columns[c].real, one.matrix->var->columns[c].real,
                           all.n_factors));
  double *within[2], *over[2];
  assert_all(read_permutation(&all, "layers/log10_p_permutation", &within[0]) == RX_OK);
  assert_all(read_permutation(&one, "layers/log10_p_permutation", &within[1]) == RX_OK);
  assert_all(read_permutation(&all, "layers/log10_p_permutation_all", &over[0]) == RX_OK);
  assert_all(read_permutation(&one, "layers/log10_p_permutation_all", &over[1]) == RX_OK);
  assert_all(same_bits(within[0], within[1], n) && same_bits(over[0], over[1], n));
  assert_all(is_ordered(&all, within[0], over[0]));
  for (int i = 0; i < 2; i++) free(within[i]), free(over[i]);
  result_free(&one);
  result_free(&all);
  free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(exact_reml_is_met_with_and_without_covariates),
    cmocka_unit_test(other_degrees_of_freedom_are_those_of_lmertest_and_pbkrtest),
    cmocka_unit_test(likelihood_ratios_are_those_of_maximum_likelihood),
    cmocka_unit_test(each_cell_has_the_status_it_should),
    cmocka_unit_test(scale_offset_order_and_company_of_a_feature_change_nothing),
    cmocka_unit_test(one_rank_gives_the_bits_of_all),
};

MPI_TEST_MAIN(tests)
