/* slices.h: volumes to slices of one size with values in [0,1]. Local.
 *
 * A slice is divided by its largest pixel (or by the 99th percentile of its volume), resampled, and
 * clipped to [0,1]. Its row is the later, its column the earlier of the two voxel axes that are
 * left when the axis across the slices is taken out; nothing is flipped, and a slice that is not
 * square is stretched. Negative voxels count as 0: MR magnitudes have none. */
#ifndef RADMIX_IMAGES_SLICES_H
#define RADMIX_IMAGES_SLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nifti_header.h"
#include "radmix/config.h"
#include "radmix/status.h"
#include "resample.h"

enum { RX_SLICES_IN_BLOCK = 256 };

typedef enum { RX_PLANE_ACQUIRED, RX_PLANE_SAGITTAL, RX_PLANE_CORONAL, RX_PLANE_AXIAL } rx_plane;

typedef struct {
  rx_plane plane;
  rx_resample_method method;
  int size;               /* edge of a slice, pixels */
  bool is_volume_p99;     /* the divisor; otherwise the slice's largest pixel */
  bool drops_empty;       /* slices that are 0 everywhere */
  bool accepts_nonfinite; /* as 0 */
} rx_slice_options;

/* Where a slice comes from. */
typedef struct {
  int file;   /* what the caller numbers files by */
  int volume; /* of a 4-D file, from 0 */
  int slice;  /* voxel index across the slices, from 0 */
} rx_slice_origin;

typedef struct {
  int64_t empty;     /* slices left out */
  int64_t negative;  /* voxels below 0, made 0 */
  int64_t nonfinite; /* voxels that were NaN or infinite, made 0 */
  int64_t clipped;   /* pixels outside [0,1] after resampling */
} rx_slice_counts;

/* Slices in blocks, so that memory follows what was read, not what a header claims. */
typedef struct {
  int size;
  size_t n_slices, n_blocks, block_capacity;
  float **blocks;           /* [n_blocks][RX_SLICES_IN_BLOCK][size][size], in [0,1]; owned */
  rx_slice_origin *origins; /* [n_blocks * RX_SLICES_IN_BLOCK]; owned */
  rx_slice_counts counts;
} rx_slices;

void rx_slices_options(const rx_config *config, rx_slice_options *options);

rx_status rx_slices_create(int size, rx_slices **out);
void rx_slices_destroy(rx_slices **slices);

/* Finds the voxel axis across the slices, 0 .. 2.
 * Errors: RX_ERR_INPUT when the file does not say how it lies in the body, or slices would have
 * less than 2 x 2 pixels; the message lacks the path. */
rx_status rx_slices_find_axis(const rx_nifti_header *header, rx_plane plane, int *axis);

/* Reads a file and appends its slices: volume by volume, slice by slice.
 * file  number that is noted as the origin
 * Errors: as rx_nifti_open() and rx_slices_find_axis(); RX_ERR_INPUT for voxels that are not
 * finite. */
rx_status rx_slices_cut(rx_slices *slices, const char *path, int file,
                        const rx_slice_options *options);

#endif
