/* simulation.h: a cohort whose truth is known.
 *
 * Patients have breast-like MR volumes (or a table of features), expression counts, a clinical
 * table, gene sets. Named properties of the images (the size of a lesion, the thickness of the
 * skin) are changed by named genes: over patients, the mean of a property has exactly the partial
 * R^2 simulation.effect with the log2(count + 1) of its gene, given age. Genes come in correlated
 * groups of five. Age confounds: it explains simulation.confounding of the variance of the breast
 * density, and of the expression of one gene that has nothing to do with the images.
 *
 * study.directory/simulated/ is made whole or not at all:
 *   images.tsv, nifti/    manifest and volumes; or features.tsv: patient, image, f0001 ...
 *   expression.tsv        counts, genes in rows
 *   clinical.tsv          patient, age, T, N, ER, PR, HER2 (and group)
 *   genesets.gmt          a correlated group and as many other genes each
 *   truth.tsv             gene, role (planted, correlated, confounded), property, partial_r2, ...
 *   properties.tsv        the properties of each patient, standard units
 *   features-truth.tsv    feature, property, loading (with simulation.features)
 *   simulation.h5         how it was made */
#ifndef RADMIX_SIMULATION_H
#define RADMIX_SIMULATION_H

#include "radmix/job.h"
#include "radmix/status.h"

/* Writes the cohort of the settings of [simulation] and study.seed, unless it is up to date.
 * Collective.
 * Errors: RX_ERR_CONFIG when the settings ask for what cannot be, RX_ERR_EXISTS, RX_ERR_OUTPUT,
 * RX_ERR_MEMORY. */
rx_status rx_simulation_run(const rx_job *job);

#endif
