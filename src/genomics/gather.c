#include "gather.h"

#include "radmix/broadcast.h"

static void gather(MPI_Comm comm, const size_t *border, void *items, size_t size) {
  int n_ranks;

  MPI_Comm_size(comm, &n_ranks);
  for (int from = 0; from < n_ranks; from++)
    rx_broadcast_bytes_from(comm, from, (char *)items + border[from] * size,
                            (border[from + 1] - border[from]) * size);
}

void rx_gather_numbers(MPI_Comm comm, const size_t *border, double *numbers) {
  gather(comm, border, numbers, sizeof *numbers);
}

void rx_gather_flags(MPI_Comm comm, const size_t *border, bool *flags) {
  gather(comm, border, flags, sizeof *flags);
}
