/* radmix cluster: features.h5ad and patients.h5ad become clusters.h5ad. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/result.h"
#include "results.h"
#include "traits.h"
#include "tsne.h"

enum { FORMAT = 1, PATH_SIZE = 4096 };

/* What the stage is given and makes on its way. */
typedef struct {
  char features_path[PATH_SIZE], patients_path[PATH_SIZE], path[PATH_SIZE];
  rx_recipe *recipe;
  int isa;
  rx_cluster_data *data;
  rx_points *patients, *features; /* as points */
  rx_cluster_results results;
} stage;

static void destroy_stage(stage *s) {
  rx_cluster_results_clear(&s->results);
  rx_points_destroy(&s->patients);
  rx_points_destroy(&s->features);
  rx_cluster_data_destroy(&s->data);
  rx_recipe_destroy(&s->recipe);
}

/* ---- recipe and data ---- */

static rx_status start_recipe(const rx_job *job, stage *s) {
  char seed[32];

  snprintf(seed, sizeof seed, "%d", job->config->study_seed);
  RX_TRY(rx_job_path(job, "features.h5ad", s->features_path, sizeof s->features_path));
  RX_TRY(rx_job_path(job, "patients.h5ad", s->patients_path, sizeof s->patients_path));
  RX_TRY(rx_job_path(job, "clusters.h5ad", s->path, sizeof s->path));
  RX_TRY(rx_recipe_create("cluster", FORMAT, &s->recipe));
  RX_TRY(rx_recipe_section(s->recipe, job->config, "clustering"));
  RX_TRY(rx_recipe_add(s->recipe, "study.subset", job->config->study_subset));
  return job->config->clustering_kmeans ? rx_recipe_add(s->recipe, "study.seed", seed) : RX_OK;
}

static rx_status make_recipe(const rx_job *job, stage *s) {
  RX_TRY(RX_AGREE(job->comm, start_recipe(job, s)));
  RX_TRY(rx_recipe_input(job->comm, s->recipe, "features.h5ad", s->features_path));
  RX_TRY(rx_recipe_input(job->comm, s->recipe, "patients.h5ad", s->patients_path));
  return rx_recipe_input(job->comm, s->recipe, "study.clinical", job->config->study_clinical);
}

static rx_distance_kind distance_of(const rx_config *config) {
  return rx_is(config->clustering_distance, "correlation") ? RX_CORRELATION : RX_EUCLIDEAN;
}

static rx_linkage_method method_of(const rx_config *config) {
  static const char *const names[] = {"ward.D2", "ward.D", "average", "complete"};

  for (int m = RX_WARD_D2; m < RX_SINGLE; m++)
    if (rx_is(config->clustering_linkage, names[m])) return (rx_linkage_method)m;
  return RX_SINGLE;
}

static rx_status make_points(const rx_job *job, stage *s) {
  const rx_cluster_data *data = s->data;
  rx_distance_kind kind = distance_of(job->config);

  RX_TRY(rx_points_of_rows(data->used_means, data->n_patients, data->n_used, kind, &s->patients));
  RX_TRY(
      rx_points_of_columns(data->used_means, data->n_patients, data->n_used, kind, &s->features));
  if (s->patients->n_constant)
    rx_log_warn(job->log, "cluster: %zu patients are constant over the features: no correlation",
                s->patients->n_constant);
  if (s->features->n_constant)
    rx_log_warn(job->log, "cluster: %zu features are constant over the patients: no correlation",
                s->features->n_constant);
  return RX_OK;
}

static rx_status load(const rx_job *job, stage *s) {
  RX_TRY(rx_isa_choose(job->comm, &s->isa));
  RX_TRY(rx_cluster_data_load(job, s->features_path, s->patients_path, &s->data));
  rx_log_info(job->log, "cluster: %zu slices of %zu patients, %zu features", s->data->n_slices,
              s->data->n_patients, s->data->n_used);
  return RX_AGREE(job->comm, make_points(job, s));
}

/* ---- components ---- */

/* Patient means of the slices' scores, and what share of each component lies between patients. The
 * scores of all slices have mean 0. Collective. */
