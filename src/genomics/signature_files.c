#include "signature_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "radmix/broadcast.h"
#include "radmix/error.h"
#include "radmix/memory.h"

static const char ending[] = ".sig";

/* Paths with line ends between. */
typedef struct {
  char *text;
  size_t used, room;
} path_text;

static rx_status add_path(path_text *paths, const char *path) {
  size_t more = strlen(path) + 2;

  if (paths->used + more > paths->room) {
    char *larger;
    size_t room = 2 * (paths->used + more);

    RX_TRY(RX_NEW(&larger, "paths of signatures", room));
    if (paths->used) memcpy(larger, paths->text, paths->used);
    free(paths->text);
    paths->text = larger;
    paths->room = room;
  }
  paths->used +=
      (size_t)snprintf(paths->text + paths->used, paths->room - paths->used, "%s\n", path);
  return RX_OK;
}

static bool is_file(const char *path) {
  struct stat about;

  return !stat(path, &about) && S_ISREG(about.st_mode);
}

static bool is_folder(const char *path) {
  struct stat about;

  return !stat(path, &about) && S_ISDIR(about.st_mode);
}

static int has_ending(const struct dirent *entry) {
  return rx_path_ends(entry->d_name, ending);
}

/* All signatures of a folder, by name in byte order. */
static rx_status add_folder(path_text *paths, const char *folder) {
  struct dirent **entries;
  rx_status status = RX_OK;

  int n = scandir(folder, &entries, has_ending, NULL);
  if (n < 0)
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected a folder of signatures, found: %s", folder,
                   strerror(errno));
  for (int i = 1; i < n; i++) /* insertion sort: byte order whatever the locale */
    for (int k = i; k > 0 && strcmp(entries[k - 1]->d_name, entries[k]->d_name) > 0; k--) {
      struct dirent *swap = entries[k];
      entries[k] = entries[k - 1];
      entries[k - 1] = swap;
    }
  for (int i = 0; i < n; i++) {
    char path[RX_TEXT_SIZE];

    if (!status) status = rx_path_join(folder, entries[i]->d_name, path, sizeof path);
    if (!status) status = add_path(paths, path);
    free(entries[i]);
  }
  free(entries);
  if (!status && n == 0)
    status = RX_FAIL(RX_ERR_NOINPUT, "%s: expected signatures (*%s), found none", folder, ending);
  return status;
}

/* Folders where names are looked for; the program is in build/MODE or in bin. */
static rx_status add_named(path_text *paths, const char *name) {
  static const char *const near[] = {"../../inputs/signatures",
                                     "../share/radmix/inputs/signatures"};
  char program[RX_TEXT_SIZE] = "", folder[RX_TEXT_SIZE], file[RX_TEXT_SIZE], path[RX_TEXT_SIZE];
  const char *places[4] = {getenv("RADMIX_SIGNATURES"), NULL, NULL, "inputs/signatures"};
  char beside[2][RX_TEXT_SIZE];

  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  RX_TRY(rx_path_folder(program, folder, sizeof folder));
  for (int i = 0; i < 2 && *folder; i++) {
    RX_TRY(rx_path_join(folder, near[i], beside[i], sizeof beside[i]));
    places[1 + i] = beside[i];
  }
  if (snprintf(file, sizeof file, "%s%s", name, ending) >= (int)sizeof file)
    return RX_FAIL(RX_ERR_CONFIG, "genomics.signatures: expected a shorter name");
  for (int i = 0; i < 4; i++) {
    if (!places[i] || !*places[i]) continue;
    RX_TRY(rx_path_join(places[i], file, path, sizeof path));
    if (is_file(path)) return add_path(paths, path);
  }
  return RX_FAIL(
      RX_ERR_NOINPUT,
      "genomics.signatures: expected %s%s in RADMIX_SIGNATURES, in inputs/signatures of radmix "
      "or here, found it nowhere",
      name, ending);
}

static rx_status find_all(const rx_config *config, path_text *paths) {
  rx_list items;

  RX_TRY(rx_list_create(config->genomics_signatures, ',', &items));
  rx_status status = RX_OK;
  for (int i = 0; i < items.n && !status; i++) {
    const char *item = items.items[i];

    if (!strpbrk(item, "/."))
      status = add_named(paths, item);
    else if (is_folder(item))
      status = add_folder(paths, item);
    else
      status = add_path(paths, item); /* reading it says what is wrong with it */
  }
  rx_list_destroy(&items);
  if (!status) status = add_path(paths, "");
  return status;
}

rx_status rx_signature_files_find(const rx_job *job, rx_list *paths) {
  path_text text = {0};
  size_t size;

  *paths = (rx_list){0};
  rx_status status = RX_AGREE(job->comm, job->rank == 0 ? find_all(job->config, &text) : RX_OK);
  size = text.used + 1;
  if (!status)
    status = rx_broadcast_array(job->comm, "paths of signatures", (void **)&text.text, &size);
  if (!status) status = rx_list_agreed(job->comm, text.text, '\n', paths);
  free(text.text);
  return status;
}
