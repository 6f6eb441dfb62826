/* NIfTI files of every kind are read to the last bit, and what is wrong is said before any voxel is
 * asked for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <nifti2_io.h>
#include <zlib.h>

#include "images/nifti.h"
#include "radmix/error.h"

enum { NI = 5, NJ = 4, NK = 3, N_VOXELS = NI * NJ * NK };

static char folder[64];

static const char *in_folder(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static nifti_1_header header1(int datatype, int bitpix) {
  nifti_1_header header = {.sizeof_hdr = 348,
                           .dim = {3, NI, NJ, NK, 1, 1, 1, 1},
                           .datatype = (short)datatype,
                           .bitpix = (short)bitpix,
                           .vox_offset = 352,
                           .scl_slope = 1,
                           .magic = "n+1"};
  return header;
}

static nifti_2_header header2(int datatype, int bitpix) {
  nifti_2_header header = {.sizeof_hdr = 540,
                           .dim = {3, NI, NJ, NK, 1, 1, 1, 1},
                           .datatype = (int16_t)datatype,
                           .bitpix = (int16_t)bitpix,
                           .vox_offset = 544,
                           .scl_slope = 1};
  memcpy(header.magic, "n+2\0\r\n\032\n", 8);
  return header;
}

static void write_file(const char *name, const void *start, size_t n_start, size_t n_gap,
                       const void *data, size_t n_data) {
  const char *zip_ending = strstr(name, ".gz");
  gzFile file = gzopen(in_folder(name), zip_ending ? "wb" : "wbT");
  const char zeros[512] = {0};

  assert_non_null(file);
  gzwrite(file, start, (unsigned)n_start);
  if (n_gap) gzwrite(file, zeros, (unsigned)n_gap);
  if (n_data) gzwrite(file, data, (unsigned)n_data);
  assert_int_equal(gzclose(file), Z_OK);
}

static void write_nifti1(const char *name, nifti_1_header header, const void *data, size_t n) {
  write_file(name, &header, sizeof header, 4, data, n);
}

static void assert_reads(const char *name, const float *expected, size_t n, int n_volumes) {
  rx_nifti *nifti;
  float *voxels = calloc(n, sizeof *voxels);

  if (rx_nifti_open(in_folder(name), &nifti)) fail_msg("%s", rx_error_message());
  for (int t = 0; t < n_volumes; t++) {
    if (rx_nifti_read_volume(nifti, voxels)) fail_msg("%s", rx_error_message());
    assert_memory_equal(voxels, expected + (size_t)t * n, n * sizeof *voxels);
  }
  rx_nifti_close(&nifti);
  free(voxels);
}

static void assert_refuses(const char *name, rx_status expected, const char *words) {
  rx_nifti *nifti;
  float voxels[N_VOXELS * 2];

  rx_status status = rx_nifti_open(in_folder(name), &nifti);
  if (!status) status = rx_nifti_read_volume(nifti, voxels);
  rx_nifti_close(&nifti);
  assert_int_equal(status, expected);
  if (!strstr(rx_error_message(), words))
    fail_msg("expected '%s' in '%s'", words, rx_error_message());
}

/* Stores n values of one type, from its least to its largest. Returns the bytes of a value. */
static size_t store_values(int datatype, unsigned char *bytes, float *expected) {
  size_t size = 0;
#define STORE(type, least, step)                                    \
  for (int v = 0; v < N_VOXELS; v++) {                              \
    type value = (type)((least) + (type)v * (type)(step));          \
    memcpy(bytes + (size_t)v * sizeof value, &value, sizeof value); \
    expected[v] = (float)(double)value;                             \
  }                                                                 \
  size = sizeof(type);                                              \
  break
  switch (datatype) {
    case NIFTI_TYPE_UINT8:
      STORE(uint8_t, 0, 4);
    case NIFTI_TYPE_INT8:
      STORE(int8_t, -128, 4);
    case NIFTI_TYPE_INT16:
      STORE(int16_t, INT16_MIN, 1000);
    case NIFTI_TYPE_UINT16:
      STORE(uint16_t, 3, 1001);
    case NIFTI_TYPE_INT32:
      STORE(int32_t, INT32_MIN, 36000003);
    case NIFTI_TYPE_UINT32:
      STORE(uint32_t, 5, 71000003u);
    case NIFTI_TYPE_INT64:
      STORE(int64_t, INT64_MIN, 150000000000000007);
    case NIFTI_TYPE_UINT64:
      STORE(uint64_t, 7u, 300000000000000007u);
    case NIFTI_TYPE_FLOAT32:
      STORE(float, -1e30f, 1.2345e29f);
    case NIFTI_TYPE_FLOAT64:
      STORE(double, -1.0, 0.1234567890123);
  }
#undef STORE
  return size;
}

