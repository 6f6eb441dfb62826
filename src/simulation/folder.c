#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "radmix/error.h"

enum { PATH_SIZE = 4096 };

static rx_status refuse(const char *path) {
  return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be removed: %s", path, strerror(errno));
}

static rx_status remove_content(const char *path, DIR *folder) {
  char inside[PATH_SIZE];

  for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) >= PATH_SIZE)
      return RX_FAIL(RX_ERR_OUTPUT, "%s: its name is too long", path);
    RX_TRY(rx_folder_remove(inside));
  }
  return RX_OK;
}

rx_status rx_folder_remove(const char *path) {
  struct stat about;

  if (lstat(path, &about)) return errno == ENOENT ? RX_OK : refuse(path);
  if (!S_ISDIR(about.st_mode)) return unlink(path) ? refuse(path) : RX_OK;
  DIR *folder = opendir(path);
  if (!folder) return refuse(path);
  rx_status status = remove_content(path, folder);
  closedir(folder);
  if (!status && rmdir(path)) status = refuse(path);
  return status;
}

rx_status rx_folder_replace(const char *path) {
  char part[PATH_SIZE], old[PATH_SIZE];

  if (snprintf(part, sizeof part, "%s.part", path) >= PATH_SIZE ||
      snprintf(old, sizeof old, "%s.old", path) >= PATH_SIZE)
    return RX_FAIL(RX_ERR_OUTPUT, "%s: its name is too long", path);
  RX_TRY(rx_folder_remove(old));
  if (rename(path, old) && errno != ENOENT)
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be replaced: %s", path, strerror(errno));
  if (rename(part, path))
    return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be named: %s", path, strerror(errno));
  return rx_folder_remove(old);
}
