#include "expression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "density.h"
#include "gather.h"
#include "genes.h"
#include "measure.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "transpose.h"

/* The columns of the table on their way to genes; is_kept is the same on all ranks. */
typedef struct {
  const rx_job *job;
  rx_source *source;
  rx_gene_map map;
  size_t first, count;        /* columns of this rank */
  bool *is_kept;              /* [n_columns] */
  double *spread;             /* [n_columns], standard deviation over patients */
  char (*name)[RX_GENE_SIZE]; /* [n_columns] */
} preparation;

static void preparation_destroy(preparation *prep) {
  rx_source_destroy(&prep->source);
  rx_gene_map_destroy(&prep->map);
  free(prep->is_kept);
  free(prep->spread);
  free(prep->name);
}

static rx_status preparation_create(const rx_job *job, const rx_names *known,
                                    const rx_names *training, preparation *prep) {
  const rx_config *config = job->config;

  *prep = (preparation){.job = job};
  RX_TRY(rx_source_load(job->comm, config->genomics_expression, config->genomics_patients, known,
                        training, &prep->source));
  RX_TRY(rx_gene_map_load(job->comm, config->genomics_id_map, &prep->map));
  const rx_source *source = prep->source;
  prep->first = source->border[job->rank];
  prep->count = source->border[job->rank + 1] - prep->first;
  rx_status status = RX_NEW(&prep->is_kept, "genes", source->n_columns);
  if (!status) status = RX_NEW(&prep->spread, "spread of genes", source->n_columns);
  if (!status) status = RX_NEW(&prep->name, "names of genes", source->n_columns);
  for (size_t column = 0; !status && column < source->n_columns; column++)
    prep->is_kept[column] = true;
  return RX_AGREE(job->comm, status);
}

/* Refuses a gene without any value and, unless values are logarithms, one below 0. */
static rx_status check_values(const preparation *prep) {
  const rx_source *source = prep->source;
  const char *unit = prep->job->config->genomics_unit;
  char where[RX_TEXT_SIZE + 128];

  for (size_t column = prep->first; column < prep->first + prep->count; column++) {
    const double *value = source->value + (column - prep->first) * source->n_patients;
    size_t n_missing = 0;

    rx_source_where(source, column, where, sizeof where);
    for (size_t patient = 0; patient < source->n_patients; patient++) {
      n_missing += isnan(value[patient]);
      if (value[patient] < 0 && !rx_is(unit, "log"))
        return RX_FAIL(RX_ERR_INPUT,
                       "%s: expected a %s of 0 or more of '%.80s' in '%.80s', found %g", where,
                       unit, source->columns[column], source->patients[patient], value[patient]);
    }
    if (n_missing == source->n_patients)
      return RX_FAIL(RX_ERR_INPUT, "%s: expected a value of '%.80s' in some patient, found none",
                     where, source->columns[column]);
  }
  return RX_OK;
}

/* Names the genes, and measures how they spread. room  [n_patients] */
static void name_genes(preparation *prep, double *room) {
  rx_source *source = prep->source;

  for (size_t column = 0; column < source->n_columns; column++) {
    rx_genes_name(source->columns[column], prep->name[column]);
    ptrdiff_t row = rx_gene_map_find(&prep->map, prep->name[column]);
    const char *name =
        row < 0 ? "" : rx_table_cell(prep->map.table, (size_t)row, prep->map.name_column);
    if (!rx_is_missing(name)) snprintf(prep->name[column], RX_GENE_SIZE, "%s", name);
  }
  for (size_t column = prep->first; column < prep->first + prep->count; column++) {
    const double *value = source->value + (column - prep->first) * source->n_patients;
    size_t n = 0;
    double mean;

    for (size_t patient = 0; patient < source->n_patients; patient++)
      if (!isnan(value[patient])) room[n++] = value[patient];
    prep->spread[column] = -1;
    if (n > 1) rx_density_moments(room, n, &mean, &prep->spread[column]);
  }
  rx_gather_numbers(prep->job->comm, source->border, prep->spread);
}

