#include "grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "scores.h"

enum { BLOCK = 16, WIDEST = 128 };

static const double log10_level = -1.30102999566398119521; /* 0.05, for the counts */

/* ---- division ---- */

static rx_df df_of(const rx_config *config) {
  if (rx_is(config->association_df, "satterthwaite")) return RX_DF_SATTERTHWAITE;
  if (rx_is(config->association_df, "kenward-roger")) return RX_DF_KENWARD_ROGER;
  return rx_is(config->association_df, "normal") ? RX_DF_NORMAL : RX_DF_CONTAINMENT;
}

static rx_adjust adjust_of(const rx_config *config) {
  if (rx_is(config->association_adjust, "by")) return RX_ADJUST_BY;
  if (rx_is(config->association_adjust, "storey")) return RX_ADJUST_STOREY;
  return rx_is(config->association_adjust, "bonferroni") ? RX_ADJUST_BONFERRONI : RX_ADJUST_BH;
}

static void divide(rx_grid *g) {
  const size_t n_blocks = (g->n_factors + BLOCK - 1) / BLOCK;
  const int n_ranks = g->job->n_ranks;
  int group_rank;

  g->n_groups = (size_t)n_ranks < n_blocks ? n_ranks : (int)n_blocks;
  g->place = g->job->rank % g->n_groups;
  MPI_Comm_split(g->job->comm, g->place, g->job->rank, &g->group);
  MPI_Comm_rank(g->group, &group_rank);
  MPI_Comm_size(g->group, &g->group_size);
  g->is_speaker = group_rank == 0;
  rx_partition(g->n_features, group_rank, g->group_size, &g->first, &g->n_mine);
  g->width = (n_blocks + (size_t)g->n_groups - 1) / (size_t)g->n_groups * BLOCK;
  if (g->width > WIDEST) g->width = WIDEST;
  size_t round = g->width * (size_t)g->n_groups;
  g->n_rounds = (g->n_factors + round - 1) / round;
}

/* Blocks are dealt to all runs alike, so that no group ends early. */
void rx_grid_run(const rx_grid *g, size_t round, size_t *first, size_t *count) {
  const size_t n_blocks = (g->n_factors + BLOCK - 1) / BLOCK;
  const size_t run = round * (size_t)g->n_groups + (size_t)g->place;

  rx_partition(n_blocks, (int)run, (int)(g->n_rounds * (size_t)g->n_groups), first, count);
  *first *= BLOCK, *count *= BLOCK;
  if (*first + *count > g->n_factors) *count = g->n_factors - *first;
  if (!*count) *first = 0;
}

static rx_status allocate(rx_grid *g) {
  RX_TRY(rx_block_create(g->roster, &g->options, g->first, g->n_mine, &g->block));
  RX_TRY(rx_cells_create(g->n_mine, g->width, &g->cells));
  RX_TRY(RX_NEW(&g->value, "associate: factors", g->roster->n_patients * g->width));
  RX_TRY(RX_NEW(&g->order, "associate: factors", g->roster->n_patients));
  RX_TRY(RX_NEW(&g->log10_p, "associate: p values", g->n_rounds));
  if (rx_is(g->job->config->association_output, "hits"))
    RX_TRY(rx_kept_create(g->job->config->association_output_p, &g->kept));
  return RX_NEW(&g->factor, "associate: factors", g->n_factors);
}

rx_status rx_grid_create(const rx_job *job, const rx_roster *roster, rx_grid **out) {
  const rx_config *config = job->config;
  rx_status status = RX_NEW_AGREED(job->comm, out, "associate: grid", 1);

  if (status) return status;
  rx_grid *g = *out;
  g->job = job;
  g->roster = roster;
  g->group = MPI_COMM_NULL;
  g->n_features = roster->measures->n_features;
  g->n_factors = roster->factors->n_var;
  g->adjust = adjust_of(config);
  g->options.df = df_of(config);
  g->options.is_ratio = rx_is(config->association_test, "lrt");
  g->options.min_patients = rx_roster_min_patients(job, roster);
  g->is_transformed = rx_is(config->association_factor_transform, "rank-normal");
  status = rx_isa_choose(job->comm, &g->options.isa);
  if (!status) {
    divide(g);
    status = RX_AGREE(job->comm, allocate(g));
  }
  if (status) rx_grid_destroy(out);
  return status;
}

