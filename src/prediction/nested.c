#include "prediction/nested.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/curve.h"
#include "prediction/folds.h"
#include "prediction/roc.h"
#include "prediction/solver.h"
#include "radmix/error.h"
#include "radmix/memory.h"

rx_status rx_nested_create(const rx_nested_plan *plan, const rx_feature_set *set, rx_nested **out) {
  size_t fits = (size_t)plan->n_repeats * (size_t)plan->n_folds;
  size_t n_scores = (size_t)plan->n_repeats * plan->n_patients;
  rx_status status = RX_NEW(out, "nested folds", 1);

  if (!status) status = RX_NEW(&(*out)->score, "scores", n_scores);
  if (!status) status = RX_NEW(&(*out)->selected, "features", set->n_features);
  if (!status) status = RX_NEW(&(*out)->lambda, "folds", fits);
  if (!status) status = RX_NEW(&(*out)->nonzeros, "folds", fits);
  if (!status) status = RX_NEW(&(*out)->auc, "folds", fits);
  if (!status) status = RX_NEW(&(*out)->row_auc, "folds", fits);
  if (!status) status = RX_NEW(&(*out)->kkt, "folds", fits);
  if (status) {
    rx_nested_destroy(out);
    return status;
  }
  for (size_t i = 0; i < n_scores; i++) (*out)->score[i] = NAN;
  (*out)->is_converged = true;
  return RX_OK;
}

void rx_nested_destroy(rx_nested **nested) {
  rx_nested *n = *nested;

  if (!n) return;
  free(n->score);
  free(n->selected);
  free(n->lambda);
  free(n->nonzeros);
  free(n->auc);
  free(n->row_auc);
  free(n->kkt);
  free(n);
  *nested = NULL;
}

/* ---- the problems of a run of outer folds ---- */

typedef struct {
  const rx_nested_plan *plan;
  const rx_feature_set *set;
  size_t n_targets, n_units, n_outer, n_inner; /* problems */
  const rx_target *targets;
  int first;             /* outer fold */
  unsigned char *role;   /* [n_outer + n_inner][n_units] */
  int *inner_fold;       /* [n_units] */
  unsigned char *labels; /* [RX_FOLD_LABELS][n_units] */
  double *unit_y;        /* [n_units] */
  double *eta;           /* [n_local] */
  double *held_score;    /* [n_patients] */
  double *both;          /* [2][n_patients] */
  rx_problem *outer, *inner;
  rx_solution *outer_solved, *inner_solved;
} run;

static rx_status create_run(run *r) {
  size_t n_problems = r->n_outer + r->n_inner;
  rx_status status = RX_NEW(&r->role, "roles", n_problems * r->n_units);

  if (!status) status = RX_NEW(&r->inner_fold, "folds", r->n_units);
  if (!status) status = RX_NEW(&r->labels, "folds", RX_FOLD_LABELS * r->n_units);
  if (!status) status = RX_NEW(&r->unit_y, "folds", r->n_units);
  if (!status) status = RX_NEW(&r->eta, "rows", r->set->n_local);
  if (!status) status = RX_NEW(&r->held_score, "patients", r->plan->n_patients);
  if (!status) status = RX_NEW(&r->both, "patients", 2 * r->plan->n_patients);
  if (!status) status = RX_NEW(&r->outer, "problems", r->n_outer);
  if (!status) status = RX_NEW(&r->inner, "problems", r->n_inner);
  if (!status) status = RX_NEW(&r->outer_solved, "problems", r->n_outer);
  if (!status) status = RX_NEW(&r->inner_solved, "problems", r->n_inner);
  return status;
}

static void destroy_run(run *r) {
  rx_solver_clear(r->n_outer, r->outer_solved);
  rx_solver_clear(r->n_inner, r->inner_solved);
  free(r->role);
  free(r->inner_fold);
  free(r->labels);
  free(r->unit_y);
  free(r->eta);
  free(r->held_score);
  free(r->both);
  free(r->outer);
  free(r->inner);
  free(r->outer_solved);
  free(r->inner_solved);
}

/* The outcome of each unit; NAN where it has no row in the set. */
static void find_unit_outcomes(run *r, const double *y) {
  if (r->plan->is_by_row) {
    for (size_t u = 0; u < r->n_units; u++) r->unit_y[u] = y[r->set->patient[u]];
    return;
  }
  for (size_t u = 0; u < r->n_units; u++) r->unit_y[u] = NAN;
  for (size_t row = 0; row < r->set->n_rows; row++)
    r->unit_y[r->set->patient[row]] = y[r->set->patient[row]];
}

