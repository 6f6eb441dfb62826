/* Every branch of base that is for a failure: each operation is repeated with its first, second,
 * third... allocation, reading or writing call failing, on all ranks and on the last or the first
 * alone, until none is left to fail. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injected.h"
#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/resume.h"
#include "radmix/table.h"
#include "radmix/text.h"

enum { N_OBS = 5, N_VAR = 4, LIMIT = 30 };
static const char stale[] = "no message was given";

/* ---- the operations; each collective, each ends agreed ---- */

static rx_status take_settings(const rx_job *job) {
  static const char *const overrides[] = {"genomics.table=a.tsv,b.tsv"};
  rx_config *config = NULL;
  rx_status status = RX_AGREE(job->comm, RX_NEW(&config, "settings", 1));

  if (!status) status = rx_config_load(job->comm, "in/deck.ini", 1, overrides, config);
  free(config);
  return status;
}

static rx_status take_tables(const rx_job *job) {
  char *patients[] = {"TCGA-AO-A03M", "TCGA-E2-A108"};
  ptrdiff_t rows[2];
  bool is_in[2];
  rx_table *table = NULL;
  rx_frame *clinical = NULL;
  rx_status status = rx_table_load(job->comm, "in/t.tsv", &table);

  if (!status) status = rx_clinical_load(job->comm, "in/t.tsv", &clinical);
  if (!status) status = RX_AGREE(job->comm, rx_frame_match(clinical, 2, patients, rows));
  if (!status)
    status = RX_AGREE(job->comm, rx_subset_mark("age=29,grade=G1", clinical, "t", 2, rows, is_in));
  if (!status && !(is_in[0] && !is_in[1])) status = RX_ERR_INTERNAL;
  rx_table_destroy(&table);
  rx_frame_destroy(&clinical);
  return RX_AGREE(job->comm, status);
}

static rx_status make_frames(rx_frame **obs, rx_frame **var) {
  rx_column *column;
  char name[32];

  RX_TRY(rx_frame_create(N_OBS, obs));
  RX_TRY(rx_frame_create(N_VAR, var));
  for (size_t r = 0; r < N_OBS; r++) {
    snprintf(name, sizeof name, "patient %zu", r);
    RX_TRY(rx_frame_name(*obs, r, name));
  }
  RX_TRY(rx_frame_add(*obs, "sequence", RX_TEXT, &column));
  RX_TRY(rx_frame_set_text(*obs, column, 1, "T1"));
  RX_TRY(rx_frame_add(*obs, "n_images", RX_INTEGER, NULL));
  return rx_frame_add(*var, "zeros", RX_REAL, NULL);
}

static rx_status fill_matrix(const rx_job *job, rx_matrix *matrix, const rx_recipe *recipe,
                             rx_matrix **owned) {
  double x[N_OBS * N_VAR] = {0}, late[N_VAR] = {0.5};
  rx_column column = {.name = "late", .kind = RX_REAL, .real = late};
  rx_store *store = NULL;
  size_t n = job->rank == 0 ? N_OBS : 0;

  RX_TRY(rx_matrix_write(matrix, "X", RX_FLOAT64, 0, n, 0, N_VAR, x));
  RX_TRY(rx_matrix_seal(matrix, &store));
  rx_status status = store ? rx_store_put_column(store, "var", N_VAR, &column) : RX_OK;
  RX_TRY(RX_AGREE(job->comm, status));
  return rx_matrix_commit(owned, recipe);
}

static rx_status write_matrix(const rx_job *job, const char *path, const char *factors) {
  static const rx_array arrays[] = {{"X", RX_FLOAT32, N_OBS, N_VAR, 2}};
  rx_frame *obs = NULL, *var = NULL;
  rx_matrix *matrix = NULL;
  rx_recipe *recipe = NULL;
  bool is_current;
  rx_status status = rx_recipe_create("test", 1, &recipe);

  if (!status) status = rx_recipe_section(recipe, job->config, "autoencoder");
  status = RX_AGREE(job->comm, status);
  if (!status) status = rx_recipe_input(job->comm, recipe, "study.clinical", "in/t.tsv");
  if (!status) status = rx_recipe_input(job->comm, recipe, "association.factors", factors);
  if (!status) status = rx_result_check(job, recipe, path, &is_current);
  if (!status) status = RX_AGREE(job->comm, make_frames(&obs, &var));
  rx_matrix_layout layout = {.obs = obs, .var = var, .n_arrays = 1, .arrays = arrays};
  if (!status) status = rx_matrix_create(job, path, &layout, &matrix);
  if (!status) status = fill_matrix(job, matrix, recipe, &matrix);
  rx_matrix_destroy(&matrix);
  rx_recipe_destroy(&recipe);
  rx_frame_destroy(&obs);
  rx_frame_destroy(&var);
  return status;
}

static rx_status write_result(const rx_job *job) {
  return write_matrix(job, "out/m.h5ad", "in/m.h5ad");
}

