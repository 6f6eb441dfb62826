#include "volume.h"

#include <errno.h>
#include <string.h>

#include <nifti2_io.h>
#include <zlib.h>

#include "radmix/error.h"

static nifti_1_header describe(int edge, int n_slices) {
  const float in_plane = 1.5f, between = 3;
  nifti_1_header header = {.sizeof_hdr = sizeof header,
                           .dim = {3, (short)edge, (short)edge, (short)n_slices, 1, 1, 1, 1},
                           .datatype = NIFTI_TYPE_INT16,
                           .bitpix = 16,
                           .pixdim = {1, in_plane, in_plane, between, 1, 1, 1, 1},
                           .vox_offset = 352,
                           .scl_slope = 1,
                           .xyzt_units = NIFTI_UNITS_MM,
                           .descrip = "simulated by radmix",
                           .qform_code = NIFTI_XFORM_SCANNER_ANAT,
                           .sform_code = NIFTI_XFORM_SCANNER_ANAT,
                           .srow_x = {in_plane, 0, 0, 0},
                           .srow_y = {0, in_plane, 0, 0},
                           .srow_z = {0, 0, between, 0},
                           .magic = "n+1"};
  return header;
}

rx_status rx_volume_write(const char *path, const short *pixels, int edge, int n_slices) {
  nifti_1_header header = describe(edge, n_slices);
  size_t n_slice = (size_t)edge * (size_t)edge * sizeof *pixels;

  errno = 0;
  gzFile file = gzopen(path, "wb1"); /* noise hardly shrinks: the fastest level */
  if (!file) return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
  int failed = gzwrite(file, &header, sizeof header) <= 0 || gzwrite(file, "\0\0\0", 4) <= 0;
  for (int slice = 0; slice < n_slices && !failed; slice++)
    failed = gzwrite(file, (const char *)pixels + (size_t)slice * n_slice, (unsigned)n_slice) <= 0;
  if (gzclose(file) != Z_OK || failed)
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path,
                   errno ? strerror(errno) : "zlib refused");
  return RX_OK;
}
