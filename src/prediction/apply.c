#include "prediction/apply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/applied.h"
#include "prediction/evaluate.h"
#include "prediction/feature_file.h"
#include "prediction/panel.h"
#include "prediction/record.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { FORMAT = 1, PATH_SIZE = 4096, GROUP_SIZE = 448, NAME_SIZE = 512 };

/* A file of new patients in the place of a set of the models. */
typedef struct {
  rx_feature_file *file;
  ptrdiff_t *place; /* [rows of the file], patient */
  double *means;    /* [n_patients][n_features], NAN without rows */
  rx_names *names;  /* of features */
} new_set;

typedef struct {
  rx_store *models;
  size_t n_base; /* sets of the models without the union */
  size_t n_files;
  new_set *files; /* [n_files], the first sets */
  rx_frame *clinical;
  rx_applied *applied;
  rx_recipe *recipe;
} application;

static void destroy(application *a) {
  for (size_t f = 0; a->files && f < a->n_files; f++) {
    rx_feature_file_destroy(&a->files[f].file);
    free(a->files[f].place);
    free(a->files[f].means);
    rx_names_destroy(&a->files[f].names);
  }
  free(a->files);
  rx_store_close(&a->models);
  rx_frame_destroy(&a->clinical);
  rx_applied_destroy(&a->applied);
  rx_recipe_destroy(&a->recipe);
}

/* ---- the models ---- */

static rx_status read_heading(const rx_job *job, application *a) {
  const char *path = job->config->prediction_apply;
  char *family = NULL;

  RX_TRY(RX_NEW(&a->applied, "new patients", 1));
  RX_TRY(rx_store_open(path, &a->models));
  if (!rx_store_has(a->models, "predictions") || !rx_store_has(a->models, "sets"))
    return RX_FAIL(RX_ERR_INPUT, "%s: expected a predictions.h5, found something else", path);
  RX_TRY(rx_store_get_text(a->models, "family", &family));
  a->applied->is_binary = rx_is(family, "binomial");
  free(family);
  RX_TRY(rx_store_get_texts(a->models, "outcomes", &a->applied->n_outcomes, &a->applied->outcomes));
  RX_TRY(rx_store_get_texts(a->models, "sets", &a->applied->n_sets, &a->applied->sets));
  size_t n = a->applied->n_sets;
  a->n_base = n - (n > 1 && rx_is(a->applied->sets[n - 1], "union"));
  return RX_NEW(&a->applied->ones, "new patients", a->applied->n_outcomes * n);
}

/* ---- the files ---- */

static rx_status count_files(const rx_job *job, application *a, const rx_list *compare) {
  a->n_files = 1 + (size_t)compare->n;
  if (a->n_files > a->n_base)
    return RX_FAIL(RX_ERR_CONFIG, "%s: expected at most %zu feature files, one a set, found %zu",
                   job->config->prediction_apply, a->n_base, a->n_files);
  return RX_NEW(&a->files, "feature files", a->n_files);
}

static rx_status open_files(const rx_job *job, application *a) {
  char path[PATH_SIZE];
  rx_list compare;

  RX_TRY(rx_list_agreed(job->comm, job->config->prediction_compare, ',', &compare));
  rx_status status = count_files(job, a, &compare);
  if (!status) status = rx_panel_path(job, path, sizeof path);
  status = RX_AGREE(job->comm, status);
  for (size_t f = 0; f < a->n_files && a->files && !status; f++) {
    const char *from = f ? compare.items[f - 1] : path;
    status = rx_feature_file_open(job->comm, from, &a->files[f].file);
    if (!status)
      rx_log_info(job->log, "predict: %s in the place of the set %s", from, a->applied->sets[f]);
  }
  for (size_t f = a->n_files; f < a->n_base && !status; f++)
    rx_log_info(job->log, "predict: no file in the place of the set %s", a->applied->sets[f]);
  rx_list_destroy(&compare);
  return status;
}

