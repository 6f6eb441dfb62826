#include "radmix/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hdf5.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/text.h"

/* A dataset may be compressed, and deflate cannot make less than 1 byte of so many. */
static const double most_inflation = 1032;
/* Bytes of what need not be aligned: names and numbers of the record. */
static const hsize_t small_object = (hsize_t)1 << 16;
/* Bytes of a claim that is not worth a question. */
static const size_t small_claim = (size_t)1 << 24;

size_t rx_type_size(rx_type type) {
  static const size_t sizes[] = {4, 8, 1, 4, 8};

  return sizes[type];
}

hid_t rx_hdf5_type(rx_type type) {
  const hid_t types[] = {H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE, H5T_NATIVE_UINT8, H5T_NATIVE_INT32,
                         H5T_NATIVE_INT64};

  return types[type];
}

hid_t rx_hdf5_file_type(rx_type type) {
  const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_U8LE, H5T_STD_I32LE,
                         H5T_STD_I64LE};

  return types[type];
}

hid_t rx_hdf5_creation(int n_dims, const hsize_t *chunk) {
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
  H5Pset_obj_track_times(list, false);
  if (chunk) H5Pset_chunk(list, n_dims, chunk);
  return list;
}

hid_t rx_hdf5_links(void) {
  hid_t list = H5Pcreate(H5P_LINK_CREATE);

  H5Pset_create_intermediate_group(list, 1);
  H5Pset_char_encoding(list, H5T_CSET_UTF8);
  return list;
}

hid_t rx_hdf5_access(MPI_Comm comm, MPI_Info info) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);

  H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
  H5Pset_file_locking(list, 0, 1);
  if (comm != MPI_COMM_NULL) {
    H5Pset_fapl_mpio(list, comm, info);
    H5Pset_all_coll_metadata_ops(list, 1);
    H5Pset_coll_metadata_write(list, 1);
  }
  return list;
}

hid_t rx_hdf5_text_type(void) {
  hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

hid_t rx_hdf5_open(hid_t file, const char *name) {
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);

  if (dataset < 0) return dataset;
  hid_t creation = H5Dget_create_plist(dataset);
  bool is_here = H5Pget_layout(creation) != H5D_VIRTUAL && H5Pget_external_count(creation) <= 0;
  H5Pclose(creation);
  if (is_here) return dataset;
  H5Dclose(dataset);
  return H5I_INVALID_HID;
}

bool rx_hdf5_is_stored(hid_t dataset) {
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  double claimed = (double)points * (double)H5Tget_size(type);
  double stored = (double)H5Dget_storage_size(dataset);

  H5Sclose(space);
  H5Tclose(type);
  return claimed <= (double)small_claim || claimed <= stored * most_inflation;
}

rx_status rx_hdf5_attribute(hid_t object, const char *name, const char *text) {
  hid_t type = rx_hdf5_text_type(), space = H5Screate(H5S_SCALAR);

  if (H5Aexists(object, name) > 0) H5Adelete(object, name);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  herr_t failed = attribute < 0 ? -1 : H5Awrite(attribute, type, &text);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return failed < 0 ? RX_ERR_OUTPUT : RX_OK;
}

rx_status rx_hdf5_encode(hid_t object, const char *encoding, const char *version) {
  rx_status status = rx_hdf5_attribute(object, "encoding-type", encoding);

  return status ? status : rx_hdf5_attribute(object, "encoding-version", version);
}

rx_status rx_store_unreadable(const rx_store *store, const char *name, const char *expected) {
  return RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected %s, found none that can be read", store->path,
                 name, expected);
}

rx_status rx_store_unwritable(const rx_store *store, const char *name) {
  return RX_FAIL(RX_ERR_OUTPUT, "%s: /%s: cannot be written: %s",
                 store->part ? store->part : store->path, name,
                 errno ? strerror(errno) : "HDF5 refused");
}

void rx_store_quiet(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5Lunregister(H5L_TYPE_EXTERNAL);
}

static rx_status allocate(const char *path, bool is_part, rx_store **out) {
  char part[4096];

  RX_TRY(RX_NEW(out, "file", 1));
  (*out)->file = H5I_INVALID_HID;
  rx_status status = rx_copy_text(path, &(*out)->path);
  if (!status && is_part) {
    status = rx_output_part(path, part, sizeof part);
    if (!status) status = rx_copy_text(part, &(*out)->part);
  }
  if (status) rx_store_close(out);
  return status;
}

