/* genomics.h: expression tables, gene sets and signatures to genomic factors (GFs).
 *
 * Genes on the log2 scale; pathways by GSVA 1.46's gsva, ssgsea, zscore and plage; published gene
 * signatures from small text files; ready-made tables. Patients are the union over all sources,
 * with NaN where a source lacks one. factors.h5ad: patients x factors; factors.tsv: what each
 * factor asked for and what was found. With study.training only the patients of that table are
 * read; genomics.apply scores others by their genes and scales. */
#ifndef RADMIX_GENOMICS_H
#define RADMIX_GENOMICS_H

#include "radmix/job.h"
#include "radmix/status.h"

/* The command `factors`. Collective over job->comm.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT with file and line; RX_ERR_CONFIG when neither an expression
 * table nor a factor table is named; RX_ERR_EXISTS, RX_ERR_OUTPUT, RX_ERR_MEMORY. */
rx_status rx_genomics_run(const rx_job *job);

#endif
