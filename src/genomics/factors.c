#include "factors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "transpose.h"

static const char *const kind_names[] = {"gene", "signature", "pathway", "table"};
static const char *const fit_names[] = {"none", "cohort", "training"};
static const char *const status_names[] = {"ok", "few_genes", "incomplete"};

const char *rx_factors_status_name(rx_factor_status status) {
  return status_names[status];
}

rx_status rx_factors_create(rx_factors **out) {
  RX_TRY(RX_NEW(out, "factors", 1));
  rx_status status = rx_names_create(&(*out)->patient_places);
  if (!status) status = rx_names_create(&(*out)->factor_places);
  if (status) rx_factors_destroy(out);
  return status;
}

void rx_factors_destroy(rx_factors **factors) {
  rx_factors *f = *factors;

  if (!f) return;
  for (size_t i = 0; i < f->n_patients; i++) free(f->patients[i]);
  for (size_t i = 0; i < f->n_factors; i++) {
    free(f->factors[i].name);
    free(f->factors[i].source);
    free(f->factors[i].missing);
    free(f->factors[i].doubly);
  }
  free(f->patients);
  free(f->factors);
  rx_names_destroy(&f->patient_places);
  rx_names_destroy(&f->factor_places);
  free(f->border);
  free(f->value);
  free(f);
  *factors = NULL;
}

/* Doubles *array, [n] of size bytes each, when it is full. */
static rx_status widen(void **array, size_t n, size_t *room, size_t size) {
  void *wider;

  if (n < *room) return RX_OK;
  *room = *room ? *room * 2 : 256;
  RX_TRY(rx_new(&wider, "factors", *room, size));
  if (n) memcpy(wider, *array, n * size);
  free(*array);
  *array = wider;
  return RX_OK;
}

rx_status rx_factors_add_patients(rx_factors *factors, size_t n, char *const *patients) {
  for (size_t i = 0; i < n; i++) {
    ptrdiff_t before;

    RX_TRY(rx_names_add(factors->patient_places, patients[i], (ptrdiff_t)factors->n_patients,
                        &before));
    if (before >= 0) continue;
    RX_TRY(widen((void **)&factors->patients, factors->n_patients, &factors->patient_room,
                 sizeof *factors->patients));
    RX_TRY(rx_copy_text(patients[i], &factors->patients[factors->n_patients]));
    factors->n_patients++;
  }
  return RX_OK;
}

rx_status rx_factors_add(rx_factors *factors, const char *name, rx_factor_kind kind,
                         const char *source, rx_factor **factor) {
  ptrdiff_t before;

  RX_TRY(rx_names_add(factors->factor_places, name, (ptrdiff_t)factors->n_factors, &before));
  if (before >= 0)
    return RX_FAIL(
        RX_ERR_INPUT,
        "%s: expected factor names that are there once, found %s '%.80s', which is a %s of "
        "%s too",
        source, kind_names[kind], name, kind_names[factors->factors[before].kind],
        factors->factors[before].source);
  RX_TRY(widen((void **)&factors->factors, factors->n_factors, &factors->factor_room,
               sizeof *factors->factors));
  rx_factor *added = &factors->factors[factors->n_factors++];
  *added = (rx_factor){.kind = kind};
  if (factor) *factor = added;
  RX_TRY(rx_copy_text(name, &added->name));
  return rx_copy_text(source, &added->source);
}

/* Adds an item to a list with commas. */
static rx_status append(char **list, const char *item) {
  char *longer;
  size_t size = (*list ? strlen(*list) + 1 : 0) + strlen(item) + 1;

  RX_TRY(RX_NEW(&longer, "list of genes", size));
  snprintf(longer, size, "%s%s%s", *list ? *list : "", *list ? "," : "", item);
  free(*list);
  *list = longer;
  return RX_OK;
}

rx_status rx_factors_miss(rx_factor *factor, const char *gene) {
  return append(&factor->missing, gene);
}

rx_status rx_factors_double(rx_factor *factor, const char *gene) {
  return append(&factor->doubly, gene);
}

rx_status rx_factors_allocate(const rx_job *job, rx_factors *factors) {
  rx_status status = RX_NEW(&factors->border, "patients of ranks", job->n_ranks + 1);

  if (!status) {
    rx_transpose_partition(factors->n_patients, job->n_ranks, factors->border);
    size_t own = factors->border[job->rank + 1] - factors->border[job->rank];
    status = RX_NEW(&factors->value, "factors", own * factors->n_factors);
    for (size_t i = 0; !status && i < own * factors->n_factors; i++) factors->value[i] = NAN;
  }
  return RX_AGREE(job->comm, status);
}