static int compare_texts(const void *one, const void *other) {
  return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Lists the patients of all files once, in byte order. */
static rx_status list_patients(application *a) {
  char key[RX_KEY_SIZE];
  rx_names *seen = NULL;
  size_t room = 0;

  for (size_t f = 0; f < a->n_files; f++) room += a->files[f].file->n_rows;
  RX_TRY(RX_NEW(&a->applied->patients, "patients", room));
  rx_status status = rx_names_create(&seen);
  for (size_t f = 0; f < a->n_files; f++)
    for (size_t r = 0; r < a->files[f].file->n_rows && !status; r++) {
      ptrdiff_t before = -1;
      rx_patient_key(a->files[f].file->patients[r], key);
      status = rx_names_add(seen, key, 0, &before);
      if (!status && before < 0)
        status = rx_copy_text(key, &a->applied->patients[a->applied->n_patients++]);
    }
  rx_names_destroy(&seen);
  if (!status)
    qsort(a->applied->patients, a->applied->n_patients, sizeof *a->applied->patients,
          compare_texts);
  return status;
}

static rx_status place_rows(const application *a, const rx_names *patients, new_set *set) {
  const rx_feature_file *file = set->file;
  char key[RX_KEY_SIZE];

  RX_TRY(RX_NEW(&set->place, "patients", file->n_rows));
  RX_TRY(RX_NEW(&set->means, "patient means", a->applied->n_patients * file->n_features));
  RX_TRY(rx_names_create(&set->names));
  for (size_t r = 0; r < file->n_rows; r++) {
    rx_patient_key(file->patients[r], key);
    set->place[r] = rx_names_find(patients, key);
  }
  for (size_t j = 0; j < file->n_features; j++)
    RX_TRY(rx_names_add(set->names, file->var->names[j], (ptrdiff_t)j, NULL));
  return RX_OK;
}

static rx_status prepare_sets(application *a) {
  rx_names *patients = NULL;

  RX_TRY(list_patients(a));
  rx_status status = rx_names_create(&patients);
  for (size_t i = 0; i < a->applied->n_patients && !status; i++)
    status = rx_names_add(patients, a->applied->patients[i], (ptrdiff_t)i, NULL);
  for (size_t f = 0; f < a->n_files && !status; f++) status = place_rows(a, patients, &a->files[f]);
  rx_names_destroy(&patients);
  return status;
}

static rx_status divide_sums(const application *a, new_set *set) {
  size_t *n_rows, p = set->file->n_features;

  RX_TRY(RX_NEW(&n_rows, "patients", a->applied->n_patients));
  for (size_t r = 0; r < set->file->n_rows; r++) n_rows[set->place[r]]++;
  for (size_t i = 0; i < a->applied->n_patients; i++)
    for (size_t j = 0; j < p; j++)
      set->means[i * p + j] = n_rows[i] ? set->means[i * p + j] / (double)n_rows[i] : NAN;
  free(n_rows);
  return RX_OK;
}

static rx_status read_means(const rx_job *job, application *a) {
  RX_TRY(RX_AGREE(job->comm, prepare_sets(a)));
  for (size_t f = 0; f < a->n_files; f++) {
    new_set *set = &a->files[f];
    RX_TRY(rx_panel_sum(job, set->file, set->place, a->applied->n_patients, set->means));
    RX_TRY(RX_AGREE(job->comm, divide_sums(a, set)));
  }
  return RX_OK;
}

/* ---- outcomes ---- */

/* The outcome as the models know it: 1 is what counted as 1 there. y [n_patients] set */
static rx_status code_outcome(const application *a, const ptrdiff_t *rows, const char *outcome,
                              const char *positive, double *y) {
  const rx_column *column = a->clinical ? rx_frame_find(a->clinical, outcome) : NULL;
  double high;
  bool is_number = rx_number_read(positive, &high);

  for (size_t i = 0; i < a->applied->n_patients; i++) {
    y[i] = NAN;
    if (!column || rows[i] < 0) continue;
    if (column->kind == RX_TEXT) {
      const char *text = column->text[rows[i]];
      if (!*positive && *text)
        return RX_FAIL(RX_ERR_INPUT, "clinical column %s: expected numbers, found '%s'", outcome,
                       text);
      if (*text) y[i] = rx_is(text, positive);
      continue;
    }
    double v =
        column->kind == RX_INTEGER ? (double)column->integer[rows[i]] : column->real[rows[i]];
    y[i] = isfinite(v) ? (is_number && a->applied->is_binary ? v == high : v) : NAN;
    if (a->applied->is_binary && !isnan(y[i]) && y[i] != 0 && y[i] != 1)
      return RX_FAIL(RX_ERR_INPUT, "clinical column %s: expected 0 or 1, found %g", outcome, v);
  }
  return RX_OK;
}

/* ---- scores ---- */

/* Where the features of a model stand. */
typedef struct {
  size_t n;
  char **names;
  double *value, intercept;
  const new_set **set; /* [n] */
  size_t *column;      /* [n] */
} linear_model;

static void destroy_model(linear_model *m) {
  rx_texts_destroy(&m->names, m->n);
  free(m->value);
  free(m->set);
  free(m->column);
}

/* Finds a feature: by its name in the file of the set; in the union the name begins with SET:. */
static rx_status find_feature(const application *a, size_t s, const char *name, const new_set **set,
                              size_t *column) {
  size_t f = s;

  if (s >= a->n_base) {
    for (f = 0; f < a->n_files; f++) {
      size_t length = strlen(a->applied->sets[f]);
      if (strncmp(name, a->applied->sets[f], length) || name[length] != ':') continue;
      name += length + 1;
      break;
    }
  }
  ptrdiff_t found = f < a->n_files ? rx_names_find(a->files[f].names, name) : -1;
  if (found < 0)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected the feature '%s' of the model, found none",
                   f < a->n_files ? a->files[f].file->path : "prediction.compare", name);
  *set = &a->files[f];
  *column = (size_t)found;
  return RX_OK;
}

