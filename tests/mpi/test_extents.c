/* Counts above 2^31: arrays of billions of cells of which a few are written. The file has holes, so
 * neither memory nor disk holds more than what is written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/result.h"

enum { N_ROWS = 4 };
static const size_t n_long = ((size_t)1 << 31) + 100; /* rows of one array, columns of another */

static double cell(size_t row, size_t column) {
  return (double)(1 + (row % 97 + 3 * (column % 31)) % 200);
}

/* Each rank writes its share of the eight rows around the border, and of the last columns. */
static rx_status write_corners(rx_matrix *matrix, int rank, int n_ranks) {
  const size_t border = ((size_t)1 << 31) - 4;
  double x[N_ROWS * 8];
  size_t first, count;

  rx_partition(8, rank, n_ranks, &first, &count);
  for (size_t i = 0; i < count * 2; i++) x[i] = cell(border + first + i / 2, i % 2);
  RX_TRY(rx_matrix_write(matrix, "layers/long", RX_FLOAT64, border + first, count, 0, 2, x));
  for (size_t i = 0; i < N_ROWS * count; i++)
    x[i] = cell(i / count, n_long - 8 + first + i % count);
  return rx_matrix_write(matrix, "layers/wide", RX_FLOAT64, 0, N_ROWS, n_long - 8 + first, count,
                         x);
}

static rx_status write_all(const rx_job *job, const char *path, const rx_frame *names) {
  const rx_array arrays[] = {{"layers/long", RX_UINT8, n_long, 2, 0},
                             {"layers/wide", RX_FLOAT32, N_ROWS, n_long, 0}};
  rx_matrix_layout layout = {.obs = names, .var = names, .n_arrays = 2, .arrays = arrays};
  rx_matrix *matrix = NULL;
  rx_recipe *recipe = NULL;
  rx_status status = RX_AGREE(job->comm, rx_recipe_create("test", 1, &recipe));

  if (!status) status = rx_matrix_create(job, path, &layout, &matrix);
  if (!status) status = write_corners(matrix, job->rank, job->n_ranks);
  if (!status) status = rx_matrix_commit(&matrix, recipe);
  rx_matrix_destroy(&matrix);
  rx_recipe_destroy(&recipe);
  return status;
}

static void check_corners(const rx_matrix *matrix) {
  const size_t border = ((size_t)1 << 31) - 4;
  double x[N_ROWS * 8];
  size_t rows = 0, columns = 0, wrong = 0;

  assert_all(rx_matrix_shape(matrix, "layers/long", &rows, &columns) == RX_OK);
  assert_all(rows == n_long && columns == 2);
  assert_all(rx_matrix_read(matrix, "layers/long", RX_FLOAT64, border, 8, 0, 2, x) == RX_OK);
  for (size_t i = 0; i < 16; i++) wrong += x[i] != cell(border + i / 2, i % 2);
  assert_all(rx_matrix_read(matrix, "layers/wide", RX_FLOAT64, 0, N_ROWS, n_long - 8, 8, x) ==
             RX_OK);
  for (size_t i = 0; i < N_ROWS * 8; i++) wrong += x[i] != cell(i / 8, n_long - 8 + i % 8);
  assert_all(wrong == 0);
  assert_all(rx_matrix_read(matrix, "layers/long", RX_FLOAT64, n_long - 3, 4, 0, 2, x) ==
             RX_ERR_INPUT);
  assert_all(strstr(rx_error_message(), "expected at least 2147483749 x 2 numbers") != NULL);
}

/* More bytes than one message of MPI-IO may have (2^28 here), on one rank alone. */
static void check_long_read(const rx_matrix *matrix) {
  size_t count = rank_of_test() ? 0 : ((size_t)1 << 27) + 10, n_set = 0;
  unsigned char *bytes = NULL;

  assert_all(RX_NEW(&bytes, "bytes", 2 * count) == RX_OK);
  size_t first = ((size_t)1 << 31) + 4 - count; /* the last four rows of it are written */
  assert_all(rx_matrix_read(matrix, "layers/long", RX_UINT8, first, count, 0, 2, bytes) == RX_OK);
  for (size_t i = 0; i < 2 * count; i++) n_set += bytes[i] != 0;
  assert_all(n_set == (rank_of_test() ? 0 : 16));
  free(bytes);
}

static void slabs_beyond_two_to_the_31_are_written_and_read(void **state) {
  rx_config *config = calloc(1, sizeof *config);
  rx_log log;
  rx_frame *names = NULL;
  rx_matrix *matrix = NULL;
  struct stat about = {0};

  (void)state;
  rx_job job = job_for_test(config, &log);
  assert_all(rx_frame_create(N_ROWS, &names) == RX_OK);
  assert_all(write_all(&job, "huge.h5ad", names) == RX_OK);
  assert_all(rx_matrix_open(MPI_COMM_WORLD, "huge.h5ad", &matrix) == RX_OK);
  check_corners(matrix);
  check_long_read(matrix);
  rx_matrix_destroy(&matrix);
  stat("huge.h5ad", &about);
  assert_all(about.st_size > (off_t)1 << 34 && about.st_blocks < 1 << 16);
  MPI_Barrier(MPI_COMM_WORLD);
  if (job.rank == 0) unlink("huge.h5ad");
  rx_frame_destroy(&names);
  free(config);
}

static void work_of_any_size_is_divided_without_gap(void **state) {
  const size_t sizes[] = {0, 1, 2, ((size_t)1 << 31) + 1, ((size_t)1 << 40) + 7, SIZE_MAX / 2};
  size_t wrong = 0;

  (void)state;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int ranks = 1; ranks < 2000; ranks = ranks * 3 + 1) {
      size_t next = 0, first, count;
      for (int rank = 0; rank < ranks; rank++, next = first + count) {
        rx_partition(sizes[s], rank, ranks, &first, &count);
        wrong += first != next || count > sizes[s] / (size_t)ranks + 1;
      }
      wrong += next != sizes[s];
    }
  assert_all(wrong == 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(slabs_beyond_two_to_the_31_are_written_and_read),
    cmocka_unit_test(work_of_any_size_is_divided_without_gap),
};

MPI_TEST_MAIN(tests)
