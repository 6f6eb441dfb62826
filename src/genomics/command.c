/* factors: from expression, gene sets, signatures and tables to one matrix of patients and factors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expression.h"
#include "factors.h"
#include "gene_factors.h"
#include "known.h"
#include "pathways.h"
#include "radmix/error.h"
#include "radmix/genomics.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "signature_factors.h"
#include "signature_files.h"
#include "tables.h"

enum { FORMAT = 1 };

typedef struct {
  rx_recipe *recipe;
  rx_names *known;    /* patients of the clinical table and the manifest */
  rx_names *training; /* of study.training; NULL: all */
  size_t n_known;
  rx_expression *expression; /* NULL when there is none */
  rx_tables tables;
  rx_trained *trained; /* NULL without genomics.apply */
  rx_scales *scales;   /* that scores take from this cohort */
  rx_gene_choice genes;
  rx_list signature_files;
  rx_signature_factors signatures;
  rx_pathways pathways;
  rx_factors *factors;
} work;

static void work_destroy(work *w) {
  rx_recipe_destroy(&w->recipe);
  rx_names_destroy(&w->known);
  rx_names_destroy(&w->training);
  rx_expression_destroy(&w->expression);
  rx_tables_destroy(&w->tables);
  rx_trained_destroy(&w->trained);
  rx_scales_destroy(&w->scales);
  rx_gene_choice_destroy(&w->genes);
  rx_list_destroy(&w->signature_files);
  rx_signature_factors_destroy(&w->signatures);
  rx_pathways_destroy(&w->pathways);
  rx_factors_destroy(&w->factors);
}

/* Adds the content of a list of files to the recipe. */
static rx_status add_inputs(const rx_job *job, rx_recipe *recipe, const char *name,
                            const char *files) {
  rx_list paths;

  RX_TRY(rx_list_agreed(job->comm, files, ',', &paths));
  rx_status status = paths.n > 1
                         ? rx_recipe_inputs(job->comm, recipe, name, (size_t)paths.n, paths.items)
                         : rx_recipe_input(job->comm, recipe, name, paths.n ? paths.items[0] : "");
  rx_list_destroy(&paths);
  return status;
}

/* Everything the result depends on. */
static rx_status make_recipe(const rx_job *job, const rx_list *signatures, rx_recipe **recipe) {
  const rx_config *config = job->config;
  const char *gene_files = rx_gene_factors_files(config);

  rx_status status = rx_recipe_create("factors", FORMAT, recipe);
  if (!status) status = rx_recipe_section(*recipe, config, "genomics");
  if (!status && !*gene_files)
    status = rx_recipe_add(*recipe, "genomics.genes", config->genomics_genes);
  RX_TRY(RX_AGREE(job->comm, status));
  RX_TRY(add_inputs(job, *recipe, "genomics.expression", config->genomics_expression));
  RX_TRY(add_inputs(job, *recipe, "genomics.id_map", config->genomics_id_map));
  RX_TRY(add_inputs(job, *recipe, "genomics.gene_lengths", config->genomics_gene_lengths));
  RX_TRY(add_inputs(job, *recipe, "genomics.genes", gene_files));
  RX_TRY(add_inputs(job, *recipe, "genomics.gene_sets", config->genomics_gene_sets));
  if (signatures->n)
    RX_TRY(rx_recipe_inputs(job->comm, *recipe, "genomics.signatures", (size_t)signatures->n,
                            signatures->items));
  RX_TRY(add_inputs(job, *recipe, "genomics.table", config->genomics_table));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "study.training", config->study_training));
  return add_inputs(job, *recipe, "genomics.apply", config->genomics_apply);
}

