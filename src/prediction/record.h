/* record.h: names of groups in predictions.h5. */
#ifndef RADMIX_PREDICTION_RECORD_H
#define RADMIX_PREDICTION_RECORD_H

#include <stddef.h>

/* Writes "predictions/OUTCOME/SET"; a '/' within a name becomes '_'. */
void rx_record_group(const char *outcome, const char *set, char *group, size_t size);

#endif
