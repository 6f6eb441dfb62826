#include "permute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "fitter.h"
#include "grid.h"
#include "null_column.h"
#include "permute_checkpoint.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/signal.h"
#include "shuffle.h"

enum { LANES = RX_REML_LANES, BATCH = 8 };

static const double checkpoint_seconds = 60;

/* A statistic this much below another one is the same, rounded otherwise: with few distinct values
 * many permutations are one. */
static const double tie = 1e-9;

/* What the permutations of a group of columns need. */
typedef struct {
  rx_grid *grid;
  rx_shuffle *shuffle;
  rx_block *block; /* with all features; not owned when it is the grid's */
  rx_tail normal;
  double *base;             /* [patients][columns], what is moved */
  double *moved;            /* [patients][columns] */
  double *absolute;         /* [n_features][lanes], |t| */
  double *column, *log10_p; /* [n_features] */
  size_t *from, *all;       /* [patients]; [columns] 0, 1, 2 ... */
} mover;

static void free_mover(mover *m) {
  if (m->block != m->grid->block) rx_block_destroy(&m->block);
  rx_shuffle_destroy(&m->shuffle);
  free(m->all);
  free(m->from);
  free(m->log10_p);
  free(m->column);
  free(m->absolute);
  free(m->moved);
  free(m->base);
}

static rx_status make_mover(mover *m) {
  rx_grid *g = m->grid;
  const size_t n = g->roster->n_patients, lanes = g->width + LANES;

  rx_tail_prepare(INFINITY, &m->normal);
  RX_TRY(rx_shuffle_create(g->job, g->roster, g->job->config->association_blocks, &m->shuffle));
  RX_TRY(RX_NEW(&m->base, "associate: permutations", n * g->width));
  RX_TRY(RX_NEW(&m->moved, "associate: permutations", n * g->width));
  RX_TRY(RX_NEW(&m->absolute, "associate: permutations", g->n_features * lanes));
  RX_TRY(RX_NEW(&m->column, "associate: permutations", g->n_features));
  RX_TRY(RX_NEW(&m->log10_p, "associate: permutations", g->n_features));
  RX_TRY(RX_NEW(&m->from, "associate: permutations", n));
  RX_TRY(RX_NEW(&m->all, "associate: permutations", g->width));
  for (size_t c = 0; c < g->width; c++) m->all[c] = c;
  if (g->group_size == 1) {
    m->block = g->block;
    return RX_OK;
  }
  return rx_block_create(g->roster, &g->options, 0, g->n_features, &m->block);
}

void rx_permute_destroy(rx_permutations **permutations) {
  rx_permutations *p = *permutations;

  if (!p) return;
  free(p->n_hits);
  free(p->largest_all);
  free(p->is_complete);
  free(p->lambda_gc);
  free(p->largest);
  free(p);
  *permutations = NULL;
}

/* The factors of a group, or their residuals on the covariates of the patients; a factor that
 * cannot be tested stays NaN. base  [n_members][n_columns] */
static rx_status take_base(const rx_pattern *p, const rx_groups *groups, mover *m) {
  const size_t n = p->n_members, columns = groups->n_columns;
  double *one = NULL, *contrast = NULL;

  rx_status status = RX_NEW(&one, "associate: permutations", n);
  if (!status) status = RX_NEW(&contrast, "associate: permutations", p->contrasts->n_ordinary);
  for (size_t c = 0; c < columns && !status; c++) {
    for (size_t i = 0; i < n; i++)
      one[i] = groups->value[p->member[i] * groups->n_factors + groups->column[c]];
    if (p->contrasts->n_columns > 1) rx_contrasts_residual(p->contrasts, one, contrast);
    for (size_t i = 0; i < n; i++) m->base[i * columns + c] = one[i];
  }
  free(contrast);
  free(one);
  return status;
}

/* Gives the factors to other patients; moved [patients of the roster][n_columns]. */
static void move(const rx_pattern *p, size_t columns, mover *m) {
  rx_shuffle_places(m->shuffle, p->n_members, p->member, m->from);
  for (size_t i = 0; i < p->n_members; i++)
    memcpy(m->moved + p->member[i] * columns, m->base + m->from[i] * columns,
           columns * sizeof *m->moved);
}

/* |t| of all tested features with the moved factors; NaN where a fit was not found.
 * Returns how many features were tested. */
static size_t fit_moved(const rx_pattern *p, const rx_predictors *factors, rx_fitter *fitter,
                        mover *m) {
  const size_t lanes = factors->n_tiles * LANES;
  size_t n = 0;

  for (size_t feature = 0; feature < p->n_features; feature++) {
    if (!rx_fit_is_tested(rx_fitter_judge(p, feature, RX_FIT_OK))) continue;
    if (!rx_fitter_fit(fitter, p, feature, factors)) continue;
    for (size_t lane = 0; lane < lanes; lane++)
      m->absolute[n * lanes + lane] =
          rx_fit_is_tested(fitter->fit[lane]) ? fabs(fitter->mixed.t[lane]) : (double)NAN;
    n++;
  }
  return n;
}

