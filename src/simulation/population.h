/* population.h: patients, genes and what links them, before any file is written. Local.
 *
 * All ranks make the same cohort: every number is keyed by what it is for (random.h). */
#ifndef RADMIX_SIMULATION_POPULATION_H
#define RADMIX_SIMULATION_POPULATION_H

#include <stddef.h>
#include <stdint.h>

#include "properties.h"
#include "radmix/config.h"
#include "radmix/status.h"

/* What random numbers of the simulation are for. */
enum {
  RX_SIMULATE_AGE = 100,
  RX_SIMULATE_IMAGES,
  RX_SIMULATE_GROUP,
  RX_SIMULATE_GENE_GROUP,
  RX_SIMULATE_GENE,
  RX_SIMULATE_COUNT,
  RX_SIMULATE_LINK,
  RX_SIMULATE_PROPERTY,
  RX_SIMULATE_OUTCOME,
  RX_SIMULATE_SLICE,
  RX_SIMULATE_ANATOMY,
  RX_SIMULATE_NOISE,
  RX_SIMULATE_FEATURE,
  RX_SIMULATE_LOADING,
  RX_SIMULATE_SHIFT,
  RX_SIMULATE_SET
};

enum { RX_N_OUTCOMES = 5, RX_GENE_NAME_SIZE = 24, RX_PATIENT_NAME_SIZE = 24 };

/* A gene that changes a property. */
typedef struct {
  size_t gene;
  int property;
  int sign; /* -1, 1 */
} rx_link;

typedef struct {
  uint64_t seed;
  size_t n_patients, n_genes, n_links;
  size_t group_size; /* genes of a correlated group: gene / group_size tells which */
  int n_groups;      /* of patients; 0: none */
  double icc;
  int *n_images;           /* [n_patients] */
  int *group;              /* [n_patients], 0 .. n_groups - 1 */
  double *age;             /* [n_patients], whole years */
  double *counts;          /* [n_genes][n_patients] */
  rx_link *links;          /* [n_links] */
  size_t confounded;       /* gene */
  double *properties;      /* [RX_N_PROPERTIES][n_patients], mean 0, variance 1 */
  unsigned char *outcomes; /* [RX_N_OUTCOMES][n_patients], 0 or 1 */
} rx_population;

extern const char *const rx_outcome_names[RX_N_OUTCOMES];

/* Errors: RX_ERR_CONFIG: too few genes or patients, a sum of effects above 1, no number of images;
 * RX_ERR_MEMORY. */
rx_status rx_population_create(const rx_config *config, rx_population **out);
void rx_population_destroy(rx_population **population);

void rx_population_patient(size_t patient, char name[RX_PATIENT_NAME_SIZE]);
void rx_population_gene(size_t gene, char name[RX_GENE_NAME_SIZE]);

/* Gives the standardised log2(count + 1) of a gene.
 * values  [n_patients], set: mean 0, sum of squares n_patients (all 0 when the gene is constant) */
void rx_population_expression(const rx_population *population, size_t gene, double *values);

/* Gives the properties of the slices of a patient, in standard units: sqrt(icc) of the patient's
 * property, and the slice's own deviation, which sums to 0 over the slices and has the variance
 * 1 - icc, so that the share icc of all variance is that of the patients' means.
 * values  [n_images[patient]][RX_N_PROPERTIES], set */
void rx_population_slices(const rx_population *population, size_t patient, double *values);

#endif
