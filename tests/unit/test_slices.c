/* Volumes are cut into slices: orientation, divisors, what is left out and what is counted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nifti2_io.h>

#include "images/slices.h"
#include "radmix/error.h"

enum { NI = 8, NJ = 10, NK = 12, N_VOXELS = NI * NJ * NK, MOST_VOLUMES = 2 };

static char path[64];
static float voxels[MOST_VOLUMES * N_VOXELS];

static float *at(int i, int j, int k) {
  return &voxels[(k * NJ + j) * NI + i];
}

static nifti_1_header plain_header(void) {
  nifti_1_header header = {.sizeof_hdr = 348,
                           .dim = {3, NI, NJ, NK, 1, 1, 1, 1},
                           .datatype = NIFTI_TYPE_FLOAT32,
                           .bitpix = 32,
                           .vox_offset = 352,
                           .pixdim = {1, 1, 1, 1, 0, 0, 0, 0},
                           .magic = "n+1"};
  return header;
}

static void write_volume(nifti_1_header header) {
  FILE *file = fopen(path, "wb");
  size_t n_volumes = header.dim[0] == 4 ? (size_t)header.dim[4] : 1;

  fwrite(&header, sizeof header, 1, file);
  fwrite("\0\0\0", 4, 1, file);
  fwrite(voxels, sizeof *voxels, n_volumes * N_VOXELS, file);
  assert_int_equal(fclose(file), 0);
}

static rx_slice_options plain_options(void) {
  rx_slice_options options = {.size = 8, .drops_empty = true};
  return options;
}

static rx_slices *cut(const rx_slice_options *options) {
  rx_slices *slices;
  assert_int_equal(rx_slices_create(options->size, &slices), RX_OK);
  if (rx_slices_cut(slices, path, 7, options)) fail_msg("%s", rx_error_message());
  return slices;
}

static void assert_refuses(const rx_slice_options *options, const char *words) {
  rx_slices *slices;
  assert_int_equal(rx_slices_create(options->size, &slices), RX_OK);
  assert_int_equal(rx_slices_cut(slices, path, 7, options), RX_ERR_INPUT);
  if (!strstr(rx_error_message(), words))
    fail_msg("expected '%s' in '%s'", words, rx_error_message());
  rx_slices_destroy(&slices);
}

static void clear(void) {
  memset(voxels, 0, sizeof voxels);
}

/* Voxels of an 8 x 8 slice stay where they are when it is cut to 8 x 8. */
static void a_row_is_the_second_axis_and_a_column_the_first(void **state) {
  (void)state;
  rx_slice_options options = plain_options();
  nifti_1_header header = plain_header();

  clear();
  header.dim[2] = 8;
  voxels[(5 * 8 + 3) * 8 + 6] = 50; /* i = 6, j = 3, k = 5 */
  voxels[(5 * 8 + 0) * 8 + 1] = 25;
  write_volume(header);
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, 1);
  assert_int_equal(slices->origins[0].file, 7);
  assert_int_equal(slices->origins[0].slice, 5);
  assert_int_equal(slices->counts.empty, NK - 1);
  assert_true(slices->blocks[0][3 * 8 + 6] == 1);
  assert_true(slices->blocks[0][0 * 8 + 1] == 0.5f);
  rx_slices_destroy(&slices);
}

static void each_slice_has_its_largest_pixel_as_divisor(void **state) {
  (void)state;
  rx_slice_options options = plain_options();

  clear();
  for (int k = 0; k < NK; k++)
    for (int j = 0; j < NJ; j++)
      for (int i = 0; i < NI; i++) *at(i, j, k) = (float)(k + 1);
  write_volume(plain_header());
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, NK);
  for (int n = 0; n < NK * 64; n++) assert_true(slices->blocks[0][n] == 1);
  rx_slices_destroy(&slices);
}

