/* The second pass over the grid: q over all cells, hierarchical q, and the strongest cells. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adjust_grid.h"
#include "columns.h"
#include "grid.h"
#include "radmix/error.h"
#include "radmix/memory.h"

static const double log10_level = -1.30102999566398119521; /* 0.05, for the counts */

/* What the second pass goes by. */
typedef struct {
  rx_staircase *staircase;
  rx_hierarchy hierarchy;
  rx_columns *own, *all; /* of the hierarchy, and over the grid */
  size_t n_most, n_hits; /* n_hits at most 2 n_most */
  rx_hit *hit;           /* the strongest so far, and some that may not be */
  rx_hit weakest;        /* that is sure to be beaten by n_most others, once is_full */
  bool is_full;
} pass;

static void free_pass(pass *p) {
  rx_columns_destroy(&p->all);
  rx_columns_destroy(&p->own);
  rx_hierarchy_destroy(&p->hierarchy);
  rx_staircase_destroy(&p->staircase);
}

/* BH over factors of their Simes p. */
static rx_status rank_factors(rx_grid *g, pass *p) {
  double *simes = NULL, *q = NULL;
  rx_adjust_room *room = NULL;

  rx_status status = RX_NEW(&simes, "associate: factors", g->n_factors);
  if (!status) status = RX_NEW(&q, "associate: factors", g->n_factors);
  if (!status) status = rx_adjust_room_create(g->n_factors, &room);
  if (!status) {
    for (size_t f = 0; f < g->n_factors; f++)
      simes[f] = g->factor[f].n_tests ? g->factor[f].log10_simes : NAN;
    rx_adjust_family(g->adjust, g->n_factors, simes, q, room);
    for (size_t f = 0; f < g->n_factors; f++) g->factor[f].log10_q_simes = q[f];
    status = rx_hierarchy_create(g->n_factors, q, &p->hierarchy);
  }
  rx_adjust_room_destroy(&room);
  free(q);
  free(simes);
  return status;
}

static rx_status prepare(rx_grid *g, pass *p) {
  RX_TRY(rank_factors(g, p));
  RX_TRY(rx_columns_create(g->n_features, g->n_mine, g->width, &p->own));
  RX_TRY(rx_columns_create(g->n_features, g->n_mine, g->width, &p->all));
  return rx_hits_create((size_t)g->job->config->association_top, &g->hits);
}

/* The p values of this rank's own features, a run of memory for each column. */
static rx_status make_staircase(rx_grid *g, pass *p) {
  rx_run *run = NULL;
  size_t n = 0;

  RX_TRY(RX_NEW_AGREED(g->job->comm, &run, "associate: p values", g->n_rounds * g->width));
  for (size_t round = 0; round < g->n_rounds; round++) {
    size_t first, count;
    rx_grid_run(g, round, &first, &count);
    for (size_t c = 0; c < count; c++, n++) {
      run[n].log10_p = g->log10_p[round] + c * g->n_features + g->first;
      run[n].n = g->n_mine;
    }
  }
  rx_status status = rx_staircase_create(g->job->comm, g->adjust, n, run, &p->staircase);
  free(run);
  if (!status) g->n_tests = rx_staircase_n_tests(p->staircase);
  return status;
}

static rx_status adjust_column(rx_grid *g, pass *p, size_t round, size_t factor, size_t c) {
  const double *log10_p = g->log10_p[round] + c * g->n_features;
  double *log10_q = p->own->log10_q, *log10_q_all = p->all->log10_q;
  rx_factor_summary *of = &g->factor[factor];

  rx_adjust_family(g->adjust, g->n_features, log10_p, log10_q, p->own->room);
  for (size_t i = g->first; i < g->first + g->n_mine; i++) {
    rx_hit hit = {.feature = (int64_t)i,
                  .factor = (int64_t)factor,
                  .log10_p = log10_p[i],
                  .log10_q_factor = log10_q[i]};
    log10_q[i] = rx_hierarchy_log10_q(&p->hierarchy, of->log10_q_simes, log10_q[i]);
    log10_q_all[i] = rx_staircase_log10_q(p->staircase, log10_p[i]);
    of->n_hits_hierarchical += log10_q[i] < log10_level;
    g->n_hits_all += log10_q_all[i] < log10_level;
    hit.log10_q_hierarchical = log10_q[i];
    hit.log10_q_all = log10_q_all[i];
    if (!isnan(log10_p[i])) RX_TRY(rx_hits_offer(g->hits, &hit));
    if (!g->kept || !(log10_p[i] <= g->kept->log10_limit)) continue;
    rx_hit *kept = &g->kept->hit[g->kept->next++]; /* both passes go in the same order */
    kept->log10_q_hierarchical = log10_q[i];
    kept->log10_q_all = log10_q_all[i];
  }
  rx_adjust_power(g->options.isa, g->n_mine, log10_q + g->first, p->own->column + c * g->n_mine);
  rx_adjust_power(g->options.isa, g->n_mine, log10_q_all + g->first,
                  p->all->column + c * g->n_mine);
  return RX_OK;
}

