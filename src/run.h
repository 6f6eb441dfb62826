/* run.h: what main.c needs of run.c. */
#ifndef RADMIX_RUN_H
#define RADMIX_RUN_H

#include "radmix/job.h"

/* Runs the stages of study.stages in the order of the flow, those up to date skipped; with "all"
 * those for which there are inputs. Collective. */
rx_status rx_run_stages(const rx_job *job);

#endif
