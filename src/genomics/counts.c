#include "counts.h"

#include <math.h>
#include <stdlib.h>

#include "gather.h"
#include "genes.h"
#include "measure.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "transpose.h"

typedef struct {
  rx_gene_lengths lengths;
  double *length;              /* [n_columns]; NAN = unknown */
  bool *is_coding;             /* [n_columns], protein-coding: enters the upper quartile */
  double *total;               /* [n_patients], library size */
  double *quartile;            /* [n_patients], upper one */
  size_t *border;              /* [n_ranks + 1], patients of ranks */
  double *by_patient, *sorted; /* [patients of this rank][n_columns], [n_columns] */
} workspace;

static void workspace_destroy(workspace *work) {
  rx_gene_lengths_destroy(&work->lengths);
  free(work->length);
  free(work->is_coding);
  free(work->total);
  free(work->quartile);
  free(work->border);
  free(work->by_patient);
  free(work->sorted);
}

static rx_status workspace_create(const rx_job *job, const rx_source *source, workspace *work) {
  size_t n_genes = source->n_columns, n_patients = source->n_patients;

  RX_TRY(RX_NEW(&work->length, "gene lengths", n_genes));
  RX_TRY(RX_NEW(&work->is_coding, "gene types", n_genes));
  RX_TRY(RX_NEW(&work->total, "library sizes", n_patients));
  RX_TRY(RX_NEW(&work->quartile, "upper quartiles", n_patients));
  RX_TRY(RX_NEW(&work->border, "patients of ranks", job->n_ranks + 1));
  rx_transpose_partition(n_patients, job->n_ranks, work->border);
  size_t own = work->border[job->rank + 1] - work->border[job->rank];
  RX_TRY(RX_NEW(&work->by_patient, "counts by patient", own * n_genes));
  return RX_NEW(&work->sorted, "sorted counts", n_genes);
}

static rx_status find_lengths(const rx_source *source, workspace *work) {
  char name[RX_GENE_SIZE];

  for (size_t column = 0; work->lengths.table && column < source->n_columns; column++) {
    rx_genes_name(source->columns[column], name);
    RX_TRY(rx_gene_lengths_find(&work->lengths, name, &work->length[column],
                                &work->is_coding[column]));
  }
  return RX_OK;
}

/* Library size and upper quartile of each patient, summed over the genes in their order, so that
 * they do not depend on the number of ranks. */
static rx_status scale_patients(const rx_job *job, const rx_source *source, const bool *is_kept,
                                workspace *work) {
  size_t n_genes = source->n_columns, first = work->border[job->rank];

  RX_TRY(rx_transpose(job->comm, source->value, source->border, source->n_patients, work->border,
                      work->by_patient, n_genes));
  for (size_t patient = first; patient < work->border[job->rank + 1]; patient++) {
    const double *count = work->by_patient + (patient - first) * n_genes;

    work->total[patient] = rx_measure_total(count, is_kept, n_genes);
    if (work->lengths.table)
      work->quartile[patient] =
          rx_measure_quantile(count, work->is_coding, n_genes, 0.75, work->sorted);
  }
  rx_gather_numbers(job->comm, work->border, work->total);
  rx_gather_numbers(job->comm, work->border, work->quartile);
  return RX_OK;
}

static rx_status check_scales(const rx_source *source, const workspace *work) {
  for (size_t patient = 0; patient < source->n_patients; patient++) {
    if (!(work->total[patient] > 0))
      return RX_FAIL(RX_ERR_INPUT, "%s: expected counts above 0 in '%.80s', found a sum of %g",
                     source->path, source->patients[patient], work->total[patient]);
    if (work->lengths.table && !(work->quartile[patient] > 0))
      return RX_FAIL(RX_ERR_INPUT,
                     "%s: expected an upper quartile above 0 of the protein-coding counts of "
                     "'%.80s', found %g",
                     source->path, source->patients[patient], work->quartile[patient]);
  }
  return RX_OK;
}

/* Leaves out genes that are hardly expressed; returns how many. */
static size_t filter(const rx_job *job, const rx_source *source, const workspace *work,
                     bool *is_kept) {
  size_t n_left_out = 0;

  for (size_t column = source->border[job->rank]; column < source->border[job->rank + 1];
       column++) {
    const double *count = source->value + (column - source->border[job->rank]) * source->n_patients;
    bool is_expressed =
        rx_measure_is_expressed(count, work->total, source->n_patients,
                                job->config->genomics_min_cpm, job->config->genomics_min_samples);

    is_kept[column] = is_kept[column] && is_expressed;
  }
  rx_gather_flags(job->comm, source->border, is_kept);
  for (size_t column = 0; column < source->n_columns; column++) n_left_out += !is_kept[column];
  return n_left_out;
}

/* FPKM-UQ of the genes that have a length. */
static void scale_genes(const rx_job *job, rx_source *source, const workspace *work,
                        bool *is_kept) {
  size_t n_unknown = 0, n = source->n_patients, first = source->border[job->rank];

  for (size_t column = 0; column < source->n_columns; column++) {
    n_unknown += is_kept[column] && isnan(work->length[column]);
    if (isnan(work->length[column])) is_kept[column] = false;
  }
  for (size_t column = first; column < source->border[job->rank + 1]; column++)
    for (size_t patient = 0; patient < n; patient++) {
      double *value = &source->value[(column - first) * n + patient];
      *value = rx_measure_fpkm(*value, work->length[column], work->quartile[patient]);
    }
  if (n_unknown)
    rx_log_warn(job->log, "factors: %zu genes without a length in %s left out", n_unknown,
                work->lengths.table->path);
}

static void say(const rx_job *job, const rx_source *source, const workspace *work,
                size_t n_left_out) {
  double least = INFINITY, most = 0;

  for (size_t patient = 0; patient < source->n_patients; patient++) {
    least = fmin(least, work->total[patient]);
    most = fmax(most, work->total[patient]);
  }
  rx_log_info(
      job->log,
      "factors: %.4g to %.4g counts a patient; %zu of %zu genes are not above %g counts per "
      "million in %d patients",
      least, most, n_left_out, source->n_columns, job->config->genomics_min_cpm,
      job->config->genomics_min_samples);
  if (!work->lengths.table && most > 1.5 * least)
    rx_log_warn(job->log,
                "factors: log2(count + 1) is not corrected for library sizes, which differ "
                "%.3g-fold; genomics.gene_lengths makes FPKM-UQ",
                most / least);
}

rx_status rx_counts_normalise(const rx_job *job, rx_source *source, bool *is_kept) {
  workspace work = {0};
  rx_status status =
      rx_gene_lengths_load(job->comm, job->config->genomics_gene_lengths, &work.lengths);

  if (status) goto done;
  status = workspace_create(job, source, &work);
  if (!status) status = find_lengths(source, &work);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  for (size_t column = 0; column < source->n_columns; column++)
    if (rx_genes_is_counter(source->columns[column])) is_kept[column] = false;
  if ((status = scale_patients(job, source, is_kept, &work))) goto done;
  if ((status = RX_AGREE(job->comm, check_scales(source, &work)))) goto done;
  size_t n_left_out = filter(job, source, &work, is_kept);
  if (work.lengths.table) scale_genes(job, source, &work, is_kept);
  say(job, source, &work, n_left_out);
done:
  workspace_destroy(&work);
  return status;
}
