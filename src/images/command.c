/* radmix slice: the manifest and its volumes become images.h5ad. */
#include <stdio.h>
#include <stdlib.h>

#include "manifest.h"
#include "radmix/error.h"
#include "radmix/images.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "share.h"
#include "slices.h"

enum { FORMAT = 1, PATH_SIZE = 4096, NAME_SIZE = 4096 };

/* All that the stage makes on its way. */
typedef struct {
  rx_slice_options options;
  char path[PATH_SIZE]; /* of the result */
  rx_manifest *manifest;
  rx_share_file *files; /* [manifest->n_files] */
  rx_recipe *recipe;
  rx_slices *slices;        /* of this rank */
  rx_slice_origin *origins; /* [n_slices], rank 0 only */
  size_t n_slices, first;   /* of all ranks; the first of this rank */
  rx_frame *obs, *var;      /* rank 0 only */
} images;

static void destroy_images(images *i) {
  rx_frame_destroy(&i->var);
  rx_frame_destroy(&i->obs);
  free(i->origins);
  rx_slices_destroy(&i->slices);
  rx_recipe_destroy(&i->recipe);
  free(i->files);
  rx_manifest_destroy(&i->manifest);
}

static rx_status load_manifest(const rx_job *job, images *i) {
  rx_status status = rx_job_path(job, "images.h5ad", i->path, sizeof i->path);

  if (!status && !job->config->images_manifest[0])
    status = RX_FAIL(RX_ERR_CONFIG, "images.manifest: expected a table of volumes, found nothing");
  RX_TRY(RX_AGREE(job->comm, status));
  rx_slices_options(job->config, &i->options);
  RX_TRY(rx_manifest_load(job->comm, job->config->images_manifest, job->config->images_where,
                          &i->manifest));
  RX_TRY(RX_NEW_AGREED(job->comm, &i->files, "files", i->manifest->n_files));
  return rx_share_scan(job, i->manifest, &i->options, i->files);
}

static rx_status make_recipe(const rx_job *job, images *i) {
  const rx_manifest *manifest = i->manifest;
  char **paths = NULL;

  rx_status status = rx_recipe_create("slice", FORMAT, &i->recipe);
  if (!status) status = rx_recipe_section(i->recipe, job->config, "images");
  if (!status) status = RX_NEW(&paths, "files", manifest->n_files);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  for (size_t file = 0; file < manifest->n_files; file++) paths[file] = manifest->files[file].path;
  status = rx_recipe_input(job->comm, i->recipe, "images.manifest", manifest->table->path);
  if (!status) status = rx_recipe_inputs(job->comm, i->recipe, "volumes", manifest->n_files, paths);
done:
  free(paths);
  return status;
}

/* Names and describes the slices: PATIENT|VOLUME|SLICE. */
static rx_status describe_slices(images *i) {
  const rx_manifest *manifest = i->manifest;
  rx_column *patient, *volume, *number;
  char name[NAME_SIZE], volume_name[NAME_SIZE];
  size_t *file;

  RX_TRY(rx_frame_create(i->n_slices, &i->obs));
  RX_TRY(rx_frame_add(i->obs, "patient", RX_TEXT, NULL));
  RX_TRY(rx_frame_add(i->obs, "volume", RX_TEXT, NULL));
  RX_TRY(rx_frame_add(i->obs, "slice", RX_INTEGER, NULL));
  patient = rx_frame_find(i->obs, "patient");
  volume = rx_frame_find(i->obs, "volume");
  number = rx_frame_find(i->obs, "slice");
  for (size_t slice = 0; slice < i->n_slices; slice++) {
    rx_slice_origin from = i->origins[slice];
    const rx_manifest_file *of = &manifest->files[from.file];
    if (i->files[from.file].n_volumes > 1)
      snprintf(volume_name, sizeof volume_name, "%s:%d", of->volume, from.volume);
    else
      snprintf(volume_name, sizeof volume_name, "%s", of->volume);
    snprintf(name, sizeof name, "%.1500s|%.1500s|%d", manifest->patients[of->patient], volume_name,
             from.slice);
    RX_TRY(rx_frame_name(i->obs, slice, name));
    RX_TRY(rx_frame_set_text(i->obs, patient, slice, manifest->patients[of->patient]));
    RX_TRY(rx_frame_set_text(i->obs, volume, slice, volume_name));
    number->integer[slice] = from.slice;
  }
  RX_TRY(RX_NEW(&file, "slices", i->n_slices));
  for (size_t slice = 0; slice < i->n_slices; slice++) file[slice] = (size_t)i->origins[slice].file;
  rx_status status = rx_manifest_describe(manifest, file, i->obs);
  free(file);
  return status;
}

static rx_status describe_pixels(images *i) {
  size_t size = (size_t)i->options.size;
  rx_column *row, *column;
  char name[64];

  RX_TRY(rx_frame_create(size * size, &i->var));
  RX_TRY(rx_frame_add(i->var, "row", RX_INTEGER, NULL));
  RX_TRY(rx_frame_add(i->var, "column", RX_INTEGER, NULL));
  row = rx_frame_find(i->var, "row");
  column = rx_frame_find(i->var, "column");
  for (size_t pixel = 0; pixel < size * size; pixel++) {
    row->integer[pixel] = (int64_t)(pixel / size);
    column->integer[pixel] = (int64_t)(pixel % size);
    snprintf(name, sizeof name, "r%zuc%zu", pixel / size, pixel % size);
    RX_TRY(rx_frame_name(i->var, pixel, name));
  }
  return RX_OK;
}