static void every_type_in_every_byte_order_is_read(void **state) {
  (void)state;
  const int types[] = {NIFTI_TYPE_UINT8,   NIFTI_TYPE_INT8,   NIFTI_TYPE_INT16, NIFTI_TYPE_UINT16,
                       NIFTI_TYPE_INT32,   NIFTI_TYPE_UINT32, NIFTI_TYPE_INT64, NIFTI_TYPE_UINT64,
                       NIFTI_TYPE_FLOAT32, NIFTI_TYPE_FLOAT64};
  unsigned char bytes[N_VOXELS * 8];
  float expected[N_VOXELS];

  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    int size = (int)store_values(types[t], bytes, expected);
    nifti_1_header h1 = header1(types[t], 8 * size);
    nifti_2_header h2 = header2(types[t], 8 * size);
    write_nifti1("a.nii", h1, bytes, (size_t)size * N_VOXELS);
    assert_reads("a.nii", expected, N_VOXELS, 1);
    write_file("a.nii.gz", &h2, sizeof h2, 4, bytes, (size_t)size * N_VOXELS);
    assert_reads("a.nii.gz", expected, N_VOXELS, 1);

    if (size > 1) nifti_swap_Nbytes(N_VOXELS, size, bytes);
    nifti_swap_as_nifti1(&h1);
    nifti_swap_as_nifti2(&h2);
    write_nifti1("b.nii.gz", h1, bytes, (size_t)size * N_VOXELS);
    assert_reads("b.nii.gz", expected, N_VOXELS, 1);
    write_file("b.nii", &h2, sizeof h2, 4, bytes, (size_t)size * N_VOXELS);
    assert_reads("b.nii", expected, N_VOXELS, 1);
  }
}

static void a_pair_is_read_by_either_name(void **state) {
  (void)state;
  unsigned char bytes[N_VOXELS * 8];
  float expected[N_VOXELS];
  const char *names[][2] = {
      {"p.hdr", "p.img"}, {"q.hdr.gz", "q.img.gz"}, {"r.hdr", "r.img.gz"}, {"S.HDR", "S.IMG"}};

  size_t size = store_values(NIFTI_TYPE_INT16, bytes, expected);
  nifti_1_header header = header1(NIFTI_TYPE_INT16, 16);
  memcpy(header.magic, "ni1", 4);
  header.vox_offset = 0;
  for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
    write_file(names[n][0], &header, sizeof header, 0, NULL, 0);
    write_file(names[n][1], bytes, size * N_VOXELS, 0, NULL, 0);
    assert_reads(names[n][0], expected, N_VOXELS, 1);
    assert_reads(names[n][1], expected, N_VOXELS, 1);
  }
  unlink(in_folder("p.img"));
  assert_refuses("p.hdr", RX_ERR_NOINPUT, "p.img");
}

static void values_are_scaled_in_double_and_slope_0_means_none(void **state) {
  (void)state;
  uint8_t bytes[N_VOXELS];
  float scaled[N_VOXELS], plain[N_VOXELS];
  nifti_1_header header = header1(NIFTI_TYPE_UINT8, 8);

  header.scl_slope = 0.1f;
  header.scl_inter = -3.7f;
  for (int v = 0; v < N_VOXELS; v++) {
    bytes[v] = (uint8_t)(4 * v);
    plain[v] = (float)bytes[v];
    scaled[v] = (float)((double)0.1f * (double)bytes[v] + (double)-3.7f);
  }
  write_nifti1("s.nii", header, bytes, N_VOXELS);
  assert_reads("s.nii", scaled, N_VOXELS, 1);
  header.scl_slope = 0;
  write_nifti1("s.nii", header, bytes, N_VOXELS);
  assert_reads("s.nii", plain, N_VOXELS, 1);
}

static void volumes_come_one_after_the_other(void **state) {
  (void)state;
  uint8_t bytes[2 * N_VOXELS];
  float expected[2 * N_VOXELS];
  nifti_1_header header = header1(NIFTI_TYPE_UINT8, 8);

  for (int v = 0; v < 2 * N_VOXELS; v++) expected[v] = (float)(bytes[v] = (uint8_t)(2 * v));
  header.dim[0] = 5; /* a fifth dimension of 1 is no dimension */
  header.dim[4] = 2;
  header.vox_offset = 368;
  write_file("v.nii.gz", &header, sizeof header, 20, bytes, sizeof bytes);
  assert_reads("v.nii.gz", expected, N_VOXELS, 2);
}

static void nan_and_infinity_stay_what_they_are(void **state) {
  (void)state;
  float values[N_VOXELS] = {1, NAN, -INFINITY, INFINITY, -0.0f, 1e-45f};

  write_nifti1("n.nii", header1(NIFTI_TYPE_FLOAT32, 32), values, sizeof values);
  assert_reads("n.nii", values, N_VOXELS, 1);
}

