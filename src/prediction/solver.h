/* solver.h: many lasso problems on the rows of one feature set, shared by the ranks.
 *
 * A set that every rank holds whole goes to coordinate descent (descent.h), a problem to a rank;
 * one whose rows are split goes to the solver of newton.h, all problems at once. Which is the
 * faster one the shape tells: rx_solver_wants_share(). */
#ifndef RADMIX_PREDICTION_SOLVER_H
#define RADMIX_PREDICTION_SOLVER_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "prediction/lasso.h"
#include "prediction/panel.h"

/* Tells whether rows of a set are better split over the ranks, as float, than held by all. */
bool rx_solver_wants_share(size_t n_rows, size_t n_features);
/* The rows of a rank of a split set; ranks above the rows get none. */
void rx_solver_share(size_t n_rows, int rank, int n_ranks, size_t *first, size_t *n_local);
/* Makes a split set ready for all that follows: z, given as in the file, becomes (x - mean) / scale
 * in place, mean and scale are made; features with a missing or infinite value get is_used = false
 * and z = 0, and are counted. Collective over comm. Errors: RX_ERR_MEMORY. */
rx_status rx_solver_standardise(MPI_Comm comm, rx_feature_set *set);

/* What a unit does in a problem. */
enum { RX_UNIT_OUT, RX_UNIT_TRAINS, RX_UNIT_HELD };

/* One path to fit, and what to work out on the units held out. */
typedef struct {
  const double *y;           /* [n_patients]; patients whose y is NAN take no part */
  const unsigned char *role; /* [n_patients], or [n_rows] when is_by_row */
  bool is_by_row;            /* the units are rows of the set, not patients */
  const rx_lasso *grid;      /* its lambdas are used; NULL: lambdas of its own */
  double
      *scores; /* NULL, or [grid->n_lambdas][n_patients], added to: this rank's part of the sum of
                * the linear predictors of held rows, over the rows of the patient in the set */
  bool wants_row_auc;
  bool wants_no_path; /* measures alone: a split set may leave the coefficients out of the path */
} rx_problem;

typedef struct {
  rx_lasso *path;     /* owned, as all that follows */
  double *loss;       /* [n_lambdas], mean deviance (binomial) or squared error of held rows */
  double *row_auc;    /* [n_lambdas], of held rows; NAN when not asked for */
  double held_weight; /* of the held rows */
} rx_solution;

/* Solves all problems; every rank gets all solutions. Collective over comm.
 * options   lambdas are taken from each problem's grid
 * solutions [n], of empty objects on entry; to be released by rx_solver_clear() also after a
 * failure Errors: RX_ERR_MEMORY. */
rx_status rx_solver_run(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                        const rx_lasso_options *options, size_t n, const rx_problem *problems,
                        rx_solution *solutions);
void rx_solver_clear(size_t n, rx_solution *solutions);

/* The linear predictors of the held rows at one step of a path. Collective over comm.
 * eta     [set->n_local], set where a row is held
 * scores  [n_patients], added to on all ranks: as in rx_problem */
rx_status rx_solver_score(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                          const rx_problem *problem, const rx_lasso *path, int step, double *eta,
                          double *scores);

/* The AUC of rows, each with the outcome of its patient; rows whose eta is NAN take no part.
 * eta [set->n_local]. Collective over comm. */
rx_status rx_solver_row_auc(MPI_Comm comm, const rx_feature_set *set, const double *y,
                            const double *eta, double *auc);

/* Twice -log likelihood of one row, its probability kept within 1e-5 of 0 and 1 as cv.glmnet does;
 * or the squared error. */
double rx_solver_loss(rx_family family, double y, double eta);

/* What a row does in a problem. row: of the whole set */
int rx_solver_role(const rx_feature_set *set, const rx_problem *problem, size_t row);

#endif
