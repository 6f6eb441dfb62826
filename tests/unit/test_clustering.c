/* Trees, silhouettes and tests as R has them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clustering/distance.h"
#include "golden/clustering_r.h"
#include "job_for_test.h"
#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/random.h"
#include "radmix/table.h"

/* Both sides sum in double; R's heights come from other orders of sums. */
static const double tolerance = 1e-10;

static void *need(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  assert_non_null(memory);
  return memory;
}

static void assert_near(double found, double expected, double within) {
  if (!(fabs(found - expected) <= within * fmax(1, fabs(expected))))
    fail_msg("expected %.17g, found %.17g", expected, found);
}

/* ---- references ---- */

static rx_table *read_reference(const char *name) {
  char path[4096];
  rx_table *table;

  snprintf(path, sizeof path, "%s/reference/clustering/unsup/%s", shared_folder(), name);
  if (rx_table_read(path, &table)) {
    print_message("skipped: %s\n", rx_error_message());
    skip();
  }
  return table;
}

static double cell(const rx_table *table, size_t row, size_t column) {
  double value;
  assert_int_equal(rx_table_number(table, row, column, &value), RX_OK);
  return value;
}

static double *read_points(size_t *n, size_t *n_dims) {
  rx_table *table = read_reference("X.tsv");
  *n = table->n_rows;
  *n_dims = table->n_columns - 1;
  double *x = need(*n * *n_dims, sizeof *x);
  for (size_t i = 0; i < *n; i++)
    for (size_t j = 0; j < *n_dims; j++) x[i * *n_dims + j] = cell(table, i, j + 1);
  rx_table_destroy(&table);
  return x;
}

/* ---- distances ---- */

static double *all_distances(const double *x, size_t n, size_t n_dims, rx_distance_kind kind) {
  rx_points *points;
  double *distances = need(n * n, sizeof *distances);

  assert_int_equal(rx_points_of_rows(x, n, n_dims, kind, &points), RX_OK);
  rx_distance_rows(rx_isa_of_machine(), points, 0, n, distances);
  rx_points_destroy(&points);
  return distances;
}

static rx_linkage *link_points(const double *x, size_t n, size_t n_dims, rx_distance_kind kind,
                               rx_linkage_method method) {
  rx_linkage *linkage;
  double *distances = all_distances(x, n, n_dims, kind);

  assert_int_equal(rx_linkage_create(distances, n, method, &linkage), RX_OK);
  free(distances);
  return linkage;
}

static double *random_points(size_t n, size_t n_dims, uint32_t seed) {
  rx_random random = rx_random_at(seed, RX_RANDOM_SIMULATION, 0, 0);
  double *x = need(n * n_dims, sizeof *x);

  for (size_t i = 0; i < n * n_dims; i++) x[i] = rx_random_normal(&random);
  return x;
}

static void distances_have_the_same_bits_with_any_instruction_set_and_split(void **state) {
  (void)state;
  for (size_t n = 1; n < 40; n += 7) {
    double *x = random_points(n, 9, 3), *out = need(n * n, sizeof *out);
    rx_points *points;
    assert_int_equal(rx_points_of_rows(x, n, 9, RX_EUCLIDEAN, &points), RX_OK);
    for (int isa = 2; isa <= rx_isa_of_machine(); isa++)
      for (size_t step = 1; step <= 5; step += 2) {
        for (size_t first = 0; first < n; first += step)
          rx_distance_rows(isa, points, first, n - first < step ? n - first : step,
                           out + first * n);
        for (size_t i = 0; i < n; i++)
          for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t d = 0; d < 9; d++) {
              double e = x[i * 9 + d] - x[j * 9 + d];
              sum += e * e;
            }
            assert_true(out[i * n + j] == sqrt(sum));
          }
      }
    rx_points_destroy(&points);
    free(out);
    free(x);
  }
}

static void points_of_columns_are_those_of_the_transposed_rows(void **state) {
  (void)state;
  double *x = random_points(6, 11, 5), *turned = need(66, sizeof *turned);
  for (size_t i = 0; i < 6; i++)
    for (size_t j = 0; j < 11; j++) turned[j * 6 + i] = x[i * 11 + j];
  for (int kind = RX_EUCLIDEAN; kind <= RX_CORRELATION; kind++) {
    rx_points *columns, *rows;
    assert_int_equal(rx_points_of_columns(x, 6, 11, (rx_distance_kind)kind, &columns), RX_OK);
    assert_int_equal(rx_points_of_rows(turned, 11, 6, (rx_distance_kind)kind, &rows), RX_OK);
    assert_memory_equal(columns->values, rows->values, 6 * rows->stride * sizeof(double));
    rx_points_destroy(&columns);
    rx_points_destroy(&rows);
  }
  free(turned);
  free(x);
}

