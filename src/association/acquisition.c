#include "acquisition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { MOST_SAID = 6 };

/* The products K of the patients, and room. */
typedef struct {
  size_t n;
  double *k;      /* [n][n], symmetric, of trace 1 */
  double *value;  /* [n], 0 where missing */
  double *moved;  /* [n], K value */
  size_t *member; /* [n] */
  int *level;     /* [n] */
} products;

static void free_products(products *p) {
  free(p->level);
  free(p->member);
  free(p->moved);
  free(p->value);
  free(p->k);
}

void rx_acquisition_destroy(rx_acquisition **acquisition) {
  if (*acquisition) {
    free((*acquisition)->factor_share);
    free((*acquisition)->column);
  }
  free(*acquisition);
  *acquisition = NULL;
}

/* ---- the features ---- */

/* One feature around its mean, of length 1; false when it does not vary or is not finite. */
static bool standardise(const rx_roster *roster, size_t feature, double *out) {
  const rx_measures *m = roster->measures;
  double mean = 0, sum = 0, largest = 0;

  for (size_t i = 0; i < roster->n_patients; i++) {
    out[i] = m->mean[roster->measure[i] * m->n_features + feature];
    mean += out[i] / (double)roster->n_patients;
    largest = fmax(largest, fabs(out[i] + m->origin[feature]));
  }
  for (size_t i = 0; i < roster->n_patients; i++) {
    out[i] -= mean;
    sum += out[i] * out[i];
  }
  if (!(sum > 1e-24 * largest * largest)) return false;
  for (size_t i = 0; i < roster->n_patients; i++) out[i] /= sqrt(sum);
  return true;
}

/* The same on every rank: the shapes given to BLAS do not depend on the ranks. */
static rx_status make_products(const rx_roster *roster, products *p) {
  const size_t n = roster->n_patients, n_features = roster->measures->n_features;
  double *features = NULL;
  size_t used = 0;

  p->n = n;
  RX_TRY(RX_NEW(&p->k, "associate: variance", n * n));
  RX_TRY(RX_NEW(&p->value, "associate: variance", n));
  RX_TRY(RX_NEW(&p->moved, "associate: variance", n));
  RX_TRY(RX_NEW(&p->member, "associate: variance", n));
  RX_TRY(RX_NEW(&p->level, "associate: variance", n));
  RX_TRY(RX_NEW(&features, "associate: variance", n * n_features));
  for (size_t f = 0; f < n_features; f++) used += standardise(roster, f, features + used * n);
  if (used)
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)n, (int)used, 1 / (double)used,
                features, (int)n, 0, p->k, (int)n);
  free(features);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < i; j++) p->k[i * n + j] = p->k[j * n + i];
  return RX_OK;
}

/* ---- shares ---- */

/* Sum of K over members. */
static double sum_of(const products *p, size_t n_members) {
  double sum = 0;

  for (size_t i = 0; i < n_members; i++)
    for (size_t j = 0; j < n_members; j++) sum += p->k[p->member[i] * p->n + p->member[j]];
  return sum;
}

/* Variance of the members around their mean: all of it is 1, around 0. */
static double total_of(const products *p, size_t n_members) {
  double trace = 0;

  if (n_members == p->n) return 1;
  for (size_t i = 0; i < n_members; i++) trace += p->k[p->member[i] * (p->n + 1)];
  return trace - sum_of(p, n_members) / (double)n_members;
}

static double beyond_chance(double share, size_t n, int d) {
  return 1 - (1 - share) * (double)(n - 1) / (double)(n - 1 - (size_t)d);
}

/* The share of a number, whose missing values are NaN in value, which is lost. Sets members;
 * returns NaN when the number does not vary. */
static double share_of_number(products *p, size_t *n_members) {
  double mean = 0, sum = 0, largest = 0;
  size_t m = 0;

  for (size_t i = 0; i < p->n; i++) {
    if (!isfinite(p->value[i])) continue;
    p->member[m++] = i;
    mean += p->value[i];
    largest = fmax(largest, fabs(p->value[i]));
  }
  mean /= (double)m;
  for (size_t i = 0; i < p->n; i++) {
    p->value[i] = isfinite(p->value[i]) ? p->value[i] - mean : 0;
    sum += p->value[i] * p->value[i];
  }
  *n_members = m;
  if (m < 4 || !(sum > 1e-24 * largest * largest)) return NAN;
  cblas_dsymv(CblasRowMajor, CblasUpper, (int)p->n, 1, p->k, (int)p->n, p->value, 1, 0, p->moved,
              1);
  double explained = 0;
  for (size_t i = 0; i < p->n; i++) explained += p->value[i] * p->moved[i];
  return explained / sum / total_of(p, m);
}

