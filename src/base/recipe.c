/* What a result depends on, and the id that follows from it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/result.h"
#include "radmix/text.h"

enum { BLOCK = 1 << 22 };

struct rx_recipe {
  char *text; /* lines "name = value\n" */
  size_t used, room;
};

rx_status rx_recipe_create(const char *stage, int format, rx_recipe **out) {
  char number[32];

  RX_TRY(RX_NEW(out, "recipe", 1));
  snprintf(number, sizeof number, "%d", format);
  rx_status status = rx_recipe_add(*out, "stage", stage);
  if (!status) status = rx_recipe_add(*out, "format", number);
  if (status) rx_recipe_destroy(out);
  return status;
}

void rx_recipe_destroy(rx_recipe **recipe) {
  if (!*recipe) return;
  free((*recipe)->text);
  free(*recipe);
  *recipe = NULL;
}

rx_status rx_recipe_add(rx_recipe *recipe, const char *name, const char *value) {
  size_t more = strlen(name) + strlen(value) + 5;

  if (recipe->used + more > recipe->room) {
    char *larger;
    size_t room = 2 * (recipe->used + more) + 1024;
    RX_TRY(RX_NEW(&larger, "recipe", room));
    if (recipe->used) memcpy(larger, recipe->text, recipe->used);
    free(recipe->text);
    recipe->text = larger;
    recipe->room = room;
  }
  recipe->used += (size_t)snprintf(recipe->text + recipe->used, recipe->room - recipe->used,
                                   "%s = %s\n", name, value);
  return RX_OK;
}

/* Settings that change how a result is made, and not the result. */
static bool is_of_no_account(int setting) {
  return setting == RX_SETTING_autoencoder_checkpoint_minutes;
}

rx_status rx_recipe_section(rx_recipe *recipe, const rx_config *config, const char *section) {
  char name[128], value[RX_TEXT_SIZE];

  for (int i = 0; i < RX_N_SETTINGS; i++) {
    if (!rx_is(rx_config_section(i), section) || rx_config_is_path(i) || is_of_no_account(i))
      continue;
    snprintf(name, sizeof name, "%s.%s", section, rx_config_key(i));
    rx_config_value(config, i, value);
    RX_TRY(rx_recipe_add(recipe, name, value));
  }
  return RX_OK;
}

uint64_t rx_recipe_id(const rx_recipe *recipe) {
  return XXH64(recipe->text, recipe->used, 0);
}

const char *rx_recipe_text(const rx_recipe *recipe) {
  return recipe->text;
}

/* The hash of the content of a file. */
static rx_status hash_file(const char *path, uint64_t *id) {
  char *block = NULL;
  size_t n;

  RX_TRY(rx_path_check(path, "a file"));
  FILE *file = fopen(path, "rb");
  if (!file)
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected a file, found: %s", path, strerror(errno));
  XXH64_state_t *state = XXH64_createState();
  rx_status status = state ? RX_NEW(&block, "reading a file", BLOCK)
                           : RX_FAIL(RX_ERR_MEMORY, "%s: no memory", path);
  if (!status) XXH64_reset(state, 0);
  while (!status && (n = fread(block, 1, BLOCK, file)) > 0) XXH64_update(state, block, n);
  if (!status && ferror(file))
    status = RX_FAIL(RX_ERR_NOINPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (!status) *id = XXH64_digest(state);
  XXH64_freeState(state);
  free(block);
  fclose(file);
  return status;
}

/* The id that a file of radmix has in its record, if it has one. Errors: RX_ERR_MEMORY; what is
 * wrong with the file is for its reader to say. */
static rx_status read_recorded_id(const char *path, uint64_t *id, bool *is_there) {
  rx_store *store = NULL;
  char name[64], *text = NULL;

  *is_there = false;
  if (!rx_path_ends(path, ".h5ad") && !rx_path_ends(path, ".h5")) return RX_OK;
  rx_status status = rx_store_open(path, &store);
  snprintf(name, sizeof name, "%s/id", rx_result_group(path));
  if (!status) status = rx_store_get_text(store, name, &text);
  if (!status) *is_there = sscanf(text, "%lx", id) == 1;
  free(text);
  rx_store_close(&store);
  return status == RX_ERR_MEMORY ? status : RX_OK;
}

static rx_status identify(const char *path, uint64_t *id) {
  bool is_there;

  RX_TRY(read_recorded_id(path, id, &is_there));
  return is_there ? RX_OK : hash_file(path, id);
}

rx_status rx_recipe_input(MPI_Comm comm, rx_recipe *recipe, const char *name, const char *path) {
  char *paths[1] = {NULL};

  if (!*path) return RX_OK;
  rx_status status = RX_AGREE(comm, rx_copy_text(path, &paths[0]));
  if (!status) status = rx_recipe_inputs(comm, recipe, name, 1, paths);
  free(paths[0]);
  return status;
}

rx_status rx_recipe_inputs(MPI_Comm comm, rx_recipe *recipe, const char *name, size_t n,
                           char *const *paths) {
  int rank, n_ranks;
  size_t first, count;
  uint64_t *ids = NULL;
  char value[32];

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n_ranks);
  rx_partition(n, rank, n_ranks, &first, &count);
  rx_status status = RX_NEW(&ids, "ids", n);
  for (size_t i = first; i < first + count && !status; i++) status = identify(paths[i], &ids[i]);
  if ((status = RX_AGREE(comm, status))) goto done;
  MPI_Allreduce(MPI_IN_PLACE, ids, (int)n, MPI_UINT64_T, MPI_SUM, comm); /* each from one rank */
  snprintf(value, sizeof value, "%016lx",
           n == 1 ? (unsigned long)ids[0] : (unsigned long)XXH64(ids, n * sizeof *ids, 0));
  status = RX_AGREE(comm, rx_recipe_add(recipe, name, value));
done:
  free(ids);
  return status;
}
