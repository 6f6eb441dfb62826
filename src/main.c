/* radmix: which deep image features go with which genes. */
#include <hdf5.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "radmix/config.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/job.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/signal.h"
#include "radmix/store.h"
#include "radmix/text.h"
#include "run.h"

extern void openblas_set_num_threads(int n);
extern char *openblas_get_config(void);

typedef enum { WRITES = 1, HAS_OPTIONS = 2 } traits;

typedef struct {
  const char *name;
  rx_status (*run)(const rx_job *job); /* NULL: config, which main.c does itself */
  int traits;
  const char *sections; /* of the settings that its help prints */
  const char *meaning;
  const char *options; /* of its own, as its help prints them */
} rx_command;

static const rx_command commands[] = {
    {"run", rx_run_stages, WRITES, "study", "all stages of a deck, those up to date skipped", NULL},
    {"simulate", rx_simulation_run, WRITES, "study,simulation",
     "write a cohort whose truth is known", NULL},
    {"slice", rx_images_run, WRITES, "study,images", "read MR images, cut them into slices", NULL},
    {"train", rx_autoencoder_run, WRITES, "study,autoencoder", "train the denoising autoencoder",
     NULL},
    {"encode", rx_features_run, WRITES, "study,features",
     "compute the 4,096 features of each slice", NULL},
    {"factors", rx_genomics_run, WRITES | HAS_OPTIONS, "study,genomics",
     "compute genomic factors from expression",
     "  --curve=SET,PATIENT   print gsva's running sum of a set in a patient as TSV, write "
     "nothing\n"},
    {"associate", rx_association_run, WRITES, "study,association",
     "test each feature against each factor", NULL},
    {"cluster", rx_clustering_run, WRITES, "study,clustering", "group patients and features", NULL},
    {"predict", rx_prediction_run, WRITES, "study,prediction",
     "predict clinical outcomes from features", NULL},
    {"report", rx_report_run, WRITES, "study,report", "write figures and the page", NULL},
    {"top", rx_association_top, HAS_OPTIONS, "study", "print the strongest associations as TSV",
     "  --factor=NAME         of this factor\n"
     "  --kind=KIND           of this kind of factor: gene, signature, pathway, table\n"
     "  --q=LARGEST           whose q is at most this\n"
     "  --n=ROWS              at most so many (100)\n"
     "  --factors             a line a factor, by its Simes p\n"},
    {"config", NULL, 0, "", "print all settings, as a deck", NULL},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands, MAX_OPTIONS = 256 };

/* The command line, taken apart. */
typedef struct {
  const rx_command *command;
  const char *deck;
  int n_overrides, n_options;
  const char *overrides[MAX_OPTIONS], *options[MAX_OPTIONS];
  bool force, wants_help, wants_version;
  rx_log_level level;
} command_line;

static void print_usage(FILE *out) {
  fputs(
      "usage: mpirun -n RANKS radmix COMMAND DECK [-s section.key=value]... [--force] [-v | -q] "
      "[--help]\n"
      "       radmix --version\n\ncommands, in the order of the flow:\n",
      out);
  for (int i = 0; i < N_COMMANDS; i++)
    fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].meaning);
  fputs(
      "\n  -s section.key=value  a setting, over what the deck says (radmix config prints all)\n"
      "  --force               make results again (run: those that were made otherwise)\n"
      "  -v, -q                say more, say only warnings\n",
      out);
}

/* Prints how a command is used, and its settings. */
static void print_help(const rx_command *command) {
  rx_config config;
  rx_list list;

  rx_config_defaults(&config);
  printf(
      "usage: mpirun -n RANKS radmix %s DECK [-s section.key=value]... [--force] [-v | "
      "-q]\n\n%s\n\n",
      command->name, command->meaning);
  if (command->options) printf("%s\n", command->options);
  if (rx_list_create(command->sections, ',', &list)) return;
  for (int i = 0; i < list.n; i++) {
    rx_config_print(&config, list.items[i], stdout);
    if (i + 1 < list.n) putchar('\n');
  }
  rx_list_destroy(&list);
}

static void print_version(void) {
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  unsigned major, minor, release;

  MPI_Get_library_version(mpi, &length);
  H5get_libversion(&major, &minor, &release);
  printf("radmix %s\nMPI       %.*s\nHDF5      %u.%u.%u\nBLAS      %s\nmachine   x86-64-v%d\n",
         RADMIX_VERSION, (int)strcspn(mpi, ",\n"), mpi, major, minor, release,
         openblas_get_config(), rx_isa_of_machine());
}

static const rx_command *find_command(const char *name) {
  for (int i = 0; i < N_COMMANDS; i++)
    if (!strcmp(commands[i].name, name)) return &commands[i];
  return NULL;
}

/* An option that is not of all commands: of this one, or wrong. */
static rx_status take_own_option(command_line *line, const char *text) {
  bool is_known = line->command && (line->command->traits & HAS_OPTIONS) && !strncmp(text, "--", 2);

  if (!is_known || line->n_options == MAX_OPTIONS)
    return RX_FAIL(RX_ERR_USAGE, "%.200s: expected an option of `radmix --help`", text);
  line->options[line->n_options++] = text;
  return RX_OK;
}