void rx_grid_destroy(rx_grid **grid) {
  rx_grid *g = *grid;

  if (!g) return;
  for (size_t round = 0; g->log10_p && round < g->n_rounds; round++) free(g->log10_p[round]);
  rx_hits_destroy(&g->hits);
  rx_kept_destroy(&g->kept);
  free(g->permuted_all);
  free(g->permuted);
  rx_permute_destroy(&g->permutations);
  free(g->factor);
  free(g->log10_p);
  free(g->order);
  free(g->value);
  rx_cells_destroy(&g->cells);
  rx_block_destroy(&g->block);
  if (g->group != MPI_COMM_NULL) MPI_Comm_free(&g->group);
  free(g);
  *grid = NULL;
}

/* ---- fitting ---- */

rx_status rx_grid_read(rx_grid *g, size_t round) {
  const rx_roster *roster = g->roster;
  const size_t n_rows = roster->factors->n_obs;
  double *all = NULL;
  size_t first, count;

  rx_grid_run(g, round, &first, &count);
  RX_TRY(RX_NEW_AGREED(g->job->comm, &all, "associate: factors", n_rows * count));
  rx_status status =
      rx_matrix_read(roster->factors, "X", RX_FLOAT64, 0, count ? n_rows : 0, first, count, all);
  for (size_t i = 0; i < roster->n_patients && count && !status; i++)
    memcpy(g->value + i * count, all + roster->factor[i] * count, count * sizeof *all);
  for (size_t c = 0; c < count && g->is_transformed && !status; c++)
    rx_scores_normal(roster->n_patients, count, g->value + c, g->order);
  free(all);
  return status;
}

/* Gathers the p values of all features from the ranks of the group. rows  [n_features][count] */
static rx_status gather_rows(rx_grid *g, size_t count, double *rows) {
  int *counts = NULL, *starts = NULL;
  rx_status status = RX_NEW(&counts, "associate: p values", g->group_size);

  if (!status) status = RX_NEW(&starts, "associate: p values", g->group_size);
  status = RX_AGREE(g->group, status);
  for (int rank = 0; rank < g->group_size && !status; rank++) {
    size_t first, n;
    rx_partition(g->n_features, rank, g->group_size, &first, &n);
    starts[rank] = (int)(first * count);
    counts[rank] = (int)(n * count);
  }
  if (!status)
    MPI_Allgatherv(g->cells->log10_p, (int)(g->n_mine * count), MPI_DOUBLE, rows, counts, starts,
                   MPI_DOUBLE, g->group);
  free(starts);
  free(counts);
  return status;
}

/* Makes the columns of p of a run, whole, on each rank of the group. Collective over the group. */
static rx_status keep_p(rx_grid *g, size_t round, size_t count) {
  double *rows = NULL;

  rx_status status = RX_NEW(&g->log10_p[round], "associate: p values", count * g->n_features);
  if (!status && g->group_size > 1)
    status = RX_NEW(&rows, "associate: p values", count * g->n_features);
  status = RX_AGREE(g->group, status);
  if (!status && rows) status = gather_rows(g, count, rows);
  if (!status)
    rx_columns_from_rows(g->n_features, count, rows ? rows : g->cells->log10_p, g->log10_p[round]);
  free(rows);
  return status;
}

static void count_boundary(rx_grid *g, size_t first, size_t count) {
  for (size_t i = 0; i < g->n_mine; i++)
    for (size_t c = 0; c < count; c++)
      g->factor[first + c].n_boundary += g->cells->fit[i * count + c] == RX_FIT_BOUNDARY;
}

void rx_grid_take(const rx_grid *g, size_t at, size_t own, rx_hit *hit) {
  const rx_cells *c = g->cells;

  hit->beta = c->beta[at];
  hit->se = c->se[at];
  hit->t = c->t[at];
  hit->df = c->df[at];
  hit->lambda = c->lambda[at];
  hit->log10_p_means = c->log10_p_means[at];
  hit->fit = c->fit[at];
  if (!g->permutations) return;
  hit->log10_p_permutation = rx_permute_log10_p(g->permutations, own, hit->t);
  hit->log10_p_permutation_all = rx_permute_log10_p_all(g->permutations, own, hit->t);
}

