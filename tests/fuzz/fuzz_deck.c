/* Decks; one that is read is printed and read again, to the same settings. */
#include "fuzz.h"
#include "radmix/config.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  fuzz_start(argc, argv);
  return 0;
}

static void print_to(const rx_config *config, char **text, size_t *size) {
  FILE *out = open_memstream(text, size);

  if (!out) abort();
  rx_config_print(config, NULL, out);
  fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static rx_config config, again;
  char *first, *second;
  size_t size;
  rx_status status = rx_config_load(MPI_COMM_SELF, fuzz_file(bytes, n, ".ini"), 0, NULL, &config);

  fuzz_check(status);
  if (status) return 0;
  print_to(&config, &first, &size);
  const char *path = fuzz_file((const uint8_t *)first, size, ".again.ini");
  if (rx_config_load(MPI_COMM_SELF, path, 0, NULL, &again) == RX_OK) {
    print_to(&again, &second, &size);
    if (strcmp(first, second)) abort();
    free(second);
  } else if (!strstr(rx_error_message(), "characters") && !strstr(rx_error_message(), "shorter")) {
    fprintf(stderr, "%s\n", rx_error_message());
    abort(); /* only a path that has become too long may not be read again */
  }
  free(first);
  return 0;
}
