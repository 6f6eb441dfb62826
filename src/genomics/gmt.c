#include "gmt.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

static rx_status make_room(rx_gmt *gmt) {
  size_t n_cells = 0;

  for (size_t i = 0; i < gmt->lines.n; i++) {
    n_cells++;
    for (const char *c = gmt->lines.text[i]; *c; c++) n_cells += *c == '\t';
  }
  RX_TRY(RX_NEW(&gmt->name, "gene sets", gmt->lines.n));
  RX_TRY(RX_NEW(&gmt->first, "gene sets", gmt->lines.n + 1));
  return RX_NEW(&gmt->gene, "gene sets", n_cells);
}

/* Takes the next cell off a line; NULL at its end. */
static char *take_cell(char **rest) {
  char *cell = *rest;

  if (!cell) return NULL;
  char *tab = strchr(cell, '\t');
  if (tab) *tab = '\0';
  *rest = tab ? tab + 1 : NULL;
  return rx_trim(cell);
}

/* Reads the genes of one set. */
static rx_status take_genes(rx_gmt *gmt, size_t line, char *rest) {
  size_t set = gmt->n_sets, end = gmt->first[set];
  rx_names *seen = NULL;
  rx_status status = rx_names_create(&seen);

  for (char *gene; !status && (gene = take_cell(&rest));) {
    ptrdiff_t before;

    if (!*gene) continue;
    status = rx_names_add(seen, gene, 0, &before);
    if (!status && before >= 0)
      status = RX_FAIL(RX_ERR_INPUT,
                       "%s:%zu: expected each gene once in set '%.80s', found '%.80s' again",
                       gmt->lines.path, line, gmt->name[set], gene);
    gmt->gene[end++] = gene;
  }
  rx_names_destroy(&seen);
  if (!status && end == gmt->first[set])
    status = RX_FAIL(RX_ERR_INPUT,
                     "%s:%zu: expected a set, a description and its genes, TAB between, found set "
                     "'%.80s' without a gene",
                     gmt->lines.path, line, gmt->name[set]);
  gmt->first[++gmt->n_sets] = end;
  return status;
}

static rx_status take_sets(rx_gmt *gmt, rx_names *names) {
  RX_TRY(make_room(gmt));
  for (size_t i = 0; i < gmt->lines.n; i++) {
    char *rest = gmt->lines.text[i];
    size_t line = gmt->lines.line[i];
    ptrdiff_t before;

    const char *name = take_cell(&rest);
    if (!*name)
      return RX_FAIL(RX_ERR_INPUT, "%s:%zu: expected the name of a set, found none",
                     gmt->lines.path, line);
    RX_TRY(rx_names_add(names, name, (ptrdiff_t)line, &before));
    if (before >= 0)
      return RX_FAIL(RX_ERR_INPUT, "%s:%zu: expected each set once, found '%.80s' on line %td too",
                     gmt->lines.path, line, name, before);
    gmt->name[gmt->n_sets] = name;
    take_cell(&rest); /* the description */
    RX_TRY(take_genes(gmt, line, rest));
  }
  if (gmt->n_sets == 0)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected gene sets, found none", gmt->lines.path);
  return RX_OK;
}

rx_status rx_gmt_load(MPI_Comm comm, const char *path, rx_gmt *gmt) {
  rx_names *names = NULL;

  *gmt = (rx_gmt){0};
  RX_TRY(rx_lines_load(comm, path, &gmt->lines));
  rx_status status = rx_names_create(&names);
  if (!status) status = take_sets(gmt, names);
  rx_names_destroy(&names);
  status = RX_AGREE(comm, status);
  if (status) rx_gmt_destroy(gmt);
  return status;
}

void rx_gmt_destroy(rx_gmt *gmt) {
  free(gmt->name);
  free(gmt->first);
  free(gmt->gene);
  rx_lines_destroy(&gmt->lines);
  *gmt = (rx_gmt){0};
}
