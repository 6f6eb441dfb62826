#include "known.h"

#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/table.h"

static rx_status add(rx_names *known, size_t *n_known, const char *patient) {
  char key[RX_KEY_SIZE];
  ptrdiff_t before;

  rx_patient_key(patient, key);
  RX_TRY(rx_names_add(known, key, 0, &before));
  *n_known += before < 0;
  return RX_OK;
}

static rx_status add_frame(rx_names *known, size_t *n_known, const rx_frame *frame) {
  for (size_t row = 0; frame && row < frame->n_rows; row++)
    RX_TRY(add(known, n_known, frame->names[row]));
  return RX_OK;
}

static rx_status add_table(rx_names *known, size_t *n_known, const rx_table *table) {
  ptrdiff_t column = table ? rx_table_find(table, "patient") : -1;

  for (size_t row = 0; column >= 0 && row < table->n_rows; row++)
    RX_TRY(add(known, n_known, rx_table_cell(table, row, (size_t)column)));
  return RX_OK;
}

rx_status rx_known_load(const rx_job *job, rx_names **out, size_t *n_known) {
  rx_frame *clinical = NULL;
  rx_table *manifest = NULL;

  *out = NULL;
  *n_known = 0;
  rx_status status = rx_clinical_load(job->comm, job->config->study_clinical, &clinical);
  if (!status && *job->config->images_manifest)
    status = rx_table_load(job->comm, job->config->images_manifest, &manifest);
  if (status) goto done;
  status = rx_names_create(out);
  if (!status) status = add_frame(*out, n_known, clinical);
  if (!status) status = add_table(*out, n_known, manifest);
  status = RX_AGREE(job->comm, status);
done:
  rx_frame_destroy(&clinical);
  rx_table_destroy(&manifest);
  if (status) rx_names_destroy(out);
  return status;
}
