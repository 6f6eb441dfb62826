/* scales.h: numbers that a score takes from its cohort, kept so that new patients can be put on the
 * same scale: "oncotypedx/rescale/ESR1/low", "ssgsea/range". The same on all ranks. Local. */
#ifndef GENOMICS_SCALES_H
#define GENOMICS_SCALES_H

#include <stdbool.h>
#include <stddef.h>

#include "radmix/status.h"
#include "radmix/store.h"

typedef struct rx_scales rx_scales;

rx_status rx_scales_create(rx_scales **out);
void rx_scales_destroy(rx_scales **scales);

/* Notes a number; one of the same name is replaced. Errors: RX_ERR_MEMORY. */
rx_status rx_scales_set(rx_scales *scales, const char *name, double value);
/* Gives a number; false when there is none of that name. */
bool rx_scales_get(const rx_scales *scales, const char *name, double *value);
size_t rx_scales_count(const rx_scales *scales);

/* Writes uns/scales/name and uns/scales/value; nothing when there are none. */
rx_status rx_scales_write(const rx_scales *scales, rx_store *store);
/* Reads them; none in the file is no error. */
rx_status rx_scales_read(const rx_store *store, rx_scales *scales);

#endif