static rx_status adjust_run(rx_grid *g, pass *p, size_t round, size_t first, size_t count) {
  for (size_t c = 0; c < count; c++) RX_TRY(adjust_column(g, p, round, first + c, c));
  rx_columns_to_rows(g->n_mine, count, p->own->column, p->own->row);
  rx_columns_to_rows(g->n_mine, count, p->all->column, p->all->row);
  return RX_OK;
}

/* Columns of a run, and own features, that have hits there. */
typedef struct {
  size_t first, count; /* the run */
  bool *is_wanted;     /* [n_mine], features; owned, as all that follows */
  size_t n, *place;    /* [count], 1 + the place among the n columns with hits; 0: none */
  double *value;       /* [n_patients][n] */
} hit_cells;

static void free_hit_cells(hit_cells *of) {
  free(of->value);
  free(of->place);
  free(of->is_wanted);
}

static bool is_in_run(const hit_cells *of, const rx_hit *hit) {
  return (size_t)hit->factor >= of->first && (size_t)hit->factor < of->first + of->count;
}

static bool is_mine(const rx_grid *g, const rx_hit *hit) {
  return (size_t)hit->feature >= g->first && (size_t)hit->feature < g->first + g->n_mine;
}

static rx_status mark_hits(const rx_grid *g, hit_cells *of) {
  const size_t n_patients = g->roster->n_patients;

  RX_TRY(RX_NEW(&of->is_wanted, "associate: hits", g->n_mine));
  RX_TRY(RX_NEW(&of->place, "associate: hits", of->count));
  for (const rx_hit *hit = g->hits->hit; hit < g->hits->hit + g->hits->n; hit++) {
    if (!is_in_run(of, hit) || !is_mine(g, hit)) continue;
    size_t *place = &of->place[(size_t)hit->factor - of->first];
    if (!*place) *place = ++of->n;
    of->is_wanted[(size_t)hit->feature - g->first] = true;
  }
  RX_TRY(RX_NEW(&of->value, "associate: hits", n_patients * of->n));
  for (size_t c = 0; c < of->count; c++)
    for (size_t i = 0; i < n_patients && of->place[c]; i++)
      of->value[i * of->n + of->place[c] - 1] = g->value[i * of->count + c];
  return RX_OK;
}

/* Fits features and columns of a run that have hits once more: cheaper than to keep all cells. */
static rx_status refit(rx_grid *g, size_t round, size_t first, size_t count) {
  hit_cells of = {.first = first, .count = count};
  rx_status status = mark_hits(g, &of);

  if (!status && of.n) status = rx_block_fit_some(g->block, of.is_wanted, of.value, of.n, g->cells);
  for (size_t h = 0; h < g->hits->n && !status; h++) {
    rx_hit *hit = &g->hits->hit[h];
    if (!is_in_run(&of, hit)) continue;
    const size_t column = (size_t)hit->factor - first;
    for (size_t i = 0; i < g->roster->n_patients; i++)
      hit->n_patients += g->is_speaker && isfinite(g->value[i * count + column]);
    if (is_mine(g, hit))
      rx_grid_take(g, ((size_t)hit->feature - g->first) * of.n + of.place[column] - 1,
                   round * g->width + column, hit);
  }
  free_hit_cells(&of);
  return status;
}

