#include "reassign.h"

#include <math.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "radmix/text.h"
#include "study.h"

/* What is written: patient i of the new file has the factors of row source[i] of the old one. */
typedef struct {
  rx_matrix *from;
  size_t n, *rows; /* [n] rows of the old file that stay; owned */
  int64_t *source; /* [n], owned */
  rx_frame *obs;   /* rank 0; owned */
  double *values;  /* [n][n_var], rank 0; owned */
} reassignment;

static void destroy_reassignment(reassignment *r) {
  rx_matrix_destroy(&r->from);
  rx_frame_destroy(&r->obs);
  free(r->rows);
  free(r->source);
  free(r->values);
}

static rx_status choose_rows(reassignment *r, size_t n_keep, char *const *keep) {
  rx_names *names = NULL;
  char key[RX_KEY_SIZE];

  RX_TRY(RX_NEW(&r->rows, "patients", r->from->n_obs));
  RX_TRY(RX_NEW(&r->source, "patients", r->from->n_obs));
  rx_status status = rx_names_create(&names);
  for (size_t i = 0; i < n_keep && !status; i++) {
    rx_patient_key(keep[i], key);
    status = rx_names_add(names, key, (ptrdiff_t)i, NULL);
  }
  for (size_t i = 0; i < r->from->n_obs && !status; i++) {
    rx_patient_key(r->from->obs->names[i], key);
    if (rx_names_find(names, key) >= 0) r->rows[r->n++] = i;
  }
  rx_names_destroy(&names);
  if (!status && !r->n)
    status =
        RX_FAIL(RX_ERR_INPUT, "%s: expected patients of the features, found none", r->from->path);
  return status;
}

/* Puts the block of each patient into levels, as the place of the first patient who has it; 0 for
 * all when there are no blocks. clinical  may be NULL */
static rx_status find_blocks(const rx_job *job, const rx_frame *clinical, const reassignment *r,
                             size_t *levels) {
  const char *name = job->config->association_blocks;
  const rx_column *column = clinical ? rx_frame_find(clinical, name) : NULL;
  char mine[32], theirs[32];
  ptrdiff_t *rows;

  if (!*name) return RX_OK;
  if (!column)
    return RX_FAIL(RX_ERR_CONFIG,
                   "association.blocks: expected a column of study.clinical, found '%.80s'", name);
  RX_TRY(RX_NEW(&rows, "patients", r->from->n_obs));
  rx_status status = rx_frame_match(clinical, r->from->n_obs, r->from->obs->names, rows);
  for (size_t i = 0; i < r->n && !status; i++)
    for (levels[i] = 0; levels[i] < i; levels[i]++) {
      ptrdiff_t a = rows[r->rows[i]], b = rows[r->rows[levels[i]]];
      if (!strcmp(a < 0 ? "" : rx_study_text(column, (size_t)a, mine),
                  b < 0 ? "" : rx_study_text(column, (size_t)b, theirs)))
        break;
    }
  free(rows);
  return status;
}

/* Shuffles the sources within each level. */
static rx_status shuffle(const rx_job *job, int permutation, const size_t *levels,
                         reassignment *r) {
  int64_t *items;

  RX_TRY(RX_NEW(&items, "permutation", r->n));
  for (size_t level = 0; level < r->n; level++) {
    size_t n = 0, at = 0;
    for (size_t i = 0; i < r->n; i++)
      if (levels[i] == level) items[n++] = r->source[i];
    if (n < 2) continue;
    rx_random random = rx_random_at((uint64_t)job->config->study_seed, RX_RANDOM_CONTROL,
                                    (uint32_t)permutation, (uint32_t)level);
    rx_random_shuffle(&random, items, n);
    for (size_t i = 0; i < r->n; i++)
      if (levels[i] == level) r->source[i] = items[at++];
  }
  free(items);
  return RX_OK;
}

