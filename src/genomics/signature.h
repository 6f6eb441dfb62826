/* signature.h: a gene signature as a text file: genes with their weights, and the steps to a score.
 *
 *   signature NAME
 *   title, citation, note TEXT        what it is, whose it is
 *   needs     all | centred           every gene that the steps use must be there; values should be
 *                                     centred (genomics.centre), else the log warns
 *   risk      CUT ...                 a score of a cut or more is in the next risk group
 *   genes TABLE                       the next line names the columns, symbol and entrez first;
 * alias symbol  entrez  ...             (an earlier symbol) and group are words, all others
 * numbers;
 *     ...                             - is nothing. A line a gene, as far as:
 *   end
 *   numbers TABLE ... end             the same without genes: name, numbers
 *   steps                             one a line, in this order:
 *     ...
 *   end
 *   score NAME                        the result
 *
 * A table of genes is a matrix, genes by patients; a score is a number a patient. The three
 * primitives:
 *
 *   mean NAME = TABLE COLUMN [signs]          weighted mean of a module: the share of the genes
 * with weight >= 0 times their mean, less the same of the others (signs: weights count as +1 and
 * -1); missing left out correlate NAME = TABLE COLUMN spearman|pearson   with a template, over the
 * genes that have a value, more than 3 and a pipeline. X is a table (each gene by itself) or a
 * score: rescale X range LOW HIGH                  least and largest of the patients become LOW and
 * HIGH rescale X quantile Q LOW HIGH             quantiles Q and 1 - Q (R's type 7) do standardise
 * X                             mean 0, standard deviation 1 over the patients centre TABLE patient
 * less each patient's mean over the genes clip X LOW HIGH                           into the range;
 * inf and -inf are no limit affine X FACTOR OFFSET                    x FACTOR + OFFSET invert
 * TABLE A B                          (x - B) / A by columns of the table sum NAME = TABLE COLUMN
 * [GROUP]           weighted sum of the genes (of a group); NaN when one of them is missing
 *   posterior NAME = NUMBERS ROW of SCORE ... probability of a row of a normal mixture: NUMBERS has
 * the columns share, a mean for each score, a variance for each combine NAME = TERM + TERM - TERM
 * ...     a term is numbers and scores with * between
 *
 * Rescaling and standardising look at the cohort: those numbers are kept, to be used for others. */
#ifndef GENOMICS_SIGNATURE_H
#define GENOMICS_SIGNATURE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "lines.h"
#include "scales.h"

enum { RX_SIGNATURE_ITEMS = 4, RX_SIGNATURE_TERMS = 16, RX_SIGNATURE_CUTS = 8 };

typedef struct {
  const char *name;
  bool is_of_genes;
  int n_columns;
  const char **columns; /* [n_columns] */
  size_t n_rows;
  const char **cells; /* [n_rows][n_columns], "-" = nothing */
  double *numbers;    /* [n_rows][n_columns]; NAN where a column holds words */
} rx_signature_table;

/* A factor of a term: a number, or a score (its place). */
typedef struct {
  double number;
  int score; /* -1: the number */
} rx_signature_item;

typedef struct {
  bool is_negative;
  int n_items;
  rx_signature_item items[RX_SIGNATURE_ITEMS];
} rx_signature_term;

typedef enum {
  RX_STEP_RESCALE_RANGE,
  RX_STEP_RESCALE_QUANTILE,
  RX_STEP_STANDARDISE,
  RX_STEP_CENTRE,
  RX_STEP_CLIP,
  RX_STEP_AFFINE,
  RX_STEP_INVERT,
  RX_STEP_MEAN,
  RX_STEP_SUM,
  RX_STEP_CORRELATE,
  RX_STEP_POSTERIOR,
  RX_STEP_COMBINE
} rx_signature_verb;

typedef struct {
  rx_signature_verb verb;
  int table, score;        /* what it works on or makes; -1: none */
  int column, column_b;    /* of the table */
  const char *group;       /* of sum; NULL: all genes */
  bool is_signs, is_ranks; /* of mean; of correlate */
  double low, high, quantile;
  size_t row; /* of posterior */
  int n_of, of[RX_SIGNATURE_ITEMS];
  int n_terms;
  rx_signature_term *terms; /* [n_terms] */
} rx_signature_step;

typedef struct {
  rx_lines lines; /* what all words point into */
  const char *name, *title, *citation;
  bool needs_all, needs_centred;
  int n_cuts;
  double cuts[RX_SIGNATURE_CUTS];
  int n_tables, n_scores, n_steps;
  rx_signature_table *tables; /* [n_tables] */
  const char **scores;        /* [n_scores], names in the order they are made */
  rx_signature_step *steps;   /* [n_steps] */
  int score;                  /* the result */
} rx_signature;

/* Reads a signature. Collective over comm.
 * Errors: RX_ERR_NOINPUT; RX_ERR_INPUT with file and line. */
rx_status rx_signature_load(MPI_Comm comm, const char *path, rx_signature **out);
void rx_signature_destroy(rx_signature **signature);

/* Whether a score depends on the other patients. */
bool rx_signature_is_fitted(const rx_signature *signature);
/* Whether a step uses the table. */
bool rx_signature_uses(const rx_signature *signature, int table);

/* Scores all patients. Local.
 * scores      [n_scores][n_patients], set: the result is scores[signature->score], beside it all
 *             others of the steps
 * value       [n_tables][n_rows], rows of n_patients values; NULL where a gene is not there; what
 *             belongs to a table without genes is not looked at
 * scales      what the cohort gives is noted there, under the name of the signature; or
 * is_applied  it is taken from there, of another cohort
 * Errors: RX_ERR_MEMORY; RX_ERR_INPUT when a scale is not there. */
rx_status rx_signature_score(double *scores, const rx_signature *signature,
                             const double *const *const *value, size_t n_patients,
                             rx_scales *scales, bool is_applied);

/* The risk group of a score, from 0; -1 for NaN. */
int rx_signature_risk(const rx_signature *signature, double score);

#endif