/* Warns of patients all of whose slices are empty; rank 0. */
static rx_status count_patients(const rx_job *job, const images *i, size_t *n_patients) {
  const rx_manifest *manifest = i->manifest;
  bool *has_slices;

  RX_TRY(RX_NEW(&has_slices, "patients", manifest->n_patients));
  for (size_t slice = 0; slice < i->n_slices; slice++)
    has_slices[manifest->files[i->origins[slice].file].patient] = true;
  *n_patients = 0;
  for (size_t patient = 0; patient < manifest->n_patients; patient++) {
    if (has_slices[patient])
      (*n_patients)++;
    else
      rx_log_warn(job->log, "slice: patient %s has no slice that is not empty",
                  manifest->patients[patient]);
  }
  free(has_slices);
  return RX_OK;
}

static rx_status describe(const rx_job *job, images *i, size_t *n_patients) {
  rx_status status = RX_OK;

  if (i->n_slices == 0)
    status =
        RX_FAIL(RX_ERR_INPUT, "%s: all slices of its volumes are empty", i->manifest->table->path);
  if (job->rank == 0) {
    if (!status) status = count_patients(job, i, n_patients);
    if (!status) status = describe_slices(i);
    if (!status) status = describe_pixels(i);
  }
  return RX_AGREE(job->comm, status);
}

static rx_status write_images(const rx_job *job, images *i) {
  size_t n_pixels = (size_t)i->options.size * (size_t)i->options.size;
  const rx_array array = {"X", RX_FLOAT32, i->n_slices, n_pixels, 0};
  const rx_matrix_layout layout = {i->obs, i->var, 1, &array};
  const rx_slices *slices = i->slices;
  uint64_t n_rounds = slices->n_blocks;
  rx_matrix *matrix;

  RX_TRY(rx_matrix_create(job, i->path, &layout, &matrix));
  MPI_Allreduce(MPI_IN_PLACE, &n_rounds, 1, MPI_UINT64_T, MPI_MAX, job->comm);
  rx_status status = RX_OK;
  for (size_t block = 0; block < n_rounds && !status; block++) {
    size_t start = block * RX_SLICES_IN_BLOCK, n = 0;
    if (start < slices->n_slices)
      n = slices->n_slices - start < RX_SLICES_IN_BLOCK ? slices->n_slices - start
                                                        : RX_SLICES_IN_BLOCK;
    status = rx_matrix_write(matrix, "X", RX_FLOAT32, n ? i->first + start : 0, n, 0, n_pixels,
                             n ? slices->blocks[block] : NULL);
  }
  if (!status) return rx_matrix_commit(&matrix, i->recipe);
  rx_matrix_destroy(&matrix);
  return status;
}

static void say_counts(const rx_job *job, const images *i) {
  rx_slice_counts counts = i->slices->counts;

  MPI_Allreduce(MPI_IN_PLACE, &counts, sizeof counts / sizeof(int64_t), MPI_INT64_T, MPI_SUM,
                job->comm);
  if (counts.empty)
    rx_log_info(job->log, "slice: %lld slices left out that are 0 everywhere",
                (long long)counts.empty);
  if (counts.clipped)
    rx_log_info(job->log, "slice: %lld pixels clipped to [0,1] after resampling",
                (long long)counts.clipped);
  if (counts.negative)
    rx_log_warn(job->log, "slice: %lld voxels below 0 count as 0", (long long)counts.negative);
  if (counts.nonfinite)
    rx_log_warn(job->log, "slice: %lld voxels that are NaN or infinite count as 0",
                (long long)counts.nonfinite);
}

static rx_status make_images(const rx_job *job, images *i) {
  const rx_manifest *manifest = i->manifest;
  size_t n_patients = 0;
  char done[256];

  rx_log_info(job->log, "slice: %zu files of %zu patients", manifest->n_files,
              manifest->n_patients);
  RX_TRY(rx_share_cut(job, manifest, i->files, &i->options, &i->slices));
  RX_TRY(rx_share_gather(job, i->slices, &i->origins, &i->n_slices, &i->first));
  say_counts(job, i);
  RX_TRY(describe(job, i, &n_patients));
  RX_TRY(write_images(job, i));
  snprintf(done, sizeof done, "%zu slices of %zu patients from %zu files", i->n_slices, n_patients,
           manifest->n_files);
  rx_job_totals(job, "slice", done, i->path);
  return RX_OK;
}

rx_status rx_images_run(const rx_job *job) {
  images i = {0};
  bool is_current = false;

  rx_status status = load_manifest(job, &i);
  if (!status) status = make_recipe(job, &i);
  if (!status) status = rx_result_check(job, i.recipe, i.path, &is_current);
  if (!status && !is_current) status = make_images(job, &i);
  destroy_images(&i);
  return status;
}