/* The share of a text whose levels stand in level, -1 for missing. */
static double share_of_levels(products *p, int n_levels, size_t *n_members) {
  double explained = 0;
  size_t m = 0;

  for (int level = 0; level < n_levels; level++) {
    size_t first = m;
    for (size_t i = 0; i < p->n; i++)
      if (p->level[i] == level) p->member[m++] = i;
    double sum = 0;
    for (size_t i = first; i < m; i++)
      for (size_t j = first; j < m; j++) sum += p->k[p->member[i] * p->n + p->member[j]];
    explained += sum / (double)(m - first);
  }
  *n_members = m;
  return (explained - sum_of(p, m) / (double)m) / total_of(p, m);
}

/* ---- columns ---- */

static int number_levels(const rx_column *column, const ptrdiff_t *row, products *p) {
  int n_levels = 0;

  for (size_t i = 0; i < p->n; i++) {
    size_t before = 0;
    p->level[i] = -1;
    if (row[i] < 0 || !*column->text[row[i]]) continue;
    while (before < i &&
           (p->level[before] < 0 || strcmp(column->text[row[before]], column->text[row[i]])))
      before++;
    p->level[i] = before < i ? p->level[before] : n_levels++;
  }
  return n_levels;
}

/* Adds one column, unless it cannot explain anything, or anything whatever. */
static void add_column(const rx_column *column, const ptrdiff_t *row, bool is_known, products *p,
                       rx_acquisition *a) {
  rx_acquired *of = &a->column[a->n];
  size_t m = 0;

  *of = (rx_acquired){.name = column->name, .n_columns = 1, .is_known = is_known};
  if (column->kind == RX_TEXT) {
    int n_levels = number_levels(column, row, p);
    for (size_t i = 0; i < p->n; i++) m += p->level[i] >= 0;
    if (n_levels < 2 || 2 * (size_t)n_levels > m) return;
    of->n_columns = n_levels - 1;
    of->share = share_of_levels(p, n_levels, &of->n_patients);
  } else {
    for (size_t i = 0; i < p->n; i++)
      p->value[i] = row[i] < 0                   ? (double)NAN
                    : column->kind == RX_INTEGER ? (double)column->integer[row[i]]
                                                 : column->real[row[i]];
    of->share = share_of_number(p, &of->n_patients);
  }
  if (isnan(of->share) || of->n_patients < (size_t)of->n_columns + 3) return;
  of->beyond_chance = beyond_chance(of->share, of->n_patients, of->n_columns);
  a->n++;
}

static bool is_in_list(const rx_list *list, const char *name) {
  for (int i = 0; i < list->n; i++)
    if (!strcmp(list->items[i], name)) return true;
  return false;
}

static int compare_columns(const void *a, const void *b) {
  const rx_acquired *x = a, *y = b;

  if (x->beyond_chance != y->beyond_chance) return x->beyond_chance > y->beyond_chance ? -1 : 1;
  return strcmp(x->name, y->name);
}

static rx_status add_columns(const rx_grid *g, products *p, rx_acquisition *a) {
  const rx_config *config = g->job->config;
  const rx_frame *patients = g->roster->measures->patients, *clinical = g->roster->clinical;
  const size_t most = patients->n_columns + (clinical ? clinical->n_columns : 0);
  ptrdiff_t *row = NULL;
  rx_list covariates = {0}, outcomes = {0};

  rx_status status = RX_NEW(&a->column, "associate: variance", most + 1);
  if (!status) status = RX_NEW(&row, "associate: variance", p->n);
  if (!status) status = rx_list_create(config->association_covariates, ',', &covariates);
  if (!status) status = rx_list_create(config->prediction_outcomes, ',', &outcomes);
  for (size_t i = 0; i < p->n && !status; i++) row[i] = (ptrdiff_t)g->roster->measure[i];
  for (size_t c = 0; c < patients->n_columns && !status; c++) {
    const rx_column *column = &patients->columns[c];
    if (clinical && rx_frame_find(clinical, column->name)) continue;
    add_column(column, row, false, p, a);
  }
  for (size_t c = 0; clinical && c < clinical->n_columns && !status; c++) {
    const rx_column *column = &clinical->columns[c];
    bool is_known = is_in_list(&covariates, column->name) || is_in_list(&outcomes, column->name) ||
                    !strcmp(config->association_blocks, column->name);
    add_column(column, g->roster->clinical_row, is_known, p, a);
  }
  if (a->n) qsort(a->column, a->n, sizeof *a->column, compare_columns);
  rx_list_destroy(&outcomes);
  rx_list_destroy(&covariates);
  free(row);
  return status;
}

/* ---- factors ---- */

