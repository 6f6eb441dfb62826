#include "population.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "radmix/text.h"

enum { MOST_IMAGES = 32767, LARGEST_GROUP = 5 };

/* Of the variance of a gene, the share that its group has in common. */
static const double group_share = 0.6;

const char *const rx_outcome_names[RX_N_OUTCOMES] = {"T", "N", "ER", "PR", "HER2"};

/* What each outcome follows. */
static const rx_property outcome_property[RX_N_OUTCOMES] = {
    RX_LESION_SIZE, RX_MARGIN_SHARPNESS, RX_LESION_BRIGHTNESS, RX_LESION_BRIGHTNESS,
    RX_VESSEL_BRIGHTNESS};

/* Reads "20" or "5-40". */
static rx_status read_range(const char *text, int *least, int *most) {
  char first[RX_TEXT_SIZE];
  double numbers[2];

  snprintf(first, sizeof first, "%s", text);
  char *dash = strchr(first, '-');
  if (dash) *dash = '\0';
  bool is_right = rx_number_read(rx_trim(first), &numbers[0]) &&
                  rx_number_read(dash ? rx_trim(dash + 1) : rx_trim(first), &numbers[1]);
  for (int n = 0; n < 2 && is_right; n++)
    is_right = numbers[n] == floor(numbers[n]) && numbers[n] >= 1 && numbers[n] <= MOST_IMAGES;
  if (!is_right || numbers[0] > numbers[1])
    return RX_FAIL(RX_ERR_CONFIG,
                   "simulation.images_per_patient: expected 20 or 5-40 (1 to %d), found '%s'",
                   (int)MOST_IMAGES, text);
  *least = (int)numbers[0];
  *most = (int)numbers[1];
  return RX_OK;
}

static rx_status make_patients(const rx_config *config, rx_population *c) {
  int least = 1, most = 1;
  int64_t *order;

  RX_TRY(read_range(config->simulation_images_per_patient, &least, &most));
  RX_TRY(RX_NEW(&c->n_images, "patients", c->n_patients));
  RX_TRY(RX_NEW(&c->group, "patients", c->n_patients));
  RX_TRY(RX_NEW(&c->age, "patients", c->n_patients));
  RX_TRY(RX_NEW(&order, "patients", c->n_patients));
  rx_random ages = rx_random_at(c->seed, RX_SIMULATE_AGE, 0, 0);
  rx_random images = rx_random_at(c->seed, RX_SIMULATE_IMAGES, 0, 0);
  rx_random groups = rx_random_at(c->seed, RX_SIMULATE_GROUP, 0, 0);
  for (size_t patient = 0; patient < c->n_patients; patient++) {
    order[patient] = (int64_t)patient;
    c->age[patient] = fmin(fmax(round(56 + 11 * rx_random_normal(&ages)), 28), 89);
    c->n_images[patient] = least + (int)rx_random_below(&images, (uint32_t)(most - least + 1));
  }
  rx_random_shuffle(&groups, order, c->n_patients);
  for (size_t n = 0; n < c->n_patients && c->n_groups; n++)
    c->group[order[n]] = (int)(n % (size_t)c->n_groups);
  free(order);
  return RX_OK;
}

/* Each link, and the confounded gene, has a correlated group of genes for itself. */
static rx_status make_links(rx_population *c) {
  int64_t *order;

  if (c->n_genes < c->n_links + 1)
    return RX_FAIL(RX_ERR_CONFIG, "simulation.genes: expected more than the %zu links, found %zu",
                   c->n_links, c->n_genes);
  c->group_size = LARGEST_GROUP;
  while (c->n_genes / c->group_size < c->n_links + 1) c->group_size--;
  size_t n_gene_groups = c->n_genes / c->group_size;
  RX_TRY(RX_NEW(&c->links, "links", c->n_links));
  RX_TRY(RX_NEW(&order, "links", n_gene_groups));
  rx_random random = rx_random_at(c->seed, RX_SIMULATE_LINK, 0, 0);
  for (size_t n = 0; n < n_gene_groups; n++) order[n] = (int64_t)n;
  rx_random_shuffle(&random, order, n_gene_groups);
  for (size_t n = 0; n <= c->n_links; n++) {
    size_t member = rx_random_below(&random, (uint32_t)c->group_size);
    size_t gene = (size_t)order[n] * c->group_size + member;
    int sign = rx_random_below(&random, 2) ? 1 : -1;
    if (n < c->n_links)
      c->links[n] = (rx_link){gene, (int)(n % RX_N_LINKED_PROPERTIES), sign};
    else
      c->confounded = gene;
  }
  free(order);
  return RX_OK;
}

