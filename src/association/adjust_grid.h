/* adjust_grid.h: q over the whole grid, whose p values are spread over the ranks.
 *
 * The q of a cell is the least of m p_j / j over all p_j >= p. A histogram of p over all ranks,
 * fine enough, tells of many bins that all their values lie above what some larger p is sure to
 * give. The values of the others are sorted and swept by all ranks, each a range of them, in rounds
 * that need room for a part only; the result is a falling staircase that gives the exact q of any
 * cell. */
#ifndef RADMIX_ASSOCIATION_ADJUST_GRID_H
#define RADMIX_ASSOCIATION_ADJUST_GRID_H

#include <mpi.h>

#include "adjust.h"

/* Some p values of this rank. */
typedef struct {
  const double *log10_p; /* [n], NaN is no test */
  size_t n;
} rx_run;

typedef struct rx_staircase rx_staircase;

/* Makes the staircase of the p values of all ranks; the same on all. Collective.
 * run  [n_runs] of this rank
 * Errors: RX_ERR_MEMORY. */
rx_status rx_staircase_create(MPI_Comm comm, rx_adjust method, size_t n_runs, const rx_run *run,
                              rx_staircase **out);
void rx_staircase_destroy(rx_staircase **staircase);

/* q of a cell. Local. */
double rx_staircase_log10_q(const rx_staircase *staircase, double log10_p);
int64_t rx_staircase_n_tests(const rx_staircase *staircase);

#endif
