#include "radmix/resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "radmix/error.h"

enum { SUM_SIZE = 32 };

/* xxh64 of all arrays, as text. */
static void checksum(int n, const rx_resume_array *arrays, char text[SUM_SIZE]) {
  XXH64_state_t *hash = XXH64_createState();

  XXH64_reset(hash, 0);
  for (int i = 0; i < n; i++)
    XXH64_update(hash, arrays[i].data, arrays[i].count * rx_type_size(arrays[i].type));
  snprintf(text, SUM_SIZE, "%016" PRIx64, (uint64_t)XXH64_digest(hash));
  XXH64_freeState(hash);
}

rx_status rx_resume_put(const char *path, const rx_recipe *recipe, int n,
                        const rx_resume_array *arrays, rx_store **store) {
  char sum[SUM_SIZE];

  RX_TRY(rx_store_create(path, store));
  for (int i = 0; i < n; i++)
    RX_TRY(
        rx_store_put(*store, arrays[i].name, arrays[i].type, 1, &arrays[i].count, arrays[i].data));
  checksum(n, arrays, sum);
  RX_TRY(rx_store_put_text(*store, "recipe", rx_recipe_text(recipe)));
  return rx_store_put_text(*store, "checksum", sum);
}

rx_status rx_resume_get(rx_store *store, const char *path, int n, const rx_resume_array *arrays) {
  char *stored = NULL, sum[SUM_SIZE];
  rx_status status = RX_OK;

  for (int i = 0; i < n && !status; i++)
    status = rx_store_get(store, arrays[i].name, arrays[i].type, arrays[i].count, arrays[i].data);
  if (!status) status = rx_store_get_text(store, "checksum", &stored);
  if (!status) {
    checksum(n, arrays, sum);
    if (strcmp(sum, stored))
      status = RX_FAIL(RX_ERR_INPUT, "%s: expected the checksum %s, found %s", path, stored, sum);
  }
  free(stored);
  return status;
}

rx_status rx_resume_refuse(const char *path, const char *work, const char *theirs,
                           const char *ours) {
  while (*theirs && strcspn(theirs, "\n") == strcspn(ours, "\n") &&
         !strncmp(theirs, ours, strcspn(ours, "\n") + 1)) {
    theirs += strcspn(theirs, "\n") + 1;
    ours += strcspn(ours, "\n") + 1;
  }
  return RX_FAIL(RX_ERR_EXISTS, "%s: %s interrupted with %.*s, expected %.*s; --force begins anew",
                 path, work, (int)strcspn(theirs, "\n"), theirs, (int)strcspn(ours, "\n"), ours);
}
