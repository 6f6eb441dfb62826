/* commands.h: the stages, whose commands main.c and run.c call. */
#ifndef RADMIX_COMMANDS_H
#define RADMIX_COMMANDS_H

#include "radmix/association.h"
#include "radmix/autoencoder.h"
#include "radmix/clustering.h"
#include "radmix/features.h"
#include "radmix/genomics.h"
#include "radmix/images.h"
#include "radmix/prediction.h"
#include "radmix/report.h"
#include "radmix/simulation.h"

#endif
