/* Texts and frames in an HDF5 file, with the encodings of AnnData 0.2.0. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hdf5.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/store.h"

enum { NAME_SIZE = 1024 };

void rx_texts_destroy(char ***texts, size_t n) {
  for (size_t i = 0; *texts && i < n; i++) free((*texts)[i]);
  free(*texts);
  *texts = NULL;
}

/* Reads the texts of a dataset whose strings have variable or fixed length. */
static rx_status read_texts(hid_t dataset, size_t n, char **texts) {
  hid_t there = H5Dget_type(dataset), type = H5Tcopy(H5T_C_S1);
  bool is_variable = H5Tis_variable_str(there) > 0;
  size_t size = is_variable ? sizeof(char *) : H5Tget_size(there) + 1;
  char *raw = NULL;
  rx_status status = RX_OK;

  H5Tset_cset(type, H5Tget_cset(there));
  H5Tset_size(type, is_variable ? H5T_VARIABLE : size);
  status = rx_new((void **)&raw, "texts", n, size);
  if (!status && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0)
    status = RX_ERR_INPUT;
  for (size_t i = 0; i < n && !status; i++) {
    const char *text = is_variable ? ((char **)(void *)raw)[i] : raw + i * size;
    status = rx_copy_text(text ? text : "", &texts[i]);
  }
  if (raw && is_variable) {
    hid_t space = H5Dget_space(dataset);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
    H5Sclose(space);
  }
  free(raw);
  H5Tclose(type);
  H5Tclose(there);
  return status;
}

/* Opens a dataset of texts and tells how many there are. */
static rx_status open_texts(const rx_store *store, const char *name, hid_t *dataset, size_t *n) {
  *n = 0;
  *dataset = rx_store_has(store, name) ? rx_hdf5_open(store->file, name) : H5I_INVALID_HID;
  if (*dataset < 0) return rx_store_unreadable(store, name, "texts");
  hid_t type = H5Dget_type(*dataset), space = H5Dget_space(*dataset);
  bool is_text = H5Tget_class(type) == H5T_STRING && rx_hdf5_is_stored(*dataset);
  *n = (size_t)H5Sget_simple_extent_npoints(space);
  H5Tclose(type);
  H5Sclose(space);
  if (is_text) return RX_OK;
  H5Dclose(*dataset);
  return rx_store_unreadable(store, name, "texts");
}

static rx_status get_plain_texts(const rx_store *store, const char *name, size_t *n,
                                 char ***texts) {
  hid_t dataset;

  *texts = NULL;
  RX_TRY(open_texts(store, name, &dataset, n));
  rx_status status = RX_NEW(texts, "texts", *n);
  if (!status) status = read_texts(dataset, *n, *texts);
  H5Dclose(dataset);
  if (status == RX_ERR_INPUT) status = rx_store_unreadable(store, name, "texts");
  if (status) rx_texts_destroy(texts, *n);
  return status;
}

