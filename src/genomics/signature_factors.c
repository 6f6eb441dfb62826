#include "signature_factors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "density.h"
#include "measure.h"
#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"

static bool is_nothing(const char *cell) {
  return !strcmp(cell, "-");
}

/* The column of a table with the earlier symbols; -1: none. */
static int alias_column(const rx_signature_table *table) {
  for (int i = 0; i < table->n_columns; i++)
    if (!strcmp(table->columns[i], "alias")) return i;
  return -1;
}

/* Finds a row's gene by Entrez id, symbol or earlier symbol; id: the one it was found by, or its
 * symbol. */
static ptrdiff_t find_gene(const rx_signature_table *table, size_t row, const rx_expression *e,
                           const char **id) {
  const char **cell = &table->cells[row * (size_t)table->n_columns];
  int alias = alias_column(table);
  const char *ids[] = {cell[1], cell[0], alias < 0 ? "-" : cell[alias]};

  for (int i = 0; i < 3; i++) {
    ptrdiff_t gene = is_nothing(ids[i]) ? -1 : rx_expression_find(e, ids[i]);

    *id = ids[i];
    if (gene >= 0) return gene;
  }
  *id = is_nothing(cell[0]) ? cell[1] : cell[0];
  return -1;
}

/* Looks up a table; counts each gene of the signature once. seen: genes counted so far, by Entrez
 * id */
static rx_status match_table(const rx_signature *s, int table, const rx_expression *e,
                             rx_names *seen, rx_factor *factor, ptrdiff_t *gene, bool *lacks_one) {
  const rx_signature_table *t = &s->tables[table];

  for (size_t row = 0; row < t->n_rows; row++) {
    const char *id, **cell = &t->cells[row * (size_t)t->n_columns];
    ptrdiff_t before;

    gene[row] = find_gene(t, row, e, &id);
    if (gene[row] < 0 && rx_signature_uses(s, table)) *lacks_one = true;
    RX_TRY(rx_names_add(seen, is_nothing(cell[1]) ? cell[0] : cell[1], 0, &before));
    if (before >= 0) continue;
    factor->n_genes++;
    factor->n_matched += gene[row] >= 0;
    if (gene[row] < 0) RX_TRY(rx_factors_miss(factor, id));
    if (gene[row] >= 0 && rx_names_find(e->doubly, id) >= 0) RX_TRY(rx_factors_double(factor, id));
  }
  return RX_OK;
}

static rx_factor_fit fit_of(const rx_config *config, const rx_signature *s) {
  if (!rx_signature_is_fitted(s) && rx_is(config->genomics_centre, "none")) return RX_FITTED_NONE;
  return *config->genomics_apply ? RX_FITTED_TRAINING : RX_FITTED_COHORT;
}

static rx_status match(const rx_config *config, const rx_expression *e, rx_factors *factors,
                       rx_signature_match *match) {
  const rx_signature *s = match->signature;
  rx_names *seen = NULL;
  bool lacks_one = false;
  rx_factor *factor;

  RX_TRY(rx_factors_add(factors, s->name, RX_FACTOR_SIGNATURE, s->lines.path, &factor));
  match->column = factors->n_factors - 1;
  factor->fitted_on = fit_of(config, s);
  RX_TRY(RX_NEW(&match->gene, "signature", s->n_tables));
  rx_status status = rx_names_create(&seen);
  for (int table = 0; table < s->n_tables && !status; table++) {
    if (!s->tables[table].is_of_genes) continue;
    status = RX_NEW(&match->gene[table], "signature", s->tables[table].n_rows);
    if (!status) status = match_table(s, table, e, seen, factor, match->gene[table], &lacks_one);
  }
  rx_names_destroy(&seen);
  double share = (double)factor->n_matched / (double)factor->n_genes;
  if (factor->n_matched == 0 || share < config->genomics_min_share)
    factor->status = RX_FACTOR_FEW_GENES;
  if (s->needs_all && lacks_one) factor->status = RX_FACTOR_INCOMPLETE;
  match->is_scored = factor->status == RX_FACTOR_OK;
  return status;
}

void rx_signature_factors_destroy(rx_signature_factors *signatures) {
  for (int i = 0; i < signatures->n; i++) {
    rx_signature_match *match = &signatures->matches[i];

    for (int table = 0; match->gene && table < match->signature->n_tables; table++)
      free(match->gene[table]);
    free(match->gene);
    rx_signature_destroy(&match->signature);
  }
  free(signatures->matches);
  *signatures = (rx_signature_factors){0};
}

