/* control_patients.h: the patients of a table of features, or of a file of radmix. */
#ifndef RADMIX_REPORT_CONTROL_PATIENTS_H
#define RADMIX_REPORT_CONTROL_PATIENTS_H

#include <stddef.h>

#include "radmix/job.h"
#include "radmix/status.h"

typedef struct {
  size_t n;
  char **names; /* [n], owned; a patient may be there more than once */
} rx_control_patients;

/* Reads the names of a .h5ad (column `patient` of its rows, else the names of the rows) or of a
 * text table (column `patient`, else the first). Collective. Errors: RX_ERR_NOINPUT, RX_ERR_INPUT,
 * RX_ERR_MEMORY. */
rx_status rx_control_patients_read(const rx_job *job, const char *path,
                                   rx_control_patients *patients);
void rx_control_patients_clear(rx_control_patients *patients);

/* Leaves those in patients who are among others too. Local. Errors: RX_ERR_MEMORY. */
rx_status rx_control_patients_intersect(rx_control_patients *patients,
                                        const rx_control_patients *others);

#endif
