/* What clustering costs: bench_cluster PART [SIZE], under mpirun.
 *
 *   gram    Gram matrix of 52,238 float rows of SIZE columns (4,096), against DGEMM (1 rank)
 *   eigen   eigenproblem of SIZE (4,096) on ScaLAPACK, against LAPACKE_dsyevd on rank 0
 *   ward    distances and tree of SIZE (4,096) points (1 rank)
 *   tsne    1,000 iterations of SIZE (4,096) points
 *
 * Each line has wall seconds and the processor seconds of rank 0; on a machine that others use the
 * latter are the figure. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clustering/eigen.h"
#include "clustering/tsne.h"
#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/gram.h"
#include "radmix/isa.h"
#include "radmix/log.h"
#include "radmix/memory.h"
#include "radmix/random.h"

extern void openblas_set_num_threads(int n);

enum { DIMS = 110, GRAM_ROWS = 52238, ITERATIONS = 1000 };

static int rank, n_ranks;

typedef struct {
  double wall, processor;
} moment;

static moment now(void) {
  struct timespec t;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (moment){rx_seconds(), (double)t.tv_sec + 1e-9 * (double)t.tv_nsec};
}

static moment since(moment start) {
  moment end = now();
  return (moment){end.wall - start.wall, end.processor - start.processor};
}

static void say(const char *what, moment took, double work, const char *unit) {
  if (rank) return;
  printf("%-44s %8.3f s wall %8.3f s processor", what, took.wall, took.processor);
  if (work > 0) printf("  %.4g %s", work / took.processor, unit);
  printf("\n");
}

static void check(rx_status status) {
  if (!status) return;
  fprintf(stderr, "bench_cluster: %s\n", rx_error_message());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static double *random_values(size_t n) {
  rx_random random = rx_random_at(1, RX_RANDOM_SIMULATION, 0, 0);
  double *x;

  check(RX_NEW(&x, "bench", n));
  for (size_t i = 0; i < n; i++) x[i] = rx_random_uniform(&random) - 0.5;
  return x;
}

static void bench_gram(size_t p) {
  double *a = random_values(p * p), *b = random_values(p * p), *c = random_values(p * p);
  float *x;
  rx_gram *gram;
  int n = (int)p;

  check(RX_NEW(&x, "bench", GRAM_ROWS * p));
  for (size_t i = 0; i < GRAM_ROWS * p; i++) x[i] = (float)a[i % (p * p)];
  check(rx_gram_create(p, &gram));
  rx_rows rows = {RX_FLOAT32, x, GRAM_ROWS, p, NULL};
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n);
  moment start = now();
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n);
  say("dgemm, the peak of OpenBLAS", since(start), 2e-9 * pow((double)p, 3), "GFLOP/s");
  start = now();
  rx_gram_add(gram, &rows, c, c + p);
  rx_gram_finish(gram);
  say("Gram matrix of 52,238 rows, centred, scaled", since(start),
      1e-9 * GRAM_ROWS * (double)(p * (p + 1)), "GFLOP/s");
  rx_gram_destroy(&gram);
  free(x);
  free(c);
  free(b);
  free(a);
}

static void bench_eigen(size_t n) {
  double *x = random_values(n * n / 2), *share;
  rx_eigen *eigen;
  int m = (int)n;

  check(RX_NEW(&share, "bench", n * n));
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, m, m / 2, 1.0 / n_ranks, x, m, 0, share, m);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < i; j++) share[i * n + j] = share[j * n + i];
  MPI_Barrier(MPI_COMM_WORLD);
  moment start = now();
  check(rx_eigen_solve(MPI_COMM_WORLD, share, n, 50, &eigen));
  say("pdsyevd, sum over ranks, check, 50 vectors", since(start), 0, "");
  if (rank == 0) {
    double *values = random_values(n), worst = 0;
    for (size_t i = 0; i < n * n; i++) share[i] *= n_ranks;
    start = now();
    LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', m, share, m, values);
    say("LAPACKE_dsyevd, one process", since(start), 0, "");
    for (size_t i = 0; i < n; i++)
      worst = fmax(worst, fabs(values[n - 1 - i] - eigen->values[i]) / values[n - 1]);
    printf("largest difference of eigenvalues %.2g of the largest\n", worst);
    free(values);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  rx_eigen_destroy(&eigen);
  free(share);
  free(x);
}

static rx_points *make_points(size_t n) {
  double *x = random_values(n * DIMS);
  rx_points *points;

  for (size_t i = 0; i < n * DIMS; i++) x[i] += 0.3 * (double)(i / DIMS % 9 == i % 9);
  check(rx_points_of_rows(x, n, DIMS, RX_EUCLIDEAN, &points));
  free(x);
  return points;
}

static void bench_ward(size_t n) {
  rx_points *points = make_points(n);
  double *distances;
  rx_linkage *linkage;

  check(RX_NEW(&distances, "bench", n * n));
  for (rx_linkage_method method = RX_WARD_D2; method <= RX_SINGLE; method++) {
    static const char *const names[] = {"ward.D2", "ward.D", "average", "complete", "single"};
    moment start = now();
    rx_distance_rows(rx_isa_of_machine(), points, 0, n, distances);
    say("distances", since(start), 0, "");
    start = now();
    check(rx_linkage_create(distances, n, method, &linkage));
    say(names[method], since(start), 0, "");
    rx_linkage_destroy(&linkage);
  }
  free(distances);
  rx_points_destroy(&points);
}

static void bench_tsne(size_t n) {
  rx_points *points = make_points(n);
  rx_tsne *tsne;
  double *y;

  check(RX_NEW(&y, "bench", 2 * n));
  MPI_Barrier(MPI_COMM_WORLD);
  moment start = now();
  check(rx_tsne_start(MPI_COMM_WORLD, points, y));
  say("t-SNE: start", since(start), 0, "");
  start = now();
  check(rx_tsne_create(MPI_COMM_WORLD, rx_isa_of_machine(), points, 30, &tsne));
  moment create = since(start);
  say("t-SNE: probabilities", create, 0, "");
  start = now();
  check(rx_tsne_run(tsne, ITERATIONS, y, NULL, NULL));
  moment run = since(start);
  say("t-SNE: 1,000 iterations", run, 0, "");
  rx_tsne_destroy(&tsne);
  free(y);
  rx_points_destroy(&points);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
  openblas_set_num_threads(1);
  const char *part = argc > 1 ? argv[1] : "";
  size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 4096;
  if (!strcmp(part, "gram")) bench_gram(size);
  if (!strcmp(part, "eigen")) bench_eigen(size);
  if (!strcmp(part, "ward")) bench_ward(size);
  if (!strcmp(part, "tsne")) bench_tsne(size);
  MPI_Finalize();
  return 0;
}