typedef struct {
  const char *words;
  void (*spoil)(nifti_1_header *header);
} bad_header;

#define SPOIL(name, change)                  \
  static void name(nifti_1_header *header) { \
    change;                                  \
  }
SPOIL(no_dims, header->dim[0] = 0)
SPOIL(one_dim, header->dim[0] = 1)
SPOIL(many_dims, header->dim[0] = 8)
SPOIL(zero_dim, header->dim[2] = 0)
SPOIL(negative_dim, header->dim[1] = -8)
SPOIL(fifth_dim, (header->dim[0] = 5, header->dim[5] = 3))
SPOIL(binary, header->datatype = 1)
SPOIL(no_type, (header->datatype = 0, header->bitpix = 0))
SPOIL(unknown_type, header->datatype = 9999)
SPOIL(rgb, (header->datatype = NIFTI_TYPE_RGB24, header->bitpix = 24))
SPOIL(rgba, (header->datatype = NIFTI_TYPE_RGBA32, header->bitpix = 32))
SPOIL(complex64, (header->datatype = NIFTI_TYPE_COMPLEX64, header->bitpix = 64))
SPOIL(float128, (header->datatype = NIFTI_TYPE_FLOAT128, header->bitpix = 128))
SPOIL(bits, header->bitpix = 8)
SPOIL(offset_0, header->vox_offset = 0)
SPOIL(offset_in_header, header->vox_offset = 348)
SPOIL(offset_negative, header->vox_offset = -500)
SPOIL(offset_nan, header->vox_offset = NAN)
SPOIL(offset_half, header->vox_offset = 352.5f)
SPOIL(offset_infinite, header->vox_offset = INFINITY)
SPOIL(slope_nan, header->scl_slope = NAN)
SPOIL(intercept_infinite, header->scl_inter = INFINITY)
SPOIL(wrong_magic, memcpy(header->magic, "xxx", 4))
SPOIL(pair_magic, memcpy(header->magic, "ni1", 4))
SPOIL(no_size, header->sizeof_hdr = 0)

static const bad_header bad_headers[] = {
    {"expected 2 to 4 dimensions, found 0", no_dims},
    {"expected 2 to 4 dimensions, found 1", one_dim},
    {"expected 2 to 4 dimensions, found 8", many_dims},
    {"dimension 2: expected 1 to 32767 voxels, found 0", zero_dim},
    {"dimension 1: expected 1 to 32767 voxels, found -8", negative_dim},
    {"a dimension 5 of 3", fifth_dim},
    {"unknown type of voxels (datatype 1)", binary},
    {"unknown type of voxels (datatype 0)", no_type},
    {"unknown type of voxels (datatype 9999)", unknown_type},
    {"a colour image", rgb},
    {"a colour image", rgba},
    {"complex voxels", complex64},
    {"voxels of 128 bits", float128},
    {"datatype 16 has 32 bits a voxel, but bitpix is 8", bits},
    {"vox_offset: expected a whole number from 352, found 0", offset_0},
    {"vox_offset: expected a whole number from 352, found 348", offset_in_header},
    {"found -500", offset_negative},
    {"found nan", offset_nan},
    {"found 352.5", offset_half},
    {"found inf", offset_infinite},
    {"scl_slope and scl_inter", slope_nan},
    {"scl_slope and scl_inter", intercept_infinite},
    {"no magic number 'n+1'", wrong_magic},
    {"the voxels are in another file", pair_magic},
    {"not a NIfTI file", no_size},
};

static void a_bad_header_is_refused_with_the_reason(void **state) {
  (void)state;
  rx_nifti_header checked;

  for (size_t n = 0; n < sizeof bad_headers / sizeof *bad_headers; n++) {
    nifti_1_header header = header1(NIFTI_TYPE_FLOAT32, 32);
    bad_headers[n].spoil(&header);
    rx_status status =
        rx_nifti_header_check((const unsigned char *)&header, sizeof header, false, &checked);
    assert_int_equal(status, RX_ERR_INPUT);
    if (!strstr(rx_error_message(), bad_headers[n].words))
      fail_msg("expected '%s' in '%s'", bad_headers[n].words, rx_error_message());
  }
}

static void a_header_of_any_length_is_cut_or_whole(void **state) {
  (void)state;
  nifti_1_header header = header1(NIFTI_TYPE_FLOAT32, 32);
  rx_nifti_header checked;

  for (size_t n = 0; n < sizeof header; n++)
    assert_int_equal(rx_nifti_header_check((const unsigned char *)&header, n, false, &checked),
                     RX_ERR_INPUT);
  assert_int_equal(
      rx_nifti_header_check((const unsigned char *)&header, sizeof header, false, &checked), RX_OK);
}