/* Takes the genes that the training cohort took, be they expressed here or not. */
static void take_trained(preparation *prep, const rx_trained *trained) {
  if (!trained || !trained->n_rows) return;
  for (size_t column = 0; column < prep->source->n_columns; column++)
    prep->is_kept[column] = rx_names_find(trained->row_places, prep->source->columns[column]) >= 0;
}

/* Of columns with one name keeps the one that spreads most. */
static rx_status keep_one_each(preparation *prep, rx_names *doubly, size_t *n_doubly) {
  rx_names *names = NULL;
  size_t *holder =
      NULL; /* [n_columns], the column that has the name now, by the first that had it */

  rx_status status = rx_names_create(&names);
  if (!status) status = RX_NEW(&holder, "names of genes", prep->source->n_columns);
  for (size_t column = 0; column < prep->source->n_columns && !status; column++) {
    ptrdiff_t before;

    if (!prep->is_kept[column]) continue;
    status = rx_names_add(names, prep->name[column], (ptrdiff_t)column, &before);
    holder[column] = column;
    if (status || before < 0) continue;
    status = rx_names_add(doubly, prep->name[column], 0, NULL);
    bool is_wider = prep->spread[column] > prep->spread[holder[before]];
    prep->is_kept[is_wider ? holder[before] : column] = false;
    if (is_wider) holder[before] = column;
    ++*n_doubly;
  }
  free(holder);
  rx_names_destroy(&names);
  return status;
}

/* Moves the columns that are kept together, on this rank. */
static void compact(const preparation *prep, double *value) {
  size_t n_kept = 0, n = prep->source->n_patients;

  for (size_t i = 0; i < prep->count; i++)
    if (prep->is_kept[prep->first + i])
      memmove(value + n_kept++ * n, value + i * n, n * sizeof *value);
}

/* Lets every further id of the map lead to its gene; an id that two genes share leads to the first.
 */
static rx_status add_ids(const preparation *prep, const size_t *column_of, rx_expression *e) {
  const rx_table *table = prep->map.table;
  char id[RX_GENE_SIZE], own[RX_GENE_SIZE];

  for (size_t gene = 0; table && gene < e->n_genes; gene++) {
    rx_genes_name(prep->source->columns[column_of[gene]], own);
    ptrdiff_t row = rx_gene_map_find(&prep->map, own);
    for (size_t c = 0; row >= 0 && c < table->n_columns; c++) {
      ptrdiff_t before;

      rx_genes_name(rx_table_cell(table, (size_t)row, c), id);
      if (rx_is_missing(id)) continue;
      RX_TRY(rx_names_add(e->index, id, (ptrdiff_t)gene, &before));
      if (before >= 0 && before != (ptrdiff_t)gene) RX_TRY(rx_names_add(e->doubly, id, 0, NULL));
    }
  }
  return RX_OK;
}

/* Makes the genes that are left the result, taking over the values of the source. */
static rx_status finish(preparation *prep, double *count, rx_expression *e) {
  rx_source *source = prep->source;
  size_t *column_of = NULL;

  RX_TRY(RX_NEW(&column_of, "genes", source->n_columns));
  for (size_t column = 0; column < source->n_columns; column++)
    if (prep->is_kept[column]) column_of[e->n_genes++] = column;
  rx_status status = RX_NEW(&e->names, "names of genes", e->n_genes);
  if (!status) status = RX_NEW(&e->rows, "names of genes", e->n_genes);
  for (size_t gene = 0; gene < e->n_genes && !status; gene++) {
    status = rx_copy_text(prep->name[column_of[gene]], &e->names[gene]);
    if (!status) status = rx_copy_text(source->columns[column_of[gene]], &e->rows[gene]);
    if (!status) status = rx_names_add(e->index, e->names[gene], (ptrdiff_t)gene, NULL);
  }
  if (!status) status = add_ids(prep, column_of, e);
  free(column_of);
  compact(prep, source->value);
  if (count) compact(prep, count);
  e->n_patients = source->n_patients;
  e->patients = source->patients;
  e->value = source->value;
  source->patients = NULL;
  source->value = NULL;
  return status;
}

