/* What the scaling model needs of a machine, as TSV: latency and bandwidth between the first and
 * the last rank, the sum of the gradients of a step over all ranks, and collective writing.
 *
 * mpirun -n RANKS bench_scaling [FILE-TO-WRITE [MEGABYTES-A-RANK]] */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_WEIGHTS = 7265, LARGE = 1 << 20, REPEATS = 200 };

/* Seconds for a message of n bytes one way, between the first and the last rank. */
static double time_message(MPI_Comm comm, char *buffer, int n, int repeats) {
  int rank, n_ranks;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  MPI_Barrier(comm);
  double start = MPI_Wtime();
  for (int i = 0; i < repeats && n_ranks > 1; i++) {
    if (rank == 0) {
      MPI_Send(buffer, n, MPI_BYTE, n_ranks - 1, 0, comm);
      MPI_Recv(buffer, n, MPI_BYTE, n_ranks - 1, 0, comm, MPI_STATUS_IGNORE);
    } else if (rank == n_ranks - 1) {
      MPI_Recv(buffer, n, MPI_BYTE, 0, 0, comm, MPI_STATUS_IGNORE);
      MPI_Send(buffer, n, MPI_BYTE, 0, 0, comm);
    }
  }
  return (MPI_Wtime() - start) / (2 * repeats);
}

static double time_sum(MPI_Comm comm, int64_t *weights, int repeats) {
  MPI_Barrier(comm);
  double start = MPI_Wtime();
  for (int i = 0; i < repeats; i++)
    MPI_Allreduce(MPI_IN_PLACE, weights, N_WEIGHTS, MPI_INT64_T, MPI_SUM, comm);
  return (MPI_Wtime() - start) / repeats;
}

/* Bytes a second of one collective write, a block a rank, with what brings it to the disk. */
static double write_rate(MPI_Comm comm, const char *path, size_t n_bytes) {
  char *block = calloc(n_bytes, 1);
  int rank, n_ranks;
  MPI_File file;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  int failed = !block || MPI_File_open(comm, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL,
                                       &file) != MPI_SUCCESS;
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, comm);
  if (failed) {
    free(block);
    return 0;
  }
  for (size_t i = 0; i < n_bytes; i += 64) block[i] = (char)i;
  MPI_Barrier(comm);
  double start = MPI_Wtime();
  MPI_File_write_at_all(file, (MPI_Offset)n_bytes * rank, block, (int)n_bytes, MPI_BYTE,
                        MPI_STATUS_IGNORE);
  MPI_File_sync(file);
  double seconds = MPI_Wtime() - start;
  MPI_File_close(&file);
  if (rank == 0) MPI_File_delete(path, MPI_INFO_NULL);
  free(block);
  return (double)n_bytes * n_ranks / seconds;
}

int main(int argc, char **argv) {
  int rank, n_ranks;

  MPI_Init(&argc, &argv);
  MPI_Comm comm = MPI_COMM_WORLD;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  char *buffer = calloc(LARGE, 1);
  int64_t *weights = calloc(N_WEIGHTS, sizeof *weights);
  if (!buffer || !weights) MPI_Abort(comm, 71);

  time_message(comm, buffer, LARGE, 10); /* the first ones open connections */
  double latency = time_message(comm, buffer, 8, REPEATS);
  double large = time_message(comm, buffer, LARGE, REPEATS / 4);
  time_sum(comm, weights, 10);
  double sum = time_sum(comm, weights, REPEATS);
  size_t megabytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 64;
  double rate = argc > 1 ? write_rate(comm, argv[1], megabytes << 20) : 0;

  if (rank == 0) {
    printf("ranks\tlatency_us\tbandwidth_MBs\tsum_us\twrite_MBs\n");
    printf("%d\t%.2f\t%.0f\t%.1f\t%.0f\n", n_ranks, n_ranks > 1 ? latency * 1e6 : 0,
           n_ranks > 1 ? LARGE / large * 1e-6 : 0, sum * 1e6, rate * 1e-6);
  }
  free(weights);
  free(buffer);
  MPI_Finalize();
  return 0;
}
