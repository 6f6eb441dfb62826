/* Scoring the sets that are planned: rx_pathways_put(). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "density.h"
#include "pathways.h"
#include "plage.h"
#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "transpose.h"

enum { BATCH = 64 }; /* genes whose density is made in one call */

static const char range_name[] = "ssgsea/range";

typedef struct {
  const rx_job *job;
  const rx_pathways *pathways;
  rx_factors *factors;
  rx_scales *scales;
  size_t n, n_usable;       /* patients, genes */
  size_t own_genes;         /* of this rank */
  size_t own_patients;      /* of this rank, those that the expression table has */
  size_t *patient_border;   /* [n_ranks + 1], of those */
  rx_sets sets;             /* as places in the order that settles ties */
  double *by_gene;          /* [own_genes][n], density or z scores or values */
  double *by_patient, *row; /* [own_patients][n_usable], [n_usable] of one patient in that order */
  double *score;            /* [own_patients][n_sets] */
} scoring;

static void scoring_destroy(scoring *s) {
  free(s->patient_border);
  rx_sets_destroy(&s->sets);
  free(s->by_gene);
  free(s->by_patient);
  free(s->row);
  free(s->score);
}

static rx_status scoring_create(const rx_job *job, const rx_pathways *pathways, rx_scales *scales,
                                rx_factors *factors, scoring *s) {
  const rx_sets *sets = &pathways->sets;
  size_t n_members = sets->first[sets->n_sets];

  *s = (scoring){.job = job, .pathways = pathways, .factors = factors, .scales = scales};
  s->n = pathways->n_patients;
  s->n_usable = pathways->n_usable;
  s->own_genes = pathways->border[job->rank + 1] - pathways->border[job->rank];
  RX_TRY(RX_NEW(&s->patient_border, "patients of ranks", job->n_ranks + 1));
  for (int rank = 0; rank <= job->n_ranks; rank++) /* its patients are the first of all */
    s->patient_border[rank] = factors->border[rank] < s->n ? factors->border[rank] : s->n;
  s->own_patients = s->patient_border[job->rank + 1] - s->patient_border[job->rank];
  RX_TRY(rx_sets_create(sets->n_sets, n_members, &s->sets));
  memcpy(s->sets.first, sets->first, (sets->n_sets + 1) * sizeof *sets->first);
  for (size_t i = 0; i < n_members; i++) s->sets.gene[i] = (int)pathways->place[sets->gene[i]];
  RX_TRY(RX_NEW(&s->by_gene, "pathways by gene", s->own_genes * s->n));
  RX_TRY(RX_NEW(&s->row, "genes of a patient", s->n_usable));
  return RX_NEW(&s->score, "pathway scores", s->own_patients * sets->n_sets);
}

/* The values of a usable gene of this rank. */
static const double *values_of(const scoring *s, const rx_expression *e, size_t i) {
  size_t gene = s->pathways->usable[s->pathways->border[s->job->rank] + i];

  return s->pathways->value + (gene - e->border[s->job->rank]) * s->n;
}

static const double *reference_of(const scoring *s, size_t i) {
  return s->pathways->reference ? s->pathways->reference + i * s->pathways->n_reference : NULL;
}

static rx_density_options density_options(const rx_config *config, int isa) {
  rx_density_options options = {.kernel = RX_DENSITY_GAUSSIAN,
                                .is_exact = rx_is(config->genomics_normal, "exact"),
                                .isa = isa};

  if (rx_is(config->genomics_kernel, "poisson")) options.kernel = RX_DENSITY_POISSON;
  if (rx_is(config->genomics_kernel, "none")) options.kernel = RX_DENSITY_NONE;
  return options;
}

