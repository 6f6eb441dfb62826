/* commands.h: the function of each command. */
#ifndef RADMIX_COMMANDS_H
#define RADMIX_COMMANDS_H

#include "radmix/job.h"

rx_status rx_simulation_run(const rx_job *job);
rx_status rx_images_run(const rx_job *job);
rx_status rx_autoencoder_run(const rx_job *job);
rx_status rx_features_run(const rx_job *job);
rx_status rx_genomics_run(const rx_job *job);
rx_status rx_association_run(const rx_job *job);
rx_status rx_association_top(const rx_job *job);
rx_status rx_clustering_run(const rx_job *job);
rx_status rx_prediction_run(const rx_job *job);
rx_status rx_report_run(const rx_job *job);

#endif
