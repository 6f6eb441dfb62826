#include "permute_checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grid.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/resume.h"
#include "radmix/store.h"

enum { PATH_SIZE = 4096, FACTORS_AT_ONCE = 256, N_ARRAYS = 4 };

/* What the file holds; on rank 0. */
typedef struct {
  size_t n_factors, done;
  double *largest, *lambda_gc; /* [n_factors][done]; owned, as all that follows */
  double *largest_all;         /* [done] */
  int64_t *n_hits;             /* [done] */
} record;

static void free_record(record *r) {
  free(r->n_hits);
  free(r->largest_all);
  free(r->lambda_gc);
  free(r->largest);
}

static rx_status make_record(size_t n_factors, size_t done, record *r) {
  r->n_factors = n_factors;
  r->done = done;
  RX_TRY(RX_NEW(&r->largest, "associate: checkpoint", n_factors * done));
  RX_TRY(RX_NEW(&r->lambda_gc, "associate: checkpoint", n_factors * done));
  RX_TRY(RX_NEW(&r->largest_all, "associate: checkpoint", done));
  return RX_NEW(&r->n_hits, "associate: checkpoint", done);
}

static void list_arrays(const record *r, rx_resume_array arrays[N_ARRAYS]) {
  const rx_resume_array all[N_ARRAYS] = {
      {"largest", RX_FLOAT64, r->n_factors * r->done, r->largest},
      {"lambda_gc", RX_FLOAT64, r->n_factors * r->done, r->lambda_gc},
      {"largest_all", RX_FLOAT64, r->done, r->largest_all},
      {"n_hits", RX_INT64, r->done, r->n_hits}};
  memcpy(arrays, all, sizeof all);
}

/* ---- from and to the ranks ---- */

/* The column of this rank's group that holds a factor; false when another group has it. */
static bool find_own(const rx_grid *g, size_t factor, size_t *own) {
  const size_t run = factor / g->width, groups = (size_t)g->n_groups;

  *own = run / groups * g->width + factor % g->width;
  return run % groups == (size_t)g->place;
}

/* Some factors of one array of all ranks: slab [FACTORS_AT_ONCE][done], 0 where another rank
 * knows. */
static void fill_slab(const rx_grid *g, const rx_permutations *p, const double *array, size_t first,
                      size_t count, size_t done, double *slab) {
  memset(slab, 0, count * done * sizeof *slab);
  for (size_t f = 0; f < count; f++) {
    size_t own;
    if (!find_own(g, first + f, &own)) continue;
    memcpy(slab + f * done, array + own * (size_t)p->n, done * sizeof *slab);
  }
}

/* Brings one array to rank 0. all  [n_factors][done] there */
static void gather_array(const rx_grid *g, const rx_permutations *p, const double *array,
                         size_t done, double *slab, double *all) {
  for (size_t first = 0; first < g->n_factors; first += FACTORS_AT_ONCE) {
    size_t left = g->n_factors - first, count = left < FACTORS_AT_ONCE ? left : FACTORS_AT_ONCE;
    fill_slab(g, p, array, first, count, done, slab);
    MPI_Reduce(slab, all ? all + first * done : NULL, (int)(count * done), MPI_DOUBLE, MPI_MAX, 0,
               g->job->comm);
  }
}

/* Gives each rank its part of an array of rank 0. */
static void spread_array(const rx_grid *g, const rx_permutations *p, const double *all, size_t done,
                         double *slab, double *array) {
  for (size_t first = 0; first < g->n_factors; first += FACTORS_AT_ONCE) {
    size_t left = g->n_factors - first, count = left < FACTORS_AT_ONCE ? left : FACTORS_AT_ONCE;
    if (all) memcpy(slab, all + first * done, count * done * sizeof *slab);
    MPI_Bcast(slab, (int)(count * done), MPI_DOUBLE, 0, g->job->comm);
    for (size_t f = 0; f < count; f++) {
      size_t own;
      if (!find_own(g, first + f, &own)) continue;
      memcpy(array + own * (size_t)p->n, slab + f * done, done * sizeof *slab);
    }
  }
}

/* ---- writing ---- */

static rx_status write_file(const rx_job *job, const rx_recipe *recipe, const record *r) {
  rx_resume_array arrays[N_ARRAYS];
  char path[PATH_SIZE];
  rx_store *store = NULL;

  list_arrays(r, arrays);
  RX_TRY(rx_job_path(job, "associations-checkpoint.h5", path, sizeof path));
  rx_status status = rx_resume_put(path, recipe, N_ARRAYS, arrays, &store);
  if (!status) status = rx_store_commit(&store);
  rx_store_close(&store);
  return status;
}