/* Columns with a place for every patient of the result, by [column][patient of the result]. */
static rx_status spread_out(const rx_factors *factors, const double *value, size_t n_columns,
                            size_t n_patients, char *const *patients, double **wide) {
  RX_TRY(RX_NEW(wide, "factors by patient", n_columns * factors->n_patients));
  for (size_t i = 0; i < n_columns * factors->n_patients; i++) (*wide)[i] = NAN;
  for (size_t patient = 0; patient < n_patients; patient++) {
    size_t place = (size_t)rx_names_find(factors->patient_places, patients[patient]);

    for (size_t column = 0; column < n_columns; column++)
      (*wide)[column * factors->n_patients + place] = value[column * n_patients + patient];
  }
  return RX_OK;
}

rx_status rx_factors_put(const rx_job *job, rx_factors *factors, const double *value,
                         const size_t *border, size_t n_patients, char *const *patients,
                         const size_t *column) {
  double *wide = NULL, *turned = NULL;
  size_t n_columns = border[job->n_ranks];
  size_t own = factors->border[job->rank + 1] - factors->border[job->rank];

  rx_status status = spread_out(factors, value, border[job->rank + 1] - border[job->rank],
                                n_patients, patients, &wide);
  if (!status) status = RX_NEW(&turned, "factors by patient", own * n_columns);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  status = rx_transpose(job->comm, wide, border, factors->n_patients, factors->border, turned,
                        n_columns);
  for (size_t row = 0; !status && row < own; row++)
    for (size_t i = 0; i < n_columns; i++)
      factors->value[row * factors->n_factors + column[i]] = turned[row * n_columns + i];
done:
  free(wide);
  free(turned);
  return status;
}

static rx_status write_lines(const rx_factors *factors, const char *path) {
  FILE *file = NULL;

  RX_TRY(rx_output_open(path, &file));
  fprintf(file,
          "factor\tkind\tsource\tn_genes\tn_matched\tfitted_on\tstatus\tmissing\tambiguous\n");
  for (size_t i = 0; i < factors->n_factors; i++) {
    const rx_factor *f = &factors->factors[i];

    fprintf(file, "%s\t%s\t%s\t%lld\t%lld\t%s\t%s\t%s\t%s\n", f->name, kind_names[f->kind],
            rx_path_name(f->source), (long long)f->n_genes, (long long)f->n_matched,
            fit_names[f->fitted_on], status_names[f->status], f->missing ? f->missing : "",
            f->doubly ? f->doubly : "");
  }
  return rx_output_close(path, &file, RX_OK);
}

rx_status rx_factors_write_report(const rx_job *job, const rx_factors *factors, const char *path) {
  return RX_AGREE(job->comm, job->rank == 0 ? write_lines(factors, path) : RX_OK);
}

static rx_status fill_text(const rx_factors *factors, rx_frame *frame, const char *name,
                           const char *(*text_of)(const rx_factor *)) {
  rx_column *column;

  RX_TRY(rx_frame_add(frame, name, RX_TEXT, &column));
  for (size_t i = 0; i < factors->n_factors; i++)
    RX_TRY(rx_frame_set_text(frame, column, i, text_of(&factors->factors[i])));
  return RX_OK;
}

static const char *kind_of(const rx_factor *factor) {
  return kind_names[factor->kind];
}

static const char *source_of(const rx_factor *factor) {
  return rx_path_name(factor->source);
}

static const char *fit_of(const rx_factor *factor) {
  return fit_names[factor->fitted_on];
}

static const char *status_of(const rx_factor *factor) {
  return status_names[factor->status];
}

static rx_status fill_frame(const rx_factors *factors, rx_frame *frame) {
  rx_column *column;

  for (size_t i = 0; i < factors->n_factors; i++)
    RX_TRY(rx_frame_name(frame, i, factors->factors[i].name));
  RX_TRY(fill_text(factors, frame, "kind", kind_of));
  RX_TRY(fill_text(factors, frame, "source", source_of));
  RX_TRY(rx_frame_add(frame, "n_genes", RX_INTEGER, &column));
  for (size_t i = 0; i < factors->n_factors; i++) column->integer[i] = factors->factors[i].n_genes;
  RX_TRY(rx_frame_add(frame, "n_matched", RX_INTEGER, &column));
  for (size_t i = 0; i < factors->n_factors; i++)
    column->integer[i] = factors->factors[i].n_matched;
  RX_TRY(fill_text(factors, frame, "fitted_on", fit_of));
  return fill_text(factors, frame, "status", status_of);
}

rx_status rx_factors_frame(const rx_factors *factors, rx_frame **out) {
  RX_TRY(rx_frame_create(factors->n_factors, out));
  rx_status status = fill_frame(factors, *out);
  if (status) rx_frame_destroy(out);
  return status;
}
