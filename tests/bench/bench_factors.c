/* How fast pathways are scored: a simulated expression matrix, gene sets, and the clock around
 * rx_pathways_put(). Run by tests/bench/bench_factors.sh.
 *
 *     mpirun -n RANKS bench_factors FOLDER GENES PATIENTS SETS METHOD [write]
 *
 * FOLDER is for sets.gmt and, with write, expression.tsv: what R is given. Prints one line. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "genomics/pathways.h"
#include "job_for_test.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/random.h"
#include "radmix/result.h"

enum { PURPOSE = RX_RANDOM_SIMULATION + 900 };

/* One gene: its own level, noise over patients. */
static void simulate_gene(double *value, size_t gene, size_t n_patients) {
  rx_random random = rx_random_at(1, PURPOSE, (uint32_t)gene, 0);
  double level = 12 * rx_random_uniform(&random);

  for (size_t patient = 0; patient < n_patients; patient++)
    value[patient] = level + rx_random_normal(&random);
}

/* Sets of 10 to 200 genes. Rank 0. */
static void write_sets(const char *path, size_t n_genes, size_t n_sets) {
  FILE *file = fopen(path, "w");
  int64_t *genes;

  if (!file || RX_NEW(&genes, "genes", n_genes)) RX_DIE("%s: cannot be written", path);
  for (size_t set = 0; set < n_sets; set++) {
    rx_random random = rx_random_at(2, PURPOSE, (uint32_t)set, 0);
    size_t size = 10 + rx_random_below(&random, 191);

    for (size_t gene = 0; gene < n_genes; gene++) genes[gene] = (int64_t)gene;
    fprintf(file, "SET%04zu\tna", set);
    for (size_t i = 0; i < size && i < n_genes; i++) {
      size_t other = i + rx_random_below(&random, (uint32_t)(n_genes - i));
      int64_t chosen = genes[other];
      genes[other] = genes[i];
      fprintf(file, "\tg%05lld", (long long)chosen);
    }
    fputc('\n', file);
  }
  free(genes);
  fclose(file);
}

static void write_expression(const char *path, size_t n_genes, size_t n_patients) {
  FILE *file = fopen(path, "w");
  double *value;

  if (!file || RX_NEW(&value, "gene", n_patients)) RX_DIE("%s: cannot be written", path);
  fprintf(file, "gene");
  for (size_t patient = 0; patient < n_patients; patient++) fprintf(file, "\tP%05zu", patient);
  for (size_t gene = 0; gene < n_genes; gene++) {
    simulate_gene(value, gene, n_patients);
    fprintf(file, "\ng%05zu", gene);
    for (size_t patient = 0; patient < n_patients; patient++)
      fprintf(file, "\t%.17g", value[patient]);
  }
  fputc('\n', file);
  free(value);
  fclose(file);
}

/* The matrix as rx_expression_load() would give it. */
static rx_status simulate(const rx_job *job, size_t n_genes, size_t n_patients, rx_expression *e) {
  char name[32];
  size_t first, count;

  e->n_genes = n_genes;
  e->n_patients = n_patients;
  RX_TRY(rx_copy_text("simulated", &e->path));
  RX_TRY(RX_NEW(&e->names, "genes", n_genes));
  RX_TRY(RX_NEW(&e->patients, "patients", n_patients));
  RX_TRY(RX_NEW(&e->border, "borders", job->n_ranks + 1));
  RX_TRY(rx_names_create(&e->index));
  RX_TRY(rx_names_create(&e->doubly));
  for (size_t gene = 0; gene < n_genes; gene++) {
    snprintf(name, sizeof name, "g%05zu", gene);
    RX_TRY(rx_copy_text(name, &e->names[gene]));
    RX_TRY(rx_names_add(e->index, name, (ptrdiff_t)gene, NULL));
  }
  for (size_t patient = 0; patient < n_patients; patient++) {
    snprintf(name, sizeof name, "P%05zu", patient);
    RX_TRY(rx_copy_text(name, &e->patients[patient]));
  }
  for (int rank = 0; rank < job->n_ranks; rank++) {
    rx_partition(n_genes, rank, job->n_ranks, &first, &count);
    e->border[rank + 1] = first + count;
  }
  rx_partition(n_genes, job->rank, job->n_ranks, &first, &count);
  RX_TRY(RX_NEW(&e->value, "expression", count * n_patients));
  for (size_t i = 0; i < count; i++)
    simulate_gene(e->value + i * n_patients, first + i, n_patients);
  return RX_OK;
}