rx_status rx_permute_save(const rx_grid *g, const rx_recipe *recipe, const rx_permutations *p,
                          int done) {
  const size_t n = (size_t)done;
  double *slab = NULL;
  record r = {0};

  if (!done) return RX_OK;
  rx_status status = RX_NEW(&slab, "associate: checkpoint", FACTORS_AT_ONCE * n);
  if (!status && g->job->rank == 0) status = make_record(g->n_factors, n, &r);
  status = RX_AGREE(g->job->comm, status);
  if (!status) {
    gather_array(g, p, p->largest, n, slab, r.largest);
    gather_array(g, p, p->lambda_gc, n, slab, r.lambda_gc);
    MPI_Reduce(p->largest_all, r.largest_all, done, MPI_DOUBLE, MPI_MAX, 0, g->job->comm);
    MPI_Reduce(p->n_hits, r.n_hits, done, MPI_INT64_T, MPI_SUM, 0, g->job->comm);
    if (g->job->rank == 0) status = write_file(g->job, recipe, &r);
    status = RX_AGREE(g->job->comm, status);
  }
  free_record(&r);
  free(slab);
  return status;
}

/* ---- reading ---- */

/* Reads what was written for the same grid; the rest of it is checked by the recipe. */
static rx_status get_record(const char *path, size_t n_factors, size_t most, record *r,
                            char **recipe) {
  rx_resume_array arrays[N_ARRAYS];
  rx_store *store = NULL;
  size_t dims[4];
  int n_dims;

  RX_TRY(rx_store_open(path, &store));
  rx_status status = rx_store_get_text(store, "recipe", recipe);
  if (!status) status = rx_store_shape(store, "n_hits", &n_dims, dims);
  if (!status && (n_dims != 1 || dims[0] > most))
    status = RX_FAIL(RX_ERR_INPUT, "%s: expected at most %zu permutations", path, most);
  if (!status) status = make_record(n_factors, dims[0], r);
  if (!status) {
    list_arrays(r, arrays);
    status = rx_resume_get(store, path, N_ARRAYS, arrays);
  }
  rx_store_close(&store);
  return status;
}

/* On rank 0. r stays empty when there is no checkpoint that can be used. */
static rx_status read_file(const rx_grid *g, const rx_recipe *recipe, size_t most, record *r) {
  const rx_job *job = g->job;
  char path[PATH_SIZE], *theirs = NULL;
  rx_status status;

  RX_TRY(rx_job_path(job, "associations-checkpoint.h5", path, sizeof path));
  if (access(path, F_OK)) return RX_OK;
  status = get_record(path, g->n_factors, most, r, &theirs);
  const bool differs = theirs && strcmp(theirs, rx_recipe_text(recipe)) != 0;
  if (differs && status != RX_ERR_MEMORY) {
    r->done = 0;
    status = RX_OK;
    if (job->force == RX_FORCE_NEVER)
      status = rx_resume_refuse(path, "permutations were", theirs, rx_recipe_text(recipe));
  } else if (status && status != RX_ERR_MEMORY) {
    rx_log_warn(job->log, "associate: %s is damaged and not used: %s", path, rx_error_message());
    r->done = 0;
    status = RX_OK;
  }
  free(theirs);
  return status;
}

rx_status rx_permute_restore(const rx_grid *g, const rx_recipe *recipe, rx_permutations *p,
                             int *done) {
  double *slab = NULL;
  record r = {0};

  *done = 0;
  rx_status status = g->job->rank == 0 ? read_file(g, recipe, (size_t)p->n, &r) : RX_OK;
  if ((status = RX_AGREE(g->job->comm, status))) goto out;
  *done = (int)r.done;
  MPI_Bcast(done, 1, MPI_INT, 0, g->job->comm);
  if (!*done) goto out;
  const size_t n = (size_t)*done;
  status = RX_NEW_AGREED(g->job->comm, &slab, "associate: checkpoint", FACTORS_AT_ONCE * n);
  if (status) goto out;
  spread_array(g, p, r.largest, n, slab, p->largest);
  spread_array(g, p, r.lambda_gc, n, slab, p->lambda_gc);
  if (g->job->rank == 0) { /* the others add 0 */
    /* NOLINTNEXTLINE(*NonNull*): *done is more than 0 where rank 0 has read them */
    memcpy(p->largest_all, r.largest_all, n * sizeof *p->largest_all);
    memcpy(p->n_hits, r.n_hits, n * sizeof *p->n_hits);
  }
  rx_log_info(g->job->log, "associate: goes on after %d of %d permutations", *done, p->n);
out:
  free_record(&r);
  free(slab);
  return status;
}

void rx_permute_forget(const rx_job *job) {
  char path[PATH_SIZE];

  if (!rx_job_path(job, "associations-checkpoint.h5", path, sizeof path)) unlink(path);
}
