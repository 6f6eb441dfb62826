#include "sets.h"

#include <stdlib.h>

#include "radmix/memory.h"

rx_status rx_sets_create(size_t n_sets, size_t n_members, rx_sets *sets) {
  *sets = (rx_sets){.n_sets = n_sets};
  rx_status status = RX_NEW(&sets->first, "gene sets", n_sets + 1);
  if (!status) status = RX_NEW(&sets->gene, "gene sets", n_members);
  if (status) rx_sets_destroy(sets);
  return status;
}

void rx_sets_destroy(rx_sets *sets) {
  free(sets->first);
  free(sets->gene);
  *sets = (rx_sets){0};
}
