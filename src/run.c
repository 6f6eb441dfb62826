#include "run.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "radmix/error.h"
#include "radmix/signal.h"
#include "radmix/text.h"

/* A stage of the flow: what must be there before it, as settings or as files of the study. */
typedef struct {
  const char *name;
  rx_status (*run)(const rx_job *job);
  int settings[2];      /* one of these paths is given (-1: none) ... */
  const char *files[2]; /* ... and all of these files are there (NULL: none) */
  int instead;          /* a path that stands for the first file (-1: none) */
} stage;

#define S(setting) RX_SETTING_##setting
static const stage stages[] = {
    {"slice", rx_images_run, {S(images_manifest), -1}, {NULL, NULL}, -1},
    {"train", rx_autoencoder_run, {-1, -1}, {"images.h5ad", NULL}, -1},
    {"encode", rx_features_run, {-1, -1}, {"images.h5ad", "model.h5"}, -1},
    {"factors", rx_genomics_run, {S(genomics_expression), S(genomics_table)}, {NULL, NULL}, -1},
    {"associate",
     rx_association_run,
     {-1, -1},
     {"patients.h5ad", "factors.h5ad"},
     S(association_features)},
    {"cluster", rx_clustering_run, {-1, -1}, {"features.h5ad", "patients.h5ad"}, -1},
    {"predict",
     rx_prediction_run,
     {S(study_clinical), -1},
     {"features.h5ad", NULL},
     S(prediction_features)},
    {"report", rx_report_run, {-1, -1}, {NULL, NULL}, -1},
};
#undef S
enum { N_STAGES = sizeof stages / sizeof *stages };

static bool is_given(const rx_config *config, int setting) {
  char value[RX_TEXT_SIZE];

  if (setting < 0) return false;
  rx_config_value(config, setting, value);
  return *value;
}

static bool has_file(const rx_job *job, const char *name) {
  char path[4096];

  return !rx_job_path(job, name, path, sizeof path) && !access(path, F_OK);
}

/* Tells whether a stage has its inputs; else what lacks. Rank 0 looks at the disk for all. */
static bool has_inputs(const rx_job *job, const stage *s, char *lacks, size_t size) {
  int found = 1;

  *lacks = '\0';
  if (s->settings[0] >= 0 && !is_given(job->config, s->settings[0]) &&
      !is_given(job->config, s->settings[1])) {
    snprintf(lacks, size, "%s.%s is not given", rx_config_section(s->settings[0]),
             rx_config_key(s->settings[0]));
    return false;
  }
  for (int i = 0; i < 2 && job->rank == 0 && found; i++) {
    if (!s->files[i] || (i == 0 && is_given(job->config, s->instead))) continue;
    found = has_file(job, s->files[i]);
    if (!found) snprintf(lacks, size, "there is no %s", s->files[i]);
  }
  MPI_Bcast(&found, 1, MPI_INT, 0, job->comm);
  return found;
}

/* Reads study.stages: which of the stages are wanted. */
static rx_status choose(const rx_config *config, bool *wanted, bool *is_all) {
  rx_list list;
  rx_status status = RX_OK;

  *is_all = rx_is(config->study_stages, "all");
  for (int s = 0; s < N_STAGES; s++) wanted[s] = *is_all;
  if (*is_all) return RX_OK;
  RX_TRY(rx_list_create(config->study_stages, ',', &list));
  for (int i = 0; i < list.n && !status; i++) {
    int s = 0;
    while (s < N_STAGES && strcmp(stages[s].name, list.items[i])) s++;
    if (s < N_STAGES)
      wanted[s] = true;
    else
      status = RX_FAIL(RX_ERR_CONFIG,
                       "study.stages: expected all or slice,train,encode,factors,associate,cluster,"
                       "predict,report, found '%.80s'",
                       list.items[i]);
  }
  rx_list_destroy(&list);
  return status;
}

rx_status rx_run_stages(const rx_job *job) {
  bool wanted[N_STAGES], is_all;
  char lacks[256];

  RX_TRY(RX_AGREE(job->comm, choose(job->config, wanted, &is_all)));
  for (int s = 0; s < N_STAGES; s++) {
    if (!wanted[s]) continue;
    if (rx_signal_agree(job->comm))
      return RX_FAIL(RX_ERR_INTERRUPTED, "stopped before %s; the same command goes on",
                     stages[s].name);
    if (is_all && !has_inputs(job, &stages[s], lacks, sizeof lacks)) {
      rx_log_info(job->log, "run: %s left out: %s", stages[s].name, lacks);
      continue;
    }
    rx_job part = *job;
    part.start = rx_seconds();
    RX_TRY(stages[s].run(&part));
  }
  return RX_OK;
}
