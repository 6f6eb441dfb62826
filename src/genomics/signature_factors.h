/* signature_factors.h: signatures as factors: their genes found, scored on every rank, a column
 * each. */
#ifndef GENOMICS_SIGNATURE_FACTORS_H
#define GENOMICS_SIGNATURE_FACTORS_H

#include "expression.h"
#include "factors.h"
#include "scales.h"
#include "signature.h"
#include "trained.h"

/* A signature whose genes are looked up. */
typedef struct {
  rx_signature *signature;
  ptrdiff_t **gene; /* [n_tables][n_rows], of the expression; -1: not there */
  size_t column;    /* of the factors */
  bool is_scored;
} rx_signature_match;

typedef struct {
  int n;
  rx_signature_match *matches; /* [n] */
} rx_signature_factors;

/* Reads the signatures at these paths and adds a column for each: incomplete when it needs all its
 * genes and one that a step uses is not there, few_genes below genomics.min_share. Collective.
 * Errors: as rx_signature_load(); RX_ERR_INPUT for a name that is there. */
rx_status rx_signature_factors_plan(const rx_job *job, const rx_list *paths,
                                    const rx_expression *expression, rx_factors *factors,
                                    rx_signature_factors *signatures);
void rx_signature_factors_destroy(rx_signature_factors *signatures);

/* Scores them, genes centred by genomics.centre. scales  of the training cohort with
 * genomics.apply, else what the cohort gives is noted there. Collective over job->comm. */
rx_status rx_signature_factors_put(const rx_job *job, const rx_expression *expression,
                                   const rx_signature_factors *signatures, rx_scales *scales,
                                   rx_factors *factors);

#endif