static rx_status read_matrix(const rx_job *job) {
  rx_matrix *matrix = NULL;
  rx_store *store = NULL;
  char *text = NULL;
  double x[N_OBS * N_VAR];
  size_t rows, columns;
  rx_status status = rx_matrix_open(job->comm, "in/m.h5ad", &matrix);

  if (!status) status = rx_matrix_shape(matrix, "X", &rows, &columns);
  if (!status) status = rx_matrix_read(matrix, "X", RX_FLOAT64, 0, N_OBS, 0, N_VAR, x);
  if (!status) status = rx_matrix_store(matrix, &store);
  if (!status && store) status = rx_store_get_text(store, "uns/radmix/id", &text);
  /* What is not there must fail too: a column lost in silence is worse. */
  if (!status && !rx_frame_find(matrix->obs, "sequence")) status = RX_ERR_INTERNAL;
  free(text);
  rx_store_close(&store);
  rx_matrix_destroy(&matrix);
  return RX_AGREE(job->comm, status);
}

/* A result that is there already: "up to date". */
static rx_status find_result(const rx_job *job) {
  rx_recipe *recipe = NULL;
  bool is_current = false;
  rx_status status = rx_recipe_create("test", 1, &recipe);

  if (!status) status = rx_recipe_section(recipe, job->config, "autoencoder");
  status = RX_AGREE(job->comm, status);
  if (!status) status = rx_recipe_input(job->comm, recipe, "study.clinical", "in/t.tsv");
  if (!status) status = rx_result_check(job, recipe, "in/m.h5ad", &is_current);
  rx_recipe_destroy(&recipe);
  return status;
}

static rx_status write_text(const rx_job *job) {
  FILE *file = NULL;
  rx_status status = RX_OK;

  if (job->rank == 0) {
    status = rx_output_folder("out/a/b");
    if (!status) status = rx_output_open("out/a/b/text.tsv", &file);
    if (!status) fputs("one\ttwo\n", file);
    status = rx_output_close("out/a/b/text.tsv", &file, status);
  }
  return RX_AGREE(job->comm, status);
}

static rx_status take_lock(const rx_job *job) {
  RX_TRY(rx_lock_take(job));
  rx_lock_release(job);
  return RX_OK;
}

static rx_status resume(double *numbers, const rx_recipe *recipe) {
  const rx_resume_array array = {"numbers", RX_FLOAT64, 3, numbers};
  rx_store *store = NULL;
  rx_status status = rx_resume_put("out/c.h5", recipe, 1, &array, &store);

  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
  if (!status) status = rx_store_open("out/c.h5", &store);
  if (!status) status = rx_resume_get(store, "out/c.h5", 1, &array);
  rx_store_close(&store);
  unlink("out/c.h5");
  return status;
}

static rx_status write_checkpoint(const rx_job *job) {
  double numbers[3] = {1, 2, 3};
  rx_recipe *recipe = NULL;
  rx_status status = rx_recipe_create("test", 1, &recipe);

  if (!status && job->rank == 0) status = resume(numbers, recipe);
  rx_recipe_destroy(&recipe);
  return RX_AGREE(job->comm, status);
}

static const struct {
  const char *name;
  rx_status (*run)(const rx_job *job);
} operations[] = {
    {"settings", take_settings},
    {"tables", take_tables},
    {"writing a matrix", write_result},
    {"reading", read_matrix},
    {"up to date", find_result},
    {"a text", write_text},
    {"a lock", take_lock},
    {"a checkpoint", write_checkpoint},
};

/* ---- the campaign ---- */

/* The files under a folder, those that begin with a dot too. */
static int count_files(const char *path) {
  char inner[4096];
  struct dirent *entry;
  int n = 0;
  DIR *folder = opendir(path);

  while (folder && (entry = readdir(folder))) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    n += entry->d_type == DT_DIR ? count_files(inner) : 1;
  }
  if (folder) closedir(folder);
  return n;
}

/* Empties out/ between two attempts. */
static void clean(void) {
  static const char *const files[] = {
      "out/m.h5ad", "out/m.h5ad.part", "out/a/b/text.tsv", "out/a/b/text.tsv.part",
      "out/c.h5",   "out/c.h5.part",   "out/study/.lock"};

  for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(files[i]);
  rmdir("out/a/b"), rmdir("out/a"), rmdir("out/study");
}

static char at_work[128];

/* A hang: says in what, and ends the process. */
static void give_up(int signal) {
  (void)signal;
  (void)!write(STDERR_FILENO, at_work, strlen(at_work));
  _exit(1);
}

static bool is_expected(injected_kind kind, rx_status status) {
  if (kind == MEMORY) return status == RX_ERR_MEMORY;
  if (kind == WRITING) return status == RX_ERR_OUTPUT;
  /* What was not read may be taken for a file without its record, or for one without a part. */
  return status == RX_ERR_INPUT || status == RX_ERR_NOINPUT || status == RX_ERR_EXISTS ||
         status == RX_ERR_OUTPUT;
}

