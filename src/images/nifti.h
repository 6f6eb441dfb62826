/* nifti.h: the voxels of one NIfTI-1 or NIfTI-2 file. Local.
 *
 * A file is .nii, or a pair .hdr and .img, each compressed by gzip or not (its first bytes tell,
 * not its name). Voxels are read as they are stored, in either byte order, so that NaN stays NaN:
 * nifti_image_read() would make it 0. No memory is asked for before it is sure that the file can
 * hold what its header claims. */
#ifndef RADMIX_IMAGES_NIFTI_H
#define RADMIX_IMAGES_NIFTI_H

#include "nifti_header.h"
#include "radmix/status.h"

typedef struct rx_nifti rx_nifti;

/* Opens a file: reads and checks its header, and checks that the data file can hold the voxels. For
 * a pair, path may name either file. The message begins with the path.
 * Errors: RX_ERR_NOINPUT when it is not there, RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_nifti_open(const char *path, rx_nifti **out);
void rx_nifti_close(rx_nifti **nifti);

const rx_nifti_header *rx_nifti_header_of(const rx_nifti *nifti);

/* Reads the next volume, in the order of the file; after the last one also the end of its gzip.
 * voxels  [dim[2]][dim[1]][dim[0]], set; values after scaling, computed in double
 * Errors: RX_ERR_INPUT when the file is cut or damaged; the message lacks the path. */
rx_status rx_nifti_read_volume(rx_nifti *nifti, float *voxels);

#endif
