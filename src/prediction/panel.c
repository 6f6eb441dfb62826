#include "prediction/panel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

rx_status rx_panel_path(const rx_job *job, char *path, size_t size) {
  const char *given = job->config->prediction_features;

  if (!*given) return rx_job_path(job, "features.h5ad", path, size);
  return rx_path_join("", given, path, size);
}

/* ---- patients ---- */

/* Marks the clinical rows of study.subset. */
static rx_status mark_subset(const rx_config *config, const rx_frame *clinical, bool *is_wanted) {
  ptrdiff_t *rows;

  RX_TRY(RX_NEW(&rows, "patients", clinical->n_rows));
  for (size_t r = 0; r < clinical->n_rows; r++) rows[r] = (ptrdiff_t)r;
  rx_status status = rx_subset_mark(config->study_subset, clinical, config->study_clinical,
                                    clinical->n_rows, rows, is_wanted);
  free(rows);
  return status;
}

typedef struct {
  const char *name;
  size_t row;
} named_row;

static int compare_names(const void *a, const void *b) {
  return strcmp(((const named_row *)a)->name, ((const named_row *)b)->name);
}

/* Marks the clinical rows that any file has, and gives them their place in byte order: rank[row],
 * or -1. */
static rx_status order_patients(const rx_frame *clinical, const bool *is_wanted, rx_panel *panel,
                                ptrdiff_t *place) {
  named_row *rows;
  size_t n = 0;

  RX_TRY(RX_NEW(&rows, "patients", clinical->n_rows));
  for (size_t r = 0; r < clinical->n_rows; r++) {
    place[r] = -1;
    if (is_wanted[r]) rows[n++] = (named_row){clinical->names[r], r};
  }
  qsort(rows, n, sizeof *rows, compare_names);
  rx_status status = RX_NEW(&panel->patients, "patients", n);
  panel->n_patients = status ? 0 : n;
  for (size_t i = 0; i < n && !status; i++) {
    place[rows[i].row] = (ptrdiff_t)i;
    status = rx_copy_text(rows[i].name, &panel->patients[i]);
  }
  free(rows);
  return status;
}

/* ---- outcomes ---- */

/* The two values of a column: low and high; an error when there are more. */
static rx_status find_levels(const rx_column *column, const ptrdiff_t *place, size_t n_rows,
                             double *low, double *high) {
  *low = INFINITY;
  *high = -INFINITY;
  for (size_t r = 0; r < n_rows; r++) {
    double v = column->real[r];
    if (place[r] < 0 || isnan(v)) continue;
    *low = fmin(*low, v);
    *high = fmax(*high, v);
  }
  for (size_t r = 0; r < n_rows; r++) {
    double v = column->real[r];
    if (place[r] >= 0 && !isnan(v) && v != *low && v != *high)
      return RX_FAIL(RX_ERR_INPUT,
                     "clinical column %s: expected two values for a binomial outcome, found %g, %g "
                     "and %g (prediction.family = gaussian predicts numbers)",
                     column->name, *low, *high, v);
  }
  return RX_OK;
}

static rx_status fill_numbers(const rx_job *job, const rx_column *column, const ptrdiff_t *place,
                              size_t n_rows, rx_panel *panel, int outcome) {
  double *y = panel->y + (size_t)outcome * panel->n_patients, low = 0, high = 1;
  char text[64] = "";

  if (panel->is_binary) RX_TRY(find_levels(column, place, n_rows, &low, &high));
  bool is_plain =
      (low == 0 || low == 1 || !isfinite(low)) && (high == 0 || high == 1 || !isfinite(high));
  for (size_t r = 0; r < n_rows; r++) {
    if (place[r] < 0) continue;
    double v = column->real[r];
    if (panel->is_binary && !isnan(v) && !is_plain) v = v == high;
    y[place[r]] = isfinite(v) ? v : NAN;
  }
  if (panel->is_binary && !is_plain) {
    snprintf(text, sizeof text, "%g", high);
    rx_log_info(job->log, "predict: outcome %s: %g counts as 1, %g as 0", column->name, high, low);
  }
  return rx_copy_text(text, &panel->positive[outcome]);
}