/* Keeps the cells of a column that are wanted. k  place of the column in the run */
static rx_status keep_cells(rx_grid *g, size_t round, size_t factor, size_t k, size_t count,
                            const double *log10_p, const double *log10_q) {
  for (size_t i = g->first; g->kept && i < g->first + g->n_mine; i++) {
    rx_hit hit = {.feature = (int64_t)i,
                  .factor = (int64_t)factor,
                  .log10_p = log10_p[i],
                  .log10_q_factor = log10_q[i]};
    if (!(log10_p[i] <= g->kept->log10_limit)) continue;
    rx_grid_take(g, (i - g->first) * count + k, round * g->width + k, &hit);
    RX_TRY(rx_kept_add(g->kept, &hit));
  }
  return RX_OK;
}

/* q within each factor of a run, into c->row. */
static rx_status adjust_run(rx_grid *g, size_t round, size_t first, size_t count, rx_columns *c) {
  for (size_t k = 0; k < count; k++) {
    const double *log10_p = g->log10_p[round] + k * g->n_features;
    rx_factor_summary *of = &g->factor[first + k];
    rx_family family = rx_adjust_family(g->adjust, g->n_features, log10_p, c->log10_q, c->room);
    rx_adjust_power(g->options.isa, g->n_mine, c->log10_q + g->first, c->column + k * g->n_mine);
    for (size_t i = g->first; i < g->first + g->n_mine; i++)
      of->n_hits_factor += c->log10_q[i] < log10_level;
    RX_TRY(keep_cells(g, round, first + k, k, count, log10_p, c->log10_q));
    if (!g->is_speaker) continue;
    of->n_tests = family.n_tests;
    of->log10_simes = family.log10_simes;
    of->log10_median = family.log10_median;
    if (!g->permutations) continue;
    const size_t n = (size_t)g->permutations->n;
    const double *lambda = g->permutations->lambda_gc + (round * g->width + k) * n;
    of->lambda_gc_low = lambda[(size_t)(0.025 * (double)(n - 1))];
    of->lambda_gc_high = lambda[(size_t)(0.975 * (double)(n - 1) + 0.5)];
  }
  rx_columns_to_rows(g->n_mine, count, c->column, c->row);
  return RX_OK;
}

static rx_status write_layer(rx_grid *g, rx_matrix *matrix, const char *name, rx_type type,
                             size_t first, size_t count, const void *data) {
  return rx_matrix_write(matrix, name, type, g->first, count ? g->n_mine : 0, first, count, data);
}

rx_status rx_grid_permute(rx_grid *g, const rx_recipe *recipe) {
  const int n = g->job->config->association_permutations;

  if (n == 0) return RX_OK;
  RX_TRY(rx_permute_run(g, recipe, n, &g->permutations));
  rx_status status = RX_NEW(&g->permuted, "associate: permutations", g->n_mine * g->width);
  if (!status) status = RX_NEW(&g->permuted_all, "associate: permutations", g->n_mine * g->width);
  return RX_AGREE(g->job->comm, status);
}

/* p by permutation of the cells of a run. */
static void compare_run(rx_grid *g, size_t round, size_t count) {
  for (size_t i = 0; i < g->n_mine && g->permutations; i++)
    for (size_t c = 0; c < count; c++) {
      const size_t at = i * count + c, own = round * g->width + c;
      g->permuted[at] = (float)rx_permute_log10_p(g->permutations, own, g->cells->t[at]);
      g->permuted_all[at] = (float)rx_permute_log10_p_all(g->permutations, own, g->cells->t[at]);
    }
}

static rx_status write_cells(rx_grid *g, rx_matrix *matrix, size_t first, size_t count,
                             const float *q) {
  const rx_cells *c = g->cells;

  if (g->kept) return RX_OK;
  RX_TRY(write_layer(g, matrix, "X", RX_FLOAT64, first, count, c->t));
  RX_TRY(write_layer(g, matrix, "layers/beta", RX_FLOAT64, first, count, c->beta));
  RX_TRY(write_layer(g, matrix, "layers/se", RX_FLOAT64, first, count, c->se));
  RX_TRY(write_layer(g, matrix, "layers/log10_p", RX_FLOAT64, first, count, c->log10_p));
  RX_TRY(write_layer(g, matrix, "layers/variance_ratio", RX_FLOAT64, first, count, c->lambda));
  RX_TRY(write_layer(g, matrix, "layers/df", RX_FLOAT32, first, count, c->df));
  RX_TRY(
      write_layer(g, matrix, "layers/log10_p_means", RX_FLOAT32, first, count, c->log10_p_means));
  RX_TRY(write_layer(g, matrix, "layers/status", RX_UINT8, first, count, c->fit));
  RX_TRY(write_layer(g, matrix, "layers/q_factor", RX_FLOAT32, first, count, q));
  if (!g->permutations) return RX_OK;
  RX_TRY(
      write_layer(g, matrix, "layers/log10_p_permutation", RX_FLOAT32, first, count, g->permuted));
  return write_layer(g, matrix, "layers/log10_p_permutation_all", RX_FLOAT32, first, count,
                     g->permuted_all);
}

