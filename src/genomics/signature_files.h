/* signature_files.h: where the signatures of genomics.signatures are. */
#ifndef GENOMICS_SIGNATURE_FILES_H
#define GENOMICS_SIGNATURE_FILES_H

#include "radmix/job.h"
#include "radmix/text.h"

/* Gives the paths of all signatures that are asked for: a file; all *.sig of a folder, by name; a
 * name without / and . is NAME.sig in RADMIX_SIGNATURES, in inputs/signatures beside the program or
 * above it, in share/radmix/inputs/signatures, in inputs/signatures here. Collective over
 * job->comm. Errors: RX_ERR_NOINPUT for one that is nowhere; RX_ERR_MEMORY. */
rx_status rx_signature_files_find(const rx_job *job, rx_list *paths);

#endif
