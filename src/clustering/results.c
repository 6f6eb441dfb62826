#include "results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/partition.h"

enum { MOST_ARRAYS = 8, NAME_SIZE = 128 };

void rx_cluster_results_clear(rx_cluster_results *results) {
  rx_tree_destroy(&results->patients);
  rx_tree_destroy(&results->features);
  rx_pca_destroy(&results->slice_components);
  rx_pca_destroy(&results->patient_components);
  rx_slice_groups_destroy(&results->groups);
  rx_frame_destroy(&results->tests);
  rx_frame_destroy(&results->slice_columns);
  free(results->scores);
  free(results->patient_scores);
  free(results->mean_scores);
  free(results->score_between);
  free(results->patient_picture.y);
  free(results->feature_picture.y);
  free(results->icc);
  free(results->between);
  *results = (rx_cluster_results){0};
}

/* ---- frames; rank 0 ---- */

/* Adds labels as texts "1", "2", ..., which plots take for categories. rows  [n], of the frame */
static rx_status add_labels(rx_frame *frame, const size_t *rows, size_t n, const int *labels) {
  rx_column *column;
  char number[16];

  RX_TRY(rx_frame_add(frame, "cluster", RX_TEXT, &column));
  for (size_t i = 0; i < n; i++) {
    snprintf(number, sizeof number, "%d", labels[i] + 1);
    RX_TRY(rx_frame_set_text(frame, column, rows ? rows[i] : i, number));
  }
  return RX_OK;
}

/* rows NULL: all, in order; rows of the frame that are not among them are missing. */
static rx_status add_numbers(rx_frame *frame, const char *name, const size_t *rows, size_t n,
                             const double *values) {
  rx_column *column;

  RX_TRY(rx_frame_add(frame, name, RX_REAL, &column));
  for (size_t i = 0; i < frame->n_rows; i++) column->real[i] = NAN;
  for (size_t i = 0; i < n; i++) column->real[rows ? rows[i] : i] = values[i];
  return RX_OK;
}

static bool is_own(const char *name) {
  return !strcmp(name, "cluster") || !strcmp(name, "silhouette") || !strcmp(name, "icc") ||
         !strcmp(name, "share_between");
}

/* A frame with the names and columns of another one. */
static rx_status copy_frame(const rx_frame *from, rx_frame **out) {
  ptrdiff_t *rows;

  RX_TRY(rx_frame_create(from->n_rows, out));
  RX_TRY(RX_NEW(&rows, "frame", from->n_rows));
  rx_status status = RX_OK;
  for (size_t i = 0; i < from->n_rows && !status; i++) {
    rows[i] = (ptrdiff_t)i;
    status = rx_frame_name(*out, i, from->names[i]);
  }
  for (size_t c = 0; c < from->n_columns && !status; c++)
    if (!is_own(from->columns[c].name))
      status = rx_frame_copy_column(*out, from, &from->columns[c], rows);
  free(rows);
  return status;
}

static rx_status describe_patients(const rx_cluster_data *data, const rx_cluster_results *results,
                                   rx_frame **obs) {
  size_t n = data->n_patients;

  RX_TRY(copy_frame(data->patients, obs));
  RX_TRY(add_labels(*obs, NULL, n, results->patients->labels));
  return add_numbers(*obs, "silhouette", NULL, n, results->patients->silhouette);
}

static rx_status describe_features(const rx_cluster_data *data, const rx_cluster_results *results,
                                   rx_frame **var) {
  size_t n = 0, *used;

  RX_TRY(copy_frame(data->features, var));
  RX_TRY(RX_NEW(&used, "features", data->n_features));
  for (size_t j = 0; j < data->n_features; j++)
    if (data->is_used[j]) used[n++] = j;
  rx_status status = add_labels(*var, used, n, results->features->labels);
  if (!status) status = add_numbers(*var, "silhouette", used, n, results->features->silhouette);
  if (!status) status = add_numbers(*var, "icc", used, n, results->icc);
  if (!status) status = add_numbers(*var, "share_between", used, n, results->between);
  free(used);
  return status;
}

/* ---- uns; rank 0 ---- */

