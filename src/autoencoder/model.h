/* model.h: model.h5 and history.tsv.
 *
 *   /network/levels, channels, size, noise
 *   /weights/best, /weights/last   conv1_w [outputs][inputs][3][3], conv1_b [outputs], ...
 *   /history/epoch, loss, validation_loss, learning_rate, dead_features   [epochs + 1] */
#ifndef RADMIX_AUTOENCODER_MODEL_H
#define RADMIX_AUTOENCODER_MODEL_H

#include "radmix/result.h"
#include "training.h"

/* Writes both files; the model last, since it says that training has ended. Collective over
 * job->comm. Errors: RX_ERR_OUTPUT. */
rx_status rx_model_write(const rx_job *job, const rx_recipe *recipe, const rx_training *training,
                         const char *model_path, const char *history_path);

#endif