rx_status rx_store_create(const char *path, rx_store **out) {
  return rx_store_create_aligned(path, 1, out);
}

rx_status rx_store_create_aligned(const char *path, unsigned long long alignment, rx_store **out) {
  RX_TRY(allocate(path, true, out));
  rx_store *store = *out;
  hid_t access = rx_hdf5_access(MPI_COMM_NULL, MPI_INFO_NULL);
  hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_alignment(access, small_object, alignment);
  errno = 0;
  store->file = H5Fcreate(store->part, H5F_ACC_TRUNC, creation, access);
  int reason = errno;
  H5Pclose(creation);
  H5Pclose(access);
  if (store->file >= 0) return RX_OK;
  rx_status status = RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be made: %s", store->part,
                             reason ? strerror(reason) : "HDF5 refused");
  rx_store_close(out);
  return status;
}

static rx_status open_file(const char *name, unsigned flags, rx_store *store) {
  RX_TRY(rx_path_check(name, "an HDF5 file"));
  if (access(name, R_OK))
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected an HDF5 file, found: %s", name, strerror(errno));
  hid_t list = rx_hdf5_access(MPI_COMM_NULL, MPI_INFO_NULL);
  store->file = H5Fopen(name, flags, list);
  H5Pclose(list);
  if (store->file >= 0) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT,
                 "%s: expected an HDF5 file, found another kind, or one cut or damaged", name);
}

rx_status rx_store_open(const char *path, rx_store **out) {
  RX_TRY(allocate(path, false, out));
  rx_status status = open_file(path, H5F_ACC_RDONLY, *out);
  if (status) rx_store_close(out);
  return status;
}

rx_status rx_store_continue(const char *path, rx_store **out) {
  RX_TRY(allocate(path, true, out));
  (*out)->keeps_part = true;
  rx_status status = open_file((*out)->part, H5F_ACC_RDWR, *out);
  if (status) status = RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be opened again", (*out)->part);
  if (status) rx_store_close(out);
  return status;
}

rx_status rx_store_commit(rx_store **store) {
  rx_store *s = *store;
  rx_status status = RX_OK;

  errno = 0;
  if (H5Fflush(s->file, H5F_SCOPE_GLOBAL) < 0) status = rx_store_unwritable(s, "");
  if (H5Fclose(s->file) < 0 && !status) status = rx_store_unwritable(s, "");
  s->file = H5I_INVALID_HID;
  if (!status) status = rx_output_commit(s->path);
  rx_store_close(store);
  return status;
}

void rx_store_close(rx_store **store) {
  rx_store *s = *store;

  if (!s) return;
  if (s->file >= 0) H5Fclose(s->file);
  if (s->part && !s->keeps_part) unlink(s->part); /* after a commit there is none */
  free(s->path);
  free(s->part);
  free(s);
  *store = NULL;
}

/* Makes a dataset, over one that is there; gives a negative number when it cannot. */
static hid_t make_dataset(rx_store *store, const char *name, hid_t type, hid_t space) {
  hid_t links = rx_hdf5_links(), creation = rx_hdf5_creation(0, NULL);

  errno = 0;
  /* HDF5 refuses texts of variable length in space that is not filled. */
  if (H5Tis_variable_str(type) > 0) H5Pset_fill_time(creation, H5D_FILL_TIME_IFSET);
  if (rx_store_has(store, name)) H5Ldelete(store->file, name, H5P_DEFAULT);
  hid_t dataset = H5Dcreate2(store->file, name, type, space, links, creation, H5P_DEFAULT);
  H5Pclose(creation);
  H5Pclose(links);
  return dataset;
}

/* Writes all of a dataset. HDF5 clears two buffers of a megabyte for each text that it converts;
 * the record of a result has more than a hundred. */
static herr_t write_all(hid_t dataset, hid_t type, const void *data) {
  hid_t transfer = H5Pcreate(H5P_DATASET_XFER);

  H5Pset_buffer(transfer, (size_t)1 << 14, NULL, NULL);
  herr_t result = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, transfer, data);
  H5Pclose(transfer);
  return result;
}

static rx_status put(rx_store *store, const char *name, hid_t file_type, hid_t type, hid_t space,
                     const void *data, const char *encoding) {
  hid_t dataset = make_dataset(store, name, file_type, space);
  rx_status status = RX_OK;

  if (dataset < 0 || write_all(dataset, type, data) < 0) status = rx_store_unwritable(store, name);
  if (!status && rx_hdf5_encode(dataset, encoding, "0.2.0"))
    status = rx_store_unwritable(store, name);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(space);
  return status;
}

