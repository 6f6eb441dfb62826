#include "traits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { MOST_LEVELS_OF_NUMBERS = 5, N_RESULTS = 9 };

/* ---- columns to levels ---- */

static double number_of(const rx_column *column, size_t row) {
  return column->kind == RX_REAL ? column->real[row] : (double)column->integer[row];
}

static int compare_numbers(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;

  return (a > b) - (a < b);
}

/* Numbers that are there become levels, when they are few. levels  [n], set to -1 or a level;
 * returns how many there are, or MOST_LEVELS_OF_NUMBERS + 1 */
static size_t level_numbers(const double *values, size_t n, int *levels) {
  double found[MOST_LEVELS_OF_NUMBERS + 1] = {0};
  size_t n_levels = 0;

  for (size_t i = 0; i < n && n_levels <= MOST_LEVELS_OF_NUMBERS; i++) {
    size_t level = 0;
    if (!isfinite(values[i])) continue;
    while (level < n_levels && compare_numbers(&found[level], &values[i])) level++;
    if (level == n_levels) found[n_levels++] = values[i];
  }
  if (n_levels > MOST_LEVELS_OF_NUMBERS) return n_levels;
  qsort(found, n_levels, sizeof *found, compare_numbers);
  for (size_t i = 0; i < n; i++) {
    levels[i] = -1;
    for (size_t level = 0; level < n_levels; level++)
      if (isfinite(values[i]) && !compare_numbers(&found[level], &values[i]))
        levels[i] = (int)level;
  }
  return n_levels;
}

/* Texts become levels in the order in which they appear. */
static rx_status level_texts(char *const *texts, size_t n, int *levels, size_t *n_levels) {
  rx_names *names;
  ptrdiff_t before;

  *n_levels = 0;
  rx_status status = rx_names_create(&names);
  for (size_t i = 0; i < n && !status; i++) {
    levels[i] = -1;
    if (!*texts[i]) continue;
    status = rx_names_add(names, texts[i], (ptrdiff_t)*n_levels, &before);
    levels[i] = before < 0 ? (int)(*n_levels)++ : (int)before;
  }
  rx_names_destroy(&names);
  return status;
}

/* A column as it is tested: levels, or values when n_levels is 0. */
typedef struct {
  const char *name;
  size_t n, n_levels, n_there;
  bool is_table;
  int *levels;    /* [n] */
  double *values; /* [n] */
} trait;

static rx_status read_trait(const rx_column *column, size_t n, trait *t) {
  rx_status status = RX_OK;

  t->name = column->name;
  t->n_there = 0;
  if (column->kind == RX_TEXT) {
    t->is_table = true;
    status = level_texts(column->text, n, t->levels, &t->n_levels);
    for (size_t i = 0; i < n; i++) t->n_there += t->levels[i] >= 0;
    return status;
  }
  for (size_t i = 0; i < n; i++) {
    t->values[i] = number_of(column, i);
    t->n_there += isfinite(t->values[i]);
  }
  t->n_levels = level_numbers(t->values, n, t->levels);
  t->is_table = t->n_levels <= MOST_LEVELS_OF_NUMBERS;
  return status;
}

static rx_status create_trait(size_t n, trait *t) {
  *t = (trait){.n = n};
  rx_status status = RX_NEW(&t->levels, "clinical columns", n);
  if (!status) status = RX_NEW(&t->values, "clinical columns", n);
  return status;
}

static void destroy_trait(trait *t) {
  free(t->levels);
  free(t->values);
}

/* ---- the frame of results ---- */

static const char *const result_names[N_RESULTS] = {"n", "levels", "statistic", "df",     "p",
                                                    "q", "rand",   "anova_f",   "anova_p"};
typedef enum { N, LEVELS, STATISTIC, DF, P, Q, RAND, ANOVA_F, ANOVA_P } result_column;

static rx_status create_frame(size_t n, rx_frame **out) {
  rx_column *column;

  RX_TRY(rx_frame_create(n, out));
  RX_TRY(rx_frame_add(*out, "test", RX_TEXT, NULL));
  for (int k = 0; k < N_RESULTS; k++) {
    RX_TRY(rx_frame_add(*out, result_names[k], RX_REAL, &column));
    for (size_t row = 0; row < n; row++) column->real[row] = NAN;
  }
  return RX_OK;
}

static double *result(const rx_frame *frame, result_column column) {
  return rx_frame_find(frame, result_names[column])->real;
}

