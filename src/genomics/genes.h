/* genes.h: names of genes: versions, id maps, lengths. Local but for the reading of tables. */
#ifndef GENOMICS_GENES_H
#define GENOMICS_GENES_H

#include <mpi.h>
#include <stdbool.h>

#include "radmix/status.h"
#include "radmix/table.h"
#include "radmix/text.h"

enum { RX_GENE_SIZE = 256 };

/* Cuts the version off an ENSEMBL id (ENSG00000141510.16); leaves any other name as it is. */
void rx_genes_name(const char *id, char name[RX_GENE_SIZE]);

/* Whether a row of a count table is no gene but a counter of htseq-count (__no_feature) or STAR
 * (N_unmapped). */
bool rx_genes_is_counter(const char *name);

/* An id map: a table whose first column is the id of the expression table; the column `symbol`
 * (else the second) names the gene; every other column is a further id of it. */
typedef struct {
  rx_table *table;
  rx_names *rows; /* id -> row */
  size_t name_column, n_repeated;
} rx_gene_map;

/* Collective over comm. path "" makes an empty map. Errors: as rx_table_load(), and RX_ERR_INPUT
 * for a table of one column. */
rx_status rx_gene_map_load(MPI_Comm comm, const char *path, rx_gene_map *map);
void rx_gene_map_destroy(rx_gene_map *map);
/* Returns the row of an id without version, or -1. */
ptrdiff_t rx_gene_map_find(const rx_gene_map *map, const char *id);

/* Lengths of genes: columns gene, length and, if the table has it, type (protein_coding decides
 * what enters the upper quartile). */
typedef struct {
  rx_table *table;
  rx_names *rows;
  size_t length_column;
  ptrdiff_t type_column; /* -1: none */
} rx_gene_lengths;

rx_status rx_gene_lengths_load(MPI_Comm comm, const char *path, rx_gene_lengths *lengths);
void rx_gene_lengths_destroy(rx_gene_lengths *lengths);
/* Gives the length of a gene in bases, NAN when it is unknown, and whether it codes for a protein.
 * Errors: RX_ERR_INPUT: a length that is no positive number. */
rx_status rx_gene_lengths_find(const rx_gene_lengths *lengths, const char *gene, double *length,
                               bool *is_coding);

#endif
