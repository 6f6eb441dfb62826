#include "prediction/folds.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/text.h"

/* ---- dealing ---- */

typedef struct {
  size_t n;
  int n_labels, n_folds;
  const unsigned char *labels; /* [n_labels][n] */
  const double *share;         /* [n_folds], or NULL */
  int64_t *order;              /* [n_open], the units in random order */
  size_t n_open;
  unsigned char *is_dealt; /* [n] */
  size_t *remaining;       /* [n_labels], units of the label not yet dealt */
  double *lacks;           /* [n_labels + 1][n_folds]; the last row: units of any kind */
  rx_random *random;
  int *fold;
} dealer;

static void destroy_dealer(dealer *d) {
  free(d->order);
  free(d->is_dealt);
  free(d->remaining);
  free(d->lacks);
}

static rx_status create_dealer(dealer *d) {
  size_t n_labels = (size_t)d->n_labels;
  rx_status status = RX_NEW(&d->order, "folds", d->n);

  if (!status) status = RX_NEW(&d->is_dealt, "folds", d->n);
  if (!status) status = RX_NEW(&d->remaining, "folds", n_labels);
  if (!status) status = RX_NEW(&d->lacks, "folds", (n_labels + 1) * (size_t)d->n_folds);
  if (status) return status;
  for (size_t i = 0; i < d->n; i++) {
    if (d->fold[i] < 0) continue;
    d->order[d->n_open++] = (int64_t)i;
    for (size_t l = 0; l < n_labels; l++) d->remaining[l] += d->labels[l * d->n + i];
  }
  rx_random_shuffle(d->random, d->order, d->n_open);
  for (int f = 0; f < d->n_folds; f++) {
    double share = d->share ? d->share[f] : 1.0 / d->n_folds;
    for (size_t l = 0; l < n_labels; l++)
      d->lacks[l * (size_t)d->n_folds + (size_t)f] = (double)d->remaining[l] * share;
    d->lacks[n_labels * (size_t)d->n_folds + (size_t)f] = (double)d->n_open * share;
  }
  return RX_OK;
}

/* The fold that lacks the label most; among those the one that lacks units most; among those any.
 */
static int choose_fold(const dealer *d, int label) {
  const double *of_label = d->lacks + (size_t)label * (size_t)d->n_folds;
  const double *of_units = d->lacks + (size_t)d->n_labels * (size_t)d->n_folds;
  int best = 0;
  uint32_t n_tied = 1;

  for (int f = 1; f < d->n_folds; f++) {
    double more = of_label[f] - of_label[best], most = of_units[f] - of_units[best];
    if (fabs(more) < 1e-9) more = fabs(most) < 1e-9 ? 0 : most;
    if (more > 0) n_tied = 1;
    if (more == 0) n_tied++;
    if (more > 0 || (more == 0 && rx_random_below(d->random, n_tied) == 0)) best = f;
  }
  return best;
}

static void deal_unit(dealer *d, size_t i, int label) {
  int f = choose_fold(d, label);

  d->fold[i] = f;
  d->is_dealt[i] = 1;
  d->lacks[(size_t)d->n_labels * (size_t)d->n_folds + (size_t)f]--;
  for (size_t l = 0; l < (size_t)d->n_labels; l++) {
    if (!d->labels[l * d->n + i]) continue;
    d->remaining[l]--;
    d->lacks[l * (size_t)d->n_folds + (size_t)f]--;
  }
}

