/* Two files of the same features, each for some of the patients, as one. */
#include <math.h>
#include <stdlib.h>

#include "prediction/feature_file.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

/* Finds the column of each feature in a file; -1: it is not there. */
static rx_status find_columns(const rx_frame *var, const rx_feature_file *file, ptrdiff_t **out) {
  rx_names *names = NULL;
  rx_status status = rx_names_create(&names);

  for (size_t j = 0; j < file->n_features && !status; j++)
    status = rx_names_add(names, file->var->names[j], (ptrdiff_t)j, NULL);
  if (!status) status = RX_NEW(out, "features", var->n_rows);
  for (size_t j = 0; j < var->n_rows && !status; j++)
    (*out)[j] = rx_names_find(names, var->names[j]);
  rx_names_destroy(&names);
  return status;
}

/* Finds the row of each patient of other in one; -1: it is not there. */
static rx_status find_rows(const rx_feature_file *one, const rx_feature_file *other,
                           ptrdiff_t **out) {
  rx_names *names = NULL;
  char key[RX_KEY_SIZE];
  rx_status status = rx_names_create(&names);

  for (size_t r = 0; r < one->n_rows && !status; r++) {
    rx_patient_key(one->patients[r], key);
    status = rx_names_add(names, key, (ptrdiff_t)r, NULL);
  }
  if (!status) status = RX_NEW(out, "patients", other->n_rows);
  for (size_t r = 0; r < other->n_rows && !status; r++) {
    rx_patient_key(other->patients[r], key);
    (*out)[r] = rx_names_find(names, key);
  }
  rx_names_destroy(&names);
  return status;
}

/* Makes the file without its numbers. */
static rx_status begin(const rx_feature_file *other, const rx_frame *var, rx_feature_file **out) {
  RX_TRY(RX_NEW(out, "feature file", 1));
  rx_feature_file *p = *out;
  RX_TRY(rx_copy_text(other->name, &p->name));
  RX_TRY(rx_copy_text(other->path, &p->path));
  RX_TRY(rx_frame_copy(var, &p->var));
  RX_TRY(RX_NEW(&p->patients, "patients", other->n_rows));
  p->n_rows = other->n_rows;
  p->n_features = var->n_rows;
  for (size_t r = 0; r < p->n_rows; r++) RX_TRY(rx_copy_text(other->patients[r], &p->patients[r]));
  return RX_NEW(&p->table, "features", p->n_rows * p->n_features);
}

typedef struct {
  double *x;          /* [n_rows][n_features of the file] */
  ptrdiff_t *columns; /* [features wanted] */
} part;

static rx_status read_part(MPI_Comm comm, const rx_feature_file *file, const rx_frame *var,
                           part *p) {
  rx_status status = find_columns(var, file, &p->columns);

  if (!status) status = RX_NEW(&p->x, "features", file->n_rows * file->n_features);
  RX_TRY(RX_AGREE(comm, status));
  return rx_feature_file_read(file, 0, file->n_rows, p->x);
}

/* A feature that one lacks was not learned, and is missing for all. */
static void fill(const part *one, size_t n_one, const part *other, size_t n_other,
                 const ptrdiff_t *rows, rx_feature_file *out) {
  for (size_t r = 0; r < out->n_rows; r++)
    for (size_t j = 0; j < out->n_features; j++) {
      double *x = &out->table[r * out->n_features + j];
      *x = NAN;
      if (one->columns[j] < 0) continue;
      if (rows[r] >= 0)
        *x = one->x[(size_t)rows[r] * n_one + (size_t)one->columns[j]];
      else if (other->columns[j] >= 0)
        *x = other->x[r * n_other + (size_t)other->columns[j]];
    }
}

rx_status rx_feature_file_join(MPI_Comm comm, const rx_feature_file *one,
                               const rx_feature_file *other, const rx_frame *var,
                               rx_feature_file **out) {
  part parts[2] = {{NULL, NULL}, {NULL, NULL}};
  ptrdiff_t *rows = NULL;
  rx_status status = begin(other, var, out);

  if (!status) status = find_rows(one, other, &rows);
  status = RX_AGREE(comm, status);
  if (!status) status = read_part(comm, one, var, &parts[0]);
  if (!status) status = read_part(comm, other, var, &parts[1]);
  if (!status) fill(&parts[0], one->n_features, &parts[1], other->n_features, rows, *out);
  for (int i = 0; i < 2; i++) {
    free(parts[i].x);
    free(parts[i].columns);
  }
  free(rows);
  if (status) rx_feature_file_destroy(out);
  return status;
}
