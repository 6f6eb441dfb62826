/* Scoring signatures: rx_signature_score(). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "density.h"
#include "measure.h"
#include "order.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "signature.h"

/* Values as the steps change them. */
typedef struct {
  const rx_signature *signature;
  size_t n;               /* patients */
  double **matrix;        /* [n_tables][n_rows][n], a copy; NAN where a gene is missing */
  bool **is_there;        /* [n_tables][n_rows], whether a gene is in the expression table */
  double *scores;         /* [n_scores][n], the caller's */
  double *room;           /* [longest] */
  rx_order_space sorting; /* of as many */
  int *order;             /* [longest] */
  double *x, *y, *rank_x, *rank_y; /* [most rows] */
  rx_scales *scales;
  bool is_applied;
} workspace;

static void workspace_destroy(workspace *w) {
  for (int table = 0; table < w->signature->n_tables; table++) {
    if (w->matrix) free(w->matrix[table]);
    if (w->is_there) free(w->is_there[table]);
  }
  free(w->matrix);
  free(w->is_there);
  free(w->room);
  free(w->order);
  free(w->x);
  free(w->y);
  free(w->rank_x);
  free(w->rank_y);
  rx_order_space_destroy(&w->sorting);
}

static rx_status copy_table(workspace *w, int table, const double *const *value) {
  size_t n_rows = w->signature->tables[table].n_rows;

  RX_TRY(RX_NEW(&w->matrix[table], "signature", n_rows * w->n));
  RX_TRY(RX_NEW(&w->is_there[table], "signature", n_rows));
  for (size_t row = 0; row < n_rows; row++) {
    double *to = w->matrix[table] + row * w->n;

    w->is_there[table][row] = value[row] != NULL;
    for (size_t i = 0; i < w->n; i++) to[i] = value[row] ? value[row][i] : NAN;
  }
  return RX_OK;
}

static rx_status workspace_create(const double *const *const *value, workspace *w) {
  const rx_signature *s = w->signature;
  size_t most_rows = 1;

  RX_TRY(RX_NEW(&w->matrix, "signature", s->n_tables));
  RX_TRY(RX_NEW(&w->is_there, "signature", s->n_tables));
  for (int table = 0; table < s->n_tables; table++) {
    if (!s->tables[table].is_of_genes) continue;
    RX_TRY(copy_table(w, table, value[table]));
    if (s->tables[table].n_rows > most_rows) most_rows = s->tables[table].n_rows;
  }
  RX_TRY(RX_NEW(&w->room, "signature", w->n));
  RX_TRY(RX_NEW(&w->order, "signature", most_rows));
  RX_TRY(RX_NEW(&w->x, "signature", most_rows));
  RX_TRY(RX_NEW(&w->y, "signature", most_rows));
  RX_TRY(RX_NEW(&w->rank_x, "signature", most_rows));
  RX_TRY(RX_NEW(&w->rank_y, "signature", most_rows));
  return rx_order_space_create(most_rows, &w->sorting);
}

static double column_of(const rx_signature_table *table, size_t row, int column) {
  return table->numbers[row * (size_t)table->n_columns + (size_t)column];
}

/* ---- scales of the cohort ---- */

/* Notes a scale, or takes it from another cohort. what  "low"; of  the gene or the score */
static rx_status use_scale(const workspace *w, int step, const char *of, const char *what,
                           double *scale) {
  char name[512];

  snprintf(name, sizeof name, "%.200s/step %d/%.200s/%s", w->signature->name, step + 1, of, what);
  if (!w->is_applied) return rx_scales_set(w->scales, name, *scale);
  if (!rx_scales_get(w->scales, name, scale))
    return RX_FAIL(RX_ERR_INPUT, "genomics.apply: expected the scale '%s', found none", name);
  return RX_OK;
}

static size_t collect(const double *value, size_t n, double *room) {
  size_t n_there = 0;

  for (size_t i = 0; i < n; i++)
    if (!isnan(value[i])) room[n_there++] = value[i];
  return n_there;
}

/* The two numbers that rescale and standardise go by. */
static void measure(const workspace *w, const rx_signature_step *step, const double *value,
                    double *low, double *high) {
  size_t n = collect(value, w->n, w->room);

  *low = *high = NAN;
  if (n == 0) return;
  if (step->verb == RX_STEP_STANDARDISE) {
    if (n > 1) rx_density_moments(w->room, n, low, high);
    return;
  }
  double quantile = step->verb == RX_STEP_RESCALE_QUANTILE ? step->quantile : 0;
  *low = rx_measure_quantile(value, NULL, w->n, quantile, w->room);
  *high = rx_measure_quantile(value, NULL, w->n, 1 - quantile, w->room);
}

