/* nifti_header.h: the header of a NIfTI-1 or NIfTI-2 file, checked before it is believed. Local.
 *
 * libnifti2 describes the headers and swaps them; everything it accepts in silence is refused here:
 * dimensions of 0, wrong magic numbers, offsets inside the header, sizes that disagree, scaling by
 * NaN. ANALYZE files (a pair without a magic number) are refused too: they do not say which way
 * round the image is. */
#ifndef RADMIX_IMAGES_NIFTI_HEADER_H
#define RADMIX_IMAGES_NIFTI_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/status.h"

enum { RX_NIFTI_HEADER_SIZE = 540 }; /* of the longer of the two headers, NIfTI-2 */

typedef struct {
  bool is_swapped;  /* the file has the other byte order */
  int datatype;     /* NIFTI_TYPE_... */
  int voxel_size;   /* bytes */
  int64_t dim[4];   /* voxels along i, j, k; volumes. Each 1 .. 32767 */
  int64_t offset;   /* of the first voxel in its file, bytes */
  bool has_scaling; /* value = slope * stored + intercept; slope 0 means none */
  double slope, intercept;
  int axis[3]; /* voxel axis that runs along left-right, back-front, foot-head; -1 unknown */
} rx_nifti_header;

/* Checks the first n_bytes of a header (at most RX_NIFTI_HEADER_SIZE are looked at).
 * is_pair  the voxels are in another file
 * Errors: RX_ERR_INPUT; the message lacks the path. */
rx_status rx_nifti_header_check(const unsigned char *bytes, size_t n_bytes, bool is_pair,
                                rx_nifti_header *header);

#endif
