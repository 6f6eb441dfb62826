/* Errors, settings, tables, annotated matrices, results and locks, over ranks. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/result.h"
#include "radmix/table.h"
#include "radmix/text.h"

static void write_file(const char *path, const char *text) {
  if (rank_of_test() == 0) {
    FILE *file = fopen(path, "wb");
    fputs(text, file);
    fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void one_bad_rank_fails_all_with_its_message(void **state) {
  rx_status status = RX_OK;
  int last = ranks_of_test() - 1;

  (void)state;
  if (rank_of_test() == last) status = RX_FAIL(RX_ERR_INPUT, "rank %d: 100%% \n wrong", last);
  status = RX_AGREE(MPI_COMM_WORLD, status);
  assert_all(status == RX_ERR_INPUT);
  assert_all(strstr(rx_error_message(), "100% ? wrong") != NULL);
  assert_all(RX_AGREE(MPI_COMM_WORLD, RX_OK) == RX_OK);
}

static void every_rank_gets_the_bytes_of_any_other(void **state) {
  int n_ranks, rank, right = 0;
  unsigned char bytes[1001];

  (void)state;
  MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int root = 0; root < n_ranks; root++) {
    memset(bytes, rank + 1, sizeof bytes);
    rx_broadcast_bytes_from(MPI_COMM_WORLD, root, bytes, 1000);
    right += bytes[0] == root + 1 && bytes[999] == root + 1 && bytes[1000] == rank + 1;
  }
  assert_all(right == n_ranks);
}

static void settings_come_from_deck_and_command_line(void **state) {
  const char *overrides[] = {"autoencoder.epochs=7", "study.directory=there"};
  rx_config *config = NULL;

  (void)state;
  assert_all(RX_NEW(&config, "settings", 1) == RX_OK);
  if (rank_of_test() == 0) rx_output_folder("decks");
  write_file("decks/a.ini",
             "# a comment\r\n[study]\r\nclinical = c.tsv\n[autoencoder]\nepochs=3\n"
             "noise = 0.1\n[genomics]\ntable = x.tsv, sub/y.tsv\nsignatures = gene70,own.sig\n");
  assert_all(rx_config_load(MPI_COMM_WORLD, "decks/a.ini", 2, overrides, config) == RX_OK);
  assert_all(config->autoencoder_epochs == 7 && config->autoencoder_noise == 0.1);
  assert_all(rx_is(config->study_clinical, "decks/c.tsv"));
  assert_all(rx_is(config->study_directory, "there"));
  assert_all(rx_is(config->genomics_table, "decks/x.tsv,decks/sub/y.tsv"));
  assert_all(rx_is(config->genomics_signatures, "gene70,decks/own.sig"));
  assert_all(rx_config_is_named(config, RX_SETTING_autoencoder_noise));
  assert_all(!rx_config_is_named(config, RX_SETTING_autoencoder_batch));
  assert_all(isnan(config->autoencoder_learning_rate));
  free(config);
}

static void bad_settings_are_named_with_file_and_line(void **state) {
  const struct {
    const char *text, *words;
  } cases[] = {
      {"[autoencoder]\nepocs = 3\n", "b.ini:2: autoencoder.epocs: no such setting"},
      {"[autoencoder]\nepochs = x\n",
       "b.ini:2: autoencoder.epochs: expected a whole number from 0"},
      {"[autoencoder]\nepochs = -1\n", "b.ini:2: autoencoder.epochs"},
      {"[autoencoder]\nepochs = 1.5\n", "b.ini:2: autoencoder.epochs"},
      {"[autoencoder]\nepochs = 1\n\nepochs = 1\n", "b.ini:4: autoencoder.epochs: given twice"},
      {"[autoencoder]\nepochs\n", "b.ini:2: expected key = value"},
      {"[autoencodr]\n", "b.ini:1: [autoencodr]: no such section"},
      {"epochs = 1\n", "b.ini:1: expected a [section]"},
      {"[images]\nresample = bicubic\n", "b.ini:2: images.resample: expected one of area,cubic"},
      {"[images]\ndrop_empty = 1\n", "b.ini:2: images.drop_empty: expected yes or no"},
  };
  rx_config *config = NULL;

  (void)state;
  assert_all(RX_NEW(&config, "settings", 1) == RX_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_file("b.ini", cases[i].text);
    assert_all(rx_config_load(MPI_COMM_WORLD, "b.ini", 0, NULL, config) == RX_ERR_CONFIG);
    assert_all(strstr(rx_error_message(), cases[i].words) != NULL);
  }
  assert_all(rx_config_load(MPI_COMM_WORLD, "absent.ini", 0, NULL, config) == RX_ERR_NOINPUT);
  free(config);
}

static void all_ranks_get_the_table_of_rank_0(void **state) {
  rx_table *table = NULL;
  rx_frame *clinical = NULL;
  double x = 0;

  (void)state;
  write_file("t.tsv", "patient\tage\nTCGA-AO-A03M-01\t29\nTCGA-E2-A108\tNA\n");
  assert_all(rx_table_load(MPI_COMM_WORLD, "t.tsv", &table) == RX_OK);
  assert_all(table->n_rows == 2 && rx_table_number(table, 0, 1, &x) == RX_OK && x == 29);
  rx_table_destroy(&table);
  assert_all(rx_table_load(MPI_COMM_WORLD, "absent.tsv", &table) == RX_ERR_NOINPUT);
  assert_all(rx_clinical_load(MPI_COMM_WORLD, "t.tsv", &clinical) == RX_OK);
  assert_all(rx_is(rx_frame_find(clinical, "site")->text[1], "E2"));
  rx_frame_destroy(&clinical);
}

enum { N_OBS = 5, N_VAR = 7 };

static rx_status make_names(rx_frame **obs, rx_frame **var) {
  char name[32];
  rx_column *column;

  RX_TRY(rx_frame_create(N_OBS, obs));
  RX_TRY(rx_frame_create(N_VAR, var));
  for (size_t r = 0; r < N_OBS; r++) {
    snprintf(name, sizeof name, "p\xc3\xa4tient %zu", r);
    RX_TRY(rx_frame_name(*obs, r, name));
  }
  for (size_t c = 0; c < N_VAR; c++) {
    snprintf(name, sizeof name, "f%zu", c);
    RX_TRY(rx_frame_name(*var, c, name));
  }
  RX_TRY(rx_frame_add(*obs, "sequence", RX_TEXT, &column));
  RX_TRY(rx_frame_set_text(*obs, column, 2, "DCE-T1"));
  RX_TRY(rx_frame_add(*obs, "n_images", RX_INTEGER, &column));
  column->integer[3] = 33;
  return rx_frame_add(*var, "fraction_zero", RX_REAL, NULL);
}

/* Writes a matrix of 10 row + column, rows over ranks, and a 1-D column at the end. */
static rx_status write_matrix(const rx_job *job, const char *path, const rx_recipe *recipe) {
  const rx_array arrays[] = {{"X", RX_FLOAT32, N_OBS, N_VAR, 0},
                             {"layers/beta", RX_FLOAT64, N_OBS, N_VAR, 3}};
  rx_frame *obs = NULL, *var = NULL;
  rx_matrix *matrix = NULL;
  rx_store *store = NULL;
  double x[N_OBS * N_VAR], late[N_VAR] = {0.5};
  size_t first, count;

  RX_TRY(make_names(&obs, &var));
  rx_matrix_layout layout = {.obs = obs, .var = var, .n_arrays = 2, .arrays = arrays};
  rx_status status = rx_matrix_create(job, path, &layout, &matrix);
  rx_partition(N_OBS, job->rank, job->n_ranks, &first, &count);
  for (size_t i = 0; i < count * N_VAR; i++)
    x[i] = 10 * (double)(first + i / N_VAR) + (double)(i % N_VAR);
  if (!status) status = rx_matrix_write(matrix, "X", RX_FLOAT64, first, count, 0, N_VAR, x);
  rx_partition(N_VAR, job->rank, job->n_ranks, &first, &count);
  for (size_t i = 0; i < count * N_OBS; i++)
    x[i] = 10 * (double)(i / count) + (double)(first + i % count);
  if (!status)
    status = rx_matrix_write(matrix, "layers/beta", RX_FLOAT64, 0, N_OBS, first, count, x);
  if (!status) status = rx_matrix_seal(matrix, &store);
  rx_column column = {.name = "late", .kind = RX_REAL, .real = late};
  if (!status && store) status = rx_store_put_column(store, "var", N_VAR, &column);
  status = RX_AGREE(job->comm, status);
  if (!status) status = rx_matrix_commit(&matrix, recipe);
  rx_matrix_destroy(&matrix);
  rx_frame_destroy(&obs);
  rx_frame_destroy(&var);
  return status;
}

