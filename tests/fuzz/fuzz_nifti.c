/* The header of a NIfTI file; the first byte says whether it is one of a pair. */
#include <math.h>

#include "fuzz.h"
#include "images/nifti_header.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  fuzz_start(argc, argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  rx_nifti_header header;

  if (n < 1) return 0;
  rx_status status = rx_nifti_header_check(bytes + 1, n - 1, bytes[0] & 1, &header);
  fuzz_check(status);
  if (status) return 0;
  for (int d = 0; d < 4; d++)
    if (header.dim[d] < 1 || header.dim[d] > 32767) abort();
  for (int d = 0; d < 3; d++)
    if (header.axis[d] < -1 || header.axis[d] > 2) abort();
  if (header.offset < 0 || !isfinite(header.slope) || !isfinite(header.intercept)) abort();
  return 0;
}
