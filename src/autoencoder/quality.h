/* quality.h: how well the network removes noise that it has not seen, beside the mean training
 * image, which knows nothing of the slice. Means over the validation slices, or over the training
 * slices where none are held out:
 *   cosine  <output, target> / (|output| |target|), 0 for an empty slice
 *   psnr    -10 log10 of the mean squared error, in dB, at most 100
 * and which features are 0 on all slices, held out or not. */
#ifndef RADMIX_AUTOENCODER_QUALITY_H
#define RADMIX_AUTOENCODER_QUALITY_H

#include "training.h"

typedef struct {
  double cosine, psnr;
} rx_quality;

typedef struct {
  rx_quality network, mean_image;
  bool is_held_out;
  size_t n_dead, n_black; /* features that are 0 on all slices; of them where these are black */
} rx_qualities;

/* Measures the best weights. Collective over training->job->comm. Errors: RX_ERR_MEMORY. */
rx_status rx_quality_measure(rx_training *training, rx_qualities *qualities);

#endif