static rx_status read_model(const application *a, const char *group, const char *which, size_t s,
                            linear_model *m) {
  char name[NAME_SIZE];
  double n;

  snprintf(name, sizeof name, "%s/model_%s/intercept", group, which);
  RX_TRY(rx_store_get_number(a->models, name, &m->intercept));
  snprintf(name, sizeof name, "%s/model_%s/n_features", group, which);
  RX_TRY(rx_store_get_number(a->models, name, &n));
  if (n < 1) return RX_OK;
  snprintf(name, sizeof name, "%s/model_%s/feature", group, which);
  RX_TRY(rx_store_get_texts(a->models, name, &m->n, &m->names));
  RX_TRY(RX_NEW(&m->value, "model", m->n));
  RX_TRY(RX_NEW(&m->set, "model", m->n));
  RX_TRY(RX_NEW(&m->column, "model", m->n));
  snprintf(name, sizeof name, "%s/model_%s/coefficient", group, which);
  RX_TRY(rx_store_get(a->models, name, RX_FLOAT64, m->n, m->value));
  for (size_t k = 0; k < m->n; k++)
    RX_TRY(find_feature(a, s, m->names[k], &m->set[k], &m->column[k]));
  return RX_OK;
}

/* Tells whether a patient has rows in the set, for the union in all sets. */
static bool has_rows(const application *a, size_t s, size_t patient) {
  for (size_t f = s < a->n_base ? s : 0; f < a->n_files && (f == s || s >= a->n_base); f++) {
    bool found = false;
    for (size_t r = 0; r < a->files[f].file->n_rows && !found; r++)
      found = a->files[f].place[r] == (ptrdiff_t)patient;
    if (!found) return false;
  }
  return true;
}

static rx_status score_all(const application *a, const char *group, const char *which, size_t s,
                           double *score) {
  linear_model m = {0};
  rx_status status = read_model(a, group, which, s, &m);

  for (size_t i = 0; i < a->applied->n_patients && !status; i++) {
    score[i] = has_rows(a, s, i) ? m.intercept : NAN;
    for (size_t k = 0; k < m.n; k++)
      score[i] += m.value[k] * m.set[k]->means[i * m.set[k]->file->n_features + m.column[k]];
    if (!isfinite(score[i])) score[i] = NAN;
  }
  destroy_model(&m);
  return status;
}

