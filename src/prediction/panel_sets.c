/* The rows of feature sets: read, averaged over patients, joined. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/panel.h"
#include "prediction/shared_rows.h"
#include "prediction/solver.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/text.h"

void rx_panel_clear_set(rx_feature_set *set) {
  free(set->name);
  free(set->path);
  free(set->patient);
  free(set->weight);
  free(set->is_used);
  free(set->x);
  free(set->z);
  free(set->mean);
  free(set->scale);
  rx_frame_destroy(&set->var);
  *set = (rx_feature_set){NULL};
}

/* ---- rows ---- */

rx_status rx_panel_weigh(const rx_job *job, size_t n_patients, rx_feature_set *set) {
  size_t *n_rows;
  bool by_patient = rx_is(job->config->prediction_weights, "patient");

  RX_TRY(RX_NEW(&n_rows, "patients", n_patients));
  rx_status status = RX_NEW(&set->weight, "weights", set->n_rows);
  for (size_t r = 0; r < set->n_rows && !status; r++) n_rows[set->patient[r]]++;
  for (size_t r = 0; r < set->n_rows && !status; r++)
    set->weight[r] = by_patient ? 1 / (double)n_rows[set->patient[r]] : 1;
  for (size_t i = 0; i < n_patients; i++) set->n_patients += n_rows[i] > 0;
  free(n_rows);
  return status;
}

typedef struct {
  int patient;
  size_t row;
} placed_row;

static int compare_places(const void *a, const void *b) {
  const placed_row *x = a, *y = b;

  if (x->patient != y->patient) return x->patient < y->patient ? -1 : 1;
  return x->row < y->row ? -1 : x->row > y->row;
}

rx_status rx_panel_order(size_t n_rows, const ptrdiff_t *place, size_t **order, size_t *n) {
  placed_row *rows;

  *n = 0;
  RX_TRY(RX_NEW(&rows, "rows", n_rows));
  for (size_t r = 0; r < n_rows; r++)
    if (place[r] >= 0) rows[(*n)++] = (placed_row){(int)place[r], r};
  qsort(rows, *n, sizeof *rows, compare_places);
  rx_status status = RX_NEW(order, "rows", *n);
  for (size_t k = 0; k < *n && !status; k++) (*order)[k] = rows[k].row;
  free(rows);
  return status;
}

/* Reads all rows on every rank, and sorts them by patient. */
static rx_status read_whole(const rx_job *job, const rx_feature_file *p, const ptrdiff_t *place,
                            rx_feature_set *set) {
  double *all = NULL;
  size_t *order = NULL, bytes = p->n_features * sizeof *all;
  rx_status status = RX_NEW(&all, "features", p->n_rows * p->n_features);

  if (!status) status = rx_panel_order(p->n_rows, place, &order, &set->n_rows);
  if (!status) status = RX_NEW(&set->patient, "rows", set->n_rows);
  if (!status) status = RX_NEW(&set->x, "features", set->n_rows * p->n_features);
  status = RX_AGREE(job->comm, status);
  if (!status) status = rx_feature_file_read(p, 0, p->n_rows, all);
  for (size_t r = 0; r < set->n_rows && !status; r++) {
    set->patient[r] = (int)place[order[r]];
    memcpy(set->x + r * p->n_features, all + order[r] * p->n_features, bytes);
  }
  set->n_local = set->n_rows;
  free(order);
  free(all);
  return status;
}

/* Adds the rows of one piece of the file to the sums of their patients. */
static void add_piece(const double *piece, size_t first, size_t n, size_t p, const ptrdiff_t *place,
                      double *sums) {
  for (size_t r = 0; r < n; r++) {
    if (place[first + r] < 0) continue;
    double *sum = sums + (size_t)place[first + r] * p;
    for (size_t j = 0; j < p; j++) sum[j] += piece[r * p + j];
  }
}

rx_status rx_panel_sum(const rx_job *job, const rx_feature_file *p, const ptrdiff_t *place,
                       size_t n_patients, double *sums) {
  enum { ROWS = 1024 };
  size_t first, count, longest = (p->n_rows + (size_t)job->n_ranks - 1) / (size_t)job->n_ranks;
  double *piece;
  rx_status status = RX_NEW_AGREED(job->comm, &piece, "features", ROWS * p->n_features);

  if (status) return status;
  rx_partition(p->n_rows, job->rank, job->n_ranks, &first, &count);
  for (size_t at = 0; at < longest && !status; at += ROWS) {
    size_t n = at >= count ? 0 : count - at < ROWS ? count - at : ROWS;
    status = rx_feature_file_read(p, n ? first + at : 0, n, piece);
    if (!status) add_piece(piece, first + at, n, p->n_features, place, sums);
  }
  free(piece);
  for (size_t i = 0; i < n_patients && !status; i++)
    MPI_Allreduce(MPI_IN_PLACE, sums + i * p->n_features, (int)p->n_features, MPI_DOUBLE, MPI_SUM,
                  job->comm);
  return status;
}

