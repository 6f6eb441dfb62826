#include "trained.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { BLOCK = 1 << 20 }; /* numbers read at a time */

static const char method_name[] = "uns/training/method";
static const char genes_name[] = "uns/training/genes";
static const char rows_name[] = "uns/training/rows";

static rx_status read_rows(rx_store *store, rx_trained *trained) {
  RX_TRY(rx_names_create(&trained->row_places));
  if (!rx_store_has(store, rows_name)) return RX_OK;
  RX_TRY(rx_store_get_texts(store, rows_name, &trained->n_rows, &trained->rows));
  for (size_t row = 0; row < trained->n_rows; row++)
    RX_TRY(rx_names_add(trained->row_places, trained->rows[row], (ptrdiff_t)row, NULL));
  return RX_OK;
}

/* Reads scales and names. */
static rx_status read_small(const rx_job *job, rx_store *store, rx_trained *trained) {
  RX_TRY(rx_scales_create(&trained->scales));
  RX_TRY(rx_scales_read(store, trained->scales));
  RX_TRY(rx_names_create(&trained->places));
  if (rx_store_has(store, method_name)) {
    RX_TRY(rx_store_get_text(store, method_name, &trained->method));
    RX_TRY(rx_store_get_texts(store, genes_name, &trained->n_genes, &trained->genes));
  } else {
    RX_TRY(rx_copy_text("", &trained->method));
  }
  for (size_t gene = 0; gene < trained->n_genes; gene++)
    RX_TRY(rx_names_add(trained->places, trained->genes[gene], (ptrdiff_t)gene, NULL));
  RX_TRY(read_rows(store, trained));
  if (!trained->n_genes && !trained->n_rows && !rx_scales_count(trained->scales))
    return RX_FAIL(RX_ERR_INPUT,
                   "%s: expected a factors.h5ad with the scales of a cohort, found none in it",
                   job->config->genomics_apply);
  return RX_OK;
}

rx_status rx_trained_load(const rx_job *job, rx_trained **out) {
  const char *path = job->config->genomics_apply;
  rx_store *store = NULL;

  *out = NULL;
  if (!*path) return RX_OK;
  RX_TRY(RX_NEW_AGREED(job->comm, out, "training cohort", 1));
  rx_status status = rx_matrix_open(job->comm, path, &(*out)->matrix);
  if (status) goto done;
  /* every rank reads the few names for itself: a file opened for reading, serially */
  status = rx_store_open(path, &store);
  if (!status) status = read_small(job, store, *out);
  rx_store_close(&store);
  if ((status = RX_AGREE(job->comm, status))) goto done;
  if (rx_matrix_has((*out)->matrix, RX_TRAINED_EXPRESSION)) {
    size_t n_rows;
    status = rx_matrix_shape((*out)->matrix, RX_TRAINED_EXPRESSION, &n_rows, &(*out)->n_patients);
    if (!status && n_rows != (*out)->n_genes)
      status =
          RX_FAIL(RX_ERR_INPUT, "%s: expected %zu genes in " RX_TRAINED_EXPRESSION ", found %zu",
                  path, (*out)->n_genes, n_rows);
  }
done:
  if (status) rx_trained_destroy(out);
  return status;
}

void rx_trained_destroy(rx_trained **trained) {
  rx_trained *t = *trained;

  if (!t) return;
  rx_matrix_destroy(&t->matrix);
  rx_scales_destroy(&t->scales);
  rx_texts_destroy(&t->genes, t->n_genes);
  rx_names_destroy(&t->places);
  rx_texts_destroy(&t->rows, t->n_rows);
  rx_names_destroy(&t->row_places);
  free(t->method);
  free(t);
  *trained = NULL;
}

rx_status rx_trained_values(const rx_job *job, const rx_trained *trained, size_t n,
                            const size_t *place, double *value) {
  size_t width = trained->n_patients, rows = BLOCK / width + 1;
  double *block;

  rx_status status = RX_NEW_AGREED(job->comm, &block, "training expression", rows * width);
  for (size_t from = 0; from < trained->n_genes && !status; from += rows) {
    size_t count = trained->n_genes - from < rows ? trained->n_genes - from : rows;

    status = rx_matrix_read(trained->matrix, RX_TRAINED_EXPRESSION, RX_FLOAT64, from, count, 0,
                            width, block);
    for (size_t i = 0; i < n && !status; i++)
      if (place[i] >= from && place[i] < from + count)
        memcpy(value + i * width, block + (place[i] - from) * width, width * sizeof *value);
  }
  free(block);
  return status;
}

rx_status rx_trained_write_rows(rx_store *store, size_t n, char *const *rows) {
  return rx_store_put_texts(store, rows_name, n, rows);
}

rx_status rx_trained_write(rx_store *store, const char *method, size_t n, char *const *genes) {
  RX_TRY(rx_store_put_text(store, method_name, method));
  return rx_store_put_texts(store, genes_name, n, genes);
}