/* Densities of the genes of this rank, some at a time. */
static rx_status compute_densities(const scoring *s, const rx_expression *e,
                                   const rx_density_options *options) {
  rx_progress progress = rx_progress_begin(s->job->log, "factors", (double)s->own_genes, "genes");
  size_t n_reference = s->pathways->reference ? s->pathways->n_reference : s->n;
  double *batch;
  rx_density room;

  RX_TRY(RX_NEW(&batch, "values of genes", BATCH * s->n));
  rx_status status = rx_density_create(n_reference, s->n, options, &room);
  for (size_t from = 0; from < s->own_genes && !status; from += BATCH) {
    size_t count = s->own_genes - from < BATCH ? s->own_genes - from : BATCH;
    const double *reference = reference_of(s, from);

    for (size_t i = 0; i < count; i++)
      memcpy(batch + i * s->n, values_of(s, e, from + i), s->n * sizeof *batch);
    rx_density_compute(s->by_gene + from * s->n, reference ? reference : batch,
                       reference ? batch : NULL, count, &room);
    rx_progress_update(&progress, (double)(from + count));
  }
  rx_progress_end(&progress);
  if (!status) rx_density_destroy(&room);
  free(batch);
  return status;
}

static void standardise(const scoring *s, const rx_expression *e) {
  for (size_t i = 0; i < s->own_genes; i++) {
    const double *value = values_of(s, e, i), *reference = reference_of(s, i);
    double mean, sd;

    rx_density_moments(reference ? reference : value, reference ? s->pathways->n_reference : s->n,
                       &mean, &sd);
    for (size_t patient = 0; patient < s->n; patient++)
      s->by_gene[i * s->n + patient] = (value[patient] - mean) / sd;
  }
}

static void copy_values(const scoring *s, const rx_expression *e) {
  for (size_t i = 0; i < s->own_genes; i++)
    memcpy(s->by_gene + i * s->n, values_of(s, e, i), s->n * sizeof *s->by_gene);
}

/* Brings this rank's patients together, all genes of each. Collective. */
static rx_status turn(scoring *s) {
  MPI_Comm comm = s->job->comm;

  RX_TRY(RX_NEW_AGREED(comm, &s->by_patient, "pathways by patient", s->own_patients * s->n_usable));
  RX_TRY(rx_transpose(comm, s->by_gene, s->pathways->border, s->n, s->patient_border, s->by_patient,
                      s->n_usable));
  free(s->by_gene);
  s->by_gene = NULL;
  return RX_OK;
}

/* One patient's genes in the order that settles ties. */
static const double *row_of(const scoring *s, size_t patient) {
  const double *from = s->by_patient + patient * s->n_usable;

  for (size_t i = 0; i < s->n_usable; i++) s->row[s->pathways->place[i]] = from[i];
  return s->row;
}

/* Walks down the genes of each patient of this rank. */
static rx_status walk_all(scoring *s, void (*score)(double *, const double *, rx_walk *)) {
  rx_walk walk;

  RX_TRY(rx_walk_create(s->n_usable, &s->sets, &s->pathways->walking, &walk));
  for (size_t patient = 0; patient < s->own_patients; patient++)
    score(s->score + patient * s->sets.n_sets, row_of(s, patient), &walk);
  rx_walk_destroy(&walk);
  return RX_OK;
}

static void score_zscore(scoring *s) {
  for (size_t patient = 0; patient < s->own_patients; patient++)
    rx_plage_zscore(s->score + patient * s->sets.n_sets, row_of(s, patient), &s->sets);
}

/* Divides by the range over all sets and patients (Barbie et al. 2009), or by the training
 * cohort's. A set of all genes has no score and no part in it. Collective. */
static rx_status divide_by_range(scoring *s) {
  double range[2] = {INFINITY, INFINITY}, all[2], width; /* least, -most */
  size_t n = s->own_patients * s->sets.n_sets;

  for (size_t i = 0; i < n; i++) {
    if (!isfinite(s->score[i])) continue;
    range[0] = fmin(range[0], s->score[i]);
    range[1] = fmin(range[1], -s->score[i]);
  }
  MPI_Allreduce(range, all, 2, MPI_DOUBLE, MPI_MIN, s->job->comm);
  if (!*s->job->config->genomics_apply)
    RX_TRY(RX_AGREE(s->job->comm, rx_scales_set(s->scales, range_name, -all[1] - all[0])));
  if (!rx_scales_get(s->scales, range_name, &width))
    return RX_FAIL(RX_ERR_INPUT, "%s: expected the range of ssgsea scores, found none",
                   s->job->config->genomics_apply);
  for (size_t i = 0; i < n; i++) s->score[i] /= width;
  return RX_OK;
}

