#include "roster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/text.h"

enum { COLUMNS_AT_ONCE = 512, MOST_NAMED = 12 };

/* Why a patient is not in the run, in the order in which it is asked. */
typedef enum { IS_IN, NO_FACTORS, NOT_IN_SUBSET, NO_COVARIATES, N_REASONS } reason;

void rx_roster_destroy(rx_roster **roster) {
  rx_roster *c = *roster;

  if (!c) return;
  for (int k = 0; k < c->n_covariates; k++) {
    free(c->covariates[k].name);
    free(c->covariates[k].number);
  }
  free(c->covariates);
  free(c->rows);
  free(c->clinical_row);
  free(c->factor);
  free(c->measure);
  rx_frame_destroy(&c->clinical);
  rx_matrix_destroy(&c->factors);
  rx_measures_destroy(&c->measures);
  free(c);
  *roster = NULL;
}

/* ---- who has factors ---- */

/* Marks the rows of the factors that hold any number. Collective. has_any  [factors->n_obs] */
static rx_status mark_rows_with_factors(const rx_job *job, const rx_matrix *factors,
                                        unsigned char *has_any) {
  size_t first, count, rounds = (factors->n_var + COLUMNS_AT_ONCE - 1) / COLUMNS_AT_ONCE;
  double *block = NULL;

  rx_partition(factors->n_var, job->rank, job->n_ranks, &first, &count);
  RX_TRY(RX_NEW_AGREED(job->comm, &block, "associate: factors", factors->n_obs * COLUMNS_AT_ONCE));
  rx_status status = RX_OK;
  for (size_t round = 0; round < rounds && !status; round++) {
    size_t done = round * COLUMNS_AT_ONCE, n = done < count ? count - done : 0;
    if (n > COLUMNS_AT_ONCE) n = COLUMNS_AT_ONCE;
    status = rx_matrix_read(factors, "X", RX_FLOAT64, 0, n ? factors->n_obs : 0,
                            n ? first + done : 0, n, block);
    for (size_t row = 0; row < factors->n_obs && n; row++)
      for (size_t c = 0; c < n; c++)
        if (isfinite(block[row * n + c])) has_any[row] = 1;
  }
  free(block);
  if (!status)
    MPI_Allreduce(MPI_IN_PLACE, has_any, (int)factors->n_obs, MPI_UNSIGNED_CHAR, MPI_MAX,
                  job->comm);
  return status;
}

/* ---- the clinical table ---- */

/* Finds a clinical column that a setting names. */
static rx_status need_column(const rx_job *job, const rx_roster *c, const char *setting,
                             const char *name, const rx_column **column) {
  if (!c->clinical)
    return RX_FAIL(RX_ERR_CONFIG, "%s: '%.80s' needs study.clinical, which is not given", setting,
                   name);
  *column = rx_frame_find(c->clinical, name);
  if (!*column)
    return RX_FAIL(RX_ERR_CONFIG, "%s: expected a column of %.500s, found '%.80s'", setting,
                   job->config->study_clinical, name);
  return RX_OK;
}

static bool is_missing(const rx_column *column, ptrdiff_t row) {
  if (row < 0) return true;
  if (column->kind == RX_REAL) return !isfinite(column->real[row]);
  return column->kind == RX_TEXT && !*column->text[row];
}

/* Marks who is outside study.subset. row  [n] of the clinical table */
static rx_status mark_subset(const rx_job *job, const rx_roster *c, size_t n, const ptrdiff_t *row,
                             reason *why) {
  bool *is_in;

  RX_TRY(RX_NEW(&is_in, "associate: patients", n));
  rx_status status = rx_subset_mark(job->config->study_subset, c->clinical,
                                    job->config->study_clinical, n, row, is_in);
  for (size_t p = 0; p < n && !status; p++)
    if (why[p] == IS_IN && !is_in[p]) why[p] = NOT_IN_SUBSET;
  free(is_in);
  return status;
}