static void check_matrix(const char *path) {
  rx_matrix *matrix = NULL;
  double x[N_OBS * N_VAR];
  size_t rows, columns, wrong = 0;

  assert_all(rx_matrix_open(MPI_COMM_WORLD, path, &matrix) == RX_OK);
  assert_all(matrix->n_obs == N_OBS && matrix->n_var == N_VAR);
  assert_all(rx_is(matrix->obs->names[4], "p\xc3\xa4tient 4"));
  assert_all(rx_is(rx_frame_find(matrix->obs, "sequence")->text[2], "DCE-T1"));
  assert_all(rx_frame_find(matrix->obs, "n_images")->integer[3] == 33);
  assert_all(rx_frame_find(matrix->var, "late")->real[0] == 0.5);
  assert_all(rx_matrix_has(matrix, "layers/beta") && !rx_matrix_has(matrix, "layers/alpha"));
  assert_all(rx_matrix_shape(matrix, "X", &rows, &columns) == RX_OK && rows == N_OBS &&
             columns == N_VAR);
  const char *names[] = {"X", "layers/beta"};
  for (int k = 0; k < 2; k++) {
    memset(x, 0, sizeof x);
    assert_all(rx_matrix_read(matrix, names[k], RX_FLOAT64, 1, N_OBS - 1, 2, 3, x) == RX_OK);
    for (size_t i = 0; i < (N_OBS - 1) * 3; i++)
      wrong += x[i] != 10 * (double)(1 + i / 3) + (double)(2 + i % 3);
  }
  assert_all(wrong == 0);
  assert_all(rx_matrix_read(matrix, "X", RX_FLOAT64, 3, N_OBS, 0, 1, x) == RX_ERR_INPUT);
  assert_all(rx_matrix_read(matrix, "Y", RX_FLOAT64, 0, 1, 0, 1, x) == RX_ERR_INPUT);
  rx_matrix_destroy(&matrix);
}

