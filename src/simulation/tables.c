#include "tables.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"

enum { PATH_SIZE = 4096 };

static rx_status open_table(const char *folder, const char *name, FILE **file) {
  char path[PATH_SIZE];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  *file = fopen(path, "w");
  if (*file) return RX_OK;
  return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
}

static rx_status close_table(const char *folder, const char *name, FILE *file) {
  errno = 0;
  int failed = ferror(file);
  if (fclose(file) || failed)
    return RX_FAIL(RX_ERR_OUTPUT, "%s/%s: cannot be written: %s", folder, name,
                   errno ? strerror(errno) : "disk full?");
  return RX_OK;
}

rx_status rx_tables_manifest(const rx_population *population, const char *folder) {
  char patient[RX_PATIENT_NAME_SIZE];
  FILE *file;

  RX_TRY(open_table(folder, "images.tsv", &file));
  fputs("patient\tpath\tsequence\n", file);
  for (size_t n = 0; n < population->n_patients; n++) {
    rx_population_patient(n, patient);
    fprintf(file, "%s\tnifti/%s.nii.gz\tDCE-T1\n", patient, patient);
  }
  return close_table(folder, "images.tsv", file);
}

rx_status rx_tables_clinical(const rx_population *population, const char *folder) {
  char patient[RX_PATIENT_NAME_SIZE];
  FILE *file;

  RX_TRY(open_table(folder, "clinical.tsv", &file));
  fputs("patient\tage", file);
  for (int outcome = 0; outcome < RX_N_OUTCOMES; outcome++)
    fprintf(file, "\t%s", rx_outcome_names[outcome]);
  fputs(population->n_groups ? "\tgroup\n" : "\n", file);
  for (size_t n = 0; n < population->n_patients; n++) {
    rx_population_patient(n, patient);
    fprintf(file, "%s\t%.0f", patient, population->age[n]);
    for (size_t outcome = 0; outcome < RX_N_OUTCOMES; outcome++)
      fprintf(file, "\t%d", population->outcomes[outcome * population->n_patients + n]);
    if (population->n_groups) fprintf(file, "\tG%d", population->group[n] + 1);
    fputc('\n', file);
  }
  return close_table(folder, "clinical.tsv", file);
}

rx_status rx_tables_expression(const rx_population *population, const char *folder) {
  char name[RX_GENE_NAME_SIZE], patient[RX_PATIENT_NAME_SIZE];
  FILE *file;

  RX_TRY(open_table(folder, "expression.tsv", &file));
  fputs("gene", file);
  for (size_t n = 0; n < population->n_patients; n++) {
    rx_population_patient(n, patient);
    fprintf(file, "\t%s", patient);
  }
  for (size_t gene = 0; gene < population->n_genes; gene++) {
    rx_population_gene(gene, name);
    fprintf(file, "\n%s", name);
    for (size_t n = 0; n < population->n_patients; n++)
      fprintf(file, "\t%.0f", population->counts[gene * population->n_patients + n]);
  }
  fputc('\n', file);
  return close_table(folder, "expression.tsv", file);
}

/* The first gene of the correlated group of a set: those of links first, then the others. */
static size_t first_gene(const rx_population *population, size_t set) {
  size_t n_groups = population->n_genes / population->group_size;
  size_t group = set % n_groups;

  if (set < population->n_links) group = population->links[set].gene / population->group_size;
  return group * population->group_size;
}

/* Adds as many genes of other groups, each once. */
static void add_others(const rx_population *population, size_t set, size_t first, FILE *file) {
  rx_random random = rx_random_at(population->seed, RX_SIMULATE_SET, (uint32_t)set, 0);
  size_t size = population->group_size, n_free = population->n_genes - size;
  char name[RX_GENE_NAME_SIZE];

  /* The k-th other gene comes from the k-th part of those that are free. */
  for (size_t k = 0; k < size && n_free >= size; k++) {
    size_t from = k * n_free / size, to = (k + 1) * n_free / size;
    size_t gene = from + rx_random_below(&random, (uint32_t)(to - from));
    rx_population_gene(gene < first ? gene : gene + size, name);
    fprintf(file, "\t%s", name);
  }
}

