/* pathways.h: gene sets of a .gmt as factors, scored over all ranks.
 *
 * Genes are spread over the ranks for what looks at one gene in all patients (densities, z scores),
 * patients for what looks at all genes of one (sorting, walking), sets for plage. Genes that are
 * missing in a patient, and but for ssgsea genes that do not vary (standard deviation below 1e-10),
 * are not used, as in GSVA. With a training cohort (genomics.apply) its genes, and its values as
 * the ones that a new value is compared with, take the place of the cohort's own. */
#ifndef GENOMICS_PATHWAYS_H
#define GENOMICS_PATHWAYS_H

#include "expression.h"
#include "factors.h"
#include "scales.h"
#include "sets.h"
#include "trained.h"
#include "walk.h"

typedef enum {
  RX_PATHWAYS_GSVA,
  RX_PATHWAYS_SSGSEA,
  RX_PATHWAYS_ZSCORE,
  RX_PATHWAYS_PLAGE
} rx_pathway_method;

typedef struct {
  rx_pathway_method method;
  rx_walk_options walking;
  size_t n_patients;
  const double *value; /* [genes of this rank][n_patients], what is scored; of the expression */
  size_t n_usable;     /* genes that may be in a set */
  size_t *usable;      /* [n_usable], their places in the expression, rising */
  size_t *place;       /* [n_usable], where each stands in the order that settles ties */
  size_t *border;      /* [n_ranks + 1], of usable genes */
  size_t n_reference;
  double *reference; /* [usable genes of this rank][n_reference], of the training cohort; or NULL */
  rx_sets sets;      /* those that are scored, as usable genes, rising */
  char **names;      /* [sets.n_sets] */
  size_t *column;    /* [sets.n_sets], of the factors */
} rx_pathways;

/* Adds a column for each set of genomics.gene_sets; those of too few or too many genes get a status
 * and are not scored. training  NULL without genomics.apply. Collective over job->comm.
 * Errors: as rx_gmt_load(); RX_ERR_INPUT: fewer than two usable genes, or two patients. */
rx_status rx_pathways_plan(const rx_job *job, const rx_expression *expression,
                           const rx_trained *trained, rx_factors *factors, rx_pathways *pathways);
void rx_pathways_destroy(rx_pathways *pathways);

/* Scores the sets and puts them into their columns. Collective over job->comm.
 * scales  of the training cohort, when pathways has one; else what the cohort gives is noted there
 */
rx_status rx_pathways_put(const rx_job *job, const rx_expression *expression,
                          const rx_pathways *pathways, rx_scales *scales, rx_factors *factors);

/* Prints the walk of one set in one patient to standard output: place, gene, whether it is of the
 * set, height after it. Collective over job->comm. Errors: RX_ERR_CONFIG unless pathways are scored
 * by gsva; RX_ERR_INPUT for an unknown set or patient. */
rx_status rx_pathways_curve(const rx_job *job, const rx_expression *expression,
                            const rx_pathways *pathways, rx_factors *factors, const char *set,
                            const char *patient);

/* What scores pathways, as it is kept for a later cohort: "gsva gaussian". Local. */
enum { RX_PATHWAYS_METHOD_SIZE = 64 };
void rx_pathways_method(const rx_config *config, char name[RX_PATHWAYS_METHOD_SIZE]);

/* Values of this rank's usable genes, one after the other: what a later cohort is compared with.
 * Local. Errors: RX_ERR_MEMORY. */
rx_status rx_pathways_values(const rx_pathways *pathways, int rank, const rx_expression *expression,
                             double **value);

#endif
