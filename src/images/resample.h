/* resample.h: a slice of any size becomes size x size pixels. Local.
 *
 * RX_RESAMPLE_AREA: an output pixel is the average of the input over the area that it covers, exact
 * for any ratio of sizes, up or down; the mean of the slice is kept and nothing aliases.
 *
 * RX_RESAMPLE_CUBIC: scipy.ndimage.zoom(order=3), which Liu & Hu (2023) called: the interpolating
 * cubic B-spline, mirrored at its ends (prefilter of Unser et al. 1993), is sampled at
 * i (n_in - 1) / (n_out - 1), so that the corner pixels stay. For a few pairs of sizes (30 to 28,
 * never to 64 or 128) rounding puts the last of these above n_in - 1, and scipy, hence radmix,
 * makes the last line 0. The spline overshoots: values outside [0,1] are for the caller to clip. */
#ifndef RADMIX_IMAGES_RESAMPLE_H
#define RADMIX_IMAGES_RESAMPLE_H

#include "radmix/status.h"

typedef enum { RX_RESAMPLE_AREA, RX_RESAMPLE_CUBIC } rx_resample_method;

/* What is worked out once for slices of one size: weights, and room for one line. */
typedef struct rx_resampler rx_resampler;

/* rows_in, columns_in  of the input, 2 or more
 * size                 edge of the output, 2 or more
 * Errors: RX_ERR_MEMORY. */
rx_status rx_resample_create(rx_resample_method method, int rows_in, int columns_in, int size,
                             rx_resampler **out);
void rx_resample_destroy(rx_resampler **resampler);

/* output  [size][size], set
 * input   [rows_in][columns_in]; destroyed: the spline's coefficients take its place */
void rx_resample_run(rx_resampler *resampler, float *output, double *input);

#endif
