/* model.h: model.h5 and history.tsv.
 *
 *   /network/levels, channels, size, noise
 *   /weights/best, /weights/last   conv1_w [outputs][inputs][3][3], conv1_b [outputs], ...
 *   /history/epoch, loss, validation_loss, learning_rate, dead_features   [epochs + 1]
 *   /quality/cosine, psnr, mean_image_cosine, mean_image_psnr   of quality.h */
#ifndef RADMIX_AUTOENCODER_MODEL_H
#define RADMIX_AUTOENCODER_MODEL_H

#include "quality.h"
#include "radmix/result.h"
#include "training.h"

/* Writes both files; the model last, since it says that training has ended. Collective over
 * job->comm. Errors: RX_ERR_OUTPUT. */
rx_status rx_model_write(const rx_job *job, const rx_recipe *recipe, rx_training *training,
                         const rx_qualities *qualities, const char *model_path,
                         const char *history_path);

#endif
