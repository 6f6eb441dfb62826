/* expression.h: an expression table made ready: counts filtered and normalised, values on the log2
 * scale, genes named, each once. Genes are spread over the ranks. */
#ifndef GENOMICS_EXPRESSION_H
#define GENOMICS_EXPRESSION_H

#include "radmix/job.h"
#include "radmix/text.h"
#include "source.h"
#include "trained.h"

typedef struct {
  char *path;
  size_t n_patients, n_genes;
  char **patients;  /* [n_patients] */
  char **names;     /* [n_genes], in the order of the table */
  char **rows;      /* [n_genes], what the table calls them */
  rx_names *index;  /* each id of a gene -> its place in names */
  rx_names *doubly; /* ids that more than one row of the table had; the one with the largest spread
                     * (standard deviation) was taken */
  size_t *border;   /* [n_ranks + 1], genes of the ranks */
  double *value;    /* [genes of this rank][n_patients], log2 scale; NAN = missing */
  double *count;    /* the same before normalisation, for genomics.kernel = poisson; else NULL */
} rx_expression;

/* Reads genomics.expression by genomics.unit, .id_map, .gene_lengths, .min_cpm, .min_samples.
 * known     keys of patients known from elsewhere
 * training  of study.training, the patients that are read; NULL: all
 * trained   of genomics.apply: its genes are taken, whatever these patients express; NULL: none
 * Collective over job->comm.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT: what rx_source_load() refuses, a gene without any value, a
 * negative count; RX_ERR_CONFIG; RX_ERR_MEMORY. */
rx_status rx_expression_load(const rx_job *job, const rx_names *known, const rx_names *training,
                             const rx_trained *trained, rx_expression **out);
void rx_expression_destroy(rx_expression **expression);

/* Finds a gene by any of its ids; -1 when it is not there. */
ptrdiff_t rx_expression_find(const rx_expression *expression, const char *id);

#endif