static void put_scores(const scoring *s) {
  const rx_sets *sets = &s->sets;

  for (size_t patient = 0; patient < s->own_patients; patient++)
    for (size_t set = 0; set < sets->n_sets; set++)
      s->factors->value[patient * s->factors->n_factors + s->pathways->column[set]] =
          s->score[patient * sets->n_sets + set];
}

/* What a set needs to be scored by plage on one rank. */
typedef struct {
  int *count, *at;          /* [n_ranks], rows of each rank in a message */
  double *own;              /* rows of this rank */
  double *z, *reference;    /* [n_members][n], [n_members][n_reference] */
  double *vector, *loading; /* [longer of both], [n_members] */
} plage_room;

static void plage_room_destroy(plage_room *room) {
  free(room->count);
  free(room->at);
  free(room->own);
  free(room->z);
  free(room->reference);
  free(room->vector);
  free(room->loading);
}

static rx_status plage_room_create(const scoring *s, plage_room *room) {
  size_t largest = 1, width = s->n;

  *room = (plage_room){0};
  if (s->pathways->n_reference > width) width = s->pathways->n_reference;
  for (size_t set = 0; set < s->sets.n_sets; set++)
    if (s->sets.first[set + 1] - s->sets.first[set] > largest)
      largest = s->sets.first[set + 1] - s->sets.first[set];
  RX_TRY(RX_NEW(&room->count, "plage", s->job->n_ranks));
  RX_TRY(RX_NEW(&room->at, "plage", s->job->n_ranks));
  RX_TRY(RX_NEW(&room->own, "plage", largest * width));
  RX_TRY(RX_NEW(&room->z, "plage", largest * s->n));
  RX_TRY(RX_NEW(&room->reference, "plage", largest * s->pathways->n_reference));
  RX_TRY(RX_NEW(&room->vector, "plage", width));
  return RX_NEW(&room->loading, "plage", largest);
}

/* Gathers the rows of a set's genes on one rank. rows  [own_genes][width]. Collective. */
static void gather_rows(const scoring *s, const plage_room *room, size_t set, int owner,
                        const double *rows, size_t width, double *out) {
  const size_t *border = s->pathways->border;
  const rx_sets *sets = &s->pathways->sets;
  size_t first = border[s->job->rank], n_own = 0;
  int rank = 0, at = 0;
  MPI_Datatype row; /* counted in rows: numbers of many patients are beyond an MPI count */

  for (int r = 0; r < s->job->n_ranks; r++) room->count[r] = 0;
  for (size_t i = sets->first[set]; i < sets->first[set + 1]; i++) { /* rising: by rank */
    size_t gene = (size_t)sets->gene[i];

    while (gene >= border[rank + 1]) rank++;
    room->count[rank]++;
    if (rank == s->job->rank)
      memcpy(room->own + n_own++ * width, rows + (gene - first) * width, width * sizeof *rows);
  }
  for (int r = 0; r < s->job->n_ranks; r++) {
    room->at[r] = at;
    at += room->count[r];
  }
  MPI_Type_contiguous((int)width, MPI_DOUBLE, &row);
  MPI_Type_commit(&row);
  MPI_Gatherv(room->own, (int)n_own, row, out, room->count, room->at, row, owner, s->job->comm);
  MPI_Type_free(&row);
}

/* Scores one set on the rank that owns it; a training cohort gives the loadings. score  [n], set */
static rx_status score_plage_set(const scoring *s, const plage_room *room, size_t n_members,
                                 double *score) {
  if (!s->pathways->reference)
    return rx_plage_vector(score, room->loading, room->z, n_members, s->n);
  RX_TRY(rx_plage_vector(room->vector, room->loading, room->reference, n_members,
                         s->pathways->n_reference));
  for (size_t patient = 0; patient < s->n; patient++) {
    double sum = n_members == 1;

    for (size_t i = 0; i < n_members; i++) sum += room->loading[i] * room->z[i * s->n + patient];
    score[patient] = sum;
  }
  return RX_OK;
}

/* z scores of the training cohort, in place. */
static void standardise_reference(const scoring *s) {
  size_t n = s->pathways->n_reference;

  for (size_t i = 0; s->pathways->reference && i < s->own_genes; i++) {
    double mean, sd, *value = s->pathways->reference + i * n;

    rx_density_moments(value, n, &mean, &sd);
    for (size_t patient = 0; patient < n; patient++) value[patient] = (value[patient] - mean) / sd;
  }
}

