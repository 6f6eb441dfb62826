/* The truth of a simulated cohort is what its settings say, to the last digits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radmix/error.h"
#include "radmix/random.h"
#include "simulation/picture.h"
#include "simulation/population.h"
#include "simulation/properties.h"

static rx_config *plain_config(void) {
  rx_config *config = calloc(1, sizeof *config);
  rx_config_defaults(config);
  return config;
}

static rx_population *make(const rx_config *config) {
  rx_population *population;
  if (rx_population_create(config, &population)) fail_msg("%s", rx_error_message());
  return population;
}

static void assert_near(double found, double expected, double tolerance) {
  if (!(fabs(found - expected) <= tolerance))
    fail_msg("expected %.15g, found %.15g", expected, found);
}

static const double *property_of(const rx_population *population, int property) {
  return population->properties + (size_t)property * population->n_patients;
}

static double partial_r2(const rx_population *population, size_t gene, int property) {
  double *expression = calloc(population->n_patients, sizeof *expression), r2;
  rx_population_expression(population, gene, expression);
  assert_int_equal(rx_property_partial_r2(expression, property_of(population, property),
                                          population->age, population->n_patients, &r2),
                   RX_OK);
  free(expression);
  return r2;
}

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  return sum / (double)n;
}

static double correlation(const double *a, const double *b, size_t n) {
  double mean_a = mean_of(a, n), mean_b = mean_of(b, n), ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; i++) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / sqrt(aa * bb);
}

static void each_link_has_exactly_the_stated_partial_r2(void **state) {
  (void)state;
  rx_config *config = plain_config();

  for (int seed = 0; seed < 5; seed++) {
    config->study_seed = seed;
    config->simulation_effect = 0.1 + 0.06 * seed;
    config->simulation_links = 16; /* two genes a property */
    rx_population *population = make(config);
    assert_int_equal(population->n_links, 16);
    for (size_t n = 0; n < population->n_links; n++)
      assert_near(partial_r2(population, population->links[n].gene, population->links[n].property),
                  config->simulation_effect, 1e-12);
    rx_population_destroy(&population);
  }
  free(config);
}

/* Two genes that are correlated by chance must not be asked to explain more than all. */
static void small_cohorts_of_any_seed_are_made(void **state) {
  (void)state;
  rx_config *config = plain_config();

  config->simulation_effect = 0.35;
  config->simulation_patients = 30;
  config->simulation_links = 16;
  for (config->study_seed = 0; config->study_seed < 100; config->study_seed++) {
    rx_population *population = make(config);
    assert_near(partial_r2(population, population->links[15].gene, population->links[15].property),
                0.35, 1e-12);
    rx_population_destroy(&population);
  }
  free(config);
}

/* (r_xy - r_xz r_yz)^2 / ((1 - r_xz^2)(1 - r_yz^2)), the textbook's formula. */
static void partial_r2_is_that_of_the_three_correlations(void **state) {
  (void)state;
  enum { N = 37 };
  double x[N], y[N], z[N], r2;
  rx_random random = rx_random_at(5, 1, 0, 0);

  for (int i = 0; i < N; i++) {
    z[i] = rx_random_normal(&random);
    x[i] = 0.7 * z[i] + rx_random_normal(&random);
    y[i] = 0.4 * z[i] - 0.5 * x[i] + rx_random_normal(&random);
  }
  double xy = correlation(x, y, N), xz = correlation(x, z, N), yz = correlation(y, z, N);
  double expected = pow(xy - xz * yz, 2) / ((1 - xz * xz) * (1 - yz * yz));
  assert_int_equal(rx_property_partial_r2(x, y, z, N, &r2), RX_OK);
  assert_near(r2, expected, 1e-12);
  assert_int_equal(rx_property_partial_r2(z, y, z, N, &r2), RX_OK);
  assert_true(r2 == 0);
}

