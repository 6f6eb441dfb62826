/* radmix simulate: a cohort whose truth is known, whole or not at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features.h"
#include "folder.h"
#include "picture.h"
#include "population.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/result.h"
#include "radmix/simulation.h"
#include "radmix/store.h"
#include "tables.h"
#include "volume.h"

enum { FORMAT = 1, PATH_SIZE = 4096 };

typedef struct {
  char folder[PATH_SIZE - 64]; /* study.directory/simulated */
  char part[PATH_SIZE - 32];   /* the same while it is made */
  char record[PATH_SIZE];      /* simulation.h5 in it, at the end */
  rx_recipe *recipe;
  rx_population *population;
  size_t first, count; /* patients of this rank */
} simulation;

static rx_status prepare(const rx_job *job, simulation *s) {
  char seed[32];

  RX_TRY(rx_job_path(job, "simulated", s->folder, sizeof s->folder));
  snprintf(s->part, sizeof s->part, "%s.part", s->folder);
  snprintf(s->record, sizeof s->record, "%s/simulation.h5", s->folder);
  snprintf(seed, sizeof seed, "%d", job->config->study_seed);
  RX_TRY(rx_recipe_create("simulate", FORMAT, &s->recipe));
  RX_TRY(rx_recipe_section(s->recipe, job->config, "simulation"));
  return rx_recipe_add(s->recipe, "study.seed", seed);
}

/* Patients are dealt by their images. */
static rx_status find_share(const rx_job *job, simulation *s) {
  const rx_population *p = s->population;
  size_t *weights;

  RX_TRY(RX_NEW(&weights, "patients", p->n_patients));
  for (size_t n = 0; n < p->n_patients; n++) weights[n] = (size_t)p->n_images[n];
  rx_partition_weighted(weights, p->n_patients, job->rank, job->n_ranks, &s->first, &s->count);
  free(weights);
  return RX_OK;
}

static rx_status write_tables(const rx_config *config, const simulation *s) {
  const rx_population *p = s->population;
  char nifti[PATH_SIZE];
  size_t n_features = (size_t)config->simulation_features;

  snprintf(nifti, sizeof nifti, "%s/nifti", s->part);
  RX_TRY(rx_folder_remove(s->part));
  RX_TRY(rx_output_folder(n_features ? s->part : nifti));
  RX_TRY(n_features ? rx_features_write_truth(p, n_features, s->part)
                    : rx_tables_manifest(p, s->part));
  RX_TRY(rx_tables_clinical(p, s->part));
  RX_TRY(rx_tables_expression(p, s->part));
  RX_TRY(rx_tables_sets(p, (size_t)config->simulation_sets, s->part));
  RX_TRY(rx_tables_truth(p, s->part));
  return rx_tables_properties(p, s->part);
}

static rx_status paint_patient(const simulation *s, size_t patient) {
  const rx_population *p = s->population;
  int n_slices = p->n_images[patient];
  size_t n_pixels = (size_t)RX_PICTURE_EDGE * RX_PICTURE_EDGE;
  char path[PATH_SIZE + 64], name[RX_PATIENT_NAME_SIZE];
  double *properties;
  short *pixels = NULL;
  rx_anatomy anatomy;

  RX_TRY(RX_NEW(&properties, "properties", n_slices * RX_N_PROPERTIES));
  rx_status status = RX_NEW(&pixels, "slices", (size_t)n_slices * n_pixels);
  if (!status) {
    rx_population_slices(p, patient, properties);
    rx_picture_anatomy(p, patient, &anatomy);
    for (int slice = 0; slice < n_slices; slice++) {
      rx_random noise =
          rx_random_at(p->seed, RX_SIMULATE_NOISE, (uint32_t)patient, (uint32_t)slice);
      rx_picture_paint(pixels + (size_t)slice * n_pixels, &anatomy,
                       properties + slice * RX_N_PROPERTIES, slice, n_slices, &noise);
    }
    rx_population_patient(patient, name);
    snprintf(path, sizeof path, "%s/nifti/%s.nii.gz", s->part, name);
    status = rx_volume_write(path, pixels, RX_PICTURE_EDGE, n_slices);
  }
  free(properties);
  free(pixels);
  return status;
}

static rx_status paint_share(const rx_job *job, const simulation *s) {
  rx_status status = RX_OK;
  rx_progress progress = rx_progress_begin(job->log, "simulate", (double)s->count, "patients");

  for (size_t n = 0; n < s->count && !status; n++) {
    status = paint_patient(s, s->first + n);
    rx_progress_update(&progress, (double)(n + 1));
  }
  rx_progress_end(&progress);
  return status;
}