rx_status rx_store_put(rx_store *store, const char *name, rx_type type, int n_dims,
                       const size_t *dims, const void *data) {
  hsize_t extent[4];

  for (int d = 0; d < n_dims; d++) extent[d] = dims[d];
  return put(store, name, rx_hdf5_file_type(type), rx_hdf5_type(type),
             H5Screate_simple(n_dims, extent, NULL), data, "array");
}

rx_status rx_store_put_text(rx_store *store, const char *name, const char *text) {
  hid_t type = rx_hdf5_text_type();
  rx_status status = put(store, name, type, type, H5Screate(H5S_SCALAR), &text, "string");

  H5Tclose(type);
  return status;
}

rx_status rx_store_put_number(rx_store *store, const char *name, double number) {
  return put(store, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, H5Screate(H5S_SCALAR), &number,
             "numeric-scalar");
}

rx_status rx_store_put_integer(rx_store *store, const char *name, int64_t number) {
  return put(store, name, H5T_STD_I64LE, H5T_NATIVE_INT64, H5Screate(H5S_SCALAR), &number,
             "numeric-scalar");
}

rx_status rx_store_put_texts(rx_store *store, const char *name, size_t n, char *const *texts) {
  hid_t type = rx_hdf5_text_type();
  hsize_t extent = n;
  rx_status status =
      put(store, name, type, type, H5Screate_simple(1, &extent, NULL), texts, "string-array");

  H5Tclose(type);
  return status;
}

rx_status rx_store_put_group(rx_store *store, const char *name, const char *encoding) {
  hid_t links = rx_hdf5_links();
  rx_status status = RX_OK;

  errno = 0;
  hid_t group = rx_store_has(store, name)
                    ? H5Gopen2(store->file, name, H5P_DEFAULT)
                    : H5Gcreate2(store->file, name, links, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0 || (*encoding && rx_hdf5_encode(group, encoding, "0.1.0")))
    status = rx_store_unwritable(store, name);
  if (group >= 0) H5Gclose(group);
  H5Pclose(links);
  return status;
}

bool rx_store_has(const rx_store *store, const char *name) {
  char path[1024];

  for (const char *slash = name; slash; slash = strchr(slash + 1, '/')) {
    if (slash == name) continue;
    snprintf(path, sizeof path, "%.*s", (int)(slash - name), name);
    if (H5Lexists(store->file, path, H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(store->file, name, H5P_DEFAULT) > 0;
}

static hid_t open_dataset(const rx_store *store, const char *name) {
  return rx_store_has(store, name) ? rx_hdf5_open(store->file, name) : H5I_INVALID_HID;
}

rx_status rx_store_shape(const rx_store *store, const char *name, int *n_dims, size_t dims[4]) {
  hsize_t extent[H5S_MAX_RANK];
  hid_t dataset = open_dataset(store, name);

  if (dataset < 0) return rx_store_unreadable(store, name, "an array");
  hid_t space = H5Dget_space(dataset);
  *n_dims = H5Sget_simple_extent_dims(space, extent, NULL);
  bool is_stored = rx_hdf5_is_stored(dataset);
  H5Sclose(space);
  H5Dclose(dataset);
  if (!is_stored) return rx_store_unreadable(store, name, "the numbers of its shape");
  if (*n_dims < 0 || *n_dims > 4)
    return rx_store_unreadable(store, name, "an array of at most 4 dimensions");
  for (int d = 0; d < *n_dims; d++) dims[d] = (size_t)extent[d];
  return RX_OK;
}

rx_status rx_store_get(const rx_store *store, const char *name, rx_type type, size_t count,
                       void *data) {
  hid_t dataset = open_dataset(store, name);
  rx_status status = RX_OK;

  if (dataset < 0) return rx_store_unreadable(store, name, "an array");
  hid_t space = H5Dget_space(dataset);
  hssize_t there = H5Sget_simple_extent_npoints(space);
  if (there < 0 || (size_t)there != count)
    status = RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected %zu numbers, found %lld", store->path, name,
                     count, (long long)there);
  else if (H5Dread(dataset, rx_hdf5_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    status = rx_store_unreadable(store, name, "numbers");
  H5Sclose(space);
  H5Dclose(dataset);
  return status;
}

rx_status rx_store_get_number(const rx_store *store, const char *name, double *number) {
  return rx_store_get(store, name, RX_FLOAT64, 1, number);
}
