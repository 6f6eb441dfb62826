/* The stages of an outer fold, run in its folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prediction/refit.h"
#include "radmix/autoencoder.h"
#include "radmix/error.h"
#include "radmix/features.h"
#include "radmix/genomics.h"
#include "radmix/memory.h"
#include "radmix/result.h"

enum { PATH_SIZE = 4096 };

rx_status rx_refit_path(const rx_job *job, const rx_folds *folds, int fit, const char *file,
                        char *path, size_t size) {
  char name[256];

  snprintf(name, sizeof name, "refit/repeat-%d-fold-%d%s%.200s", fit / folds->n_folds + 1,
           fit % folds->n_folds + 1, *file ? "/" : "", file);
  return rx_job_path(job, name, path, size);
}

/* ---- the study itself ---- */

rx_status rx_refit_check(const rx_job *job, rx_refit_parts parts) {
  static const char *const needed[] = {"images.h5ad", "model.h5", "features.h5ad", "patients.h5ad"};
  char path[PATH_SIZE];
  rx_job check = *job;
  rx_status status = RX_OK;

  check.force = RX_FORCE_NEVER;
  for (size_t i = 0; i < sizeof needed / sizeof *needed && parts.has_deep && !status; i++) {
    status = rx_job_path(job, needed[i], path, sizeof path);
    if (!status && job->rank == 0 && access(path, F_OK))
      status = RX_FAIL(RX_ERR_NOINPUT,
                       "%s: expected for prediction.strict_folds, found none: run slice, train and "
                       "encode before",
                       path);
  }
  RX_TRY(RX_AGREE(job->comm, status));
  if (parts.has_deep) RX_TRY(rx_autoencoder_run(&check));
  if (parts.has_deep) RX_TRY(rx_features_run(&check));
  return parts.has_factors ? rx_genomics_run(&check) : RX_OK;
}

/* ---- a fold ---- */

/* A run of stages in a folder of its own. */
typedef struct {
  rx_config *config; /* owned */
  rx_log log;
  rx_job job;
} fold_run;

static rx_status put_path(const char *path, char setting[RX_TEXT_SIZE]) {
  if (strlen(path) >= RX_TEXT_SIZE)
    return RX_FAIL(RX_ERR_CONFIG, "study.directory: expected a shorter path");
  memcpy(setting, path, strlen(path) + 1);
  return RX_OK;
}

/* folder  of the fold, "" or "learned" or "scored" */
static rx_status make_run(const rx_job *job, const rx_folds *folds, int fit, const char *folder,
                          fold_run *r) {
  char path[PATH_SIZE];

  RX_TRY(RX_NEW(&r->config, "settings", 1));
  *r->config = *job->config;
  RX_TRY(rx_refit_path(job, folds, fit, folder, path, sizeof path));
  RX_TRY(put_path(path, r->config->study_directory));
  RX_TRY(rx_refit_path(job, folds, fit, "training.tsv", path, sizeof path));
  RX_TRY(put_path(path, r->config->study_training));
  return job->rank == 0 ? rx_output_folder(r->config->study_directory) : RX_OK;
}

/* What a stage says is of no interest here; results that differ are made again. */
static rx_status begin_run(const rx_job *job, const rx_folds *folds, int fit, const char *folder,
                           fold_run *r) {
  *r = (fold_run){.config = NULL};
  rx_status status = RX_AGREE(job->comm, make_run(job, folds, fit, folder, r));
  r->log = *job->log;
  r->log.is_speaker = job->log->level == RX_LOG_DETAIL && job->rank == 0;
  r->job = *job;
  r->job.config = r->config;
  r->job.log = &r->log;
  r->job.start = rx_seconds();
  r->job.force = RX_FORCE_DIFFERS;
  return status;
}

static void end_run(fold_run *r) {
  free(r->config);
  r->config = NULL;
}

/* Writes the patients that train. */
static rx_status write_training(const rx_job *job, const rx_panel *panel, const rx_folds *folds,
                                int fit) {
  const int *fold = folds->fold + (size_t)(fit / folds->n_folds) * panel->n_patients;
  char path[PATH_SIZE];
  FILE *file;

  RX_TRY(rx_refit_path(job, folds, fit, "", path, sizeof path));
  RX_TRY(rx_output_folder(path));
  RX_TRY(rx_refit_path(job, folds, fit, "training.tsv", path, sizeof path));
  RX_TRY(rx_output_open(path, &file));
  fputs("patient\n", file);
  for (size_t i = 0; i < panel->n_patients; i++)
    if (fold[i] >= 0 && fold[i] != fit % folds->n_folds) fprintf(file, "%s\n", panel->patients[i]);
  return rx_output_close(path, &file, RX_OK);
}

static rx_status link_images(const rx_job *job) {
  static const char target[] = "../../images.h5ad";
  char path[PATH_SIZE];

  RX_TRY(rx_job_path(job, "images.h5ad", path, sizeof path));
  unlink(path);
  if (symlink(target, path))
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be made a link to %s: %s", path, target,
                   strerror(errno));
  return RX_OK;
}

static rx_status run_deep(const rx_job *job, const rx_folds *folds, int fit) {
  fold_run r;
  rx_status status = begin_run(job, folds, fit, "", &r);

  if (!status) status = RX_AGREE(job->comm, job->rank == 0 ? link_images(&r.job) : RX_OK);
  if (!status) status = rx_autoencoder_run(&r.job);
  if (!status) status = rx_features_run(&r.job);
  end_run(&r);
  return status;
}

/* Scores all patients by what was learned from those that train. */
static rx_status score_all(const rx_job *job, const rx_folds *folds, int fit) {
  char path[PATH_SIZE];
  fold_run r;
  rx_status status = begin_run(job, folds, fit, "scored", &r);

  if (!status) status = rx_refit_path(job, folds, fit, "learned/factors.h5ad", path, sizeof path);
  if (!status) status = put_path(path, r.config->genomics_apply);
  status = RX_AGREE(job->comm, status);
  if (!status) *r.config->study_training = '\0';
  if (!status) status = rx_genomics_run(&r.job);
  end_run(&r);
  return status;
}

static rx_status run_factors(const rx_job *job, const rx_folds *folds, int fit) {
  fold_run r;
  rx_status status = begin_run(job, folds, fit, "learned", &r);

  if (!status) status = rx_genomics_run(&r.job);
  end_run(&r);
  return status ? status : score_all(job, folds, fit);
}

rx_status rx_refit_run(const rx_job *job, const rx_panel *panel, const rx_folds *folds, int fit,
                       rx_refit_parts parts) {
  rx_status status = job->rank == 0 ? write_training(job, panel, folds, fit) : RX_OK;

  RX_TRY(RX_AGREE(job->comm, status));
  if (parts.has_deep) RX_TRY(run_deep(job, folds, fit));
  return parts.has_factors ? run_factors(job, folds, fit) : RX_OK;
}