rx_status rx_signature_factors_plan(const rx_job *job, const rx_list *paths,
                                    const rx_expression *expression, rx_factors *factors,
                                    rx_signature_factors *signatures) {
  *signatures = (rx_signature_factors){0};
  rx_status status = RX_NEW_AGREED(job->comm, &signatures->matches, "signatures", paths->n);
  for (int i = 0; i < paths->n && !status; i++) {
    rx_signature_match *added = &signatures->matches[i];

    if ((status = rx_signature_load(job->comm, paths->items[i], &added->signature))) break;
    signatures->n++;
    status = RX_AGREE(job->comm, match(job->config, expression, factors, added));
    if (status) break;
    const rx_factor *factor = &factors->factors[added->column];
    rx_log_info(job->log, "factors: signature %s, %lld of %lld genes, %s: %s", factor->name,
                (long long)factor->n_matched, (long long)factor->n_genes,
                rx_factors_status_name(factor->status), added->signature->citation);
    if (added->signature->needs_centred && rx_is(job->config->genomics_centre, "none"))
      rx_log_warn(job->log,
                  "factors: %s is made for centred genes and genomics.centre is none: set median, "
                  "unless the table is centred already",
                  factor->name);
  }
  if (status) rx_signature_factors_destroy(signatures);
  return status;
}

/* ---- scoring ---- */

/* The values of a signature's genes, on every rank. */
typedef struct {
  size_t n_genes;
  size_t *gene;         /* [n_genes], of the expression, rising */
  double *value;        /* [n_genes][n_patients] */
  size_t *place;        /* [genes of the expression] -> place in gene, where it is there */
  double *room;         /* [n_patients] */
  double *scores;       /* [n_scores][n_patients] */
  const double ***rows; /* [n_tables][n_rows] */
} gathered;

static void gathered_destroy(const rx_signature *s, gathered *g) {
  for (int table = 0; g->rows && table < s->n_tables; table++) free(g->rows[table]);
  free(g->rows);
  free(g->gene);
  free(g->value);
  free(g->place);
  free(g->room);
  free(g->scores);
}

static rx_status gathered_create(const rx_signature_match *match, const rx_expression *e,
                                 gathered *g) {
  const rx_signature *s = match->signature;

  *g = (gathered){0};
  RX_TRY(RX_NEW(&g->place, "genes of a signature", e->n_genes));
  RX_TRY(RX_NEW(&g->gene, "genes of a signature", e->n_genes));
  for (int table = 0; table < s->n_tables; table++)
    for (size_t row = 0; s->tables[table].is_of_genes && row < s->tables[table].n_rows; row++)
      if (match->gene[table][row] >= 0) g->place[match->gene[table][row]] = 1;
  for (size_t gene = 0; gene < e->n_genes; gene++) {
    if (!g->place[gene]) continue;
    g->place[gene] = g->n_genes;
    g->gene[g->n_genes++] = gene;
  }
  RX_TRY(RX_NEW(&g->value, "genes of a signature", g->n_genes * e->n_patients));
  RX_TRY(RX_NEW(&g->room, "genes of a signature", e->n_patients));
  RX_TRY(RX_NEW(&g->scores, "scores of a signature", (size_t)s->n_scores * e->n_patients));
  RX_TRY(RX_NEW(&g->rows, "genes of a signature", s->n_tables));
  for (int table = 0; table < s->n_tables; table++) {
    if (!s->tables[table].is_of_genes) continue;
    RX_TRY(RX_NEW(&g->rows[table], "genes of a signature", s->tables[table].n_rows));
    for (size_t row = 0; row < s->tables[table].n_rows; row++) {
      ptrdiff_t gene = match->gene[table][row];
      if (gene >= 0) g->rows[table][row] = g->value + g->place[gene] * e->n_patients;
    }
  }
  return RX_OK;
}

/* Each rank gives its genes to all. Collective. */
static void gather(const rx_job *job, const rx_expression *e, gathered *g) {
  size_t n = e->n_patients, from = 0;

  for (int rank = 0; rank < job->n_ranks; rank++) {
    size_t to = from;

    for (; to < g->n_genes && g->gene[to] < e->border[rank + 1]; to++)
      if (rank == job->rank)
        memcpy(g->value + to * n, e->value + (g->gene[to] - e->border[rank]) * n,
               n * sizeof *g->value);
    rx_broadcast_bytes_from(job->comm, rank, g->value + from * n,
                            (to - from) * n * sizeof *g->value);
    from = to;
  }
}