static rx_status take_word(command_line *line, const char *word) {
  if (!line->command) {
    line->command = find_command(word);
    if (!line->command)
      return RX_FAIL(RX_ERR_USAGE, "%.200s: expected a command of `radmix --help`", word);
    return RX_OK;
  }
  if (line->deck)
    return RX_FAIL(RX_ERR_USAGE, "%.200s: expected one deck, found %.200s before", word,
                   line->deck);
  line->deck = word;
  return RX_OK;
}

static rx_status take_override(command_line *line, const char *text) {
  if (!text || line->n_overrides == MAX_OPTIONS)
    return RX_FAIL(RX_ERR_USAGE, "-s: expected section.key=value, at most %d times", MAX_OPTIONS);
  line->overrides[line->n_overrides++] = text;
  return RX_OK;
}

static rx_status parse(int argc, char **argv, command_line *line) {
  *line = (command_line){.level = RX_LOG_INFO};
  for (int i = 1; i < argc; i++) {
    const char *a = argv[i];
    if (!strcmp(a, "-s") || !strcmp(a, "--set")) {
      i++;
      RX_TRY(take_override(line, i < argc ? argv[i] : NULL));
    } else if (!strncmp(a, "-s", 2)) {
      RX_TRY(take_override(line, a + 2));
    } else if (!strcmp(a, "--force")) {
      line->force = true;
    } else if (!strcmp(a, "-v") || !strcmp(a, "--verbose")) {
      line->level = RX_LOG_DETAIL;
    } else if (!strcmp(a, "-q") || !strcmp(a, "--quiet")) {
      line->level = RX_LOG_WARNING;
    } else if (!strcmp(a, "-h") || !strcmp(a, "--help") || !strcmp(a, "help")) {
      line->wants_help = true;
    } else if (!strcmp(a, "--version")) {
      line->wants_version = true;
    } else if (*a == '-') {
      RX_TRY(take_own_option(line, a));
    } else {
      RX_TRY(take_word(line, a));
    }
  }
  if (!line->command && !line->wants_help && !line->wants_version)
    return RX_FAIL(RX_ERR_USAGE, "expected a command of `radmix --help`, found none");
  return RX_OK;
}

static rx_status join_words(int argc, char **argv, char **text) {
  size_t size = 1;

  for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
  RX_TRY(RX_NEW(text, "command line", size));
  for (int i = 0, used = 0; i < argc; i++)
    used += snprintf(*text + used, size - (size_t)used, "%s%s", i ? " " : "", argv[i]);
  return RX_OK;
}

/* Runs a command with its settings, alone in its folder when it writes. */
static rx_status run_command(const rx_command *command, rx_job *job) {
  if (!command->run) {
    if (job->rank == 0) rx_config_print(job->config, NULL, stdout);
    return RX_OK;
  }
  if (!(command->traits & WRITES)) return command->run(job);
  RX_TRY(rx_lock_take(job));
  rx_status status = command->run(job);
  rx_lock_release(job);
  return status;
}

static rx_status start_command(MPI_Comm comm, const command_line *line, const char *words) {
  rx_config *config = NULL;
  rx_job job = {.comm = comm,
                .command_line = words,
                .start = rx_seconds(),
                .n_options = line->n_options,
                .options = line->options};

  MPI_Comm_rank(comm, &job.rank);
  MPI_Comm_size(comm, &job.n_ranks);
  bool is_run = line->command->run == rx_run_stages;
  if (line->force) job.force = is_run ? RX_FORCE_DIFFERS : RX_FORCE_ALWAYS;
  rx_log log = rx_log_start(job.rank, line->level);
  job.log = &log;
  rx_status status = RX_NEW_AGREED(comm, &config, "settings", 1);
  if (!status)
    status = rx_config_load(comm, line->deck, line->n_overrides, line->overrides, config);
  job.config = config;
  if (!status) status = run_command(line->command, &job);
  free(config);
  return status;
}

static rx_status run(MPI_Comm comm, int argc, char **argv) {
  command_line line;
  char *words = NULL;
  int rank;

  MPI_Comm_rank(comm, &rank);
  RX_TRY(RX_AGREE(comm, parse(argc, argv, &line)));
  if (line.wants_version || line.wants_help) {
    if (rank == 0 && line.wants_version)
      print_version();
    else if (rank == 0 && line.command)
      print_help(line.command);
    else if (rank == 0)
      print_usage(stdout);
    return RX_OK;
  }
  RX_TRY(RX_AGREE(comm, join_words(argc, argv, &words)));
  rx_status status = start_command(comm, &line, words);
  free(words);
  return status;
}

/* HDF5 1.10 ends itself within MPI_Finalize(), and crashes there over a file that it could not
 * close, as on a full disk. Ranks that agree on such an end leave without it. */
static void leave_at_once(MPI_Comm comm, rx_status status) {
  fflush(stdout);
  MPI_Barrier(comm);
  _exit((int)status);
}

int main(int argc, char **argv) {
  MPI_Comm comm;
  int rank;

  MPI_Init(&argc, &argv);
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPI_Comm_rank(comm, &rank);
  rx_signal_install();
  rx_store_quiet();
  openblas_set_num_threads(1); /* one rank a core */

  rx_status status = run(comm, argc, argv);
  if (status && rank == 0) fprintf(stderr, "radmix: %s\n", rx_error_message());

  if (status == RX_ERR_OUTPUT) leave_at_once(comm, status);
  MPI_Comm_free(&comm);
  MPI_Finalize();
  return rank == 0 ? (int)status : 0; /* mpirun and srun return the code of rank 0 */
}