static rx_status check_settings(const rx_config *config) {
  if (!*config->genomics_expression && !*config->genomics_table)
    return RX_FAIL(RX_ERR_CONFIG,
                   "factors: expected genomics.expression or genomics.table, found neither");
  if (!*config->genomics_expression &&
      (*config->genomics_gene_sets || *config->genomics_signatures))
    return RX_FAIL(RX_ERR_CONFIG, "factors: expected genomics.expression for %s, found none",
                   *config->genomics_gene_sets ? "genomics.gene_sets" : "genomics.signatures");
  if (rx_is(config->genomics_kernel, "poisson") && !rx_is(config->genomics_unit, "count"))
    return RX_FAIL(RX_ERR_CONFIG,
                   "genomics.kernel: expected genomics.unit = count with poisson, found %s",
                   config->genomics_unit);
  return RX_OK;
}

/* Reads all tables. */
static rx_status load(const rx_job *job, work *w) {
  RX_TRY(RX_AGREE(job->comm, rx_scales_create(&w->scales)));
  RX_TRY(rx_trained_load(job, &w->trained));
  RX_TRY(rx_known_load(job, &w->known, &w->n_known));
  RX_TRY(rx_learners_load(job->comm, job->config->study_training, &w->training));
  if (*job->config->genomics_expression)
    RX_TRY(rx_expression_load(job, w->known, w->training, w->trained, &w->expression));
  return rx_tables_load(job, w->known, w->training, &w->tables);
}

/* Settles patients and columns. */
static rx_status plan(const rx_job *job, work *w) {
  rx_status status = rx_factors_create(&w->factors);
  if (!status && w->expression)
    status =
        rx_factors_add_patients(w->factors, w->expression->n_patients, w->expression->patients);
  RX_TRY(RX_AGREE(job->comm, status));
  if (w->expression) {
    RX_TRY(rx_gene_factors_plan(job, w->expression, w->factors, &w->genes));
    RX_TRY(rx_signature_factors_plan(job, &w->signature_files, w->expression, w->factors,
                                     &w->signatures));
    RX_TRY(rx_pathways_plan(job, w->expression, w->trained, w->factors, &w->pathways));
  }
  status = rx_tables_plan(&w->tables, w->factors);
  if (!status && w->factors->n_factors == 0)
    status = RX_FAIL(RX_ERR_INPUT, "factors: expected a gene, set, signature or table, found none");
  RX_TRY(RX_AGREE(job->comm, status));
  return rx_factors_allocate(job, w->factors);
}

static rx_status compute(const rx_job *job, work *w) {
  rx_scales *scales = w->trained ? w->trained->scales : w->scales;

  if (w->expression) {
    RX_TRY(rx_gene_factors_put(job, w->expression, &w->genes, w->factors));
    RX_TRY(rx_signature_factors_put(job, w->expression, &w->signatures, scales, w->factors));
    RX_TRY(rx_pathways_put(job, w->expression, &w->pathways, scales, w->factors));
  }
  return rx_tables_put(job, &w->tables, w->factors);
}

static rx_status make_frames(const rx_factors *factors, rx_frame **obs, rx_frame **var) {
  RX_TRY(rx_frame_create(factors->n_patients, obs));
  for (size_t i = 0; i < factors->n_patients; i++)
    RX_TRY(rx_frame_name(*obs, i, factors->patients[i]));
  return rx_factors_frame(factors, var);
}

/* Whether pathways were scored by values that a later cohort is to be compared with. */
static bool keeps_expression(const work *w) {
  return !w->trained && w->pathways.sets.n_sets && w->pathways.method != RX_PATHWAYS_SSGSEA;
}

/* Writes the expression that pathways were scored on. Collective. */
static rx_status write_expression(const rx_job *job, const work *w, rx_matrix *matrix) {
  size_t first = w->pathways.border[job->rank], end = w->pathways.border[job->rank + 1];
  double *value = NULL;

  rx_status status =
      RX_AGREE(job->comm, rx_pathways_values(&w->pathways, job->rank, w->expression, &value));
  if (!status)
    status = rx_matrix_write(matrix, RX_TRAINED_EXPRESSION, RX_FLOAT64, first, end - first, 0,
                             w->pathways.n_patients, value);
  free(value);
  return status;
}

