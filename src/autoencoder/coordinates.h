/* coordinates.h: weights as the kernels read them: T w T' for each pair of channels, and the
 * gradient by w from the gradient by those, T' d T. kernels.h says what T is good for.
 *
 * Packed weights lie as
 *   first  [output blocks][places][16 outputs]
 *   last   [input blocks][16 inputs][places]
 *   others [output blocks][input blocks][places][16 inputs][16 outputs]
 * and, for the gradient by the input, transposed as
 *   last   [input blocks][places][16 inputs]
 *   others [input blocks][output blocks][places][16 outputs][16 inputs] */
#ifndef RADMIX_AUTOENCODER_COORDINATES_H
#define RADMIX_AUTOENCODER_COORDINATES_H

#include <stdint.h>

#include "radmix/autoencoder.h"

/* Returns the length of the packed weights of a layer. */
size_t rx_packed_length(const rx_layer *layer);

/* Packs weights [outputs][inputs][3][3]. packed, transposed  [packed length], set; transposed is
 * not set for the first layer. */
void rx_pack(float *packed, float *transposed, const float *weights, const rx_layer *layer);

/* Folds a packed gradient in fixed point (fixed.h) into d_weights [outputs][inputs][3][3], set.
 * scale  of the result */
void rx_fold(float *d_weights, const int64_t *packed, double scale, const rx_layer *layer);

#endif
