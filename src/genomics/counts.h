/* counts.h: read counts to expression: library sizes, genes that are hardly expressed, FPKM-UQ. */
#ifndef GENOMICS_COUNTS_H
#define GENOMICS_COUNTS_H

#include <stdbool.h>

#include "radmix/job.h"
#include "source.h"

/* Leaves out counters, genes not above genomics.min_cpm counts per million in genomics.min_samples
 * patients, and with genomics.gene_lengths genes without a length; with lengths, turns counts into
 * FPKM-UQ (upper quartile of the counts of the protein-coding genes, zeros included). Collective.
 * source   values changed in place
 * is_kept  [source->n_columns], the same on all ranks; set to false for what is left out
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT (a patient without counts), RX_ERR_MEMORY. */
rx_status rx_counts_normalise(const rx_job *job, rx_source *source, bool *is_kept);

#endif
