/* The simulated cohort is the same at any number of ranks, whole, and not made twice. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/simulation.h"

static char folder[256];

static void make_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/radmix-simulation-XXXXXX");
  if (rank_of_test() == 0 && !mkdtemp(folder)) folder[0] = '\0';
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
}

/* Runs a command of the shell on rank 0; its exit code on all. */
static int shell(const char *command) {
  int code = 0;

  MPI_Barrier(MPI_COMM_WORLD);
  if (rank_of_test() == 0) code = system(command);
  MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return code;
}

static void remove_folder(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_all(shell(command) == 0);
}

static rx_config *small_config(void) {
  rx_config *config = calloc(1, sizeof *config);

  rx_config_defaults(config);
  config->simulation_patients = 9;
  config->simulation_genes = 40;
  config->simulation_links = 4;
  config->simulation_sets = 3;
  config->simulation_groups = 2;
  strcpy(config->simulation_images_per_patient, "1-4");
  return config;
}

static rx_status simulate(MPI_Comm comm, const char *out, rx_config *config) {
  rx_log log;
  rx_config unused;
  rx_job job = job_for_test(&unused, &log);

  job.comm = comm;
  job.config = config;
  MPI_Comm_rank(comm, &job.rank);
  MPI_Comm_size(comm, &job.n_ranks);
  log.is_speaker = false;
  snprintf(config->study_directory, RX_TEXT_SIZE, "%s/%s", folder, out);
  if (job.rank == 0) mkdir(config->study_directory, 0700);
  MPI_Barrier(comm);
  return rx_simulation_run(&job);
}

/* Images, then a table of features: by all ranks, and by rank 0 alone. */
static void the_cohort_is_the_same_at_any_number_of_ranks(void **state) {
  (void)state;
  rx_config *config = small_config();
  char command[1200];

  make_folder();
  for (int n_features = 0; n_features <= 11; n_features += 11) {
    rx_status status = RX_OK;
    config->simulation_features = n_features;
    if (rank_of_test() == 0) status = simulate(MPI_COMM_SELF, n_features ? "c" : "a", config);
    assert_all(status == RX_OK);
    assert_all(simulate(MPI_COMM_WORLD, n_features ? "d" : "b", config) == RX_OK);
  }
  snprintf(command, sizeof command,
           "cd '%s' && rm ?/simulated/simulation.h5 && diff -r a b && diff -r c d && "
           "test -s a/simulated/nifti/SIM-0009.nii.gz && test ! -e a/simulated.part && "
           "test $(wc -l < c/simulated/features.tsv) -gt 9 && "
           "grep -q group a/simulated/clinical.tsv",
           folder);
  assert_all(shell(command) == 0);
  free(config);
  remove_folder();
}

static void a_cohort_made_otherwise_is_kept_and_named(void **state) {
  (void)state;
  rx_config *config = small_config();
  char command[600];

  make_folder();
  assert_all(simulate(MPI_COMM_WORLD, "out", config) == RX_OK);
  assert_all(simulate(MPI_COMM_WORLD, "out", config) == RX_OK);
  config->study_seed = 8;
  assert_all(simulate(MPI_COMM_WORLD, "out", config) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "study.seed = 1, now it is 8") != NULL);
  /* A folder that was not finished has no record, and is made again. */
  snprintf(command, sizeof command, "rm '%s/out/simulated/simulation.h5'", folder);
  assert_all(shell(command) == 0);
  assert_all(simulate(MPI_COMM_WORLD, "out", config) == RX_OK);
  free(config);
  remove_folder();
}

static void what_cannot_be_leaves_nothing(void **state) {
  (void)state;
  rx_config *config = small_config();
  char command[600];

  make_folder();
  config->simulation_genes = 4;
  assert_all(simulate(MPI_COMM_WORLD, "out", config) == RX_ERR_CONFIG);
  snprintf(command, sizeof command, "test -z \"$(ls '%s/out')\"", folder);
  assert_all(shell(command) == 0);
  free(config);
  remove_folder();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_cohort_is_the_same_at_any_number_of_ranks),
    cmocka_unit_test(a_cohort_made_otherwise_is_kept_and_named),
    cmocka_unit_test(what_cannot_be_leaves_nothing),
};

MPI_TEST_MAIN(tests)
