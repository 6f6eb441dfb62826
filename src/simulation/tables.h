/* tables.h: the text files of a simulated cohort. Local.
 *
 * Each writes one file of the folder. Errors: RX_ERR_OUTPUT, RX_ERR_MEMORY. */
#ifndef RADMIX_SIMULATION_TABLES_H
#define RADMIX_SIMULATION_TABLES_H

#include "population.h"
#include "radmix/status.h"

rx_status rx_tables_manifest(const rx_population *population, const char *folder);
rx_status rx_tables_clinical(const rx_population *population, const char *folder);
rx_status rx_tables_expression(const rx_population *population, const char *folder);
rx_status rx_tables_sets(const rx_population *population, size_t n_sets, const char *folder);
rx_status rx_tables_truth(const rx_population *population, const char *folder);
rx_status rx_tables_properties(const rx_population *population, const char *folder);

#endif