static void the_mean_over_slices_is_the_property_of_the_patient(void **state) {
  (void)state;
  rx_config *config = plain_config();

  config->simulation_icc = 0.36;
  strcpy(config->simulation_images_per_patient, "2-9");
  rx_population *population = make(config);
  for (size_t patient = 0; patient < population->n_patients; patient++) {
    size_t n = (size_t)population->n_images[patient];
    assert_in_range(n, 2, 9);
    double *values = calloc(n * RX_N_PROPERTIES, sizeof *values);
    rx_population_slices(population, patient, values);
    for (int property = 0; property < RX_N_PROPERTIES; property++) {
      double sum = 0;
      for (size_t slice = 0; slice < n; slice++)
        sum += values[slice * RX_N_PROPERTIES + (size_t)property];
      assert_near(sum / (double)n, 0.6 * property_of(population, property)[patient], 1e-12);
    }
    free(values);
  }
  rx_population_destroy(&population);
  free(config);
}

static void the_share_between_patients_is_the_one_asked_for(void **state) {
  (void)state;
  enum { N_PATIENTS = 400, N_SLICES = 10 };
  rx_config *config = plain_config();
  double values[N_SLICES * RX_N_PROPERTIES], within = 0;

  config->simulation_patients = N_PATIENTS;
  config->simulation_icc = 0.3;
  strcpy(config->simulation_images_per_patient, "10");
  rx_population *population = make(config);
  for (size_t patient = 0; patient < N_PATIENTS; patient++) {
    rx_population_slices(population, patient, values);
    for (int slice = 0; slice < N_SLICES; slice++)
      within +=
          pow(values[slice * RX_N_PROPERTIES] - sqrt(0.3) * property_of(population, 0)[patient], 2);
  }
  /* 3600 degrees of freedom: 2.4 % standard deviation */
  assert_near(within / (N_PATIENTS * N_SLICES), 0.7, 0.07);
  rx_population_destroy(&population);
  free(config);
}

static void age_confounds_one_gene_and_density(void **state) {
  (void)state;
  rx_config *config = plain_config();

  config->simulation_patients = 2000;
  config->simulation_confounding = 0.6;
  rx_population *population = make(config);
  double *expression = calloc(population->n_patients, sizeof *expression);
  rx_population_expression(population, population->confounded, expression);
  const double *density = property_of(population, RX_DENSITY);
  double with_age = correlation(density, population->age, population->n_patients);
  assert_near(with_age * with_age, 0.6, 0.06);
  double gene = correlation(expression, population->age, population->n_patients);
  assert_true(gene * gene > 0.4 && gene * gene < 0.62); /* counting adds noise */
  assert_true(pow(correlation(expression, density, population->n_patients), 2) > 0.25);
  assert_true(partial_r2(population, population->confounded, RX_DENSITY) < 0.005);
  for (size_t n = 0; n < population->n_links; n++)
    assert_true(population->links[n].property != RX_DENSITY &&
                population->links[n].gene != population->confounded);
  free(expression);
  rx_population_destroy(&population);
  free(config);
}

static void genes_of_a_group_are_correlated_and_others_are_not(void **state) {
  (void)state;
  rx_config *config = plain_config();

  config->simulation_patients = 1000;
  rx_population *population = make(config);
  double *a = calloc(population->n_patients, sizeof *a),
         *b = calloc(population->n_patients, sizeof *b);
  size_t first = population->links[0].gene / population->group_size * population->group_size;
  for (size_t gene = first; gene < first + population->group_size; gene++) {
    rx_population_expression(population, gene, a);
    rx_population_expression(population, first, b);
    double r = correlation(a, b, population->n_patients);
    assert_true(gene == first || (r > 0.4 && r < 0.7));
    rx_population_expression(population, (gene + population->group_size) % population->n_genes, b);
    assert_true(fabs(correlation(a, b, population->n_patients)) < 0.15);
  }
  free(a);
  free(b);
  rx_population_destroy(&population);
  free(config);
}