/* CPU time of this process: what counts on a machine that others use too. */
static double cpu_seconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static rx_status score(const rx_job *job, const rx_expression *e, double *seconds, double *cpu,
                       double *sum) {
  rx_factors *factors = NULL;
  rx_pathways pathways = {0};
  rx_scales *scales = NULL;

  rx_status status = rx_factors_create(&factors);
  if (!status) status = rx_scales_create(&scales);
  if (!status) status = rx_factors_add_patients(factors, e->n_patients, e->patients);
  if (!status) status = rx_pathways_plan(job, e, NULL, factors, &pathways);
  if (!status) status = rx_factors_allocate(job, factors);
  MPI_Barrier(job->comm);
  double start = rx_seconds(), cpu_start = cpu_seconds();
  if (!status) status = rx_pathways_put(job, e, &pathways, scales, factors);
  *cpu = cpu_seconds() - cpu_start;
  MPI_Barrier(job->comm);
  *seconds = rx_seconds() - start;
  size_t own = factors->border[job->rank + 1] - factors->border[job->rank];
  for (size_t i = 0; !status && i < own * factors->n_factors; i++) *sum += factors->value[i];
  rx_factors_destroy(&factors);
  rx_pathways_destroy(&pathways);
  rx_scales_destroy(&scales);
  return status;
}

int main(int argc, char **argv) {
  rx_config config;
  rx_log log;
  char path[1024], value[64];
  double seconds = 0, cpu = 0, most_cpu = 0, sum = 0, total = 0;

  MPI_Init(&argc, &argv);
  rx_job job = job_for_test(&config, &log);
  if (argc < 6) {
    if (job.rank == 0) fprintf(stderr, "bench_factors FOLDER GENES PATIENTS SETS METHOD [write]\n");
    MPI_Finalize();
    return 64;
  }
  size_t n_genes = strtoul(argv[2], NULL, 10), n_patients = strtoul(argv[3], NULL, 10);
  size_t n_sets = strtoul(argv[4], NULL, 10);
  snprintf(path, sizeof path, "%s/sets.gmt", argv[1]);
  if (job.rank == 0) write_sets(path, n_genes, n_sets);
  rx_config_set(&config, "genomics", "gene_sets", path);
  snprintf(value, sizeof value, "%s", argv[5]);
  rx_config_set(&config, "genomics", "pathway_method", value);
  snprintf(path, sizeof path, "%s/expression.tsv", argv[1]);
  if (job.rank == 0 && argc > 6) write_expression(path, n_genes, n_patients);
  MPI_Barrier(job.comm);

  rx_expression *e;
  rx_status status = RX_NEW(&e, "expression", 1);
  if (!status) status = simulate(&job, n_genes, n_patients, e);
  if (!status) status = score(&job, e, &seconds, &cpu, &sum);
  if (status) RX_DIE("%s", rx_error_message());
  MPI_Reduce(&sum, &total, 1, MPI_DOUBLE, MPI_SUM, 0, job.comm);
  MPI_Reduce(&cpu, &most_cpu, 1, MPI_DOUBLE, MPI_MAX, 0, job.comm);
  size_t memory = rx_result_memory(job.comm);
  if (job.rank == 0)
    printf(
        "%s: %zu genes x %zu patients x %zu sets, %d ranks: %.3f s (CPU of a rank %.3f s), at most "
        "%.0f MB a rank "
        "(sum of scores %.6g)\n",
        argv[5], n_genes, n_patients, n_sets, job.n_ranks, seconds, most_cpu, (double)memory * 1e-6,
        total);
  rx_expression_destroy(&e);
  MPI_Finalize();
  return 0;
}