/* The rows of this rank's patients, in memory. */
static rx_status format_share(const rx_job *job, const simulation *s, char **text, size_t *size) {
  size_t n_features = (size_t)job->config->simulation_features;
  FILE *memory = open_memstream(text, size);

  if (!memory) return RX_FAIL(RX_ERR_MEMORY, "simulate: no memory for a table");
  if (job->rank == 0) rx_features_write_header(n_features, memory);
  rx_status status = RX_OK;
  for (size_t n = 0; n < s->count && !status; n++)
    status = rx_features_write_patient(s->population, n_features, s->first + n, memory);
  if (fclose(memory) && !status) status = RX_FAIL(RX_ERR_MEMORY, "simulate: no memory for a table");
  return status;
}

static rx_status append(const simulation *s, const char *text, size_t size) {
  char path[PATH_SIZE];

  snprintf(path, sizeof path, "%s/features.tsv", s->part);
  errno = 0;
  FILE *file = fopen(path, "a");
  int failed = !file || fwrite(text, 1, size, file) != size;
  if ((file && fclose(file)) || failed)
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
  return RX_OK;
}

/* Each rank makes its rows at the same time, then they append them in turn. Collective. */
static rx_status write_features(const rx_job *job, const simulation *s) {
  char *text = NULL;
  size_t size = 0;

  rx_status status = RX_AGREE(job->comm, format_share(job, s, &text, &size));
  for (int rank = 0; rank < job->n_ranks && !status; rank++)
    status = RX_AGREE(job->comm, rank == job->rank ? append(s, text, size) : RX_OK);
  free(text);
  return status;
}

/* The last file, by which the folder is known to be whole; then the folder gets its name. */
static rx_status finish(const rx_job *job, const simulation *s, size_t memory) {
  const rx_population *p = s->population;
  const size_t shape[2] = {RX_N_PROPERTIES, p->n_patients};
  char path[PATH_SIZE];
  rx_store *store;

  snprintf(path, sizeof path, "%s/simulation.h5", s->part);
  RX_TRY(rx_store_create(path, &store));
  rx_status status = rx_store_put(store, "properties", RX_FLOAT64, 2, shape, p->properties);
  if (!status) status = rx_result_record(store, job, s->recipe, memory);
  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
  return status ? status : rx_folder_replace(s->folder);
}

static rx_status write_cohort(const rx_job *job, simulation *s) {
  RX_TRY(RX_AGREE(job->comm, find_share(job, s)));
  RX_TRY(RX_AGREE(job->comm, job->rank == 0 ? write_tables(job->config, s) : RX_OK));
  if (job->config->simulation_features)
    RX_TRY(write_features(job, s));
  else
    RX_TRY(RX_AGREE(job->comm, paint_share(job, s)));
  size_t memory = rx_result_memory(job->comm);
  return RX_AGREE(job->comm, job->rank == 0 ? finish(job, s, memory) : RX_OK);
}

static rx_status make_cohort(const rx_job *job, simulation *s) {
  char done[256];
  int64_t n_images = 0;

  RX_TRY(RX_AGREE(job->comm, rx_population_create(job->config, &s->population)));
  const rx_population *p = s->population;
  rx_status status = write_cohort(job, s);
  if (status) {
    if (job->rank == 0 && rx_folder_remove(s->part))
      rx_log_warn(job->log, "simulate: %s is left behind", s->part);
    return status; /* the message is the one that was agreed on */
  }
  for (size_t n = 0; n < p->n_patients; n++) n_images += p->n_images[n];
  snprintf(done, sizeof done, "%zu patients, %lld images, %zu genes of which %zu are planted",
           p->n_patients, (long long)n_images, p->n_genes, p->n_links);
  rx_job_totals(job, "simulate", done, s->record);
  return RX_OK;
}

rx_status rx_simulation_run(const rx_job *job) {
  simulation s = {0};
  bool is_current = false;

  rx_status status = RX_AGREE(job->comm, prepare(job, &s));
  if (!status) status = rx_result_check(job, s.recipe, s.record, &is_current);
  if (!status && !is_current) status = make_cohort(job, &s);
  rx_population_destroy(&s.population);
  rx_recipe_destroy(&s.recipe);
  return status;
}