/* One gene, or one score. */
static rx_status rescale(const workspace *w, int number, const char *of, double *value) {
  const rx_signature_step *step = &w->signature->steps[number];
  bool is_standard = step->verb == RX_STEP_STANDARDISE;
  double low, high;

  measure(w, step, value, &low, &high);
  RX_TRY(use_scale(w, number, of, is_standard ? "mean" : "low", &low));
  RX_TRY(use_scale(w, number, of, is_standard ? "sd" : "high", &high));
  for (size_t i = 0; i < w->n; i++)
    value[i] = is_standard
                   ? (value[i] - low) / high
                   : step->low + (step->high - step->low) * ((value[i] - low) / (high - low));
  return RX_OK;
}

/* ---- one step each ---- */

static void clip(double *value, size_t n, double low, double high) {
  for (size_t i = 0; i < n; i++) {
    if (value[i] < low) value[i] = low;
    if (value[i] > high) value[i] = high;
  }
}

static void affine(double *value, size_t n, double factor, double offset) {
  for (size_t i = 0; i < n; i++) value[i] = value[i] * factor + offset;
}

/* A step that changes values row by row. */
static rx_status change(workspace *w, int number, const char *of, double *value) {
  const rx_signature_step *step = &w->signature->steps[number];

  if (step->verb <= RX_STEP_STANDARDISE) return rescale(w, number, of, value);
  if (step->verb == RX_STEP_CLIP) clip(value, w->n, step->low, step->high);
  if (step->verb == RX_STEP_AFFINE) affine(value, w->n, step->low, step->high);
  return RX_OK;
}

static rx_status change_subject(workspace *w, int number) {
  const rx_signature *s = w->signature;
  const rx_signature_step *step = &s->steps[number];

  if (step->table < 0)
    return change(w, number, s->scores[step->score], w->scores + (size_t)step->score * w->n);
  const rx_signature_table *table = &s->tables[step->table];
  for (size_t row = 0; row < table->n_rows; row++) {
    const char **cell = &table->cells[row * (size_t)table->n_columns];

    if (w->is_there[step->table][row])
      RX_TRY(change(w, number, strcmp(cell[0], "-") ? cell[0] : cell[1],
                    w->matrix[step->table] + row * w->n));
  }
  return RX_OK;
}

static void centre_patients(workspace *w, const rx_signature_step *step) {
  size_t n_rows = w->signature->tables[step->table].n_rows;
  double *matrix = w->matrix[step->table];

  for (size_t i = 0; i < w->n; i++) {
    double sum = 0;
    size_t n_there = 0;

    for (size_t row = 0; row < n_rows; row++)
      if (!isnan(matrix[row * w->n + i])) {
        sum += matrix[row * w->n + i];
        n_there++;
      }
    for (size_t row = 0; row < n_rows; row++) matrix[row * w->n + i] -= sum / (double)n_there;
  }
}

static void invert(workspace *w, const rx_signature_step *step) {
  const rx_signature_table *table = &w->signature->tables[step->table];

  for (size_t row = 0; row < table->n_rows; row++)
    for (size_t i = 0; i < w->n; i++) {
      double *value = &w->matrix[step->table][row * w->n + i];
      *value =
          (*value - column_of(table, row, step->column_b)) / column_of(table, row, step->column);
    }
}

/* Mean of the genes with weights of one sign, times their share of the genes that the table of
 * expression has. */
static double mean_of_sign(const workspace *w, const rx_signature_step *step, size_t patient,
                           bool is_negative, size_t n_genes) {
  const rx_signature_table *table = &w->signature->tables[step->table];
  double sum = 0, weights = 0;
  size_t n_of_sign = 0;

  for (size_t row = 0; row < table->n_rows; row++) {
    double weight = column_of(table, row, step->column);
    double value = w->matrix[step->table][row * w->n + patient];

    if (!w->is_there[step->table][row] || (weight < 0) != is_negative) continue;
    n_of_sign++;
    if (isnan(value)) continue;
    weight = step->is_signs ? 1 : fabs(weight);
    sum += weight * value;
    weights += weight;
  }
  return n_of_sign ? (double)n_of_sign / (double)n_genes * (sum / weights) : 0;
}

static void compute_mean(workspace *w, const rx_signature_step *step) {
  size_t n_rows = w->signature->tables[step->table].n_rows, n_genes = 0;

  for (size_t row = 0; row < n_rows; row++) n_genes += w->is_there[step->table][row];
  for (size_t i = 0; i < w->n; i++)
    w->scores[(size_t)step->score * w->n + i] =
        n_genes ? mean_of_sign(w, step, i, false, n_genes) - mean_of_sign(w, step, i, true, n_genes)
                : NAN;
}

static void compute_sum(workspace *w, const rx_signature_step *step) {
  const rx_signature_table *table = &w->signature->tables[step->table];

  for (size_t i = 0; i < w->n; i++) {
    double sum = 0;

    for (size_t row = 0; row < table->n_rows; row++) {
      const char *group = table->cells[row * (size_t)table->n_columns + (size_t)step->column_b];

      if (step->group && strcmp(group, step->group) != 0) continue;
      sum += column_of(table, row, step->column) * w->matrix[step->table][row * w->n + i];
    }
    w->scores[(size_t)step->score * w->n + i] = sum;
  }
}

