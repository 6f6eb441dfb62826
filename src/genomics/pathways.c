#include "pathways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "density.h"
#include "gather.h"
#include "gmt.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"
#include "transpose.h"

static const double least_spread = 1e-10; /* below it GSVA calls a gene constant */

static rx_pathway_method method_of(const rx_config *config) {
  if (rx_is(config->genomics_pathway_method, "ssgsea")) return RX_PATHWAYS_SSGSEA;
  if (rx_is(config->genomics_pathway_method, "zscore")) return RX_PATHWAYS_ZSCORE;
  if (rx_is(config->genomics_pathway_method, "plage")) return RX_PATHWAYS_PLAGE;
  return RX_PATHWAYS_GSVA;
}

static rx_walk_options walking_of(const rx_config *config, rx_pathway_method method) {
  double tau = config->genomics_tau;

  if (isnan(tau)) tau = method == RX_PATHWAYS_SSGSEA ? 0.25 : 1;
  return (rx_walk_options){.tau = tau,
                           .is_difference = config->genomics_mx_diff != 0,
                           .is_absolute = config->genomics_abs_ranking != 0};
}

void rx_pathways_destroy(rx_pathways *pathways) {
  for (size_t set = 0; pathways->names && set < pathways->sets.n_sets; set++)
    free(pathways->names[set]);
  free(pathways->names);
  free(pathways->usable);
  free(pathways->place);
  free(pathways->border);
  free(pathways->reference);
  free(pathways->column);
  rx_sets_destroy(&pathways->sets);
  *pathways = (rx_pathways){0};
}

/* Whether a gene has a value in every patient and, where that is asked, differs between them. */
static bool is_usable_gene(const double *value, size_t n, bool must_vary) {
  double mean, sd;

  for (size_t patient = 0; patient < n; patient++)
    if (isnan(value[patient])) return false;
  if (!must_vary) return true;
  rx_density_moments(value, n, &mean, &sd);
  return sd >= least_spread;
}

/* Finds the genes that are used; is_usable  [n_genes], room. Collective. */
static rx_status find_usable(const rx_job *job, const rx_expression *e, const rx_trained *trained,
                             bool *is_usable, rx_pathways *pathways) {
  size_t first = e->border[job->rank], end = e->border[job->rank + 1], own = 0;
  bool must_vary = pathways->method != RX_PATHWAYS_SSGSEA && !trained;

  for (size_t gene = first; gene < end; gene++) {
    is_usable[gene] =
        is_usable_gene(pathways->value + (gene - first) * e->n_patients, e->n_patients, must_vary);
    if (trained && rx_names_find(trained->places, e->names[gene]) < 0) is_usable[gene] = false;
    own += is_usable[gene];
  }
  rx_gather_flags(job->comm, e->border, is_usable);
  rx_transpose_borders(job->comm, own, pathways->border);
  for (size_t gene = 0; gene < e->n_genes; gene++)
    if (is_usable[gene]) pathways->usable[pathways->n_usable++] = gene;
  if (e->n_genes > pathways->n_usable)
    rx_log_info(job->log, "factors: %zu of %zu genes used for pathways; the others %s",
                pathways->n_usable, e->n_genes,
                must_vary ? "do not vary or lack a patient"
                          : "lack a patient or are not in the training cohort");
  if (pathways->n_usable < 2)
    return RX_FAIL(RX_ERR_INPUT,
                   "%s: expected two genes or more that have all patients and vary, found %zu",
                   e->path, pathways->n_usable);
  return RX_OK;
}

typedef struct {
  size_t key, item;
} pair;

static int by_key(const void *left, const void *right) {
  size_t a = ((const pair *)left)->key, b = ((const pair *)right)->key;

  return (a > b) - (a < b);
}

/* The order that settles ties: of the expression, or of the training cohort. */
static rx_status order_genes(const rx_expression *e, const rx_trained *trained,
                             rx_pathways *pathways) {
  pair *pairs;
  size_t n = pathways->n_usable;

  RX_TRY(RX_NEW(&pathways->place, "genes of pathways", n));
  for (size_t i = 0; i < n; i++) pathways->place[i] = i;
  if (!trained) return RX_OK;
  RX_TRY(RX_NEW(&pairs, "genes of pathways", n));
  for (size_t i = 0; i < n; i++)
    pairs[i] = (pair){(size_t)rx_names_find(trained->places, e->names[pathways->usable[i]]), i};
  qsort(pairs, n, sizeof *pairs, by_key);
  for (size_t i = 0; i < n; i++) pathways->place[pairs[i].item] = i;
  free(pairs);
  return RX_OK;
}

