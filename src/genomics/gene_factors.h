/* gene_factors.h: genes that are factors themselves: all of the table, or those of a list. */
#ifndef GENOMICS_GENE_FACTORS_H
#define GENOMICS_GENE_FACTORS_H

#include "expression.h"
#include "factors.h"

/* Which gene goes to which column, in the order of the genes. */
typedef struct {
  size_t n;
  size_t *gene, *column; /* [n] */
} rx_gene_choice;

/* Points at the files of genomics.genes; "" when it is all or none. */
const char *rx_gene_factors_files(const rx_config *config);

/* Adds a column for each gene that genomics.genes asks for; one that the table lacks gets the
 * status few_genes. A list has one gene a line; lines that start with # are left out. Collective.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT: two genes on a line, a gene twice. */
rx_status rx_gene_factors_plan(const rx_job *job, const rx_expression *expression,
                               rx_factors *factors, rx_gene_choice *choice);
void rx_gene_choice_destroy(rx_gene_choice *choice);

/* Puts the values into their columns. Collective over job->comm. */
rx_status rx_gene_factors_put(const rx_job *job, const rx_expression *expression,
                              const rx_gene_choice *choice, rx_factors *factors);

#endif
