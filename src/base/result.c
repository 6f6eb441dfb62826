/* How a result was made, and whether it is the one that is asked for. */
#include "radmix/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

const char *rx_result_group(const char *path) {
  return rx_path_ends(path, ".h5ad") ? "uns/radmix" : "radmix";
}

/* The end of a line and the end of its name, "name = value". */
static size_t line_length(const char *line) {
  return strcspn(line, "\n");
}

static size_t name_length(const char *line) {
  const char *mark = strstr(line, " = ");
  size_t length = line_length(line);

  return mark && (size_t)(mark - line) < length ? (size_t)(mark - line) : length;
}

/* The line of text that has the name of this line, or NULL. */
static const char *find_line(const char *text, const char *line) {
  size_t n = name_length(line);

  for (const char *p = text; *p; p += line_length(p) + (p[line_length(p)] == '\n'))
    if (name_length(p) == n && !strncmp(p, line, n)) return p;
  return NULL;
}

/* Says what stands in the recipe of a result, and what is asked for now. */
static rx_status name_difference(const char *path, const char *was, const char *is) {
  for (const char *p = is; *p; p += line_length(p) + 1) {
    const char *old = find_line(was, p);
    size_t n = name_length(p), skip = n + 3;
    if (!old)
      return RX_FAIL(RX_ERR_EXISTS, "%s: made without %.*s; use --force or another study.directory",
                     path, (int)n, p);
    if (line_length(old) != line_length(p) || strncmp(old, p, line_length(p)))
      return RX_FAIL(
          RX_ERR_EXISTS,
          "%s: made with %.*s = %.*s, now it is %.*s; use --force or another study.directory", path,
          (int)n, p, (int)(line_length(old) - skip), old + skip, (int)(line_length(p) - skip),
          p + skip);
  }
  for (const char *p = was; *p; p += line_length(p) + (p[line_length(p)] == '\n'))
    if (!find_line(is, p))
      return RX_FAIL(RX_ERR_EXISTS, "%s: made with %.*s; use --force or another study.directory",
                     path, (int)line_length(p), p);
  return RX_FAIL(RX_ERR_EXISTS,
                 "%s: made with another recipe; use --force or another study.directory", path);
}

/* The recipe in the record of a file; NULL when it has none. Errors: RX_ERR_MEMORY. */
static rx_status read_recipe(const char *path, char **text) {
  rx_store *store = NULL;
  char name[64];

  *text = NULL;
  rx_status status = rx_store_open(path, &store);
  snprintf(name, sizeof name, "%s/recipe", rx_result_group(path));
  if (!status && rx_store_has(store, name)) status = rx_store_get_text(store, name, text);
  rx_store_close(&store);
  return status == RX_ERR_MEMORY ? status : RX_OK;
}

static rx_status compare(const rx_job *job, const rx_recipe *recipe, const char *path,
                         int *is_current) {
  *is_current = 0;
  if (access(path, F_OK) || job->force == RX_FORCE_ALWAYS) return RX_OK;
  char *was;
  RX_TRY(read_recipe(path, &was));
  *is_current = was && !strcmp(was, rx_recipe_text(recipe));
  rx_status status = RX_OK;
  if (!*is_current && job->force == RX_FORCE_NEVER)
    status = was ? name_difference(path, was, rx_recipe_text(recipe))
                 : RX_FAIL(RX_ERR_EXISTS,
                           "%s: expected a result of radmix, found a file without its record; use "
                           "--force or another study.directory",
                           path);
  free(was);
  return status;
}

rx_status rx_result_check(const rx_job *job, const rx_recipe *recipe, const char *path,
                          bool *is_current) {
  int found = 0;
  rx_status status = RX_OK;

  if (job->rank == 0) status = compare(job, recipe, path, &found);
  RX_TRY(RX_AGREE(job->comm, status));
  MPI_Bcast(&found, 1, MPI_INT, 0, job->comm);
  *is_current = found;
  if (found) {
    const char *stage = rx_recipe_text(recipe) + strlen("stage = ");
    rx_log_info(job->log, "%.*s: %s is up to date", (int)line_length(stage), stage, path);
  }
  return RX_OK;
}

size_t rx_result_memory(MPI_Comm comm) {
  uint64_t mine = rx_memory_peak(), most = 0;

  MPI_Reduce(&mine, &most, 1, MPI_UINT64_T, MPI_MAX, 0, comm);
  return (size_t)most;
}

static rx_status record_settings(rx_store *store, const rx_config *config, const char *group) {
  char name[256], value[RX_TEXT_SIZE];

  snprintf(name, sizeof name, "%s/settings", group);
  RX_TRY(rx_store_put_group(store, name, "dict"));
  for (int i = 0; i < RX_N_SETTINGS; i++) {
    snprintf(name, sizeof name, "%s/settings/%s.%s", group, rx_config_section(i), rx_config_key(i));
    rx_config_value(config, i, value);
    RX_TRY(rx_store_put_text(store, name, value));
  }
  return RX_OK;
}

static rx_status record_text(rx_store *store, const char *group, const char *key,
                             const char *text) {
  char name[128];

  snprintf(name, sizeof name, "%s/%s", group, key);
  return rx_store_put_text(store, name, text);
}

static rx_status record_number(rx_store *store, const char *group, const char *key, double number) {
  char name[128];

  snprintf(name, sizeof name, "%s/%s", group, key);
  return rx_store_put_number(store, name, number);
}

rx_status rx_result_record(rx_store *store, const rx_job *job, const rx_recipe *recipe,
                           size_t memory_peak) {
  const char *group = rx_store_has(store, "uns") ? "uns/radmix" : "radmix";
  char id[32];

  snprintf(id, sizeof id, "%016lx", (unsigned long)rx_recipe_id(recipe));
  RX_TRY(rx_store_put_group(store, group, "dict"));
  RX_TRY(record_text(store, group, "version", RADMIX_VERSION));
  RX_TRY(record_text(store, group, "id", id));
  RX_TRY(record_text(store, group, "recipe", rx_recipe_text(recipe)));
  RX_TRY(record_text(store, group, "command_line", job->command_line));
  RX_TRY(record_number(store, group, "ranks", job->n_ranks));
  RX_TRY(record_number(store, group, "seconds", rx_seconds() - job->start));
  RX_TRY(record_number(store, group, "memory_peak_bytes", (double)memory_peak));
  return record_settings(store, job->config, group);
}
