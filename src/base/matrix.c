#include "radmix/matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hdf5.h"
#include "base/hints.h"
#include "radmix/error.h"
#include "radmix/memory.h"

enum { PATH_SIZE = 4096 };

/* Bytes of one collective write of a rank: MPI-IO counts are ints. */
static const size_t largest_write = (size_t)1 << 28;

struct rx_matrix_file {
  const rx_job *job; /* of a matrix that is written; else NULL */
  MPI_Comm comm;
  int rank;
  hid_t parallel;  /* the file as all ranks have it */
  rx_store *store; /* the file as rank 0 has it, after the seal */
  bool is_part;    /* path.part is there and not yet named */
};

static rx_status allocate(MPI_Comm comm, const rx_job *job, const char *path, rx_matrix **out) {
  rx_status status = RX_NEW(out, "matrix", 1);

  if (!status) status = rx_copy_text(path, &(*out)->path);
  if (!status) status = RX_NEW(&(*out)->file, "matrix", 1);
  if (!status) {
    (*out)->file->job = job;
    (*out)->file->comm = comm;
    (*out)->file->parallel = H5I_INVALID_HID;
    MPI_Comm_rank(comm, &(*out)->file->rank);
  }
  return RX_AGREE(comm, status);
}

static rx_status open_parallel(rx_matrix *matrix, const char *name, unsigned flags) {
  struct rx_matrix_file *f = matrix->file;
  MPI_Info info = rx_hints_create(f->job ? f->job->config : NULL);
  hid_t access = rx_hdf5_access(f->comm, info);

  f->parallel = H5Fopen(name, flags, access);
  H5Pclose(access);
  MPI_Info_free(&info);
  rx_status status = RX_OK;
  if (f->parallel < 0)
    status =
        RX_FAIL(f->job ? RX_ERR_OUTPUT : RX_ERR_INPUT, "%s: cannot be opened by all ranks", name);
  return RX_AGREE(f->comm, status);
}

/* ---- writing ---- */

/* Space is reserved at once, so that the ranks need not agree on it while they write. */
static hid_t plan_array(const rx_job *job, const rx_array *array, int n_dims) {
  hsize_t chunk[2] = {(hsize_t)job->config->output_chunk, array->chunk_columns};

  if (chunk[0] > array->n_rows) chunk[0] = array->n_rows;
  if (chunk[1] > array->n_columns) chunk[1] = array->n_columns;
  hid_t creation = rx_hdf5_creation(n_dims, array->chunk_columns && n_dims == 2 ? chunk : NULL);
  H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  return creation;
}

static rx_status make_array(rx_store *store, const rx_job *job, const rx_array *array) {
  int n_dims = array->n_columns ? 2 : 1;
  hsize_t dims[2] = {array->n_rows, array->n_columns};
  hid_t space = H5Screate_simple(n_dims, dims, NULL), links = rx_hdf5_links();
  hid_t creation = plan_array(job, array, n_dims);
  errno = 0;
  hid_t dataset = H5Dcreate2(store->file, array->name, rx_hdf5_file_type(array->type), space, links,
                             creation, H5P_DEFAULT);
  rx_status status = RX_OK;
  if (dataset < 0 || rx_hdf5_encode(dataset, "array", "0.2.0"))
    status = rx_store_unwritable(store, array->name);
  if (dataset >= 0) H5Dclose(dataset);
  H5Pclose(creation);
  H5Pclose(links);
  H5Sclose(space);
  return status;
}

static rx_status make_groups(rx_store *store) {
  static const char *const names[] = {"layers", "obsm", "obsp", "uns", "varm", "varp"};

  if (rx_hdf5_encode(store->file, "anndata", "0.1.0")) return rx_store_unwritable(store, "");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    RX_TRY(rx_store_put_group(store, names[i], "dict"));
  return RX_OK;
}

