#include "prediction/outcome_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/calibration.h"
#include "prediction/curve.h"
#include "prediction/roc.h"
#include "prediction/solver.h"
#include "radmix/error.h"
#include "radmix/memory.h"

void rx_outcome_model_destroy(rx_outcome_model **model) {
  rx_outcome_model *m = *model;

  if (!m) return;
  rx_lasso_destroy(&m->path);
  free(m->loss); /* the curves are one array */
  free(m);
  *model = NULL;
}

static rx_status create_model(rx_lasso **path, rx_outcome_model **out) {
  size_t n = (size_t)(*path)->n_lambdas;
  rx_status status = RX_NEW(out, "model", 1);

  if (!status) status = RX_NEW(&(*out)->loss, "curves", 8 * n);
  if (status) {
    rx_outcome_model_destroy(out);
    return status;
  }
  rx_outcome_model *m = *out;
  double *at = m->loss,
         **const curves[] = {
             &m->loss,        &m->loss_error, &m->row_auc,         &m->row_auc_error,
             &m->patient_auc, &m->f1,         &m->f1_all_positive, &m->balanced_accuracy};
  for (size_t c = 0; c < sizeof curves / sizeof *curves; c++, at += n) *curves[c] = at;
  m->n_lambdas = (int)n;
  m->path = *path;
  *path = NULL; /* taken over */
  m->is_converged = m->path->is_converged;
  for (size_t l = 0; l < n; l++) m->worst_kkt = fmax(m->worst_kkt, m->path->kkt[l]);
  return RX_OK;
}

/* The problems of the models, and those of their folds. */
typedef struct {
  const rx_nested_plan *plan;
  const rx_feature_set *set;
  size_t n_targets, n_units, n_cv;
  const rx_target *targets;
  unsigned char *role;   /* [n_targets * (1 + n_folds)][n_units] */
  rx_problem *full, *cv; /* [n_targets]; [n_folds][n_targets] */
  rx_solution *full_solved, *cv_solved;
  double **scores; /* [n_targets]: [n_lambdas][n_patients] */
  double *both;    /* [2][n_patients] */
} fitting;

static rx_status create_fitting(fitting *f) {
  rx_status status = RX_NEW(&f->role, "roles", (f->n_targets + f->n_cv) * f->n_units);

  if (!status) status = RX_NEW(&f->full, "problems", f->n_targets);
  if (!status) status = RX_NEW(&f->cv, "problems", f->n_cv);
  if (!status) status = RX_NEW(&f->full_solved, "problems", f->n_targets);
  if (!status) status = RX_NEW(&f->cv_solved, "problems", f->n_cv);
  if (!status) status = RX_NEW(&f->scores, "scores", f->n_targets);
  if (!status) status = RX_NEW(&f->both, "patients", 2 * f->plan->n_patients);
  return status;
}

static void destroy_fitting(fitting *f) {
  rx_solver_clear(f->n_targets, f->full_solved);
  rx_solver_clear(f->n_cv, f->cv_solved);
  for (size_t t = 0; f->scores && t < f->n_targets; t++) free(f->scores[t]);
  free(f->role);
  free(f->full);
  free(f->cv);
  free(f->full_solved);
  free(f->cv_solved);
  free(f->scores);
  free(f->both);
}

static void plan_full(fitting *f) {
  for (size_t t = 0; t < f->n_targets; t++) {
    unsigned char *role = f->role + t * f->n_units;
    for (size_t u = 0; u < f->n_units; u++)
      role[u] = f->targets[t].fold[u] < 0 ? RX_UNIT_OUT : RX_UNIT_TRAINS;
    f->full[t] = (rx_problem){.y = f->targets[t].y, .role = role, .is_by_row = f->plan->is_by_row};
  }
}