/* numpy.percentile(0 .. n-1, 99) is 0.99 (n - 1). */
static void a_volume_has_its_99th_percentile_as_divisor(void **state) {
  (void)state;
  rx_slice_options options = plain_options();

  options.is_volume_p99 = true;
  options.size = 10;
  for (int v = 0; v < N_VOXELS; v++)
    voxels[v] = (float)((v * 7) % N_VOXELS); /* 7 and 960: coprime */
  nifti_1_header header = plain_header();
  header.dim[1] = 10;
  header.dim[3] = 9; /* 900 of the 960 voxels */
  for (int v = 0; v < 900; v++) voxels[v] = (float)((v * 7) % 900);
  write_volume(header);
  rx_slices *slices = cut(&options);
  double divisor = 0.99 * 899;
  int64_t n_clipped = 0;
  for (int v = 0; v < 900; v++) {
    double expected = (double)((v * 7) % 900) / divisor;
    if (expected > 1) n_clipped++;
    assert_true(slices->blocks[0][v] == (float)fmin(expected, 1));
  }
  assert_int_equal(slices->counts.clipped, n_clipped);
  rx_slices_destroy(&slices);
}

static void negative_voxels_count_as_0(void **state) {
  (void)state;
  rx_slice_options options = plain_options();

  clear();
  *at(2, 2, 1) = -5;
  *at(2, 2, 3) = -5;
  *at(4, 4, 3) = 9;
  write_volume(plain_header());
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, 1); /* a slice of 0 and below is empty */
  assert_int_equal(slices->origins[0].slice, 3);
  assert_int_equal(slices->counts.negative, 2);
  for (int n = 0; n < 64; n++) assert_true(slices->blocks[0][n] >= 0);
  rx_slices_destroy(&slices);
}

static void empty_slices_stay_when_asked(void **state) {
  (void)state;
  rx_slice_options options = plain_options();

  options.drops_empty = false;
  clear();
  write_volume(plain_header());
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, NK);
  assert_int_equal(slices->counts.empty, 0);
  for (int n = 0; n < NK * 64; n++) assert_true(slices->blocks[0][n] == 0);
  rx_slices_destroy(&slices);
}

static void voxels_that_are_not_finite_are_refused_or_0(void **state) {
  (void)state;
  rx_slice_options options = plain_options();

  clear();
  *at(1, 2, 3) = NAN;
  *at(1, 2, 4) = INFINITY;
  *at(1, 2, 5) = 3;
  write_volume(plain_header());
  assert_refuses(&options, "voxel (1, 2, 3) is NaN or infinite, as 2 of 960 are");
  options.accepts_nonfinite = true;
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, 1);
  assert_int_equal(slices->counts.nonfinite, 2);
  rx_slices_destroy(&slices);
}

/* i runs to the back, j to the head, k to the left. */
static nifti_1_header turned_header(void) {
  nifti_1_header header = plain_header();
  header.sform_code = 1;
  header.srow_x[2] = 2;
  header.srow_y[0] = -1;
  header.srow_z[1] = 1.5f;
  return header;
}

static void planes_follow_the_orientation(void **state) {
  (void)state;
  const rx_plane planes[] = {RX_PLANE_ACQUIRED, RX_PLANE_SAGITTAL, RX_PLANE_CORONAL,
                             RX_PLANE_AXIAL};
  const int n_slices[] = {NK, NK, NI, NJ};
  rx_slice_options options = plain_options();

  for (int v = 0; v < N_VOXELS; v++) voxels[v] = 1;
  write_volume(turned_header());
  for (int n = 0; n < 4; n++) {
    options.plane = planes[n];
    rx_slices *slices = cut(&options);
    assert_int_equal(slices->n_slices, n_slices[n]);
    rx_slices_destroy(&slices);
  }
  nifti_1_header header = plain_header(); /* a quarter turn about x: j runs to the head */
  header.qform_code = 1;
  header.quatern_b = (float)sqrt(0.5);
  write_volume(header);
  const int n_turned[] = {NK, NI, NK, NJ};
  for (int n = 0; n < 4; n++) {
    options.plane = planes[n];
    rx_slices *slices = cut(&options);
    assert_int_equal(slices->n_slices, n_turned[n]);
    rx_slices_destroy(&slices);
  }
}