static void a_constant_point_has_no_correlation_and_is_counted(void **state) {
  double x[] = {1, 2, 4, 0.1, 0.1, 0.1, -1, -2, -4}, d[9];
  rx_points *points;

  (void)state;
  assert_int_equal(rx_points_of_rows(x, 3, 3, RX_CORRELATION, &points), RX_OK);
  rx_distance_rows(rx_isa_of_machine(), points, 0, 3, d);
  assert_int_equal(points->n_constant, 1);
  assert_near(d[1], 0.5, 1e-15);
  assert_near(d[2], 2, 1e-15);
  rx_points_destroy(&points);
}

/* ---- trees ---- */

static void assert_tree(const rx_linkage *linkage, const int *merge, const double *height,
                        const int *order) {
  for (size_t i = 0; i + 1 < linkage->n; i++) {
    assert_int_equal(linkage->merge[2 * i], merge[2 * i]);
    assert_int_equal(linkage->merge[2 * i + 1], merge[2 * i + 1]);
    assert_near(linkage->height[i], height[i], tolerance);
  }
  for (size_t i = 0; i < linkage->n && order; i++) assert_int_equal(linkage->order[i], order[i]);
}

static void trees_are_those_of_r(void **state) {
  static const struct {
    rx_linkage_method method;
    const int *merge;
    const double *height;
    const int *order;
  } cases[] = {{RX_WARD_D2, r_merge_ward_d2, r_height_ward_d2, r_order_ward_d2},
               {RX_WARD_D, r_merge_ward_d, r_height_ward_d, r_order_ward_d},
               {RX_AVERAGE, r_merge_average, r_height_average, r_order_average},
               {RX_COMPLETE, r_merge_complete, r_height_complete, r_order_complete},
               {RX_SINGLE, r_merge_single, r_height_single, r_order_single}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rx_linkage *linkage = link_points(r_points, R_POINTS, R_DIMS, RX_EUCLIDEAN, cases[i].method);
    assert_tree(linkage, cases[i].merge, cases[i].height, cases[i].order);
    rx_linkage_destroy(&linkage);
  }
  rx_linkage *linkage = link_points(r_points, R_POINTS, R_DIMS, RX_CORRELATION, RX_AVERAGE);
  assert_tree(linkage, r_merge_correlation, r_height_correlation, NULL);
  rx_linkage_destroy(&linkage);
}

static void check_reference_tree(const char *name, const char *order_name, rx_distance_kind kind,
                                 rx_linkage_method method) {
  size_t n, n_dims;
  double *x = read_points(&n, &n_dims), *height = need(n, sizeof *height);
  int *merge = need(2 * n, sizeof *merge), *order = need(n, sizeof *order);
  rx_table *table = read_reference(name);

  assert_int_equal(table->n_rows, n - 1);
  for (size_t i = 0; i + 1 < n; i++) {
    merge[2 * i] = (int)cell(table, i, 1);
    merge[2 * i + 1] = (int)cell(table, i, 2);
    height[i] = cell(table, i, 3);
  }
  rx_table_destroy(&table);
  if (order_name) { /* without a header: the first number stands as the name of the column */
    table = read_reference(order_name);
    order[0] = atoi(rx_table_name(table, 0));
    for (size_t i = 1; i < n; i++) order[i] = (int)cell(table, i - 1, 0);
    rx_table_destroy(&table);
  }
  rx_linkage *linkage = link_points(x, n, n_dims, kind, method);
  assert_tree(linkage, merge, height, order_name ? order : NULL);
  rx_linkage_destroy(&linkage);
  free(order);
  free(height);
  free(merge);
  free(x);
}

