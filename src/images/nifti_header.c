#include "nifti_header.h"

#include <math.h>
#include <string.h>

#include <nifti2_io.h>

#include "radmix/error.h"

enum {
  NIFTI1_SIZE = 348,
  NIFTI2_SIZE = 540,
  MOST_VOXELS = 32767 /* along one axis: the most that NIfTI-1 can say */
};

/* What the two versions have in common, as NIfTI-2 says it. */
typedef struct {
  char magic[8];
  int64_t dim[8];
  int datatype, bitpix;
  double offset, slope, intercept;
  double pixdim[8];
  int qform_code, sform_code;
  double quaternion[6]; /* b, c, d, x, y, z */
  double srow[3][4];
} raw_header;

static void take_nifti1(const nifti_1_header *h, raw_header *raw) {
  memcpy(raw->magic, h->magic, 4);
  for (int d = 0; d < 8; d++) {
    raw->dim[d] = h->dim[d];
    raw->pixdim[d] = (double)h->pixdim[d];
  }
  raw->datatype = h->datatype;
  raw->bitpix = h->bitpix;
  raw->offset = (double)h->vox_offset;
  raw->slope = (double)h->scl_slope;
  raw->intercept = (double)h->scl_inter;
  raw->qform_code = h->qform_code;
  raw->sform_code = h->sform_code;
  const float quaternion[6] = {h->quatern_b, h->quatern_c, h->quatern_d,
                               h->qoffset_x, h->qoffset_y, h->qoffset_z};
  for (int n = 0; n < 6; n++) raw->quaternion[n] = (double)quaternion[n];
  for (int n = 0; n < 4; n++) {
    raw->srow[0][n] = (double)h->srow_x[n];
    raw->srow[1][n] = (double)h->srow_y[n];
    raw->srow[2][n] = (double)h->srow_z[n];
  }
}

static void take_nifti2(const nifti_2_header *h, raw_header *raw) {
  memcpy(raw->magic, h->magic, 8);
  memcpy(raw->dim, h->dim, sizeof raw->dim);
  memcpy(raw->pixdim, h->pixdim, sizeof raw->pixdim);
  raw->datatype = h->datatype;
  raw->bitpix = h->bitpix;
  raw->offset = (double)h->vox_offset;
  raw->slope = h->scl_slope;
  raw->intercept = h->scl_inter;
  raw->qform_code = h->qform_code;
  raw->sform_code = h->sform_code;
  const double quaternion[6] = {h->quatern_b, h->quatern_c, h->quatern_d,
                                h->qoffset_x, h->qoffset_y, h->qoffset_z};
  memcpy(raw->quaternion, quaternion, sizeof raw->quaternion);
  memcpy(raw->srow[0], h->srow_x, sizeof raw->srow[0]);
  memcpy(raw->srow[1], h->srow_y, sizeof raw->srow[1]);
  memcpy(raw->srow[2], h->srow_z, sizeof raw->srow[2]);
}

/* Tells version and byte order from the first four bytes, and takes the fields. */
static rx_status take_header(const unsigned char *bytes, size_t n_bytes, raw_header *raw,
                             int *version, bool *is_swapped) {
  int32_t size, swapped;

  if (n_bytes < sizeof size) return RX_FAIL(RX_ERR_INPUT, "not a NIfTI file: %zu bytes", n_bytes);
  memcpy(&size, bytes, sizeof size);
  swapped = (int32_t)__builtin_bswap32((uint32_t)size);
  *is_swapped = swapped == NIFTI1_SIZE || swapped == NIFTI2_SIZE;
  if (*is_swapped) size = swapped;
  *version = size == NIFTI1_SIZE ? 1 : 2;
  if (size != NIFTI1_SIZE && size != NIFTI2_SIZE)
    return RX_FAIL(RX_ERR_INPUT, "not a NIfTI file: it does not begin with 348 or 540");
  if (n_bytes < (size_t)size)
    return RX_FAIL(RX_ERR_INPUT, "the header is cut: %zu bytes of %d", n_bytes, (int)size);

  memset(raw, 0, sizeof *raw);
  if (*version == 1) {
    nifti_1_header header;
    memcpy(&header, bytes, sizeof header);
    if (*is_swapped) nifti_swap_as_nifti1(&header);
    take_nifti1(&header, raw);
  } else {
    nifti_2_header header;
    memcpy(&header, bytes, sizeof header);
    if (*is_swapped) nifti_swap_as_nifti2(&header);
    take_nifti2(&header, raw);
  }
  return RX_OK;
}

static rx_status check_magic(const raw_header *raw, int version, bool is_pair) {
  const char expected[2][2][9] = {{"n+1", "ni1"}, {"n+2\0\r\n\032\n", "ni2\0\r\n\032\n"}};
  size_t length = version == 1 ? 4 : 8;

  if (memcmp(raw->magic, expected[version - 1][is_pair], length) == 0) return RX_OK;
  if (memcmp(raw->magic, expected[version - 1][!is_pair], length) == 0)
    return RX_FAIL(RX_ERR_INPUT, is_pair ? "the header says that the voxels are in the same file"
                                         : "the header says that the voxels are in another file");
  if (memcmp(raw->magic, expected[version - 1][is_pair], 4) == 0)
    return RX_FAIL(RX_ERR_INPUT, "damaged by a transfer as text: its line ends were changed");
  if (version == 1 && is_pair)
    return RX_FAIL(RX_ERR_INPUT,
                   "an ANALYZE file, not NIfTI: convert it, since it does not say "
                   "which side is left");
  return RX_FAIL(RX_ERR_INPUT, "not a NIfTI file: no magic number '%s'",
                 expected[version - 1][is_pair]);
}

