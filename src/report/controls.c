#include "controls.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "control_patients.h"
#include "radmix/association.h"
#include "radmix/autoencoder.h"
#include "radmix/error.h"
#include "radmix/features.h"
#include "radmix/memory.h"
#include "radmix/prediction.h"
#include "radmix/result.h"
#include "radmix/signal.h"
#include "radmix/table.h"
#include "radmix/text.h"
#include "reassign.h"

enum { PATH_SIZE = 4096, SAVE_EVERY = 10, N_COUNTS = 7 };

/* A run of stages in a folder of its own. */
typedef struct {
  char name[64];
  rx_config *config; /* owned */
  rx_log log;
  rx_job job;
} control;

/* ---- places ---- */

rx_status rx_controls_path(const rx_job *job, const char *name, const char *file, char *path,
                           size_t size) {
  char folder[PATH_SIZE];
  const char *slash = *file ? "/" : "";

  RX_TRY(rx_job_path(job, "controls", folder, sizeof folder));
  int n = snprintf(path, size, "%s/%s%s%s", folder, name, slash, file);
  return n >= 0 && (size_t)n < size ? RX_OK
                                    : RX_FAIL(RX_ERR_CONFIG, "%s: expected a shorter path", folder);
}

/* Tells whether a file of the study is there. Collective. */
static bool has_file(const rx_job *job, const char *name) {
  char path[PATH_SIZE];
  int is_there = !rx_job_path(job, name, path, sizeof path) && !access(path, F_OK);

  MPI_Bcast(&is_there, 1, MPI_INT, 0, job->comm);
  return is_there;
}

/* ---- a control ---- */

static void end_control(control *c) {
  free(c->config);
  c->config = NULL;
}

static rx_status make_control(const rx_job *job, const char *name, control *c) {
  char folder[PATH_SIZE];

  snprintf(c->name, sizeof c->name, "%s", name);
  RX_TRY(RX_NEW(&c->config, "settings", 1));
  *c->config = *job->config;
  c->config->association_permutations = 0;
  RX_TRY(rx_controls_path(job, name, "", folder, sizeof folder));
  if (strlen(folder) >= RX_TEXT_SIZE)
    return RX_FAIL(RX_ERR_CONFIG, "study.directory: expected a shorter path");
  snprintf(c->config->study_directory, RX_TEXT_SIZE, "%.*s", RX_TEXT_SIZE - 1, folder);
  return job->rank == 0 ? rx_output_folder(folder) : RX_OK;
}

/* Makes the folder and the settings, those of the study. Results that differ are made again. */
static rx_status begin_control(const rx_job *job, const char *name, control *c) {
  *c = (control){.config = NULL};
  rx_status status = RX_AGREE(job->comm, make_control(job, name, c));
  if (status) {
    end_control(c);
    return status;
  }
  c->log = *job->log;
  c->log.is_speaker = job->log->level == RX_LOG_DETAIL && job->rank == 0;
  c->job = *job;
  c->job.config = c->config;
  c->job.log = &c->log;
  c->job.start = rx_seconds();
  if (c->job.force == RX_FORCE_NEVER) c->job.force = RX_FORCE_DIFFERS;
  return RX_OK;
}

static rx_status link_file(const control *c, const char *file) {
  char path[PATH_SIZE], target[128];

  RX_TRY(rx_job_path(&c->job, file, path, sizeof path));
  snprintf(target, sizeof target, "../../%s", file);
  unlink(path);
  if (symlink(target, path))
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be made a link to %s: %s", path, target,
                   strerror(errno));
  return RX_OK;
}

/* Lets the control use a file of the study. Collective. */
static rx_status use_file(const control *c, const char *file) {
  return RX_AGREE(c->job.comm, c->job.rank == 0 ? link_file(c, file) : RX_OK);
}

/* Says that a run of associate is there, and what it found. */
static void say_found(const control *c, rx_log *log) {
  char path[PATH_SIZE];
  rx_control_counts counts;

  if (c->job.rank || rx_job_path(&c->job, "associations.h5ad", path, sizeof path)) return;
  if (rx_controls_count(path, &counts)) return;
  rx_log_info(log, "report: control %s: %.0f hits of %.0f factors (q_hierarchical < 0.05)", c->name,
              counts.hits_hierarchical, counts.factors_hierarchical);
}