/* One row a patient: the mean of its rows. */
static rx_status read_means(const rx_job *job, const rx_feature_file *p, const ptrdiff_t *place,
                            size_t n_patients, rx_feature_set *set) {
  double *sums = NULL;
  size_t *n_rows = NULL, n_features = p->n_features;
  rx_status status = RX_NEW(&sums, "patient means", n_patients * n_features);

  if (!status) status = RX_NEW(&n_rows, "patients", n_patients);
  if (!status) status = RX_NEW(&set->patient, "patients", n_patients);
  status = RX_AGREE(job->comm, status);
  if (!status) status = rx_panel_sum(job, p, place, n_patients, sums);
  for (size_t r = 0; r < p->n_rows && !status; r++)
    if (place[r] >= 0) n_rows[place[r]]++;
  for (size_t i = 0; i < n_patients && !status; i++) {
    if (!n_rows[i]) continue;
    set->patient[set->n_rows] = (int)i;
    for (size_t j = 0; j < n_features; j++)
      sums[set->n_rows * n_features + j] = sums[i * n_features + j] / (double)n_rows[i];
    set->n_rows++;
  }
  set->n_local = set->n_rows;
  set->x = sums;
  free(n_rows);
  return status;
}

/* ---- missing values ---- */

static bool is_empty_row(const double *x, size_t n) {
  for (size_t j = 0; j < n; j++)
    if (isfinite(x[j])) return false;
  return true;
}

/* Drops rows that have no number at all; returns how many. */
static size_t drop_empty_rows(rx_feature_set *set) {
  size_t kept = 0, n = set->n_rows, p = set->n_features;

  for (size_t r = 0; r < n; r++) {
    if (is_empty_row(set->x + r * p, p)) continue;
    if (kept != r) memcpy(set->x + kept * p, set->x + r * p, p * sizeof *set->x);
    set->patient[kept++] = set->patient[r];
  }
  set->n_rows = set->n_local = kept;
  return n - kept;
}

/* Features with a missing or infinite value take no part, and are named. */
static void exclude_missing(rx_feature_set *set) {
  for (size_t j = 0; j < set->n_features; j++) {
    set->is_used[j] = true;
    for (size_t r = 0; r < set->n_rows && set->is_used[j]; r++)
      set->is_used[j] = isfinite(set->x[r * set->n_features + j]);
    if (set->is_used[j]) continue;
    set->n_unused++;
    for (size_t r = 0; r < set->n_rows; r++) set->x[r * set->n_features + j] = 0;
  }
}

static void name_missing(const rx_job *job, const rx_feature_set *set) {
  const char *example = "";

  for (size_t j = set->n_features; j-- > 0;)
    if (!set->is_used[j]) example = set->var->names[j];
  if (set->n_unused)
    rx_log_warn(job->log,
                "predict: %s: %zu of %zu features left out for missing or infinite values "
                "(%s%s)",
                set->name, set->n_unused, set->n_features, example,
                set->n_unused > 1 ? ", ..." : "");
}

/* Rows split over the ranks. Their patients' empty rows are not looked for. */
static rx_status read_split(const rx_job *job, const rx_feature_file *p, const ptrdiff_t *place,
                            rx_feature_set *set) {
  set->is_whole = false;
  RX_TRY(rx_shared_rows_read(job, p, place, set));
  return rx_solver_standardise(job->comm, set);
}

static rx_status read_held(const rx_job *job, const rx_feature_file *p, const ptrdiff_t *place,
                           size_t n_patients, rx_feature_set *set) {
  bool by_patient = rx_is(job->config->prediction_level, "patient");

  RX_TRY(by_patient ? read_means(job, p, place, n_patients, set) : read_whole(job, p, place, set));
  size_t dropped = drop_empty_rows(set);
  if (dropped)
    rx_log_info(job->log, "predict: %s: %zu rows without any number left out", set->name, dropped);
  exclude_missing(set);
  return RX_OK;
}

static size_t count_placed(const rx_feature_file *p, const ptrdiff_t *place) {
  size_t n = 0;

  for (size_t r = 0; r < p->n_rows; r++) n += place[r] >= 0;
  return n;
}

rx_status rx_panel_add_set(const rx_job *job, const rx_feature_file *p, const ptrdiff_t *place,
                           size_t n_patients, rx_feature_set *set) {
  bool is_split = rx_is(job->config->prediction_level, "image") &&
                  rx_solver_wants_share(count_placed(p, place), p->n_features);

  *set = (rx_feature_set){.n_features = p->n_features, .is_whole = true};
  rx_status status = rx_copy_text(p->name, &set->name);
  if (!status) status = rx_copy_text(p->path, &set->path);
  if (!status) status = rx_frame_copy(p->var, &set->var);
  if (!status) status = RX_NEW(&set->is_used, "features", set->n_features);
  status = RX_AGREE(job->comm, status);
  if (!status)
    status = is_split ? read_split(job, p, place, set) : read_held(job, p, place, n_patients, set);
  if (!status) {
    name_missing(job, set);
    status = rx_panel_weigh(job, n_patients, set);
    rx_log_info(job->log, "predict: %s: %zu features, %zu rows of %zu patients%s", set->name,
                set->n_features, set->n_rows, set->n_patients,
                is_split ? ", split over the ranks" : "");
  }
  status = RX_AGREE(job->comm, status);
  if (status) rx_panel_clear_set(set);
  return status;
}

size_t rx_panel_count_cohort_columns(const rx_frame *var) {
  const rx_column *column = rx_frame_find(var, "fitted_on");
  size_t n = 0;

  if (!column || column->kind != RX_TEXT) return 0;
  for (size_t j = 0; j < var->n_rows; j++) n += !strcmp(column->text[j], "cohort");
  return n;
}
