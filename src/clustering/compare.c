/* Labels against labels and values: contingency tables and rank tests. */
#define MATHLIB_STANDALONE 1
#include <Rmath.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { MOST_TABLES = 5000000 };

/* A contingency table; rows and columns that are empty are left out. */
typedef struct {
  size_t n_rows, n_columns;
  int64_t n;
  int64_t *counts;         /* [n_rows][n_columns] */
  int64_t *rows, *columns; /* totals */
} contingency;

static void destroy_table(contingency *table) {
  free(table->counts);
  free(table->rows);
  free(table->columns);
}

static size_t count_labels(const int *labels, size_t n) {
  int most = -1;

  for (size_t i = 0; i < n; i++)
    if (labels[i] > most) most = labels[i];
  return (size_t)(most + 1);
}

/* Moves the kept rows and columns together; returns how many totals are not 0. */
static size_t pack(int64_t *totals, size_t n, size_t *place) {
  size_t kept = 0;

  for (size_t i = 0; i < n; i++) {
    place[i] = kept;
    if (totals[i]) totals[kept++] = totals[i];
  }
  return kept;
}

static void count_cells(const int *a, const int *b, size_t n, const size_t *place_a,
                        const size_t *place_b, contingency *table) {
  for (size_t i = 0; i < n; i++)
    if (a[i] >= 0 && b[i] >= 0) table->counts[place_a[a[i]] * table->n_columns + place_b[b[i]]]++;
}

static rx_status make_table(const int *a, const int *b, size_t n, contingency *table) {
  size_t n_a = count_labels(a, n), n_b = count_labels(b, n), *place = NULL;

  *table = (contingency){0};
  rx_status status = RX_NEW(&table->rows, "table", n_a);
  if (!status) status = RX_NEW(&table->columns, "table", n_b);
  if (!status) status = RX_NEW(&place, "table", n_a + n_b);
  if (!status) {
    for (size_t i = 0; i < n; i++)
      if (a[i] >= 0 && b[i] >= 0) {
        table->rows[a[i]]++;
        table->columns[b[i]]++;
        table->n++;
      }
    table->n_rows = pack(table->rows, n_a, place);
    table->n_columns = pack(table->columns, n_b, place + n_a);
    status = RX_NEW(&table->counts, "table", table->n_rows * table->n_columns);
  }
  if (!status) count_cells(a, b, n, place, place + n_a, table);
  free(place);
  if (status) destroy_table(table);
  return status;
}

static double pairs(int64_t n) {
  return 0.5 * (double)n * (double)(n - 1);
}

rx_status rx_compare_rand(const int *a, const int *b, size_t n, double *index) {
  contingency table;
  double cells = 0, rows = 0, columns = 0;

  RX_TRY(make_table(a, b, n, &table));
  for (size_t i = 0; i < table.n_rows * table.n_columns; i++) cells += pairs(table.counts[i]);
  for (size_t i = 0; i < table.n_rows; i++) rows += pairs(table.rows[i]);
  for (size_t j = 0; j < table.n_columns; j++) columns += pairs(table.columns[j]);
  double expected = table.n > 1 ? rows * columns / pairs(table.n) : 0;
  double most = 0.5 * (rows + columns);
  *index = most > expected ? (cells - expected) / (most - expected) : NAN;
  destroy_table(&table);
  return RX_OK;
}

rx_status rx_compare_chi_square(const int *a, const int *b, size_t n, rx_test *test) {
  contingency table;

  RX_TRY(make_table(a, b, n, &table));
  *test = (rx_test){.n = table.n, .statistic = NAN, .p = NAN};
  if (table.n_rows > 1 && table.n_columns > 1) {
    test->statistic = 0;
    test->df = (int64_t)((table.n_rows - 1) * (table.n_columns - 1));
    for (size_t i = 0; i < table.n_rows; i++)
      for (size_t j = 0; j < table.n_columns; j++) {
        double expected = (double)table.rows[i] * (double)table.columns[j] / (double)table.n;
        double d = (double)table.counts[i * table.n_columns + j] - expected;
        test->statistic += d * d / expected;
      }
    test->p = pchisq(test->statistic, (double)test->df, 0, 0);
  }
  destroy_table(&table);
  return RX_OK;
}