/* ---- random encoders ---- */

static rx_status run_random(const rx_job *job, int k) {
  char name[64];
  control c;

  snprintf(name, sizeof name, "random-%d", k);
  RX_TRY(begin_control(job, name, &c));
  c.config->autoencoder_epochs = 0;
  c.config->study_seed = (int)(((int64_t)job->config->study_seed + 1000 + k) % INT_MAX);
  rx_status status = use_file(&c, "images.h5ad");
  if (!status) status = use_file(&c, "factors.h5ad");
  if (!status) status = rx_autoencoder_run(&c.job);
  if (!status) status = rx_features_run(&c.job);
  if (!status) status = rx_association_run(&c.job);
  if (!status) say_found(&c, job->log);
  end_control(&c);
  return status;
}

/* ---- permutations ---- */

static const char header[] =
    "id\tpermutation\tn_factors\tfactors_hierarchical\thits_hierarchical\tfactors_all\thits_all\t"
    "factors_factor\thits_factor\n";

static void print_counts(const char *id, int permutation, const rx_control_counts *c, FILE *file) {
  fprintf(file, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\n", id, permutation, c->n_factors,
          c->factors_hierarchical, c->hits_hierarchical, c->factors_all, c->hits_all,
          c->factors_factor, c->hits_factor);
}

static rx_status write_permutations(const rx_job *job, const char *id, int n,
                                    const rx_control_counts *counts) {
  char path[PATH_SIZE];
  FILE *file;

  RX_TRY(rx_controls_path(job, "permutations.tsv", "", path, sizeof path));
  RX_TRY(rx_output_open(path, &file));
  fputs(header, file);
  for (int k = 0; k < n; k++) print_counts(id, k + 1, &counts[k], file);
  return rx_output_close(path, &file, RX_OK);
}

/* Reads the table; with id only what has this id. */
static rx_status read_permutations(const rx_job *job, const char *id, size_t *n,
                                   rx_control_counts **counts) {
  char path[PATH_SIZE];
  rx_table *table = NULL;
  double v[N_COUNTS];

  *n = 0;
  *counts = NULL;
  RX_TRY(rx_controls_path(job, "permutations.tsv", "", path, sizeof path));
  if (access(path, F_OK)) return RX_OK;
  RX_TRY(rx_table_read(path, &table));
  rx_status status = table->n_columns == N_COUNTS + 2
                         ? RX_NEW(counts, "permutations", table->n_rows)
                         : RX_FAIL(RX_ERR_INPUT, "%s: expected %d columns, found %zu", path,
                                   N_COUNTS + 2, table->n_columns);
  for (size_t r = 0; r < table->n_rows && !status; r++) {
    if (id && strcmp(rx_table_cell(table, r, 0), id)) break;
    for (size_t i = 0; i < N_COUNTS && !status; i++)
      status = rx_table_number(table, r, i + 2, &v[i]);
    if (!status) (*counts)[(*n)++] = (rx_control_counts){v[0], v[1], v[2], v[3], v[4], v[5], v[6]};
  }
  rx_table_destroy(&table);
  return status;
}

rx_status rx_controls_read_permutations(const rx_job *job, size_t *n, rx_control_counts **counts) {
  return read_permutations(job, NULL, n, counts);
}

/* What the counts depend on. Collective. */
static rx_status find_id(const control *c, const rx_job *job, const char *features, char id[32]) {
  rx_recipe *recipe = NULL;
  char path[PATH_SIZE], seed[32];

  snprintf(seed, sizeof seed, "%d", job->config->study_seed);
  rx_status status = rx_recipe_create("permutations", 1, &recipe);
  if (!status) status = rx_recipe_section(recipe, c->config, "association");
  if (!status) status = rx_recipe_add(recipe, "study.seed", seed);
  if (!status) status = rx_recipe_add(recipe, "study.subset", job->config->study_subset);
  if (!status) status = rx_job_path(job, "factors.h5ad", path, sizeof path);
  status = RX_AGREE(job->comm, status);
  if (!status) status = rx_recipe_input(job->comm, recipe, "factors", path);
  if (!status) status = rx_recipe_input(job->comm, recipe, "features", features);
  if (!status) status = rx_recipe_input(job->comm, recipe, "clinical", job->config->study_clinical);
  if (!status) snprintf(id, 32, "%016lx", (unsigned long)rx_recipe_id(recipe));
  rx_recipe_destroy(&recipe);
  return status;
}