static void the_pixels_of_a_coronal_slice_are_the_voxels(void **state) {
  (void)state;
  rx_slice_options options = plain_options();
  nifti_1_header header = turned_header();

  options.plane = RX_PLANE_CORONAL; /* across i: rows along k, columns along j */
  options.size = 10;
  header.dim[3] = 10;
  clear();
  *at(4, 6, 9) = 2;
  *at(4, 1, 0) = 1;
  write_volume(header);
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, 1);
  assert_int_equal(slices->origins[0].slice, 4);
  assert_true(slices->blocks[0][9 * 10 + 6] == 1);
  assert_true(slices->blocks[0][0 * 10 + 1] == 0.5f);
  rx_slices_destroy(&slices);
}

static void a_plane_without_orientation_is_refused(void **state) {
  (void)state;
  rx_slice_options options = plain_options();
  nifti_1_header header = turned_header();

  options.plane = RX_PLANE_AXIAL;
  write_volume(plain_header());
  assert_refuses(&options, "use images.plane = acquired");
  header.srow_x[0] = NAN;
  write_volume(header);
  assert_refuses(&options, "use images.plane = acquired");
  header.dim[0] = 2;
  options.plane = RX_PLANE_CORONAL;
  header.srow_x[0] = 0;
  header.dim[3] = 1;
  write_volume(header);
  assert_refuses(&options, "2 x 2 pixels or more");
}

static void a_4d_file_gives_the_slices_of_each_volume(void **state) {
  (void)state;
  rx_slice_options options = plain_options();
  nifti_1_header header = plain_header();

  header.dim[0] = 4;
  header.dim[4] = 2;
  clear();
  voxels[3] = 4;
  voxels[N_VOXELS + 9 * NI * NJ] = 4;
  write_volume(header);
  rx_slices *slices = cut(&options);
  assert_int_equal(slices->n_slices, 2);
  assert_int_equal(slices->origins[0].volume, 0);
  assert_int_equal(slices->origins[0].slice, 0);
  assert_int_equal(slices->origins[1].volume, 1);
  assert_int_equal(slices->origins[1].slice, 9);
  rx_slices_destroy(&slices);
}

static void blocks_grow_with_the_slices(void **state) {
  (void)state;
  rx_slice_options options = plain_options();
  rx_slices *slices;
  size_t n_files = 20 * (size_t)RX_SLICES_IN_BLOCK / NK;

  for (int v = 0; v < N_VOXELS; v++) voxels[v] = (float)(v / (NI * NJ) + 1);
  write_volume(plain_header());
  assert_int_equal(rx_slices_create(options.size, &slices), RX_OK);
  for (size_t file = 0; file < n_files; file++)
    assert_int_equal(rx_slices_cut(slices, path, (int)file, &options), RX_OK);
  assert_int_equal(slices->n_slices, n_files * NK);
  for (size_t slice = 0; slice < slices->n_slices; slice++) {
    assert_int_equal(slices->origins[slice].file, slice / NK);
    assert_int_equal(slices->origins[slice].slice, slice % NK);
    assert_true(slices->blocks[slice / RX_SLICES_IN_BLOCK][slice % RX_SLICES_IN_BLOCK * 64] == 1);
  }
  rx_slices_destroy(&slices);
}

static int make_file(void **state) {
  (void)state;
  snprintf(path, sizeof path, "/tmp/radmix-slices-XXXXXX");
  int descriptor = mkstemp(path);
  return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_the_second_axis_and_a_column_the_first),
      cmocka_unit_test(each_slice_has_its_largest_pixel_as_divisor),
      cmocka_unit_test(a_volume_has_its_99th_percentile_as_divisor),
      cmocka_unit_test(negative_voxels_count_as_0),
      cmocka_unit_test(empty_slices_stay_when_asked),
      cmocka_unit_test(voxels_that_are_not_finite_are_refused_or_0),
      cmocka_unit_test(planes_follow_the_orientation),
      cmocka_unit_test(the_pixels_of_a_coronal_slice_are_the_voxels),
      cmocka_unit_test(a_plane_without_orientation_is_refused),
      cmocka_unit_test(a_4d_file_gives_the_slices_of_each_volume),
      cmocka_unit_test(blocks_grow_with_the_slices),
  };
  return cmocka_run_group_tests_name("slices", tests, make_file, remove_file);
}
