/* campaign FOLDER FIRST STEP: runs the cases of FOLDER/cases.tsv from number FIRST on, those whose
 * number STEP divides, all ranks together in one process each.
 *
 * A case is right when the stage returns one of its codes on all ranks, when the message is one
 * line that holds the words, when no file is left that was not there before, and when HDF5 holds
 * no more open objects than before. A case that takes more than LIMIT seconds ends the process by
 * SIGALRM; FOLDER/now holds the number of the case at work, so that run.sh knows which one did it
 * and goes on after it. Memory is limited: a header may claim what it likes. Prints a line for each
 * wrong case, and one with the counts at the end. */
#include <dirent.h>
#include <hdf5.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "job_for_test.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/signal.h"
#include "radmix/store.h"
#include "radmix/table.h"
#include "radmix/text.h"

enum { LIMIT = 60, PATH_SIZE = 4096 };

/* Beyond what MPI, HDF5 and the libraries take at the start. */
static const size_t memory_limit = (size_t)1 << 30;

static const struct {
  const char *name;
  rx_status (*run)(const rx_job *job);
} stages[] = {
    {"slice", rx_images_run},          {"train", rx_autoencoder_run},
    {"encode", rx_features_run},       {"factors", rx_genomics_run},
    {"associate", rx_association_run}, {"cluster", rx_clustering_run},
    {"predict", rx_prediction_run},    {"report", rx_report_run},
    {"simulate", rx_simulation_run},   {"top", rx_association_top},
};
enum { N_STAGES = sizeof stages / sizeof *stages };

typedef struct {
  const char *name, *stage, *codes, *words, *settings; /* columns of cases.tsv */
} campaign_case;

typedef struct {
  const char *folder;
  int rank;
  size_t step;
  FILE *report; /* what was standard output; the stages' own goes nowhere */
  long n_wrong_codes, n_wrong_words, n_left_behind;
} campaign;

/* ---- what is in a folder ---- */

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted, each with its size and time, one a line; "" when it is absent. */
static void list_folder(const char *path, char *text, size_t size) {
  char *names[512];
  int n = 0;
  size_t used = 0;
  struct dirent *entry;
  DIR *folder = opendir(path);

  *text = '\0';
  while (folder && n < 512 && (entry = readdir(folder)))
    if (entry->d_name[0] != '.') names[n++] = strdup(entry->d_name);
  if (folder) closedir(folder);
  if (n) qsort(names, (size_t)n, sizeof *names, compare_names);
  for (int i = 0; i < n; i++) {
    if (used < size) used += (size_t)snprintf(text + used, size - used, "%s\n", names[i]);
    free(names[i]);
  }
}

/* Removes the files of a folder that are not in the list. */
static void remove_others(const char *path, const char *list) {
  char file[PATH_SIZE], line[300];
  struct dirent *entry;
  DIR *folder = opendir(path);

  while (folder && (entry = readdir(folder))) {
    snprintf(line, sizeof line, "%s\n", entry->d_name);
    const char *found = strstr(list, line);
    if (entry->d_name[0] == '.' || (found && (found == list || found[-1] == '\n'))) continue;
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    remove(file);
  }
  if (folder) closedir(folder);
}

/* ---- one case ---- */

/* Objects that HDF5 holds open for this process; its own, of the start, are among them. */
static int64_t count_handles(void) {
  static const H5I_type_t types[] = {H5I_FILE,    H5I_GROUP, H5I_DATATYPE,   H5I_DATASPACE,
                                     H5I_DATASET, H5I_ATTR,  H5I_GENPROP_LST};
  int64_t count = 0;

  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    hsize_t n = 0;
    if (H5Inmembers(types[t], &n) >= 0) count += (int64_t)n;
  }
  return count;
}

static rx_status set_settings(const campaign_case *k, const char *folder, rx_config *config,
                              char *deck) {
  char section[64], key[64];
  rx_list list;
  int length;

  snprintf(config->study_directory, RX_TEXT_SIZE, "%s/out", folder);
  RX_TRY(rx_list_create(k->settings, ' ', &list));
  rx_status status = RX_OK;
  for (int i = 0; i < list.n && !status; i++) {
    length = 0;
    if (sscanf(list.items[i], "%63[^.=].%63[^=]=%n", section, key, &length) == 2 && length)
      status = rx_config_set(config, section, key, list.items[i] + length);
    else if (!strncmp(list.items[i], "deck=", 5))
      snprintf(deck, PATH_SIZE, "%s", list.items[i] + 5);
  }
  rx_list_destroy(&list);
  return status;
}

static rx_status run_stage(const campaign_case *k, const rx_job *job, const char *deck,
                           rx_config *config) {
  if (!strcmp(k->stage, "deck")) return rx_config_load(job->comm, deck, 0, NULL, config);
  for (int s = 0; s < N_STAGES; s++)
    if (!strcmp(k->stage, stages[s].name)) return stages[s].run(job);
  return RX_FAIL(RX_ERR_INTERNAL, "no stage %s", k->stage);
}