static rx_status permute_once(const control *c, const rx_control_patients *patients, int k,
                              rx_control_counts *counts) {
  char from[PATH_SIZE], to[PATH_SIZE], result[PATH_SIZE];

  rx_status status = rx_job_path(&c->job, "../../factors.h5ad", from, sizeof from);
  if (!status) status = rx_job_path(&c->job, "factors.h5ad", to, sizeof to);
  if (!status) status = rx_job_path(&c->job, "associations.h5ad", result, sizeof result);
  RX_TRY(RX_AGREE(c->job.comm, status));
  RX_TRY(rx_reassign_factors(&c->job, from, to, patients->n, patients->names, k));
  RX_TRY(rx_association_run(&c->job));
  if (c->job.rank == 0) status = rx_controls_count(result, counts);
  return RX_AGREE(c->job.comm, status);
}

static rx_status permute_all(const rx_job *job, const control *c,
                             const rx_control_patients *patients, const char *id, int n,
                             rx_control_counts *counts) {
  rx_progress progress =
      rx_progress_begin(job->log, "report: permutations", RX_CONTROLS_PERMUTATIONS, "runs");

  while (n < RX_CONTROLS_PERMUTATIONS) {
    if (rx_signal_agree(job->comm))
      return RX_FAIL(RX_ERR_INTERRUPTED, "stopped in the controls; the same command goes on");
    RX_TRY(permute_once(c, patients, n + 1, &counts[n]));
    n++;
    rx_progress_update(&progress, n);
    rx_status status = RX_OK;
    if (job->rank == 0 && (n % SAVE_EVERY == 0 || n == RX_CONTROLS_PERMUTATIONS))
      status = write_permutations(job, id, n, counts);
    RX_TRY(RX_AGREE(job->comm, status));
  }
  rx_progress_end(&progress);
  return RX_OK;
}

/* Goes on where an earlier run stopped. */
static rx_status resume(const rx_job *job, const char *id, rx_control_counts *counts, int *n) {
  rx_control_counts *old = NULL;
  size_t n_old = 0;
  rx_status status = RX_OK;

  *n = 0;
  if (job->rank == 0 && job->force != RX_FORCE_ALWAYS)
    status = read_permutations(job, id, &n_old, &old);
  for (size_t k = 0; k < n_old && k < RX_CONTROLS_PERMUTATIONS && !status; k++)
    counts[(*n)++] = old[k];
  free(old);
  RX_TRY(RX_AGREE(job->comm, status));
  MPI_Bcast(n, 1, MPI_INT, 0, job->comm);
  return RX_OK;
}

static rx_status run_permutations(const rx_job *job, const char *features) {
  rx_control_patients patients = {0};
  rx_control_counts *counts = NULL;
  char id[32];
  int n = 0;
  control c;

  RX_TRY(begin_control(job, "permutation", &c));
  c.log.is_speaker = false; /* a hundred times the same */
  c.job.force = RX_FORCE_ALWAYS;
  c.config->association_top = 0;
  rx_status status = RX_NEW_AGREED(job->comm, &counts, "permutations", RX_CONTROLS_PERMUTATIONS);
  if (!status) status = rx_control_patients_read(job, features, &patients);
  if (!status && !*c.config->association_features) status = use_file(&c, "patients.h5ad");
  if (!status) status = find_id(&c, job, features, id);
  if (!status) status = resume(job, id, counts, &n);
  if (!status) status = permute_all(job, &c, &patients, id, n, counts);
  rx_control_patients_clear(&patients);
  free(counts);
  end_control(&c);
  return status;
}

/* ---- other features on the same patients ---- */

/* The first table of prediction.compare. */
static rx_status first_table(const rx_config *config, char *path, size_t size) {
  rx_list list;

  RX_TRY(rx_list_create(config->prediction_compare, ',', &list));
  snprintf(path, size, "%s", list.n ? list.items[0] : "");
  rx_list_destroy(&list);
  return RX_OK;
}

