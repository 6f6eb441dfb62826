/* signal.h: the wish to stop, kept until the work comes to a place where it can.
 *
 * SIGUSR1 (Slurm's warning before the time limit) and SIGTERM set a flag. Ranks get signals at
 * unlike moments: whoever acts on it asks rx_signal_agree(). */
#ifndef RADMIX_SIGNAL_H
#define RADMIX_SIGNAL_H

#include <mpi.h>
#include <stdbool.h>

/* Call after MPI_Init(), which sets handlers of its own. */
void rx_signal_install(void);
/* Tells whether this rank has been asked to stop. Local. */
bool rx_signal_pending(void);
/* Tells whether any rank has. Collective over comm. */
bool rx_signal_agree(MPI_Comm comm);

#endif
