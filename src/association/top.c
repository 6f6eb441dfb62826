/* radmix top: the strongest associations, or the factors, as TSV on standard output. Rank 0 works;
 * the others wait. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/association.h"
#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { ROWS_AT_ONCE = 64, PATH_SIZE = 4096, DEFAULT_ROWS = 100 };

/* What the command line asks for. */
typedef struct {
  const char *factor, *kind; /* NULL: all */
  double q;                  /* largest; INFINITY: any */
  size_t n;                  /* rows printed */
  bool by_factor;            /* a line a factor, by Simes p, instead of a line a cell */
} wish;

typedef struct {
  double q, log10_p;
  size_t feature, factor;
  size_t row; /* of uns/hits, in a file that holds hits only */
} cell;

static const char *value_of(const char *option, const char *name) {
  size_t n = strlen(name);

  return strncmp(option, name, n) ? NULL : option + n;
}

static rx_status take_option(const char *option, wish *w) {
  const char *value;
  double number;

  if ((value = value_of(option, "--factor="))) return w->factor = value, RX_OK;
  if ((value = value_of(option, "--kind="))) return w->kind = value, RX_OK;
  if (!strcmp(option, "--factors")) return w->by_factor = true, RX_OK;
  if ((value = value_of(option, "--q=")) && rx_number_read(value, &number) && number >= 0)
    return w->q = number, RX_OK;
  if ((value = value_of(option, "--n=")) && rx_number_read(value, &number) && number >= 1 &&
      number <= 1e9)
    return w->n = (size_t)number, RX_OK;
  return RX_FAIL(RX_ERR_USAGE,
                 "%.200s: expected --factor=NAME, --kind=KIND, --q=LARGEST, --n=ROWS or --factors",
                 option);
}

/* Strongest first; ties in the order of the file. */
static int compare_cells(const void *left, const void *right) {
  const cell *a = left, *b = right;

  if (a->q != b->q) return a->q < b->q ? -1 : 1;
  if (a->log10_p != b->log10_p) return a->log10_p < b->log10_p ? -1 : 1;
  if (a->factor != b->factor) return a->factor < b->factor ? -1 : 1;
  return a->feature < b->feature ? -1 : a->feature > b->feature;
}

static bool is_wanted(const rx_matrix *m, const rx_column *kind, const wish *w, size_t factor) {
  if (w->factor && strcmp(m->var->names[factor], w->factor)) return false;
  return !w->kind || (kind && !strcmp(kind->text[factor], w->kind));
}

/* The best cells so far: twice as many as are wanted, cut to n when full. */
typedef struct {
  size_t n_wanted, n, room;
  cell *cells;
} best;

static void keep(best *b, cell c) {
  if (b->n == b->room) {
    qsort(b->cells, b->n, sizeof *b->cells, compare_cells);
    b->n = b->n_wanted;
  }
  b->cells[b->n++] = c;
}

/* Looks through the grid, some rows at a time. */
static rx_status find_cells(const rx_matrix *m, const wish *w, best *b) {
  size_t n_var = m->n_var;
  const rx_column *kind = rx_frame_find(m->var, "kind");
  double *q = NULL, *p = NULL;
  rx_status status = RX_NEW(&q, "top", ROWS_AT_ONCE * n_var);

  if (!status) status = RX_NEW(&p, "top", ROWS_AT_ONCE * n_var);
  for (size_t row = 0; row < m->n_obs && !status; row += ROWS_AT_ONCE) {
    size_t rows = m->n_obs - row < ROWS_AT_ONCE ? m->n_obs - row : ROWS_AT_ONCE;
    status = rx_matrix_read(m, "layers/q_hierarchical", RX_FLOAT64, row, rows, 0, n_var, q);
    if (!status) status = rx_matrix_read(m, "layers/log10_p", RX_FLOAT64, row, rows, 0, n_var, p);
    for (size_t i = 0; i < rows * n_var && !status; i++)
      if (q[i] <= w->q && p[i] <= 0 && is_wanted(m, kind, w, i % n_var))
        keep(b, (cell){q[i], p[i], row + i / n_var, i % n_var, 0});
  }
  free(q);
  free(p);
  qsort(b->cells, b->n, sizeof *b->cells, compare_cells);
  if (b->n > b->n_wanted) b->n = b->n_wanted;
  return status;
}

static double number_of(const rx_column *column, size_t row) {
  if (!column || column->kind == RX_TEXT) return NAN;
  return column->kind == RX_INTEGER ? (double)column->integer[row] : column->real[row];
}

/* Finds the best of a file of hits. hits  NULL when there are none */
static rx_status find_hits(const rx_matrix *m, const wish *w, const rx_frame *hits, best *b) {
  const rx_column *kind = rx_frame_find(m->var, "kind"), *q, *p, *feature, *factor;

  if (!hits) return RX_OK;
  q = rx_frame_find(hits, "q_hierarchical"), p = rx_frame_find(hits, "log10_p");
  feature = rx_frame_find(hits, "feature"), factor = rx_frame_find(hits, "factor");
  for (size_t row = 0; row < hits->n_rows; row++) {
    double i = number_of(feature, row), j = number_of(factor, row);
    if (!(i >= 0 && i < (double)m->n_obs && j >= 0 && j < (double)m->n_var))
      return RX_FAIL(RX_ERR_INPUT, "%s: /uns/hits: expected rows of obs and var in line %zu",
                     m->path, row);
    cell c = {number_of(q, row), number_of(p, row), (size_t)i, (size_t)j, row};
    if (c.q <= w->q && c.log10_p <= 0 && is_wanted(m, kind, w, c.factor)) keep(b, c);
  }
  qsort(b->cells, b->n, sizeof *b->cells, compare_cells);
  if (b->n > b->n_wanted) b->n = b->n_wanted;
  return RX_OK;
}

