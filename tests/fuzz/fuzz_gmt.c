/* Files of gene sets. */
#include "fuzz.h"
#include "genomics/gmt.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  fuzz_start(argc, argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  rx_gmt gmt;
  rx_status status = rx_gmt_load(MPI_COMM_SELF, fuzz_file(bytes, n, ".gmt"), &gmt);

  fuzz_check(status);
  if (status) return 0;
  for (size_t set = 0; set < gmt.n_sets; set++) {
    if (!*gmt.name[set] || gmt.first[set] >= gmt.first[set + 1]) abort();
    for (size_t g = gmt.first[set]; g < gmt.first[set + 1]; g++)
      if (!*gmt.gene[g]) abort();
  }
  rx_gmt_destroy(&gmt);
  return 0;
}