/* Associations of one kind of features on patients. table  "" for deep features */
static rx_status run_on(const rx_job *job, const char *name, const char *table,
                        const rx_control_patients *patients) {
  char from[PATH_SIZE], to[PATH_SIZE];
  control c;

  RX_TRY(begin_control(job, name, &c));
  rx_status status = rx_job_path(job, "factors.h5ad", from, sizeof from);
  if (!status) status = rx_job_path(&c.job, "factors.h5ad", to, sizeof to);
  status = RX_AGREE(job->comm, status);
  if (*table)
    snprintf(c.config->association_features, RX_TEXT_SIZE, "%.*s", RX_TEXT_SIZE - 1, table);
  else if (!status && !*c.config->association_features)
    status = use_file(&c, "patients.h5ad");
  if (!status) status = rx_reassign_factors(&c.job, from, to, patients->n, patients->names, 0);
  if (!status) status = rx_association_run(&c.job);
  if (!status) say_found(&c, job->log);
  end_control(&c);
  return status;
}

static rx_status run_compare(const rx_job *job, const char *features) {
  char table[RX_TEXT_SIZE];
  rx_control_patients deep = {0}, other = {0};

  rx_status status = RX_AGREE(job->comm, first_table(job->config, table, sizeof table));
  if (!status) status = rx_control_patients_read(job, features, &deep);
  if (!status) status = rx_control_patients_read(job, table, &other);
  if (!status) status = RX_AGREE(job->comm, rx_control_patients_intersect(&deep, &other));
  if (!status && !deep.n)
    rx_log_warn(job->log,
                "report: warning: control compare left out: %s has no patient of the "
                "deep features",
                table);
  if (!status && deep.n) status = run_on(job, "compare", table, &deep);
  if (!status && deep.n) status = run_on(job, "compare-deep", "", &deep);
  rx_control_patients_clear(&deep);
  rx_control_patients_clear(&other);
  return status;
}

/* ---- slices held out ---- */

static rx_status run_split(const rx_job *job) {
  control c;

  RX_TRY(begin_control(job, "split-image", &c));
  c.log.is_speaker = job->log->is_speaker; /* it may take long */
  snprintf(c.config->prediction_split, RX_TEXT_SIZE, "image");
  c.config->prediction_permutations = 0;
  c.config->prediction_strict_folds = 0;
  *c.config->prediction_apply = '\0';
  rx_status status = RX_OK;
  if (!*c.config->prediction_features) status = use_file(&c, "features.h5ad");
  if (!status) status = rx_prediction_run(&c.job);
  end_control(&c);
  return status;
}

/* ---- all ---- */

static void say_left_out(const rx_job *job, const char *name, const char *why) {
  rx_log_info(job->log, "report: control %s left out: %s", name, why);
}

rx_status rx_controls_run(const rx_job *job) {
  const rx_config *config = job->config;
  char features[PATH_SIZE];

  RX_TRY(RX_AGREE(job->comm, rx_job_path(job, "patients.h5ad", features, sizeof features)));
  if (*config->association_features)
    snprintf(features, sizeof features, "%s", config->association_features);
  bool has_grid = has_file(job, "associations.h5ad") && has_file(job, "factors.h5ad");
  bool has_deep = has_grid && !*config->association_features && has_file(job, "images.h5ad");
  for (int k = 1; k <= RX_CONTROLS_RANDOM && has_deep; k++) RX_TRY(run_random(job, k));
  if (!has_deep) say_left_out(job, "random", "there are no images with associations");
  if (has_grid)
    RX_TRY(run_permutations(job, features));
  else
    say_left_out(job, "permutation", "there are no associations");
  if (has_grid && *config->prediction_compare)
    RX_TRY(run_compare(job, features));
  else
    say_left_out(job, "compare", "prediction.compare names no table");
  if (!has_file(job, "predictions.h5") || !rx_is(config->prediction_split, "patient"))
    say_left_out(job, "split-image", "there is no prediction split by patient");
  else if (!rx_is(config->prediction_level, "image"))
    say_left_out(job, "split-image", "prediction.level is not image");
  else
    RX_TRY(run_split(job));
  return RX_OK;
}
