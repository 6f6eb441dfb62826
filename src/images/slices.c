#include "slices.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nifti.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* One volume, and what it takes to cut it. */
typedef struct {
  size_t dim[3];    /* voxels along i, j, k */
  size_t stride[3]; /* voxels between neighbours along i, j, k */
  int across;       /* voxel axis across the slices */
  int row, column;  /* voxel axes along a slice's rows (downwards) and columns */
  float *voxels;    /* [dim[2]][dim[1]][dim[0]]; owned */
  double *image;    /* [dim[row]][dim[column]]: one slice; owned */
  rx_resampler *resampler;
} volume;

void rx_slices_options(const rx_config *config, rx_slice_options *options) {
  const char *plane = config->images_plane;

  options->plane = rx_is(plane, "sagittal")  ? RX_PLANE_SAGITTAL
                   : rx_is(plane, "coronal") ? RX_PLANE_CORONAL
                   : rx_is(plane, "axial")   ? RX_PLANE_AXIAL
                                             : RX_PLANE_ACQUIRED;
  options->method = rx_is(config->images_resample, "cubic") ? RX_RESAMPLE_CUBIC : RX_RESAMPLE_AREA;
  options->size = config->images_size;
  options->is_volume_p99 = rx_is(config->images_intensity, "volume-p99");
  options->drops_empty = config->images_drop_empty;
  options->accepts_nonfinite = rx_is(config->images_nonfinite, "zero");
}

rx_status rx_slices_create(int size, rx_slices **out) {
  RX_TRY(RX_NEW(out, "slices", 1));
  (*out)->size = size;
  return RX_OK;
}

void rx_slices_destroy(rx_slices **slices) {
  if (!*slices) return;
  for (size_t block = 0; block < (*slices)->n_blocks; block++) free((*slices)->blocks[block]);
  free((*slices)->blocks);
  free((*slices)->origins);
  free(*slices);
  *slices = NULL;
}

rx_status rx_slices_find_axis(const rx_nifti_header *header, rx_plane plane, int *axis) {
  *axis = plane == RX_PLANE_ACQUIRED ? 2 : header->axis[plane - RX_PLANE_SAGITTAL];
  if (*axis < 0)
    return RX_FAIL(RX_ERR_INPUT,
                   "it does not say how it lies in the body (qform_code and "
                   "sform_code are 0): use images.plane = acquired");
  for (int d = 0; d < 3; d++)
    if (d != *axis && header->dim[d] < 2)
      return RX_FAIL(RX_ERR_INPUT,
                     "expected slices of 2 x 2 pixels or more, found voxels %lld x "
                     "%lld x %lld cut across axis %d",
                     (long long)header->dim[0], (long long)header->dim[1],
                     (long long)header->dim[2], *axis + 1);
  return RX_OK;
}

static rx_status grow_table(rx_slices *slices) {
  size_t capacity = slices->block_capacity ? 2 * slices->block_capacity : 16;
  float **blocks;
  rx_slice_origin *origins;

  RX_TRY(RX_NEW(&blocks, "slices", capacity));
  rx_status status = RX_NEW(&origins, "slices", capacity * RX_SLICES_IN_BLOCK);
  if (status) {
    free(blocks);
    return status;
  }
  if (slices->n_blocks) {
    memcpy(blocks, slices->blocks, slices->n_blocks * sizeof *blocks);
    memcpy(origins, slices->origins, slices->n_slices * sizeof *origins);
  }
  free(slices->blocks);
  free(slices->origins);
  slices->blocks = blocks;
  slices->origins = origins;
  slices->block_capacity = capacity;
  return RX_OK;
}

/* Gives the place of the next slice; the caller counts it when it is filled. */
static rx_status find_room(rx_slices *slices, float **pixels) {
  size_t n_pixels = (size_t)slices->size * (size_t)slices->size;

  if (slices->n_slices == slices->n_blocks * RX_SLICES_IN_BLOCK) {
    if (slices->n_blocks == slices->block_capacity) RX_TRY(grow_table(slices));
    RX_TRY(RX_NEW(&slices->blocks[slices->n_blocks], "slices", RX_SLICES_IN_BLOCK * n_pixels));
    slices->n_blocks++;
  }
  *pixels = slices->blocks[slices->n_blocks - 1] + slices->n_slices % RX_SLICES_IN_BLOCK * n_pixels;
  return RX_OK;
}

static rx_status create_volume(const rx_nifti_header *header, const rx_slice_options *options,
                               volume *v) {
  RX_TRY(rx_slices_find_axis(header, options->plane, &v->across));
  v->column = v->across == 0 ? 1 : 0;
  v->row = v->across == 2 ? 1 : 2;
  for (int d = 0; d < 3; d++) v->dim[d] = (size_t)header->dim[d];
  v->stride[0] = 1;
  v->stride[1] = v->dim[0];
  v->stride[2] = v->dim[0] * v->dim[1];
  RX_TRY(RX_NEW(&v->voxels, "a volume", v->stride[2] * v->dim[2]));
  RX_TRY(RX_NEW(&v->image, "a slice", v->dim[v->row] * v->dim[v->column]));
  return rx_resample_create(options->method, (int)v->dim[v->row], (int)v->dim[v->column],
                            options->size, &v->resampler);
}

static void destroy_volume(volume *v) {
  free(v->voxels);
  free(v->image);
  rx_resample_destroy(&v->resampler);
}

