#include "nifti.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <nifti2_io.h>
#include <znzlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"

enum {
  SLAB_SIZE = 1 << 20,   /* bytes of stored voxels that are in memory at a time */
  MOST_INFLATION = 1032, /* deflate cannot make less than 1 byte of so many */
  MOST_TAIL = 64,        /* slabs behind the last voxel that are looked at */
  MOST_PATH = 1024
};

struct rx_nifti {
  rx_nifti_header header;
  char data_path[MOST_PATH];
  znzFile data;
  bool is_gzip; /* the data file */
  int64_t n_volumes_read;
  unsigned char *slab; /* [SLAB_SIZE] */
};

/* Gives the length of a regular file and whether gzip made it. Messages lack the path. */
static rx_status look_at_file(const char *path, int64_t *length, bool *is_gzip) {
  struct stat about;
  unsigned char start[2] = {0, 0};

  if (stat(path, &about)) return RX_FAIL(RX_ERR_NOINPUT, "cannot open it: %s", strerror(errno));
  if (S_ISDIR(about.st_mode)) return RX_FAIL(RX_ERR_INPUT, "a folder: expected a NIfTI file");
  if (!S_ISREG(about.st_mode)) return RX_FAIL(RX_ERR_INPUT, "not a regular file");
  FILE *file = fopen(path, "rb");
  if (!file) return RX_FAIL(RX_ERR_NOINPUT, "cannot open it: %s", strerror(errno));
  *is_gzip = fread(start, 1, 2, file) == 2 && start[0] == 0x1f && start[1] == 0x8b;
  fclose(file);
  *length = about.st_size;
  return RX_OK;
}

static rx_status read_header_bytes(const char *path, unsigned char bytes[RX_NIFTI_HEADER_SIZE],
                                   size_t *n_bytes) {
  int64_t length;
  bool is_gzip;

  RX_TRY(look_at_file(path, &length, &is_gzip));
  znzFile file = znzopen(path, "rb", is_gzip);
  if (znz_isnull(file)) return RX_FAIL(RX_ERR_NOINPUT, "cannot open it: %s", strerror(errno));
  *n_bytes = znzread(bytes, 1, RX_NIFTI_HEADER_SIZE, file);
  znzclose(file);
  if (*n_bytes > RX_NIFTI_HEADER_SIZE)
    return RX_FAIL(RX_ERR_INPUT, "damaged: its gzip data cannot be read");
  return RX_OK;
}

/* Splits a name such as a/b.HDR.gz into the stem a/b and the ending .HDR. */
static size_t find_stem(const char *path, char ending[5]) {
  size_t length = strlen(path);

  memset(ending, 0, 5);
  if (length > 3 && strcasecmp(path + length - 3, ".gz") == 0) length -= 3;
  if (length < 4) return length;
  memcpy(ending, path + length - 4, 4);
  return length - 4;
}

/* Finds the other file of a pair: the same stem and either ending, .gz or not. */
static rx_status find_partner(const char *path, const char *ending, char *partner) {
  char own_ending[5];
  size_t stem = find_stem(path, own_ending);
  bool is_upper = isupper((unsigned char)own_ending[1]);
  const char *zip_ending[2] = {"", is_upper ? ".GZ" : ".gz"};
  struct stat about;

  for (int zipped = 0; zipped < 2; zipped++) {
    int n = snprintf(partner, MOST_PATH, "%.*s%s%s", (int)stem, path, ending, zip_ending[zipped]);
    if (n < 0 || n >= MOST_PATH) return RX_FAIL(RX_ERR_INPUT, "its name is too long");
    for (char *c = partner + stem; is_upper && *c; c++) *c = (char)toupper((unsigned char)*c);
    if (stat(partner, &about) == 0) return RX_OK;
  }
  return RX_FAIL(RX_ERR_NOINPUT, "no file %.*s%s beside it", (int)stem, path, ending);
}

/* Tells from the name which file has the header and which the voxels. */
static rx_status find_files(const char *path, char *header_path, char *data_path, bool *is_pair) {
  char ending[5];

  if (strlen(path) >= MOST_PATH) return RX_FAIL(RX_ERR_INPUT, "its name is too long");
  memcpy(header_path, path, strlen(path) + 1);
  memcpy(data_path, path, strlen(path) + 1);
  find_stem(path, ending);
  *is_pair = strcasecmp(ending, ".hdr") == 0 || strcasecmp(ending, ".img") == 0;
  if (!*is_pair) return RX_OK;
  if (strcasecmp(ending, ".img") == 0) return find_partner(path, ".hdr", header_path);
  return find_partner(path, ".img", data_path);
}

/* Refuses a file that cannot hold what its header claims, before any memory is asked for. */
static rx_status check_length(const rx_nifti_header *header, int64_t length, bool is_gzip) {
  int64_t needed = header->voxel_size;

  for (int d = 0; d < 4; d++)
    if (__builtin_mul_overflow(needed, header->dim[d], &needed)) needed = INT64_MAX;
  if (__builtin_add_overflow(needed, header->offset, &needed)) needed = INT64_MAX;
  if (!is_gzip && needed > length)
    return RX_FAIL(RX_ERR_INPUT, "cut: %lld bytes, but its header asks for %lld", (long long)length,
                   (long long)needed);
  if (is_gzip && needed / MOST_INFLATION > length)
    return RX_FAIL(RX_ERR_INPUT, "cut: %lld bytes of gzip cannot hold the %lld its header asks for",
                   (long long)length, (long long)needed);
  return RX_OK;
}

