/* patient_means.h: a feature set with one row a patient, the mean of the patient's rows. */
#ifndef RADMIX_PREDICTION_PATIENT_MEANS_H
#define RADMIX_PREDICTION_PATIENT_MEANS_H

#include <mpi.h>

#include "prediction/panel.h"

/* Makes the means of a set; out has no var and no name, and is released with rx_panel_clear_set().
 * Collective over comm. Errors: RX_ERR_MEMORY. */
rx_status rx_patient_means_find(MPI_Comm comm, const rx_feature_set *set, size_t n_patients,
                                rx_feature_set *out);

#endif