static rx_status summarise_scores(const rx_job *job, stage *s) {
  const rx_cluster_data *data = s->data;
  rx_cluster_results *r = &s->results;
  size_t k = r->slice_components->n_components, n = data->n_patients;
  double *total = NULL;

  rx_status status = RX_NEW(&r->mean_scores, "scores", n * k);
  if (!status) status = RX_NEW(&r->score_between, "scores", k);
  if (!status) status = RX_NEW(&total, "scores", k);
  if (!(status = RX_AGREE(job->comm, status))) {
    for (size_t i = 0; i < data->count; i++)
      for (size_t c = 0; c < k; c++) {
        double score = r->scores[i * k + c];
        r->mean_scores[(size_t)data->slice_patient[data->first + i] * k + c] += score;
        total[c] += score * score;
      }
    MPI_Allreduce(MPI_IN_PLACE, r->mean_scores, (int)(n * k), MPI_DOUBLE, MPI_SUM, job->comm);
    MPI_Allreduce(MPI_IN_PLACE, total, (int)k, MPI_DOUBLE, MPI_SUM, job->comm);
    for (size_t i = 0; i < n; i++)
      for (size_t c = 0; c < k; c++) r->mean_scores[i * k + c] /= data->rows[i];
    rx_between_squares(data->rows, r->mean_scores, n, k, r->score_between);
    for (size_t c = 0; c < k; c++) r->score_between[c] /= total[c];
  }
  free(total);
  return status;
}

static rx_status reduce_slices(const rx_job *job, stage *s) {
  const rx_config *config = job->config;
  rx_cluster_results *r = &s->results;
  const rx_rows rows = rx_cluster_data_rows(s->data);

  RX_TRY(rx_pca_fit(job->comm, &rows, (size_t)config->clustering_pca, config->clustering_scale,
                    &r->slice_components));
  const rx_pca *pca = r->slice_components;
  rx_status status = RX_NEW(&r->scores, "scores", rows.n_rows * pca->n_components);
  if (!status) status = rx_pca_scores(pca, &rows, r->scores);
  RX_TRY(RX_AGREE(job->comm, status));
  RX_TRY(summarise_scores(job, s));
  if (pca->n_constant > s->data->n_features - s->data->n_used)
    rx_log_info(job->log, "cluster: %zu features are constant over the slices",
                pca->n_constant - (s->data->n_features - s->data->n_used));
  if (pca->n_components)
    rx_log_info(job->log,
                "cluster: %zu components of slices, the first has %.1f %% of the variance, %.0f %% "
                "of it between patients",
                pca->n_components, 100 * pca->variance[0] / pca->total, 100 * r->score_between[0]);
  return RX_OK;
}

static rx_rows my_patients(const rx_job *job, const rx_cluster_data *data) {
  size_t first, count;

  rx_partition(data->n_patients, job->rank, job->n_ranks, &first, &count);
  return (rx_rows){RX_FLOAT64, data->used_means + first * data->n_used, count, data->n_used, NULL};
}

static rx_status reduce_patients(const rx_job *job, stage *s) {
  const rx_config *config = job->config;
  const rx_cluster_data *data = s->data;
  rx_cluster_results *r = &s->results;
  const rx_rows mine = my_patients(job, data);
  const rx_rows all = {RX_FLOAT64, data->used_means, data->n_patients, data->n_used, NULL};

  RX_TRY(rx_pca_fit(job->comm, &mine, (size_t)config->clustering_pca, config->clustering_scale,
                    &r->patient_components));
  const rx_pca *pca = r->patient_components;
  rx_status status = RX_NEW(&r->patient_scores, "scores", all.n_rows * pca->n_components);
  if (!status) status = rx_pca_scores(pca, &all, r->patient_scores);
  return RX_AGREE(job->comm, status);
}

/* ---- clusters ---- */