static rx_status open_files(const char *path, rx_nifti *nifti) {
  char header_path[MOST_PATH];
  unsigned char bytes[RX_NIFTI_HEADER_SIZE];
  size_t n_bytes = 0;
  int64_t length;
  bool is_pair;

  /* A folder or a missing file is said as such, not as one that lacks its partner. */
  RX_TRY(look_at_file(path, &length, &nifti->is_gzip));
  RX_TRY(find_files(path, header_path, nifti->data_path, &is_pair));
  RX_TRY(read_header_bytes(header_path, bytes, &n_bytes));
  RX_TRY(rx_nifti_header_check(bytes, n_bytes, is_pair, &nifti->header));
  RX_TRY(look_at_file(nifti->data_path, &length, &nifti->is_gzip));
  RX_TRY(check_length(&nifti->header, length, nifti->is_gzip));
  RX_TRY(RX_NEW(&nifti->slab, "stored voxels", SLAB_SIZE));
  nifti->data = znzopen(nifti->data_path, "rb", nifti->is_gzip);
  if (znz_isnull(nifti->data))
    return RX_FAIL(RX_ERR_NOINPUT, "cannot open it: %s", strerror(errno));
  if (znzseek(nifti->data, nifti->header.offset, SEEK_SET) != nifti->header.offset &&
      nifti->is_gzip)
    return RX_FAIL(RX_ERR_INPUT, "cut before its first voxel");
  return RX_OK;
}

rx_status rx_nifti_open(const char *path, rx_nifti **out) {
  rx_nifti *nifti;

  *out = NULL;
  RX_TRY(RX_NEW(&nifti, "file", 1));
  rx_status status = open_files(path, nifti);
  if (status) {
    rx_nifti_close(&nifti);
    return RX_FAIL(status, "%s: %s", path, rx_error_message());
  }
  *out = nifti;
  return RX_OK;
}

void rx_nifti_close(rx_nifti **nifti) {
  if (!*nifti) return;
  if (!znz_isnull((*nifti)->data)) znzclose((*nifti)->data);
  free((*nifti)->slab);
  free(*nifti);
  *nifti = NULL;
}

const rx_nifti_header *rx_nifti_header_of(const rx_nifti *nifti) {
  return &nifti->header;
}

static float scale(const rx_nifti_header *header, double stored) {
  return (float)(header->has_scaling ? header->slope * stored + header->intercept : stored);
}

/* voxels  [n], set; stored  n voxels of the file, in the byte order of the machine */
static void convert(const rx_nifti_header *header, const unsigned char *stored, size_t n,
                    float *voxels) {
#define CONVERT(type)                                        \
  for (size_t v = 0; v < n; v++) {                           \
    type value;                                              \
    memcpy(&value, stored + v * sizeof value, sizeof value); \
    voxels[v] = scale(header, (double)value);                \
  }                                                          \
  break
  switch (header->datatype) {
    case NIFTI_TYPE_UINT8:
      CONVERT(uint8_t);
    case NIFTI_TYPE_INT8:
      CONVERT(int8_t);
    case NIFTI_TYPE_INT16:
      CONVERT(int16_t);
    case NIFTI_TYPE_UINT16:
      CONVERT(uint16_t);
    case NIFTI_TYPE_INT32:
      CONVERT(int32_t);
    case NIFTI_TYPE_UINT32:
      CONVERT(uint32_t);
    case NIFTI_TYPE_INT64:
      CONVERT(int64_t);
    case NIFTI_TYPE_UINT64:
      CONVERT(uint64_t);
    case NIFTI_TYPE_FLOAT32:
      CONVERT(float);
    case NIFTI_TYPE_FLOAT64:
      CONVERT(double);
  }
#undef CONVERT
}

/* A gzip file ends in a checksum, which zlib looks at only when it is read to its end. */
static rx_status check_end(rx_nifti *nifti) {
  bool is_damaged = false;
  size_t n = SLAB_SIZE;

  for (int slab = 0; nifti->is_gzip && slab < MOST_TAIL && n == SLAB_SIZE; slab++) {
    n = znzread(nifti->slab, 1, SLAB_SIZE, nifti->data);
    is_damaged = n > SLAB_SIZE; /* zlib's -1 */
  }
  if (znzclose(nifti->data)) is_damaged = true;
  nifti->data = NULL;
  if (is_damaged) return RX_FAIL(RX_ERR_INPUT, "damaged or cut: its checksum is wrong or missing");
  return RX_OK;
}

rx_status rx_nifti_read_volume(rx_nifti *nifti, float *voxels) {
  const rx_nifti_header *header = &nifti->header;
  size_t n_voxels = (size_t)header->dim[0] * (size_t)header->dim[1] * (size_t)header->dim[2];
  size_t size = (size_t)header->voxel_size, n_slab = SLAB_SIZE / size;

  for (size_t v = 0; v < n_voxels; v += n_slab) {
    size_t n = n_voxels - v < n_slab ? n_voxels - v : n_slab;
    if (znzread(nifti->slab, 1, n * size, nifti->data) != n * size)
      return RX_FAIL(RX_ERR_INPUT, "damaged or cut in volume %lld of %lld",
                     (long long)nifti->n_volumes_read + 1, (long long)header->dim[3]);
    if (header->is_swapped && size > 1)
      nifti_swap_Nbytes((int64_t)n, header->voxel_size, nifti->slab);
    convert(header, nifti->slab, n, voxels + v);
  }
  if (++nifti->n_volumes_read == header->dim[3]) return check_end(nifti);
  return RX_OK;
}