static rx_status plan_folds(fitting *f) {
  size_t n_folds = (size_t)f->plan->n_folds;

  for (size_t t = 0; t < f->n_targets; t++) {
    const rx_lasso *grid = f->full_solved[t].path;
    RX_TRY(RX_NEW(&f->scores[t], "scores", (size_t)grid->n_lambdas * f->plan->n_patients));
    for (size_t k = 0; k < n_folds; k++) {
      unsigned char *role = f->role + (f->n_targets + t * n_folds + k) * f->n_units;
      for (size_t u = 0; u < f->n_units; u++)
        role[u] = f->targets[t].fold[u] < 0         ? RX_UNIT_OUT
                  : f->targets[t].fold[u] == (int)k ? RX_UNIT_HELD
                                                    : RX_UNIT_TRAINS;
      f->cv[k * f->n_targets + t] =
          (rx_problem){.y = f->targets[t].y,
                       .role = role,
                       .is_by_row = f->plan->is_by_row,
                       .grid = grid,
                       .scores = f->scores[t],
                       .wants_row_auc = f->plan->lasso.family == RX_BINOMIAL,
                       .wants_no_path = true};
    }
  }
  return RX_OK;
}

/* ---- curves ---- */

static rx_status combine_rows(const fitting *f, size_t t, rx_outcome_model *m) {
  size_t n = (size_t)m->n_lambdas, n_folds = (size_t)f->plan->n_folds;
  double *values, *weights;

  RX_TRY(RX_NEW(&values, "curves", 2 * n * n_folds));
  rx_status status = RX_NEW(&weights, "curves", n_folds);
  for (size_t k = 0; k < n_folds && !status; k++) {
    const rx_solution *s = &f->cv_solved[k * f->n_targets + t];
    weights[k] = s->held_weight;
    memcpy(values + k * n, s->loss, n * sizeof *values);
    memcpy(values + (n_folds + k) * n, s->row_auc, n * sizeof *values);
    m->is_converged = m->is_converged && s->path->is_converged;
    for (size_t l = 0; l < n; l++) m->worst_kkt = fmax(m->worst_kkt, s->path->kkt[l]);
  }
  if (!status) {
    rx_curve_combine(m->loss, m->loss_error, (int)n, (int)n_folds, values, weights);
    rx_curve_combine(m->row_auc, m->row_auc_error, (int)n, (int)n_folds, values + n_folds * n,
                     weights);
    rx_curve_choose(m->loss, m->loss_error, (int)n, false, &m->at_min, &m->at_1se);
    rx_curve_choose(m->row_auc, m->row_auc_error, (int)n, true, &m->at_min_auc, &m->at_1se_auc);
  }
  free(values);
  free(weights);
  return status;
}

/* The part of the rows of each patient that is held out in some fold. share, n_rows [n_patients] */
static void find_shares(const fitting *f, size_t t, double *share, double *n_rows) {
  size_t n_folds = (size_t)f->plan->n_folds;

  for (size_t row = 0; row < f->set->n_rows; row++) {
    size_t i = (size_t)f->set->patient[row];
    n_rows[i]++;
    for (size_t k = 0; k < n_folds; k++)
      share[i] += rx_solver_role(f->set, &f->cv[k * f->n_targets + t], row) == RX_UNIT_HELD;
  }
  for (size_t i = 0; i < f->plan->n_patients; i++)
    if (n_rows[i] > 0) share[i] /= n_rows[i];
}

/* Rounds a score to 40 bits: patients of unlike numbers of rows tie where a model has no features.
 */
static double round_score(double score) {
  int exponent;
  double mantissa = frexp(score, &exponent);

  return ldexp(nearbyint(ldexp(mantissa, 40)), exponent - 40);
}