static void a_matrix_is_read_as_it_was_written(void **state) {
  rx_config *config = NULL;
  rx_log log;
  rx_recipe *recipe = NULL;

  (void)state;
  assert_all(RX_NEW(&config, "settings", 1) == RX_OK);
  rx_job job = job_for_test(config, &log);
  assert_all(rx_recipe_create("test", 1, &recipe) == RX_OK);
  assert_all(write_matrix(&job, "m.h5ad", recipe) == RX_OK);
  assert_all(access("m.h5ad.part", F_OK) != 0);
  check_matrix("m.h5ad");
  assert_all(write_matrix(&job, "absent/m.h5ad", recipe) == RX_ERR_OUTPUT);
  rx_recipe_destroy(&recipe);
  free(config);
}

static rx_status recipe_of(const rx_job *job, const char *input, rx_recipe **recipe) {
  RX_TRY(rx_recipe_create("test", 1, recipe));
  RX_TRY(rx_recipe_section(*recipe, job->config, "autoencoder"));
  return rx_recipe_input(job->comm, *recipe, "images.manifest", input);
}

static void a_result_is_made_once_and_differences_are_named(void **state) {
  rx_config *config = NULL;
  rx_log log;
  rx_recipe *recipe = NULL;
  bool is_current = true;

  (void)state;
  assert_all(RX_NEW(&config, "settings", 1) == RX_OK);
  rx_job job = job_for_test(config, &log);
  if (job.rank == 0) unlink("r.h5ad");
  write_file("in.txt", "one");
  assert_all(recipe_of(&job, "in.txt", &recipe) == RX_OK);
  assert_all(rx_result_check(&job, recipe, "r.h5ad", &is_current) == RX_OK && !is_current);
  assert_all(write_matrix(&job, "r.h5ad", recipe) == RX_OK);
  assert_all(rx_result_check(&job, recipe, "r.h5ad", &is_current) == RX_OK && is_current);
  rx_recipe_destroy(&recipe);

  config->autoencoder_epochs = 3;
  config->autoencoder_checkpoint_minutes = 99; /* of no account */
  assert_all(recipe_of(&job, "in.txt", &recipe) == RX_OK);
  assert_all(rx_result_check(&job, recipe, "r.h5ad", &is_current) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "autoencoder.epochs = 100, now it is 3") != NULL);
  job.force = RX_FORCE_DIFFERS;
  assert_all(rx_result_check(&job, recipe, "r.h5ad", &is_current) == RX_OK && !is_current);
  rx_recipe_destroy(&recipe);

  job.force = RX_FORCE_NEVER;
  config->autoencoder_epochs = 100;
  write_file("in.txt", "two");
  assert_all(recipe_of(&job, "in.txt", &recipe) == RX_OK);
  assert_all(rx_result_check(&job, recipe, "r.h5ad", &is_current) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "images.manifest") != NULL);
  rx_recipe_destroy(&recipe);
  assert_all(recipe_of(&job, "absent.txt", &recipe) == RX_ERR_NOINPUT);
  rx_recipe_destroy(&recipe);
  free(config);
}

