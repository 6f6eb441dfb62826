#include "image_covariates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { MOST_COLUMNS = 64 };

void rx_image_covariates_destroy(rx_image_covariates **covariates) {
  rx_image_covariates *c = *covariates;

  if (!c) return;
  free(c->is_missing);
  free(c->cross);
  free(c->product);
  free(c->mean);
  free(c->origin);
  free(c->deviation);
  free(c->is_level);
  free(c->covariate);
  free(c);
  *covariates = NULL;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The levels of a text in byte order, views into the column. levels  [n_rows] */
static int find_levels(const rx_column *column, size_t n_rows, char **levels) {
  size_t n = 0, n_levels = 0;

  for (size_t r = 0; r < n_rows; r++)
    if (*column->text[r]) levels[n++] = column->text[r];
  qsort(levels, n, sizeof *levels, compare_texts);
  for (size_t i = 0; i < n; i++)
    if (i == 0 || strcmp(levels[i], levels[n_levels - 1])) levels[n_levels++] = levels[i];
  return (int)n_levels;
}

/* Writes one covariate into its columns of value [n_rows][MOST_COLUMNS]; NaN where it is missing.
 * Returns the number of columns, or MOST_COLUMNS + 1 when there is no room. */
static int spread(const rx_column *column, size_t n_rows, int first, char **levels, double *value) {
  const int n = column->kind == RX_TEXT ? find_levels(column, n_rows, levels) : 1;

  if (first + n > MOST_COLUMNS) return MOST_COLUMNS + 1;
  for (size_t r = 0; r < n_rows; r++) {
    double *row = value + r * MOST_COLUMNS + first;
    if (column->kind == RX_REAL) row[0] = isfinite(column->real[r]) ? column->real[r] : (double)NAN;
    if (column->kind == RX_INTEGER) row[0] = (double)column->integer[r];
    if (column->kind != RX_TEXT) continue;
    for (int level = 0; level < n; level++)
      row[level] = !*column->text[r] ? (double)NAN : !strcmp(column->text[r], levels[level]);
  }
  return n;
}

/* All covariates side by side. value [n_rows][MOST_COLUMNS] */
static rx_status take_columns(const rx_frame *slices, const rx_list *names, const char *path,
                              double *value, rx_image_covariates *c) {
  char **levels = NULL;

  RX_TRY(RX_NEW(&levels, "associate: levels", slices->n_rows));
  rx_status status = RX_OK;
  for (int k = 0; k < names->n && !status; k++) {
    const rx_column *column = rx_frame_find(slices, names->items[k]);
    if (!column) {
      status = RX_FAIL(RX_ERR_CONFIG,
                       "association.image_covariates: expected a column of the slices of %.500s, "
                       "found '%.80s'",
                       path, names->items[k]);
      break;
    }
    int n = spread(column, slices->n_rows, c->n_columns, levels, value);
    if (n > MOST_COLUMNS) {
      status = RX_FAIL(RX_ERR_CONFIG,
                       "association.image_covariates: expected at most %d numbers and levels, "
                       "found more at '%.80s'",
                       MOST_COLUMNS, names->items[k]);
      break;
    }
    for (int i = 0; i < n; i++) {
      c->covariate[c->n_columns] = k;
      c->is_level[c->n_columns++] = column->kind == RX_TEXT;
    }
  }
  free(levels);
  return status;
}

/* Means and products, row by row (Welford 1962), and each row's deviation from the mean before it.
 */
static void sum_rows(const double *value, const size_t *patient, double *seen,
                     rx_image_covariates *c) {
  const size_t k = (size_t)c->n_columns;
  double *origin = c->origin;

  for (size_t i = 0; i < k; i++)
    for (size_t r = c->n_rows; r-- > 0;)
      if (!isnan(value[r * MOST_COLUMNS + i])) origin[i] = value[r * MOST_COLUMNS + i];
  for (size_t r = 0; r < c->n_rows; r++) {
    const double *row = value + r * MOST_COLUMNS;
    double *deviation = c->deviation + r * k, *mean = c->mean + patient[r] * k;
    double *product = c->product + patient[r] * k * k, n = ++seen[patient[r]];
    for (size_t i = 0; i < k; i++) {
      if (isnan(row[i])) c->is_missing[patient[r]] = 1;
      deviation[i] = isnan(row[i]) ? 0 : row[i] - origin[i] - mean[i];
      mean[i] += deviation[i] / n;
    }
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j <= i; j++) {
        product[i * k + j] += deviation[i] * deviation[j] * (n - 1) / n;
        product[j * k + i] = product[i * k + j];
      }
  }
}

