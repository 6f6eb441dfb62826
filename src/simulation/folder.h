/* folder.h: a folder that appears whole. Local. */
#ifndef RADMIX_SIMULATION_FOLDER_H
#define RADMIX_SIMULATION_FOLDER_H

#include "radmix/status.h"

/* Removes a folder and all that is in it, following no links; nothing there is no error.
 * Errors: RX_ERR_OUTPUT. */
rx_status rx_folder_remove(const char *path);

/* Gives the folder path.part the name path, in place of one that may be there.
 * Errors: RX_ERR_OUTPUT. */
rx_status rx_folder_replace(const char *path);

#endif