static void set_test(rx_frame *frame, size_t row, const rx_test *test) {
  result(frame, STATISTIC)[row] = test->statistic;
  result(frame, DF)[row] = test->df ? (double)test->df : NAN;
  result(frame, P)[row] = test->p;
}

static rx_status test_table(const trait *t, const int *labels, rx_frame *frame, size_t row,
                            const char **name) {
  rx_test chi_square, fisher;

  RX_TRY(rx_compare_rand(labels, t->levels, t->n, &result(frame, RAND)[row]));
  RX_TRY(rx_compare_chi_square(labels, t->levels, t->n, &chi_square));
  RX_TRY(rx_compare_fisher(labels, t->levels, t->n, &fisher));
  set_test(frame, row, &chi_square);
  if (isnan(chi_square.p)) *name = "constant";
  if (!isnan(chi_square.p)) *name = isnan(fisher.p) ? "chi-square" : "fisher";
  if (!isnan(fisher.p)) result(frame, P)[row] = fisher.p;
  return RX_OK;
}

static rx_status test_numbers(const trait *t, const int *labels, rx_frame *frame, size_t row,
                              const char **name) {
  rx_test kruskal, anova;

  RX_TRY(rx_compare_kruskal(labels, t->values, t->n, &kruskal));
  RX_TRY(rx_compare_anova(labels, t->values, t->n, &anova));
  set_test(frame, row, &kruskal);
  result(frame, ANOVA_F)[row] = anova.statistic;
  result(frame, ANOVA_P)[row] = anova.p;
  *name = isnan(kruskal.p) ? "constant" : "kruskal-wallis";
  return RX_OK;
}

/* A text that is another one for nearly every patient is a name. */
static rx_status test_trait(const trait *t, const int *labels, rx_frame *frame, size_t row) {
  const char *name = "constant";

  result(frame, N)[row] = (double)t->n_there;
  if (t->is_table) result(frame, LEVELS)[row] = (double)t->n_levels;
  if (!t->n_there)
    name = "missing";
  else if (t->is_table && 2 * t->n_levels > t->n_there && t->n_levels > 2)
    name = "too many levels";
  else if (t->is_table)
    RX_TRY(test_table(t, labels, frame, row, &name));
  else
    RX_TRY(test_numbers(t, labels, frame, row, &name));
  return rx_frame_set_text(frame, rx_frame_find(frame, "test"), row, name);
}

/* Benjamini and Hochberg over the columns that could be tested: by definition, they are few. */
static void adjust(rx_frame *frame) {
  const double *p = result(frame, P);
  double *q = result(frame, Q), n_tested = 0;

  for (size_t i = 0; i < frame->n_rows; i++) n_tested += !isnan(p[i]);
  for (size_t i = 0; i < frame->n_rows; i++) {
    if (isnan(p[i])) continue;
    q[i] = 1;
    for (size_t j = 0; j < frame->n_rows; j++) { /* the least p_j m / rank_j over p_j >= p_i */
      double rank = 0;
      if (!(p[j] >= p[i])) continue;
      for (size_t k = 0; k < frame->n_rows; k++) rank += p[k] <= p[j];
      q[i] = fmin(q[i], p[j] * n_tested / rank);
    }
  }
}

/* ---- columns of slices that belong to patients ---- */

static bool is_same(const rx_column *column, size_t a, size_t b) {
  if (column->kind == RX_TEXT) return !strcmp(column->text[a], column->text[b]);
  double x = number_of(column, a), y = number_of(column, b);
  return (isnan(x) && isnan(y)) || !compare_numbers(&x, &y);
}

/* Finds a slice of each patient; false when the column varies within one. first  [n_patients] */
static bool is_of_patients(const rx_cluster_data *data, const rx_column *column, ptrdiff_t *first) {
  for (size_t i = 0; i < data->n_patients; i++) first[i] = -1;
  for (size_t s = 0; s < data->n_slices; s++) {
    ptrdiff_t *of = &first[data->slice_patient[s]];
    if (*of < 0) *of = (ptrdiff_t)data->slice_row[s];
    if (!is_same(column, (size_t)*of, data->slice_row[s])) return false;
  }
  return true;
}