/* Deals the sets to the ranks; each collects the genes of its next set and finds their first
 * singular vector. The shapes LAPACK sees do not depend on the ranks. Collective. */
static rx_status score_plage(scoring *s, const plage_room *room, const size_t *border,
                             double *score) {
  rx_status status = RX_OK;
  size_t n_reference = s->pathways->n_reference;

  standardise_reference(s);
  for (size_t turn = 0; turn < border[1]; turn++) /* rank 0 has the most sets */
    for (int owner = 0; owner < s->job->n_ranks; owner++) {
      size_t set = border[owner] + turn;

      if (set >= border[owner + 1]) continue;
      gather_rows(s, room, set, owner, s->by_gene, s->n, room->z);
      if (n_reference)
        gather_rows(s, room, set, owner, s->pathways->reference, n_reference, room->reference);
      if (owner == s->job->rank && !status)
        status = score_plage_set(s, room, s->sets.first[set + 1] - s->sets.first[set],
                                 score + turn * s->n);
    }
  return RX_AGREE(s->job->comm, status);
}

static rx_status put_plage(scoring *s, const rx_expression *e) {
  plage_room room;
  size_t *border = NULL;
  double *score = NULL;

  rx_status status = plage_room_create(s, &room);
  if (!status) status = RX_NEW(&border, "sets of ranks", s->job->n_ranks + 1);
  if (!status) {
    rx_transpose_partition(s->sets.n_sets, s->job->n_ranks, border);
    size_t own = border[s->job->rank + 1] - border[s->job->rank];
    status = RX_NEW(&score, "pathway scores", own * s->n);
  }
  status = RX_AGREE(s->job->comm, status);
  if (!status) status = score_plage(s, &room, border, score);
  if (!status)
    status =
        rx_factors_put(s->job, s->factors, score, border, s->n, e->patients, s->pathways->column);
  plage_room_destroy(&room);
  free(border);
  free(score);
  return status;
}

static rx_status put_gsva(scoring *s, const rx_expression *e) {
  int isa;

  RX_TRY(rx_isa_choose(s->job->comm, &isa));
  rx_density_options options = density_options(s->job->config, isa);
  RX_TRY(RX_AGREE(s->job->comm, compute_densities(s, e, &options)));
  RX_TRY(turn(s));
  RX_TRY(RX_AGREE(s->job->comm, walk_all(s, rx_walk_gsva)));
  put_scores(s);
  return RX_OK;
}

static rx_status put_ssgsea(scoring *s, const rx_expression *e) {
  copy_values(s, e);
  RX_TRY(turn(s));
  RX_TRY(RX_AGREE(s->job->comm, walk_all(s, rx_walk_ssgsea)));
  if (s->job->config->genomics_ssgsea_norm) RX_TRY(divide_by_range(s));
  put_scores(s);
  return RX_OK;
}

static rx_status put_zscore(scoring *s, const rx_expression *e) {
  standardise(s, e);
  RX_TRY(turn(s));
  score_zscore(s);
  put_scores(s);
  return RX_OK;
}

rx_status rx_pathways_put(const rx_job *job, const rx_expression *expression,
                          const rx_pathways *pathways, rx_scales *scales, rx_factors *factors) {
  scoring s;

  if (pathways->sets.n_sets == 0) return RX_OK;
  rx_status status = RX_AGREE(job->comm, scoring_create(job, pathways, scales, factors, &s));
  if (status) goto done;
  switch (pathways->method) {
    case RX_PATHWAYS_GSVA:
      status = put_gsva(&s, expression);
      break;
    case RX_PATHWAYS_SSGSEA:
      status = put_ssgsea(&s, expression);
      break;
    case RX_PATHWAYS_ZSCORE:
      status = put_zscore(&s, expression);
      break;
    case RX_PATHWAYS_PLAGE:
      standardise(&s, expression);
      status = put_plage(&s, expression);
      break;
  }
done:
  scoring_destroy(&s);
  return status;
}