/* A Poisson number; above a mean of 50 the normal one is near enough for a sequencer. */
static double draw_poisson(rx_random *random, double mean) {
  if (mean > 50) return fmax(round(mean + sqrt(mean) * rx_random_normal(random)), 0);
  double n = -1;
  for (double sum = 0; sum < mean; n++) sum -= log(rx_random_uniform(random));
  return fmax(n, 0);
}

/* A gene's latent level is shared with its group; its counts scatter more than Poisson's, as those
 * of sequencing do. */
static rx_status make_genes(const rx_config *config, rx_population *c) {
  double *age, confounding = config->simulation_confounding;

  RX_TRY(RX_NEW(&c->counts, "expression", c->n_genes * c->n_patients));
  RX_TRY(RX_NEW(&age, "patients", c->n_patients));
  memcpy(age, c->age, c->n_patients * sizeof *age);
  rx_property_standardise(age, c->n_patients);
  for (size_t gene = 0; gene < c->n_genes; gene++) {
    uint32_t group = (uint32_t)(gene / c->group_size);
    rx_random common = rx_random_at(c->seed, RX_SIMULATE_GENE_GROUP, group, 0);
    rx_random own = rx_random_at(c->seed, RX_SIMULATE_GENE, (uint32_t)gene, 0);
    rx_random counts = rx_random_at(c->seed, RX_SIMULATE_COUNT, (uint32_t)gene, 0);
    double level = log(60) + 3.5 * rx_random_uniform(&own);
    double spread = 0.5 + 0.4 * rx_random_uniform(&own);
    for (size_t patient = 0; patient < c->n_patients; patient++) {
      double latent = sqrt(group_share) * rx_random_normal(&common) +
                      sqrt(1 - group_share) * rx_random_normal(&own);
      if (gene == c->confounded)
        latent = sqrt(confounding) * age[patient] + sqrt(1 - confounding) * latent;
      double mean = exp(level + spread * latent + 0.15 * rx_random_normal(&counts));
      c->counts[gene * c->n_patients + patient] = draw_poisson(&counts, mean);
    }
  }
  free(age);
  return RX_OK;
}

void rx_population_expression(const rx_population *population, size_t gene, double *values) {
  const double *counts = population->counts + gene * population->n_patients;

  for (size_t patient = 0; patient < population->n_patients; patient++)
    values[patient] = log2(counts[patient] + 1);
  rx_property_standardise(values, population->n_patients);
}

/* Returns the covariance of a gene with the sum of those before it, each in its direction. Genes
 * that change a property in directions that oppose their correlation would have to explain more of
 * it than there is: two of partial R^2 0.35 that are correlated by chance with -0.3 explain all. */
static double add_up(const double *genes, const double *correlation, size_t n_genes,
                     const double *gene, size_t n) {
  double sum = 0;

  for (size_t g = 0; g < n_genes; g++)
    for (size_t i = 0; i < n; i++) sum += correlation[g] * genes[g * n + i] * gene[i];
  return sum;
}

static rx_status make_linked(const rx_config *config, rx_population *c, int property,
                             double *values) {
  double *genes, *correlation;
  size_t n_genes = 0;

  RX_TRY(RX_NEW(&genes, "links", (c->n_links + 1) * c->n_patients));
  rx_status status = RX_NEW(&correlation, "links", c->n_links + 1);
  for (size_t n = 0; n < c->n_links && !status; n++) {
    rx_link *link = &c->links[n];
    if (link->property != property) continue;
    double *gene = genes + n_genes * c->n_patients;
    rx_population_expression(c, link->gene, gene);
    if (link->sign * add_up(genes, correlation, n_genes, gene, c->n_patients) < 0) link->sign *= -1;
    correlation[n_genes++] = link->sign * sqrt(config->simulation_effect);
  }
  if (!status && n_genes)
    status = rx_property_plant(values, genes, correlation, n_genes, c->age, c->n_patients);
  else
    rx_property_standardise(values, c->n_patients);
  free(genes);
  free(correlation);
  return status;
}

/* Density follows age, which the confounded gene follows too. */
static void make_density(const rx_config *config, const rx_population *c, double *age,
                         double *values) {
  memcpy(age, c->age, c->n_patients * sizeof *age);
  rx_property_standardise(age, c->n_patients);
  for (size_t patient = 0; patient < c->n_patients; patient++)
    values[patient] = sqrt(config->simulation_confounding) * age[patient] +
                      sqrt(1 - config->simulation_confounding) * values[patient];
  rx_property_standardise(values, c->n_patients);
}