static rx_status grow_trees(const rx_job *job, stage *s) {
  const rx_config *config = job->config;
  rx_cluster_results *r = &s->results;
  size_t n = (size_t)config->clustering_clusters;
  rx_linkage_method method = method_of(config);
  double height = config->clustering_height;

  if (isnan(height) && (n > s->patients->n || n > s->features->n))
    rx_log_warn(job->log,
                "cluster: %zu clusters asked for, there are %zu patients and %zu features", n,
                s->patients->n, s->features->n);
  RX_TRY(rx_tree_grow(job, s->isa, s->patients, method, n, height, &r->patients));
  RX_TRY(rx_tree_grow(job, s->isa, s->features, method, n, height, &r->features));
  rx_log_info(
      job->log, "cluster: %zu clusters of patients (silhouette %.2f), %zu of features (%.2f)",
      r->patients->n_clusters, r->patients->mean, r->features->n_clusters, r->features->mean);
  return RX_OK;
}

static rx_status group_slices(const rx_job *job, stage *s) {
  rx_cluster_results *r = &s->results;
  size_t n = (size_t)job->config->clustering_kmeans;

  if (!n) return RX_OK;
  if (!r->slice_components || !r->slice_components->n_components) {
    rx_log_warn(job->log, "cluster: no k-means of slices: there are no components");
    return RX_OK;
  }
  RX_TRY(rx_slice_groups_fit(job, s->isa, s->data, r->scores, r->slice_components->n_components, n,
                             &r->groups));
  if (r->groups->fit->n_clusters < n)
    rx_log_warn(job->log, "cluster: %zu groups of slices asked for, only %zu slices differ", n,
                r->groups->fit->n_clusters);
  rx_log_info(job->log, "cluster: %zu groups of slices (silhouette %.2f, %zu slices sampled)",
              r->groups->fit->n_clusters, r->groups->silhouette, r->groups->n_sampled);
  return RX_AGREE(job->comm, job->rank == 0 ? rx_traits_compare_slices(s->data, r->groups->labels,
                                                                       &r->slice_columns)
                                            : RX_OK);
}

/* ---- t-SNE ---- */

static rx_status draw(const rx_job *job, stage *s, const rx_points *points, const char *what,
                      rx_picture *picture) {
  const rx_config *config = job->config;
  double most = rx_tsne_most_perplexity(points->n);
  rx_tsne *tsne = NULL;

  if (!config->clustering_iterations) return RX_OK;
  if (most < 1) {
    rx_log_warn(job->log, "cluster: no t-SNE of %zu %s: too few", points->n, what);
    return RX_OK;
  }
  picture->perplexity = fmin(most, config->clustering_perplexity);
  if (picture->perplexity < config->clustering_perplexity)
    rx_log_warn(job->log, "cluster: t-SNE of %zu %s: perplexity %.4g instead of %.4g", points->n,
                what, picture->perplexity, config->clustering_perplexity);
  RX_TRY(RX_NEW_AGREED(job->comm, &picture->y, "t-SNE", 2 * points->n));
  RX_TRY(rx_tsne_start(job->comm, points, picture->y));
  rx_status status = rx_tsne_create(job->comm, s->isa, points, picture->perplexity, &tsne);
  rx_progress progress =
      rx_progress_begin(job->log, "cluster: t-SNE", config->clustering_iterations, "iterations");
  if (!status)
    status = rx_tsne_run(tsne, config->clustering_iterations, picture->y, &picture->divergence,
                         &progress);
  rx_progress_end(&progress);
  rx_tsne_destroy(&tsne);
  if (!status)
    rx_log_info(job->log, "cluster: t-SNE of %zu %s, divergence %.3f", points->n, what,
                picture->divergence);
  return status;
}

/* ---- numbers that mean something ---- */

/* Shares of variance between patients: of each feature, and of all together. */
static void share_variance(const rx_cluster_data *data, rx_cluster_results *r) {
  size_t p = data->n_used;
  double between = 0, total = 0;

  rx_between_squares(data->rows, data->used_means, data->n_patients, p, r->between);
  for (size_t j = 0; j < p; j++) {
    double sum = r->between[j];
    for (size_t i = 0; i < data->n_patients; i++) sum += data->within[i * p + j];
    between += r->between[j];
    total += sum;
    r->between[j] = sum > 0 ? r->between[j] / sum : NAN;
  }
  r->share_between = total > 0 ? between / total : NAN;
}