/* The walk of one set in one of this rank's patients, sent to rank 0. Collective. */
static rx_status find_curve(scoring *s, size_t set, size_t patient, double *curve, int *gene) {
  size_t first = s->patient_border[s->job->rank];
  bool is_own = patient >= first && patient < first + s->own_patients;
  int owner = 0;
  rx_walk walk;

  rx_status status = RX_OK;
  if (is_own) {
    status = rx_walk_create(s->n_usable, &s->sets, &s->pathways->walking, &walk);
    if (!status) rx_walk_curve(curve, gene, row_of(s, patient - first), set, &walk);
    if (!status) rx_walk_destroy(&walk);
  }
  RX_TRY(RX_AGREE(s->job->comm, status));
  while (s->patient_border[owner + 1] <= patient) owner++;
  rx_broadcast_bytes_from(s->job->comm, owner, curve, s->n_usable * sizeof *curve);
  rx_broadcast_bytes_from(s->job->comm, owner, gene, s->n_usable * sizeof *gene);
  return RX_OK;
}

/* Prints a line a gene, from the top. at: usable gene at each place of the order that settles ties
 */
static void print_curve(const scoring *s, const rx_expression *e, size_t set, const double *curve,
                        const int *gene, const size_t *at) {
  printf("place\tgene\tin_set\theight\n");
  for (size_t place = 0; place < s->n_usable; place++) {
    int is_member = 0;

    for (size_t i = s->sets.first[set]; i < s->sets.first[set + 1]; i++)
      is_member |= s->sets.gene[i] == gene[place];
    printf("%zu\t%s\t%d\t%.17g\n", place + 1, e->names[s->pathways->usable[at[gene[place]]]],
           is_member, curve[place]);
  }
}

static rx_status trace(scoring *s, const rx_expression *e, size_t set, size_t patient) {
  double *curve = NULL;
  int isa, *gene = NULL;
  size_t *at = NULL;

  rx_status status = RX_NEW(&curve, "curve", s->n_usable);
  if (!status) status = RX_NEW(&gene, "curve", s->n_usable);
  if (!status) status = RX_NEW(&at, "curve", s->n_usable);
  if ((status = RX_AGREE(s->job->comm, status))) goto done;
  for (size_t i = 0; i < s->n_usable; i++) at[s->pathways->place[i]] = i;
  if ((status = rx_isa_choose(s->job->comm, &isa))) goto done;
  rx_density_options options = density_options(s->job->config, isa);
  if ((status = RX_AGREE(s->job->comm, compute_densities(s, e, &options)))) goto done;
  if ((status = turn(s))) goto done;
  status = find_curve(s, set, patient, curve, gene);
  if (!status && s->job->rank == 0) print_curve(s, e, set, curve, gene, at);
done:
  free(curve);
  free(gene);
  free(at);
  return status;
}

static rx_status find_set_and_patient(const rx_pathways *pathways, const rx_factors *factors,
                                      const char *set, const char *patient, size_t *s, size_t *p) {
  ptrdiff_t found = rx_names_find(factors->patient_places, patient);

  if (pathways->method != RX_PATHWAYS_GSVA)
    return RX_FAIL(RX_ERR_CONFIG, "--curve: expected genomics.gene_sets and pathway_method = gsva");
  for (*s = 0; *s < pathways->sets.n_sets && strcmp(pathways->names[*s], set) != 0;) ++*s;
  if (*s == pathways->sets.n_sets)
    return RX_FAIL(RX_ERR_INPUT, "--curve: expected a set that is scored, found '%.80s'", set);
  if (found < 0 || (size_t)found >= pathways->n_patients)
    return RX_FAIL(RX_ERR_INPUT,
                   "--curve: expected a patient of the expression table, found '%.80s'", patient);
  *p = (size_t)found;
  return RX_OK;
}

rx_status rx_pathways_curve(const rx_job *job, const rx_expression *expression,
                            const rx_pathways *pathways, rx_factors *factors, const char *set,
                            const char *patient) {
  size_t set_place = 0, patient_place = 0;
  scoring s;

  RX_TRY(RX_AGREE(job->comm, find_set_and_patient(pathways, factors, set, patient, &set_place,
                                                  &patient_place)));
  rx_status status = RX_AGREE(job->comm, scoring_create(job, pathways, NULL, factors, &s));
  if (!status) status = trace(&s, expression, set_place, patient_place);
  scoring_destroy(&s);
  return status;
}
