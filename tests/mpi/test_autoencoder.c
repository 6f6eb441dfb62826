/* radmix train on all ranks: the same bits at any number of ranks, and after any interruption. */
#include "autoencoder_for_test.h"

#include <signal.h>
#include <unistd.h>

#include "radmix/signal.h"

/* A folder with images and settings for short training. */
static rx_job begin(rx_config *config, rx_log *log, const char *split) {
  rx_job job = job_for_test(config, log);

  log->is_speaker = false;
  make_folder(config);
  set(config, "autoencoder", "epochs", "3");
  set(config, "autoencoder", "batch", "4");
  set(config, "autoencoder", "levels", "2");
  write_images(&job, split);
  return job;
}

static bool train_alone(const rx_job *job) {
  rx_job alone = job_alone(job);

  return job->rank || !rx_autoencoder_run(&alone);
}

/* Trains on all ranks, and on one, with the same settings, and compares.
 * settings  key, value, key, value, NULL, of the section autoencoder */
static void compare_with_one_rank(const char *split, const char *const settings[]) {
  rx_config all, one;
  rx_log log;
  rx_job job = begin(&all, &log, split);

  for (int i = 0; settings[i]; i += 2) set(&all, "autoencoder", settings[i], settings[i + 1]);
  assert_all(!rx_autoencoder_run(&job));
  rx_job other = begin(&one, &log, split);
  for (int i = 0; settings[i]; i += 2) set(&one, "autoencoder", settings[i], settings[i + 1]);
  assert_all(train_alone(&other));
  assert_all(job.rank || is_same_model(&all, &one));
  remove_folder(&all);
  remove_folder(&one);
}

static void weights_have_the_same_bits_at_any_number_of_ranks(void **state) {
  static const char *const patients[] = {"weight", "patient", NULL};
  static const char *const cosine[] = {"loss", "cosine", "validation", "0", "batch", "100", NULL};

  (void)state;
  compare_with_one_rank("validate", patients);
  compare_with_one_rank(NULL, cosine);
}

static void ranks_above_the_batch_idle(void **state) {
  static const char *const one[] = {"batch", "1", "epochs", "1", NULL};

  (void)state;
  compare_with_one_rank(NULL, one);
}

static void exists(const rx_config *config, const char *name, bool expected) {
  char path[2 * RX_TEXT_SIZE];

  snprintf(path, sizeof path, "%s/%s", config->study_directory, name);
  assert_all(rank_of_test() || (access(path, F_OK) == 0) == expected);
}

/* Overwrites some bytes in the middle of a file; rank 0. */
static void damage(const rx_config *config, const char *name) {
  char path[2 * RX_TEXT_SIZE];

  snprintf(path, sizeof path, "%s/%s", config->study_directory, name);
  if (rank_of_test() == 0) {
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fseek(file, size / 2, SEEK_SET);
    fputs("no weights are to be found here any more, nor anything else", file);
    fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* The signal stays set, so that every command stops after one step: on all ranks and on one in
 * turn, through all steps of the training. */
static void training_in_single_steps_gives_the_bits_of_one_run(void **state) {
  rx_config whole, steps;
  rx_log log;
  int n_runs = 0;
  rx_status status = RX_ERR_INTERRUPTED;

  (void)state;
  rx_job job = begin(&whole, &log, NULL);
  assert_all(!rx_autoencoder_run(&job));

  rx_job other = begin(&steps, &log, NULL);
  rx_signal_install();
  raise(SIGUSR1);
  while (status == RX_ERR_INTERRUPTED && n_runs < 40) {
    rx_job alone = job_alone(&other);
    if (n_runs % 2)
      status = job.rank ? RX_OK : rx_autoencoder_run(&alone);
    else
      status = rx_autoencoder_run(&other);
    MPI_Bcast(&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
    n_runs++;
    if (status) exists(&steps, "model.h5", false);
    if (n_runs == 1) exists(&steps, "checkpoint.h5", true);
    if (n_runs == 4) damage(&steps, "checkpoint.h5"); /* the one before is used */
  }
  assert_all(!status && n_runs > 12);
  assert_all(job.rank || is_same_model(&whole, &steps));
  exists(&steps, "checkpoint.h5", false);
  exists(&steps, "checkpoint-previous.h5", false);
  remove_folder(&whole);
  remove_folder(&steps);
}

/* Still under the signal. */
static void a_checkpoint_of_other_settings_is_refused_unless_forced(void **state) {
  rx_config config;
  rx_log log;

  (void)state;
  rx_job job = begin(&config, &log, NULL);
  assert_all(rx_autoencoder_run(&job) == RX_ERR_INTERRUPTED);
  set(&config, "autoencoder", "noise", "0.1");
  assert_all(rx_autoencoder_run(&job) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "autoencoder.noise") != NULL);
  job.force = RX_FORCE_DIFFERS;
  assert_all(rx_autoencoder_run(&job) == RX_ERR_INTERRUPTED);
  remove_folder(&config);
}

static void what_cannot_be_trained_is_refused(void **state) {
  rx_config config;
  rx_log log;

  (void)state;
  rx_job job = begin(&config, &log, "validation");
  assert_all(rx_autoencoder_run(&job) == RX_ERR_INPUT);
  assert_all(strstr(rx_error_message(), "expected train or validate, found 'validation'") != NULL);
  write_images(&job, NULL);
  set(&config, "autoencoder", "levels", "4");
  set(&config, "autoencoder", "channels", "24");
  assert_all(rx_autoencoder_run(&job) == RX_ERR_CONFIG);
  assert_all(strstr(rx_error_message(), "autoencoder.channels") != NULL);
  set(&config, "autoencoder", "channels", "16");
  set(&config, "autoencoder", "learning_rate", "1000");
  set(&config, "autoencoder", "loss", "bce");
  assert_all(rx_autoencoder_run(&job) == RX_ERR_CONFIG);
  assert_all(strstr(rx_error_message(), "autoencoder.learning_rate") != NULL);
  exists(&config, "model.h5", false);
  remove_folder(&config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(weights_have_the_same_bits_at_any_number_of_ranks),
    cmocka_unit_test(ranks_above_the_batch_idle),
    cmocka_unit_test(what_cannot_be_trained_is_refused),
    cmocka_unit_test(training_in_single_steps_gives_the_bits_of_one_run),
    cmocka_unit_test(a_checkpoint_of_other_settings_is_refused_unless_forced),
};

MPI_TEST_MAIN(tests)