/* Gives all ranks what each knows of its factors: sums of numbers and zeros. */
static rx_status share_factors(rx_grid *g) {
  enum { N_COUNTS = 3, N_REALS = 4 };
  int64_t *counts = NULL;
  double *reals = NULL;

  rx_status status = RX_NEW(&counts, "associate: factors", g->n_factors * N_COUNTS);
  if (!status) status = RX_NEW(&reals, "associate: factors", g->n_factors * N_REALS);
  status = RX_AGREE(g->job->comm, status);
  for (size_t f = 0; f < g->n_factors && !status; f++) {
    const rx_factor_summary *of = &g->factor[f];
    int64_t *n = counts + f * N_COUNTS;
    n[0] = of->n_tests, n[1] = of->n_boundary, n[2] = of->n_hits_factor;
    double *real = reals + f * N_REALS;
    real[0] = of->log10_simes, real[1] = of->log10_median;
    real[2] = of->lambda_gc_low, real[3] = of->lambda_gc_high;
  }
  if (!status) {
    MPI_Allreduce(MPI_IN_PLACE, counts, (int)g->n_factors * N_COUNTS, MPI_INT64_T, MPI_SUM,
                  g->job->comm);
    MPI_Allreduce(MPI_IN_PLACE, reals, (int)g->n_factors * N_REALS, MPI_DOUBLE, MPI_SUM,
                  g->job->comm);
  }
  for (size_t f = 0; f < g->n_factors && !status; f++) {
    rx_factor_summary *of = &g->factor[f];
    const int64_t *n = counts + f * N_COUNTS;
    of->n_tests = n[0], of->n_boundary = n[1], of->n_hits_factor = n[2];
    const double *real = reals + f * N_REALS;
    of->log10_simes = real[0], of->log10_median = real[1];
    of->lambda_gc_low = real[2], of->lambda_gc_high = real[3];
  }
  free(reals);
  free(counts);
  return status;
}

/* One run: fits it and makes its q. */
static rx_status fit_run(rx_grid *g, size_t round, size_t first, size_t count, rx_columns *c) {
  rx_status status = RX_OK;

  RX_TRY(rx_grid_read(g, round));
  if (count) status = rx_block_fit(g->block, g->value, count, g->cells);
  RX_TRY(RX_AGREE(g->job->comm, status));
  if (count) status = keep_p(g, round, count);
  RX_TRY(RX_AGREE(g->job->comm, status));
  compare_run(g, round, count);
  count_boundary(g, first, count);
  return RX_AGREE(g->job->comm, adjust_run(g, round, first, count, c));
}

rx_status rx_grid_fit(rx_grid *g, rx_matrix *matrix) {
  rx_columns *c = NULL;
  rx_progress progress = rx_progress_begin(g->job->log, "associate",
                                           (double)g->n_features * (double)g->n_factors, "fits");
  rx_status status = rx_columns_create(g->n_features, g->n_mine, g->width, &c);

  status = RX_AGREE(g->job->comm, status);
  for (size_t round = 0; round < g->n_rounds && !status; round++) {
    size_t first, count;
    const double start = rx_seconds();
    rx_grid_run(g, round, &first, &count);
    if ((status = fit_run(g, round, first, count, c))) break;
    const double middle = rx_seconds();
    if ((status = write_cells(g, matrix, first, count, c->row))) break;
    g->fit_seconds += middle - start;
    g->write_seconds += rx_seconds() - middle;
    rx_progress_update(&progress, (double)(round + 1) / (double)g->n_rounds * progress.total);
  }
  rx_progress_end(&progress);
  rx_columns_destroy(&c);
  return status ? status : share_factors(g);
}
