/* parts.h: the sections of the page, in its order. Each shows what is there, or says that it is
 * not. Local (rank 0). Errors: RX_ERR_INPUT, RX_ERR_OUTPUT, RX_ERR_MEMORY. */
#ifndef RADMIX_REPORT_PARTS_H
#define RADMIX_REPORT_PARTS_H

#include "page.h"
#include "radmix/status.h"

rx_status rx_part_images(rx_page *page);
rx_status rx_part_training(rx_page *page);
rx_status rx_part_features(rx_page *page);
rx_status rx_part_factors(rx_page *page);
rx_status rx_part_associations(rx_page *page);
rx_status rx_part_clusters(rx_page *page);
rx_status rx_part_predictions(rx_page *page);
rx_status rx_part_controls(rx_page *page);
rx_status rx_part_patients(rx_page *page);
rx_status rx_part_record(rx_page *page);

#endif
