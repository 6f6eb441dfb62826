/* volume.h: a NIfTI-1 file of slices, compressed. Local. */
#ifndef RADMIX_SIMULATION_VOLUME_H
#define RADMIX_SIMULATION_VOLUME_H

#include "radmix/status.h"

/* Writes path, int16, axial, 1.5 x 1.5 x 3 mm.
 * pixels  [n_slices][edge][edge]
 * Errors: RX_ERR_OUTPUT. */
rx_status rx_volume_write(const char *path, const short *pixels, int edge, int n_slices);

#endif