/* Puts together on rank 0 what each rank knows of the hits: sums of numbers and zeros. */
static rx_status collect_hits(rx_grid *g) {
  enum { N = 10 };
  double *number = NULL;

  RX_TRY(RX_NEW_AGREED(g->job->comm, &number, "associate: hits", g->hits->n * N));
  for (size_t h = 0; h < g->hits->n; h++) {
    const rx_hit *hit = &g->hits->hit[h];
    const double mine[N] = {(double)hit->n_patients,
                            (double)hit->fit,
                            hit->beta,
                            hit->se,
                            hit->t,
                            hit->df,
                            hit->lambda,
                            hit->log10_p_means,
                            hit->log10_p_permutation,
                            hit->log10_p_permutation_all};
    memcpy(number + h * N, mine, sizeof mine);
  }
  MPI_Allreduce(MPI_IN_PLACE, number, (int)(g->hits->n * N), MPI_DOUBLE, MPI_SUM, g->job->comm);
  for (size_t h = 0; h < g->hits->n; h++) {
    rx_hit *hit = &g->hits->hit[h];
    const double *from = number + h * N;
    hit->n_patients = (int64_t)from[0], hit->fit = (int64_t)from[1];
    hit->beta = from[2], hit->se = from[3], hit->t = from[4], hit->df = from[5];
    hit->lambda = from[6], hit->log10_p_means = from[7];
    hit->log10_p_permutation = from[8], hit->log10_p_permutation_all = from[9];
  }
  free(number);
  return RX_OK;
}

static rx_status find_hits(rx_grid *g) {
  rx_status status = rx_hits_share(g->job->comm, g->hits);

  for (size_t round = 0; round < g->n_rounds && !status; round++) {
    size_t first, count;
    rx_grid_run(g, round, &first, &count);
    status = rx_grid_read(g, round);
    if (!status && count) status = refit(g, round, first, count);
    status = RX_AGREE(g->job->comm, status);
  }
  return status ? status : collect_hits(g);
}

static rx_status share_counts(rx_grid *g) {
  int64_t *n;

  RX_TRY(RX_NEW_AGREED(g->job->comm, &n, "associate: factors", g->n_factors));
  MPI_Allreduce(MPI_IN_PLACE, &g->n_hits_all, 1, MPI_INT64_T, MPI_SUM, g->job->comm);
  for (size_t f = 0; f < g->n_factors; f++) n[f] = g->factor[f].n_hits_hierarchical;
  MPI_Allreduce(MPI_IN_PLACE, n, (int)g->n_factors, MPI_INT64_T, MPI_SUM, g->job->comm);
  for (size_t f = 0; f < g->n_factors; f++) g->factor[f].n_hits_hierarchical = n[f];
  free(n);
  return RX_OK;
}

rx_status rx_grid_adjust(rx_grid *g, rx_matrix *matrix) {
  pass p = {0};
  const double start = rx_seconds();
  rx_status status = RX_AGREE(g->job->comm, prepare(g, &p));

  if (!status) status = make_staircase(g, &p);
  g->fit_seconds += rx_seconds() - start;
  for (size_t round = 0; round < g->n_rounds && !status; round++) {
    size_t first, count;
    const double begin = rx_seconds();
    rx_grid_run(g, round, &first, &count);
    if ((status = RX_AGREE(g->job->comm, adjust_run(g, &p, round, first, count)))) break;
    const double middle = rx_seconds();
    const size_t n = count ? g->n_mine : 0;
    g->fit_seconds += middle - begin;
    if (g->kept) continue;
    status = rx_matrix_write(matrix, "layers/q_hierarchical", RX_FLOAT32, g->first, n, first, count,
                             p.own->row);
    if (!status)
      status = rx_matrix_write(matrix, "layers/q_all", RX_FLOAT32, g->first, n, first, count,
                               p.all->row);
    g->write_seconds += rx_seconds() - middle;
  }
  if (!status && g->kept) status = rx_kept_gather(g->job->comm, g->kept);
  if (!status) status = share_counts(g);
  const double middle = rx_seconds();
  if (!status) status = find_hits(g);
  g->fit_seconds += rx_seconds() - middle;
  free_pass(&p);
  return status;
}