static void analyze_and_line_ends_are_recognised(void **state) {
  (void)state;
  rx_nifti_header checked;
  nifti_1_header analyze = header1(NIFTI_TYPE_INT16, 16);
  nifti_2_header mangled = header2(NIFTI_TYPE_INT16, 16);

  memset(analyze.magic, 0, 4);
  assert_int_equal(
      rx_nifti_header_check((const unsigned char *)&analyze, sizeof analyze, true, &checked),
      RX_ERR_INPUT);
  assert_non_null(strstr(rx_error_message(), "ANALYZE"));
  mangled.magic[4] = '\n';
  assert_int_equal(
      rx_nifti_header_check((const unsigned char *)&mangled, sizeof mangled, false, &checked),
      RX_ERR_INPUT);
  assert_non_null(strstr(rx_error_message(), "line ends"));
}

/* No memory is asked for: 4 GB of voxels in a file of 3 KB. */
static void a_file_that_cannot_hold_its_voxels_is_refused(void **state) {
  (void)state;
  float values[N_VOXELS] = {0};
  nifti_1_header header = header1(NIFTI_TYPE_FLOAT32, 32);

  write_nifti1("cut.nii", header, values, sizeof values - 1);
  assert_refuses("cut.nii", RX_ERR_INPUT, "cut: 591 bytes, but its header asks for 592");
  for (int d = 1; d <= 3; d++) header.dim[d] = 32767;
  header.dim[0] = 4;
  header.dim[4] = 32767;
  write_nifti1("claims.nii", header, values, sizeof values);
  assert_refuses("claims.nii", RX_ERR_INPUT, "cut");
  write_nifti1("claims.nii.gz", header, values, sizeof values);
  assert_refuses("claims.nii.gz", RX_ERR_INPUT, "bytes of gzip cannot hold");
}

static void cut_file(const char *from, const char *to, long drop, int flip) {
  unsigned char bytes[65536];
  FILE *file = fopen(in_folder(from), "rb");
  size_t n = fread(bytes, 1, sizeof bytes, file);

  fclose(file);
  if (flip) bytes[(long)n - flip] ^= 0xff;
  file = fopen(in_folder(to), "wb");
  fwrite(bytes, 1, n - (size_t)drop, file);
  fclose(file);
}

static void a_cut_or_damaged_gzip_is_refused(void **state) {
  (void)state;
  float values[N_VOXELS];

  for (int v = 0; v < N_VOXELS; v++) values[v] = sinf((float)v);
  write_nifti1("whole.nii.gz", header1(NIFTI_TYPE_FLOAT32, 32), values, sizeof values);
  assert_reads("whole.nii.gz", values, N_VOXELS, 1);
  for (long drop = 1; drop < 200; drop++) { /* into the trailer, then into the voxels */
    cut_file("whole.nii.gz", "less.nii.gz", drop, 0);
    assert_refuses("less.nii.gz", RX_ERR_INPUT, "");
  }
  cut_file("whole.nii.gz", "crc.nii.gz", 0, 6);
  assert_refuses("crc.nii.gz", RX_ERR_INPUT, "damaged");
}

static void what_is_no_file_is_said_as_such(void **state) {
  (void)state;
  mkdir(in_folder("folder.nii"), 0700);
  assert_refuses("folder.nii", RX_ERR_INPUT, "folder.nii: a folder");
  assert_refuses("missing.nii", RX_ERR_NOINPUT, "missing.nii: cannot open it: No such file");
  write_file("empty.nii", "", 0, 0, NULL, 0);
  assert_refuses("empty.nii", RX_ERR_INPUT, "not a NIfTI file");
  write_file("text.nii", "hello world, hello world", 24, 0, NULL, 0);
  assert_refuses("text.nii", RX_ERR_INPUT, "not a NIfTI file");
}

static int make_folder(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/radmix-nifti-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_in_every_byte_order_is_read),
      cmocka_unit_test(a_pair_is_read_by_either_name),
      cmocka_unit_test(values_are_scaled_in_double_and_slope_0_means_none),
      cmocka_unit_test(volumes_come_one_after_the_other),
      cmocka_unit_test(nan_and_infinity_stay_what_they_are),
      cmocka_unit_test(a_bad_header_is_refused_with_the_reason),
      cmocka_unit_test(a_header_of_any_length_is_cut_or_whole),
      cmocka_unit_test(analyze_and_line_ends_are_recognised),
      cmocka_unit_test(a_file_that_cannot_hold_its_voxels_is_refused),
      cmocka_unit_test(a_cut_or_damaged_gzip_is_refused),
      cmocka_unit_test(what_is_no_file_is_said_as_such),
  };
  return cmocka_run_group_tests_name("nifti", tests, make_folder, remove_folder);
}
