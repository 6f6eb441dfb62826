/* traits.h: clusters of patients against what is known of the patients. Local.
 *
 * A column of texts, or of at most five different numbers, is tested as a table: Fisher's exact
 * test where the tables can be enumerated, otherwise chi-square. Other numbers by Kruskal and
 * Wallis. Columns of the slices that do not vary within patients (sequence, side, site) count as
 * columns of the patients: clusters of images are often acquisition, not biology. */
#ifndef RADMIX_CLUSTERING_TRAITS_H
#define RADMIX_CLUSTERING_TRAITS_H

#include "data.h"
#include "radmix/frame.h"
#include "radmix/status.h"

/* Tests each column. The frame made has a row a column: test (fisher, chi-square, kruskal-wallis,
 * or why there is none), n, levels, statistic, df, p, q (Benjamini and Hochberg over the columns),
 * rand (adjusted Rand index of tables), anova_f and anova_p (of numbers).
 * labels  [data->n_patients]. Errors: RX_ERR_MEMORY. */
rx_status rx_traits_test(const rx_cluster_data *data, const int *labels, rx_frame **out);

/* Compares clusters of slices with each column of the slices: levels, rand, cramers_v. No p: the
 * slices of a patient are no sample. labels  [data->n_slices] */
rx_status rx_traits_compare_slices(const rx_cluster_data *data, const int *labels, rx_frame **out);

#endif