/* The serial beginning, on rank 0. */
static rx_status make_file(const rx_job *job, const char *path, const rx_matrix_layout *layout,
                           rx_store **store) {
  RX_TRY(rx_store_create_aligned(path, rx_hints_alignment(job->config), store));
  RX_TRY(make_groups(*store));
  RX_TRY(rx_store_put_frame(*store, "obs", layout->obs));
  RX_TRY(rx_store_put_frame(*store, "var", layout->var));
  for (int i = 0; i < layout->n_arrays; i++) RX_TRY(make_array(*store, job, &layout->arrays[i]));
  return RX_OK;
}

/* Closes the file and leaves path.part for the others to open. */
static rx_status hand_over(rx_store **store) {
  rx_store *s = *store;

  errno = 0;
  rx_status status = H5Fclose(s->file) < 0 ? rx_store_unwritable(s, "") : RX_OK;
  s->file = H5I_INVALID_HID;
  s->keeps_part = !status;
  rx_store_close(store);
  return status;
}

rx_status rx_matrix_create(const rx_job *job, const char *path, const rx_matrix_layout *layout,
                           rx_matrix **out) {
  rx_store *store = NULL;
  char part[PATH_SIZE];
  rx_status status;

  *out = NULL;
  if ((status = allocate(job->comm, job, path, out))) goto done;
  status = rx_output_part(path, part, sizeof part);
  if (!status && job->rank == 0) {
    status = rx_hints_make_file(MPI_COMM_SELF, job->config, part);
    if (!status) status = make_file(job, path, layout, &store);
    if (!status) status = hand_over(&store);
  }
  if ((status = RX_AGREE(job->comm, status))) goto done;
  (*out)->file->is_part = true;
  status = open_parallel(*out, part, H5F_ACC_RDWR);
done:
  rx_store_close(&store);
  if (status) rx_matrix_destroy(out);
  return status;
}

/* Selects a block of rows and columns in a dataset of one or two dimensions; nothing when empty. */
static rx_status select_block(const rx_matrix *matrix, const char *name, hid_t space, size_t row,
                              size_t n_rows, size_t column, size_t n_columns) {
  hsize_t dims[2] = {0, 1}, start[2] = {row, column}, count[2] = {n_rows, n_columns};
  int n_dims = H5Sget_simple_extent_ndims(space);

  if (n_dims != 1 && n_dims != 2)
    return RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected a matrix, found %d dimensions", matrix->path,
                   name, n_dims);
  H5Sget_simple_extent_dims(space, dims, NULL);
  if (!n_rows || !n_columns) return H5Sselect_none(space) < 0 ? RX_ERR_INTERNAL : RX_OK;
  if (row + n_rows > dims[0] || column + n_columns > dims[1])
    return RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected at least %zu x %zu numbers, found %zu x %zu",
                   matrix->path, name, row + n_rows, column + n_columns, (size_t)dims[0],
                   (size_t)dims[1]);
  return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ? RX_ERR_INTERNAL
                                                                                  : RX_OK;
}

/* Moves one piece of a block between memory and file, on all ranks together. */
static rx_status move_piece(const rx_matrix *matrix, const char *name, hid_t dataset, rx_type type,
                            size_t row, size_t n_rows, size_t column, size_t n_columns, void *into,
                            const void *from) {
  hsize_t count[2] = {n_rows ? n_rows : 1, n_columns ? n_columns : 1};
  hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(2, count, NULL);
  hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
  char nothing[8] = {0};

  H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
  if (!n_rows || !n_columns) H5Sselect_none(memory);
  rx_status status = select_block(matrix, name, space, row, n_rows, column, n_columns);
  status = RX_AGREE(matrix->file->comm, status); /* before the collective call, never after */
  if (!status) {
    hid_t t = rx_hdf5_type(type);
    herr_t failed = into ? H5Dread(dataset, t, memory, space, transfer, n_rows ? into : nothing)
                         : H5Dwrite(dataset, t, memory, space, transfer, n_rows ? from : nothing);
    if (failed < 0)
      status = into ? RX_FAIL(RX_ERR_INPUT, "%s: /%s: cannot be read", matrix->path, name)
                    : RX_FAIL(RX_ERR_OUTPUT, "%s: /%s: cannot be written (disk full?)",
                              matrix->path, name);
    status = RX_AGREE(matrix->file->comm, status);
  }
  H5Pclose(transfer);
  H5Sclose(memory);
  H5Sclose(space);
  return status;
}

