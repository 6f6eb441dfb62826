#include "survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "study.h"

enum { BLOCK = 64, N_LAYERS = 6 };

/* Layers that are read, in the order of a cell. */
static const char *const layers[N_LAYERS] = {"X",
                                             "layers/beta",
                                             "layers/log10_p",
                                             "layers/q_factor",
                                             "layers/q_all",
                                             "layers/q_hierarchical"};

static const double hit = 0.05;

/* A block of factors: values [N_LAYERS][n_features][count]. */
typedef struct {
  size_t first, count;
  double *values[N_LAYERS]; /* views into memory */
  double *memory;
} block;

/* ---- the strongest cells: a heap whose first is the weakest ---- */

static double or_one(double q) {
  return isnan(q) ? 1 : q;
}

/* Tells whether a comes before b in a list of hits. */
static bool is_stronger(const rx_survey_cell *a, const rx_survey_cell *b) {
  double qa = or_one(a->q_hierarchical), qb = or_one(b->q_hierarchical);

  if (qa != qb) return qa < qb;
  if (a->log10_p != b->log10_p) return a->log10_p < b->log10_p;
  if (a->factor != b->factor) return a->factor < b->factor;
  return a->feature < b->feature;
}

static void sink(rx_survey_cell *heap, size_t n, size_t at) {
  for (;;) {
    size_t weakest = at, child = 2 * at + 1;
    for (size_t c = child; c < child + 2 && c < n; c++)
      if (is_stronger(&heap[weakest], &heap[c])) weakest = c;
    if (weakest == at) return;
    rx_survey_cell kept = heap[at];
    heap[at] = heap[weakest];
    heap[weakest] = kept;
    at = weakest;
  }
}

static void rise(rx_survey_cell *heap, size_t at) {
  while (at && is_stronger(&heap[(at - 1) / 2], &heap[at])) {
    rx_survey_cell kept = heap[at];
    heap[at] = heap[(at - 1) / 2];
    heap[(at - 1) / 2] = kept;
    at = (at - 1) / 2;
  }
}

static void keep(rx_survey *survey, size_t room, const rx_survey_cell *cell) {
  if (survey->n_top < room) {
    survey->top[survey->n_top] = *cell;
    rise(survey->top, survey->n_top++);
  } else if (room && is_stronger(cell, &survey->top[0])) {
    survey->top[0] = *cell;
    sink(survey->top, room, 0);
  }
}

static int compare_cells(const void *a, const void *b) {
  return is_stronger(a, b) ? -1 : is_stronger(b, a);
}

/* ---- kinds ---- */

static int find_kind(rx_survey *survey, char *name) {
  static char others[] = "other kinds";
  int k = 0;

  while (k < survey->n_kinds && strcmp(survey->kinds[k].name, name)) k++;
  if (k < survey->n_kinds) return k;
  if (k == RX_SURVEY_MOST_KINDS) return k - 1;
  survey->kinds[k].name = k == RX_SURVEY_MOST_KINDS - 1 ? others : name;
  return survey->n_kinds++;
}

static rx_status sort_kinds(rx_survey *survey) {
  static char factor[] = "factor";
  const rx_column *kind = rx_frame_find(survey->matrix->var, "kind");

  for (size_t f = 0; f < survey->n_factors; f++) {
    bool has_kind = kind && kind->kind == RX_TEXT && *kind->text[f];
    survey->factors[f].kind = find_kind(survey, has_kind ? kind->text[f] : factor);
    survey->kinds[survey->factors[f].kind].n_factors++;
  }
  for (int k = 0; k < survey->n_kinds; k++)
    RX_TRY(RX_NEW(&survey->kinds[k].bins, "p values", RX_SURVEY_BINS));
  return RX_OK;
}

/* ---- reading ---- */

static rx_status read_block(const rx_survey *survey, block *b) {
  size_t n = survey->n_features * b->count;

  for (int l = 0; l < N_LAYERS; l++) {
    b->values[l] = b->memory + (size_t)l * n;
    if (rx_matrix_has(survey->matrix, layers[l]))
      RX_TRY(rx_matrix_read(survey->matrix, layers[l], RX_FLOAT64, 0, survey->n_features, b->first,
                            b->count, b->values[l]));
    else
      for (size_t i = 0; i < n; i++) b->values[l][i] = NAN;
  }
  return RX_OK;
}

static void count_cell(rx_survey *survey, const rx_survey_cell *cell) {
  rx_survey_factor *factor = &survey->factors[cell->factor];
  rx_survey_kind *kind = &survey->kinds[factor->kind];
  double place = floor(-cell->log10_p * RX_SURVEY_BINS_A_UNIT);

  if (isnan(cell->log10_p)) {
    kind->n_not_tested++;
    return;
  }
  kind->n_tests++;
  factor->n_tests++;
  kind->bins[(size_t)fmin(fmax(place, 0), RX_SURVEY_BINS - 1)]++;
  factor->hits_factor += cell->q_factor < hit;
  factor->hits_all += cell->q_all < hit;
  factor->hits_hierarchical += cell->q_hierarchical < hit;
  if (cell->log10_p < factor->least_log10_p) {
    factor->least_log10_p = cell->log10_p;
    factor->least_q_factor = cell->q_factor;
    factor->best = cell->feature;
  }
}

