#include "prediction/shared_rows.h"

#include <stdlib.h>
#include <string.h>

#include "prediction/solver.h"
#include "radmix/error.h"
#include "radmix/memory.h"

static rx_status make_room(const rx_job *job, const rx_feature_file *file, const ptrdiff_t *place,
                           rx_feature_set *set, size_t **order) {
  RX_TRY(rx_panel_order(file->n_rows, place, order, &set->n_rows));
  RX_TRY(RX_NEW(&set->patient, "rows", set->n_rows));
  for (size_t r = 0; r < set->n_rows; r++) set->patient[r] = (int)place[(*order)[r]];
  rx_solver_share(set->n_rows, job->rank, job->n_ranks, &set->first, &set->n_local);
  return RX_NEW(&set->z, "features", set->n_local * set->n_features);
}

/* The rows from this one on that stand one after the other in the file, at most so many. */
static size_t count_run(const size_t *order, size_t n, size_t most) {
  size_t count = n > 0;

  while (count < n && count < most && order[count] == order[0] + count) count++;
  return count;
}

rx_status rx_shared_rows_read(const rx_job *job, const rx_feature_file *file,
                              const ptrdiff_t *place, rx_feature_set *set) {
  enum { ROWS = 1024 };
  size_t *order = NULL, p = file->n_features, done = 0;
  float *piece = NULL;
  int is_more = 1;
  rx_status status = make_room(job, file, place, set, &order);

  if (!status) status = RX_NEW(&piece, "features", ROWS * p);
  status = RX_AGREE(job->comm, status);
  while (!status && is_more) {
    const size_t *from = order + set->first + done;
    size_t n = count_run(from, set->n_local - done, ROWS);
    status = rx_feature_file_read_float(file, n ? *from : 0, n, piece);
    for (size_t r = 0; r < n && !status; r++)
      memcpy(set->z + (done + r) * set->n_features, piece + r * p, p * sizeof *piece);
    done += n;
    is_more = done < set->n_local;
    MPI_Allreduce(MPI_IN_PLACE, &is_more, 1, MPI_INT, MPI_MAX, job->comm);
  }
  free(order);
  free(piece);
  return status;
}
