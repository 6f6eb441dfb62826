/* Annotated matrices made elsewhere. The input says which parts an .h5ad has, of which kind and
 * shape; HDF5 writes it and radmix reads it. (Bytes at random would test HDF5's reader: that is
 * done by the campaign, with a fixed set of them.) */
#include <hdf5.h>

#include "fuzz.h"
#include "radmix/matrix.h"

typedef struct {
  const uint8_t *next, *end;
} source;

static unsigned take(source *from, unsigned n_choices) {
  return from->next < from->end ? *from->next++ % n_choices : 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  fuzz_start(argc, argv);
  return 0;
}

static hid_t text_type(void) {
  hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, H5T_VARIABLE);
  return type;
}

static hid_t make_type(source *from) {
  hid_t type;

  switch (take(from, 9)) {
    case 0:
      return H5Tcopy(H5T_IEEE_F64LE);
    case 1:
      return H5Tcopy(H5T_IEEE_F32BE);
    case 2:
      return H5Tcopy(H5T_STD_I64LE);
    case 3:
      return H5Tcopy(H5T_STD_U8LE);
    case 4:
      return text_type();
    case 5:
      type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, 1 + take(from, 9));
      return type;
    case 6:
      type = H5Tenum_create(H5T_STD_I8LE);
      H5Tenum_insert(type, "FALSE", &(signed char){0});
      H5Tenum_insert(type, "TRUE", &(signed char){1});
      return type;
    case 7:
      return H5Tvlen_create(H5T_IEEE_F64LE);
    default:
      type = H5Tcreate(H5T_COMPOUND, 16);
      H5Tinsert(type, "a", 0, H5T_IEEE_F64LE);
      return type;
  }
}

static hid_t make_space(source *from) {
  static const hsize_t extents[] = {1, 2, 3, 0, 4, 1 << 20, (hsize_t)1 << 36, (hsize_t)1 << 62};
  hsize_t dims[3];
  int n = (int)take(from, 5);

  if (n == 4) return H5Screate(H5S_NULL);
  for (int d = 0; d < n; d++) dims[d] = extents[take(from, 8)];
  return n ? H5Screate_simple(n, dims, NULL) : H5Screate(H5S_SCALAR);
}

/* Writes what there is room for: texts, or bytes as they come. */
static void write_some(source *from, hid_t dataset, hid_t type, hid_t space) {
  static const char *const words[] = {"a", "", "b", "a", "../c", "_index", "P1", "x/y"};
  const char *texts[64];
  unsigned char bytes[1024];
  hssize_t n = H5Sget_simple_extent_npoints(space);

  if (H5Tis_variable_str(type) > 0 && n <= 64) {
    for (int i = 0; i < 64; i++) texts[i] = words[take(from, 8)];
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts);
  } else if (n <= 64 && H5Tget_class(type) != H5T_VLEN && H5Tget_class(type) != H5T_STRING) {
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)take(from, 256);
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  }
}

static void make_dataset(source *from, hid_t file, const char *name) {
  hid_t type = make_type(from), space = make_space(from), plan = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t chunk[3] = {2, 2, 2};
  int n = H5Sget_simple_extent_ndims(space);

  if (n > 0 && (take(from, 2) || H5Sget_simple_extent_npoints(space) > 64))
    H5Pset_chunk(plan, n, chunk);
  hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
  if (dataset >= 0 && take(from, 4)) write_some(from, dataset, type, space);
  if (dataset >= 0) H5Dclose(dataset);
  H5Pclose(plan);
  H5Sclose(space);
  H5Tclose(type);
}

static void make_order(source *from, hid_t group) {
  static const char *const words[] = {"a", "b", "_index", "nosuch", "a/b", ".", "", "patient"};
  const char *names[4];
  hid_t type = take(from, 4) ? text_type() : H5Tcopy(H5T_STD_I64LE);
  hsize_t n = 1 + take(from, 4);
  hid_t space = take(from, 5) ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_NULL);

  for (int i = 0; i < 4; i++) names[i] = words[take(from, 8)];
  hid_t attribute = H5Acreate2(group, "column-order", type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) {
    if (H5Tis_variable_str(type) > 0) H5Awrite(attribute, type, names);
    H5Aclose(attribute);
  }
  H5Sclose(space);
  H5Tclose(type);
}

/* A frame as it should be: an index of two names, and columns of any kind. */
static void make_frame(source *from, hid_t file, const char *name) {
  static const char *const columns[] = {"a", "b", "patient"};
  static const char *const categories[] = {"a/categories", "a/codes"};
  hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

  if (group < 0) return;
  if (take(from, 8)) {
    const char *names[2] = {"P1", "P2"};
    hsize_t two = 2;
    hid_t type = text_type(), space = H5Screate_simple(1, &two, NULL);
    hid_t index = H5Dcreate2(group, "_index", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(index, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names);
    H5Dclose(index);
    H5Sclose(space);
    H5Tclose(type);
  } else {
    make_dataset(from, group, "_index");
  }
  if (take(from, 4) == 0) {
    hid_t categorical = H5Gcreate2(group, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 2 && categorical >= 0; i++) make_dataset(from, group, categories[i]);
    if (categorical >= 0) H5Gclose(categorical);
  }
  for (int i = 0; i < 3; i++)
    if (take(from, 2)) make_dataset(from, group, columns[i]);
  if (take(from, 8)) make_order(from, group);
  H5Gclose(group);
}

static void make_file(source *from, const char *path) {
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  if (file < 0) abort();
  for (int i = 0; i < 2; i++) {
    const char *name = i ? "var" : "obs";
    unsigned kind = take(from, 8);
    if (kind == 0) continue;
    if (kind == 1)
      make_dataset(from, file, name);
    else
      make_frame(from, file, name);
  }
  if (take(from, 6)) make_dataset(from, file, "X");
  if (take(from, 2)) H5Lcreate_soft("/obs", file, "uns", H5P_DEFAULT, H5P_DEFAULT);
  if (take(from, 2)) make_dataset(from, file, "text");
  H5Fclose(file);
}

static void read_file(const char *path) {
  rx_matrix *matrix = NULL;
  double values[4];
  size_t n_rows, n_columns;
  rx_status status = rx_matrix_open(MPI_COMM_SELF, path, &matrix);

  fuzz_check(status);
  if (status) return;
  fuzz_check(rx_matrix_shape(matrix, "X", &n_rows, &n_columns));
  if (matrix->n_obs && matrix->n_var)
    fuzz_check(rx_matrix_read(matrix, "X", RX_FLOAT64, 0, 1, 0, 1, values));
  fuzz_check(rx_matrix_read(matrix, "X", RX_FLOAT64, (size_t)1 << 40, 1, 0, 1, values));
  rx_matrix_destroy(&matrix);
}

static void read_store(const char *path) {
  rx_store *store = NULL;
  char *text = NULL, **texts = NULL;
  size_t n, dims[4];
  int n_dims;
  double number;

  if (rx_store_open(path, &store)) return;
  fuzz_check(rx_store_get_text(store, "text", &text));
  free(text);
  fuzz_check(rx_store_get_texts(store, "text", &n, &texts));
  rx_texts_destroy(&texts, n);
  fuzz_check(rx_store_get_number(store, "text", &number));
  fuzz_check(rx_store_shape(store, "X", &n_dims, dims));
  rx_store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  source from = {bytes, bytes + n};
  const char *path = fuzz_file(bytes, 0, ".h5ad");

  make_file(&from, path);
  read_file(path);
  read_store(path);
  return 0;
}