/* Opens a dataset on all ranks and moves a block in pieces of bounded size. */
static rx_status move_block(const rx_matrix *matrix, const char *name, rx_type type, size_t row,
                            size_t n_rows, size_t column, size_t n_columns, void *into,
                            const void *from) {
  MPI_Comm comm = matrix->file->comm;
  size_t row_bytes = n_columns * rx_type_size(type);
  size_t rows = row_bytes ? largest_write / row_bytes + 1 : 1;
  uint64_t pieces = (n_rows + rows - 1) / rows;
  hid_t file = matrix->file->parallel;
  hid_t dataset = rx_matrix_has(matrix, name) ? rx_hdf5_open(file, name) : H5I_INVALID_HID;
  rx_status status = RX_OK;

  if (dataset < 0)
    status = RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected an array, found none", matrix->path, name);
  status = RX_AGREE(comm, status);
  MPI_Allreduce(MPI_IN_PLACE, &pieces, 1, MPI_UINT64_T, MPI_MAX, comm);
  for (uint64_t p = 0; p < pieces && !status; p++) {
    size_t first = p * rows < n_rows ? p * rows : n_rows;
    size_t count = n_rows - first < rows ? n_rows - first : rows;
    status = move_piece(matrix, name, dataset, type, row + first, count, column, n_columns,
                        into ? (char *)into + first * row_bytes : NULL,
                        from ? (const char *)from + first * row_bytes : NULL);
  }
  if (dataset >= 0) H5Dclose(dataset);
  return status;
}

rx_status rx_matrix_write(rx_matrix *matrix, const char *name, rx_type type, size_t row,
                          size_t n_rows, size_t column, size_t n_columns, const void *data) {
  return move_block(matrix, name, type, row, n_rows, column, n_columns, NULL, data ? data : "");
}

rx_status rx_matrix_seal(rx_matrix *matrix, rx_store **store) {
  struct rx_matrix_file *f = matrix->file;
  rx_status status = RX_OK;

  *store = NULL;
  if (f->parallel >= 0) {
    bool is_flushed = H5Fflush(f->parallel, H5F_SCOPE_GLOBAL) >= 0;
    bool is_closed = H5Fclose(f->parallel) >= 0; /* in any case: the others wait in it */
    if (!is_flushed || !is_closed)
      status = RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written (disk full?)", matrix->path);
    f->parallel = H5I_INVALID_HID;
    status = RX_AGREE(f->comm, status);
    MPI_Barrier(f->comm);
    if (!status && f->rank == 0) status = rx_store_continue(matrix->path, &f->store);
    status = RX_AGREE(f->comm, status);
  }
  if (!status) *store = f->store;
  return status;
}

rx_status rx_matrix_commit(rx_matrix **matrix, const rx_recipe *recipe) {
  struct rx_matrix_file *f = (*matrix)->file;
  rx_store *store;
  rx_status status = rx_matrix_seal(*matrix, &store);
  size_t memory = rx_result_memory(f->comm);

  if (!status && f->rank == 0) {
    status = rx_result_record(store, f->job, recipe, memory);
    if (!status) status = rx_store_commit(&f->store);
    if (!status) f->is_part = false;
  }
  status = RX_AGREE(f->comm, status);
  rx_matrix_destroy(matrix);
  return status;
}

/* ---- reading ---- */

/* X has a row for each name of obs and a column for each of var; it may be absent. */
static rx_status check_shape(const rx_store *store, const rx_matrix *matrix) {
  size_t dims[4];
  int n_dims;

  if (!rx_store_has(store, "X")) return RX_OK;
  RX_TRY(rx_store_shape(store, "X", &n_dims, dims));
  if (n_dims == 2 && dims[0] == matrix->obs->n_rows && dims[1] == matrix->var->n_rows) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s: /X: expected %zu x %zu numbers as obs and var say, found %s",
                 matrix->path, matrix->obs->n_rows, matrix->var->n_rows,
                 n_dims == 2 ? "another shape" : "another number of dimensions");
}