/* Writes what genomics.apply needs of this cohort. Rank 0. */
static rx_status write_scales(const rx_job *job, const work *w, rx_store *out) {
  char method[RX_PATHWAYS_METHOD_SIZE], **genes;

  RX_TRY(rx_scales_write(w->scales, out));
  if (w->expression && !w->trained)
    RX_TRY(rx_trained_write_rows(out, w->expression->n_genes, w->expression->rows));
  if (w->trained || !w->pathways.sets.n_sets) return RX_OK;
  rx_pathways_method(job->config, method);
  RX_TRY(RX_NEW(&genes, "genes of pathways", w->pathways.n_usable));
  for (size_t i = 0; i < w->pathways.n_usable; i++)
    genes[i] = w->expression->names[w->pathways.usable[i]];
  rx_status status = rx_trained_write(out, method, w->pathways.n_usable, genes);
  free(genes);
  return status;
}

/* Writes the numbers. Collective. */
static rx_status write_numbers(const rx_job *job, const work *w, rx_matrix *matrix) {
  const rx_factors *factors = w->factors;
  size_t first = factors->border[job->rank], end = factors->border[job->rank + 1];
  rx_store *out;

  RX_TRY(rx_matrix_write(matrix, "X", RX_FLOAT64, first, end - first, 0, factors->n_factors,
                         factors->value));
  if (keeps_expression(w)) RX_TRY(write_expression(job, w, matrix));
  RX_TRY(rx_matrix_seal(matrix, &out));
  return RX_AGREE(job->comm, out ? write_scales(job, w, out) : RX_OK);
}

static rx_status store(const rx_job *job, work *w) {
  const rx_factors *factors = w->factors;
  rx_array arrays[2] = {{"X", RX_FLOAT64, factors->n_patients, factors->n_factors, 0}};
  rx_matrix_layout layout = {.n_arrays = 1, .arrays = arrays};
  rx_matrix *matrix = NULL;
  rx_frame *obs = NULL, *var = NULL;
  char path[RX_TEXT_SIZE], report[RX_TEXT_SIZE];

  rx_status status = rx_job_path(job, "factors.h5ad", path, sizeof path);
  if (!status) status = rx_job_path(job, "factors.tsv", report, sizeof report);
  if (!status) status = make_frames(factors, &obs, &var);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  layout.obs = obs;
  layout.var = var;
  if (keeps_expression(w))
    arrays[layout.n_arrays++] = (rx_array){RX_TRAINED_EXPRESSION, RX_FLOAT64, w->pathways.n_usable,
                                           w->pathways.n_patients, 0};
  if ((status = rx_matrix_create(job, path, &layout, &matrix))) goto done;
  status = write_numbers(job, w, matrix);
  if (!status) status = rx_factors_write_report(job, factors, report);
  if (!status) status = rx_matrix_commit(&matrix, w->recipe);
done:
  rx_matrix_destroy(&matrix);
  rx_frame_destroy(&obs);
  rx_frame_destroy(&var);
  return status;
}

/* Adds a name to a line that names some. */
static void name_some(char *text, size_t size, const char *name, size_t place) {
  enum { MOST = 5 };
  size_t used = strlen(text);

  if (place < MOST) snprintf(text + used, size - used, "%s%.60s", place ? ", " : "", name);
  if (place == MOST) snprintf(text + used, size - used, ", ...");
}

/* Counts and names the factors that have a status. */
static void warn_of(const rx_job *job, const rx_factors *factors, rx_factor_status status,
                    const char *words) {
  char names[512] = "";
  size_t n = 0;

  for (size_t i = 0; i < factors->n_factors; i++)
    if (factors->factors[i].status == status)
      name_some(names, sizeof names, factors->factors[i].name, n++);
  if (n)
    rx_log_warn(job->log, "factors: %zu of %zu factors are all NaN, %s (%s; factors.tsv has more)",
                n, factors->n_factors, words, names);
}