/* Takes the values that new patients are compared with from the training cohort. Collective. */
static rx_status read_reference(const rx_job *job, const rx_expression *e,
                                const rx_trained *trained, rx_pathways *pathways) {
  size_t first = pathways->border[job->rank], own = pathways->border[job->rank + 1] - first;
  size_t *place = NULL;

  if (!trained || !trained->n_patients) return RX_OK;
  rx_status status = RX_NEW(&place, "genes of pathways", own);
  pathways->n_reference = trained->n_patients;
  if (!status)
    status = RX_NEW(&pathways->reference, "training expression", own * trained->n_patients);
  status = RX_AGREE(job->comm, status);
  for (size_t i = 0; i < own && !status; i++)
    place[i] = (size_t)rx_names_find(trained->places, e->names[pathways->usable[first + i]]);
  if (!status) status = rx_trained_values(job, trained, own, place, pathways->reference);
  free(place);
  if (!status && trained->n_genes > pathways->n_usable)
    rx_log_warn(job->log,
                "factors: %zu of %zu genes of the training cohort are not here: pathways are "
                "scored without them",
                trained->n_genes - pathways->n_usable, trained->n_genes);
  return status;
}

static int by_int(const void *left, const void *right) {
  int a = *(const int *)left, b = *(const int *)right;

  return (a > b) - (a < b);
}

/* What planning a set needs. */
typedef struct {
  const rx_config *config;
  const rx_expression *expression;
  const rx_gmt *gmt;
  const ptrdiff_t *number; /* [n_genes], of a gene among the usable ones; -1: not usable */
} planner;

/* Matches the genes of a set; returns how many are usable, written to member, rising. */
static rx_status match_genes(const planner *plan, size_t set, rx_factor *factor, int *member,
                             size_t *n_members) {
  *n_members = 0;
  for (size_t i = plan->gmt->first[set]; i < plan->gmt->first[set + 1]; i++) {
    const char *name = plan->gmt->gene[i];
    ptrdiff_t gene = rx_expression_find(plan->expression, name);
    ptrdiff_t number = gene < 0 ? -1 : plan->number[gene];

    if (gene >= 0 && rx_names_find(plan->expression->doubly, name) >= 0)
      RX_TRY(rx_factors_double(factor, name));
    if (number < 0)
      RX_TRY(rx_factors_miss(factor, name));
    else
      member[(*n_members)++] = (int)number;
  }
  qsort(member, *n_members, sizeof *member, by_int);
  size_t n = 0;
  for (size_t i = 0; i < *n_members; i++) /* two ids of one gene count once */
    if (i == 0 || member[i] != member[i - 1]) member[n++] = member[i];
  *n_members = n;
  return RX_OK;
}

static bool has_right_size(const rx_config *config, size_t n_genes, size_t n_matched) {
  if (n_matched < (size_t)config->genomics_min_size) return false;
  if (config->genomics_max_size && n_matched > (size_t)config->genomics_max_size) return false;
  return (double)n_matched >= config->genomics_min_share * (double)n_genes;
}

static rx_status plan_sets(const planner *plan, rx_factors *factors, rx_pathways *pathways) {
  const rx_gmt *gmt = plan->gmt;
  size_t end = 0, n_scored = 0;

  RX_TRY(rx_sets_create(gmt->n_sets, gmt->first[gmt->n_sets], &pathways->sets));
  RX_TRY(RX_NEW(&pathways->column, "pathways", gmt->n_sets));
  RX_TRY(RX_NEW(&pathways->names, "pathways", gmt->n_sets));
  pathways->sets.n_sets = 0;
  for (size_t set = 0; set < gmt->n_sets; set++) {
    rx_factor *factor;
    size_t n_members, n_genes = gmt->first[set + 1] - gmt->first[set];

    RX_TRY(rx_factors_add(factors, gmt->name[set], RX_FACTOR_PATHWAY, gmt->lines.path, &factor));
    RX_TRY(match_genes(plan, set, factor, pathways->sets.gene + end, &n_members));
    factor->n_genes = (int64_t)n_genes;
    factor->n_matched = (int64_t)n_members;
    bool is_fitted = pathways->method != RX_PATHWAYS_SSGSEA || plan->config->genomics_ssgsea_norm;
    factor->fitted_on = !is_fitted                      ? RX_FITTED_NONE
                        : *plan->config->genomics_apply ? RX_FITTED_TRAINING
                                                        : RX_FITTED_COHORT;
    if (!has_right_size(plan->config, n_genes, n_members)) {
      factor->status = RX_FACTOR_FEW_GENES;
      continue;
    }
    RX_TRY(rx_copy_text(gmt->name[set], &pathways->names[n_scored]));
    pathways->sets.n_sets = n_scored + 1;
    pathways->column[n_scored++] = factors->n_factors - 1;
    pathways->sets.first[n_scored] = end += n_members;
  }
  return RX_OK;
}