/* A text with two levels: the later in byte order counts as 1. */
static rx_status fill_texts(const rx_job *job, const rx_column *column, const ptrdiff_t *place,
                            size_t n_rows, rx_panel *panel, int outcome) {
  double *y = panel->y + (size_t)outcome * panel->n_patients;
  const char *low = NULL, *high = NULL;

  if (!panel->is_binary)
    return RX_FAIL(RX_ERR_INPUT, "clinical column %s: expected numbers, found text", column->name);
  for (size_t r = 0; r < n_rows; r++) {
    const char *t = column->text[r];
    if (place[r] < 0 || !*t) continue;
    if (!low || strcmp(t, low) < 0) low = t;
    if (!high || strcmp(t, high) > 0) high = t;
  }
  for (size_t r = 0; r < n_rows; r++) {
    const char *t = column->text[r];
    if (place[r] < 0 || !*t) continue;
    if (strcmp(t, low) && strcmp(t, high))
      return RX_FAIL(RX_ERR_INPUT,
                     "clinical column %s: expected two levels, found '%s', '%s' and '%s'",
                     column->name, low, t, high);
    y[place[r]] = !strcmp(t, high);
  }
  rx_log_info(job->log, "predict: outcome %s: '%s' counts as 1, '%s' as 0", column->name,
              high ? high : "", low ? low : "");
  return rx_copy_text(high ? high : "", &panel->positive[outcome]);
}

static rx_status fill_outcomes(const rx_job *job, const ptrdiff_t *place, rx_panel *panel) {
  const rx_frame *clinical = panel->clinical;
  rx_list list;

  RX_TRY(rx_list_create(job->config->prediction_outcomes, ',', &list));
  size_t n = (size_t)list.n;
  rx_status status = RX_OK;
  if (!n)
    status = RX_FAIL(RX_ERR_CONFIG, "prediction.outcomes: expected clinical columns, found none");
  if (!status) status = RX_NEW(&panel->outcomes, "outcomes", n);
  if (!status) status = RX_NEW(&panel->positive, "outcomes", n);
  if (!status) status = RX_NEW(&panel->y, "outcomes", n * panel->n_patients);
  for (size_t i = 0; i < n * panel->n_patients && !status; i++) panel->y[i] = NAN;
  for (int o = 0; o < list.n && !status; o++) {
    const rx_column *column = rx_frame_find(clinical, list.items[o]);
    if (!column)
      status = RX_FAIL(RX_ERR_CONFIG, "prediction.outcomes: expected a column of %s, found '%s'",
                       job->config->study_clinical, list.items[o]);
    if (!status) status = rx_copy_text(list.items[o], &panel->outcomes[o]);
    panel->n_outcomes = o + 1;
    if (!status)
      status = column->kind == RX_TEXT
                   ? fill_texts(job, column, place, clinical->n_rows, panel, o)
                   : fill_numbers(job, column, place, clinical->n_rows, panel, o);
  }
  rx_list_destroy(&list);
  return status;
}

/* ---- files ---- */

typedef struct {
  int n;
  rx_feature_file **files; /* [n] */
  ptrdiff_t **place;       /* [n][rows of the file]: clinical row, then place in the panel; or -1 */
} file_list;

static void close_files(file_list *list) {
  for (int f = 0; f < list->n; f++) {
    if (list->files) rx_feature_file_destroy(&list->files[f]);
    if (list->place) free(list->place[f]);
  }
  free(list->files);
  free(list->place);
}

static rx_status begin_files(const rx_job *job, const rx_list *compare, file_list *list) {
  (void)job;
  list->n = 1 + compare->n;
  RX_TRY(RX_NEW(&list->files, "feature sets", list->n));
  return RX_NEW(&list->place, "feature sets", list->n);
}

static rx_status check_names(const file_list *list) {
  for (int f = 0; f < list->n; f++)
    for (int g = 0; g < f; g++)
      if (!strcmp(list->files[f]->name, list->files[g]->name) ||
          !strcmp(list->files[f]->name, "union"))
        return RX_FAIL(RX_ERR_CONFIG,
                       "prediction.compare: expected files of different names, found '%s' twice",
                       list->files[f]->name);
  return RX_OK;
}

static rx_status open_files(const rx_job *job, file_list *list) {
  char path[4096];
  rx_list compare;

  RX_TRY(rx_list_agreed(job->comm, job->config->prediction_compare, ',', &compare));
  rx_status status = RX_AGREE(job->comm, begin_files(job, &compare, list));
  if (!status) status = RX_AGREE(job->comm, rx_panel_path(job, path, sizeof path));
  if (!status) status = rx_feature_file_open(job->comm, path, &list->files[0]);
  for (int f = 1; f < list->n && !status; f++)
    status = rx_feature_file_open(job->comm, compare.items[f - 1], &list->files[f]);
  if (!status) status = RX_AGREE(job->comm, check_names(list));
  rx_list_destroy(&compare);
  return status;
}