/* Counts and names patients that only one side has: the factors, or the tables that name patients.
 */
static void say_unmatched(const rx_job *job, const work *w) {
  const rx_factors *factors = w->factors;
  char names[512] = "";
  size_t n_unknown = 0;

  if (!w->n_known) return;
  for (size_t i = 0; i < factors->n_patients; i++)
    if (rx_names_find(w->known, factors->patients[i]) < 0) {
      name_some(names, sizeof names, factors->patients[i], n_unknown++);
      rx_log_detail(job->log, "factors: %s is not in the clinical table or the manifest",
                    factors->patients[i]);
    }
  size_t n_matched = factors->n_patients - n_unknown;
  if (n_unknown || w->n_known > n_matched)
    rx_log_info(
        job->log,
        "factors: %zu patients of the clinical table and the manifest have factors, %zu have "
        "none; %zu patients with factors are in neither%s%s%s",
        n_matched, w->n_known - n_matched, n_unknown, n_unknown ? " (" : "", names,
        n_unknown ? ")" : "");
}

/* Says what there is, and counts what is missing. */
static void say(const rx_job *job, const work *w) {
  const rx_factors *factors = w->factors;
  char done[128], path[RX_TEXT_SIZE];

  say_unmatched(job, w);
  warn_of(job, factors, RX_FACTOR_FEW_GENES, "too few, or too many, of their genes being there");
  warn_of(job, factors, RX_FACTOR_INCOMPLETE, "signatures that need genes which are not there");
  snprintf(done, sizeof done, "%zu factors of %zu patients", factors->n_factors,
           factors->n_patients);
  if (rx_job_path(job, "factors.h5ad", path, sizeof path)) *path = '\0';
  rx_job_totals(job, "factors", done, path);
}

/* Reads the options of the command line. curve  --curve=SET,PATIENT; empty: not asked for */
static rx_status read_options(const rx_job *job, char curve[RX_TEXT_SIZE]) {
  static const char option[] = "--curve=";

  *curve = '\0';
  for (int i = 0; i < job->n_options; i++) {
    const char *text = job->options[i];

    if (strncmp(text, option, sizeof option - 1) != 0 || !strchr(text, ','))
      return RX_FAIL(RX_ERR_USAGE, "%.200s: expected --curve=SET,PATIENT", text);
    snprintf(curve, RX_TEXT_SIZE, "%s", text + sizeof option - 1);
  }
  return RX_OK;
}

/* Prints the walk of one set in one patient, and makes no file. */
static rx_status print_curve(const rx_job *job, work *w, char *curve) {
  char *comma = strrchr(curve, ','); /* names of patients have none */

  if (!w->expression)
    return RX_FAIL(RX_ERR_CONFIG, "--curve: expected genomics.expression and genomics.gene_sets");
  *comma = '\0';
  return rx_pathways_curve(job, w->expression, &w->pathways, w->factors, curve, comma + 1);
}

rx_status rx_genomics_run(const rx_job *job) {
  char path[RX_TEXT_SIZE], curve[RX_TEXT_SIZE];
  bool is_current = false;
  work w = {0};

  rx_status status = check_settings(job->config);
  if (!status) status = read_options(job, curve);
  if (!status) status = rx_job_path(job, "factors.h5ad", path, sizeof path);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  if ((status = rx_signature_files_find(job, &w.signature_files))) goto done;
  if ((status = make_recipe(job, &w.signature_files, &w.recipe))) goto done;
  if (!*curve && ((status = rx_result_check(job, w.recipe, path, &is_current)) || is_current))
    goto done;
  if ((status = load(job, &w))) goto done;
  if ((status = plan(job, &w))) goto done;
  if (*curve) {
    status = print_curve(job, &w, curve);
    goto done;
  }
  if ((status = compute(job, &w))) goto done;
  if ((status = store(job, &w))) goto done;
  say(job, &w);
done:
  work_destroy(&w);
  return status;
}