static void trees_are_those_of_the_reference(void **state) {
  (void)state;
  check_reference_tree("hclust_ward.D2.tsv", "order_ward.D2.txt", RX_EUCLIDEAN, RX_WARD_D2);
  check_reference_tree("hclust_ward.D.tsv", "order_ward.D.txt", RX_EUCLIDEAN, RX_WARD_D);
  check_reference_tree("hclust_average.tsv", "order_average.txt", RX_EUCLIDEAN, RX_AVERAGE);
  check_reference_tree("hclust_complete.tsv", "order_complete.txt", RX_EUCLIDEAN, RX_COMPLETE);
  check_reference_tree("hclust_single.tsv", "order_single.txt", RX_EUCLIDEAN, RX_SINGLE);
  check_reference_tree("hclust_average_correlation.tsv", NULL, RX_CORRELATION, RX_AVERAGE);
}

/* The sum of squares within clusters that a merge adds: the definition of Ward's criterion. */
static double ward_increase(const double *x, size_t n, size_t n_dims, const int *before,
                            const int *after) {
  double sums[2] = {0, 0};
  const int *labels[2] = {before, after};

  for (int side = 0; side < 2; side++)
    for (size_t k = 0; k < n; k++)
      for (size_t d = 0; d < n_dims; d++) {
        double sum = 0, square = 0, count = 0;
        for (size_t i = 0; i < n; i++)
          if (labels[side][i] == (int)k) {
            sum += x[i * n_dims + d];
            square += x[i * n_dims + d] * x[i * n_dims + d];
            count++;
          }
        if (count > 0) sums[side] += square - sum * sum / count;
      }
  return sums[1] - sums[0];
}

static void a_ward_height_is_the_root_of_twice_the_added_sum_of_squares(void **state) {
  enum { N = 30, DIMS = 3 };
  int before[N], after[N];
  size_t found;

  (void)state;
  double *x = random_points(N, DIMS, 11);
  rx_linkage *linkage = link_points(x, N, DIMS, RX_EUCLIDEAN, RX_WARD_D2);
  for (size_t k = N; k > 1; k--) {
    rx_linkage_cut(linkage, k, before, &found);
    assert_int_equal(found, k);
    rx_linkage_cut(linkage, k - 1, after, &found);
    assert_near(linkage->height[N - k], sqrt(2 * ward_increase(x, N, DIMS, before, after)), 1e-9);
  }
  rx_linkage_destroy(&linkage);
  free(x);
}

static void single_linkage_heights_are_the_edges_of_a_spanning_tree(void **state) {
  enum { N = 40 };
  bool is_in[N] = {true};
  double near[N], edges[N - 1];

  (void)state;
  double *x = random_points(N, 4, 12), *d = all_distances(x, N, 4, RX_EUCLIDEAN);
  for (int i = 0; i < N; i++) near[i] = d[i];
  for (int step = 0; step + 1 < N; step++) { /* Prim */
    int best = -1;
    for (int i = 0; i < N; i++)
      if (!is_in[i] && (best < 0 || near[i] < near[best])) best = i;
    edges[step] = near[best];
    is_in[best] = true;
    for (int i = 0; i < N; i++) near[i] = fmin(near[i], d[best * N + i]);
  }
  rx_linkage *linkage = link_points(x, N, 4, RX_EUCLIDEAN, RX_SINGLE);
  for (int i = 0; i + 1 < N; i++) {
    int rank = 0;
    for (int j = 0; j + 1 < N; j++) rank += edges[j] < linkage->height[i];
    assert_int_equal(rank, i);
  }
  rx_linkage_destroy(&linkage);
  free(d);
  free(x);
}

/* Points on a grid, many of them twice: ties everywhere. */
static void ties_and_equal_points_give_a_whole_tree(void **state) {
  enum { N = 64 };
  double x[N * 2];
  int labels[N];
  size_t found;

  (void)state;
  for (int i = 0; i < N; i++) {
    x[2 * i] = i % 4 * 0.1;
    x[2 * i + 1] = i / 4 % 4 * 0.1;
  }
  for (int method = RX_WARD_D2; method <= RX_SINGLE; method++) {
    rx_linkage *linkage = link_points(x, N, 2, RX_EUCLIDEAN, (rx_linkage_method)method);
    bool is_listed[N] = {false}, is_merged[N - 1] = {false};
    for (int i = 0; i < N; i++) is_listed[linkage->order[i] - 1] = true;
    for (int i = 0; i < N; i++) assert_true(is_listed[i]);
    for (int i = 0; i + 1 < N; i++) {
      assert_true(i == 0 || linkage->height[i] >= linkage->height[i - 1]);
      for (int side = 0; side < 2; side++) {
        int branch = linkage->merge[2 * i + side];
        assert_true(branch != 0 && branch <= i && branch >= -N);
        if (branch > 0) {
          assert_false(is_merged[branch - 1]);
          is_merged[branch - 1] = true;
        }
      }
    }
    rx_linkage_cut(linkage, 16, labels, &found);
    for (int i = 0; i < N; i++) assert_int_equal(labels[i], i % 16);
    rx_linkage_destroy(&linkage);
  }
}

