/* Cross-validation of lasso paths compared with cv.glmnet and pROC: reference/prediction/lasso. */
#include "lasso_reference.h"
#include "prediction/curve.h"
#include "prediction/roc.h"
#include "prediction/solver.h"
#include "radmix/isa.h"

/* Folds of glmnet's cv, on the lambdas of the reference. */
enum { MOST_FOLDS = 32 };

typedef struct {
  numbers x, y;
  double *outcome, *fold, *lambda; /* [n_rows], [n_rows] from 1, [n_lambdas] */
  size_t n_lambdas;
  int n_folds;
  double size[MOST_FOLDS]; /* rows */
  double *link;            /* [n_lambdas][n_rows], each from the fit without its fold */
} validation;

static void fit_fold(validation *c, int fold, double *weight) {
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  rx_lasso_rows rows = {c->x.n_rows, c->x.n_columns, c->x.n_columns,
                        c->x.values, c->outcome,     weight};
  rx_lasso *path;

  for (size_t i = 0; i < c->x.n_rows; i++) weight[i] = c->fold[i] != fold;
  options.n_lambdas = (int)c->n_lambdas;
  options.lambdas = c->lambda;
  options.tolerance = 1e-11;
  options.isa = rx_isa_of_machine();
  assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
  assert_true(path->is_converged && path->n_lambdas == options.n_lambdas);
  for (size_t i = 0; i < c->x.n_rows; i++)
    for (int l = 0; l < path->n_lambdas && c->fold[i] == fold; l++)
      rx_lasso_predict(&c->link[(size_t)l * c->x.n_rows + i], path, l,
                       c->x.values + i * c->x.n_columns, 1, c->x.n_columns);
  rx_lasso_destroy(&path);
}

static validation cross_validate(void) {
  numbers curve = read_numbers("cv_deviance.tsv");
  validation c = {
      read_numbers("X.tsv"), read_numbers("y.tsv"), NULL, NULL, NULL, curve.n_rows, 0, {0}, NULL};
  double *weight = calloc(c.x.n_rows, sizeof *weight);

  c.outcome = take_column(&c.y, OUTCOME);
  c.fold = take_column(&c.y, FOLD);
  c.lambda = take_column(&curve, 0);
  c.link = calloc(c.n_lambdas * c.x.n_rows, sizeof *c.link);
  for (size_t i = 0; i < c.x.n_rows; i++) {
    int fold = (int)c.fold[i];
    assert_true(fold >= 1 && fold < MOST_FOLDS);
    c.size[fold - 1]++;
    if (fold > c.n_folds) c.n_folds = fold;
  }
  for (int k = 1; k <= c.n_folds; k++) fit_fold(&c, k, weight);
  free(weight);
  free(curve.values);
  return c;
}

static void free_validation(validation *c) {
  free(c->x.values);
  free(c->y.values);
  free(c->outcome);
  free(c->fold);
  free(c->lambda);
  free(c->link);
}

/* How far glmnet's own conditions are open on the path of all rows, at worst. */
static double find_openness(const validation *c, const numbers *path) {
  double *ones = calloc(c->x.n_rows, sizeof *ones), *r = calloc(1 + c->x.n_columns, sizeof *r);
  double open = 0;

  for (size_t i = 0; i < c->x.n_rows; i++) ones[i] = 1;
  standard s = standardise(&c->x, c->outcome, ones, &cases[0]);
  for (size_t l = 1; l < path->n_columns; l++) {
    const double *e = path->values + l;
    point p = take_point(&s, e[3 * path->n_columns], e + 4 * path->n_columns, path->n_columns);
    open = fmax(open, find_residuals(&s, &p, e[0], r, NULL));
    free_point(&p);
  }
  free(s.v);
  free(ones);
  free(r);
  return open;
}

/* Sets what conditions that are open by 1 may move the links of a fold: with H the Hessian of the
 * fold's fit, |x' H^-1 r| <= sum |H^-1 x| for any |r| <= 1. reach [n_rows], of the rows held out */
