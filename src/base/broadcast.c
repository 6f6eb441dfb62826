#include "radmix/broadcast.h"

#include <stdint.h>

#include "radmix/error.h"
#include "radmix/memory.h"

static const size_t largest = (size_t)1 << 30; /* an MPI count is an int */

void rx_broadcast_bytes_from(MPI_Comm comm, int root, void *bytes, size_t n) {
  for (size_t done = 0; done < n; done += largest) {
    size_t part = n - done < largest ? n - done : largest;
    MPI_Bcast((char *)bytes + done, (int)part, MPI_BYTE, root, comm);
  }
}

void rx_broadcast_bytes(MPI_Comm comm, void *bytes, size_t n) {
  rx_broadcast_bytes_from(comm, 0, bytes, n);
}

rx_status rx_broadcast_array(MPI_Comm comm, const char *what, void **bytes, size_t *n) {
  int rank;
  uint64_t size = *n;
  rx_status status = RX_OK;

  MPI_Comm_rank(comm, &rank);
  MPI_Bcast(&size, 1, MPI_UINT64_T, 0, comm);
  *n = size;
  if (rank) status = rx_new(bytes, what, *n, 1);
  RX_TRY(RX_AGREE(comm, status));
  rx_broadcast_bytes(comm, *bytes, *n);
  return RX_OK;
}