/* ---- Fisher ---- */

/* The enumeration: column by column, within a column row by row. */
typedef struct {
  size_t n_rows, n_columns;
  const int64_t *columns; /* [n_columns], totals */
  int64_t *left;          /* [n_rows], what the row can still take */
  const double *log_factorial;
  double limit; /* log of the product of 1/counts! that still counts as "as unlikely" */
  double sum;   /* of exp(log product - limit) over the tables that do */
  int64_t n_tables;
} enumeration;

/* Fills what is left into the last column, and counts the table. */
static void end_table(enumeration *e, double log_product) {
  for (size_t i = 0; i < e->n_rows; i++) log_product -= e->log_factorial[e->left[i]];
  e->n_tables++;
  if (log_product <= e->limit) e->sum += exp(log_product - e->limit);
}

/* Tries all counts of one cell; rest  what the column has still to place. */
static void fill_cell(enumeration *e, size_t column, size_t row, int64_t rest, double log_product) {
  if (e->n_tables > MOST_TABLES) return;
  if (column + 1 == e->n_columns) {
    end_table(e, log_product);
    return;
  }
  if (row + 1 == e->n_rows) {
    if (rest > e->left[row]) return;
    e->left[row] -= rest;
    fill_cell(e, column + 1, 0, e->columns[column + 1], log_product - e->log_factorial[rest]);
    e->left[row] += rest;
    return;
  }
  int64_t room = 0, most = rest < e->left[row] ? rest : e->left[row];
  for (size_t i = row + 1; i < e->n_rows; i++) room += e->left[i];
  int64_t before = e->left[row];
  for (int64_t count = rest > room ? rest - room : 0; count <= most; count++) {
    e->left[row] = before - count;
    fill_cell(e, column, row + 1, rest - count, log_product - e->log_factorial[count]);
  }
  e->left[row] = before;
}

/* Fisher's p of a table whose columns are the shorter side. */
static rx_status enumerate(const contingency *table, double *p) {
  double *log_factorial, seen = 0, constant;
  enumeration e = {.n_rows = table->n_rows, .n_columns = table->n_columns};

  RX_TRY(RX_NEW(&log_factorial, "table", table->n + 1));
  rx_status status = RX_NEW(&e.left, "table", table->n_rows);
  if (status) {
    free(log_factorial);
    return status;
  }
  for (int64_t i = 2; i <= table->n; i++) log_factorial[i] = lgamma((double)i + 1);
  constant = -log_factorial[table->n];
  for (size_t i = 0; i < table->n_rows; i++) {
    e.left[i] = table->rows[i];
    constant += log_factorial[table->rows[i]];
  }
  for (size_t j = 0; j < table->n_columns; j++) constant += log_factorial[table->columns[j]];
  for (size_t i = 0; i < table->n_rows * table->n_columns; i++)
    seen -= log_factorial[table->counts[i]];
  e.columns = table->columns;
  e.log_factorial = log_factorial;
  e.limit = seen + 1e-7; /* as R: a relative error of 1e-7 makes no table less likely */
  fill_cell(&e, 0, 0, e.columns[0], 0);
  *p = e.n_tables > MOST_TABLES ? NAN : fmin(1, e.sum * exp(e.limit + constant));
  free(e.left);
  free(log_factorial);
  return RX_OK;
}

rx_status rx_compare_fisher(const int *a, const int *b, size_t n, rx_test *test) {
  contingency table;

  RX_TRY(make_table(a, b, n, &table));
  if (table.n_columns > table.n_rows) {
    destroy_table(&table);
    RX_TRY(make_table(b, a, n, &table));
  }
  *test = (rx_test){.n = table.n, .statistic = NAN, .p = NAN};
  rx_status status = RX_OK;
  if (table.n_columns > 1) status = enumerate(&table, &test->p);
  destroy_table(&table);
  return status;
}

/* ---- values ---- */

typedef struct {
  double value;
  int label;
} labelled;

static int compare_values(const void *left, const void *right) {
  const labelled *a = left, *b = right;

  return (a->value > b->value) - (a->value < b->value);
}