static rx_status put_doubles(rx_store *store, const char *group, const char *name, size_t n,
                             const double *values) {
  char path[NAME_SIZE];

  if (!n) return RX_OK;
  snprintf(path, sizeof path, "uns/%s/%s", group, name);
  return rx_store_put(store, path, RX_FLOAT64, 1, &n, values);
}

static rx_status put_number(rx_store *store, const char *group, const char *name, double value) {
  char path[NAME_SIZE];

  snprintf(path, sizeof path, "uns/%s/%s", group, name);
  return rx_store_put_number(store, path, value);
}

static rx_status put_group(rx_store *store, const char *group) {
  char path[NAME_SIZE];

  snprintf(path, sizeof path, "uns/%s", group);
  return rx_store_put_group(store, path, "dict");
}

/* The tree as scipy has it: clusters from 0, the points first; distance; number of points. */
static rx_status put_scipy(rx_store *store, const char *group, const rx_linkage *linkage) {
  size_t n = linkage->n, dims[2] = {n - 1, 4};
  double *z;
  char path[NAME_SIZE];

  RX_TRY(RX_NEW(&z, "linkage", 4 * (n - 1)));
  for (size_t i = 0; i + 1 < n; i++) {
    double *row = z + 4 * i;
    for (size_t side = 0; side < 2; side++) {
      int32_t branch = linkage->merge[2 * i + side];
      row[side] = branch < 0 ? (double)(-branch - 1) : (double)n + (double)branch - 1;
      row[3] += branch < 0 ? 1 : z[4 * (branch - 1) + 3];
    }
    row[2] = linkage->height[i];
  }
  snprintf(path, sizeof path, "uns/%s/linkage", group);
  rx_status status = rx_store_put(store, path, RX_FLOAT64, 2, dims, z);
  free(z);
  return status;
}

static rx_status put_tree(rx_store *store, const rx_job *job, const char *group,
                          const rx_tree *tree) {
  const rx_linkage *linkage = tree->linkage;
  size_t n = linkage->n, dims[2] = {n - 1, 2};
  char path[NAME_SIZE];

  RX_TRY(put_group(store, group));
  snprintf(path, sizeof path, "uns/%s/method", group);
  RX_TRY(rx_store_put_text(store, path, job->config->clustering_linkage));
  snprintf(path, sizeof path, "uns/%s/distance", group);
  RX_TRY(rx_store_put_text(store, path, job->config->clustering_distance));
  snprintf(path, sizeof path, "uns/%s/order", group);
  RX_TRY(rx_store_put(store, path, RX_INT32, 1, &n, linkage->order));
  if (n > 1) {
    snprintf(path, sizeof path, "uns/%s/merge", group);
    RX_TRY(rx_store_put(store, path, RX_INT32, 2, dims, linkage->merge));
    RX_TRY(put_doubles(store, group, "height", n - 1, linkage->height));
    RX_TRY(put_scipy(store, group, linkage));
  }
  RX_TRY(put_number(store, group, "n_clusters", (double)tree->n_clusters));
  RX_TRY(put_number(store, group, "silhouette", tree->mean));
  return put_doubles(store, group, "silhouette_by_clusters", tree->n_guides, tree->guide);
}

static rx_status put_components(rx_store *store, const char *group, const rx_pca *pca) {
  double *ratio;

  if (!pca) return RX_OK;
  RX_TRY(put_group(store, group));
  RX_TRY(put_doubles(store, group, "variance", pca->n_values, pca->variance));
  RX_TRY(RX_NEW(&ratio, "components", pca->n_values));
  for (size_t v = 0; v < pca->n_values; v++) ratio[v] = pca->variance[v] / pca->total;
  rx_status status = put_doubles(store, group, "variance_ratio", pca->n_values, ratio);
  free(ratio);
  return status;
}

static rx_status put_picture(rx_store *store, const char *group, const rx_picture *picture) {
  if (!picture->y) return RX_OK;
  RX_TRY(put_group(store, group));
  RX_TRY(put_number(store, group, "perplexity", picture->perplexity));
  return put_number(store, group, "divergence", picture->divergence);
}