static rx_status assign(const rx_job *job, const rx_frame *clinical, int permutation,
                        reassignment *r) {
  size_t *levels;

  for (size_t i = 0; i < r->n; i++) r->source[i] = (int64_t)r->rows[i];
  if (!permutation) return RX_OK;
  RX_TRY(RX_NEW(&levels, "patients", r->n));
  rx_status status = find_blocks(job, clinical, r, levels);
  if (!status) status = shuffle(job, permutation, levels, r);
  free(levels);
  return status;
}

/* Rank 0 alone makes the rows: factors are small. */
static rx_status fill(const rx_job *job, reassignment *r) {
  size_t m = r->from->n_var;
  double *all = NULL;

  if (job->rank) return RX_OK;
  rx_status status = rx_frame_create(r->n, &r->obs);
  for (size_t i = 0; i < r->n && !status; i++)
    status = rx_frame_name(r->obs, i, r->from->obs->names[r->rows[i]]);
  if (!status) status = RX_NEW(&all, "factors", r->from->n_obs * m);
  if (!status) status = RX_NEW(&r->values, "factors", r->n * m);
  if (!status) status = rx_matrix_read(r->from, "X", RX_FLOAT64, 0, r->from->n_obs, 0, m, all);
  for (size_t i = 0; i < r->n && !status; i++)
    memcpy(r->values + i * m, all + (size_t)r->source[i] * m, m * sizeof *all);
  free(all);
  return status;
}

static rx_status make_recipe(const rx_job *job, const char *from, const reassignment *r,
                             int permutation, rx_recipe **recipe) {
  char number[64];

  snprintf(number, sizeof number, "%d of %zu patients, seed %d", permutation, r->n,
           job->config->study_seed);
  rx_status status = rx_recipe_create("reassign", 1, recipe);
  if (!status) status = rx_recipe_add(*recipe, "permutation", number);
  if (!status) status = rx_recipe_add(*recipe, "blocks", job->config->association_blocks);
  RX_TRY(RX_AGREE(job->comm, status));
  return rx_recipe_input(job->comm, *recipe, "factors", from);
}

static rx_status write_file(const rx_job *job, const char *to, const rx_recipe *recipe,
                            const reassignment *r) {
  size_t m = r->from->n_var;
  const rx_array arrays[] = {{"X", RX_FLOAT64, r->n, m, 0}};
  const rx_matrix_layout layout = {r->obs, r->from->var, 1, arrays};
  rx_matrix *matrix = NULL;

  RX_TRY(rx_matrix_create(job, to, &layout, &matrix));
  rx_status status =
      rx_matrix_write(matrix, "X", RX_FLOAT64, 0, job->rank ? 0 : r->n, 0, m, r->values);
  if (status) {
    rx_matrix_destroy(&matrix);
    return status;
  }
  return rx_matrix_commit(&matrix, recipe);
}

rx_status rx_reassign_factors(const rx_job *job, const char *from, const char *to, size_t n_keep,
                              char *const *keep, int permutation) {
  reassignment r = {.n = 0};
  rx_frame *clinical = NULL;
  rx_recipe *recipe = NULL;

  rx_status status = rx_clinical_load(job->comm, job->config->study_clinical, &clinical);
  /* Each rank holds the names; rank 0 reads the numbers, hence a file of its own. */
  if (!status) status = RX_AGREE(job->comm, rx_matrix_open(MPI_COMM_SELF, from, &r.from));
  if (!status) status = RX_AGREE(job->comm, choose_rows(&r, n_keep, keep));
  if (!status) status = RX_AGREE(job->comm, assign(job, clinical, permutation, &r));
  if (!status) status = RX_AGREE(job->comm, fill(job, &r));
  if (!status) status = make_recipe(job, from, &r, permutation, &recipe);
  if (!status) status = write_file(job, to, recipe, &r);
  rx_recipe_destroy(&recipe);
  rx_frame_destroy(&clinical);
  destroy_reassignment(&r);
  return status;
}
