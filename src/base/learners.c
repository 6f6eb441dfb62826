/* study.training: the patients that a run learns from. */
#include "radmix/error.h"
#include "radmix/frame.h"

static rx_status add_keys(const rx_table *table, rx_names *learners) {
  ptrdiff_t column = rx_table_find(table, "patient");
  char key[RX_KEY_SIZE];

  if (!table->n_rows)
    return RX_FAIL(RX_ERR_INPUT, "%s: expected patients, found none", table->path);
  for (size_t row = 0; row < table->n_rows; row++) {
    rx_patient_key(rx_table_cell(table, row, column < 0 ? 0 : (size_t)column), key);
    RX_TRY(rx_names_add(learners, key, (ptrdiff_t)row, NULL));
  }
  return RX_OK;
}

rx_status rx_learners_load(MPI_Comm comm, const char *path, rx_names **out) {
  rx_table *table = NULL;

  *out = NULL;
  if (!*path) return RX_OK;
  RX_TRY(rx_table_load(comm, path, &table));
  rx_status status = rx_names_create(out);
  if (!status) status = add_keys(table, *out);
  status = RX_AGREE(comm, status);
  rx_table_destroy(&table);
  if (status) rx_names_destroy(out);
  return status;
}

bool rx_learners_has(const rx_names *learners, const char *patient) {
  char key[RX_KEY_SIZE];

  if (!learners) return true;
  rx_patient_key(patient, key);
  return rx_names_find(learners, key) >= 0;
}
