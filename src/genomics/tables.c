#include "tables.h"

#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"

static void say(const rx_job *job, const rx_source *source) {
  rx_log_info(job->log, "factors: %zu patients (in %s) and %zu ready-made factors from %s",
              source->n_patients, source->has_patient_rows ? "rows" : "columns", source->n_columns,
              source->path);
  if (source->n_not_tumour + source->n_repeated)
    rx_log_info(
        job->log,
        "factors: %zu samples that are no primary tumours and %zu further samples of a patient "
        "left out",
        source->n_not_tumour, source->n_repeated);
}

rx_status rx_tables_load(const rx_job *job, const rx_names *known, const rx_names *training,
                         rx_tables *tables) {
  rx_list paths = {0};

  *tables = (rx_tables){0};
  rx_status status = rx_list_create(job->config->genomics_table, ',', &paths);
  if (!status) status = RX_NEW(&tables->sources, "factor tables", paths.n);
  status = RX_AGREE(job->comm, status);
  for (int i = 0; i < paths.n && !status; i++) {
    status = rx_source_load(job->comm, paths.items[i], job->config->genomics_patients, known,
                            training, &tables->sources[i]);
    if (status) break;
    tables->n++;
    say(job, tables->sources[i]);
  }
  rx_list_destroy(&paths);
  if (status) rx_tables_destroy(tables);
  return status;
}

void rx_tables_destroy(rx_tables *tables) {
  for (int i = 0; i < tables->n; i++) rx_source_destroy(&tables->sources[i]);
  free(tables->sources);
  *tables = (rx_tables){0};
}

rx_status rx_tables_plan(const rx_tables *tables, rx_factors *factors) {
  for (int i = 0; i < tables->n; i++) {
    const rx_source *source = tables->sources[i];

    RX_TRY(rx_factors_add_patients(factors, source->n_patients, source->patients));
    for (size_t column = 0; column < source->n_columns; column++)
      RX_TRY(rx_factors_add(factors, source->columns[column], RX_FACTOR_TABLE, source->path, NULL));
  }
  return RX_OK;
}

rx_status rx_tables_put(const rx_job *job, const rx_tables *tables, rx_factors *factors) {
  rx_status status = RX_OK;

  for (int i = 0; i < tables->n && !status; i++) {
    const rx_source *source = tables->sources[i];
    size_t *column;

    status = RX_NEW_AGREED(job->comm, &column, "columns", source->n_columns);
    for (size_t c = 0; !status && c < source->n_columns; c++)
      column[c] = (size_t)rx_names_find(factors->factor_places, source->columns[c]);
    if (!status)
      status = rx_factors_put(job, factors, source->value, source->border, source->n_patients,
                              source->patients, column);
    free(column);
  }
  return status;
}
