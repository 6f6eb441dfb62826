/* images.h: MR volumes to the slices that the autoencoder learns from.
 *
 * Each file of the manifest is cut into slices, across its third axis or across a plane of the
 * body. A slice is divided by its largest pixel and resampled to 64 x 64 by area averages (or by
 * cubic splines, as Liu & Hu 2023 did), then clipped to [0,1]. A slice that is 0 everywhere is left
 * out and counted. The result, images.h5ad, has the slices in its rows, patients in the order in
 * which the manifest first names them; its columns are the pixels, row by row. The row of a pixel
 * is its place along the later of the two voxel axes of a slice, the column along the earlier. */
#ifndef RADMIX_IMAGES_H
#define RADMIX_IMAGES_H

#include "radmix/job.h"
#include "radmix/status.h"

/* Reads images.manifest and writes images.h5ad, unless it is up to date. Collective.
 * Errors: RX_ERR_CONFIG, RX_ERR_NOINPUT, RX_ERR_INPUT (with file and line of the manifest),
 * RX_ERR_EXISTS, RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_images_run(const rx_job *job);

#endif