/* The chi-square of the median p over what it should be. */
static double lambda_gc(double median_t, double df) {
  double log_p = M_LN2 + (isinf(df) ? pnorm(-median_t, 0, 1, 1, 1) : pt(-median_t, df, 1, 1));
  return qchisq(fmin(log_p, 0), 1, 0, 1) / qchisq(0.5, 1, 1, 0);
}

/* Sums up each factor of one permutation. */
static void keep(const rx_pattern *p, const rx_groups *groups, const rx_predictors *factors,
                 size_t n_tested, size_t own, int permutation, mover *m, rx_permutations *out) {
  const rx_fit_options *options = &m->grid->options;
  const bool is_normal = options->is_ratio || options->df == RX_DF_NORMAL;
  const rx_tail *tail = is_normal ? &m->normal : &p->tail;
  const double level = is_normal ? qnorm(0.025, 0, 1, 0, 0) : qt(0.025, p->df, 0, 0);
  const size_t lanes = factors->n_tiles * LANES;

  for (size_t c = 0; c < groups->n_columns; c++) {
    const size_t at = (own + groups->column[c]) * (size_t)out->n + (size_t)permutation;
    size_t n = 0;
    if (factors->fit[c] != RX_FIT_OK) continue;
    for (size_t i = 0; i < n_tested; i++)
      if (!isnan(m->absolute[i * lanes + c])) m->column[n++] = m->absolute[i * lanes + c];
    rx_null_column found = rx_null_column_of(options->isa, tail, level, n, m->column, m->log10_p);
    out->largest[at] = found.largest;
    out->lambda_gc[at] = n ? lambda_gc(found.median, is_normal ? INFINITY : p->df) : 0;
    out->n_hits[permutation] += found.n_hits;
    if (out->is_complete[own + groups->column[c]] && found.largest > out->largest_all[permutation])
      out->largest_all[permutation] = found.largest;
  }
}

/* Permutations first .. end - 1 of one group of columns; the ranks of a group take turns. */
static rx_status permute_group(const rx_groups *groups, size_t own, int first, int end, mover *m,
                               rx_permutations *out) {
  rx_grid *g = m->grid;
  const rx_pattern *p;
  rx_fitter *fitter = NULL;
  int group_rank;

  MPI_Comm_rank(g->group, &group_rank);
  RX_TRY(rx_block_pattern(m->block, groups->n_members, groups->member, &p));
  for (size_t c = 0; c < groups->n_columns; c++)
    out->is_complete[own + groups->column[c]] = p->n_members == g->roster->n_patients;
  if (!(p->df > 0) || !p->space->n) return RX_OK;
  rx_status status = take_base(p, groups, m);
  const size_t lanes = (groups->n_columns + LANES - 1) / LANES * LANES;
  if (!status) status = rx_fitter_create(&g->options, lanes, (size_t)p->space->n, &fitter);
  for (int b = first; b < end && !status; b++) {
    rx_predictors *factors = NULL;
    if (b % g->group_size != group_rank) continue;
    rx_shuffle_draw(m->shuffle, g->job->config->study_seed, b);
    move(p, groups->n_columns, m);
    status =
        rx_predictors_create(p, m->moved, groups->n_columns, groups->n_columns, m->all, &factors);
    if (!status) keep(p, groups, factors, fit_moved(p, factors, fitter, m), own, b, m, out);
    rx_predictors_destroy(&factors);
  }
  rx_fitter_destroy(&fitter);
  return status;
}

/* A few permutations of all columns of this rank; is_stopped when a signal asks for it on the way.
 * Collective because of the reading. */
static rx_status permute_batch(int first, int end, mover *m, rx_permutations *out,
                               bool *is_stopped) {
  rx_grid *g = m->grid;

  for (size_t round = 0; round < g->n_rounds && !*is_stopped; round++) {
    rx_groups *groups = NULL;
    size_t column, count;
    rx_grid_run(g, round, &column, &count);
    RX_TRY(rx_grid_read(g, round));
    rx_status status = rx_groups_create(g->roster->n_patients, count, g->value, &groups);
    while (!status && rx_groups_next(groups))
      status = permute_group(groups, round * g->width, first, end, m, out);
    rx_groups_destroy(&groups);
    RX_TRY(RX_AGREE(g->job->comm, status));
    *is_stopped = rx_signal_agree(g->job->comm);
  }
  return RX_OK;
}

