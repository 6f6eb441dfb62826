/* trained.h: what genomics.apply takes from a factors.h5ad made before: its genes, the scales of
 * its scores, and the expression that its pathways were scored on. */
#ifndef GENOMICS_TRAINED_H
#define GENOMICS_TRAINED_H

#include "radmix/job.h"
#include "radmix/matrix.h"
#include "radmix/text.h"
#include "scales.h"

typedef struct {
  rx_matrix *matrix; /* the open file */
  rx_scales *scales;
  char *method;     /* rx_pathways_method() of the pathways; "" when there are none */
  size_t n_genes;   /* that pathways were scored on */
  char **genes;     /* [n_genes] */
  rx_names *places; /* gene -> place */
  size_t n_rows;    /* of its expression table that were taken; 0: the file does not tell */
  char **rows;      /* [n_rows] */
  rx_names *row_places;
  size_t n_patients; /* of the expression that is kept; 0: none is (ssgsea) */
} rx_trained;

/* Opens genomics.apply; *out is NULL when it is not named. Collective over job->comm.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT when the file has no scales. */
rx_status rx_trained_load(const rx_job *job, rx_trained **out);
void rx_trained_destroy(rx_trained **trained);

/* Reads the values of some genes, in one pass over the file. Collective over the communicator that
 * the training was loaded with.
 * n      genes of this rank; may be 0
 * place  [n], of the training's genes
 * value  [n][n_patients], set */
rx_status rx_trained_values(const rx_job *job, const rx_trained *trained, size_t n,
                            const size_t *place, double *value);

/* Name of the array of expression in factors.h5ad: [n_genes][n_patients]. */
#define RX_TRAINED_EXPRESSION "uns/training_expression"

/* Writes the rows of the expression table that are its genes. Local, rank 0. */
rx_status rx_trained_write_rows(rx_store *store, size_t n, char *const *rows);
/* Writes names and method beside it. Local, rank 0. */
rx_status rx_trained_write(rx_store *store, const char *method, size_t n, char *const *genes);

#endif