/* The line of a lock whose holder has ended, but of whom nobody has asked how (Z in ps). */
static const char *line_of_ended_child(const char *host, char *line, size_t size) {
  char path[64], stat[1024] = "";
  unsigned long long start = 0;

  if (rank_of_test()) return "";
  pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
  FILE *file = fopen(path, "r");
  const char *p = file && fgets(stat, sizeof stat, file) ? strrchr(stat, ')') : NULL;
  for (int field = 3; p && field <= 22; field++) p = strchr(p + 1, ' ');
  if (p) start = strtoull(p, NULL, 10);
  if (file) fclose(file);
  snprintf(line, size, "%s %d %llu -\n", host, (int)child, start);
  return line;
}

static void a_second_writer_is_refused_and_a_dead_one_replaced(void **state) {
  rx_config *config = NULL;
  rx_log log;
  char host[256] = "", line[512];

  (void)state;
  assert_all(RX_NEW(&config, "settings", 1) == RX_OK);
  rx_job job = job_for_test(config, &log);
  snprintf(config->study_directory, RX_TEXT_SIZE, "study/of/locks");
  assert_all(rx_lock_take(&job) == RX_OK);
  assert_all(rx_lock_take(&job) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "study/of/locks/.lock") != NULL);
  rx_lock_release(&job);
  gethostname(host, sizeof host - 1);
  snprintf(line, sizeof line, "%s 999999999 5 -\n", host);
  write_file("study/of/locks/.lock", line);
  assert_all(rx_lock_take(&job) == RX_OK);
  rx_lock_release(&job);
  write_file("study/of/locks/.lock", line_of_ended_child(host, line, sizeof line));
  assert_all(rx_lock_take(&job) == RX_OK);
  rx_lock_release(&job);
  write_file("study/of/locks/.lock", "elsewhere 1 5 77\n");
  assert_all(rx_lock_take(&job) == RX_ERR_EXISTS);
  if (job.rank == 0) setenv("SLURM_JOB_ID", "77", 1);
  assert_all(rx_lock_take(&job) == RX_OK);
  rx_lock_release(&job);
  if (job.rank == 0) unsetenv("SLURM_JOB_ID");
  MPI_Barrier(MPI_COMM_WORLD);
  assert_all(access("study/of/locks/.lock", F_OK) != 0);
  free(config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_bad_rank_fails_all_with_its_message),
    cmocka_unit_test(every_rank_gets_the_bytes_of_any_other),
    cmocka_unit_test(settings_come_from_deck_and_command_line),
    cmocka_unit_test(bad_settings_are_named_with_file_and_line),
    cmocka_unit_test(all_ranks_get_the_table_of_rank_0),
    cmocka_unit_test(a_matrix_is_read_as_it_was_written),
    cmocka_unit_test(a_result_is_made_once_and_differences_are_named),
    cmocka_unit_test(a_second_writer_is_refused_and_a_dead_one_replaced),
};

MPI_TEST_MAIN(tests)
