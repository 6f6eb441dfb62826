/* The flow of predict, at any number of ranks what it is on one: rows split over ranks, a table of
 * patients beside them, their union, labels permuted. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/prediction.h"
#include "radmix/random.h"
#include "radmix/result.h"
#include "radmix/table.h"

/* More rows than a rank takes before the next gets some. */
enum { PATIENTS = 30, SLICES = 140, FEATURES = 32, OTHERS = 4, PATH_SIZE = 512 };

static char folder[256];

static void make_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/radmix-prediction-XXXXXX");
  if (rank_of_test() == 0 && !mkdtemp(folder)) folder[0] = '\0';
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static FILE *open_table(const char *name, int n_columns) {
  char path[PATH_SIZE];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  fputs("patient", file);
  for (int j = 0; j < n_columns; j++) fprintf(file, "\tf%02d", j);
  fputc('\n', file);
  return file;
}

/* Rows of a patient about a mean of its own, which the outcome shifts in every fourth feature. */
static void write_rows(const char *name, int n_rows, int n_columns, uint32_t what) {
  FILE *file = open_table(name, n_columns);

  for (int patient = 0; patient < PATIENTS; patient++)
    for (int row = 0; row < n_rows; row++) {
      rx_random own = rx_random_at(3, RX_RANDOM_SIMULATION, (uint32_t)patient, what);
      rx_random noise =
          rx_random_at(3, RX_RANDOM_SIMULATION, (uint32_t)(patient * n_rows + row), what + 1);
      fprintf(file, "P%02d", patient);
      for (int j = 0; j < n_columns; j++) {
        double shift = j % 4 == 0 && patient % 2 ? 0.4 : 0;
        fprintf(file, "\t%.6f", shift + rx_random_normal(&own) + rx_random_normal(&noise));
      }
      fputc('\n', file);
    }
  fclose(file);
}

static void write_tables(void) {
  char path[PATH_SIZE];

  write_rows("slices.tsv", SLICES, FEATURES, 1);
  write_rows("patients.tsv", 1, OTHERS, 5);
  snprintf(path, sizeof path, "%s/clinical.tsv", folder);
  FILE *file = fopen(path, "w");
  fputs("patient\tER\tsize\n", file);
  for (int patient = 0; patient < PATIENTS; patient++)
    fprintf(file, "P%02d\t%s\t%d\n", patient,
            patient == 7  ? "NA"
            : patient % 2 ? "1"
                          : "0",
            patient % 9);
  fclose(file);
}

static void set_path(char setting[RX_TEXT_SIZE], const char *name) {
  snprintf(setting, RX_TEXT_SIZE, "%s/%s", folder, name);
}

static rx_status predict(MPI_Comm comm, const char *out) {
  rx_config config;
  rx_log log;
  rx_job job = job_for_test(&config, &log);

  job.comm = comm;
  MPI_Comm_rank(comm, &job.rank);
  MPI_Comm_size(comm, &job.n_ranks);
  log.is_speaker = false;
  set_path(config.study_directory, out);
  set_path(config.study_clinical, "clinical.tsv");
  set_path(config.prediction_features, "slices.tsv");
  set_path(config.prediction_compare, "patients.tsv");
  strcpy(config.prediction_outcomes, "ER");
  config.prediction_folds = config.prediction_inner_folds = 2;
  config.prediction_lambdas = 5;
  config.prediction_bootstrap = 20;
  config.prediction_permutations = 1;
  if (job.rank == 0) rx_output_folder(config.study_directory);
  MPI_Barrier(comm);
  return rx_prediction_run(&job);
}

static rx_table *read_table(const char *out, const char *name) {
  char path[PATH_SIZE];
  rx_table *table = NULL;

  snprintf(path, sizeof path, "%s/%s/%s", folder, out, name);
  return rx_table_read(path, &table) ? NULL : table;
}