static rx_status judge_patients(const fitting *f, size_t t, rx_outcome_model *m) {
  size_t n_patients = f->plan->n_patients;
  double *share;

  RX_TRY(RX_NEW(&share, "patients", 2 * n_patients));
  find_shares(f, t, share, share + n_patients);
  rx_status status = RX_OK;
  for (int l = 0; l < m->n_lambdas && !status; l++) {
    const double *scores = f->scores[t] + (size_t)l * n_patients;
    double *y = f->both, *score = f->both + n_patients;
    size_t n = 0;
    for (size_t i = 0; i < n_patients; i++) {
      if (share[i] <= 0) continue;
      y[n] = f->targets[t].y[i];
      score[n++] = round_score(scores[i] / share[i]);
    }
    rx_calls calls = rx_calibration_calls(n, y, score);
    m->f1[l] = calls.f1;
    m->f1_all_positive[l] = calls.f1_all_positive;
    m->balanced_accuracy[l] = calls.balanced_accuracy;
    status = rx_roc_auc(n, y, score, &m->patient_auc[l]);
  }
  if (f->plan->lasso.family == RX_GAUSSIAN)
    for (int l = 0; l < m->n_lambdas; l++)
      m->patient_auc[l] = m->f1[l] = m->f1_all_positive[l] = m->balanced_accuracy[l] = NAN;
  free(share);
  return status;
}

static rx_status finish(fitting *f, rx_outcome_model **models) {
  for (size_t t = 0; t < f->n_targets; t++) {
    RX_TRY(create_model(&f->full_solved[t].path, &models[t]));
    RX_TRY(combine_rows(f, t, models[t]));
    RX_TRY(judge_patients(f, t, models[t]));
  }
  return RX_OK;
}

/* Adds up the parts that ranks have of the scores, a lambda at a time. */
static void sum_scores(const fitting *f) {
  for (size_t t = 0; t < f->n_targets; t++)
    for (int l = 0; l < f->full_solved[t].path->n_lambdas; l++)
      MPI_Allreduce(MPI_IN_PLACE, f->scores[t] + (size_t)l * f->plan->n_patients,
                    (int)f->plan->n_patients, MPI_DOUBLE, MPI_SUM, f->plan->comm);
}

/* Solves the folds, each on the set as it has it. */
static rx_status solve_folds(fitting *f) {
  const rx_nested_plan *plan = f->plan;
  rx_feature_set own;
  rx_status status = RX_OK;

  if (!plan->refit)
    return rx_solver_run(plan->comm, f->set, plan->n_patients, &plan->lasso, f->n_cv, f->cv,
                         f->cv_solved);
  for (int k = 0; k < plan->n_folds && !status; k++) {
    size_t at = (size_t)k * f->n_targets;
    status = rx_refit_set(plan->refit, k, plan->set, &own);
    if (!status)
      status = rx_solver_run(plan->comm, &own, plan->n_patients, &plan->lasso, f->n_targets,
                             f->cv + at, f->cv_solved + at);
    rx_panel_clear_set(&own);
  }
  return status;
}

rx_status rx_outcome_model_fit(const rx_nested_plan *plan, const rx_feature_set *set,
                               size_t n_targets, const rx_target *targets,
                               rx_outcome_model **models) {
  fitting f = {.plan = plan,
               .set = set,
               .n_targets = n_targets,
               .n_units = plan->is_by_row ? set->n_rows : plan->n_patients,
               .n_cv = n_targets * (size_t)plan->n_folds,
               .targets = targets};
  rx_status status = RX_AGREE(plan->comm, create_fitting(&f));

  if (status) goto done;
  plan_full(&f);
  status = rx_solver_run(plan->comm, set, plan->n_patients, &plan->lasso, n_targets, f.full,
                         f.full_solved);
  if (status) goto done;
  if ((status = RX_AGREE(plan->comm, plan_folds(&f)))) goto done;
  if ((status = solve_folds(&f))) goto done;
  sum_scores(&f);
  status = RX_AGREE(plan->comm, finish(&f, models));
done:
  destroy_fitting(&f);
  if (status)
    for (size_t t = 0; t < n_targets; t++) rx_outcome_model_destroy(&models[t]);
  return status;
}
