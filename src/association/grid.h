/* grid.h: all features against all factors, divided over the ranks.
 *
 * The factors go to the ranks in runs of columns, round by round, all features of a run together,
 * so that what is made within a factor (its q, its Simes p) needs nobody else. When there are more
 * ranks than blocks of 16 factors, the ranks of a block share its features and gather its p. A cell
 * depends on its feature and its factor only, so the bits are the same however it is divided. */
#ifndef RADMIX_ASSOCIATION_GRID_H
#define RADMIX_ASSOCIATION_GRID_H

#include "adjust.h"
#include "block.h"
#include "hits.h"
#include "kept.h"
#include "permute.h"
#include "radmix/job.h"
#include "radmix/matrix.h"

/* What is known of a factor at the end; the same on all ranks. */
typedef struct {
  int64_t n_tests, n_boundary, n_hits_factor, n_hits_hierarchical;
  double log10_simes, log10_q_simes, log10_median;
  double lambda_gc_low, lambda_gc_high; /* 2.5 and 97.5 % of the permutations; 0 without */
} rx_factor_summary;

typedef struct rx_grid {
  const rx_job *job;
  const rx_roster *roster;
  rx_fit_options options;
  rx_adjust adjust;
  bool is_transformed; /* factors to normal scores */
  size_t n_features, n_factors;
  MPI_Comm group;      /* the ranks that share a run of columns */
  int n_groups, place; /* of the group among groups */
  int group_size;
  bool is_speaker;      /* for its group */
  size_t first, n_mine; /* features of this rank */
  size_t width;         /* columns of a run */
  size_t n_rounds;
  rx_block *block;
  rx_cells *cells;           /* [n_mine][width] */
  double *value;             /* [patients of the roster][width], the factors of a run */
  size_t *order;             /* [patients of the roster], room */
  double **log10_p;          /* [n_rounds], each [columns of the run][n_features] */
  rx_factor_summary *factor; /* [n_factors] */
  int64_t n_tests;
  double fit_seconds, write_seconds; /* of this rank */
  rx_permutations *permutations;     /* NULL without; owned */
  float *permuted, *permuted_all;    /* [n_mine][width], log10 p by permutation */
  int64_t n_hits_all;                /* q_all < 0.05 */
  rx_kept *kept; /* what is kept of the cells, with output = hits; else NULL; owned */
  rx_hits *hits; /* the strongest; after rx_grid_adjust() the same on all ranks */
} rx_grid;

/* Divides the work. Collective. roster is kept, not owned. */
rx_status rx_grid_create(const rx_job *job, const rx_roster *roster, rx_grid **out);
void rx_grid_destroy(rx_grid **grid);

/* Runs the permutations that are asked for; recipe  of the result, for checkpoints. Collective. */
rx_status rx_grid_permute(rx_grid *grid, const rx_recipe *recipe);

/* Fits all cells and writes X and the layers but q_all and q_hierarchical, or keeps what is to be
 * kept. Collective. */
rx_status rx_grid_fit(rx_grid *grid, rx_matrix *matrix);
/* Makes q_all and q_hierarchical, writes them, and finds the strongest cells. Collective. */
rx_status rx_grid_adjust(rx_grid *grid, rx_matrix *matrix);

/* The run of this rank's group in a round: columns first .. first + count - 1; none: count 0. */
void rx_grid_run(const rx_grid *grid, size_t round, size_t *first, size_t *count);
/* Takes the numbers of a fit from grid->cells.
 * at   of the cells; own  column of the group, as rx_permute_log10_p() has it */
void rx_grid_take(const rx_grid *grid, size_t at, size_t own, rx_hit *hit);
/* Reads the factors of the run of a round into grid->value. Collective. */
rx_status rx_grid_read(rx_grid *grid, size_t round);

#endif