static rx_status put_groups(rx_store *store, const rx_cluster_data *data,
                            const rx_cluster_results *results) {
  const rx_slice_groups *groups = results->groups;
  const char *name = "slice_clusters";

  if (!groups) return RX_OK;
  const rx_kmeans *fit = groups->fit;
  size_t centre_dims[2] = {fit->n_clusters, fit->n_dims}, n = fit->n_clusters;
  size_t dims[2] = {fit->n_clusters, data->n_patients};
  RX_TRY(put_group(store, name));
  RX_TRY(
      rx_store_put(store, "uns/slice_clusters/centres", RX_FLOAT64, 2, centre_dims, fit->centres));
  RX_TRY(rx_store_put(store, "uns/slice_clusters/counts", RX_INT64, 1, &n, fit->counts));
  RX_TRY(rx_store_put(store, "uns/slice_clusters/composition", RX_INT64, 2, dims,
                      groups->composition));
  RX_TRY(put_number(store, name, "within_ss", fit->within));
  RX_TRY(put_number(store, name, "silhouette", groups->silhouette));
  RX_TRY(put_number(store, name, "n_sampled", (double)groups->n_sampled));
  return rx_store_put_frame(store, "uns/slice_columns", results->slice_columns);
}

/* The slices that took part: whose they are, and their group. */
static rx_status put_slices(rx_store *store, const rx_cluster_data *data,
                            const rx_cluster_results *results) {
  rx_frame *slices = NULL;
  rx_column *column;

  if (!results->slice_components) return RX_OK;
  rx_status status = rx_frame_create(data->n_slices, &slices);
  if (!status) status = rx_frame_add(slices, "patient", RX_TEXT, &column);
  for (size_t s = 0; s < data->n_slices && !status; s++) {
    status = rx_frame_name(slices, s, data->slices->names[data->slice_row[s]]);
    if (!status)
      status = rx_frame_set_text(slices, column, s, data->patients->names[data->slice_patient[s]]);
  }
  if (!status && results->groups)
    status = add_labels(slices, NULL, data->n_slices, results->groups->labels);
  if (!status) status = rx_store_put_frame(store, "uns/slices", slices);
  rx_frame_destroy(&slices);
  return status;
}

static rx_status put_uns(rx_store *store, const rx_job *job, const rx_cluster_data *data,
                         const rx_cluster_results *results) {
  const rx_pca *slices = results->slice_components;

  RX_TRY(put_tree(store, job, "patient_clusters", results->patients));
  RX_TRY(put_tree(store, job, "feature_clusters", results->features));
  RX_TRY(put_components(store, "pca", results->patient_components));
  RX_TRY(put_components(store, "pca_slices", slices));
  if (slices)
    RX_TRY(put_doubles(store, "pca_slices", "share_between", slices->n_components,
                       results->score_between));
  RX_TRY(put_picture(store, "tsne_patients", &results->patient_picture));
  RX_TRY(put_picture(store, "tsne_features", &results->feature_picture));
  RX_TRY(put_group(store, "structure"));
  RX_TRY(put_number(store, "structure", "share_between", results->share_between));
  RX_TRY(put_number(store, "structure", "effective_features_participation",
                    results->effective.participation));
  RX_TRY(put_number(store, "structure", "effective_features_galwey", results->effective.galwey));
  RX_TRY(put_slices(store, data, results));
  RX_TRY(put_groups(store, data, results));
  if (results->tests->n_rows) RX_TRY(rx_store_put_frame(store, "uns/tests", results->tests));
  return RX_OK;
}

/* ---- large arrays ---- */

/* An array, and what this rank writes of it. */
typedef struct {
  rx_array array;
  size_t first, count;
  const double *values; /* [count][n_columns] */
} piece;

typedef struct {
  int n;
  piece pieces[MOST_ARRAYS];
  double *loadings, *slice_loadings, *picture; /* [n_features][.], with rows for unused features */
} arrays;

static void destroy_arrays(arrays *a) {
  free(a->loadings);
  free(a->slice_loadings);
  free(a->picture);
}

static void add_array(arrays *a, const char *name, rx_type type, size_t n_rows, size_t n_columns,
                      size_t first, size_t count, const double *values) {
  if (!n_rows || !n_columns) return;
  a->pieces[a->n++] = (piece){{name, type, n_rows, n_columns, 0}, first, count, values};
}