static void one_point_is_a_tree_and_two_are(void **state) {
  double x[] = {1, 4};
  int labels[2];
  size_t found;

  (void)state;
  rx_linkage *linkage = link_points(x, 1, 1, RX_EUCLIDEAN, RX_WARD_D2);
  assert_int_equal(linkage->order[0], 1);
  assert_int_equal(rx_linkage_cut(linkage, 5, labels, &found), RX_OK);
  assert_int_equal(found, 1);
  rx_linkage_destroy(&linkage);
  linkage = link_points(x, 2, 1, RX_EUCLIDEAN, RX_WARD_D2);
  assert_near(linkage->height[0], 3, 0);
  assert_int_equal(linkage->merge[0], -1);
  assert_int_equal(linkage->merge[1], -2);
  rx_linkage_destroy(&linkage);
}

/* ---- cuts and silhouettes ---- */

static void assert_labels(const int *labels, const int *expected, size_t n) {
  for (size_t i = 0; i < n; i++) assert_int_equal(labels[i] + 1, expected[i]);
}

static void cuts_are_those_of_r(void **state) {
  int labels[R_POINTS];
  size_t found;
  const struct {
    size_t k;
    const int *labels;
  } cases[] = {{1, r_cut_1}, {2, r_cut_2}, {4, r_cut_4}, {13, r_cut_13}, {99, r_cut_13}};

  (void)state;
  rx_linkage *linkage = link_points(r_points, R_POINTS, R_DIMS, RX_EUCLIDEAN, RX_WARD_D2);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(rx_linkage_cut(linkage, cases[i].k, labels, &found), RX_OK);
    assert_int_equal(found, cases[i].k < R_POINTS ? cases[i].k : R_POINTS);
    assert_labels(labels, cases[i].labels, R_POINTS);
  }
  rx_linkage_cut_height(linkage, r_cut_height[0] * (1 + 1e-12), labels, &found);
  assert_labels(labels, r_cut_at_height, R_POINTS);
  rx_linkage_destroy(&linkage);
}

static double mean_silhouette(const double *d, size_t n, const int *labels, size_t k,
                              double *each) {
  int64_t *counts = need(k, sizeof *counts);
  double *sums = need(k, sizeof *sums), mean = 0;

  for (size_t i = 0; i < n; i++) counts[labels[i]]++;
  for (size_t i = 0; i < n; i++) {
    double s = rx_silhouette_of(d + i * n, n, labels, i, k, counts, sums);
    if (each) each[i] = s;
    mean += s / (double)n;
  }
  free(sums);
  free(counts);
  return mean;
}

static void silhouettes_are_those_of_r(void **state) {
  int labels[R_POINTS];
  double each[R_POINTS];
  size_t found;

  (void)state;
  double *d = all_distances(r_points, R_POINTS, R_DIMS, RX_EUCLIDEAN);
  rx_linkage *linkage = link_points(r_points, R_POINTS, R_DIMS, RX_EUCLIDEAN, RX_WARD_D2);
  rx_linkage_cut(linkage, 4, labels, &found);
  mean_silhouette(d, R_POINTS, labels, 4, each);
  for (int i = 0; i < R_POINTS; i++) assert_near(each[i], r_silhouette_4[i], tolerance);
  rx_linkage_cut(linkage, 13, labels, &found);
  assert_true(mean_silhouette(d, R_POINTS, labels, 13, NULL) == 0);
  rx_linkage_cut(linkage, 1, labels, &found);
  assert_true(isnan(mean_silhouette(d, R_POINTS, labels, 1, NULL)));
  rx_linkage_destroy(&linkage);
  free(d);
}

