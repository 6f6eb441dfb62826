#include "genes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "radmix/error.h"

void rx_genes_name(const char *id, char name[RX_GENE_SIZE]) {
  snprintf(name, RX_GENE_SIZE, "%s", id);
  if (strncmp(name, "ENS", 3) != 0) return;
  char *dot = strchr(name, '.');
  if (dot && dot[1] >= '0' && dot[1] <= '9') *dot = '\0';
}

bool rx_genes_is_counter(const char *name) {
  static const char *const counters[] = {"N_unmapped", "N_multimapping", "N_noFeature",
                                         "N_ambiguous"};

  if (!strncmp(name, "__", 2)) return true;
  for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
    if (!strcmp(name, counters[i])) return true;
  return false;
}

/* The rows of a table by the id in a column; of an id that is there twice the first. */
static rx_status index_rows(const rx_table *table, size_t column, rx_names **rows,
                            size_t *n_repeated) {
  char name[RX_GENE_SIZE];

  *n_repeated = 0;
  RX_TRY(rx_names_create(rows));
  for (size_t row = 0; row < table->n_rows; row++) {
    ptrdiff_t before;

    rx_genes_name(rx_table_cell(table, row, column), name);
    if (rx_is_missing(name)) continue;
    RX_TRY(rx_names_add(*rows, name, (ptrdiff_t)row, &before));
    *n_repeated += before >= 0;
  }
  return RX_OK;
}

static rx_status find_column(const rx_table *table, const char *name, size_t *column) {
  for (*column = 0; *column < table->n_columns; ++*column)
    if (!strcasecmp(rx_table_name(table, *column), name)) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s:1: expected a column %s, found none", table->path, name);
}

static rx_status index_map(rx_gene_map *map) {
  if (map->table->n_columns < 2)
    return RX_FAIL(RX_ERR_INPUT, "%s:1: expected columns id and symbol, found %zu column",
                   map->table->path, map->table->n_columns);
  if (find_column(map->table, "symbol", &map->name_column) || map->name_column == 0)
    map->name_column = 1;
  return index_rows(map->table, 0, &map->rows, &map->n_repeated);
}

rx_status rx_gene_map_load(MPI_Comm comm, const char *path, rx_gene_map *map) {
  *map = (rx_gene_map){0};
  if (!*path) return RX_OK;
  RX_TRY(rx_table_load(comm, path, &map->table));
  rx_status status = RX_AGREE(comm, index_map(map));
  if (status) rx_gene_map_destroy(map);
  return status;
}

void rx_gene_map_destroy(rx_gene_map *map) {
  rx_table_destroy(&map->table);
  rx_names_destroy(&map->rows);
}

ptrdiff_t rx_gene_map_find(const rx_gene_map *map, const char *id) {
  return map->rows ? rx_names_find(map->rows, id) : -1;
}

static rx_status index_lengths(rx_gene_lengths *lengths) {
  size_t gene, type, n_repeated;

  RX_TRY(find_column(lengths->table, "gene", &gene));
  RX_TRY(find_column(lengths->table, "length", &lengths->length_column));
  lengths->type_column = find_column(lengths->table, "type", &type) ? -1 : (ptrdiff_t)type;
  return index_rows(lengths->table, gene, &lengths->rows, &n_repeated);
}

rx_status rx_gene_lengths_load(MPI_Comm comm, const char *path, rx_gene_lengths *lengths) {
  *lengths = (rx_gene_lengths){.type_column = -1};
  if (!*path) return RX_OK;
  RX_TRY(rx_table_load(comm, path, &lengths->table));
  rx_status status = RX_AGREE(comm, index_lengths(lengths));
  if (status) rx_gene_lengths_destroy(lengths);
  return status;
}

void rx_gene_lengths_destroy(rx_gene_lengths *lengths) {
  rx_table_destroy(&lengths->table);
  rx_names_destroy(&lengths->rows);
}

rx_status rx_gene_lengths_find(const rx_gene_lengths *lengths, const char *gene, double *length,
                               bool *is_coding) {
  ptrdiff_t row = rx_names_find(lengths->rows, gene);

  *length = NAN;
  *is_coding = false;
  if (row < 0) return RX_OK;
  RX_TRY(rx_table_number(lengths->table, (size_t)row, lengths->length_column, length));
  if (*length <= 0)
    return RX_FAIL(RX_ERR_INPUT, "%s:%lld: expected a length above 0 for '%.80s', found %g",
                   lengths->table->path, (long long)rx_table_line(lengths->table, (size_t)row),
                   gene, *length);
  *is_coding = lengths->type_column < 0 ||
               !strcmp(rx_table_cell(lengths->table, (size_t)row, (size_t)lengths->type_column),
                       "protein_coding");
  return RX_OK;
}