static rx_status read_names(const char *path, rx_matrix *matrix) {
  rx_store *store = NULL;

  RX_TRY(rx_store_open(path, &store));
  rx_status status = rx_store_get_frame(store, "obs", &matrix->obs);
  if (!status) status = rx_store_get_frame(store, "var", &matrix->var);
  if (!status) status = check_shape(store, matrix);
  rx_store_close(&store);
  return status;
}

rx_status rx_matrix_open(MPI_Comm comm, const char *path, rx_matrix **out) {
  rx_status status;

  *out = NULL;
  if ((status = allocate(comm, NULL, path, out))) goto done;
  if ((*out)->file->rank == 0) status = read_names(path, *out);
  if ((status = RX_AGREE(comm, status))) goto done;
  if ((status = rx_frame_broadcast(comm, &(*out)->obs))) goto done;
  if ((status = rx_frame_broadcast(comm, &(*out)->var))) goto done;
  (*out)->n_obs = (*out)->obs->n_rows;
  (*out)->n_var = (*out)->var->n_rows;
  status = open_parallel(*out, path, H5F_ACC_RDONLY);
done:
  if (status) rx_matrix_destroy(out);
  return status;
}

bool rx_matrix_has(const rx_matrix *matrix, const char *name) {
  const char *slash = strchr(name, '/');
  hid_t file = matrix->file->parallel;
  char group[256];

  if (slash) {
    snprintf(group, sizeof group, "%.*s", (int)(slash - name), name);
    if (H5Lexists(file, group, H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

rx_status rx_matrix_shape(const rx_matrix *matrix, const char *name, size_t *n_rows,
                          size_t *n_columns) {
  hsize_t dims[H5S_MAX_RANK] = {0};
  hid_t file = matrix->file->parallel;
  hid_t dataset = rx_matrix_has(matrix, name) ? rx_hdf5_open(file, name) : H5I_INVALID_HID;
  int n_dims = -1;

  if (dataset >= 0) {
    hid_t space = H5Dget_space(dataset);
    n_dims = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    H5Dclose(dataset);
  }
  rx_status status = RX_OK;
  if (n_dims != 1 && n_dims != 2)
    status = RX_FAIL(RX_ERR_INPUT, "%s: /%s: expected a matrix, found none", matrix->path, name);
  *n_rows = (size_t)dims[0];
  *n_columns = n_dims == 2 ? (size_t)dims[1] : 0;
  return RX_AGREE(matrix->file->comm, status);
}

rx_status rx_matrix_read(const rx_matrix *matrix, const char *name, rx_type type, size_t row,
                         size_t n_rows, size_t column, size_t n_columns, void *data) {
  char nothing;

  return move_block(matrix, name, type, row, n_rows, column, n_columns, data ? data : &nothing,
                    NULL);
}

rx_status rx_matrix_store(const rx_matrix *matrix, rx_store **store) {
  rx_status status = RX_OK;

  *store = NULL;
  if (matrix->file->rank == 0) status = rx_store_open(matrix->path, store);
  return RX_AGREE(matrix->file->comm, status);
}

void rx_matrix_destroy(rx_matrix **matrix) {
  rx_matrix *m = *matrix;
  char part[PATH_SIZE];

  if (!m) return;
  if (m->file) {
    if (m->file->parallel >= 0) H5Fclose(m->file->parallel);
    rx_store_close(&m->file->store);
    if (m->file->is_part && m->file->rank == 0 && !rx_output_part(m->path, part, sizeof part))
      unlink(part);
  }
  rx_frame_destroy(&m->obs);
  rx_frame_destroy(&m->var);
  free(m->file);
  free(m->path);
  free(m);
  *matrix = NULL;
}