static void plan_outer(run *r, size_t problem) {
  const rx_target *target = &r->targets[problem % r->n_targets];
  size_t fit = (size_t)r->first + problem / r->n_targets, n_folds = (size_t)r->plan->n_folds;
  const int *fold = target->fold + fit / n_folds * r->n_units;
  unsigned char *role = r->role + problem * r->n_units;

  for (size_t u = 0; u < r->n_units; u++)
    role[u] = fold[u] < 0                       ? RX_UNIT_OUT
              : fold[u] == (int)(fit % n_folds) ? RX_UNIT_HELD
                                                : RX_UNIT_TRAINS;
  r->outer[problem] = (rx_problem){.y = target->y, .role = role, .is_by_row = r->plan->is_by_row};
}

/* Deals the training units of an outer problem to inner folds. */
static rx_status deal_inner(run *r, size_t problem) {
  const rx_target *target = &r->targets[problem % r->n_targets];
  const unsigned char *role = r->outer[problem].role;
  uint32_t fit = (uint32_t)r->first + (uint32_t)(problem / r->n_targets);
  rx_random random = rx_random_at(r->plan->seed, RX_RANDOM_FOLDS, 1 + fit, target->key);

  find_unit_outcomes(r, target->y);
  for (size_t u = 0; u < r->n_units; u++) {
    if (role[u] != RX_UNIT_TRAINS) r->unit_y[u] = NAN;
    r->inner_fold[u] = isnan(r->unit_y[u]) ? -1 : 0;
  }
  bool is_binary = r->plan->lasso.family == RX_BINOMIAL;
  int n_labels = 0;
  RX_TRY(rx_folds_label(r->n_units, r->unit_y, is_binary, r->labels, &n_labels));
  return rx_folds_deal(r->n_units, n_labels, r->labels, r->plan->n_inner, NULL, &random,
                       r->inner_fold);
}

static rx_status plan_inner(run *r, size_t outer) {
  size_t n_inner = (size_t)r->plan->n_inner;

  RX_TRY(deal_inner(r, outer));
  for (size_t j = 0; j < n_inner; j++) {
    size_t problem = outer * n_inner + j;
    unsigned char *role = r->role + (r->n_outer + problem) * r->n_units;
    for (size_t u = 0; u < r->n_units; u++)
      role[u] = r->inner_fold[u] < 0         ? RX_UNIT_OUT
                : r->inner_fold[u] == (int)j ? RX_UNIT_HELD
                                             : RX_UNIT_TRAINS;
    r->inner[problem] = (rx_problem){.y = r->outer[outer].y,
                                     .role = role,
                                     .is_by_row = r->plan->is_by_row,
                                     .grid = r->outer_solved[outer].path,
                                     .wants_no_path = true};
  }
  return RX_OK;
}

static rx_status plan_all_inner(run *r) {
  for (size_t i = 0; i < r->n_outer; i++) RX_TRY(plan_inner(r, i));
  return RX_OK;
}

/* ---- what comes out ---- */

/* The lambda that the inner folds prefer. */
static rx_status choose_step(const run *r, size_t outer, int *step) {
  size_t n_lambdas = (size_t)r->outer_solved[outer].path->n_lambdas;
  size_t n_inner = (size_t)r->plan->n_inner;
  const rx_solution *inner = r->inner_solved + outer * n_inner;
  double *values, *weights;
  int one_error;

  RX_TRY(RX_NEW(&values, "curve", n_lambdas * (n_inner + 2)));
  rx_status status = RX_NEW(&weights, "curve", n_inner);
  for (size_t j = 0; j < n_inner && !status; j++) {
    memcpy(values + j * n_lambdas, inner[j].loss, n_lambdas * sizeof *values);
    weights[j] = inner[j].held_weight;
  }
  if (!status) {
    double *mean = values + n_inner * n_lambdas, *error = mean + n_lambdas;
    rx_curve_combine(mean, error, (int)n_lambdas, (int)n_inner, values, weights);
    rx_curve_choose(mean, error, (int)n_lambdas, false, step, &one_error);
  }
  free(values);
  free(weights);
  return status;
}

/* The AUC over the patients of the fold. */
static rx_status judge_patients(run *r, const double *y, double *auc) {
  size_t n = 0;
  double *score = r->both + r->plan->n_patients;

  for (size_t i = 0; i < r->plan->n_patients; i++) {
    if (isnan(r->held_score[i])) continue;
    r->both[n] = y[i];
    score[n++] = r->held_score[i];
  }
  return rx_roc_auc(n, r->both, score, auc);
}