static void count_block(rx_survey *survey, const block *b, size_t room) {
  for (size_t j = 0; j < survey->n_features; j++)
    for (size_t c = 0; c < b->count; c++) {
      size_t i = j * b->count + c;
      rx_survey_cell cell = {j,
                             b->first + c,
                             b->values[0][i],
                             b->values[1][i],
                             b->values[2][i],
                             b->values[3][i],
                             b->values[4][i],
                             b->values[5][i]};
      count_cell(survey, &cell);
      if (!isnan(cell.log10_p)) keep(survey, room, &cell);
    }
}

static rx_status read_all(rx_survey *survey, size_t room) {
  block b = {.count = BLOCK};

  RX_TRY(RX_NEW(&b.memory, "associations", N_LAYERS * survey->n_features * BLOCK));
  rx_status status = RX_OK;
  for (; b.first < survey->n_factors && !status; b.first += BLOCK) {
    b.count = survey->n_factors - b.first < BLOCK ? survey->n_factors - b.first : BLOCK;
    status = read_block(survey, &b);
    if (!status) count_block(survey, &b, room);
  }
  free(b.memory);
  return status;
}

/* ---- totals ---- */

static void add_factors(rx_survey *survey) {
  for (size_t f = 0; f < survey->n_factors; f++) {
    const rx_survey_factor *factor = &survey->factors[f];
    rx_survey_kind *kind = &survey->kinds[factor->kind];
    kind->hits_factor += factor->hits_factor;
    kind->hits_all += factor->hits_all;
    kind->hits_hierarchical += factor->hits_hierarchical;
    kind->factors_factor += factor->hits_factor > 0;
    kind->factors_all += factor->hits_all > 0;
    kind->factors_hierarchical += factor->hits_hierarchical > 0;
  }
}

static void add_kinds(rx_survey *survey) {
  rx_survey_kind *total = &survey->total;

  for (int k = 0; k < survey->n_kinds; k++) {
    const rx_survey_kind *kind = &survey->kinds[k];
    total->n_factors += kind->n_factors;
    total->n_tests += kind->n_tests;
    total->n_not_tested += kind->n_not_tested;
    total->hits_factor += kind->hits_factor;
    total->hits_all += kind->hits_all;
    total->hits_hierarchical += kind->hits_hierarchical;
    total->factors_factor += kind->factors_factor;
    total->factors_all += kind->factors_all;
    total->factors_hierarchical += kind->factors_hierarchical;
  }
}

/* What a ranking compares: more hits, then the smaller p, then the earlier place. */
typedef struct {
  double hits, log10_p;
  size_t factor;
} place;

static int compare_places(const void *a, const void *b) {
  const place *x = a, *y = b;

  if (x->hits != y->hits) return x->hits > y->hits ? -1 : 1;
  if (x->log10_p != y->log10_p) return x->log10_p < y->log10_p ? -1 : 1;
  return x->factor < y->factor ? -1 : 1;
}

static rx_status rank_factors(rx_survey *survey) {
  place *places;

  RX_TRY(RX_NEW(&places, "factors", survey->n_factors));
  for (size_t f = 0; f < survey->n_factors; f++)
    places[f] = (place){survey->factors[f].hits_hierarchical, survey->factors[f].least_log10_p, f};
  qsort(places, survey->n_factors, sizeof *places, compare_places);
  for (size_t f = 0; f < survey->n_factors; f++) survey->ranking[f] = places[f].factor;
  free(places);
  return RX_OK;
}

static rx_status fill(rx_survey *survey, size_t n_top) {
  double n_cells = (double)survey->n_features * (double)survey->n_factors;
  size_t room = (double)n_top > n_cells ? (size_t)n_cells : n_top;

  RX_TRY(RX_NEW(&survey->factors, "factors", survey->n_factors));
  RX_TRY(RX_NEW(&survey->ranking, "factors", survey->n_factors));
  RX_TRY(RX_NEW(&survey->top, "hits", room));
  for (size_t f = 0; f < survey->n_factors; f++)
    survey->factors[f] = (rx_survey_factor){.least_q_factor = NAN, .least_log10_p = INFINITY};
  RX_TRY(sort_kinds(survey));
  RX_TRY(read_all(survey, room));
  qsort(survey->top, survey->n_top, sizeof *survey->top, compare_cells);
  add_factors(survey);
  add_kinds(survey);
  return rank_factors(survey);
}

rx_status rx_survey_create(const rx_matrix *matrix, size_t n_top, rx_survey **out) {
  RX_TRY(RX_NEW(out, "associations", 1));
  (*out)->matrix = matrix;
  (*out)->n_features = matrix->n_obs;
  (*out)->n_factors = matrix->n_var;
  rx_status status = fill(*out, n_top);
  if (status) rx_survey_destroy(out);
  return status;
}

void rx_survey_destroy(rx_survey **survey) {
  if (!*survey) return;
  for (int k = 0; k < (*survey)->n_kinds; k++) free((*survey)->kinds[k].bins);
  free((*survey)->factors);
  free((*survey)->ranking);
  free((*survey)->top);
  free(*survey);
  *survey = NULL;
}
