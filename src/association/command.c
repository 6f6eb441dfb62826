/* radmix associate: features and factors become associations.h5ad and associations.tsv. */
#include <stdio.h>
#include <stdlib.h>

#include "acquisition.h"
#include "describe.h"
#include "grid.h"
#include "permute_checkpoint.h"
#include "radmix/association.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/result.h"
#include "roster.h"
#include "scores.h"

enum { FORMAT = 2, PATH_SIZE = 4096 };

/* All that the stage makes on its way. */
typedef struct {
  char features[PATH_SIZE], factors[PATH_SIZE]; /* inputs */
  char path[PATH_SIZE], table[PATH_SIZE];       /* results */
  rx_recipe *recipe;
  rx_roster *roster;
  rx_grid *grid;
  rx_acquisition *acquisition;
  rx_frame *obs, *var; /* rank 0 only */
  rx_matrix *matrix;
} association;

static void destroy_association(association *a) {
  rx_matrix_destroy(&a->matrix);
  rx_frame_destroy(&a->var);
  rx_frame_destroy(&a->obs);
  rx_acquisition_destroy(&a->acquisition);
  rx_grid_destroy(&a->grid);
  rx_roster_destroy(&a->roster);
  rx_recipe_destroy(&a->recipe);
}

static rx_status find_paths(const rx_job *job, association *a) {
  const char *features = job->config->association_features;

  const bool has_image = *job->config->association_image_covariates;
  if (has_image && rx_is(job->config->association_transform, "rank-normal"))
    return RX_FAIL(RX_ERR_CONFIG,
                   "association.image_covariates: expected nothing with transform = rank-normal, "
                   "which leaves one value a patient");
  RX_TRY(rx_job_path(job, "associations.h5ad", a->path, sizeof a->path));
  RX_TRY(rx_job_path(job, "associations.tsv", a->table, sizeof a->table));
  RX_TRY(rx_job_path(job, "factors.h5ad", a->factors, sizeof a->factors));
  if (!*features)
    return rx_job_path(job, has_image ? "features.h5ad" : "patients.h5ad", a->features,
                       sizeof a->features);
  snprintf(a->features, sizeof a->features, "%s", features);
  return RX_OK;
}

static rx_status make_recipe(const rx_job *job, association *a) {
  const rx_config *config = job->config;
  rx_status status = rx_recipe_create("associate", FORMAT, &a->recipe);

  if (!status) status = rx_recipe_section(a->recipe, config, "association");
  if (!status) status = rx_recipe_add(a->recipe, "study.subset", config->study_subset);
  char seed[32];
  snprintf(seed, sizeof seed, "%d", config->association_permutations ? config->study_seed : 0);
  if (!status) status = rx_recipe_add(a->recipe, "study.seed", seed);
  RX_TRY(RX_AGREE(job->comm, status));
  RX_TRY(rx_recipe_input(job->comm, a->recipe, "features", a->features));
  RX_TRY(rx_recipe_input(job->comm, a->recipe, "factors", a->factors));
  return rx_recipe_input(job->comm, a->recipe, "study.clinical", config->study_clinical);
}

static rx_status start_file(const rx_job *job, association *a) {
  enum { CHUNK = 64 };
  const size_t n = a->grid->n_features, m = a->grid->n_factors;
  const rx_array arrays[] = {
      {"X", RX_FLOAT64, n, m, CHUNK},
      {"layers/beta", RX_FLOAT64, n, m, CHUNK},
      {"layers/se", RX_FLOAT64, n, m, CHUNK},
      {"layers/df", RX_FLOAT32, n, m, CHUNK},
      {"layers/log10_p", RX_FLOAT64, n, m, CHUNK},
      {"layers/q_factor", RX_FLOAT32, n, m, CHUNK},
      {"layers/q_all", RX_FLOAT32, n, m, CHUNK},
      {"layers/q_hierarchical", RX_FLOAT32, n, m, CHUNK},
      {"layers/variance_ratio", RX_FLOAT64, n, m, CHUNK},
      {"layers/log10_p_means", RX_FLOAT32, n, m, CHUNK},
      {"layers/status", RX_UINT8, n, m, CHUNK},
      {"layers/log10_p_permutation", RX_FLOAT32, n, m, CHUNK},
      {"layers/log10_p_permutation_all", RX_FLOAT32, n, m, CHUNK},
  };
  const int all = (int)(sizeof arrays / sizeof *arrays) - (a->grid->permutations ? 0 : 2);
  const int n_arrays = a->grid->kept ? 0 : all; /* the hits come at the end */
  const rx_matrix_layout layout = {a->obs, a->var, n_arrays, arrays};

  return rx_matrix_create(job, a->path, &layout, &a->matrix);
}

static rx_status write_table(const association *a) {
  const rx_roster *roster = a->roster;
  FILE *file;

  RX_TRY(rx_output_open(a->table, &file));
  rx_hits_print(a->grid->hits, roster->measures->features, roster->factors->var,
                a->grid->permutations != NULL, file);
  return rx_output_close(a->table, &file, RX_OK);
}

/* What rank 0 adds, then the names of both files: the table first, so that associations.h5ad is
 * there only when all is. */
static rx_status finish_files(const rx_job *job, association *a) {
  rx_store *store;

  RX_TRY(rx_matrix_seal(a->matrix, &store));
  rx_status status = store ? rx_describe_results(a->grid, store) : RX_OK;
  if (!status && store) status = rx_acquisition_put(a->acquisition, a->grid->n_factors, store);
  if (!status && store && a->grid->kept)
    status = rx_kept_put(a->grid->kept, a->grid->permutations != NULL, store);
  if (!status && job->rank == 0) status = write_table(a);
  RX_TRY(RX_AGREE(job->comm, status));
  return rx_matrix_commit(&a->matrix, a->recipe);
}

static rx_status make_associations(const rx_job *job, association *a) {
  char done[128];

  RX_TRY(rx_roster_load(job, a->features, a->factors, &a->roster));
  if (rx_is(job->config->association_transform, "rank-normal"))
    RX_TRY(RX_AGREE(job->comm, rx_scores_features(a->roster)));
  RX_TRY(rx_grid_create(job, a->roster, &a->grid));
  RX_TRY(rx_describe_data(a->grid));
  RX_TRY(rx_acquisition_create(a->grid, &a->acquisition));
  rx_acquisition_say(a->grid, a->acquisition);
  RX_TRY(rx_describe_frames(a->grid, &a->obs, &a->var));
  RX_TRY(rx_grid_permute(a->grid, a->recipe));
  RX_TRY(start_file(job, a));
  RX_TRY(rx_grid_fit(a->grid, a->matrix));
  RX_TRY(rx_grid_adjust(a->grid, a->matrix));
  RX_TRY(finish_files(job, a));
  if (job->rank == 0) rx_permute_forget(job);
  rx_describe_found(a->grid);
  snprintf(done, sizeof done, "%zu x %zu fits", a->grid->n_features, a->grid->n_factors);
  rx_job_totals(job, "associate", done, a->path);
  return RX_OK;
}

rx_status rx_association_run(const rx_job *job) {
  association a = {0};
  bool is_current = false;

  rx_status status = RX_AGREE(job->comm, find_paths(job, &a));
  if (!status) status = make_recipe(job, &a);
  if (!status) status = rx_result_check(job, a.recipe, a.path, &is_current);
  if (!status && !is_current) status = make_associations(job, &a);
  destroy_association(&a);
  return status;
}
