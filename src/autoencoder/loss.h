/* loss.h: what training makes small. All are means over images of a value of one image.
 *
 *   mse           mean over pixels of (output - target)^2
 *   cosine        -<output, target> / (|output| |target|) over the whole image
 *   bce           mean over pixels of the binary cross entropy
 *   cosine-keras  as the authors' code: Keras normalises over the last axis, which has one channel,
 *                 so that every pixel is divided by itself. Its gradient is 0 wherever the output
 *                 is above 1e-6: it cannot learn.
 * Norms are floored as in TensorFlow: v / sqrt(max(sum v^2, 1e-12)). */
#ifndef RADMIX_AUTOENCODER_LOSS_H
#define RADMIX_AUTOENCODER_LOSS_H

typedef enum { RX_LOSS_MSE, RX_LOSS_COSINE, RX_LOSS_BCE, RX_LOSS_COSINE_KERAS } rx_loss;

#define RX_LOSS_NORM_FLOOR 1e-12 /* of a sum of squares */

#endif
