#include "gather.h"

static void gather(MPI_Comm comm, const size_t *border, void *items, size_t size) {
  int n_ranks;

  MPI_Comm_size(comm, &n_ranks);
  /* names and flags of genes or patients: far below an MPI count */
  for (int from = 0; from < n_ranks; from++) {
    char *piece = (char *)items + border[from] * size;
    MPI_Bcast(piece, (int)((border[from + 1] - border[from]) * size), MPI_BYTE, from, comm);
  }
}

void rx_gather_numbers(MPI_Comm comm, const size_t *border, double *numbers) {
  gather(comm, border, numbers, sizeof *numbers);
}

void rx_gather_flags(MPI_Comm comm, const size_t *border, bool *flags) {
  gather(comm, border, flags, sizeof *flags);
}