static bool is_group(const rx_store *store, const char *name) {
  H5O_info_t about;

  return rx_store_has(store, name) &&
         H5Oget_info_by_name2(store->file, name, &about, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         about.type == H5O_TYPE_GROUP;
}

/* A categorical: codes into categories, -1 for a missing value. */
static rx_status get_categorical(const rx_store *store, const char *name, size_t *n,
                                 char ***texts) {
  char path[NAME_SIZE];
  size_t dims[4], n_categories = 0;
  int n_dims;
  char **categories = NULL;
  int64_t *codes = NULL;
  rx_status status;

  *texts = NULL;
  snprintf(path, sizeof path, "%s/categories", name);
  if ((status = get_plain_texts(store, path, &n_categories, &categories))) goto done;
  snprintf(path, sizeof path, "%s/codes", name);
  if ((status = rx_store_shape(store, path, &n_dims, dims))) goto done;
  *n = n_dims == 1 ? dims[0] : 0;
  if ((status = RX_NEW(&codes, "codes", *n))) goto done;
  if ((status = rx_store_get(store, path, RX_INT64, *n, codes))) goto done;
  if ((status = RX_NEW(texts, "texts", *n))) goto done;
  for (size_t i = 0; i < *n && !status; i++) {
    bool is_known = codes[i] >= 0 && (size_t)codes[i] < n_categories;
    status = rx_copy_text(is_known ? categories[codes[i]] : "", &(*texts)[i]);
  }
done:
  if (status) rx_texts_destroy(texts, *n);
  rx_texts_destroy(&categories, n_categories);
  free(codes);
  return status;
}

rx_status rx_store_get_texts(const rx_store *store, const char *name, size_t *n, char ***texts) {
  *n = 0;
  return is_group(store, name) ? get_categorical(store, name, n, texts)
                               : get_plain_texts(store, name, n, texts);
}

rx_status rx_store_get_text(const rx_store *store, const char *name, char **text) {
  char **texts;
  size_t n;

  *text = NULL;
  RX_TRY(get_plain_texts(store, name, &n, &texts));
  rx_status status =
      n == 1 ? rx_copy_text(texts[0], text) : rx_store_unreadable(store, name, "one text");
  rx_texts_destroy(&texts, n);
  return status;
}

/* Writes the attribute column-order; without columns it has none, as anndata writes it. */
static rx_status order_columns(hid_t group, size_t n, char *const *names) {
  hid_t type = rx_hdf5_text_type();
  hsize_t extent = n;
  hid_t space = H5Screate_simple(1, &extent, NULL);

  if (H5Aexists(group, "column-order") > 0) H5Adelete(group, "column-order");
  hid_t attribute = H5Acreate2(group, "column-order", type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool is_good = attribute >= 0 && (!n || H5Awrite(attribute, type, names) >= 0);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return is_good ? RX_OK : RX_ERR_OUTPUT;
}

static rx_status write_column(rx_store *store, const char *frame, size_t n_rows,
                              const rx_column *column) {
  char path[NAME_SIZE];
  int length = snprintf(path, sizeof path, "%s/%s", frame, column->name);

  bool is_taken = !*column->name || !strcmp(column->name, ".") || !strcmp(column->name, "_index");
  if (length < 0 || length >= NAME_SIZE || strchr(column->name, '/') || is_taken)
    return RX_FAIL(RX_ERR_INPUT,
                   "expected the name of a column, short, without '/', not _index, found '%.100s'",
                   column->name);
  if (column->kind == RX_TEXT) return rx_store_put_texts(store, path, n_rows, column->text);
  if (column->kind == RX_REAL)
    return rx_store_put(store, path, RX_FLOAT64, 1, &n_rows, column->real);
  return rx_store_put(store, path, RX_INT64, 1, &n_rows, column->integer);
}

rx_status rx_store_put_frame(rx_store *store, const char *name, const rx_frame *frame) {
  char path[NAME_SIZE], **names = NULL;
  rx_status status = rx_store_put_group(store, name, "");

  snprintf(path, sizeof path, "%s/_index", name);
  if (!status) status = rx_store_put_texts(store, path, frame->n_rows, frame->names);
  for (size_t c = 0; c < frame->n_columns && !status; c++)
    status = write_column(store, name, frame->n_rows, &frame->columns[c]);
  if (!status) status = RX_NEW(&names, "columns", frame->n_columns);
  if (status) return status;
  for (size_t c = 0; c < frame->n_columns; c++) names[c] = frame->columns[c].name;
  errno = 0;
  hid_t group = H5Gopen2(store->file, name, H5P_DEFAULT);
  if (group < 0 || rx_hdf5_encode(group, "dataframe", "0.2.0") ||
      rx_hdf5_attribute(group, "_index", "_index") || order_columns(group, frame->n_columns, names))
    status = rx_store_unwritable(store, name);
  if (group >= 0) H5Gclose(group);
  free(names);
  return status;
}

/* Reads an attribute that is a list of texts. */
static rx_status read_list(hid_t object, const char *name, size_t *n, char ***texts) {
  char **raw = NULL;

  *n = 0;
  *texts = NULL;
  hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  if (attribute < 0) return RX_ERR_INPUT;
  hid_t space = H5Aget_space(attribute), type = rx_hdf5_text_type(), there = H5Aget_type(attribute);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  size_t count = points > 0 ? (size_t)points : 0;
  rx_status status = RX_NEW(texts, "texts", count);
  if (!status) status = RX_NEW(&raw, "texts", count);
  if (!status && count && (H5Tis_variable_str(there) <= 0 || H5Aread(attribute, type, raw) < 0))
    status = RX_ERR_INPUT;
  for (size_t i = 0; i < count && !status; i++) status = rx_copy_text(raw[i], &(*texts)[i]);
  if (!status) *n = count;
  if (count && raw && raw[0]) H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
  free(raw);
  H5Tclose(there);
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  if (status) rx_texts_destroy(texts, count);
  return status;
}

rx_status rx_store_put_column(rx_store *store, const char *frame, size_t n_rows,
                              const rx_column *column) {
  char **names = NULL, **more = NULL;
  size_t n = 0;
  bool is_there = false;

  RX_TRY(write_column(store, frame, n_rows, column));
  hid_t group = H5Gopen2(store->file, frame, H5P_DEFAULT);
  if (group < 0) return rx_store_unreadable(store, frame, "a dataframe");
  rx_status status = read_list(group, "column-order", &n, &names);
  if (!status) status = RX_NEW(&more, "columns", n + 1);
  for (size_t i = 0; i < n && !status; i++) {
    more[i] = names[i];
    is_there = is_there || !strcmp(names[i], column->name);
  }
  if (!status && !is_there) more[n] = column->name;
  if (!status && order_columns(group, n + !is_there, more))
    status = rx_store_unwritable(store, frame);
  if (status == RX_ERR_INPUT) status = rx_store_unreadable(store, frame, "a dataframe");
  H5Gclose(group);
  free(more);
  rx_texts_destroy(&names, n);
  return status;
}

/* What a column holds: H5T_STRING for texts and for categories that are texts, H5T_NO_CLASS for
 * what is no list or is made of parts; and how many rows a list has. */
static rx_status classify(const rx_store *store, const char *path, H5T_class_t *kind, size_t *n) {
  char categories[NAME_SIZE + 16];
  bool is_one = !is_group(store, path);

  *kind = H5T_NO_CLASS;
  snprintf(categories, sizeof categories, "%s/categories", path);
  if (!is_one && !rx_store_has(store, categories)) return RX_OK;
  hid_t dataset = rx_hdf5_open(store->file, is_one ? path : categories);
  if (dataset < 0) return rx_store_unreadable(store, path, "a column");
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  if (H5Sget_simple_extent_ndims(space) == 1) *kind = H5Tget_class(type);
  if (!is_one && *kind != H5T_STRING) *kind = H5T_NO_CLASS;
  *n = points > 0 ? (size_t)points : 0;
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(dataset);
  return RX_OK;
}

/* h5py's booleans do not convert to integers by themselves: they are read as the bytes they are. */
static rx_status read_integers(const rx_store *store, const char *path, size_t n, int64_t *out) {
  hid_t dataset = H5Dopen2(store->file, path, H5P_DEFAULT), type = H5Dget_type(dataset);
  bool is_enum = H5Tget_class(type) == H5T_ENUM;
  unsigned char *bytes = NULL;
  rx_status status = RX_OK;

  if (is_enum && H5Tget_size(type) == 1) {
    status = RX_NEW(&bytes, "flags", n);
    if (!status && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0)
      status = rx_store_unreadable(store, path, "flags");
    for (size_t i = 0; i < n && !status; i++) out[i] = bytes[i];
    free(bytes);
  } else {
    status = rx_store_get(store, path, RX_INT64, n, out);
  }
  H5Tclose(type);
  H5Dclose(dataset);
  return status;
}

static rx_status get_text_column(const rx_store *store, const char *path, const char *name,
                                 rx_frame *frame) {
  char **texts = NULL;
  size_t n = 0;
  rx_column *column = NULL;

  rx_status status = rx_store_get_texts(store, path, &n, &texts);
  if (!status && n == frame->n_rows) status = rx_frame_add(frame, name, RX_TEXT, &column);
  for (size_t r = 0; r < n && n == frame->n_rows && !status; r++)
    status = rx_frame_set_text(frame, column, r, texts[r]);
  rx_texts_destroy(&texts, n);
  return status;
}

static rx_status get_column(const rx_store *store, const char *frame_name, const char *name,
                            rx_frame *frame) {
  char path[NAME_SIZE];
  size_t n;
  H5T_class_t kind;
  rx_column *column;

  snprintf(path, sizeof path, "%s/%s", frame_name, name);
  if (!rx_store_has(store, path)) return rx_store_unreadable(store, path, "a column");
  RX_TRY(classify(store, path, &kind, &n));
  if (kind == H5T_STRING) return get_text_column(store, path, name, frame);
  bool is_integer = kind == H5T_INTEGER || kind == H5T_ENUM;  /* an enum is a boolean of h5py */
  if ((!is_integer && kind != H5T_FLOAT) || !n) return RX_OK; /* of a kind that is left out */
  if (n != frame->n_rows)
    return RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected %zu rows, found %zu", store->path, path,
                   frame->n_rows, n);
  RX_TRY(rx_frame_add(frame, name, is_integer ? RX_INTEGER : RX_REAL, &column));
  return is_integer ? read_integers(store, path, n, column->integer)
                    : rx_store_get(store, path, RX_FLOAT64, n, column->real);
}

/* The name of the index of a frame: its attribute _index. */
static rx_status find_index(hid_t group, char *name) {
  hid_t attribute = H5Aexists(group, "_index") > 0 ? H5Aopen(group, "_index", H5P_DEFAULT) : -1;
  char **texts = NULL;
  size_t n = 0;

  if (attribute < 0) return RX_ERR_INPUT;
  H5Aclose(attribute);
  rx_status status = read_list(group, "_index", &n, &texts);
  if (!status && n == 1) snprintf(name, NAME_SIZE, "%.500s", texts[0]);
  if (!status && n != 1) status = RX_ERR_INPUT;
  rx_texts_destroy(&texts, n);
  return status;
}

static rx_status get_frame(const rx_store *store, const char *name, hid_t group, rx_frame **out) {
  char index[NAME_SIZE], path[2 * NAME_SIZE], **texts = NULL;
  size_t n = 0;

  rx_status status = find_index(group, index);
  if (status == RX_ERR_INPUT) rx_store_unreadable(store, name, "a dataframe with an index");
  RX_TRY(status);
  snprintf(path, sizeof path, "%s/%s", name, index);
  RX_TRY(rx_store_get_texts(store, path, &n, &texts));
  status = rx_frame_create(n, out);
  for (size_t r = 0; r < n && !status; r++) status = rx_frame_name(*out, r, texts[r]);
  rx_texts_destroy(&texts, n);
  if (!status) {
    status = read_list(group, "column-order", &n, &texts);
    if (status == RX_ERR_INPUT) rx_store_unreadable(store, name, "a dataframe with a column order");
  }
  for (size_t c = 0; c < n && !status; c++) status = get_column(store, name, texts[c], *out);
  rx_texts_destroy(&texts, n);
  return status;
}

rx_status rx_store_get_frame(const rx_store *store, const char *name, rx_frame **out) {
  *out = NULL;
  if (!is_group(store, name)) return rx_store_unreadable(store, name, "a dataframe");
  hid_t group = H5Gopen2(store->file, name, H5P_DEFAULT);
  rx_status status = get_frame(store, name, group, out);
  H5Gclose(group);
  if (status) rx_frame_destroy(out);
  return status;
}