/* The shares of the factors: each is known to the speaker of one group. Collective. */
static rx_status add_factors(rx_grid *g, products *p, rx_acquisition *a) {
  rx_status status = RX_OK;

  for (size_t round = 0; round < g->n_rounds && !status; round++) {
    size_t first, count, m;
    rx_grid_run(g, round, &first, &count);
    status = rx_grid_read(g, round);
    for (size_t c = 0; c < count && g->is_speaker && !status; c++) {
      for (size_t i = 0; i < p->n; i++) p->value[i] = g->value[i * count + c];
      double share = share_of_number(p, &m);
      a->factor_share[first + c] = isnan(share) ? NAN : beyond_chance(share, m, 1);
    }
  }
  if (status) return status;
  MPI_Allreduce(MPI_IN_PLACE, a->factor_share, (int)g->n_factors, MPI_DOUBLE, MPI_SUM,
                g->job->comm); /* of numbers and zeros */
  for (size_t f = 0; f < g->n_factors; f++)
    if (a->factor_share[f] > a->factor_share[a->best] || isnan(a->factor_share[a->best]))
      a->best = f;
  return RX_OK;
}

rx_status rx_acquisition_create(rx_grid *g, rx_acquisition **out) {
  products p = {0};
  rx_status status = RX_NEW(out, "associate: variance", 1);

  if (!status) status = RX_NEW(&(*out)->factor_share, "associate: variance", g->n_factors);
  if (!status) status = make_products(g->roster, &p);
  if (!status) status = add_columns(g, &p, *out);
  status = RX_AGREE(g->job->comm, status);
  if (!status) status = add_factors(g, &p, *out);
  free_products(&p);
  if (status) rx_acquisition_destroy(out);
  return status;
}

/* ---- words, and the file ---- */

/* "site 12.1 %, age 3.0 %" of the first columns; above: only those that explain more than that and
 * that nothing is done about. Returns how many there are. */
static size_t list_columns(const rx_acquisition *a, double above, char *text, size_t size) {
  size_t used = 0, n = 0;

  *text = '\0';
  for (size_t c = 0; c < a->n; c++) {
    const rx_acquired *of = &a->column[c];
    if (!(of->beyond_chance > above) || (above > -INFINITY && of->is_known)) continue;
    if (n++ < MOST_SAID && used < size)
      used += (size_t)snprintf(text + used, size - used, "%s%.60s %.1f %%", n > 1 ? ", " : "",
                               of->name, 100 * of->beyond_chance);
  }
  return n;
}

void rx_acquisition_say(const rx_grid *g, const rx_acquisition *a) {
  const char *best = g->roster->factors->var->names[a->best];
  const double most = a->factor_share[a->best];
  char text[1024];

  if (isnan(most) || !list_columns(a, -INFINITY, text, sizeof text)) return;
  rx_log_info(g->job->log,
              "associate: share of the variance of the features beyond chance: %s; the strongest "
              "factor, %.80s, %.1f %%",
              text, best, 100 * most);
  if (list_columns(a, most, text, sizeof text))
    rx_log_warn(g->job->log,
                "associate: more of the variance of the features than with any factor (%.1f %%) "
                "goes with %s: consider association.covariates, or association.blocks with "
                "permutations",
                100 * most, text);
}

static rx_status put_columns(const rx_acquisition *a, rx_store *store) {
  static const char *const reals[] = {"share", "share_beyond_chance"};
  static const char *const integers[] = {"n_patients", "n_columns"};
  rx_frame *frame = NULL;
  rx_column *column;

  rx_status status = rx_frame_create(a->n, &frame);
  for (size_t c = 0; c < a->n && !status; c++) status = rx_frame_name(frame, c, a->column[c].name);
  for (int k = 0; k < 2 && !status; k++) {
    if ((status = rx_frame_add(frame, reals[k], RX_REAL, &column))) break;
    for (size_t c = 0; c < a->n; c++)
      column->real[c] = k ? a->column[c].beyond_chance : a->column[c].share;
  }
  for (int k = 0; k < 2 && !status; k++) {
    if ((status = rx_frame_add(frame, integers[k], RX_INTEGER, &column))) break;
    for (size_t c = 0; c < a->n; c++)
      column->integer[c] = k ? a->column[c].n_columns : (int64_t)a->column[c].n_patients;
  }
  if (!status) status = rx_store_put_frame(store, "uns/variance_explained", frame);
  rx_frame_destroy(&frame);
  return status;
}

rx_status rx_acquisition_put(const rx_acquisition *a, size_t n_factors, rx_store *store) {
  rx_column column = {.kind = RX_REAL, .real = a->factor_share};

  if (a->n) RX_TRY(put_columns(a, store));
  RX_TRY(rx_copy_text("variance_share", &column.name));
  rx_status status = rx_store_put_column(store, "var", n_factors, &column);
  free(column.name);
  return status;
}
