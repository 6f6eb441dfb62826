/* injected.h: makes the n-th allocation, or the n-th call that reads or writes, fail.
 *
 * A test program named test_injected* is linked with --wrap for each function below (Makefile), so
 * that the library's calls come here first; the program itself has nothing of this. HDF5 calls in
 * which all ranks take part are made and then said to have failed, as a disk that is full does it;
 * the opening of a file by all ranks together fails on all of them or on none. */
#ifndef RADMIX_TESTS_INJECTED_H
#define RADMIX_TESTS_INJECTED_H

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

typedef enum { MEMORY, READING, WRITING, SHARED_OPEN, N_KINDS } injected_kind;

/* What is armed on this rank. */
static struct {
  injected_kind kind;
  long left; /* calls until the one that fails; negative: none does */
  bool has_failed;
} injected = {.left = -1};

static inline void injected_arm(injected_kind kind, long calls_before) {
  injected.kind = kind;
  injected.left = calls_before;
  injected.has_failed = false;
}

/* Ends it; tells whether a call was made to fail. */
static inline bool injected_disarm(void) {
  injected.left = -1;
  return injected.has_failed;
}

static inline bool is_failing(injected_kind kind) {
  if (injected.left < 0 || kind != injected.kind || injected.left--) return false;
  injected.has_failed = true;
  errno = kind == MEMORY ? ENOMEM : kind == READING ? EIO : ENOSPC;
  return true;
}

/* A function that fails without having done anything. */
#define INJECT(kind, type, name, parameters, arguments, failure)   \
  type __real_##name parameters;                                   \
  type __wrap_##name parameters;                                   \
  type __wrap_##name parameters {                                  \
    return is_failing(kind) ? (failure) : __real_##name arguments; \
  }

/* A function that does its work and says that it failed. */
#define INJECT_AFTER(kind, type, name, parameters, arguments, failure) \
  type __real_##name parameters;                                       \
  type __wrap_##name parameters;                                       \
  type __wrap_##name parameters {                                      \
    type result = __real_##name arguments;                             \
    return is_failing(kind) ? (failure) : result;                      \
  }

INJECT(MEMORY, void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)

/* ---- text ---- */

INJECT(*mode == 'r' ? READING : WRITING, FILE *, fopen, (const char *path, const char *mode),
       (path, mode), NULL)
INJECT(WRITING, int, fflush, (FILE * file), (file), EOF)
INJECT(WRITING, int, fsync, (int descriptor), (descriptor), -1)
INJECT(WRITING, int, rename, (const char *from, const char *to), (from, to), -1)
INJECT(WRITING, int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
/* A short write. */
INJECT(WRITING, ssize_t, write, (int descriptor, const void *bytes, size_t n),
       (descriptor, bytes, n), (ssize_t)n - 1)
INJECT(READING, gzFile, gzopen, (const char *path, const char *mode), (path, mode), NULL)
INJECT(READING, int, gzread, (gzFile file, void *bytes, unsigned n), (file, bytes, n), -1)

/* What is written by stdio reaches the disk at the end at the latest. */
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file) {
  bool is_written = (fcntl(fileno(file), F_GETFL) & O_ACCMODE) != O_RDONLY;
  int result = __real_fclose(file);

  return is_written && is_failing(WRITING) ? EOF : result;
}

/* Nobody can read from a folder: the error that stdio remembers is a real one. */
size_t __real_fread(void *bytes, size_t size, size_t n, FILE *file);
size_t __wrap_fread(void *bytes, size_t size, size_t n, FILE *file);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
size_t __wrap_fread(void *bytes, size_t size, size_t n, FILE *file) {
  if (is_failing(READING)) {
    int folder = __real_open("/", O_RDONLY);
    dup2(folder, fileno(file));
    close(folder);
  }
  return __real_fread(bytes, size, n, file);
}

int __wrap_open(const char *path, int flags, ...) {
  va_list arguments;

  va_start(arguments, flags);
  int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return is_failing(WRITING) ? -1 : __real_open(path, flags, mode);
}

/* ---- HDF5 ---- */

INJECT(WRITING, hid_t, H5Fcreate, (const char *path, unsigned flags, hid_t creation, hid_t access),
       (path, flags, creation, access), H5I_INVALID_HID)
INJECT(WRITING, hid_t, H5Dcreate2,
       (hid_t file, const char *name, hid_t type, hid_t space, hid_t links, hid_t creation,
        hid_t access),
       (file, name, type, space, links, creation, access), H5I_INVALID_HID)
INJECT(WRITING, hid_t, H5Gcreate2,
       (hid_t file, const char *name, hid_t links, hid_t creation, hid_t access),
       (file, name, links, creation, access), H5I_INVALID_HID)
INJECT(WRITING, hid_t, H5Acreate2,
       (hid_t object, const char *name, hid_t type, hid_t space, hid_t creation, hid_t access),
       (object, name, type, space, creation, access), H5I_INVALID_HID)
INJECT(WRITING, herr_t, H5Awrite, (hid_t attribute, hid_t type, const void *data),
       (attribute, type, data), -1)
INJECT_AFTER(WRITING, herr_t, H5Dwrite,
             (hid_t dataset, hid_t type, hid_t memory, hid_t space, hid_t transfer,
              const void *data),
             (dataset, type, memory, space, transfer, data), -1)
INJECT_AFTER(WRITING, herr_t, H5Fflush, (hid_t file, H5F_scope_t scope), (file, scope), -1)
INJECT_AFTER(READING, hid_t, H5Dopen2, (hid_t file, const char *name, hid_t access),
             (file, name, access), H5I_INVALID_HID)
INJECT_AFTER(READING, herr_t, H5Dread,
             (hid_t dataset, hid_t type, hid_t memory, hid_t space, hid_t transfer, void *data),
             (dataset, type, memory, space, transfer, data), -1)
INJECT(READING, hid_t, H5Aopen, (hid_t object, const char *name, hid_t access),
       (object, name, access), H5I_INVALID_HID)
INJECT_AFTER(READING, herr_t, H5Aread, (hid_t attribute, hid_t type, void *data),
             (attribute, type, data), -1)
INJECT_AFTER(READING, hid_t, H5Gopen2, (hid_t file, const char *name, hid_t access),
             (file, name, access), H5I_INVALID_HID)

herr_t __real_H5Fclose(hid_t file);
herr_t __wrap_H5Fclose(hid_t file);
herr_t __wrap_H5Fclose(hid_t file) {
  unsigned intent = H5F_ACC_RDONLY;

  H5Fget_intent(file, &intent);
  herr_t result = __real_H5Fclose(file);
  return intent != H5F_ACC_RDONLY && is_failing(WRITING) ? -1 : result;
}

hid_t __real_H5Fopen(const char *path, unsigned flags, hid_t access);
hid_t __wrap_H5Fopen(const char *path, unsigned flags, hid_t access);
hid_t __wrap_H5Fopen(const char *path, unsigned flags, hid_t access) {
  bool is_shared = H5Pget_driver(access) == H5FD_MPIO;
  injected_kind kind = is_shared ? SHARED_OPEN : flags == H5F_ACC_RDONLY ? READING : WRITING;

  return is_failing(kind) ? H5I_INVALID_HID : __real_H5Fopen(path, flags, access);
}

#endif
