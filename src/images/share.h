/* share.h: the files that this rank reads, and their slices.
 *
 * Files are dealt by their bytes, in runs, so that the slices of rank 0, 1, .. one after the other
 * are those of the manifest in its order, at any number of ranks. */
#ifndef RADMIX_IMAGES_SHARE_H
#define RADMIX_IMAGES_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "manifest.h"
#include "radmix/job.h"
#include "radmix/status.h"
#include "slices.h"

/* What the header of a file says. */
typedef struct {
  int64_t n_bytes;   /* of its voxels, as stored */
  int64_t n_volumes; /* 1, or those of a 4-D file */
} rx_share_file;

/* Looks at the headers of all files, each rank at some.
 * files  [manifest->n_files], set on all ranks
 * Errors: as rx_nifti_open() and rx_slices_find_axis(), with the line of the manifest. Collective.
 */
rx_status rx_share_scan(const rx_job *job, const rx_manifest *manifest,
                        const rx_slice_options *options, rx_share_file *files);

/* Cuts the files of this rank. Collective.
 * Errors: as rx_slices_cut(), with the line of the manifest. */
rx_status rx_share_cut(const rx_job *job, const rx_manifest *manifest, const rx_share_file *files,
                       const rx_slice_options *options, rx_slices **out);

/* Gives rank 0 the origins of all slices, in order; NULL elsewhere. Release with free().
 * n_slices  set on all ranks; first  of this rank. Collective. */
rx_status rx_share_gather(const rx_job *job, const rx_slices *slices, rx_slice_origin **origins,
                          size_t *n_slices, size_t *first);

#endif