/* The correlations of the patient means; of n patients no more than n - 1 features are independent.
 * Collective. */
static rx_status count_effective(const rx_job *job, const rx_cluster_data *data,
                                 rx_cluster_results *r) {
  const rx_rows mine = my_patients(job, data);
  rx_pca *pca;

  RX_TRY(rx_pca_fit(job->comm, &mine, 0, true, &pca));
  r->effective = rx_between_effective(pca->variance, pca->n_values);
  rx_pca_destroy(&pca);
  return RX_OK;
}

static rx_status measure(const rx_job *job, stage *s) {
  const rx_cluster_data *data = s->data;
  rx_cluster_results *r = &s->results;

  rx_status status = RX_NEW(&r->icc, "ICC", data->n_used);
  if (!status) status = RX_NEW(&r->between, "ICC", data->n_used);
  RX_TRY(RX_AGREE(job->comm, status));
  RX_TRY(rx_between_icc(job, data->rows, data->used_means, data->within, data->n_patients,
                        data->n_used, r->icc));
  share_variance(data, r);
  RX_TRY(count_effective(job, data, r));
  rx_log_info(job->log,
              "cluster: %.0f %% of the variance of features lies between patients; in effect %.1f "
              "independent features (Galwey)",
              100 * r->share_between, r->effective.galwey);
  return RX_OK;
}

static void say_tests(const rx_job *job, const rx_frame *tests) {
  const rx_column *p = rx_frame_find(tests, "p"), *q = rx_frame_find(tests, "q");
  const rx_column *test = rx_frame_find(tests, "test"), *rand = rx_frame_find(tests, "rand");

  for (size_t row = 0; row < tests->n_rows; row++) {
    if (isnan(p->real[row]))
      rx_log_detail(job->log, "cluster: patients by %s: not tested, %s", tests->names[row],
                    test->text[row]);
    else if (isnan(rand->real[row]))
      rx_log_detail(job->log, "cluster: patients by %s: %s p %.3g, q %.3g", tests->names[row],
                    test->text[row], p->real[row], q->real[row]);
    else
      rx_log_detail(job->log, "cluster: patients by %s: %s p %.3g, q %.3g, Rand %.2f",
                    tests->names[row], test->text[row], p->real[row], q->real[row],
                    rand->real[row]);
  }
}

static rx_status test_patients(const rx_job *job, stage *s) {
  rx_cluster_results *r = &s->results;

  RX_TRY(RX_AGREE(
      job->comm, job->rank == 0 ? rx_traits_test(s->data, r->patients->labels, &r->tests) : RX_OK));
  if (r->tests) say_tests(job, r->tests);
  return RX_OK;
}

static rx_status compute(const rx_job *job, stage *s) {
  RX_TRY(grow_trees(job, s));
  RX_TRY(test_patients(job, s));
  RX_TRY(measure(job, s));
  if (job->config->clustering_pca) {
    RX_TRY(reduce_patients(job, s));
    RX_TRY(reduce_slices(job, s));
  }
  RX_TRY(group_slices(job, s));
  RX_TRY(draw(job, s, s->patients, "patients", &s->results.patient_picture));
  return draw(job, s, s->features, "features", &s->results.feature_picture);
}

rx_status rx_clustering_run(const rx_job *job) {
  stage s = {0};
  bool is_current = false;
  char done[128];
  rx_status status;

  if ((status = make_recipe(job, &s))) goto done;
  if ((status = rx_result_check(job, s.recipe, s.path, &is_current)) || is_current) goto done;
  if ((status = load(job, &s))) goto done;
  if ((status = compute(job, &s))) goto done;
  if ((status = rx_cluster_results_write(job, s.recipe, s.path, s.data, &s.results))) goto done;
  snprintf(done, sizeof done, "%zu patients, %zu features", s.data->n_patients, s.data->n_used);
  rx_job_totals(job, "cluster", done, s.path);
done:
  destroy_stage(&s);
  return status;
}
