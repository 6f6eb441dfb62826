#include "design.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"

void rx_design_destroy(rx_design **design) {
  rx_design *d = *design;

  if (!d) return;
  free(d->image_product);
  free(d->image_mean);
  free(d->image);
  free(d->columns);
  free(d->rows);
  free(d);
  *design = NULL;
}

/* ---- patient covariates ---- */

/* Marks the levels that some of the members have. */
static void find_levels(const rx_covariate *covariate, size_t n_members, const size_t *member,
                        bool *is_there) {
  memset(is_there, 0, (size_t)covariate->n_levels * sizeof *is_there);
  for (size_t i = 0; i < n_members; i++) is_there[(int)covariate->number[member[i]]] = true;
}

/* Column of the design for each level (-1: the first one, or not there). Returns the next column.
 */
static int number_levels(const rx_covariate *covariate, const bool *is_there, int column,
                         int *column_of) {
  bool is_first = true;

  for (int level = 0; level < covariate->n_levels; level++) {
    column_of[level] = is_there[level] && !is_first ? column++ : -1;
    if (is_there[level]) is_first = false;
  }
  return column;
}

static void fill_patients(const rx_roster *roster, const size_t *member, int *const *column_of,
                          const int *start, rx_design *d) {
  for (size_t i = 0; i < d->n_members; i++)
    for (int k = 0; k < roster->n_covariates; k++) {
      double value = roster->covariates[k].number[member[i]];
      double *row = d->columns + i * (size_t)d->n_columns;
      if (!roster->covariates[k].n_levels)
        row[start[k]] = value;
      else if (column_of[k][(int)value] >= 0)
        row[column_of[k][(int)value]] = 1;
    }
}

/* ---- image covariates ---- */

/* The image covariates of a run as columns of some patients. */
typedef struct {
  const rx_image_covariates *image; /* NULL without */
  const size_t *row;                /* [n_members], patients of image */
  size_t n_members;
} slices;

static double mean_of(const slices *s, size_t i, int column) {
  return s->image->mean[s->row[i] * (size_t)s->image->n_columns + (size_t)column];
}

static double product_of(const slices *s, int a, int b) {
  const size_t k = (size_t)s->image->n_columns;
  double sum = 0;

  for (size_t i = 0; i < s->n_members; i++)
    sum += s->image->product[(s->row[i] * k + (size_t)a) * k + (size_t)b];
  return sum;
}

/* A level that no slice of these patients has: always 0, counted from a slice that had not. */
static bool is_absent(const slices *s, int column) {
  double first = mean_of(s, 0, column), origin = s->image->origin[column];

  if (!s->image->is_level[column] || product_of(s, column, column) > 0) return false;
  for (size_t i = 0; i < s->n_members; i++)
    if (mean_of(s, i, column) != first) return false;
  return first + origin == 0;
}

/* Tells the columns of the patients from those of the slices; the first level that is there is the
 * one the others are compared with. is_inner, is_outer  [image->n_columns] */
static void sort_columns(const slices *s, bool *is_inner, bool *is_outer) {
  for (int c = 0, reference = -1; c < s->image->n_columns; c++) {
    if (is_absent(s, c)) continue;
    if (s->image->is_level[c] && s->image->covariate[c] != reference) {
      reference = s->image->covariate[c];
      continue;
    }
    is_inner[c] = product_of(s, c, c) > 0;
    is_outer[c] = !is_inner[c];
  }
}

static rx_status take_inner(const slices *s, const bool *is_inner, rx_design *d) {
  RX_TRY(RX_NEW(&d->image, "associate: image covariates", s->image->n_columns));
  for (int c = 0; c < s->image->n_columns; c++)
    if (is_inner[c]) d->image[d->n_images++] = c;
  const size_t k = (size_t)d->n_images;
  RX_TRY(RX_NEW(&d->image_mean, "associate: image covariates", d->n_members * k));
  RX_TRY(RX_NEW(&d->image_product, "associate: image covariates", k * k));
  for (size_t a = 0; a < k; a++) {
    for (size_t i = 0; i < d->n_members; i++) d->image_mean[i * k + a] = mean_of(s, i, d->image[a]);
    for (size_t b = 0; b < k; b++)
      d->image_product[a * k + b] = product_of(s, d->image[a], d->image[b]);
  }
  return RX_OK;
}

/* ---- both ---- */

/* Counts the columns of the patients, and makes them. */
static rx_status make_patients(const rx_roster *roster, const size_t *member, const slices *s,
                               const bool *is_outer, rx_design *d) {
  int **column_of = NULL, *start = NULL;
  bool *is_there = NULL;
  rx_status status;

  if ((status = RX_NEW(&column_of, "associate: covariates", roster->n_covariates))) goto done;
  if ((status = RX_NEW(&start, "associate: covariates", roster->n_covariates))) goto done;
  if ((status = RX_NEW(&is_there, "associate: levels", roster->n_patients))) goto done;
  for (int k = 0; k < roster->n_covariates; k++) {
    const rx_covariate *covariate = &roster->covariates[k];
    start[k] = d->n_columns;
    if ((status = RX_NEW(&column_of[k], "associate: levels", covariate->n_levels))) goto done;
    if (covariate->n_levels) {
      find_levels(covariate, d->n_members, member, is_there);
      d->n_columns = number_levels(covariate, is_there, d->n_columns, column_of[k]);
    } else {
      ++d->n_columns;
    }
  }
  for (int c = 0; s->image && c < s->image->n_columns; c++) d->n_outer += is_outer[c];
  d->n_columns += d->n_outer;
  status = RX_NEW(&d->columns, "associate: covariates", d->n_members * (size_t)d->n_columns);
  if (status) goto done;
  fill_patients(roster, member, column_of, start, d);
  for (int c = 0, column = d->n_columns - d->n_outer; s->image && c < s->image->n_columns; c++) {
    if (!is_outer[c]) continue;
    for (size_t i = 0; i < d->n_members; i++)
      d->columns[i * (size_t)d->n_columns + (size_t)column] = mean_of(s, i, c);
    column++;
  }
done:
  for (int k = 0; column_of && k < roster->n_covariates; k++) free(column_of[k]);
  free(column_of);
  free(start);
  free(is_there);
  return status;
}

rx_status rx_design_create(const rx_roster *roster, size_t n_members, const size_t *member,
                           rx_design **out) {
  const rx_image_covariates *image = n_members ? roster->measures->image : NULL;
  bool *is_inner = NULL, *is_outer = NULL;
  size_t *row = NULL;
  rx_status status;

  RX_TRY(RX_NEW(out, "associate: covariates", 1));
  rx_design *d = *out;
  d->n_members = n_members;
  if ((status = RX_NEW(&d->rows, "associate: patients", n_members))) goto done;
  if ((status = RX_NEW(&row, "associate: patients", n_members))) goto done;
  for (size_t i = 0; i < n_members; i++) {
    d->rows[i] = roster->rows[member[i]];
    row[i] = roster->measure[member[i]];
  }
  const slices s = {image, row, n_members};
  if (image) {
    if ((status = RX_NEW(&is_inner, "associate: covariates", image->n_columns))) goto done;
    if ((status = RX_NEW(&is_outer, "associate: covariates", image->n_columns))) goto done;
    sort_columns(&s, is_inner, is_outer);
    if ((status = take_inner(&s, is_inner, d))) goto done;
  }
  status = make_patients(roster, member, &s, is_outer, d);
done:
  free(is_outer);
  free(is_inner);
  free(row);
  if (status) rx_design_destroy(out);
  return status;
}