static rx_status apply_one(const rx_job *job, const application *a, const ptrdiff_t *rows,
                           const char *positive, size_t o, size_t s) {
  rx_applied *applied = a->applied;
  rx_applied_one *one = &applied->ones[o * applied->n_sets + s];
  size_t n = applied->n_patients;
  char group[GROUP_SIZE], name[NAME_SIZE];
  uint64_t seed =
      (uint64_t)job->config->study_seed ^ ((uint64_t)rx_evaluate_key(applied->outcomes[o]) << 32);

  rx_record_group(applied->outcomes[o], applied->sets[s], group, sizeof group);
  snprintf(name, sizeof name, "%s/model_min/intercept", group);
  bool is_union = s >= a->n_base;
  if (!rx_store_has(a->models, name) || (is_union ? a->n_files < a->n_base : s >= a->n_files))
    return RX_OK;
  one->has_model = true;
  RX_TRY(RX_NEW(&one->y, "outcome", n));
  RX_TRY(RX_NEW(&one->score, "scores", n));
  RX_TRY(RX_NEW(&one->score_1se, "scores", n));
  RX_TRY(code_outcome(a, rows, applied->outcomes[o], positive, one->y));
  RX_TRY(score_all(a, group, "min", s, one->score));
  RX_TRY(score_all(a, group, "1se", s, one->score_1se));
  for (size_t i = 0; i < n; i++) one->n_unscored += isnan(one->score[i]);
  return rx_performance_find(n, one->y, one->score, applied->is_binary ? RX_BINOMIAL : RX_GAUSSIAN,
                             job->config->prediction_bootstrap, seed, &one->performance);
}

static rx_status apply_all(const rx_job *job, const application *a) {
  ptrdiff_t *rows;
  char **positive = NULL;
  size_t n_positive = 0;

  RX_TRY(RX_NEW(&rows, "patients", a->applied->n_patients));
  rx_status status =
      rx_frame_match(a->clinical, a->applied->n_patients, a->applied->patients, rows);
  if (!status) status = rx_store_get_texts(a->models, "positive", &n_positive, &positive);
  for (size_t o = 0; o < a->applied->n_outcomes; o++)
    for (size_t s = 0; s < a->applied->n_sets && !status; s++)
      status = apply_one(job, a, rows, positive[o], o, s);
  rx_texts_destroy(&positive, n_positive);
  free(rows);
  return status;
}

/* ---- the command ---- */

static rx_status make_recipe(const rx_job *job, rx_recipe **recipe) {
  const rx_config *config = job->config;
  char features[PATH_SIZE];
  rx_list list;

  RX_TRY(RX_AGREE(job->comm, rx_recipe_create("apply", FORMAT, recipe)));
  RX_TRY(RX_AGREE(job->comm, rx_recipe_section(*recipe, config, "prediction")));
  RX_TRY(RX_AGREE(job->comm, rx_panel_path(job, features, sizeof features)));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "prediction.apply", config->prediction_apply));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "prediction.features", features));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "study.clinical", config->study_clinical));
  RX_TRY(rx_list_agreed(job->comm, config->prediction_compare, ',', &list));
  rx_status status = RX_OK;
  for (int i = 0; i < list.n && !status; i++)
    status = rx_recipe_input(job->comm, *recipe, "prediction.compare", list.items[i]);
  rx_list_destroy(&list);
  return status;
}

static rx_status store(const rx_job *job, const application *a, const char *path) {
  size_t memory = rx_result_memory(job->comm);

  return RX_AGREE(job->comm,
                  job->rank ? RX_OK : rx_applied_store(job, a->applied, a->recipe, memory, path));
}

rx_status rx_apply_run(const rx_job *job) {
  char path[PATH_SIZE], done[128];
  bool is_current = false;
  application a = {NULL};
  rx_status status =
      RX_AGREE(job->comm, rx_job_path(job, "predictions-applied.h5", path, sizeof path));

  if (status) return status;
  if ((status = make_recipe(job, &a.recipe))) goto done;
  if ((status = rx_result_check(job, a.recipe, path, &is_current)) || is_current) goto done;
  if ((status = RX_AGREE(job->comm, read_heading(job, &a)))) goto done;
  if ((status = rx_clinical_load(job->comm, job->config->study_clinical, &a.clinical))) goto done;
  if ((status = open_files(job, &a))) goto done;
  if ((status = read_means(job, &a))) goto done;
  if ((status = RX_AGREE(job->comm, apply_all(job, &a)))) goto done;
  if ((status = store(job, &a, path))) goto done;
  rx_applied_say(job, a.applied);
  snprintf(done, sizeof done, "%zu outcomes, %zu new patients", a.applied->n_outcomes,
           a.applied->n_patients);
  rx_job_totals(job, "predict", done, path);
done:
  destroy(&a);
  return status;
}