rx_status rx_folds_deal(size_t n, int n_labels, const unsigned char *labels, int n_folds,
                        const double *share, rx_random *random, int *fold) {
  dealer d = {.n = n,
              .n_labels = n_labels,
              .n_folds = n_folds,
              .labels = labels,
              .share = share,
              .random = random,
              .fold = fold};
  rx_status status = create_dealer(&d);

  for (bool is_done = false; !status && !is_done;) {
    int rarest = n_labels; /* the last pass: units without a label */
    for (int l = 0; l < n_labels; l++)
      if (d.remaining[l] && (rarest == n_labels || d.remaining[l] < d.remaining[rarest]))
        rarest = l;
    for (size_t k = 0; k < d.n_open; k++) {
      size_t i = (size_t)d.order[k];
      if (d.is_dealt[i]) continue;
      if (rarest == n_labels || labels[(size_t)rarest * n + i]) deal_unit(&d, i, rarest);
    }
    is_done = rarest == n_labels;
  }
  destroy_dealer(&d);
  return status;
}

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* How many of sorted are below value. */
static size_t count_below(const double *sorted, size_t n, double value) {
  size_t low = 0, high = n;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (sorted[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static rx_status label_numbers(size_t n, const double *y, unsigned char *labels) {
  double *sorted;
  size_t known = 0;

  RX_TRY(RX_NEW(&sorted, "folds", n));
  for (size_t i = 0; i < n; i++)
    if (!isnan(y[i])) sorted[known++] = y[i];
  qsort(sorted, known, sizeof *sorted, compare_numbers);
  for (size_t i = 0; i < n; i++) {
    size_t bin = known ? count_below(sorted, known, y[i]) * RX_FOLD_LABELS / known : 0;
    for (size_t l = 0; l < RX_FOLD_LABELS; l++) labels[l * n + i] = !isnan(y[i]) && bin == l;
  }
  free(sorted);
  return RX_OK;
}

rx_status rx_folds_label(size_t n, const double *y, bool is_binary, unsigned char *labels,
                         int *n_labels) {
  if (!is_binary) {
    *n_labels += RX_FOLD_LABELS;
    return label_numbers(n, y, labels);
  }
  for (size_t i = 0; i < n; i++) {
    labels[i] = y[i] > 0.5;
    labels[n + i] = y[i] <= 0.5; /* a missing outcome is neither */
  }
  *n_labels += 2;
  return RX_OK;
}

/* ---- the folds of a run ---- */

rx_status rx_folds_create(int n_repeats, int n_folds, size_t n_patients, rx_folds **out) {
  rx_status status = RX_NEW(out, "folds", 1);

  if (status) return status;
  (*out)->n_repeats = n_repeats;
  (*out)->n_folds = n_folds;
  (*out)->n_patients = n_patients;
  status = RX_NEW(&(*out)->fold, "folds", (size_t)n_repeats * n_patients);
  if (status) rx_folds_destroy(out);
  return status;
}

void rx_folds_destroy(rx_folds **folds) {
  if (!*folds) return;
  free((*folds)->fold);
  free(*folds);
  *folds = NULL;
}

static rx_status read_count(const rx_table *table, size_t row, size_t column, int least,
                            int *count) {
  double number;
  const char *cell = rx_table_cell(table, row, column);

  if (!rx_number_read(cell, &number) || number < least || number > 10000 || number != floor(number))
    return RX_FAIL(RX_ERR_INPUT,
                   "%s:%lld: expected a whole number from %d in column %s, found '%s'", table->path,
                   (long long)rx_table_line(table, row), least, rx_table_name(table, column), cell);
  *count = (int)number;
  return RX_OK;
}

typedef struct {
  size_t patient, repeat, fold; /* columns */
} fold_columns;

static rx_status find_columns(const rx_table *table, fold_columns *c, int *n_repeats,
                              int *n_folds) {
  int count, least = 1;

  RX_TRY(rx_table_need(table, "patient", &c->patient));
  RX_TRY(rx_table_need(table, "repeat", &c->repeat));
  RX_TRY(rx_table_need(table, "fold", &c->fold));
  *n_repeats = *n_folds = 0;
  for (size_t r = 0; r < table->n_rows; r++) {
    RX_TRY(read_count(table, r, c->repeat, 1, &count));
    if (count > *n_repeats) *n_repeats = count;
    RX_TRY(read_count(table, r, c->fold, 0, &count));
    if (count > *n_folds) *n_folds = count;
    if (count < least) least = count;
  }
  if (*n_folds < (least ? 2 : 1))
    return RX_FAIL(RX_ERR_INPUT,
                   "%s: expected at least 2 folds, or fold 1 and patients who always train (0), "
                   "found %d",
                   table->path, *n_folds);
  return RX_OK;
}

static rx_status read_rows(const rx_table *table, const fold_columns *c, const rx_names *names,
                           rx_folds *folds) {
  char key[RX_KEY_SIZE];
  size_t n_known = 0;

  for (size_t r = 0; r < table->n_rows; r++) {
    int repeat = 0, fold = 0;
    RX_TRY(read_count(table, r, c->repeat, 1, &repeat));
    RX_TRY(read_count(table, r, c->fold, 0, &fold));
    rx_patient_key(rx_table_cell(table, r, c->patient), key);
    ptrdiff_t i = rx_names_find(names, key);
    if (i < 0) continue;
    int *at = folds->fold + (size_t)(repeat - 1) * folds->n_patients + i;
    if (*at >= 0)
      return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected one fold of '%s' in repeat %d, found another",
                     table->path, (long long)rx_table_line(table, r),
                     rx_table_cell(table, r, c->patient), repeat);
    *at = fold ? fold - 1 : folds->n_folds;
    n_known++;
  }
  if (n_known) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s: expected patients of the study, found none of %zu", table->path,
                 folds->n_patients);
}

static rx_status check_repeats(const rx_table *table, const rx_folds *folds,
                               char *const *patients) {
  for (size_t i = 0; i < folds->n_patients; i++)
    for (int r = 1; r < folds->n_repeats; r++)
      if ((folds->fold[i] < 0) != (folds->fold[(size_t)r * folds->n_patients + i] < 0))
        return RX_FAIL(RX_ERR_INPUT, "%s: expected '%s' in all %d repeats, found it in some",
                       table->path, patients[i], folds->n_repeats);
  return RX_OK;
}

rx_status rx_folds_read(const rx_table *table, size_t n_patients, char *const *patients,
                        rx_folds **out) {
  fold_columns columns;
  int n_repeats, n_folds;
  rx_names *names = NULL;
  char key[RX_KEY_SIZE];

  *out = NULL;
  RX_TRY(find_columns(table, &columns, &n_repeats, &n_folds));
  rx_status status = rx_names_create(&names);
  for (size_t i = 0; i < n_patients && !status; i++) {
    rx_patient_key(patients[i], key);
    status = rx_names_add(names, key, (ptrdiff_t)i, NULL);
  }
  if (!status) status = rx_folds_create(n_repeats, n_folds, n_patients, out);
  if (!status) {
    for (size_t i = 0; i < (size_t)n_repeats * n_patients; i++) (*out)->fold[i] = -1;
    status = read_rows(table, &columns, names, *out);
  }
  if (!status) status = check_repeats(table, *out, patients);
  rx_names_destroy(&names);
  if (status) rx_folds_destroy(out);
  return status;
}

rx_status rx_folds_write(const rx_folds *folds, char *const *patients, const char *path) {
  FILE *file;

  RX_TRY(rx_output_open(path, &file));
  fprintf(file, "patient\trepeat\tfold\n");
  for (int r = 0; r < folds->n_repeats; r++)
    for (size_t i = 0; i < folds->n_patients; i++) {
      int fold = folds->fold[(size_t)r * folds->n_patients + i];
      if (fold >= 0)
        fprintf(file, "%s\t%d\t%d\n", patients[i], r + 1, fold < folds->n_folds ? fold + 1 : 0);
    }
  return rx_output_close(path, &file, RX_OK);
}
