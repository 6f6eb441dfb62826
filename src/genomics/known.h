/* known.h: patients that the clinical table and the manifest name, by which the side of the
 * patients in other tables is recognised. */
#ifndef GENOMICS_KNOWN_H
#define GENOMICS_KNOWN_H

#include "radmix/job.h"
#include "radmix/text.h"

/* Gives the keys (rx_patient_key) of all known patients; none is no error. Collective over
 * job->comm. Errors: RX_ERR_NOINPUT, RX_ERR_INPUT: of a table that is named. */
rx_status rx_known_load(const rx_job *job, rx_names **out, size_t *n_known);

#endif
