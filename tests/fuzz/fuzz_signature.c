/* Signatures. */
#include "fuzz.h"
#include "genomics/signature.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  fuzz_start(argc, argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  rx_signature *signature = NULL;
  rx_status status = rx_signature_load(MPI_COMM_SELF, fuzz_file(bytes, n, ".sig"), &signature);

  fuzz_check(status);
  if (status) return 0;
  if (!signature->name || signature->score < 0 || signature->score >= signature->n_scores) abort();
  rx_signature_is_fitted(signature);
  for (int t = 0; t < signature->n_tables; t++) rx_signature_uses(signature, t);
  rx_signature_risk(signature, 0.5);
  rx_signature_destroy(&signature);
  return 0;
}
