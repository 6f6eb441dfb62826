/* Files that appear under their name only when they are whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/result.h"
#include "radmix/text.h"

enum { PATH_SIZE = 4096 };

static rx_status unwritable(const char *path, int reason) {
  return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be written: %s", path,
                 reason ? strerror(reason) : "unknown reason");
}

rx_status rx_output_part(const char *path, char *part, size_t size) {
  int n = snprintf(part, size, "%s.part", path);

  if (n < 0 || (size_t)n >= size)
    return RX_FAIL(RX_ERR_CONFIG, "%.200s: expected a shorter path", path);
  return RX_OK;
}

rx_status rx_output_open(const char *path, FILE **file) {
  char part[PATH_SIZE];

  *file = NULL;
  RX_TRY(rx_output_part(path, part, sizeof part));
  *file = fopen(part, "w");
  return *file ? RX_OK : unwritable(part, errno);
}

rx_status rx_output_close(const char *path, FILE **file, rx_status status) {
  char part[PATH_SIZE];

  if (!*file) return status;
  rx_status named = rx_output_part(path, part, sizeof part);
  errno = 0;
  bool is_bad = ferror(*file) || fflush(*file);
  int reason = errno;
  if (fclose(*file) && !is_bad) is_bad = true, reason = errno;
  *file = NULL;
  if (named) return named;
  if (!status && is_bad) status = unwritable(path, reason);
  if (!status) status = rx_output_commit(path);
  if (status) unlink(part);
  return status;
}

/* Brings a file or a folder to the disk. Some file systems have no fsync for folders: not an error.
 */
static int sync_path(const char *path, int flags) {
  int descriptor = open(path, flags);

  if (descriptor < 0) return -1;
  int failed = fsync(descriptor);
  if (failed && (flags & O_DIRECTORY) && errno == EINVAL) failed = 0;
  int reason = errno;
  close(descriptor);
  errno = reason;
  return failed;
}

rx_status rx_output_commit(const char *path) {
  char part[PATH_SIZE], folder[PATH_SIZE];

  RX_TRY(rx_output_part(path, part, sizeof part));
  RX_TRY(rx_path_folder(path, folder, sizeof folder));
  if (sync_path(part, O_RDONLY)) return unwritable(part, errno);
  if (rename(part, path)) return unwritable(path, errno);
  sync_path(*folder ? folder : ".", O_RDONLY | O_DIRECTORY);
  return RX_OK;
}

rx_status rx_output_folder(const char *path) {
  char part[PATH_SIZE];
  struct stat about;

  if (strlen(path) >= sizeof part)
    return RX_FAIL(RX_ERR_CONFIG, "%.200s: expected a shorter path", path);
  for (const char *end = path; *end;) {
    end += strspn(end, "/");
    end += strcspn(end, "/");
    snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
    if (mkdir(part, 0777) && errno != EEXIST) return unwritable(part, errno);
  }
  if (stat(path, &about)) return unwritable(path, errno);
  return S_ISDIR(about.st_mode) ? RX_OK : unwritable(path, ENOTDIR);
}