/* What is printed of a cell, by the name of its layer. */
static rx_status value_of_cell(const rx_matrix *m, const rx_frame *hits, const cell *c,
                               const char *layer, double *value) {
  if (!hits) return rx_matrix_read(m, layer, RX_FLOAT64, c->feature, 1, c->factor, 1, value);
  *value = number_of(rx_frame_find(hits, !strcmp(layer, "X") ? "t" : rx_path_name(layer)), c->row);
  return RX_OK;
}

static rx_status print_cells(const rx_matrix *m, const rx_frame *hits, const best *b) {
  static const char *const layers[] = {"layers/beta",
                                       "layers/se",
                                       "X",
                                       "layers/df",
                                       "layers/log10_p",
                                       "layers/q_factor",
                                       "layers/q_all",
                                       "layers/q_hierarchical",
                                       "layers/variance_ratio",
                                       "layers/log10_p_means"};
  enum { N_LAYERS = sizeof layers / sizeof *layers };
  const rx_column *kind = rx_frame_find(m->var, "kind");

  puts(
      "feature\tfactor\tkind\tbeta\tse\tt\tdf\tlog10_p\tq_factor\tq_all\tq_hierarchical\t"
      "variance_ratio\tlog10_p_means");
  for (size_t i = 0; i < b->n; i++) {
    const cell *c = &b->cells[i];
    printf("%s\t%s\t%s", m->obs->names[c->feature], m->var->names[c->factor],
           kind ? kind->text[c->factor] : "");
    for (int k = 0; k < N_LAYERS; k++) {
      double value;
      RX_TRY(value_of_cell(m, hits, c, layers[k], &value));
      printf("\t%.10g", value);
    }
    putchar('\n');
  }
  return RX_OK;
}

/* The table of a file of hits; *hits stays NULL when it is empty. */
static rx_status read_hits(const rx_matrix *m, rx_frame **hits) {
  rx_store *store = NULL;

  RX_TRY(rx_store_open(m->path, &store));
  rx_status status =
      rx_store_has(store, "uns/hits") ? rx_store_get_frame(store, "uns/hits", hits) : RX_OK;
  rx_store_close(&store);
  return status;
}

static rx_status print_top_cells(const rx_matrix *m, const wish *w) {
  const bool is_full = rx_matrix_has(m, "X");
  rx_frame *hits = NULL;
  best b = {0};

  rx_status status = is_full ? RX_OK : read_hits(m, &hits);
  size_t all = is_full ? m->n_obs * m->n_var : hits ? hits->n_rows : 0;
  b.n_wanted = w->n < all ? w->n : all;
  b.room = 2 * b.n_wanted;
  if (!status) status = RX_NEW(&b.cells, "top", b.room);
  if (!status) status = is_full ? find_cells(m, w, &b) : find_hits(m, w, hits, &b);
  if (!status) status = print_cells(m, hits, &b);
  free(b.cells);
  rx_frame_destroy(&hits);
  return status;
}

/* A line a factor: q of its Simes p over the features, by which it stands. */
static rx_status print_top_factors(const rx_matrix *m, const wish *w) {
  const rx_frame *var = m->var;
  const rx_column *kind = rx_frame_find(var, "kind"), *simes = rx_frame_find(var, "log10_p_simes");
  const rx_column *q = rx_frame_find(var, "q_simes");
  const char *const counts[] = {"n_tests", "n_hits_factor", "n_hits_hierarchical"};
  cell *factors = NULL;
  size_t n = 0;

  RX_TRY(RX_NEW(&factors, "top", m->n_var));
  for (size_t j = 0; j < m->n_var; j++) {
    cell c = {number_of(q, j), number_of(simes, j), 0, j, 0};
    if (c.q <= w->q && c.log10_p <= 0 && is_wanted(m, kind, w, j)) factors[n++] = c;
  }
  qsort(factors, n, sizeof *factors, compare_cells);
  puts("factor\tkind\tlog10_p_simes\tq_simes\tn_tests\tn_hits_factor\tn_hits_hierarchical");
  for (size_t i = 0; i < n && i < w->n; i++) {
    size_t j = factors[i].factor;
    printf("%s\t%s\t%.6g\t%.6g", var->names[j], kind ? kind->text[j] : "", factors[i].log10_p,
           factors[i].q);
    for (int k = 0; k < 3; k++) printf("\t%.0f", number_of(rx_frame_find(var, counts[k]), j));
    putchar('\n');
  }
  free(factors);
  return RX_OK;
}

static rx_status print(const rx_job *job, const wish *w) {
  rx_matrix *matrix = NULL;
  char path[PATH_SIZE];

  RX_TRY(rx_job_path(job, "associations.h5ad", path, sizeof path));
  RX_TRY(rx_matrix_open(MPI_COMM_SELF, path, &matrix));
  rx_status status = w->by_factor ? print_top_factors(matrix, w) : print_top_cells(matrix, w);
  rx_matrix_destroy(&matrix);
  if (!status && fflush(stdout))
    status = RX_FAIL(RX_ERR_OUTPUT, "standard output: cannot be written");
  return status;
}

rx_status rx_association_top(const rx_job *job) {
  wish w = {.q = INFINITY, .n = DEFAULT_ROWS};
  rx_status status = RX_OK;

  for (int i = 0; i < job->n_options && !status; i++) status = take_option(job->options[i], &w);
  if (!status && job->rank == 0) status = print(job, &w);
  return RX_AGREE(job->comm, status);
}