/* Makes negative voxels 0, and the others that are not finite too when that is accepted. */
static rx_status clean_voxels(volume *v, const rx_slice_options *options, rx_slice_counts *counts) {
  size_t n = v->stride[2] * v->dim[2], n_nonfinite = 0, first = 0;

  for (size_t i = 0; i < n; i++) {
    if (v->voxels[i] >= 0 && v->voxels[i] <= FLT_MAX) continue;
    if (isfinite(v->voxels[i])) {
      counts->negative++;
    } else if (n_nonfinite++ == 0) {
      first = i;
    }
    v->voxels[i] = 0;
  }
  counts->nonfinite += (int64_t)n_nonfinite;
  if (n_nonfinite == 0 || options->accepts_nonfinite) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT,
                 "voxel (%zu, %zu, %zu) is NaN or infinite, as %zu of %zu are: "
                 "images.nonfinite = zero would make them 0",
                 first % v->dim[0], first / v->stride[1] % v->dim[1], first / v->stride[2],
                 n_nonfinite, n);
}

/* Returns the voxel that has rank others before it in order; voxels [n] are >= 0, so that their
 * bits are in the same order. Histograms of the upper, then of the lower half of the bits. counts
 * [65536], workspace */
static float find_ranked(const float *voxels, size_t n, size_t rank, size_t *counts) {
  uint32_t found = 0;

  for (int shift = 16; shift >= 0; shift -= 16) {
    memset(counts, 0, 65536 * sizeof *counts);
    for (size_t i = 0; i < n; i++) {
      uint32_t bits;
      memcpy(&bits, voxels + i, sizeof bits);
      bits &= 0x7fffffffu; /* -0 */
      if (shift == 16 || bits >> 16 == found >> 16) counts[bits >> shift & 0xffff]++;
    }
    uint32_t bin = 0;
    while (rank >= counts[bin]) rank -= counts[bin++];
    found |= bin << shift;
  }
  float value;
  memcpy(&value, &found, sizeof value);
  return value;
}

/* The 99th percentile, linear between ranks as numpy; the largest voxel when that is 0. */
static rx_status find_divisor(const volume *v, double *divisor) {
  size_t n = v->stride[2] * v->dim[2], *counts;
  double at = 0.99 * (double)(n - 1), rank = floor(at);

  RX_TRY(RX_NEW(&counts, "histogram", 65536));
  double lower = (double)find_ranked(v->voxels, n, (size_t)rank, counts);
  double upper = (double)find_ranked(v->voxels, n, (size_t)ceil(at), counts);
  *divisor = lower + (at - rank) * (upper - lower);
  if (*divisor == 0) *divisor = (double)find_ranked(v->voxels, n, n - 1, counts);
  free(counts);
  return RX_OK;
}

/* Copies slice k into v->image; returns its largest pixel. */
static double take_slice(volume *v, size_t k) {
  const float *source = v->voxels + k * v->stride[v->across];
  double *image = v->image, largest = 0;

  for (size_t r = 0; r < v->dim[v->row]; r++)
    for (size_t c = 0; c < v->dim[v->column]; c++) {
      double pixel = (double)source[r * v->stride[v->row] + c * v->stride[v->column]];
      if (pixel > largest) largest = pixel;
      *image++ = pixel;
    }
  return largest;
}

static int64_t clip(float *pixels, size_t n) {
  int64_t n_clipped = 0;

  for (size_t i = 0; i < n; i++) {
    if (pixels[i] >= 0 && pixels[i] <= 1) continue;
    pixels[i] = pixels[i] > 1 ? 1 : 0;
    n_clipped++;
  }
  return n_clipped;
}

/* volume_divisor  0: each slice is divided by its own largest pixel */
static rx_status cut_volume(rx_slices *slices, volume *v, const rx_slice_options *options,
                            rx_slice_origin origin, double volume_divisor) {
  size_t n_pixels = (size_t)slices->size * (size_t)slices->size;

  for (size_t k = 0; k < v->dim[v->across]; k++) {
    float *pixels;
    double largest = take_slice(v, k);
    if (largest == 0 && options->drops_empty) {
      slices->counts.empty++;
      continue;
    }
    double divisor = volume_divisor > 0 ? volume_divisor : largest > 0 ? largest : 1;
    size_t n_image = v->dim[v->row] * v->dim[v->column];
    for (size_t i = 0; i < n_image; i++) v->image[i] /= divisor;
    RX_TRY(find_room(slices, &pixels));
    rx_resample_run(v->resampler, pixels, v->image);
    slices->counts.clipped += clip(pixels, n_pixels);
    origin.slice = (int)k;
    slices->origins[slices->n_slices++] = origin;
  }
  return RX_OK;
}

static rx_status cut_volumes(rx_slices *slices, rx_nifti *nifti, volume *v, int file,
                             const rx_slice_options *options) {
  int n_volumes = (int)rx_nifti_header_of(nifti)->dim[3];

  for (int t = 0; t < n_volumes; t++) {
    double divisor = 0;
    RX_TRY(rx_nifti_read_volume(nifti, v->voxels));
    RX_TRY(clean_voxels(v, options, &slices->counts));
    if (options->is_volume_p99) RX_TRY(find_divisor(v, &divisor));
    RX_TRY(cut_volume(slices, v, options, (rx_slice_origin){file, t, 0}, divisor));
  }
  return RX_OK;
}

rx_status rx_slices_cut(rx_slices *slices, const char *path, int file,
                        const rx_slice_options *options) {
  rx_nifti *nifti;
  volume v = {0};

  RX_TRY(rx_nifti_open(path, &nifti));
  rx_status status = create_volume(rx_nifti_header_of(nifti), options, &v);
  if (!status) status = cut_volumes(slices, nifti, &v, file, options);
  destroy_volume(&v);
  rx_nifti_close(&nifti);
  return status ? RX_FAIL(status, "%s: %s", path, rx_error_message()) : RX_OK;
}
