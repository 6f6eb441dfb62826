/* How fast the ranks of associate write: the arrays of 4,096 features x 16,197 factors (4.0 GB), in
 * blocks of 64 factors, without anything computed.
 *
 *   mpirun -n RANKS bench_write FOLDER FEATURES FACTORS REPEATS [SETTINGS]...
 *
 * SETTINGS  of [output], "chunk=1024,alignment=1024"; "" are the defaults. A line each of TSV: the
 * best of so many repeats, writing alone and with what brings the file to the disk and names it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job_for_test.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"

enum { BLOCK = 64, N_ARRAYS = 11 };

static rx_status make_layout(size_t n_rows, size_t n_columns, rx_array *arrays,
                             rx_matrix_layout *layout) {
  static const char *const names[N_ARRAYS] = {"X",
                                              "layers/beta",
                                              "layers/se",
                                              "layers/log10_p",
                                              "layers/variance_ratio",
                                              "layers/df",
                                              "layers/log10_p_means",
                                              "layers/q_factor",
                                              "layers/q_all",
                                              "layers/q_hierarchical",
                                              "layers/status"};
  rx_frame *obs = NULL, *var = NULL;
  char name[32];

  for (int i = 0; i < N_ARRAYS; i++)
    arrays[i] = (rx_array){names[i],
                           i < 5    ? RX_FLOAT64
                           : i < 10 ? RX_FLOAT32
                                    : RX_UINT8,
                           n_rows, n_columns, BLOCK};
  RX_TRY(rx_frame_create(n_rows, &obs));
  RX_TRY(rx_frame_create(n_columns, &var));
  for (size_t i = 0; i < n_rows + n_columns; i++) {
    snprintf(name, sizeof name, "n%zu", i);
    RX_TRY(i < n_rows ? rx_frame_name(obs, i, name) : rx_frame_name(var, i - n_rows, name));
  }
  *layout = (rx_matrix_layout){obs, var, N_ARRAYS, arrays};
  return RX_OK;
}

/* Every rank joins each write; blocks are dealt in turn. */
static rx_status write_blocks(const rx_job *job, rx_matrix *matrix, const rx_matrix_layout *layout,
                              const double *block) {
  const size_t n_rows = layout->arrays[0].n_rows, n_columns = layout->arrays[0].n_columns;

  for (size_t start = 0; start < n_columns; start += (size_t)job->n_ranks * BLOCK) {
    size_t first = start + (size_t)job->rank * BLOCK;
    if (first > n_columns) first = n_columns;
    size_t count = n_columns - first < BLOCK ? n_columns - first : BLOCK;
    for (int i = 0; i < N_ARRAYS; i++)
      RX_TRY(rx_matrix_write(matrix, layout->arrays[i].name, layout->arrays[i].type, 0,
                             count ? n_rows : 0, first, count, block));
  }
  return RX_OK;
}

static rx_status time_writing(const rx_job *job, const char *path, const rx_matrix_layout *layout,
                              const double *block, double seconds[2]) {
  rx_recipe *recipe = NULL;
  rx_matrix *matrix = NULL;

  RX_TRY(rx_recipe_create("bench", 1, &recipe));
  MPI_Barrier(job->comm);
  double start = MPI_Wtime();
  rx_status status = rx_matrix_create(job, path, layout, &matrix);
  if (!status) status = write_blocks(job, matrix, layout, block);
  MPI_Barrier(job->comm);
  seconds[0] = MPI_Wtime() - start;
  if (!status) status = rx_matrix_commit(&matrix, recipe);
  seconds[1] = MPI_Wtime() - start;
  rx_recipe_destroy(&recipe);
  return status;
}

/* Sets "key=value,key=value" of [output] over the defaults. */
static rx_status set_all(rx_config *config, const char *settings) {
  char text[1024], *rest = text, *item;

  rx_config_defaults(config);
  snprintf(text, sizeof text, "%s", settings);
  while ((item = strsep(&rest, ",")) && *item) {
    char *value = strchr(item, '=');
    if (!value) return RX_FAIL(RX_ERR_USAGE, "expected key=value, found '%s'", item);
    *value = '\0';
    RX_TRY(rx_config_set(config, "output", item, value + 1));
  }
  return RX_OK;
}

static rx_status run(rx_job *job, rx_config *config, int argc, char **argv) {
  const size_t n_rows = strtoul(argv[2], NULL, 10), n_columns = strtoul(argv[3], NULL, 10);
  const long repeats = strtol(argv[4], NULL, 10);
  const double bytes = 61.0 * (double)n_rows * (double)n_columns;
  rx_array arrays[N_ARRAYS];
  rx_matrix_layout layout;
  double *block;
  char path[4096];

  snprintf(path, sizeof path, "%s/bench_write.h5ad", argv[1]);
  RX_TRY(make_layout(n_rows, n_columns, arrays, &layout));
  RX_TRY(RX_NEW(&block, "bench", n_rows * BLOCK));
  for (size_t i = 0; i < n_rows * BLOCK; i++) block[i] = (double)(i % 9973) / 9973;
  if (job->rank == 0) printf("ranks\tsettings\tMB\twritten_s\tnamed_s\twritten_MBs\tnamed_MBs\n");
  for (int i = 5; i < argc; i++) {
    double best[2] = {1e9, 1e9}, seconds[2];
    RX_TRY(set_all(config, argv[i]));
    for (long r = 0; r < repeats; r++) {
      RX_TRY(time_writing(job, path, &layout, block, seconds));
      for (int k = 0; k < 2; k++)
        if (seconds[k] < best[k]) best[k] = seconds[k];
      if (job->rank == 0) unlink(path);
    }
    if (job->rank) continue;
    printf("%d\t%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\n", job->n_ranks, argv[i], bytes * 1e-6, best[0],
           best[1], bytes * 1e-6 / best[0], bytes * 1e-6 / best[1]);
    fflush(stdout);
  }
  free(block);
  return RX_OK;
}

int main(int argc, char **argv) {
  static rx_config config;
  rx_log log;

  MPI_Init(&argc, &argv);
  rx_job job = job_for_test(&config, &log);
  rx_status status = argc > 5 ? run(&job, &config, argc, argv)
                              : RX_FAIL(RX_ERR_USAGE,
                                        "expected FOLDER FEATURES FACTORS REPEATS "
                                        "SETTINGS...");
  if (status && job.rank == 0) fprintf(stderr, "%s\n", rx_error_message());
  MPI_Finalize();
  return (int)status;
}