static rx_status create_empty(const rx_job *job, rx_expression **out) {
  RX_TRY(RX_NEW(out, "expression", 1));
  RX_TRY(rx_copy_text(job->config->genomics_expression, &(*out)->path));
  RX_TRY(RX_NEW(&(*out)->border, "genes of ranks", job->n_ranks + 1));
  RX_TRY(rx_names_create(&(*out)->index));
  return rx_names_create(&(*out)->doubly);
}

/* Counts of this rank before they are normalised. */
static rx_status keep_counts(const preparation *prep, double **count) {
  size_t n = prep->count * prep->source->n_patients;

  if (!rx_is(prep->job->config->genomics_kernel, "poisson") ||
      !rx_is(prep->job->config->genomics_unit, "count"))
    return RX_OK;
  RX_TRY(RX_NEW(count, "counts", n));
  memcpy(*count, prep->source->value, n * sizeof **count);
  return RX_OK;
}

static void say(const preparation *prep, const rx_expression *e, size_t n_doubly) {
  const rx_source *source = prep->source;
  rx_log *log = prep->job->log;

  rx_log_info(log, "factors: %zu patients (in %s) and %zu genes from %s", e->n_patients,
              source->has_patient_rows ? "rows" : "columns", e->n_genes, e->path);
  if (source->n_not_tumour + source->n_repeated)
    rx_log_info(
        log,
        "factors: %zu samples that are no primary tumours and %zu further samples of a patient "
        "left out",
        source->n_not_tumour, source->n_repeated);
  if (n_doubly)
    rx_log_info(log,
                "factors: %zu rows with the name of another gene left out; the one that spreads "
                "most stays",
                n_doubly);
}

rx_status rx_expression_load(const rx_job *job, const rx_names *known, const rx_names *training,
                             const rx_trained *trained, rx_expression **out) {
  preparation prep;
  double *room = NULL;
  size_t n_doubly = 0;

  *out = NULL;
  rx_status status = preparation_create(job, known, training, &prep);
  if (status) goto done;
  status = create_empty(job, out);
  if (!status) status = RX_NEW(&room, "values of a gene", prep.source->n_patients);
  if (!status) status = check_values(&prep);
  if (!status) status = keep_counts(&prep, &(*out)->count);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  if (rx_is(job->config->genomics_unit, "count") &&
      (status = rx_counts_normalise(job, prep.source, prep.is_kept)))
    goto done;
  if (!rx_is(job->config->genomics_unit, "log"))
    for (size_t i = 0; i < prep.count * prep.source->n_patients; i++)
      prep.source->value[i] = rx_measure_log(prep.source->value[i]);
  take_trained(&prep, trained);
  name_genes(&prep, room);
  status = keep_one_each(&prep, (*out)->doubly, &n_doubly);
  if (!status) status = finish(&prep, (*out)->count, *out);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  size_t n_kept = 0;
  for (size_t i = 0; i < prep.count; i++) n_kept += prep.is_kept[prep.first + i];
  rx_transpose_borders(job->comm, n_kept, (*out)->border);
  say(&prep, *out, n_doubly);
done:
  free(room);
  preparation_destroy(&prep);
  if (status) rx_expression_destroy(out);
  return status;
}

void rx_expression_destroy(rx_expression **expression) {
  rx_expression *e = *expression;

  if (!e) return;
  for (size_t i = 0; e->patients && i < e->n_patients; i++) free(e->patients[i]);
  for (size_t i = 0; e->names && i < e->n_genes; i++) free(e->names[i]);
  for (size_t i = 0; e->rows && i < e->n_genes; i++) free(e->rows[i]);
  free(e->path);
  free(e->patients);
  free(e->names);
  free(e->rows);
  rx_names_destroy(&e->index);
  rx_names_destroy(&e->doubly);
  free(e->border);
  free(e->value);
  free(e->count);
  free(e);
  *expression = NULL;
}

ptrdiff_t rx_expression_find(const rx_expression *expression, const char *id) {
  char name[RX_GENE_SIZE];

  rx_genes_name(id, name);
  return rx_names_find(expression->index, name);
}
