#include "control_patients.h"

#include "radmix/error.h"
#include "radmix/matrix.h"
#include "radmix/memory.h"
#include "radmix/table.h"
#include "radmix/text.h"

static rx_status add(rx_control_patients *patients, const char *name) {
  RX_TRY(rx_copy_text(name, &patients->names[patients->n]));
  patients->n++;
  return RX_OK;
}

static rx_status take_matrix(const rx_matrix *matrix, rx_control_patients *patients) {
  const rx_column *column = rx_frame_find(matrix->obs, "patient");
  char **names = column && column->kind == RX_TEXT ? column->text : matrix->obs->names;

  RX_TRY(RX_NEW(&patients->names, "patients", matrix->n_obs));
  rx_status status = RX_OK;
  for (size_t i = 0; i < matrix->n_obs && !status; i++) status = add(patients, names[i]);
  return status;
}

static rx_status take_table(const rx_table *table, rx_control_patients *patients) {
  ptrdiff_t column = rx_table_find(table, "patient");

  RX_TRY(RX_NEW(&patients->names, "patients", table->n_rows));
  rx_status status = RX_OK;
  for (size_t r = 0; r < table->n_rows && !status; r++)
    status = add(patients, rx_table_cell(table, r, column < 0 ? 0 : (size_t)column));
  return status;
}

rx_status rx_control_patients_read(const rx_job *job, const char *path,
                                   rx_control_patients *patients) {
  rx_matrix *matrix = NULL;
  rx_table *table = NULL;
  rx_status status;

  *patients = (rx_control_patients){0, NULL};
  if (rx_path_ends(path, ".h5ad")) {
    status = rx_matrix_open(job->comm, path, &matrix);
    if (!status) status = RX_AGREE(job->comm, take_matrix(matrix, patients));
  } else {
    status = rx_table_load(job->comm, path, &table);
    if (!status) status = RX_AGREE(job->comm, take_table(table, patients));
  }
  rx_matrix_destroy(&matrix);
  rx_table_destroy(&table);
  return status;
}

void rx_control_patients_clear(rx_control_patients *patients) {
  for (size_t i = 0; i < patients->n; i++) free(patients->names[i]);
  free(patients->names);
  *patients = (rx_control_patients){0, NULL};
}

rx_status rx_control_patients_intersect(rx_control_patients *patients,
                                        const rx_control_patients *others) {
  rx_names *names = NULL;
  char key[RX_KEY_SIZE];
  size_t n = 0;

  rx_status status = rx_names_create(&names);
  for (size_t i = 0; i < others->n && !status; i++) {
    rx_patient_key(others->names[i], key);
    status = rx_names_add(names, key, (ptrdiff_t)i, NULL);
  }
  for (size_t i = 0; i < patients->n && !status; i++) {
    char *name = patients->names[i];
    rx_patient_key(name, key);
    patients->names[i] = NULL;
    if (rx_names_find(names, key) >= 0)
      patients->names[n++] = name;
    else
      free(name);
  }
  if (!status) patients->n = n;
  rx_names_destroy(&names);
  return status;
}