static double pearson(const double *x, const double *y, size_t n) {
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;

  for (size_t i = 0; i < n; i++) {
    mean_x += x[i] / (double)n;
    mean_y += y[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xy / sqrt(xx * yy);
}

static void compute_correlation(workspace *w, const rx_signature_step *step) {
  enum { FEWEST = 4 };
  const rx_signature_table *table = &w->signature->tables[step->table];

  for (size_t i = 0; i < w->n; i++) {
    double *score = &w->scores[(size_t)step->score * w->n + i];
    size_t n = 0;

    for (size_t row = 0; row < table->n_rows; row++) {
      w->x[n] = w->matrix[step->table][row * w->n + i];
      w->y[n] = column_of(table, row, step->column);
      n += !isnan(w->x[n]) && !isnan(w->y[n]);
    }
    *score = NAN;
    if (n < FEWEST) continue;
    if (step->is_ranks) {
      rx_order_descending(w->order, w->x, n, &w->sorting);
      rx_order_ranks(w->rank_x, w->order, w->x, n);
      rx_order_descending(w->order, w->y, n, &w->sorting);
      rx_order_ranks(w->rank_y, w->order, w->y, n);
    }
    *score = step->is_ranks ? pearson(w->rank_x, w->rank_y, n) : pearson(w->x, w->y, n);
  }
}

/* Log density of a component with its share; the columns of the table are name, share, a mean for
 * each score, a variance for each. */
static double log_density(const workspace *w, const rx_signature_step *step, size_t row,
                          size_t patient) {
  const rx_signature_table *table = &w->signature->tables[step->table];
  double sum = log(column_of(table, row, 1));

  for (int i = 0; i < step->n_of; i++) {
    double x = w->scores[(size_t)step->of[i] * w->n + patient];
    double mean = column_of(table, row, 2 + i),
           variance = column_of(table, row, 2 + step->n_of + i);

    sum -= 0.5 * (log(variance) + (x - mean) * (x - mean) / variance);
  }
  return sum;
}

static void compute_posterior(workspace *w, const rx_signature_step *step) {
  size_t n_rows = w->signature->tables[step->table].n_rows;

  for (size_t i = 0; i < w->n; i++) {
    double own = log_density(w, step, step->row, i), sum = 0;

    for (size_t row = 0; row < n_rows; row++) sum += exp(log_density(w, step, row, i) - own);
    w->scores[(size_t)step->score * w->n + i] = 1 / sum;
  }
}

static void compute_combination(workspace *w, const rx_signature_step *step) {
  for (size_t i = 0; i < w->n; i++) {
    double sum = 0;

    for (int t = 0; t < step->n_terms; t++) {
      const rx_signature_term *term = &step->terms[t];
      double product = 1;

      for (int f = 0; f < term->n_items; f++)
        product *= term->items[f].score < 0 ? term->items[f].number
                                            : w->scores[(size_t)term->items[f].score * w->n + i];
      sum += term->is_negative ? -product : product;
    }
    w->scores[(size_t)step->score * w->n + i] = sum;
  }
}

static rx_status take_step(workspace *w, int number) {
  const rx_signature_step *step = &w->signature->steps[number];

  switch (step->verb) {
    case RX_STEP_CENTRE:
      centre_patients(w, step);
      return RX_OK;
    case RX_STEP_INVERT:
      invert(w, step);
      return RX_OK;
    case RX_STEP_MEAN:
      compute_mean(w, step);
      return RX_OK;
    case RX_STEP_SUM:
      compute_sum(w, step);
      return RX_OK;
    case RX_STEP_CORRELATE:
      compute_correlation(w, step);
      return RX_OK;
    case RX_STEP_POSTERIOR:
      compute_posterior(w, step);
      return RX_OK;
    case RX_STEP_COMBINE:
      compute_combination(w, step);
      return RX_OK;
    default:
      return change_subject(w, number);
  }
}

rx_status rx_signature_score(double *scores, const rx_signature *signature,
                             const double *const *const *value, size_t n_patients,
                             rx_scales *scales, bool is_applied) {
  workspace w = {.signature = signature,
                 .n = n_patients,
                 .scores = scores,
                 .scales = scales,
                 .is_applied = is_applied};

  rx_status status = workspace_create(value, &w);
  for (int step = 0; step < signature->n_steps && !status; step++) status = take_step(&w, step);
  for (size_t i = 0; !status && i < (size_t)signature->n_scores * n_patients; i++)
    if (!isfinite(scores[i])) scores[i] = NAN;
  workspace_destroy(&w);
  return status;
}