static rx_status mark_covariates(const rx_job *job, const rx_roster *c, const rx_list *names,
                                 size_t n, const ptrdiff_t *row, reason *why) {
  for (int k = 0; k < names->n; k++) {
    const rx_column *column = NULL;
    RX_TRY(need_column(job, c, "association.covariates", names->items[k], &column));
    for (size_t p = 0; p < n; p++)
      if (why[p] == IS_IN && is_missing(column, row[p])) why[p] = NO_COVARIATES;
  }
  for (size_t p = 0; p < n && c->measures->image; p++)
    if (why[p] == IS_IN && c->measures->image->is_missing[p]) why[p] = NO_COVARIATES;
  return RX_OK;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Levels in byte order, and the level of each patient of the run. */
static rx_status take_levels(const rx_roster *c, const rx_column *column, rx_covariate *covariate) {
  char **levels;
  int n = 0;

  RX_TRY(RX_NEW(&levels, "associate: levels", c->n_patients));
  for (size_t p = 0; p < c->n_patients; p++) levels[p] = column->text[c->clinical_row[p]];
  qsort(levels, c->n_patients, sizeof *levels, compare_texts);
  for (size_t p = 0; p < c->n_patients; p++)
    if (p == 0 || strcmp(levels[p], levels[n - 1])) levels[n++] = levels[p];
  covariate->n_levels = n;
  for (size_t p = 0; p < c->n_patients; p++) {
    int level = 0;
    while (strcmp(levels[level], column->text[c->clinical_row[p]])) level++;
    covariate->number[p] = level;
  }
  free(levels);
  return RX_OK;
}

static rx_status take_covariates(const rx_list *names, rx_roster *c) {
  RX_TRY(RX_NEW(&c->covariates, "associate: covariates", names->n));
  for (int k = 0; k < names->n; k++) {
    rx_covariate *covariate = &c->covariates[k];
    const rx_column *column = rx_frame_find(c->clinical, names->items[k]);
    RX_TRY(rx_copy_text(names->items[k], &covariate->name));
    c->n_covariates = k + 1;
    RX_TRY(RX_NEW(&covariate->number, "associate: covariates", c->n_patients));
    if (column->kind == RX_TEXT) {
      RX_TRY(take_levels(c, column, covariate));
      continue;
    }
    for (size_t p = 0; p < c->n_patients; p++)
      covariate->number[p] = column->real[c->clinical_row[p]];
  }
  return RX_OK;
}

/* ---- putting them together ---- */

static rx_status keep(const ptrdiff_t *factor_row, const ptrdiff_t *clinical_row, const reason *why,
                      rx_roster *c) {
  const rx_measures *m = c->measures;
  size_t n = 0;

  RX_TRY(RX_NEW(&c->measure, "associate: patients", m->n_patients));
  RX_TRY(RX_NEW(&c->factor, "associate: patients", m->n_patients));
  RX_TRY(RX_NEW(&c->clinical_row, "associate: patients", m->n_patients));
  RX_TRY(RX_NEW(&c->rows, "associate: patients", m->n_patients));
  for (size_t p = 0; p < m->n_patients; p++) {
    if (why[p] != IS_IN) continue;
    c->measure[n] = p;
    c->factor[n] = (size_t)factor_row[p];
    c->clinical_row[n] = clinical_row[p];
    c->rows[n++] = m->rows[p];
  }
  c->n_patients = n;
  return RX_OK;
}

/* Names the first patients for whom why[] is what, "A, B and 3 more". */
static void list_patients(const rx_frame *frame, const reason *why, reason what, char *text,
                          size_t size) {
  size_t n = 0, used = 0;

  for (size_t p = 0; p < frame->n_rows; p++) {
    if (why[p] != what || n++ >= MOST_NAMED || used >= size) continue;
    used +=
        (size_t)snprintf(text + used, size - used, "%s%.60s", n > 1 ? ", " : "", frame->names[p]);
  }
  if (n > MOST_NAMED && used < size)
    snprintf(text + used, size - used, " and %zu more", n - MOST_NAMED);
}

static void say_left_out(const rx_job *job, const rx_frame *frame, const reason *why) {
  static const char *const words[N_REASONS] = {NULL, "without factors", "outside study.subset",
                                               "without covariates"};
  char text[2048];

  for (reason r = NO_FACTORS; r < N_REASONS; r++) {
    size_t n = 0;
    for (size_t p = 0; p < frame->n_rows; p++) n += why[p] == r;
    if (!n) continue;
    list_patients(frame, why, r, text, sizeof text);
    rx_log_info(job->log, "associate: %zu patients left out %s: %s", n, words[r], text);
  }
}

/* Patients with factors that have no features. */
static rx_status say_without_features(const rx_job *job, const rx_roster *c,
                                      const unsigned char *has_any) {
  const rx_frame *frame = c->factors->obs;
  ptrdiff_t *row = NULL;
  reason *why = NULL;
  char text[2048];
  size_t n = 0;

  rx_status status = RX_NEW(&row, "associate: patients", frame->n_rows);
  if (!status) status = RX_NEW(&why, "associate: patients", frame->n_rows);
  if (!status) status = rx_frame_match(c->measures->patients, frame->n_rows, frame->names, row);
  for (size_t p = 0; p < frame->n_rows && !status; p++)
    if (row[p] < 0 && has_any[p]) why[p] = NO_FACTORS, n++;
  if (!status && n) {
    list_patients(frame, why, NO_FACTORS, text, sizeof text);
    rx_log_info(job->log, "associate: %zu patients with factors have no features: %s", n, text);
  }
  free(why);
  free(row);
  return status;
}

/* The local part: matches, marks, keeps. */
static rx_status choose_patients(const rx_job *job, const unsigned char *has_any, rx_roster *c) {
  const size_t n = c->measures->n_patients;
  char *const *names = c->measures->patients->names;
  ptrdiff_t *factor_row = NULL, *clinical_row = NULL;
  reason *why = NULL;
  rx_list covariates = {0};
  rx_status status;

  if ((status = RX_NEW(&factor_row, "associate: patients", n))) goto done;
  if ((status = RX_NEW(&clinical_row, "associate: patients", n))) goto done;
  if ((status = RX_NEW(&why, "associate: patients", n))) goto done;
  if ((status = rx_frame_match(c->factors->obs, n, names, factor_row))) goto done;
  if ((status = rx_frame_match(c->clinical, n, names, clinical_row))) goto done;
  if ((status = rx_list_create(job->config->association_covariates, ',', &covariates))) goto done;
  for (size_t p = 0; p < n; p++)
    why[p] = factor_row[p] < 0 || !has_any[factor_row[p]] ? NO_FACTORS : IS_IN;
  if ((status = mark_subset(job, c, n, clinical_row, why))) goto done;
  if ((status = mark_covariates(job, c, &covariates, n, clinical_row, why))) goto done;
  if ((status = keep(factor_row, clinical_row, why, c))) goto done;
  say_left_out(job, c->measures->patients, why);
  if ((status = say_without_features(job, c, has_any))) goto done;
  if (!c->n_patients)
    status = RX_FAIL(RX_ERR_INPUT,
                     "associate: expected patients with features, factors and covariates, found "
                     "none of %zu",
                     n);
  if (!status) status = take_covariates(&covariates, c);
done:
  rx_list_destroy(&covariates);
  free(why);
  free(clinical_row);
  free(factor_row);
  return status;
}

rx_status rx_roster_load(const rx_job *job, const char *features_path, const char *factors_path,
                         rx_roster **out) {
  unsigned char *has_any = NULL;
  rx_status status;

  if ((status = RX_NEW_AGREED(job->comm, out, "associate: patients", 1))) return status;
  rx_roster *c = *out;
  status = rx_measures_load(job->comm, features_path, job->config->association_image_covariates,
                            &c->measures);
  if (status) goto done;
  if ((status = rx_matrix_open(job->comm, factors_path, &c->factors))) goto done;
  if ((status = rx_clinical_load(job->comm, job->config->study_clinical, &c->clinical))) goto done;
  status = RX_NEW(&has_any, "associate: patients", c->factors->n_obs);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  if ((status = mark_rows_with_factors(job, c->factors, has_any))) goto done;
  status = RX_AGREE(job->comm, choose_patients(job, has_any, c));
done:
  free(has_any);
  if (status) rx_roster_destroy(out);
  return status;
}

int rx_roster_min_patients(const rx_job *job, const rx_roster *roster) {
  int n = (int)roster->n_patients, least = (n + 9) / 10;

  if (rx_config_is_named(job->config, RX_SETTING_association_min_patients))
    return job->config->association_min_patients;
  if (least < 10) least = 10;
  return least > n / 2 ? n / 2 : least;
}