/* Gathers the labelled values that are there, in rising order. */
static rx_status gather(const int *labels, const double *values, size_t n, labelled **items,
                        size_t *n_items) {
  RX_TRY(RX_NEW(items, "values", n));
  *n_items = 0;
  for (size_t i = 0; i < n; i++)
    if (labels[i] >= 0 && isfinite(values[i]))
      (*items)[(*n_items)++] = (labelled){values[i], labels[i]};
  qsort(*items, *n_items, sizeof **items, compare_values);
  return RX_OK;
}

/* Replaces values by ranks, the mean rank among ties; returns the sum of t^3 - t over ties. */
static double rank_values(labelled *items, size_t n) {
  double ties = 0;

  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && items[end].value <= items[i].value;) end++;
    double t = (double)(end - i), rank = 0.5 * ((double)i + 1 + (double)end);
    for (size_t j = i; j < end; j++) items[j].value = rank;
    ties += t * t * t - t;
  }
  return ties;
}

/* Sums of the values of each label. */
typedef struct {
  size_t n_labels, n_used;
  double *sum, *count; /* [n_labels] */
} group_sums;

static rx_status sum_groups(const labelled *items, size_t n, group_sums *groups) {
  *groups = (group_sums){0};
  for (size_t i = 0; i < n; i++)
    if ((size_t)items[i].label >= groups->n_labels) groups->n_labels = (size_t)items[i].label + 1;
  RX_TRY(RX_NEW(&groups->sum, "groups", 2 * groups->n_labels));
  groups->count = groups->sum + groups->n_labels;
  for (size_t i = 0; i < n; i++) {
    groups->sum[items[i].label] += items[i].value;
    groups->count[items[i].label]++;
  }
  for (size_t k = 0; k < groups->n_labels; k++) groups->n_used += groups->count[k] > 0;
  return RX_OK;
}

/* Sum over groups of n_k (mean_k - centre)^2. */
static double between_groups(const group_sums *groups, double centre) {
  double sum = 0;

  for (size_t k = 0; k < groups->n_labels; k++)
    if (groups->count[k] > 0) {
      double d = groups->sum[k] / groups->count[k] - centre;
      sum += groups->count[k] * d * d;
    }
  return sum;
}

rx_status rx_compare_kruskal(const int *labels, const double *values, size_t n, rx_test *test) {
  labelled *items;
  group_sums groups;
  size_t m;

  RX_TRY(gather(labels, values, n, &items, &m));
  double ties = rank_values(items, m), count = (double)m;
  rx_status status = sum_groups(items, m, &groups);
  *test = (rx_test){.n = (int64_t)m, .statistic = NAN, .p = NAN};
  if (!status && groups.n_used > 1) {
    double correction = 1 - ties / (count * count * count - count);
    test->df = (int64_t)groups.n_used - 1;
    test->statistic =
        12 / (count * (count + 1)) * between_groups(&groups, 0.5 * (count + 1)) / correction;
    test->p = pchisq(test->statistic, (double)test->df, 0, 0); /* all tied: 0/0, NAN */
  }
  free(groups.sum);
  free(items);
  return status;
}

rx_status rx_compare_anova(const int *labels, const double *values, size_t n, rx_test *test) {
  labelled *items;
  group_sums groups;
  double mean = 0, within = 0;
  size_t m;

  RX_TRY(gather(labels, values, n, &items, &m));
  rx_status status = sum_groups(items, m, &groups);
  *test = (rx_test){.n = (int64_t)m, .statistic = NAN, .p = NAN};
  if (!status && groups.n_used > 1 && m > groups.n_used) {
    for (size_t i = 0; i < m; i++) mean += items[i].value / (double)m;
    for (size_t i = 0; i < m; i++) {
      double d = items[i].value - groups.sum[items[i].label] / groups.count[items[i].label];
      within += d * d;
    }
    test->df = (int64_t)groups.n_used - 1;
    test->df2 = (int64_t)(m - groups.n_used);
    test->statistic =
        between_groups(&groups, mean) / (double)test->df / (within / (double)test->df2);
    test->p = pf(test->statistic, (double)test->df, (double)test->df2, 0, 0);
  }
  free(groups.sum);
  free(items);
  return status;
}
