/* factors.h: the table of factors while it is made: patients of all sources, a column each factor,
 * what was asked and what was found. Names are the same on all ranks, values are spread by patient.
 */
#ifndef GENOMICS_FACTORS_H
#define GENOMICS_FACTORS_H

#include <stdint.h>

#include "radmix/frame.h"
#include "radmix/job.h"
#include "radmix/text.h"

typedef enum {
  RX_FACTOR_GENE,
  RX_FACTOR_SIGNATURE,
  RX_FACTOR_PATHWAY,
  RX_FACTOR_TABLE
} rx_factor_kind;
typedef enum { RX_FITTED_NONE, RX_FITTED_COHORT, RX_FITTED_TRAINING } rx_factor_fit;
typedef enum { RX_FACTOR_OK, RX_FACTOR_FEW_GENES, RX_FACTOR_INCOMPLETE } rx_factor_status;

typedef struct {
  char *name;
  char *source; /* path of the file it comes from */
  rx_factor_kind kind;
  rx_factor_fit fitted_on;
  rx_factor_status status;
  int64_t n_genes, n_matched; /* of a table's factor 0 */
  char *missing;              /* genes asked for and not found, commas between; NULL: none */
  char *doubly;               /* genes that several rows of the expression table had; NULL: none */
} rx_factor;

typedef struct {
  size_t n_patients;
  char **patients; /* [n_patients], in the order of first appearance; owned */
  size_t n_factors;
  rx_factor *factors; /* [n_factors]; owned */
  rx_names *patient_places, *factor_places;
  size_t *border; /* [n_ranks + 1], patients of the ranks, once rx_factors_allocate() is called */
  double *value;  /* [patients of this rank][n_factors], all NAN at first */
  size_t patient_room, factor_room;
} rx_factors;

rx_status rx_factors_create(rx_factors **out);
void rx_factors_destroy(rx_factors **factors);

/* Adds those patients that are not there yet. Local. */
rx_status rx_factors_add_patients(rx_factors *factors, size_t n, char *const *patients);

/* Adds a column; factor may be NULL, and stays valid until the next is added. Local.
 * Errors: RX_ERR_INPUT when there is one of that name, naming both sources; RX_ERR_MEMORY. */
rx_status rx_factors_add(rx_factors *factors, const char *name, rx_factor_kind kind,
                         const char *source, rx_factor **factor);

/* Notes a gene of the list of a factor. Local. */
rx_status rx_factors_miss(rx_factor *factor, const char *gene);
rx_status rx_factors_double(rx_factor *factor, const char *gene);

/* Makes room for the values. Collective over job->comm. */
rx_status rx_factors_allocate(const rx_job *job, rx_factors *factors);

/* Puts columns that are spread over ranks into place. Collective over job->comm.
 * value     [border[rank + 1] - border[rank]][n_patients], column by column
 * border    [n_ranks + 1], columns of ranks
 * patients  [n_patients], their names
 * column    [border[n_ranks]], where each goes */
rx_status rx_factors_put(const rx_job *job, rx_factors *factors, const double *value,
                         const size_t *border, size_t n_patients, char *const *patients,
                         const size_t *column);

/* Writes factors.tsv: a line a factor. Collective over job->comm. */
rx_status rx_factors_write_report(const rx_job *job, const rx_factors *factors, const char *path);
/* Makes the frame of the columns. Local. */
rx_status rx_factors_frame(const rx_factors *factors, rx_frame **out);

const char *rx_factors_status_name(rx_factor_status status);

#endif
