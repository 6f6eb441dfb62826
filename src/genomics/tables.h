/* tables.h: ready-made factors: tables of patients and numbers that become columns as they are. */
#ifndef GENOMICS_TABLES_H
#define GENOMICS_TABLES_H

#include "factors.h"
#include "source.h"

typedef struct {
  int n;
  rx_source **sources; /* [n] */
} rx_tables;

/* Reads the tables of genomics.table; training as in source.h. Collective over job->comm. Errors:
 * as rx_source_load(). */
rx_status rx_tables_load(const rx_job *job, const rx_names *known, const rx_names *training,
                         rx_tables *tables);
void rx_tables_destroy(rx_tables *tables);

/* Adds their columns. Local. Errors: RX_ERR_INPUT for a name that is there. */
rx_status rx_tables_plan(const rx_tables *tables, rx_factors *factors);
/* Puts the values in place; the columns of table i start where its first factor stands. Collective.
 */
rx_status rx_tables_put(const rx_job *job, const rx_tables *tables, rx_factors *factors);

#endif