static bool is_among(rx_status status, const char *codes) {
  for (const char *p = codes; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
    if (atol(p) == (long)status) return true;
  return false;
}

/* Tells what is wrong with the end of a case, on rank 0. */
static void judge(campaign *c, const campaign_case *k, rx_status status, bool is_same,
                  bool is_closed, const char *before, const char *after) {
  const char *message = status ? rx_error_message() : "";
  bool is_code = is_same && is_among(status, k->codes);
  bool has_words = !status || (*message && strstr(message, k->words));
  bool is_clean = !status || !strcmp(before, after);

  c->n_wrong_codes += !is_code;
  c->n_wrong_words += !has_words;
  c->n_left_behind += !is_clean || !is_closed;
  if (!is_code || !has_words || !is_clean || !is_closed)
    fprintf(c->report, "# %s: expected %s '%s', found %d '%s'%s%s%s\n", k->name, k->codes, k->words,
            (int)status, message, is_same ? "" : ", not the same on all ranks",
            is_clean ? "" : ", and files left behind", is_closed ? "" : ", and handles left open");
}

static void run_case(campaign *c, const campaign_case *k, rx_config *config) {
  rx_log log;
  rx_job job = job_for_test(config, &log);
  char deck[PATH_SIZE] = "";
  static char before[1 << 16], after[1 << 16];

  log.is_speaker = false;
  rx_status status = set_settings(k, c->folder, config, deck);
  if (c->rank == 0) {
    mkdir(config->study_directory, 0777);
    list_folder(config->study_directory, before, sizeof before);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  int64_t n_handles = count_handles();
  alarm(LIMIT);
  if (!status) status = run_stage(k, &job, deck, config);
  alarm(0);
  int ends[3] = {(int)status, -(int)status, count_handles() != n_handles};
  MPI_Allreduce(MPI_IN_PLACE, ends, 3, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (c->rank == 0) {
    if (!strcmp(k->stage, "deck"))
      snprintf(config->study_directory, RX_TEXT_SIZE, "%s/out", c->folder);
    list_folder(config->study_directory, after, sizeof after);
    judge(c, k, status, ends[0] == -ends[1], !ends[2], before, after);
    remove_others(config->study_directory, before);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* ---- all ---- */

/* The table has five columns and no header; its first line is a case. */
static void take_case(const rx_table *table, size_t line, campaign_case *k) {
  const char *cell[5];

  for (size_t i = 0; i < 5; i++)
    cell[i] = line ? rx_table_cell(table, line - 1, i) : rx_table_name(table, i);
  *k = (campaign_case){cell[0], cell[1], cell[2], cell[3], cell[4]};
}

static void note_case(const campaign *c, size_t number) {
  char path[PATH_SIZE];

  snprintf(path, sizeof path, "%s/now", c->folder);
  FILE *file = c->rank == 0 ? fopen(path, "w") : NULL;
  if (file) fprintf(file, "%zu\n", number), fclose(file);
}

static size_t run_cases(campaign *c, const rx_table *table, size_t first, rx_config *config) {
  campaign_case k;
  size_t n_run = 0;

  for (size_t n = first; n < table->n_rows + 1; n++) {
    if (n % c->step) continue;
    n_run++;
    take_case(table, n, &k);
    note_case(c, n);
    run_case(c, &k, config);
    fflush(c->report);
  }
  return n_run;
}

static void limit_memory(void) {
  struct rlimit limit = {memory_limit, memory_limit};

#ifndef __SANITIZE_ADDRESS__ /* which takes terabytes of addresses for itself */
  if (setrlimit(RLIMIT_DATA, &limit)) fprintf(stderr, "campaign: memory is not limited\n");
#else
  (void)limit;
#endif
}

int main(int argc, char **argv) {
  campaign c = {.folder = argc > 1 ? argv[1] : ".", .step = 1};
  char path[PATH_SIZE];
  rx_table *table = NULL;
  rx_config *config = calloc(1, sizeof *config);

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &c.rank);
  if (argc > 3 && atol(argv[3]) > 0) c.step = (size_t)atol(argv[3]);
  rx_signal_install();
  rx_store_quiet();
  limit_memory();
  c.report = fdopen(dup(1), "w");
  if (!c.report || !freopen("/dev/null", "w", stdout)) return 1;
  snprintf(path, sizeof path, "%s/cases.tsv", c.folder);
  bool is_bad = !config || rx_table_load(MPI_COMM_WORLD, path, &table) || table->n_columns != 5;
  if (is_bad && c.rank == 0) fprintf(c.report, "# %s: %s\n", path, rx_error_message());
  size_t n_run = is_bad ? 0 : run_cases(&c, table, argc > 2 ? (size_t)atol(argv[2]) : 0, config);
  size_t peak = rx_result_memory(MPI_COMM_WORLD);
  if (c.rank == 0)
    fprintf(c.report, "cases %zu codes %ld messages %ld files %ld peak %zu\n", n_run,
            c.n_wrong_codes, c.n_wrong_words, c.n_left_behind, peak >> 20);
  rx_table_destroy(&table);
  free(config);
  fclose(c.report);
  MPI_Finalize();
  return is_bad;
}