rx_status rx_tables_sets(const rx_population *population, size_t n_sets, const char *folder) {
  char name[RX_GENE_NAME_SIZE];
  FILE *file;

  RX_TRY(open_table(folder, "genesets.gmt", &file));
  for (size_t set = 0; set < n_sets; set++) {
    size_t first = first_gene(population, set);
    fprintf(file, "SET%02zu\tsimulated", set + 1);
    for (size_t k = 0; k < population->group_size; k++) {
      rx_population_gene(first + k, name);
      fprintf(file, "\t%s", name);
    }
    add_others(population, set, first, file);
    fputc('\n', file);
  }
  return close_table(folder, "genesets.gmt", file);
}

/* Room for the expression of two genes, and how far the truth has been written. */
typedef struct {
  const rx_population *population;
  double *planted, *other; /* [n_patients] */
  FILE *file;
} truth;

static double correlate(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i] / (double)n;
  return sum;
}

static rx_status partial_r2(const truth *t, const double *expression, int property, double *r2) {
  const rx_population *p = t->population;

  return rx_property_partial_r2(expression, p->properties + (size_t)property * p->n_patients,
                                p->age, p->n_patients, r2);
}

/* A planted gene, and the others of its group. */
static rx_status write_link(const truth *t, const rx_link *link) {
  const rx_population *p = t->population;
  char name[RX_GENE_NAME_SIZE], other[RX_GENE_NAME_SIZE];
  const char *property = rx_property_names[link->property];
  size_t first = link->gene / p->group_size * p->group_size;
  double r2;

  rx_population_gene(link->gene, name);
  rx_population_expression(p, link->gene, t->planted);
  RX_TRY(partial_r2(t, t->planted, link->property, &r2));
  fprintf(t->file, "%s\tplanted\t%s\t%.6f\t%d\tNA\tNA\n", name, property, r2, link->sign);
  for (size_t gene = first; gene < first + p->group_size; gene++) {
    if (gene == link->gene) continue;
    rx_population_gene(gene, other);
    rx_population_expression(p, gene, t->other);
    RX_TRY(partial_r2(t, t->other, link->property, &r2));
    fprintf(t->file, "%s\tcorrelated\t%s\t%.6f\tNA\t%s\t%.4f\n", other, property, r2, name,
            correlate(t->planted, t->other, p->n_patients));
  }
  return RX_OK;
}

static rx_status write_confounded(const truth *t) {
  const rx_population *p = t->population;
  char name[RX_GENE_NAME_SIZE];
  double r2;

  rx_population_gene(p->confounded, name);
  rx_population_expression(p, p->confounded, t->planted);
  RX_TRY(partial_r2(t, t->planted, RX_DENSITY, &r2));
  memcpy(t->other, p->age, p->n_patients * sizeof *p->age);
  rx_property_standardise(t->other, p->n_patients);
  fprintf(t->file, "%s\tconfounded\t%s\t%.6f\tNA\tage\t%.4f\n", name, rx_property_names[RX_DENSITY],
          r2, correlate(t->planted, t->other, p->n_patients));
  return RX_OK;
}

rx_status rx_tables_truth(const rx_population *population, const char *folder) {
  truth t = {.population = population};

  rx_status status = RX_NEW(&t.planted, "expression", population->n_patients);
  if (!status) status = RX_NEW(&t.other, "expression", population->n_patients);
  if (!status) status = open_table(folder, "truth.tsv", &t.file);
  if (!status) {
    fputs("gene\trole\tproperty\tpartial_r2\tdirection\twith\tcorrelation\n", t.file);
    for (size_t n = 0; n < population->n_links && !status; n++)
      status = write_link(&t, &population->links[n]);
    if (!status) status = write_confounded(&t);
    rx_status closed = close_table(folder, "truth.tsv", t.file);
    if (!status) status = closed;
  }
  free(t.planted);
  free(t.other);
  return status;
}

rx_status rx_tables_properties(const rx_population *population, const char *folder) {
  char patient[RX_PATIENT_NAME_SIZE];
  FILE *file;

  RX_TRY(open_table(folder, "properties.tsv", &file));
  fputs("patient", file);
  for (int property = 0; property < RX_N_PROPERTIES; property++)
    fprintf(file, "\t%s", rx_property_names[property]);
  fputc('\n', file);
  for (size_t n = 0; n < population->n_patients; n++) {
    rx_population_patient(n, patient);
    fputs(patient, file);
    for (size_t property = 0; property < RX_N_PROPERTIES; property++)
      fprintf(file, "\t%.12g", population->properties[property * population->n_patients + n]);
    fputc('\n', file);
  }
  return close_table(folder, "properties.tsv", file);
}
