/* The union of feature sets: the rows of the first, beside them patient means of the others. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/panel.h"
#include "prediction/patient_means.h"
#include "prediction/shared_rows.h"
#include "prediction/solver.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

/* The other sets' means, in the columns of the union. */
typedef struct {
  double *means; /* [n_patients][n_features of the others] */
  int *has;      /* [n_patients], how many of the others */
  size_t n_other;
} others;

/* Adds the means of a set from column on. Collective. */
static rx_status add_means(MPI_Comm comm, const rx_feature_set *set, size_t column,
                           size_t n_patients, others *o) {
  rx_feature_set means;

  RX_TRY(rx_patient_means_find(comm, set, n_patients, &means));
  for (size_t r = 0; r < means.n_rows; r++) {
    size_t i = (size_t)means.patient[r];
    memcpy(o->means + i * o->n_other + column, means.x + r * set->n_features,
           set->n_features * sizeof *means.x);
    o->has[i]++;
  }
  rx_panel_clear_set(&means);
  return RX_OK;
}

/* Names SET:FEATURE, with channel, row and column of those that have them. */
static rx_status join_frames(const rx_feature_set *sets, int n_sets, rx_feature_set *set) {
  static const char *const places[] = {"channel", "row", "column"};
  char name[512];
  ptrdiff_t *rows;
  size_t at = 0;

  RX_TRY(rx_frame_create(set->n_features, &set->var));
  for (int s = 0; s < n_sets; s++)
    for (size_t j = 0; j < sets[s].n_features; j++, at++) {
      snprintf(name, sizeof name, "%s:%s", sets[s].name, sets[s].var->names[j]);
      RX_TRY(rx_frame_name(set->var, at, name));
    }
  RX_TRY(RX_NEW(&rows, "features", set->n_features));
  rx_status status = RX_OK;
  for (size_t j = 0; j < set->n_features; j++) rows[j] = j < sets[0].n_features ? (ptrdiff_t)j : -1;
  for (size_t c = 0; c < sizeof places / sizeof *places && !status; c++) {
    const rx_column *column = rx_frame_find(sets[0].var, places[c]);
    if (column) status = rx_frame_copy_column(set->var, sets[0].var, column, rows);
  }
  free(rows);
  return status;
}

/* ---- whole ---- */

static rx_status join_used(const rx_feature_set *sets, int n_sets, rx_feature_set *set) {
  size_t at = 0;

  RX_TRY(RX_NEW(&set->is_used, "features", set->n_features));
  for (int s = 0; s < n_sets; s++)
    for (size_t j = 0; j < sets[s].n_features; j++, at++) {
      set->is_used[at] = sets[s].is_used[j];
      set->n_unused += !sets[s].is_used[j];
    }
  return RX_OK;
}

static rx_status join_whole(const rx_feature_set *sets, int n_sets, const others *o,
                            rx_feature_set *set) {
  const rx_feature_set *first = &sets[0];
  size_t p = set->n_features, p0 = first->n_features;

  RX_TRY(join_used(sets, n_sets, set));
  RX_TRY(RX_NEW(&set->patient, "rows", first->n_rows));
  RX_TRY(RX_NEW(&set->x, "features", first->n_rows * p));
  for (size_t r = 0; r < first->n_rows; r++) {
    size_t i = (size_t)first->patient[r];
    if (o->has[i] != n_sets - 1) continue;
    double *x = set->x + set->n_rows * p;
    memcpy(x, first->x + r * p0, p0 * sizeof *x);
    memcpy(x + p0, o->means + i * o->n_other, o->n_other * sizeof *x);
    set->patient[set->n_rows++] = (int)i;
  }
  set->n_local = set->n_rows;
  return RX_OK;
}

/* ---- split ---- */

/* A feature that a set leaves out is marked by infinity, so that it is left out here too. */
static void fill_others(const rx_feature_set *sets, int n_sets, const others *o,
                        rx_feature_set *set) {
  size_t p = set->n_features, p0 = sets[0].n_features;

  for (size_t r = 0; r < set->n_local; r++) {
    const double *means = o->means + (size_t)set->patient[set->first + r] * o->n_other;
    float *z = set->z + r * p + p0;
    for (int s = 1; s < n_sets; s++)
      for (size_t j = 0; j < sets[s].n_features; j++)
        *z++ = sets[s].is_used[j] ? (float)*means++ : (means++, INFINITY);
  }
}

static rx_status join_split(const rx_job *job, const rx_feature_set *sets, int n_sets,
                            const rx_feature_file *file, const ptrdiff_t *place, const others *o,
                            rx_feature_set *set) {
  ptrdiff_t *shared = NULL;
  rx_status status = RX_NEW(&shared, "rows", file->n_rows);

  if (!status) status = RX_NEW(&set->is_used, "features", set->n_features);
  if ((status = RX_AGREE(job->comm, status))) {
    free(shared);
    return status;
  }
  for (size_t r = 0; r < file->n_rows; r++)
    shared[r] = place[r] >= 0 && o->has[place[r]] == n_sets - 1 ? place[r] : -1;
  set->is_whole = false;
  status = rx_shared_rows_read(job, file, shared, set);
  if (!status) fill_others(sets, n_sets, o, set);
  if (!status && set->n_rows) status = rx_solver_standardise(job->comm, set);
  free(shared);
  return status;
}

/* ---- the union ---- */

static rx_status begin(const rx_feature_set *sets, int n_sets, size_t n_patients, others *o,
                       rx_feature_set *set) {
  *set = (rx_feature_set){.is_whole = true};
  for (int s = 0; s < n_sets; s++) set->n_features += sets[s].n_features;
  o->n_other = set->n_features - sets[0].n_features;
  RX_TRY(rx_copy_text("union", &set->name));
  RX_TRY(RX_NEW(&o->means, "patient means", n_patients * o->n_other));
  RX_TRY(RX_NEW(&o->has, "patients", n_patients));
  return join_frames(sets, n_sets, set);
}

static void say(const rx_job *job, const rx_feature_set *set) {
  if (set->n_rows == 0)
    rx_log_info(job->log, "predict: no union of the feature sets: no patient has all of them");
  else
    rx_log_info(job->log, "predict: union: %zu features, %zu rows of %zu patients", set->n_features,
                set->n_rows, set->n_patients);
}

rx_status rx_panel_add_union(const rx_job *job, const rx_feature_set *sets, int n_sets,
                             const rx_feature_file *file, const ptrdiff_t *place, size_t n_patients,
                             rx_feature_set *set) {
  others o = {NULL, NULL, 0};
  rx_status status = RX_AGREE(job->comm, begin(sets, n_sets, n_patients, &o, set));

  size_t column = 0;
  for (int s = 1; s < n_sets && !status; column += sets[s++].n_features)
    status = add_means(job->comm, &sets[s], column, n_patients, &o);
  if (!status)
    status = sets[0].is_whole ? RX_AGREE(job->comm, join_whole(sets, n_sets, &o, set))
                              : join_split(job, sets, n_sets, file, place, &o, set);
  if (!status) status = RX_AGREE(job->comm, rx_panel_weigh(job, n_patients, set));
  if (!status) say(job, set);
  free(o.means);
  free(o.has);
  if (status) rx_panel_clear_set(set);
  return status;
}