static rx_status make_properties(const rx_config *config, rx_population *c) {
  double *age;

  RX_TRY(RX_NEW(&c->properties, "properties", RX_N_PROPERTIES * c->n_patients));
  for (int property = 0; property < RX_N_PROPERTIES; property++) {
    double *values = c->properties + (size_t)property * c->n_patients;
    rx_random noise = rx_random_at(c->seed, RX_SIMULATE_PROPERTY, (uint32_t)property, 0);
    for (size_t patient = 0; patient < c->n_patients; patient++)
      values[patient] = rx_random_normal(&noise);
    RX_TRY(make_linked(config, c, property, values));
  }
  RX_TRY(RX_NEW(&age, "patients", c->n_patients));
  make_density(config, c, age, c->properties + (size_t)RX_DENSITY * c->n_patients);
  free(age);
  return RX_OK;
}

/* An outcome is whether its property, with some noise, is above the mean; or a coin. */
static rx_status make_outcomes(const rx_config *config, rx_population *c) {
  double weight = rx_is(config->simulation_outcomes, "linked") ? 0.9 : 0;

  RX_TRY(RX_NEW(&c->outcomes, "outcomes", RX_N_OUTCOMES * c->n_patients));
  for (int outcome = 0; outcome < RX_N_OUTCOMES; outcome++) {
    rx_random noise = rx_random_at(c->seed, RX_SIMULATE_OUTCOME, (uint32_t)outcome, 0);
    const double *property = c->properties + (size_t)outcome_property[outcome] * c->n_patients;
    for (size_t patient = 0; patient < c->n_patients; patient++)
      c->outcomes[(size_t)outcome * c->n_patients + patient] =
          weight * property[patient] + sqrt(1 - weight * weight) * rx_random_normal(&noise) > 0;
  }
  return RX_OK;
}

static rx_status fill(const rx_config *config, rx_population *c) {
  c->seed = (uint64_t)config->study_seed;
  c->n_patients = (size_t)config->simulation_patients;
  c->n_genes = (size_t)config->simulation_genes;
  c->n_links = (size_t)config->simulation_links;
  c->n_groups = config->simulation_groups;
  c->icc = config->simulation_icc;
  RX_TRY(make_patients(config, c));
  RX_TRY(make_links(c));
  RX_TRY(make_genes(config, c));
  RX_TRY(make_properties(config, c));
  return make_outcomes(config, c);
}

rx_status rx_population_create(const rx_config *config, rx_population **out) {
  RX_TRY(RX_NEW(out, "simulated cohort", 1));
  rx_status status = fill(config, *out);
  if (status) rx_population_destroy(out);
  return status;
}

void rx_population_destroy(rx_population **population) {
  if (!*population) return;
  free((*population)->n_images);
  free((*population)->group);
  free((*population)->age);
  free((*population)->counts);
  free((*population)->links);
  free((*population)->properties);
  free((*population)->outcomes);
  free(*population);
  *population = NULL;
}

void rx_population_patient(size_t patient, char name[RX_PATIENT_NAME_SIZE]) {
  snprintf(name, RX_PATIENT_NAME_SIZE, "SIM-%04zu", patient + 1);
}

void rx_population_gene(size_t gene, char name[RX_GENE_NAME_SIZE]) {
  snprintf(name, RX_GENE_NAME_SIZE, "GENE%04zu", gene + 1);
}

void rx_population_slices(const rx_population *population, size_t patient, double *values) {
  size_t n = (size_t)population->n_images[patient];
  double own = n > 1 ? sqrt((1 - population->icc) * (double)n / (double)(n - 1)) : 0;

  for (size_t property = 0; property < RX_N_PROPERTIES; property++) {
    rx_random random =
        rx_random_at(population->seed, RX_SIMULATE_SLICE, (uint32_t)patient, (uint32_t)property);
    double mean = 0;
    for (size_t slice = 0; slice < n; slice++) {
      double *value = values + slice * RX_N_PROPERTIES + property;
      *value = rx_random_normal(&random);
      mean += *value / (double)n;
    }
    double common =
        sqrt(population->icc) * population->properties[property * population->n_patients + patient];
    for (size_t slice = 0; slice < n; slice++) {
      double *value = values + slice * RX_N_PROPERTIES + property;
      *value = common + own * (*value - mean);
    }
  }
}
