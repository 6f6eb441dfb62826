/* genomics_for_test.h: runs of `factors` in a folder of their own, and what they wrote. */
#ifndef RADMIX_TESTS_GENOMICS_FOR_TEST_H
#define RADMIX_TESTS_GENOMICS_FOR_TEST_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/genomics.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/store.h"
#include "radmix/table.h"
#include "radmix/text.h"

static char folder[256];

/* Rank 0 makes a folder that all know. Collective. */
static inline int make_folder(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/radmix-factors-XXXXXX");
  if (rank_of_test() == 0 && !mkdtemp(folder)) folder[0] = '\0';
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  return folder[0] ? 0 : -1;
}

static inline int remove_folder(void **state) {
  char command[300];

  (void)state;
  MPI_Barrier(MPI_COMM_WORLD);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return rank_of_test() == 0 ? system(command) : 0;
}

/* A test with a folder of its own. */
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

/* A path in the folder; good until the eighth call after. */
static inline const char *in_folder(const char *name) {
  static char paths[8][1024];
  static int next;
  char *path = paths[next++ % 8];

  snprintf(path, 1024, "%s/%s", folder, name);
  return path;
}

static inline const char *in_reference(const char *name) {
  static char paths[8][1024];
  static int next;
  char *path = paths[next++ % 8];

  snprintf(path, 1024, "%s/reference/genomics/%s", shared_folder(), name);
  return path;
}

static inline bool is_there(const char *path) {
  FILE *file = fopen(path, "r");

  if (file) fclose(file);
  return file != NULL;
}

static inline void skip_without(const char *path) {
  if (is_there(path)) return;
  print_message("skipped: no %s\n", path);
  skip();
}

/* Rank 0 writes a file. Collective. */
static inline void write_text(const char *name, const char *text) {
  if (rank_of_test() == 0) {
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* A signature of the project. */
static inline const char *in_signatures(const char *name) {
  static char path[1024];
  const char *build = getenv("RADMIX_BUILD");

  snprintf(path, sizeof path, "%s%sinputs/signatures/%s", build ? build : "",
           build ? "/../../" : "", name);
  return path;
}

/* Runs `factors` into folder/out with settings "key=value key=value"; values hold no blanks.
 * Collective over comm. */
static inline rx_status run_factors(MPI_Comm comm, const char *out, const char *settings) {
  rx_config config;
  rx_log log;
  rx_job job = job_for_test(&config, &log);
  rx_list list;

  job.comm = comm;
  MPI_Comm_rank(comm, &job.rank);
  MPI_Comm_size(comm, &job.n_ranks);
  log.is_speaker = false;
  job.force = RX_FORCE_ALWAYS;
  rx_list_create(settings, ' ', &list);
  for (int i = 0; i < list.n; i++) {
    char *value = strchr(list.items[i], '=');
    *value++ = '\0';
    assert_int_equal(rx_config_set(&config, "genomics", list.items[i], value), RX_OK);
  }
  rx_list_destroy(&list);
  rx_config_set(&config, "study", "directory", in_folder(out));
  if (job.rank == 0) rx_output_folder(config.study_directory);
  MPI_Barrier(comm);
  return rx_genomics_run(&job);
}

/* What a run wrote, read by every rank. */
typedef struct {
  rx_frame *obs, *var;
  double *x; /* [obs->n_rows][var->n_rows] */
} written;

static inline void read_factors(const char *out, written *w) {
  char name[256];
  rx_store *store = NULL;

  snprintf(name, sizeof name, "%s/factors.h5ad", out);
  assert_int_equal(rx_store_open(in_folder(name), &store), RX_OK);
  assert_int_equal(rx_store_get_frame(store, "obs", &w->obs), RX_OK);
  assert_int_equal(rx_store_get_frame(store, "var", &w->var), RX_OK);
  size_t n = w->obs->n_rows * w->var->n_rows;
  assert_int_equal(RX_NEW(&w->x, "test", n), RX_OK);
  assert_int_equal(rx_store_get(store, "X", RX_FLOAT64, n, w->x), RX_OK);
  rx_store_close(&store);
}

static inline void free_factors(written *w) {
  rx_frame_destroy(&w->obs);
  rx_frame_destroy(&w->var);
  free(w->x);
}

static inline size_t row_named(const rx_frame *frame, const char *name) {
  size_t row = 0;

  while (row < frame->n_rows && strcmp(frame->names[row], name)) row++;
  assert_true(row < frame->n_rows);
  return row;
}

static inline const char *text_of(const written *w, const char *factor, const char *column) {
  rx_column *found = rx_frame_find(w->var, column);

  assert_non_null(found);
  return found->text[row_named(w->var, factor)];
}

static inline double value_of(const written *w, const char *patient, const char *factor) {
  return w->x[row_named(w->obs, patient) * w->var->n_rows + row_named(w->var, factor)];
}

/* The largest difference of two numbers that are missing together; INFINITY where only one is. */
static inline double difference(double a, double b) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : INFINITY;
  return fabs(a - b);
}

#endif