/* Adds the scores of this fold to those of the repeat; a patient that has rows in it gets a number,
 * in held_score too: there the mean over the rows that are held. With one fold that mean is the
 * score. */
static void add_scores(run *r, size_t outer, int step, double *score) {
  const rx_lasso *path = r->outer_solved[outer].path;
  bool is_constant = rx_lasso_nonzeros(path, step) == 0; /* then all are alike, to the last bit */
  size_t n = r->plan->n_patients;
  double *n_held = r->both, *n_rows = r->both + n;

  memset(r->both, 0, 2 * n * sizeof *r->both);
  for (size_t row = 0; row < r->set->n_rows; row++) {
    n_rows[r->set->patient[row]]++;
    n_held[r->set->patient[row]] += rx_solver_role(r->set, &r->outer[outer], row) == RX_UNIT_HELD;
  }
  for (size_t i = 0; i < n; i++) {
    double part = n_held[i] / n_rows[i], share = r->held_score[i];
    r->held_score[i] = n_held[i] > 0 ? share / part : NAN;
    if (n_held[i] <= 0) continue;
    if (is_constant) r->held_score[i] = path->intercept[step];
    if (is_constant) share = path->intercept[step] * part;
    if (r->plan->n_folds == 1) share = r->held_score[i];
    score[i] = isnan(score[i]) ? share : score[i] + share;
  }
}

static rx_status finish_outer(run *r, size_t outer, rx_nested *out) {
  size_t fit = (size_t)r->first + outer / r->n_targets, n = r->plan->n_patients;
  const rx_lasso *path = r->outer_solved[outer].path;
  const double *y = r->outer[outer].y;
  int step = 0;

  RX_TRY(RX_AGREE(r->plan->comm, choose_step(r, outer, &step)));
  for (size_t i = 0; i < r->set->n_local; i++) r->eta[i] = NAN;
  memset(r->held_score, 0, n * sizeof *r->held_score);
  RX_TRY(rx_solver_score(r->plan->comm, r->set, n, &r->outer[outer], path, step, r->eta,
                         r->held_score));
  RX_TRY(rx_solver_row_auc(r->plan->comm, r->set, y, r->eta, &out->row_auc[fit]));
  add_scores(r, outer, step, out->score + fit / (size_t)r->plan->n_folds * n);
  for (size_t k = path->first[step]; k < path->first[step + 1]; k++)
    out->selected[path->feature[k]]++;
  out->lambda[fit] = path->lambda[step];
  out->nonzeros[fit] = (double)rx_lasso_nonzeros(path, step);
  out->kkt[fit] = path->kkt[step];
  out->is_converged = out->is_converged && path->is_converged;
  out->n_done = (int)fit + 1;
  return RX_AGREE(r->plan->comm, judge_patients(r, y, &out->auc[fit]));
}

rx_status rx_nested_run(const rx_nested_plan *plan, const rx_feature_set *set, size_t n_targets,
                        const rx_target *targets, int first, int count, rx_nested *const *nested) {
  run r = {.plan = plan,
           .set = set,
           .n_targets = n_targets,
           .n_units = plan->is_by_row ? set->n_rows : plan->n_patients,
           .n_outer = n_targets * (size_t)count,
           .targets = targets,
           .first = first};

  r.n_inner = r.n_outer * (size_t)plan->n_inner;
  rx_status status = RX_AGREE(plan->comm, create_run(&r));
  if (status) goto done;
  for (size_t i = 0; i < r.n_outer; i++) plan_outer(&r, i);
  status = rx_solver_run(plan->comm, set, plan->n_patients, &plan->lasso, r.n_outer, r.outer,
                         r.outer_solved);
  if (status) goto done;
  if ((status = RX_AGREE(plan->comm, plan_all_inner(&r)))) goto done;
  status = rx_solver_run(plan->comm, set, plan->n_patients, &plan->lasso, r.n_inner, r.inner,
                         r.inner_solved);
  for (size_t i = 0; i < r.n_outer && !status; i++)
    status = finish_outer(&r, i, nested[i % n_targets]);
done:
  destroy_run(&r);
  return status;
}

void rx_nested_mean(const rx_nested_plan *plan, const rx_nested *nested, double *score) {
  for (size_t i = 0; i < plan->n_patients; i++) {
    double sum = 0;
    int n = 0;
    for (int r = 0; r < plan->n_repeats; r++) {
      double one = nested->score[(size_t)r * plan->n_patients + i];
      if (isnan(one)) continue;
      sum += one;
      n++;
    }
    score[i] = n ? sum / n : NAN;
  }
}