static void find_reach(const validation *c, int fold, size_t l, double *reach) {
  size_t n_rows = c->x.n_rows, p = c->x.n_columns;
  double *weight = calloc(n_rows, sizeof *weight), *w = calloc(n_rows, sizeof *w);
  double *r = calloc(1 + p, sizeof *r);
  rx_lasso_options options = rx_lasso_defaults(RX_BINOMIAL);
  rx_lasso_rows rows = {n_rows, p, p, c->x.values, c->outcome, weight};
  rx_lasso *path;

  for (size_t i = 0; i < n_rows; i++) weight[i] = c->fold[i] != fold;
  options.n_lambdas = 1;
  options.lambdas = c->lambda + l;
  assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
  standard s = standardise(&c->x, c->outcome, weight, &cases[0]);
  double *beta = spread(path, 0, p);
  point at = take_point(&s, path->intercept[0], beta, 1);
  find_residuals(&s, &at, c->lambda[l], r, w);
  double *h = factorise(&s, &at, w, c->lambda[l]);
  int n = 1 + (int)at.n_active;
  for (size_t i = 0; i < n_rows; i++) {
    if (c->fold[i] != fold) continue;
    r[0] = 1;
    for (size_t k = 0; k < at.n_active; k++) r[1 + k] = s.z[i * p + at.active[k]];
    assert_int_equal(LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'U', n, 1, h, n, r, 1), 0);
    reach[i] = cblas_dasum(n, r, 1);
  }
  rx_lasso_destroy(&path);
  free_point(&at);
  free(s.v);
  free(beta);
  free(h);
  free(weight);
  free(w);
  free(r);
}

/* A link may differ from glmnet's by 1e-6 and by what glmnet leaves open: its conditions in a fold
 * are taken to be as open as they are found to be on the path of all rows. */
static void links_of_held_rows_equal_glmnet(void **state) {
  validation c = cross_validate();
  numbers links = read_numbers("cv_preval_link.tsv"), path = read_numbers("binomial_path.tsv");
  double open = find_openness(&c, &path), *reach = calloc(c.x.n_rows, sizeof *reach), worst = 0;
  size_t n_far = 0, step = c.n_lambdas > 12 ? c.n_lambdas / 12 : 1;
  (void)state;

  assert_int_equal(links.n_columns, c.n_lambdas);
  for (size_t l = 1; l < c.n_lambdas; l += step) {
    for (int k = 1; k <= c.n_folds; k++) find_reach(&c, k, l, reach);
    for (size_t i = 0; i < c.x.n_rows; i++) {
      double found = c.link[l * c.x.n_rows + i], expected = links.values[i * c.n_lambdas + l];
      double plain = 1e-6 * fmax(1, fabs(expected));
      n_far += fabs(found - expected) > plain;
      worst = fmax(worst, fabs(found - expected) / fmax(1, fabs(expected)));
      assert_near(found, expected, plain + open * reach[i], "link", l * 1000 + i);
    }
  }
  print_message("links: largest difference %.1e; beyond 1e-6 %zu, all within glmnet's openness\n",
                worst, n_far);
  free(reach);
  free(links.values);
  free(path.values);
  free_validation(&c);
}

/* The AUC of the rows of a fold, or of all (fold 0). */
static double find_auc(const validation *c, size_t l, int fold) {
  double *y = calloc(2 * c->x.n_rows, sizeof *y), *score = y + c->x.n_rows, auc;
  size_t n = 0;

  for (size_t i = 0; i < c->x.n_rows; i++) {
    if (fold && c->fold[i] != fold) continue;
    y[n] = c->outcome[i];
    score[n++] = c->link[l * c->x.n_rows + i];
  }
  assert_int_equal(rx_roc_auc(n, y, score, &auc), RX_OK);
  free(y);
  return auc;
}

/* What glmnet calls type.measure. values [n_folds][n_lambdas] */
enum { DEVIANCE, AUC, CLASS };

static void find_measure(const validation *c, int measure, double *values) {
  for (int k = 1; k <= c->n_folds; k++)
    for (size_t l = 0; l < c->n_lambdas; l++) {
      double sum = 0;
      for (size_t i = 0; i < c->x.n_rows; i++) {
        double eta = c->link[l * c->x.n_rows + i], y = c->outcome[i];
        if (c->fold[i] != k) continue;
        sum += measure == CLASS ? (eta > 0) != (y > 0) : rx_solver_loss(RX_BINOMIAL, y, eta);
      }
      values[(size_t)(k - 1) * c->n_lambdas + l] =
          measure == AUC ? find_auc(c, l, k) : sum / c->size[k - 1];
    }
}