/* Finds the clinical row of each row of each file, and says how many there are without one. */
static rx_status match_files(const rx_job *job, const rx_frame *clinical, file_list *list,
                             bool *is_wanted) {
  bool *is_there;

  RX_TRY(RX_NEW(&is_there, "patients", clinical->n_rows));
  rx_status status = RX_OK;
  for (int f = 0; f < list->n && !status; f++) {
    const rx_feature_file *p = list->files[f];
    size_t unknown = 0;
    const char *example = "";
    status = RX_NEW(&list->place[f], "patients", p->n_rows);
    if (!status) status = rx_frame_match(clinical, p->n_rows, p->patients, list->place[f]);
    for (size_t r = 0; r < p->n_rows && !status; r++) {
      ptrdiff_t row = list->place[f][r];
      if (row >= 0) is_there[row] = true;
      if (row < 0 && !unknown++) example = p->patients[r];
    }
    if (unknown && !status)
      rx_log_info(job->log,
                  "predict: %s: %zu of %zu rows left out, their patients (%s ...) are not "
                  "in %s",
                  p->name, unknown, p->n_rows, example, job->config->study_clinical);
  }
  for (size_t r = 0; r < clinical->n_rows; r++) is_wanted[r] = is_wanted[r] && is_there[r];
  free(is_there);
  return status;
}

static rx_status gather_patients(const rx_job *job, file_list *list, rx_panel *panel) {
  const rx_frame *clinical = panel->clinical;
  bool *is_wanted = NULL;
  rx_status status = RX_NEW(&is_wanted, "patients", clinical->n_rows);

  if (!status) status = RX_NEW(&panel->place, "patients", clinical->n_rows);
  ptrdiff_t *place = panel->place;
  if (!status) status = mark_subset(job->config, clinical, is_wanted);
  if (!status) status = match_files(job, clinical, list, is_wanted);
  if (!status) status = order_patients(clinical, is_wanted, panel, place);
  if (!status && panel->n_patients < 2)
    status = RX_FAIL(RX_ERR_INPUT,
                     "%s: expected at least 2 patients with features and a clinical row, found %zu",
                     list->files[0]->path, panel->n_patients);
  for (int f = 0; f < list->n && !status; f++)
    for (size_t r = 0; r < list->files[f]->n_rows; r++)
      if (list->place[f][r] >= 0) list->place[f][r] = place[list->place[f][r]];
  if (!status) status = fill_outcomes(job, place, panel);
  free(is_wanted);
  return status;
}

static rx_status fill_sets(const rx_job *job, const file_list *list, rx_panel *panel) {
  int n = list->n + (list->n > 1);

  RX_TRY(RX_NEW_AGREED(job->comm, &panel->sets, "feature sets", n));
  for (int f = 0; f < list->n; f++) {
    RX_TRY(
        rx_panel_add_set(job, list->files[f], list->place[f], panel->n_patients, &panel->sets[f]));
    panel->n_sets = f + 1;
  }
  if (n == list->n) return RX_OK;
  RX_TRY(rx_panel_add_union(job, panel->sets, list->n, list->files[0], list->place[0],
                            panel->n_patients, &panel->sets[n - 1]));
  panel->has_union = panel->sets[n - 1].n_rows > 0;
  if (panel->has_union) panel->n_sets = n;
  return RX_OK;
}

rx_status rx_panel_load(const rx_job *job, rx_panel **out) {
  file_list list = {0, NULL, NULL};
  rx_status status = RX_NEW(out, "panel", 1);

  if (!status && !*job->config->study_clinical)
    status =
        RX_FAIL(RX_ERR_CONFIG, "study.clinical: expected a table with outcomes, found no setting");
  if ((status = RX_AGREE(job->comm, status))) goto done;
  (*out)->is_binary = rx_is(job->config->prediction_family, "binomial");
  if ((status = rx_clinical_load(job->comm, job->config->study_clinical, &(*out)->clinical)))
    goto done;
  if ((status = open_files(job, &list))) goto done;
  if ((status = RX_AGREE(job->comm, gather_patients(job, &list, *out)))) goto done;
  status = fill_sets(job, &list, *out);
done:
  close_files(&list);
  if (status) rx_panel_destroy(out);
  return status;
}

rx_status rx_panel_find_rows(const rx_panel *panel, const rx_feature_file *file,
                             ptrdiff_t **place) {
  RX_TRY(RX_NEW(place, "patients", file->n_rows));
  RX_TRY(rx_frame_match(panel->clinical, file->n_rows, file->patients, *place));
  for (size_t r = 0; r < file->n_rows; r++)
    if ((*place)[r] >= 0) (*place)[r] = panel->place[(*place)[r]];
  return RX_OK;
}

static void destroy_texts(char **texts, size_t n) {
  for (size_t i = 0; texts && i < n; i++) free(texts[i]);
  free(texts);
}

void rx_panel_destroy(rx_panel **panel) {
  rx_panel *p = *panel;

  if (!p) return;
  for (int s = 0; s < p->n_sets; s++) rx_panel_clear_set(&p->sets[s]);
  free(p->sets);
  destroy_texts(p->patients, p->n_patients);
  destroy_texts(p->outcomes, (size_t)p->n_outcomes);
  destroy_texts(p->positive, (size_t)p->n_outcomes);
  free(p->y);
  free(p->place);
  rx_frame_destroy(&p->clinical);
  free(p);
  *panel = NULL;
}
