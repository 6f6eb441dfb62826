/* walk.h: scores of gene sets in one sample, from the order of its genes.
 *
 * A walk down the genes, highest first, goes up at the genes of a set by |p/2 - place|^tau (of
 * their sum) and down evenly at all others; the score is how far it strays from zero (GSVA:
 * Haenzelmann et al. 2013, equations 3 to 5). ssgsea (Barbie et al. 2009) sums the walk instead.
 * Local. */
#ifndef GENOMICS_WALK_H
#define GENOMICS_WALK_H

#include <stdbool.h>

#include "order.h"
#include "sets.h"

typedef struct {
  double tau;         /* weight of the tail */
  bool is_difference; /* sum of the two extremes (mx.diff), else the one that is further out */
  bool is_absolute;   /* abs.ranking: their distance */
} rx_walk_options;

/* Room for one sample after another. */
typedef struct {
  size_t n_genes;
  const rx_sets *sets; /* looked at, not owned */
  rx_walk_options options;
  double *step;     /* [n_genes], |p/2 - place|^tau by place from the top */
  size_t *first_of; /* [n_genes + 1]: the sets of a gene are set_of[first_of[gene]] ... */
  int *set_of;      /* [members] */
  int *order;       /* [n_genes], genes from the top */
  int *place;       /* [members], places of each set's genes from the top, rising */
  size_t *filled;   /* [n_sets] */
  double *rank;     /* [n_genes] */
  rx_order_space sorting;
} rx_walk;

rx_status rx_walk_create(size_t n_genes, const rx_sets *sets, const rx_walk_options *options,
                         rx_walk *walk);
void rx_walk_destroy(rx_walk *walk);

/* GSVA scores of all sets in one sample.
 * score    [n_sets], set
 * density  [n_genes], of the sample */
void rx_walk_gsva(double *score, const double *density, rx_walk *walk);

/* Scores of ssgsea before its normalisation; ranks are cut to integers, as in GSVA 1.46.
 * score  [n_sets], set; NaN when a set holds all genes
 * value  [n_genes], expression of the sample */
void rx_walk_ssgsea(double *score, const double *value, rx_walk *walk);

/* The walk of one set in one sample.
 * curve  [n_genes], set: height after each place from the top
 * gene   [n_genes], set: the gene at each place */
void rx_walk_curve(double *curve, int *gene, const double *density, size_t set, rx_walk *walk);

#endif