static rx_status check_dimensions(const raw_header *raw, int64_t dim[4]) {
  int64_t n_dims = raw->dim[0];

  if (n_dims < 2 || n_dims > 7)
    return RX_FAIL(RX_ERR_INPUT, "expected 2 to 4 dimensions, found %lld", (long long)n_dims);
  for (int d = 0; d < 4; d++) dim[d] = 1;
  for (int64_t d = 1; d <= n_dims; d++) {
    if (raw->dim[d] < 1 || raw->dim[d] > MOST_VOXELS)
      return RX_FAIL(RX_ERR_INPUT, "dimension %lld: expected 1 to %d voxels, found %lld",
                     (long long)d, (int)MOST_VOXELS, (long long)raw->dim[d]);
    if (d <= 4) dim[d - 1] = raw->dim[d];
    if (d > 4 && raw->dim[d] > 1)
      return RX_FAIL(RX_ERR_INPUT, "expected 2 to 4 dimensions, found a dimension %lld of %lld",
                     (long long)d, (long long)raw->dim[d]);
  }
  return RX_OK;
}

static rx_status check_datatype(int datatype, int bitpix, int *voxel_size) {
  switch (datatype) {
    case NIFTI_TYPE_UINT8:
    case NIFTI_TYPE_INT8:
      *voxel_size = 1;
      break;
    case NIFTI_TYPE_INT16:
    case NIFTI_TYPE_UINT16:
      *voxel_size = 2;
      break;
    case NIFTI_TYPE_INT32:
    case NIFTI_TYPE_UINT32:
    case NIFTI_TYPE_FLOAT32:
      *voxel_size = 4;
      break;
    case NIFTI_TYPE_INT64:
    case NIFTI_TYPE_UINT64:
    case NIFTI_TYPE_FLOAT64:
      *voxel_size = 8;
      break;
    case NIFTI_TYPE_RGB24:
    case NIFTI_TYPE_RGBA32:
      return RX_FAIL(RX_ERR_INPUT, "a colour image: expected one number a voxel");
    case NIFTI_TYPE_COMPLEX64:
    case NIFTI_TYPE_COMPLEX128:
    case NIFTI_TYPE_COMPLEX256:
      return RX_FAIL(RX_ERR_INPUT, "complex voxels: expected one real number a voxel");
    case NIFTI_TYPE_FLOAT128:
      return RX_FAIL(RX_ERR_INPUT, "voxels of 128 bits: expected at most 64");
    default:
      return RX_FAIL(RX_ERR_INPUT, "unknown type of voxels (datatype %d)", datatype);
  }
  if (bitpix != 8 * *voxel_size)
    return RX_FAIL(RX_ERR_INPUT, "datatype %d has %d bits a voxel, but bitpix is %d", datatype,
                   8 * *voxel_size, bitpix);
  return RX_OK;
}

static rx_status check_offset(const raw_header *raw, int version, bool is_pair, int64_t *offset) {
  double least = is_pair ? 0 : version == 1 ? NIFTI1_SIZE + 4 : NIFTI2_SIZE + 4;

  if (!(raw->offset >= least && raw->offset <= 0x1p53) || raw->offset != floor(raw->offset))
    return RX_FAIL(RX_ERR_INPUT, "vox_offset: expected a whole number from %.0f, found %g", least,
                   raw->offset);
  *offset = (int64_t)raw->offset;
  return RX_OK;
}

/* Which voxel axis runs along which axis of the body: from the sform, else the qform. */
static void find_axes(const raw_header *raw, int axis[3]) {
  nifti_dmat44 matrix;
  int orientation[3];
  const double *q = raw->quaternion;

  for (int d = 0; d < 3; d++) axis[d] = -1;
  memset(&matrix, 0, sizeof matrix);
  matrix.m[3][3] = 1;
  if (raw->sform_code > 0) {
    for (int row = 0; row < 3; row++) memcpy(matrix.m[row], raw->srow[row], sizeof matrix.m[row]);
  } else if (raw->qform_code > 0) {
    matrix = nifti_quatern_to_dmat44(q[0], q[1], q[2], q[3], q[4], q[5], raw->pixdim[1],
                                     raw->pixdim[2], raw->pixdim[3], raw->pixdim[0]);
  } else {
    return;
  }
  for (int n = 0; n < 12; n++)
    if (!isfinite(matrix.m[n / 4][n % 4])) return;
  nifti_dmat44_to_orientation(matrix, &orientation[0], &orientation[1], &orientation[2]);
  for (int d = 0; d < 3; d++)
    if (orientation[d] > 0)
      axis[(orientation[d] - 1) / 2] = d; /* pairs: L2R R2L, P2A A2P, I2S S2I */
}

rx_status rx_nifti_header_check(const unsigned char *bytes, size_t n_bytes, bool is_pair,
                                rx_nifti_header *header) {
  raw_header raw;
  int version = 0;

  memset(header, 0, sizeof *header);
  RX_TRY(take_header(bytes, n_bytes, &raw, &version, &header->is_swapped));
  RX_TRY(check_magic(&raw, version, is_pair));
  RX_TRY(check_dimensions(&raw, header->dim));
  RX_TRY(check_datatype(raw.datatype, raw.bitpix, &header->voxel_size));
  RX_TRY(check_offset(&raw, version, is_pair, &header->offset));
  if (!isfinite(raw.slope) || !isfinite(raw.intercept))
    return RX_FAIL(RX_ERR_INPUT, "scl_slope and scl_inter: expected numbers, found %g and %g",
                   raw.slope, raw.intercept);
  header->datatype = raw.datatype;
  header->slope = raw.slope;
  header->intercept = raw.intercept;
  header->has_scaling = raw.slope != 0 && !(raw.slope == 1 && raw.intercept == 0);
  find_axes(&raw, header->axis);
  return RX_OK;
}
