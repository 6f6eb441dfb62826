#include "share.h"

#include <limits.h>
#include <stdlib.h>

#include "nifti.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

/* Adds where the manifest names the file. */
static rx_status at_line(const rx_manifest *manifest, size_t file, rx_status status) {
  if (!status || status == RX_ERR_MEMORY) return status;
  return RX_FAIL(status, "%s:%lld: %s", manifest->table->path,
                 (long long)rx_table_line(manifest->table, manifest->files[file].row),
                 rx_error_message());
}

static rx_status scan_file(const char *path, const rx_slice_options *options, rx_share_file *file) {
  rx_nifti *nifti;
  int axis;

  RX_TRY(rx_nifti_open(path, &nifti));
  const rx_nifti_header *header = rx_nifti_header_of(nifti);
  file->n_bytes = header->voxel_size;
  for (int d = 0; d < 4; d++) file->n_bytes *= header->dim[d];
  file->n_volumes = header->dim[3];
  rx_status status = rx_slices_find_axis(header, options->plane, &axis);
  rx_nifti_close(&nifti);
  return status ? RX_FAIL(status, "%s: %s", path, rx_error_message()) : RX_OK;
}

rx_status rx_share_scan(const rx_job *job, const rx_manifest *manifest,
                        const rx_slice_options *options, rx_share_file *files) {
  size_t first, count;
  rx_status status = RX_OK;

  rx_partition(manifest->n_files, job->rank, job->n_ranks, &first, &count);
  for (size_t file = first; file < first + count && !status; file++)
    status = at_line(manifest, file, scan_file(manifest->files[file].path, options, &files[file]));
  if (!status && manifest->n_files > INT_MAX / 2)
    status = RX_FAIL(RX_ERR_INPUT, "%s: too many files", manifest->table->path);
  RX_TRY(RX_AGREE(job->comm, status));
  MPI_Allreduce(MPI_IN_PLACE, files, 2 * (int)manifest->n_files, MPI_INT64_T, MPI_SUM, job->comm);
  return RX_OK;
}

/* Gives the run of files that this rank reads. */
static rx_status find_share(const rx_job *job, const rx_manifest *manifest,
                            const rx_share_file *files, size_t *first, size_t *count) {
  size_t *weights;

  RX_TRY(RX_NEW(&weights, "files", manifest->n_files));
  for (size_t file = 0; file < manifest->n_files; file++)
    weights[file] = (size_t)files[file].n_bytes;
  rx_partition_weighted(weights, manifest->n_files, job->rank, job->n_ranks, first, count);
  free(weights);
  return RX_OK;
}

static rx_status cut_share(const rx_job *job, const rx_manifest *manifest,
                           const rx_share_file *files, const rx_slice_options *options,
                           rx_slices **out) {
  size_t first, count;

  RX_TRY(find_share(job, manifest, files, &first, &count));
  RX_TRY(rx_slices_create(options->size, out));
  /* Rank 0 speaks for all: they have the same number of bytes to read. */
  rx_progress progress = rx_progress_begin(job->log, "slice", (double)manifest->n_files, "files");
  for (size_t n = 0; n < count; n++) {
    size_t file = first + n;
    RX_TRY(at_line(manifest, file,
                   rx_slices_cut(*out, manifest->files[file].path, (int)file, options)));
    rx_progress_update(&progress, (double)manifest->n_files * (double)(n + 1) / (double)count);
  }
  rx_progress_end(&progress);
  return RX_OK;
}

rx_status rx_share_cut(const rx_job *job, const rx_manifest *manifest, const rx_share_file *files,
                       const rx_slice_options *options, rx_slices **out) {
  *out = NULL;
  rx_status status = RX_AGREE(job->comm, cut_share(job, manifest, files, options, out));
  if (status) rx_slices_destroy(out);
  return status;
}

/* Room on rank 0: counts and starts, in ints, of what each rank sends. */
static rx_status make_room(const rx_job *job, int64_t n_slices, int **counts, int **starts,
                           rx_slice_origin **origins) {
  if (n_slices > INT_MAX / 3)
    return RX_FAIL(RX_ERR_INPUT, "too many slices: %lld", (long long)n_slices);
  if (job->rank != 0) return RX_OK;
  RX_TRY(RX_NEW(counts, "slices", job->n_ranks));
  RX_TRY(RX_NEW(starts, "slices", job->n_ranks));
  return RX_NEW(origins, "slices", n_slices);
}

rx_status rx_share_gather(const rx_job *job, const rx_slices *slices, rx_slice_origin **origins,
                          size_t *n_slices, size_t *first) {
  int64_t mine = (int64_t)slices->n_slices, all, before = 0;
  int *counts = NULL, *starts = NULL, n_mine = 3 * (int)mine;

  *origins = NULL;
  MPI_Allreduce(&mine, &all, 1, MPI_INT64_T, MPI_SUM, job->comm);
  MPI_Exscan(&mine, &before, 1, MPI_INT64_T, MPI_SUM, job->comm);
  *n_slices = (size_t)all;
  *first = job->rank ? (size_t)before : 0;
  rx_status status = RX_AGREE(job->comm, make_room(job, all, &counts, &starts, origins));
  if (!status) {
    MPI_Gather(&n_mine, 1, MPI_INT, counts, 1, MPI_INT, 0, job->comm);
    for (int rank = 1; job->rank == 0 && rank < job->n_ranks; rank++)
      starts[rank] = starts[rank - 1] + counts[rank - 1];
    MPI_Gatherv(slices->origins, n_mine, MPI_INT, *origins, counts, starts, MPI_INT, 0, job->comm);
  }
  free(counts);
  free(starts);
  return status;
}