static void cuts_and_silhouettes_are_those_of_the_reference(void **state) {
  size_t n, n_dims, found;
  double *x = read_points(&n, &n_dims), *d = all_distances(x, n, n_dims, RX_EUCLIDEAN);
  double *each = need(n, sizeof *each);
  int *labels = need(n, sizeof *labels);
  rx_table *cuts = read_reference("cutree_ward.D2.tsv"), *means, *widths;

  (void)state;
  means = read_reference("silhouette_mean.tsv"); /* no header: k = 2 stands there */
  widths = read_reference("silhouette_k4.tsv");
  rx_linkage *linkage = link_points(x, n, n_dims, RX_EUCLIDEAN, RX_WARD_D2);
  for (size_t column = 1; column < cuts->n_columns; column++) {
    size_t k = column + 1;
    rx_linkage_cut(linkage, k, labels, &found);
    for (size_t i = 0; i < n; i++) assert_int_equal(labels[i] + 1, (int)cell(cuts, i, column));
    double expected = k == 2 ? atof(rx_table_name(means, 1)) : cell(means, k - 3, 1);
    assert_near(mean_silhouette(d, n, labels, k, each), expected, tolerance);
    for (size_t i = 1; i < n && k == 4; i++)
      assert_near(each[i], cell(widths, i - 1, 1), tolerance);
  }
  rx_table_destroy(&cuts);
  rx_table_destroy(&means);
  rx_table_destroy(&widths);
  rx_linkage_destroy(&linkage);
  free(labels);
  free(each);
  free(d);
  free(x);
}

/* ---- tests of labels ---- */

static void tests_are_those_of_r(void **state) {
  enum { N = sizeof r_labels_a / sizeof *r_labels_a };
  rx_test test;
  double rand;

  (void)state;
  assert_int_equal(rx_compare_chi_square(r_labels_a, r_labels_b, N, &test), RX_OK);
  assert_near(test.statistic, r_chi_square[0], tolerance);
  assert_near(test.p, r_chi_square[1], tolerance);
  assert_int_equal(rx_compare_fisher(r_labels_a, r_labels_b, N, &test), RX_OK);
  assert_near(test.p, r_fisher[0], tolerance);
  assert_int_equal(rx_compare_fisher(r_labels_b, r_labels_a, N, &test), RX_OK);
  assert_near(test.p, r_fisher[0], tolerance);
  assert_int_equal(rx_compare_kruskal(r_labels_a, r_values, N, &test), RX_OK);
  assert_near(test.statistic, r_kruskal[0], tolerance);
  assert_near(test.p, r_kruskal[1], tolerance);
  assert_int_equal(rx_compare_anova(r_labels_a, r_values, N, &test), RX_OK);
  assert_near(test.statistic, r_anova[0], tolerance);
  assert_near(test.p, r_anova[1], tolerance);
  assert_int_equal(rx_compare_rand(r_labels_a, r_labels_b, N, &rand), RX_OK);
  assert_near(rand, r_rand[0], tolerance);
}

static void tests_are_those_of_the_reference(void **state) {
  rx_table *in = read_reference("assoc_in.tsv"), *out;
  size_t n = in->n_rows;
  int *cluster = need(n, sizeof *cluster), *er = need(n, sizeof *er);
  double *age = need(n, sizeof *age);
  rx_test test;

  (void)state;
  out = read_reference("assoc_out.tsv"); /* no header: chisq stands there */
  for (size_t i = 0; i < n; i++) {
    cluster[i] = (int)cell(in, i, 1) - 1;
    er[i] = (int)cell(in, i, 2);
    age[i] = cell(in, i, 3);
  }
  rx_compare_chi_square(cluster, er, n, &test);
  assert_near(test.statistic, atof(rx_table_name(out, 1)), tolerance);
  assert_near(test.p / atof(rx_table_name(out, 2)), 1, tolerance);
  rx_compare_fisher(cluster, er, n, &test);
  assert_near(test.p / cell(out, 0, 2), 1, tolerance);
  rx_compare_kruskal(cluster, age, n, &test);
  assert_near(test.statistic, cell(out, 1, 1), tolerance);
  assert_near(test.p / cell(out, 1, 2), 1, tolerance);
  rx_compare_anova(cluster, age, n, &test);
  assert_near(test.statistic, cell(out, 2, 1), tolerance);
  assert_near(test.p / cell(out, 2, 2), 1, tolerance);
  rx_table_destroy(&in);
  rx_table_destroy(&out);
  free(age);
  free(er);
  free(cluster);
}

/* Counts pairs of points, as the index is defined. */
static double rand_by_pairs(const int *a, const int *b, int n) {
  double both = 0, in_a = 0, in_b = 0, all = 0;

  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) {
      if (a[i] < 0 || a[j] < 0 || b[i] < 0 || b[j] < 0) continue;
      both += a[i] == a[j] && b[i] == b[j];
      in_a += a[i] == a[j];
      in_b += b[i] == b[j];
      all++;
    }
  return (both - in_a * in_b / all) / ((in_a + in_b) / 2 - in_a * in_b / all);
}