/* Lays out rows of used features among those of all; NAN for the others. */
static rx_status spread(const rx_cluster_data *data, const double *values, size_t k, double **out) {
  size_t row = 0;

  RX_TRY(RX_NEW(out, "features", data->n_features * k));
  for (size_t j = 0; j < data->n_features; j++) {
    for (size_t c = 0; c < k; c++) (*out)[j * k + c] = data->is_used[j] ? values[row * k + c] : NAN;
    row += data->is_used[j];
  }
  return RX_OK;
}

/* Rank 0 writes what belongs to patients and features, every rank its slices. */
static rx_status list_arrays(const rx_job *job, const rx_cluster_data *data,
                             const rx_cluster_results *results, arrays *a) {
  const rx_pca *patients = results->patient_components, *slices = results->slice_components;
  size_t n = data->n_patients, p = data->n_features, mine = job->rank ? 0 : n;
  size_t my_features = job->rank ? 0 : p;

  add_array(a, "X", RX_FLOAT64, n, p, 0, mine, data->means);
  if (patients) {
    RX_TRY(spread(data, patients->loadings, patients->n_components, &a->loadings));
    add_array(a, "obsm/X_pca", RX_FLOAT64, n, patients->n_components, 0, mine,
              results->patient_scores);
    add_array(a, "varm/PCs", RX_FLOAT64, p, patients->n_components, 0, my_features, a->loadings);
  }
  if (slices) {
    add_array(a, "obsm/X_pca_slices", RX_FLOAT64, n, slices->n_components, 0, mine,
              results->mean_scores);
    add_array(a, "varm/PCs_slices", RX_FLOAT64, p, slices->n_components, 0, my_features,
              slices->loadings);
    add_array(a, "uns/slice_scores", RX_FLOAT32, data->n_slices, slices->n_components, data->first,
              data->count, results->scores);
  }
  if (results->patient_picture.y)
    add_array(a, "obsm/X_tsne", RX_FLOAT64, n, 2, 0, mine, results->patient_picture.y);
  if (results->feature_picture.y) {
    RX_TRY(spread(data, results->feature_picture.y, 2, &a->picture));
    add_array(a, "varm/X_tsne", RX_FLOAT64, p, 2, 0, my_features, a->picture);
  }
  return RX_OK;
}

static rx_status write_arrays(rx_matrix *matrix, const arrays *a) {
  for (int i = 0; i < a->n; i++) {
    const piece *part = &a->pieces[i];
    RX_TRY(rx_matrix_write(matrix, part->array.name, RX_FLOAT64, part->count ? part->first : 0,
                           part->count, 0, part->array.n_columns, part->values));
  }
  return RX_OK;
}

/* ---- together ---- */

static rx_status prepare(const rx_job *job, const rx_cluster_data *data,
                         const rx_cluster_results *results, arrays *a, rx_frame **obs,
                         rx_frame **var) {
  RX_TRY(list_arrays(job, data, results, a));
  if (job->rank) return RX_OK;
  RX_TRY(describe_patients(data, results, obs));
  return describe_features(data, results, var);
}

rx_status rx_cluster_results_write(const rx_job *job, const rx_recipe *recipe, const char *path,
                                   const rx_cluster_data *data, const rx_cluster_results *results) {
  arrays a = {0};
  rx_array plans[MOST_ARRAYS];
  rx_frame *obs = NULL, *var = NULL;
  rx_matrix *matrix = NULL;
  rx_store *store = NULL;
  rx_status status = RX_AGREE(job->comm, prepare(job, data, results, &a, &obs, &var));

  for (int i = 0; i < a.n; i++) plans[i] = a.pieces[i].array;
  const rx_matrix_layout layout = {obs, var, a.n, plans};
  if (!status) status = rx_matrix_create(job, path, &layout, &matrix);
  if (!status) status = write_arrays(matrix, &a);
  if (!status) status = rx_matrix_seal(matrix, &store);
  if (!status) status = RX_AGREE(job->comm, store ? put_uns(store, job, data, results) : RX_OK);
  if (!status)
    status = rx_matrix_commit(&matrix, recipe);
  else
    rx_matrix_destroy(&matrix);
  rx_frame_destroy(&obs);
  rx_frame_destroy(&var);
  destroy_arrays(&a);
  return status;
}