/* Notes a scale of a gene, or takes it from another cohort. */
static rx_status use_scale(const rx_config *config, const char *gene, const char *what,
                           rx_scales *scales, double *scale) {
  char name[512];

  snprintf(name, sizeof name, "centre/%.200s/%s", gene, what);
  if (!*config->genomics_apply) return rx_scales_set(scales, name, *scale);
  if (!rx_scales_get(scales, name, scale))
    return RX_FAIL(RX_ERR_INPUT, "%s: expected the scale '%s', found none", config->genomics_apply,
                   name);
  return RX_OK;
}

/* Centres the genes by genomics.centre. */
static rx_status centre(const rx_config *config, const rx_expression *e, rx_scales *scales,
                        gathered *g) {
  bool is_z = rx_is(config->genomics_centre, "z"),
       is_median = rx_is(config->genomics_centre, "median");

  if (rx_is(config->genomics_centre, "none")) return RX_OK;
  for (size_t i = 0; i < g->n_genes; i++) {
    double *value = g->value + i * e->n_patients, middle = NAN, sd = NAN;
    const char *name = e->names[g->gene[i]];
    size_t n = 0;

    for (size_t patient = 0; patient < e->n_patients; patient++)
      if (!isnan(value[patient])) g->room[n++] = value[patient];
    if (n) rx_density_moments(g->room, n, &middle, &sd);
    if (is_median) middle = rx_measure_quantile(value, NULL, e->n_patients, 0.5, g->room);
    RX_TRY(use_scale(config, name, is_median ? "median" : "mean", scales, &middle));
    if (is_z) RX_TRY(use_scale(config, name, "sd", scales, &sd));
    for (size_t patient = 0; patient < e->n_patients; patient++)
      value[patient] = is_z ? (value[patient] - middle) / sd : value[patient] - middle;
  }
  return RX_OK;
}

/* Says how many patients are in each risk group. */
static void say_risk(const rx_job *job, const rx_signature *s, const double *score, size_t n) {
  size_t counts[RX_SIGNATURE_CUTS + 1] = {0};
  char text[256] = "";
  int used = 0;

  if (s->n_cuts == 0) return;
  for (size_t i = 0; i < n; i++)
    if (!isnan(score[i])) counts[rx_signature_risk(s, score[i])]++;
  used += snprintf(text, sizeof text, "%zu below", counts[0]);
  for (int cut = 0; cut < s->n_cuts && used < (int)sizeof text; cut++)
    used += snprintf(text + used, sizeof text - (size_t)used, "%s %g, %zu", cut ? " to" : "",
                     s->cuts[cut], counts[cut + 1]);
  rx_log_detail(job->log, "factors: %s: %s at or above", s->name, text);
}

static rx_status score_one(const rx_job *job, const rx_signature_match *match,
                           const rx_expression *e, rx_scales *scales, gathered *g) {
  bool is_applied = *job->config->genomics_apply != '\0';

  RX_TRY(centre(job->config, e, scales, g));
  return rx_signature_score(g->scores, match->signature, (const double *const *const *)g->rows,
                            e->n_patients, scales, is_applied);
}

static rx_status put_one(const rx_job *job, const rx_signature_match *match, const rx_expression *e,
                         rx_scales *scales, rx_factors *factors) {
  const rx_signature *s = match->signature;
  gathered g;

  rx_status status = RX_AGREE(job->comm, gathered_create(match, e, &g));
  if (status) goto done;
  gather(job, e, &g);
  status = RX_AGREE(job->comm, score_one(job, match, e, scales, &g));
  if (status) goto done;
  const double *score = g.scores + (size_t)s->score * e->n_patients;
  size_t first = factors->border[job->rank], end = factors->border[job->rank + 1];
  for (size_t patient = first; patient < end && patient < e->n_patients; patient++)
    factors->value[(patient - first) * factors->n_factors + match->column] = score[patient];
  say_risk(job, s, score, e->n_patients);
done:
  gathered_destroy(s, &g);
  return status;
}

rx_status rx_signature_factors_put(const rx_job *job, const rx_expression *expression,
                                   const rx_signature_factors *signatures, rx_scales *scales,
                                   rx_factors *factors) {
  rx_status status = RX_OK;

  for (int i = 0; i < signatures->n && !status; i++)
    if (signatures->matches[i].is_scored)
      status = put_one(job, &signatures->matches[i], expression, scales, factors);
  return status;
}
