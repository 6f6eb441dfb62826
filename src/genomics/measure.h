/* measure.h: units of expression. Counts per million decide which genes are kept (Robinson,
 * McCarthy & Smyth, edgeR, Bioinformatics 2010;26:139); FPKM and FPKM-UQ as the Genomic Data
 * Commons defines them; TPM (Wagner, Kin & Lynch, Theory Biosci 2012;131:281). Local. */
#ifndef GENOMICS_MEASURE_H
#define GENOMICS_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

/* Sum of a sample's counts, in the order of the genes; missing ones left out.
 * is_used  [n_genes], the genes that count; NULL: all */
double rx_measure_total(const double *count, const bool *is_used, size_t n_genes);

/* Quantile of the counts of the used genes, as R's type 7; NAN when there is none.
 * quantile  0 .. 1
 * sorted    [n_genes], room; set */
double rx_measure_quantile(const double *count, const bool *is_used, size_t n_genes,
                           double quantile, double *sorted);

/* count x 10^6 / total */
double rx_measure_cpm(double count, double total);

/* count x 10^9 / (length x scale): FPKM when scale is the total of the protein-coding genes,
 * FPKM-UQ when it is the upper quartile of their counts. length in bases */
double rx_measure_fpkm(double count, double length, double scale);

/* Transcripts per million of one sample; in place. length  [n_genes], bases */
void rx_measure_tpm(double *count, const double *length, size_t n_genes);

/* log2(x + 1) */
double rx_measure_log(double value);

/* Whether a gene exceeds min_cpm in at least min_samples samples.
 * count, total  [n_samples] */
bool rx_measure_is_expressed(const double *count, const double *total, size_t n_samples,
                             double min_cpm, int min_samples);

#endif
