/* controls.h: what the same analysis finds where there is nothing to find, or with less.
 *
 * Each control is the same stages run again with a few settings changed, in controls/NAME/ of the
 * study's folder:
 *   random-1 ... random-5   the encoder without any training (epochs = 0), other seeds
 *   permutation             the factors given to other patients, 100 times; the counts of each are
 *                           in controls/permutations.tsv, the files of the last one stay
 *   compare                 the first table of prediction.compare (conventional features) instead
 *                           of deep features, and
 *   compare-deep            deep features, both on the patients who have both
 *   split-image             prediction with slices held out instead of patients, as in the paper */
#ifndef RADMIX_REPORT_CONTROLS_H
#define RADMIX_REPORT_CONTROLS_H

#include <stdbool.h>
#include <stddef.h>

#include "radmix/job.h"
#include "radmix/status.h"

enum { RX_CONTROLS_RANDOM = 5, RX_CONTROLS_PERMUTATIONS = 100 };

/* The counts of one run of associate. */
typedef struct {
  double n_factors; /* in the grid */
  double factors_hierarchical, hits_hierarchical, factors_all, hits_all, factors_factor,
      hits_factor;
} rx_control_counts;

/* Runs all controls for which there are inputs, those up to date skipped. Collective.
 * Errors: those of the stages. */
rx_status rx_controls_run(const rx_job *job);

/* Counts the hits of an associations.h5ad. Local. Errors: RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_controls_count(const char *path, rx_control_counts *counts);

/* Writes DIRECTORY/controls/NAME/FILE into path; file "" gives the folder. Errors: RX_ERR_CONFIG.
 */
rx_status rx_controls_path(const rx_job *job, const char *name, const char *file, char *path,
                           size_t size);

/* Reads controls/permutations.tsv: counts [*n]; NULL and 0 when it is not there; free() it. Local.
 * Errors: RX_ERR_INPUT, RX_ERR_MEMORY. */
rx_status rx_controls_read_permutations(const rx_job *job, size_t *n, rx_control_counts **counts);

#endif
