/* newton_parts.h: what the files newton*.c share. */
#ifndef RADMIX_PREDICTION_NEWTON_PARTS_H
#define RADMIX_PREDICTION_NEWTON_PARTS_H

#include "prediction/newton.h"
#include "prediction/newton_grid.h"

/* Second derivatives of a problem's loss by some features, at the point where they were worked
 * out. One rank owns the matrix; the lists are the same on all. */
typedef struct {
  size_t n, stride;
  size_t n_made; /* features whose products are in h */
  int owner;     /* rank */
  int *feature;  /* [n], in the order they came in; owned, as all that follows */
  int *place;    /* [p]: 1 + its place in the list, 0 = not in it */
  float *h;      /* [n][stride], the owner's */
  double *sum;   /* [p], by place: sum w z; the owner's */
  double total;  /* sum w */
  float *root;   /* [n_local], root of w of each row */
  int every;     /* row of which it is made: 1, 2 or 4 */
  int age;       /* steps taken with it; -1: there is none */
} rx_curvature;

/* A problem. Its features are z~ = (z - mean) / scale of the set's z. What it needs to work is made
 * when its turn comes, and released when it is done. */
typedef struct {
  const rx_problem *problem;
  rx_solution *solution;
  const double *grid; /* [n_lambdas], or NULL */
  int n_lambdas, step;
  bool is_started, is_parked, is_done;
  size_t n_parked;                     /* features of the matrix that it gave up */
  bool is_trial, wants_step, is_flat;  /* flat: nothing to predict */
  unsigned char *role;                 /* [n_local] */
  float *eta;                          /* [n_local], linear predictor; owned */
  double total, null_loss, lambda_max; /* weight of the training rows */
  double y_mean, y_scale, y_shift;     /* y_shift: what a linear predictor leaves out */
  double *mean, *scale;                /* [p], of z; scale 0 = constant */
  double *vectors;                     /* those that follow; owned */
  double *beta, *start, *gradient;     /* [p] */
  double *last_end, *last_move; /* [p + 1], coefficients and intercept: the owner's last step */
  bool has_last;                /* at this lambda, with this matrix */
  double intercept, start_intercept;
  double residual, loss, curvature; /* sum v (y - mu); mean loss; sum v mu' */
  double lambda, l1, l2, before;    /* before: the lambda before this one */
  double kkt, kkt_inside;           /* of all features; of those of the model */
  double kkt_before[2];             /* kkt_inside a step before, and two */
  double slope;                     /* of the objective along the step, where it began */
  int n_steps, n_cuts;
  rx_curvature model;
} rx_member;

/* A part of a matrix that is worked out with others in one go through the rows: features [first,
 * first + count) with all up to themselves. */
typedef struct {
  size_t member, first, count, stride;
  double *sum; /* [count, padded][stride], in the group's room */
} rx_newton_tile;

/* Problems that run together. */
typedef struct {
  MPI_Comm comm;
  int rank, n_ranks;
  const rx_feature_set *set;
  const rx_lasso_options *options;
  size_t n_patients, p, n_members, n_slots; /* slots: members that work at a time, at most */
  rx_member *members;                       /* [n_members]; owned, as all that follows */
  double *share;                            /* [n_patients], 1 / rows in the set */
  double *moments;                          /* the members' */
  unsigned char *roles;                     /* the members' */
  /* of a pass */
  size_t n_list;
  size_t *list;          /* [n_slots], members that take part */
  float *coefficient;    /* [n_list][p] */
  float *lanes;          /* [n_slots][RX_NEWTON_LANES] */
  float *strip_eta;      /* [n_list][RX_NEWTON_STRIP] */
  float *strip_residual; /* the same */
  float *strip_gradient; /* [n_list][p] */
  double *sums;          /* [n_slots][2 p + 4] */
  /* of a model and a step */
  size_t n_tiles, n_room;   /* room: numbers */
  rx_newton_tile *tiles;    /* [n_slots] */
  double *tile_room;        /* [n_room] */
  size_t n_packed;          /* features, padded; grown as needed */
  float *packed;            /* [n_packed][RX_NEWTON_STRIP] */
  float *pack_sum;          /* [p] */
  double *room;             /* [4 p] */
  double *step;             /* [p] */
  double *move, *end;       /* [p + 1] */
  float *change, *diagonal; /* [p] */
  int *order;               /* [2 p] */
} rx_group;

/* ---- newton_members.c ---- */

rx_status rx_newton_create(rx_group *g, const rx_problem *problems, rx_solution *solutions);
void rx_newton_destroy(rx_group *g);
/* Ends a member: its room goes to others. */
void rx_newton_end(rx_member *m);
/* Tells whether a member takes part in what goes on. */
bool rx_newton_is_working(const rx_member *m);
/* Makes members wait whose matrices have no room, and starts or wakes those that have. Collective.
 */
rx_status rx_newton_seat(rx_group *g);

/* ---- newton_pass.c ---- */

/* Works out weights, mean and scale of features and outcome of each member. Collective. */
rx_status rx_newton_moments(rx_group *g);
/* Works out eta, gradient, residual and loss of the members that are not done. Collective. */
void rx_newton_pass(rx_group *g);
/* The outcome of a local row on the member's scale, and its weight v. */
double rx_newton_outcome(const rx_group *g, const rx_member *m, size_t row);
double rx_newton_weight(const rx_group *g, const rx_member *m, size_t row);
/* Works out the measures of held rows at the member's present lambda. Collective. */
rx_status rx_newton_judge(rx_group *g, rx_member *m);

/* ---- newton_curvature.c ---- */

rx_status rx_curvature_create(const rx_group *g, rx_curvature *model);
void rx_curvature_clear(rx_curvature *model); /* forgets the matrix and the list */
void rx_curvature_destroy(rx_curvature *model);
/* Copies rows [first, end) of the lower triangle to the upper one. h [end][stride] */
void rx_curvature_mirror(float *h, size_t stride, size_t first, size_t end);
/* Brings the models of the members that want a step up to what it needs. Collective. */
rx_status rx_curvature_prepare(rx_group *g);

/* ---- newton_step.c ---- */

/* Moves intercept and coefficients to the minimum of the model and the penalty. Local, on the
 * owner. */
void rx_newton_minimise(rx_group *g, rx_member *m);
/* The slope of the objective along the step from start, at beta; or where it began. */
double rx_newton_slope(const rx_group *g, const rx_member *m, bool is_at_start);
/* Sets kkt and kkt_inside. */
void rx_newton_find_kkt(const rx_group *g, rx_member *m);

#endif