static rx_status number_genes(const rx_expression *e, const rx_pathways *pathways,
                              ptrdiff_t **number) {
  RX_TRY(RX_NEW(number, "genes", e->n_genes));
  for (size_t gene = 0; gene < e->n_genes; gene++) (*number)[gene] = -1;
  for (size_t i = 0; i < pathways->n_usable; i++) (*number)[pathways->usable[i]] = (ptrdiff_t)i;
  return RX_OK;
}

/* The method as it is written beside what a later cohort is compared with. */
void rx_pathways_method(const rx_config *config, char name[RX_PATHWAYS_METHOD_SIZE]) {
  bool is_gsva = method_of(config) == RX_PATHWAYS_GSVA;

  snprintf(name, RX_PATHWAYS_METHOD_SIZE, "%.20s%s%.20s", config->genomics_pathway_method,
           is_gsva ? " " : "", is_gsva ? config->genomics_kernel : "");
}

static rx_status check_training(const rx_config *config, const rx_trained *trained) {
  char method[RX_PATHWAYS_METHOD_SIZE];

  rx_pathways_method(config, method);
  if (trained && strcmp(trained->method, method) != 0)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected pathways scored by %s, found %s",
                   config->genomics_apply, method, *trained->method ? trained->method : "none");
  return RX_OK;
}

static rx_status plan_matched(const rx_job *job, const rx_expression *expression, const rx_gmt *gmt,
                              rx_factors *factors, rx_pathways *pathways) {
  ptrdiff_t *number = NULL;

  rx_status status = number_genes(expression, pathways, &number);
  planner plan = {job->config, expression, gmt, number};
  if (!status) status = plan_sets(&plan, factors, pathways);
  free(number);
  return status;
}

static rx_status start(const rx_job *job, const rx_expression *e, const rx_trained *trained,
                       bool **is_usable, rx_pathways *pathways) {
  pathways->method = method_of(job->config);
  pathways->walking = walking_of(job->config, pathways->method);
  pathways->n_patients = e->n_patients;
  bool is_poisson = pathways->method == RX_PATHWAYS_GSVA && e->count;
  pathways->value = is_poisson ? e->count : e->value;
  RX_TRY(check_training(job->config, trained));
  RX_TRY(RX_NEW(is_usable, "genes of pathways", e->n_genes));
  RX_TRY(RX_NEW(&pathways->usable, "genes of pathways", e->n_genes));
  return RX_NEW(&pathways->border, "genes of ranks", job->n_ranks + 1);
}

rx_status rx_pathways_plan(const rx_job *job, const rx_expression *expression,
                           const rx_trained *trained, rx_factors *factors, rx_pathways *pathways) {
  bool *is_usable = NULL;
  rx_gmt gmt = {0};

  *pathways = (rx_pathways){0};
  if (!*job->config->genomics_gene_sets) return RX_OK;
  rx_status status = RX_AGREE(job->comm, start(job, expression, trained, &is_usable, pathways));
  if (!status) status = rx_gmt_load(job->comm, job->config->genomics_gene_sets, &gmt);
  if (status) goto done;
  if ((status = find_usable(job, expression, trained, is_usable, pathways))) goto done;
  status = order_genes(expression, trained, pathways);
  if (!status) status = plan_matched(job, expression, &gmt, factors, pathways);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  status = read_reference(job, expression, trained, pathways);
  if (!status)
    rx_log_info(job->log, "factors: %zu of %zu sets of %s are scored", pathways->sets.n_sets,
                gmt.n_sets, gmt.lines.path);
done:
  free(is_usable);
  rx_gmt_destroy(&gmt);
  if (status) rx_pathways_destroy(pathways);
  return status;
}

rx_status rx_pathways_values(const rx_pathways *pathways, int rank, const rx_expression *expression,
                             double **value) {
  size_t first = pathways->border[rank], own = pathways->border[rank + 1] - first;
  size_t n = pathways->n_patients;

  RX_TRY(RX_NEW(value, "expression", own * n));
  for (size_t i = 0; i < own; i++)
    memcpy(*value + i * n,
           pathways->value + (pathways->usable[first + i] - expression->border[rank]) * n,
           n * sizeof **value);
  return RX_OK;
}
