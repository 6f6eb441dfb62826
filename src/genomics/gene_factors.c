#include "gene_factors.h"

#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "transpose.h"

const char *rx_gene_factors_files(const rx_config *config) {
  bool is_word = rx_is(config->genomics_genes, "all") || rx_is(config->genomics_genes, "none");

  return is_word ? "" : config->genomics_genes;
}

void rx_gene_choice_destroy(rx_gene_choice *choice) {
  free(choice->gene);
  free(choice->column);
  *choice = (rx_gene_choice){0};
}

static rx_status choice_create(size_t n, rx_gene_choice *choice) {
  RX_TRY(RX_NEW(&choice->gene, "genes", n));
  return RX_NEW(&choice->column, "genes", n);
}

/* Adds one gene. place  of it in the table; -1: it is not there */
static rx_status add_gene(const char *name, const char *source, ptrdiff_t place,
                          const rx_expression *expression, rx_factors *factors,
                          rx_gene_choice *choice) {
  rx_factor *factor;

  RX_TRY(rx_factors_add(factors, name, RX_FACTOR_GENE, source, &factor));
  factor->n_genes = 1;
  factor->n_matched = place >= 0;
  if (rx_names_find(expression->doubly, name) >= 0) RX_TRY(rx_factors_double(factor, name));
  if (place < 0) {
    factor->status = RX_FACTOR_FEW_GENES;
    return rx_factors_miss(factor, name);
  }
  choice->gene[choice->n] = (size_t)place;
  choice->column[choice->n++] = factors->n_factors - 1;
  return RX_OK;
}

static rx_status plan_all(const rx_expression *expression, rx_factors *factors,
                          rx_gene_choice *choice) {
  RX_TRY(choice_create(expression->n_genes, choice));
  for (size_t gene = 0; gene < expression->n_genes; gene++)
    RX_TRY(add_gene(expression->names[gene], expression->path, (ptrdiff_t)gene, expression, factors,
                    choice));
  return RX_OK;
}

typedef struct {
  size_t gene, column;
} pair;

static int by_gene(const void *left, const void *right) {
  const pair *a = left, *b = right;

  if (a->gene != b->gene) return a->gene < b->gene ? -1 : 1;
  return (a->column > b->column) - (a->column < b->column);
}

/* Brings the choice into the order of the genes, so that each rank's part is a run. */
static rx_status sort_choice(rx_gene_choice *choice) {
  pair *pairs;

  RX_TRY(RX_NEW(&pairs, "genes", choice->n));
  for (size_t i = 0; i < choice->n; i++) pairs[i] = (pair){choice->gene[i], choice->column[i]};
  qsort(pairs, choice->n, sizeof *pairs, by_gene);
  for (size_t i = 0; i < choice->n; i++) {
    choice->gene[i] = pairs[i].gene;
    choice->column[i] = pairs[i].column;
  }
  free(pairs);
  return RX_OK;
}

static rx_status plan_list(const rx_lines *lines, const rx_expression *expression,
                           rx_factors *factors, rx_gene_choice *choice) {
  for (size_t i = 0; i < lines->n; i++) {
    const char *name = rx_trim(lines->text[i]);

    if (strpbrk(name, "\t ,;"))
      return RX_FAIL(RX_ERR_INPUT, "%s:%zu: expected one gene, found '%.80s'", lines->path,
                     lines->line[i], name);
    if (rx_names_find(factors->factor_places, name) >= 0)
      return RX_FAIL(RX_ERR_INPUT, "%s:%zu: expected each gene once, found '%.80s' again",
                     lines->path, lines->line[i], name);
    RX_TRY(add_gene(name, lines->path, rx_expression_find(expression, name), expression, factors,
                    choice));
  }
  return RX_OK;
}

static rx_status plan_lists(const rx_job *job, const rx_list *files,
                            const rx_expression *expression, rx_factors *factors,
                            rx_gene_choice *choice) {
  rx_lines lines[64] = {{0}};
  size_t n = 0;
  rx_status status = RX_OK;

  if (files->n > 64)
    return RX_FAIL(RX_ERR_CONFIG, "genomics.genes: expected at most 64 files, found %d", files->n);
  for (int i = 0; i < files->n && !status; i++) {
    status = rx_lines_load(job->comm, files->items[i], &lines[i]);
    n += lines[i].n;
  }
  if (!status) {
    status = choice_create(n, choice);
    for (int i = 0; i < files->n && !status; i++)
      status = plan_list(&lines[i], expression, factors, choice);
    if (!status) status = sort_choice(choice);
    status = RX_AGREE(job->comm, status);
  }
  for (int i = 0; i < files->n; i++) rx_lines_destroy(&lines[i]);
  return status;
}

rx_status rx_gene_factors_plan(const rx_job *job, const rx_expression *expression,
                               rx_factors *factors, rx_gene_choice *choice) {
  rx_list files;

  *choice = (rx_gene_choice){0};
  if (rx_is(job->config->genomics_genes, "none")) return RX_OK;
  if (rx_is(job->config->genomics_genes, "all"))
    return RX_AGREE(job->comm, plan_all(expression, factors, choice));
  RX_TRY(rx_list_agreed(job->comm, job->config->genomics_genes, ',', &files));
  rx_status status = plan_lists(job, &files, expression, factors, choice);
  rx_list_destroy(&files);
  return status;
}

rx_status rx_gene_factors_put(const rx_job *job, const rx_expression *expression,
                              const rx_gene_choice *choice, rx_factors *factors) {
  size_t first = expression->border[job->rank], end = expression->border[job->rank + 1];
  size_t from = 0, to, n = expression->n_patients, *border = NULL;
  double *value = NULL;

  while (from < choice->n && choice->gene[from] < first) from++;
  for (to = from; to < choice->n && choice->gene[to] < end;) to++;
  rx_status status = RX_NEW(&value, "genes", (to - from) * n);
  if (!status) status = RX_NEW(&border, "genes of ranks", job->n_ranks + 1);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  for (size_t i = from; i < to; i++)
    memcpy(value + (i - from) * n, expression->value + (choice->gene[i] - first) * n,
           n * sizeof *value);
  rx_transpose_borders(job->comm, to - from, border);
  status = rx_factors_put(job, factors, value, border, n, expression->patients, choice->column);
done:
  free(value);
  free(border);
  return status;
}
