#include "prediction/refit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/store.h"

enum { PATH_SIZE = 4096 };

typedef enum { AS_IT_IS, ENCODED, SCORED } kind;

struct rx_refit {
  const rx_job *job;
  rx_log log; /* says nothing but details */
  rx_job quiet;
  const rx_panel *panel;
  const rx_folds *folds;
  int n_files; /* sets but the union */
  kind *kinds; /* [n_files]; owned */
  rx_refit_parts parts;
  bool *is_made; /* [n_repeats * n_folds], in this run; owned */
};

void rx_refit_destroy(rx_refit **refit) {
  if (!*refit) return;
  free((*refit)->kinds);
  free((*refit)->is_made);
  free(*refit);
  *refit = NULL;
}

/* ---- what is learned anew ---- */

/* Tells whether path is this file of the study. */
static bool is_own(const rx_job *job, const char *path, const char *file) {
  char own[PATH_SIZE];
  struct stat a, b;

  if (rx_job_path(job, file, own, sizeof own) || stat(own, &a) || stat(path, &b)) return false;
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static kind kind_of(const rx_job *job, const rx_feature_set *set) {
  const rx_config *config = job->config;
  bool is_deep = is_own(job, set->path, "features.h5ad") || is_own(job, set->path, "patients.h5ad");

  if (is_deep && config->prediction_strict_folds) return ENCODED;
  if (*config->genomics_expression && rx_panel_count_cohort_columns(set->var) &&
      is_own(job, set->path, "factors.h5ad"))
    return SCORED;
  return AS_IT_IS;
}

static rx_status create(const rx_job *job, const rx_panel *panel, const rx_folds *folds,
                        rx_refit **out) {
  rx_refit *r;

  RX_TRY(RX_NEW(out, "outer folds", 1));
  r = *out;
  *r = (rx_refit){.job = job, .log = *job->log, .quiet = *job, .panel = panel, .folds = folds};
  r->log.is_speaker = job->log->level == RX_LOG_DETAIL && job->rank == 0;
  r->n_files = panel->n_sets - panel->has_union;
  RX_TRY(RX_NEW(&r->kinds, "outer folds", r->n_files));
  RX_TRY(RX_NEW(&r->is_made, "outer folds", folds->n_repeats * folds->n_folds));
  for (int f = 0; f < r->n_files && job->rank == 0; f++)
    r->kinds[f] = kind_of(job, &panel->sets[f]);
  return RX_OK;
}

/* ---- what it costs ---- */

/* Adds the seconds that a result of the study took, and its size. */
static void add_cost(const rx_job *job, const char *file, double *seconds, double *bytes) {
  char path[PATH_SIZE], name[64];
  struct stat about;
  rx_store *store = NULL;
  double took = 0;

  if (rx_job_path(job, file, path, sizeof path) || stat(path, &about)) return;
  *bytes += (double)about.st_size;
  if (rx_store_open(path, &store)) return;
  snprintf(name, sizeof name, "%s/seconds", rx_result_group(path));
  if (rx_store_has(store, name) && !rx_store_get_number(store, name, &took)) *seconds += took;
  rx_store_close(&store);
}

static void say_cost(const rx_refit *r) {
  int n_fits = r->folds->n_repeats * r->folds->n_folds;
  double seconds = 0, bytes = 0;
  char time[32];

  if (r->job->rank) return;
  if (r->parts.has_deep) {
    add_cost(r->job, "model.h5", &seconds, &bytes);
    add_cost(r->job, "features.h5ad", &seconds, &bytes);
    add_cost(r->job, "patients.h5ad", &(double){0}, &bytes);
  }
  for (int i = 0; i < 2 && r->parts.has_factors; i++)
    add_cost(r->job, "factors.h5ad", &seconds, &bytes);
  rx_duration(seconds * n_fits, time);
  rx_log_info(r->job->log,
              "predict: %s learned anew in each of %d outer folds (%d repeats), from its training "
              "patients alone: by the records of the study at most %s, %.3g MB in %s/refit",
              !r->parts.has_deep     ? "factors are"
              : r->parts.has_factors ? "encoder, normalisation and factors are"
                                     : "encoder and normalisation are",
              n_fits, r->folds->n_repeats, time, bytes * n_fits * 1e-6,
              r->job->config->study_directory);
}

rx_status rx_refit_create(const rx_job *job, const rx_panel *panel, const rx_folds *folds,
                          rx_refit **out) {
  rx_status status = RX_AGREE(job->comm, create(job, panel, folds, out));

  if (status) goto done;
  rx_refit *r = *out;
  r->quiet.log = &r->log;
  MPI_Bcast(r->kinds, (int)((size_t)r->n_files * sizeof *r->kinds), MPI_BYTE, 0, job->comm);
  for (int f = 0; f < r->n_files; f++) {
    r->parts.has_deep = r->parts.has_deep || r->kinds[f] == ENCODED;
    r->parts.has_factors = r->parts.has_factors || r->kinds[f] == SCORED;
  }
  if (job->config->prediction_strict_folds && !r->parts.has_deep)
    rx_log_warn(job->log, "predict: strict_folds: no features are of this study's encoder");
  if (!r->parts.has_deep && !r->parts.has_factors) {
    rx_refit_destroy(out);
    return RX_OK;
  }
  status = rx_refit_check(job, r->parts);
  if (!status) say_cost(r);
done:
  if (status) rx_refit_destroy(out);
  return status;
}

/* ---- the sets of a fold ---- */

bool rx_refit_has(const rx_refit *refit, int set) {
  if (!refit) return false;
  return set >= refit->n_files || refit->kinds[set] != AS_IT_IS;
}

/* Opens factors of a fold: learned for those that train, scored for all others. */
static rx_status open_factors(const rx_refit *r, int fit, int set, rx_feature_file **out) {
  rx_feature_file *learned = NULL, *scored = NULL;
  char path[2][PATH_SIZE];
  MPI_Comm comm = r->job->comm;

  rx_status status =
      rx_refit_path(r->job, r->folds, fit, "learned/factors.h5ad", path[0], PATH_SIZE);
  if (!status)
    status = rx_refit_path(r->job, r->folds, fit, "scored/factors.h5ad", path[1], PATH_SIZE);
  status = RX_AGREE(comm, status);
  if (!status) status = rx_feature_file_open(comm, path[0], &learned);
  if (!status) status = rx_feature_file_open(comm, path[1], &scored);
  if (!status) status = rx_feature_file_join(comm, learned, scored, r->panel->sets[set].var, out);
  rx_feature_file_destroy(&learned);
  rx_feature_file_destroy(&scored);
  return status;
}

static rx_status open_file(const rx_refit *r, int fit, int set, rx_feature_file **out) {
  const rx_feature_set *whole = &r->panel->sets[set];
  char path[PATH_SIZE];

  *out = NULL;
  if (r->kinds[set] == SCORED) return open_factors(r, fit, set, out);
  if (r->kinds[set] == AS_IT_IS) return rx_feature_file_open(r->job->comm, whole->path, out);
  RX_TRY(RX_AGREE(r->job->comm, rx_refit_path(r->job, r->folds, fit, rx_path_name(whole->path),
                                              path, sizeof path)));
  return rx_feature_file_open(r->job->comm, path, out);
}

static rx_status open_placed(const rx_refit *r, int fit, int set, rx_feature_file **file,
                             ptrdiff_t **place) {
  RX_TRY(open_file(r, fit, set, file));
  return RX_AGREE(r->job->comm, rx_panel_find_rows(r->panel, *file, place));
}

static rx_status load_file(const rx_refit *r, int fit, int set, rx_feature_set *out) {
  rx_feature_file *file = NULL;
  ptrdiff_t *place = NULL;
  rx_status status = open_placed(r, fit, set, &file, &place);

  if (!status) status = rx_panel_add_set(&r->quiet, file, place, r->panel->n_patients, out);
  free(place);
  rx_feature_file_destroy(&file);
  return status;
}

static rx_status load_union(const rx_refit *r, int fit, rx_feature_set *out) {
  rx_feature_set *sets = NULL;
  rx_feature_file *file = NULL;
  ptrdiff_t *place = NULL;
  rx_status status = RX_NEW_AGREED(r->job->comm, &sets, "feature sets", r->n_files);

  for (int f = 0; f < r->n_files && !status; f++) status = load_file(r, fit, f, &sets[f]);
  if (!status) status = open_placed(r, fit, 0, &file, &place);
  if (!status)
    status =
        rx_panel_add_union(&r->quiet, sets, r->n_files, file, place, r->panel->n_patients, out);
  for (int f = 0; sets && f < r->n_files; f++) rx_panel_clear_set(&sets[f]);
  free(sets);
  free(place);
  rx_feature_file_destroy(&file);
  return status;
}

rx_status rx_refit_set(rx_refit *r, int fit, int set, rx_feature_set *out) {
  *out = (rx_feature_set){NULL};
  if (!r->is_made[fit]) RX_TRY(rx_refit_run(r->job, r->panel, r->folds, fit, r->parts));
  r->is_made[fit] = true;
  return set < r->n_files ? load_file(r, fit, set, out) : load_union(r, fit, out);
}
