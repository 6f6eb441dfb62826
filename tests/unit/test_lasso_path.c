/* Lasso paths compared with glmnet: reference/prediction/lasso. */
#include "lasso_reference.h"
#include "radmix/isa.h"

/* Compares a solution with glmnet's at one lambda. At thresh 1e-14 glmnet leaves its own conditions
 * open by 1e-7 lambda_max, which moves its coefficients by that over the curvature: up to 1e-5 of
 * the largest. One Newton step on glmnet's own support, with glmnet's own signs, closes them; there
 * both must agree. Returns how far glmnet's conditions are open. */
static double compare_point(const standard *s, const point *mine, point *theirs, double lambda,
                            double lambda_max, size_t l) {
  size_t n = 1 + theirs->n_active;
  double *r = calloc(1 + s->p, sizeof *r), *w = calloc(s->n, sizeof *w), largest = 0;
  double open = find_residuals(s, theirs, lambda, r, w), *h = factorise(s, theirs, w, lambda);

  assert_int_equal(LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'U', (int)n, 1, h, (int)n, r, 1), 0);
  theirs->intercept += r[0];
  for (size_t k = 0; k < theirs->n_active; k++) theirs->beta[theirs->active[k]] += r[1 + k];
  double closed = find_residuals(s, theirs, lambda, r, NULL);
  assert_near(closed / lambda_max, 0, 1e-9, "KKT of glmnet after a step", l);
  assert_true(closed <= open || open < 1e-12);
  assert_near(find_residuals(s, mine, lambda, r, NULL) / lambda_max, 0, 1e-10, "KKT", l);
  for (size_t j = 0; j < s->p; j++) largest = fmax(largest, fabs(theirs->beta[j]));
  for (size_t j = 0; j < s->p; j++)
    assert_near(mine->beta[j], theirs->beta[j], 1e-7 * largest, "coefficient", l * 1000 + j);
  assert_near(mine->intercept, theirs->intercept, 1e-7 * fmax(1, fabs(theirs->intercept)),
              "intercept", l);
  free(r);
  free(w);
  free(h);
  return open / lambda_max;
}

/* Rows lambda, df, dev.ratio, intercept, then the coefficients; a column each lambda. */
static double compare_path(const standard *s, const rx_lasso *path, const numbers *expected) {
  size_t n = expected->n_columns;
  double open = 0;

  assert_int_equal(path->n_lambdas, n);
  for (size_t l = 0; l < n; l++) {
    const double *e = expected->values + l;
    double *own = spread(path, (int)l, s->p);
    point mine = take_point(s, path->intercept[l], own, 1);
    point theirs = take_point(s, e[3 * n], e + 4 * n, n);
    assert_near(path->lambda[l], e[0], 1e-12 * e[0], "lambda", l);
    assert_near(path->deviance_ratio[l], e[2 * n], 1e-6, "deviance ratio", l);
    double one =
        compare_point(s, &mine, &theirs, e[0] / s->y_scale, expected->values[0] / s->y_scale, l);
    open = fmax(open, l ? one : 0);
    free(own);
    free_point(&mine);
    free_point(&theirs);
  }
  return open;
}

static void each_path_equals_glmnet_where_its_conditions_are_closed(void **state) {
  numbers x = read_numbers("X.tsv"), y = read_numbers("y.tsv");
  double *ones = calloc(x.n_rows, sizeof *ones), *weight = take_column(&y, WEIGHT);
  (void)state;

  for (size_t i = 0; i < x.n_rows; i++) ones[i] = 1;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    numbers expected = read_numbers(cases[c].file);
    double *outcome = take_column(&y, cases[c].family == RX_BINOMIAL ? OUTCOME : GAUSS);
    double *v = cases[c].is_weighted ? weight : ones;
    rx_lasso_options options = rx_lasso_defaults(cases[c].family);
    rx_lasso_rows rows = {x.n_rows, x.n_columns, x.n_columns, x.values, outcome, v};
    standard s = standardise(&x, outcome, v, &cases[c]);
    rx_lasso *path;
    options.alpha = cases[c].alpha;
    options.is_standardising = cases[c].is_standardising;
    options.n_lambdas = (int)expected.n_columns;
    options.lambda_ratio = expected.values[expected.n_columns - 1] / expected.values[0];
    options.tolerance = 1e-11;
    options.isa = rx_isa_of_machine();
    assert_int_equal(rx_descent_fit(&rows, &options, &path), RX_OK);
    assert_true(path->is_converged);
    double open = compare_path(&s, path, &expected), own = 0;
    for (int l = 0; l < path->n_lambdas; l++) own = fmax(own, path->kkt[l]);
    print_message("%s: KKT residual / lambda_max: glmnet %.1e, radmix %.1e\n", cases[c].file, open,
                  own);
    rx_lasso_destroy(&path);
    free(s.v);
    free(outcome);
    free(expected.values);
  }
  free(ones);
  free(weight);
  free(x.values);
  free(y.values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_path_equals_glmnet_where_its_conditions_are_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