static rx_status allocate(const rx_grid *g, int n, rx_permutations **out) {
  RX_TRY(RX_NEW(out, "associate: permutations", 1));
  rx_permutations *p = *out;
  p->n = n;
  p->n_own = g->n_rounds * g->width;
  RX_TRY(RX_NEW(&p->largest, "associate: permutations", p->n_own * (size_t)n));
  RX_TRY(RX_NEW(&p->lambda_gc, "associate: permutations", p->n_own * (size_t)n));
  RX_TRY(RX_NEW(&p->is_complete, "associate: permutations", p->n_own));
  RX_TRY(RX_NEW(&p->largest_all, "associate: permutations", n));
  return RX_NEW(&p->n_hits, "associate: permutations", n);
}

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int compare_counts(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Brings together what the ranks have: each number is known to one, the others have 0. */
static void finish(const rx_grid *g, rx_permutations *p) {
  const size_t n = (size_t)p->n;

  for (size_t own = 0; own < p->n_own; own++) {
    MPI_Allreduce(MPI_IN_PLACE, p->largest + own * n, p->n, MPI_DOUBLE, MPI_MAX, g->group);
    MPI_Allreduce(MPI_IN_PLACE, p->lambda_gc + own * n, p->n, MPI_DOUBLE, MPI_MAX, g->group);
    qsort(p->largest + own * n, n, sizeof *p->largest, compare_numbers);
    qsort(p->lambda_gc + own * n, n, sizeof *p->lambda_gc, compare_numbers);
  }
  MPI_Allreduce(MPI_IN_PLACE, p->largest_all, p->n, MPI_DOUBLE, MPI_MAX, g->job->comm);
  MPI_Allreduce(MPI_IN_PLACE, p->n_hits, p->n, MPI_INT64_T, MPI_SUM, g->job->comm);
  qsort(p->largest_all, n, sizeof *p->largest_all, compare_numbers);
  qsort(p->n_hits, n, sizeof *p->n_hits, compare_counts);
}

/* Whether rank 0 thinks that it is time for a checkpoint, which should take a twentieth of all. */
static bool is_due(const rx_grid *g, double *last, double *took, double now) {
  int due = now - *last > fmax(checkpoint_seconds, 20 * *took);

  MPI_Bcast(&due, 1, MPI_INT, 0, g->job->comm);
  if (due) *last = now;
  return due;
}

/* Permutations done .. n - 1, with checkpoints. */
static rx_status permute_rest(mover *m, const rx_recipe *recipe, int done, rx_permutations *out) {
  rx_grid *g = m->grid;
  rx_progress progress = rx_progress_begin(g->job->log, "associate", out->n, "permutations");
  /* The same on all ranks, though groups may differ in size by one. */
  const int batch = BATCH * ((g->job->n_ranks + g->n_groups - 1) / g->n_groups);
  double last = rx_seconds(), took = 0;
  bool is_stopped = false;
  rx_status status;

  do { /* also when all are done: which factors are complete is not in the checkpoint */
    int end = out->n - done < batch ? out->n : done + batch;
    if ((status = permute_batch(done, end, m, out, &is_stopped))) break;
    if (!is_stopped) done = end;
    rx_progress_update(&progress, done);
    if (is_stopped || is_due(g, &last, &took, rx_seconds())) {
      const double begin = rx_seconds();
      status = rx_permute_save(g, recipe, out, done);
      took = rx_seconds() - begin;
    }
  } while (!status && !is_stopped && done < out->n);
  rx_progress_end(&progress);
  if (!status && is_stopped)
    status = RX_FAIL(RX_ERR_INTERRUPTED,
                     "associate: stopped after %d of %d permutations; the same command goes on",
                     done, out->n);
  return status;
}

rx_status rx_permute_run(rx_grid *g, const rx_recipe *recipe, int n, rx_permutations **out) {
  mover m = {.grid = g};
  int done = 0;

  *out = NULL;
  rx_status status = make_mover(&m);
  if (!status) status = allocate(g, n, out);
  status = RX_AGREE(g->job->comm, status);
  if (!status) status = rx_permute_restore(g, recipe, *out, &done);
  if (!status) status = permute_rest(&m, recipe, done, *out);
  if (!status) finish(g, *out);
  free_mover(&m);
  if (status) rx_permute_destroy(out);
  return status;
}

/* (1 + #{largest >= t}) / (1 + n) */
static double log10_share(const double *largest, size_t n, double t) {
  const double limit = fabs(t) * (1 - tie);
  size_t low = 0, high = n;

  while (low < high) {
    size_t middle = (low + high) / 2;
    if (largest[middle] < limit)
      low = middle + 1;
    else
      high = middle;
  }
  return log10((double)(1 + n - low) / (double)(1 + n));
}

double rx_permute_log10_p(const rx_permutations *p, size_t own, double t) {
  if (isnan(t)) return NAN;
  return log10_share(p->largest + own * (size_t)p->n, (size_t)p->n, t);
}

double rx_permute_log10_p_all(const rx_permutations *p, size_t own, double t) {
  if (isnan(t) || !p->is_complete[own]) return NAN;
  return log10_share(p->largest_all, (size_t)p->n, t);
}