/* Columns lambda, cvm, cvsd, nzero. */
static void curves_of_cross_validation_equal_glmnet(void **state) {
  static const char *const files[] = {"cv_deviance.tsv", "cv_auc.tsv", "cv_class.tsv"};
  validation c = cross_validate();
  size_t n = c.n_lambdas;
  double *values = calloc((MOST_FOLDS + 2) * n, sizeof *values), *mean = values + MOST_FOLDS * n;
  double *error = mean + n;
  (void)state;

  for (int m = DEVIANCE; m <= CLASS; m++) {
    numbers expected = read_numbers(files[m]);
    find_measure(&c, m, values);
    rx_curve_combine(mean, error, (int)n, c.n_folds, values, c.size);
    for (size_t l = 0; l < n; l++) {
      const double *e = expected.values + l * expected.n_columns;
      assert_near(mean[l], e[1], 1e-6 * e[1], files[m], l);
      assert_near(error[l], e[2], 1e-6 * e[1], files[m], l);
    }
    free(expected.values);
  }
  free(values);
  free_validation(&c);
}

static void area_of_each_fold_and_of_all_equals_proc(void **state) {
  validation c = cross_validate();
  numbers expected = read_numbers("cv_auc_by_fold.tsv");
  (void)state;

  for (size_t l = 0; l < c.n_lambdas; l++)
    for (int k = 0; k <= c.n_folds; k++)
      assert_near(find_auc(&c, l, k), expected.values[l * expected.n_columns + (size_t)k], 1e-6,
                  "AUC", l * 10 + (size_t)k);
  free(expected.values);
  free_validation(&c);
}

/* Rows image_lambda.min, patient_lambda.min: auc lo95 hi95 var; and the paired test of the first
 * against lambda 5: auc auc z p. lambda.min by AUC, as in the reference. */
static void intervals_and_test_of_delong_equal_proc(void **state) {
  validation c = cross_validate();
  numbers expected = read_numbers("delong.tsv"), curve = read_numbers("cv_auc.tsv");
  size_t n = c.x.n_rows, best = 0;
  double *sum = calloc(3 * n, sizeof *sum), *positive = sum + n, *rows = positive + n;
  rx_auc one, two;
  rx_auc_test test;
  (void)state;

  for (size_t l = 0; l < c.n_lambdas; l++)
    if (curve.values[l * curve.n_columns + 1] > curve.values[best * curve.n_columns + 1]) best = l;
  const double *link = c.link + best * n;
  size_t n_patients = 0;
  for (size_t i = 0; i < n; i++) {
    size_t patient = (size_t)c.y.values[i * c.y.n_columns + PATIENT] - 1;
    sum[patient] += link[i];
    positive[patient] += c.outcome[i];
    rows[patient]++;
    if (patient >= n_patients) n_patients = patient + 1;
  }
  for (size_t i = 0; i < n_patients; i++) sum[i] /= rows[i];
  for (size_t i = 0; i < n_patients; i++) positive[i] = positive[i] / rows[i] >= 0.5;
  assert_int_equal(rx_roc_delong(n, c.outcome, link, &one), RX_OK);
  assert_int_equal(rx_roc_delong(n_patients, positive, sum, &two), RX_OK);
  assert_int_equal(rx_roc_compare(n, c.outcome, link, c.link + 4 * n, &test), RX_OK);
  const double found[] = {one.auc,   one.lower,    one.upper,   one.variance, two.auc, two.lower,
                          two.upper, two.variance, test.auc[0], test.auc[1],  test.z,  test.p};
  for (size_t k = 0; k < sizeof found / sizeof *found; k++)
    assert_near(found[k], expected.values[k], 1e-6 * fmax(1, fabs(expected.values[k])), "DeLong",
                k);
  free(sum);
  free(expected.values);
  free(curve.values);
  free_validation(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(links_of_held_rows_equal_glmnet),
      cmocka_unit_test(curves_of_cross_validation_equal_glmnet),
      cmocka_unit_test(area_of_each_fold_and_of_all_equals_proc),
      cmocka_unit_test(intervals_and_test_of_delong_equal_proc),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