static void the_rand_index_counts_pairs_and_leaves_out_missing_labels(void **state) {
  rx_random random = rx_random_at(1, RX_RANDOM_SIMULATION, 0, 0);
  int a[50], b[50];
  double index;

  (void)state;
  for (int repeat = 0; repeat < 20; repeat++) {
    for (int i = 0; i < 50; i++) {
      a[i] = (int)rx_random_below(&random, 5) - 1;
      b[i] = (int)rx_random_below(&random, 3) ? a[i] : (int)rx_random_below(&random, 4) - 1;
    }
    assert_int_equal(rx_compare_rand(a, b, 50, &index), RX_OK);
    assert_near(index, rand_by_pairs(a, b, 50), 1e-12);
  }
  assert_int_equal(rx_compare_rand(a, a, 50, &index), RX_OK);
  assert_near(index, 1, 1e-12);
}

/* Fisher's p of a 2 x 2 table is a sum over the hypergeometric distribution. */
static void fishers_p_of_two_by_two_is_hypergeometric(void **state) {
  int a[24], b[24];
  rx_test test;

  (void)state;
  for (int x = 2; x <= 9; x++) { /* 9 of 24 in a, 11 in b, x in both; at least 9 + 11 - 24 */
    for (int i = 0; i < 24; i++) {
      a[i] = i < 9;
      b[i] = i < x || (i >= 9 && i < 9 + 11 - x);
    }
    double p = 0, seen = 0, total = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int y = 0; y <= 9; y++) {
        double weight = exp(-(lgamma(y + 1) + lgamma(10 - y) + lgamma(12 - y) + lgamma(5 + y)));
        if (y == x) seen = weight;
        if (pass == 0) total += weight;
        if (pass == 1 && weight <= seen * (1 + 1e-7)) p += weight;
      }
    assert_int_equal(rx_compare_fisher(a, b, 24, &test), RX_OK);
    assert_near(test.p, p / total, 1e-12);
  }
}

static void what_cannot_be_tested_has_no_p(void **state) {
  int one[] = {0, 0, 0, 0}, two[] = {0, 1, 0, 1}, none[] = {-1, -1, -1, -1};
  double values[] = {1, 1, 1, 1}, missing[] = {NAN, NAN, NAN, 2};
  rx_test test;

  (void)state;
  rx_compare_chi_square(one, two, 4, &test);
  assert_true(isnan(test.p) && test.n == 4);
  rx_compare_fisher(none, two, 4, &test);
  assert_true(isnan(test.p) && test.n == 0);
  rx_compare_kruskal(two, values, 4, &test);
  assert_true(isnan(test.p));
  rx_compare_kruskal(two, missing, 4, &test);
  assert_true(isnan(test.p) && test.n == 1);
  rx_compare_anova(one, values, 4, &test);
  assert_true(isnan(test.p));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances_have_the_same_bits_with_any_instruction_set_and_split),
      cmocka_unit_test(points_of_columns_are_those_of_the_transposed_rows),
      cmocka_unit_test(a_constant_point_has_no_correlation_and_is_counted),
      cmocka_unit_test(trees_are_those_of_r),
      cmocka_unit_test(trees_are_those_of_the_reference),
      cmocka_unit_test(a_ward_height_is_the_root_of_twice_the_added_sum_of_squares),
      cmocka_unit_test(single_linkage_heights_are_the_edges_of_a_spanning_tree),
      cmocka_unit_test(ties_and_equal_points_give_a_whole_tree),
      cmocka_unit_test(one_point_is_a_tree_and_two_are),
      cmocka_unit_test(cuts_are_those_of_r),
      cmocka_unit_test(silhouettes_are_those_of_r),
      cmocka_unit_test(cuts_and_silhouettes_are_those_of_the_reference),
      cmocka_unit_test(tests_are_those_of_r),
      cmocka_unit_test(tests_are_those_of_the_reference),
      cmocka_unit_test(the_rand_index_counts_pairs_and_leaves_out_missing_labels),
      cmocka_unit_test(fishers_p_of_two_by_two_is_hypergeometric),
      cmocka_unit_test(what_cannot_be_tested_has_no_p),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