static rx_status allocate(size_t n_rows, size_t n_patients, size_t n_features,
                          rx_image_covariates *c) {
  const size_t k = (size_t)c->n_columns;

  c->n_rows = n_rows;
  c->n_patients = n_patients;
  RX_TRY(RX_NEW(&c->deviation, "associate: image covariates", n_rows * k));
  RX_TRY(RX_NEW(&c->origin, "associate: image covariates", k));
  RX_TRY(RX_NEW(&c->mean, "associate: image covariates", n_patients * k));
  RX_TRY(RX_NEW(&c->product, "associate: image covariates", n_patients * k * k));
  RX_TRY(RX_NEW(&c->cross, "associate: image covariates", n_patients * k * n_features));
  return RX_NEW(&c->is_missing, "associate: image covariates", n_patients);
}

rx_status rx_image_covariates_create(const rx_frame *slices, const rx_list *names, const char *path,
                                     const size_t *patient, size_t n_patients, size_t n_features,
                                     rx_image_covariates **out) {
  double *value = NULL, *seen = NULL;
  rx_status status;

  RX_TRY(RX_NEW(out, "associate: image covariates", 1));
  rx_image_covariates *c = *out;
  if ((status = RX_NEW(&c->covariate, "associate: image covariates", MOST_COLUMNS))) goto done;
  if ((status = RX_NEW(&c->is_level, "associate: image covariates", MOST_COLUMNS))) goto done;
  if ((status = RX_NEW(&seen, "associate: image covariates", n_patients))) goto done;
  status = RX_NEW(&value, "associate: image covariates", slices->n_rows * MOST_COLUMNS);
  if (status) goto done;
  if ((status = take_columns(slices, names, path, value, c))) goto done;
  if ((status = allocate(slices->n_rows, n_patients, n_features, c))) goto done;
  sum_rows(value, patient, seen, c);
done:
  free(value);
  free(seen);
  if (status) rx_image_covariates_destroy(out);
  return status;
}

void rx_image_covariates_add(int n_columns, const double *deviation, size_t n_features,
                             const double *value, double *cross) {
  for (int k = 0; k < n_columns; k++) {
    double *to = cross + (size_t)k * n_features;
    if (deviation[k] == 0) continue;
    for (size_t f = 0; f < n_features; f++) to[f] += deviation[k] * value[f];
  }
}

rx_status rx_image_covariates_share(MPI_Comm comm, size_t n_patients, size_t n_features,
                                    rx_image_covariates **covariates) {
  int rank, n_columns = *covariates ? (*covariates)->n_columns : 0;
  rx_status status = RX_OK;

  MPI_Comm_rank(comm, &rank);
  MPI_Bcast(&n_columns, 1, MPI_INT, 0, comm);
  if (rank) {
    status = RX_NEW(covariates, "associate: image covariates", 1);
    if (!status) status = RX_NEW(&(*covariates)->covariate, "image covariates", MOST_COLUMNS);
    if (!status) status = RX_NEW(&(*covariates)->is_level, "image covariates", MOST_COLUMNS);
    if (!status) {
      (*covariates)->n_columns = n_columns;
      status = allocate(0, n_patients, n_features, *covariates);
    }
  }
  RX_TRY(RX_AGREE(comm, status));
  rx_image_covariates *c = *covariates; /* rank 0 came with its own */
  const size_t k = (size_t)n_columns, size = n_patients * sizeof(double);
  rx_broadcast_bytes(comm, c->covariate, k * sizeof *c->covariate); /* NOLINT(*NullDereference) */
  rx_broadcast_bytes(comm, c->is_level, k * sizeof *c->is_level);
  rx_broadcast_bytes(comm, c->is_missing, n_patients);
  rx_broadcast_bytes(comm, c->origin, k * sizeof *c->origin);
  rx_broadcast_bytes(comm, c->mean, k * size);
  rx_broadcast_bytes(comm, c->product, k * k * size);
  rx_broadcast_bytes(comm, c->cross, k * n_features * size);
  return RX_OK;
}