/* All columns to test, in one frame. */
static rx_status gather_columns(const rx_cluster_data *data, rx_frame **out) {
  const rx_frame *patients = data->patients, *slices = data->slices;
  ptrdiff_t *rows;

  RX_TRY(rx_frame_create(data->n_patients, out));
  RX_TRY(RX_NEW(&rows, "clinical columns", data->n_patients));
  rx_status status = RX_OK;
  for (size_t i = 0; i < data->n_patients; i++) rows[i] = (ptrdiff_t)i;
  for (size_t c = 0; c < patients->n_columns && !status; c++)
    status = rx_frame_copy_column(*out, patients, &patients->columns[c], rows);
  for (size_t c = 0; c < slices->n_columns && !status; c++) {
    const rx_column *column = &slices->columns[c];
    if (!strcmp(column->name, "patient") || rx_frame_find(*out, column->name)) continue;
    if (is_of_patients(data, column, rows))
      status = rx_frame_copy_column(*out, slices, column, rows);
  }
  free(rows);
  return status;
}

rx_status rx_traits_test(const rx_cluster_data *data, const int *labels, rx_frame **out) {
  rx_frame *columns = NULL;
  trait t = {0};

  *out = NULL;
  rx_status status = gather_columns(data, &columns);
  if (!status) status = create_trait(data->n_patients, &t);
  if (!status) status = create_frame(columns->n_columns, out);
  for (size_t c = 0; !status && c < columns->n_columns; c++) {
    status = rx_frame_name(*out, c, columns->columns[c].name);
    if (!status) status = read_trait(&columns->columns[c], data->n_patients, &t);
    if (!status) status = test_trait(&t, labels, *out, c);
  }
  if (!status) adjust(*out);
  destroy_trait(&t);
  rx_frame_destroy(&columns);
  if (status) rx_frame_destroy(out);
  return status;
}

/* ---- slices ---- */

/* sqrt(chi^2 / (n min(rows - 1, columns - 1))), from the test. */
static double cramers_v(const rx_test *test, size_t n_a, size_t n_b) {
  double least = (double)(n_a < n_b ? n_a : n_b) - 1;

  return least > 0 ? sqrt(test->statistic / ((double)test->n * least)) : NAN;
}

static rx_status compare_column(const trait *t, const int *labels, size_t n_labels, rx_frame *frame,
                                size_t row) {
  rx_test test;

  rx_frame_find(frame, "levels")->real[row] = (double)t->n_levels;
  if (!t->is_table) return RX_OK;
  RX_TRY(rx_compare_rand(labels, t->levels, t->n, &rx_frame_find(frame, "rand")->real[row]));
  RX_TRY(rx_compare_chi_square(labels, t->levels, t->n, &test));
  rx_frame_find(frame, "cramers_v")->real[row] = cramers_v(&test, n_labels, t->n_levels);
  return RX_OK;
}

static rx_status create_comparison(size_t n, rx_frame **out) {
  static const char *const names[] = {"levels", "rand", "cramers_v"};
  rx_column *column;

  RX_TRY(rx_frame_create(n, out));
  for (int k = 0; k < 3; k++) {
    RX_TRY(rx_frame_add(*out, names[k], RX_REAL, &column));
    for (size_t row = 0; row < n; row++) column->real[row] = NAN;
  }
  return RX_OK;
}

rx_status rx_traits_compare_slices(const rx_cluster_data *data, const int *labels, rx_frame **out) {
  const rx_frame *slices = data->slices;
  rx_frame *kept = NULL;
  ptrdiff_t *rows = NULL;
  trait t = {0};
  size_t n_labels = 0;

  *out = NULL;
  rx_status status = RX_NEW(&rows, "slices", data->n_slices);
  if (!status) status = rx_frame_create(data->n_slices, &kept);
  if (!status) status = create_trait(data->n_slices, &t);
  if (!status) status = create_comparison(slices->n_columns, out);
  for (size_t s = 0; s < data->n_slices && !status; s++) {
    rows[s] = (ptrdiff_t)data->slice_row[s];
    if ((size_t)labels[s] >= n_labels) n_labels = (size_t)labels[s] + 1;
  }
  for (size_t c = 0; c < slices->n_columns && !status; c++) {
    status = rx_frame_name(*out, c, slices->columns[c].name);
    if (!status) status = rx_frame_copy_column(kept, slices, &slices->columns[c], rows);
    if (!status) status = read_trait(&kept->columns[c], data->n_slices, &t);
    if (!status) status = compare_column(&t, labels, n_labels, *out, c);
  }
  destroy_trait(&t);
  rx_frame_destroy(&kept);
  free(rows);
  if (status) rx_frame_destroy(out);
  return status;
}