/* Cells are the same words, or numbers that differ by no more than rounding. */
static bool is_same_cell(const char *one, const char *other) {
  const double tolerance = 1e-8;
  char *end_one, *end_other;
  double a = strtod(one, &end_one), b = strtod(other, &end_other);

  if (!strcmp(one, other)) return true;
  return !*end_one && !*end_other && fabs(a - b) <= tolerance * fmax(1, fabs(a));
}

static bool is_same_table(const char *name) {
  rx_table *one = read_table("one", name), *all = read_table("all", name);
  bool is_same = one && all && one->n_rows == all->n_rows && one->n_columns == all->n_columns;

  for (size_t r = 0; is_same && r < one->n_rows; r++)
    for (size_t c = 0; is_same && c < one->n_columns; c++)
      is_same = is_same_cell(rx_table_cell(one, r, c), rx_table_cell(all, r, c));
  rx_table_destroy(&one);
  rx_table_destroy(&all);
  return is_same;
}

static void all_ranks_predict_what_one_does(void **state) {
  (void)state;
  static const char *const names[] = {"predictions-summary.tsv", "predictions-scores.tsv",
                                      "predictions-path.tsv", "predictions-selected.tsv",
                                      "folds.tsv"};

  assert_all(predict(MPI_COMM_WORLD, "all") == RX_OK);
  rx_status status = rank_of_test() == 0 ? predict(MPI_COMM_SELF, "one") : RX_OK;
  assert_all(status == RX_OK);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bool is_same = rank_of_test() || is_same_table(names[i]);
    assert_all(is_same);
  }
}

/* The share of pairs, one of each class, that the scores of a set put in order. */
static double count_pairs(const rx_table *scores, const char *set, double *n_patients) {
  double won = 0, pairs = 0;

  *n_patients = 0;
  for (size_t a = 0; a < scores->n_rows; a++) {
    double y, score;
    if (strcmp(rx_table_cell(scores, a, 1), set)) continue;
    rx_table_number(scores, a, 3, &y);
    rx_table_number(scores, a, 4, &score);
    if (isnan(y) || isnan(score)) continue;
    ++*n_patients;
    for (size_t b = 0; b < scores->n_rows && y > 0.5; b++) {
      double other_y, other;
      if (strcmp(rx_table_cell(scores, b, 1), set)) continue;
      rx_table_number(scores, b, 3, &other_y);
      rx_table_number(scores, b, 4, &other);
      if (!(other_y < 0.5) || isnan(other)) continue;
      pairs++;
      won += score > other ? 1 : score == other ? 0.5 : 0;
    }
  }
  return won / pairs;
}

static bool has_counted_auc(void) {
  rx_table *summary = read_table("all", "predictions-summary.tsv");
  rx_table *scores = read_table("all", "predictions-scores.tsv");
  bool is_right = summary && scores && summary->n_rows == 3;

  for (size_t r = 0; is_right && r < summary->n_rows; r++) {
    double auc, n_patients;
    double counted = count_pairs(scores, rx_table_cell(summary, r, 1), &n_patients);
    rx_table_number(summary, r, (size_t)rx_table_find(summary, "auc"), &auc);
    is_right = n_patients == PATIENTS - 1 && fabs(auc - counted) < 1e-9;
  }
  rx_table_destroy(&summary);
  rx_table_destroy(&scores);
  return is_right;
}

static void the_auc_is_the_share_of_pairs_in_order(void **state) {
  (void)state;
  bool is_right = rank_of_test() || has_counted_auc();

  assert_all(is_right);
}

static void tables_are_written(void **state) {
  (void)state;
  make_folder();
  if (rank_of_test() == 0) write_tables();
  assert_all(*folder);
}

static void nothing_is_left_behind(void **state) {
  char command[300];
  (void)state;

  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  int code = rank_of_test() == 0 ? system(command) : 0;
  assert_all(code == 0);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(tables_are_written),
                                          cmocka_unit_test(all_ranks_predict_what_one_does),
                                          cmocka_unit_test(the_auc_is_the_share_of_pairs_in_order),
                                          cmocka_unit_test(nothing_is_left_behind)};

MPI_TEST_MAIN(tests)
