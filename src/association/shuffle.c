#include "shuffle.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/random.h"

void rx_shuffle_destroy(rx_shuffle **shuffle) {
  rx_shuffle *s = *shuffle;

  if (!s) return;
  free(s->by_key);
  free(s->key);
  free(s->block);
  free(s);
  *shuffle = NULL;
}

static bool is_same_level(const rx_column *column, ptrdiff_t a, ptrdiff_t b) {
  if (a < 0 || b < 0) return a < 0 && b < 0;
  if (column->kind == RX_TEXT) return !strcmp(column->text[a], column->text[b]);
  if (column->kind == RX_INTEGER) return column->integer[a] == column->integer[b];
  return column->real[a] == column->real[b] ||
         (column->real[a] != column->real[a] && column->real[b] != column->real[b]);
}

/* Numbers the levels in the order of coming. */
static void number_blocks(const rx_roster *roster, const rx_column *column, rx_shuffle *s) {
  for (size_t i = 0; i < s->n_patients; i++) {
    size_t first = 0;
    while (!is_same_level(column, roster->clinical_row[first], roster->clinical_row[i])) first++;
    s->block[i] = first < i ? s->block[first] : s->n_blocks++;
  }
}

rx_status rx_shuffle_create(const rx_job *job, const rx_roster *roster, const char *blocks,
                            rx_shuffle **out) {
  const size_t n = roster->n_patients;
  const rx_column *column = roster->clinical ? rx_frame_find(roster->clinical, blocks) : NULL;

  *out = NULL;
  if (*blocks && !column)
    return RX_FAIL(RX_ERR_CONFIG,
                   "association.blocks: expected a column of study.clinical (%.300s), "
                   "found '%.80s'",
                   job->config->study_clinical, blocks);
  RX_TRY(RX_NEW(out, "associate: permutations", 1));
  rx_shuffle *s = *out;
  s->n_patients = n;
  rx_status status = RX_NEW(&s->block, "associate: permutations", n);
  if (!status) status = RX_NEW(&s->key, "associate: permutations", n);
  if (!status) status = RX_NEW(&s->by_key, "associate: permutations", n);
  if (status)
    rx_shuffle_destroy(out);
  else if (column)
    number_blocks(roster, column, s);
  else
    s->n_blocks = 1;
  return status;
}

void rx_shuffle_draw(rx_shuffle *s, int seed, int permutation) {
  for (size_t i = 0; i < s->n_patients; i++) {
    rx_random random =
        rx_random_at((uint64_t)seed, RX_RANDOM_PERMUTATION, (uint32_t)permutation, (uint32_t)i);
    s->key[i] = rx_random_uniform(&random);
  }
}

/* Insertion sort of the places of a block by their keys. */
static void sort_by_key(const double *key, const size_t *member, size_t n, size_t *place) {
  for (size_t i = 1; i < n; i++) {
    size_t p = place[i], to = i;
    for (; to > 0 && key[member[place[to - 1]]] > key[member[p]]; to--) place[to] = place[to - 1];
    place[to] = p;
  }
}

void rx_shuffle_places(rx_shuffle *s, size_t n_members, const size_t *member, size_t *from) {
  for (int block = 0; block < s->n_blocks; block++) {
    size_t n = 0, taken = 0;
    for (size_t i = 0; i < n_members; i++)
      if (s->block[member[i]] == block) s->by_key[n++] = i;
    sort_by_key(s->key, member, n, s->by_key);
    for (size_t i = 0; i < n_members; i++)
      if (s->block[member[i]] == block) from[i] = s->by_key[taken++];
  }
}