/* One attempt. Gives false when nothing was left to fail. */
static bool attempt(const rx_job *job, size_t operation, injected_kind kind, long n, bool is_mine,
                    int *n_wrong) {
  static const char *const kinds[] = {"memory", "reading", "writing", "shared open"};

  (void)RX_FAIL(RX_OK, stale);
  snprintf(at_work, sizeof at_work, "# hang: %s, %s %ld\n", operations[operation].name, kinds[kind],
           n);
  if (job->rank == 0) clean();
  MPI_Barrier(job->comm);
  alarm(LIMIT);
  if (is_mine) injected_arm(kind, n);
  rx_status status = operations[operation].run(job);
  bool has_failed = injected_disarm();
  alarm(0);
  int say[3] = {has_failed, (int)status, -(int)status};
  MPI_Allreduce(MPI_IN_PLACE, say, 3, MPI_INT, MPI_MAX, job->comm);
  bool is_same = say[1] == -say[2];
  int n_files = job->rank == 0 && status ? count_files("out") : 0;
  /* A folder that cannot be brought to the disk, or a file read otherwise, may be no failure. */
  bool is_right = !status ? kind == READING || kind == WRITING || !say[0]
                          : say[0] && is_expected(kind, status) && rx_error_message()[0] &&
                                strcmp(rx_error_message(), stale) && !n_files;
  if (!is_same || !is_right) {
    ++*n_wrong;
    fprintf(stderr, "# %s, %s %ld: status %d on rank %d, %d files left: %s\n",
            operations[operation].name, kinds[kind], n, (int)status, job->rank, n_files,
            rx_error_message());
  }
  return say[0];
}

/* step  of n calls n / step are left out: the settings in a record are written alike, more than a
 * hundred times */
static void fail_each(injected_kind kind, int first_victim, int last_victim, long step) {
  rx_config *config = calloc(1, sizeof *config);
  rx_log log;
  int n_wrong = 0;
  long n_failed = 0;

  rx_job job = job_for_test(config, &log);
  snprintf(config->study_directory, RX_TEXT_SIZE, "out/study");
  signal(SIGALRM, give_up);
  bool is_mine = job.rank >= first_victim && job.rank <= last_victim;
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    for (long n = 0; attempt(&job, i, kind, n, is_mine, &n_wrong); n += 1 + n / step) n_failed++;
  assert_all(n_wrong == 0);
  assert_all(n_failed > 0 || kind != MEMORY);
  free(config);
}

/* One rank visits every branch; with more the waiting of others is what is tested, and costs. */
static void fail_everywhere(injected_kind kind) {
  int last = ranks_of_test() - 1;

  fail_each(kind, 0, last, last ? 1 : 40);
  if (last) fail_each(kind, last, last, last == 1 ? 12 : 1);
}

static void no_memory_ends_all_ranks_with_71(void **state) {
  (void)state;
  fail_everywhere(MEMORY);
}

static void a_full_disk_ends_all_ranks_with_74_and_leaves_nothing(void **state) {
  (void)state;
  fail_everywhere(WRITING);
}

static void a_file_that_cannot_be_read_ends_all_ranks(void **state) {
  (void)state;
  fail_everywhere(READING);
}

static void a_file_that_no_rank_can_open_ends_all(void **state) {
  (void)state;
  fail_each(SHARED_OPEN, 0, ranks_of_test(), 1);
}

/* The files that the operations read. */
static void undisturbed_all_of_it_works(void **state) {
  rx_config *config = calloc(1, sizeof *config);
  rx_log log;
  rx_job job = job_for_test(config, &log);

  (void)state;
  if (job.rank == 0) {
    rx_output_folder("in");
    rx_output_folder("out");
    unlink("in/m.h5ad");
    FILE *file = fopen("in/deck.ini", "w");
    fputs("[study]\nclinical = t.tsv\n[genomics]\nsignatures = gene70,own.sig\n", file);
    fclose(file);
    file = fopen("in/t.tsv", "w");
    fputs("patient\tage\tgrade\nTCGA-AO-A03M\t29\tG1\nTCGA-E2-A108\t30\tG1\n", file);
    fclose(file);
  }
  MPI_Barrier(job.comm);
  assert_all(write_matrix(&job, "in/m.h5ad", "") == RX_OK);
  free(config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(undisturbed_all_of_it_works),
    cmocka_unit_test(no_memory_ends_all_ranks_with_71),
    cmocka_unit_test(a_full_disk_ends_all_ranks_with_74_and_leaves_nothing),
    cmocka_unit_test(a_file_that_cannot_be_read_ends_all_ranks),
    cmocka_unit_test(a_file_that_no_rank_can_open_ends_all),
};

MPI_TEST_MAIN(tests)