static double outcome_difference(const rx_config *config) {
  rx_population *population = make(config);
  double sum[2] = {0}, n[2] = {0};

  for (size_t patient = 0; patient < population->n_patients; patient++) {
    int outcome = population->outcomes[patient]; /* T */
    sum[outcome] += property_of(population, RX_LESION_SIZE)[patient];
    n[outcome]++;
  }
  rx_population_destroy(&population);
  return sum[1] / n[1] - sum[0] / n[0];
}

static void outcomes_follow_their_property_or_chance(void **state) {
  (void)state;
  rx_config *config = plain_config();

  config->simulation_patients = 1000;
  assert_true(outcome_difference(config) > 1);
  strcpy(config->simulation_outcomes, "null");
  assert_true(fabs(outcome_difference(config)) < 0.25); /* 4 standard errors */
  free(config);
}

static void assert_refuses(rx_config *config, const char *words) {
  rx_population *population;
  assert_int_equal(rx_population_create(config, &population), RX_ERR_CONFIG);
  assert_null(population);
  if (!strstr(rx_error_message(), words))
    fail_msg("expected '%s' in '%s'", words, rx_error_message());
  rx_config_defaults(config);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  rx_config *config = plain_config();

  config->simulation_genes = 12;
  assert_refuses(config, "simulation.genes: expected more than the 12 links, found 12");
  config->simulation_effect = 0.6;
  assert_refuses(config, "expected a smaller effect or fewer links");
  config->simulation_patients = 3;
  assert_refuses(config, "expected more");
  const char *counts[] = {"0", "x", "5-", "9-3", "2.5", "", "1-40000", "-3"};
  for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
    strcpy(config->simulation_images_per_patient, counts[n]);
    assert_refuses(config, "simulation.images_per_patient");
  }
  free(config);
}

static void the_smallest_cohorts_are_made(void **state) {
  (void)state;
  rx_config *config = plain_config();

  for (int patients = 1; patients < 4; patients++) {
    config->simulation_patients = patients;
    config->simulation_links = 0;
    config->simulation_genes = 1;
    strcpy(config->simulation_images_per_patient, "1");
    rx_population *population = make(config);
    for (size_t n = 0; n < RX_N_PROPERTIES * population->n_patients; n++)
      assert_true(isfinite(population->properties[n]));
    rx_population_destroy(&population);
  }
  free(config);
}

/* What a property changes, it changes at its own place. */
static void each_property_changes_the_picture(void **state) {
  (void)state;
  enum { N = RX_PICTURE_EDGE * RX_PICTURE_EDGE };
  static short low[N], high[N];
  rx_config *config = plain_config();
  rx_population *population = make(config);
  rx_anatomy anatomy;

  rx_picture_anatomy(population, 0, &anatomy);
  for (int property = 0; property < RX_N_PROPERTIES; property++) {
    double p[RX_N_PROPERTIES] = {0};
    int n_changed = 0, largest = 0;
    for (int side = 0; side < 2; side++) {
      rx_random noise = rx_random_at(1, RX_SIMULATE_NOISE, 0, 0);
      p[property] = side ? 1 : -1;
      rx_picture_paint(side ? high : low, &anatomy, p, 0, 1, &noise);
    }
    for (int n = 0; n < N; n++) {
      if (abs(high[n] - low[n]) > 50) n_changed++;
      if (high[n] > largest) largest = high[n];
    }
    assert_in_range(n_changed, 60, N / 5);
    assert_in_range(largest, 950, 1100);
  }
  rx_population_destroy(&population);
  free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_link_has_exactly_the_stated_partial_r2),
      cmocka_unit_test(small_cohorts_of_any_seed_are_made),
      cmocka_unit_test(partial_r2_is_that_of_the_three_correlations),
      cmocka_unit_test(the_mean_over_slices_is_the_property_of_the_patient),
      cmocka_unit_test(the_share_between_patients_is_the_one_asked_for),
      cmocka_unit_test(age_confounds_one_gene_and_density),
      cmocka_unit_test(genes_of_a_group_are_correlated_and_others_are_not),
      cmocka_unit_test(outcomes_follow_their_property_or_chance),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(the_smallest_cohorts_are_made),
      cmocka_unit_test(each_property_changes_the_picture),
  };
  return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
