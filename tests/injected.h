/* injected.h: makes the n-th allocation, or the n-th call that reads or writes, fail.
 *
 * A test program named test_injected* is linked with --wrap for each function below (Makefile), so
 * that the library's calls come here first; the program itself has nothing of this. HDF5 calls in
 * which all ranks take part are made and then said to have failed, as a disk that is full does it;
 * the opening of a file by all ranks together fails on all of them or on none. */
#ifndef RADMIX_TESTS_INJECTED_H
#define RADMIX_TESTS_INJECTED_H

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

typedef enum { MEMORY, READING, WRITING, SHARED_OPEN, N_KINDS } injected_kind;

enum { FRAMES = 24, WAYS = 1 << 16, BLOCKS = 1 << 18 };

/* What is armed on this rank. */
static struct {
  injected_kind kind;
  long left; /* calls until the one that fails; negative: none does */
  int depth; /* callers that make a way; 0: calls are counted */
  long step, n_ways;
  bool has_failed;
  void *frames[FRAMES]; /* of the call that failed */
  int n_frames;
  uint64_t ways[WAYS]; /* hashes of those that have been come by; 0: free */
} injected = {.left = -1};

static inline void injected_arm(injected_kind kind, long calls_before) {
  injected.kind = kind;
  injected.left = calls_before;
  injected.depth = 0;
  injected.has_failed = false;
}

/* The first call fails that comes by a way, of so many callers, by which none has come before; of
 * such ways one in step. */
static inline void injected_arm_ways(injected_kind kind, int depth, long step) {
  injected_arm(kind, 0);
  injected.step = step;
  injected.depth = depth < FRAMES ? depth : FRAMES - 1;
}

/* From now on no way has been come by. */
static inline void injected_forget_ways(void) {
  memset(injected.ways, 0, sizeof injected.ways);
}

/* Ends it; tells whether a call was made to fail. */
static inline bool injected_disarm(void) {
  injected.left = -1;
  return injected.has_failed;
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Tells whether no call has failed by this way; from now on one has. Inlined, so that frame 0 is
 * the function that is wrapped. */
ALWAYS_INLINE bool is_new_way(void) {
  uint64_t hash = 1469598103934665603u;

  injected.n_frames = backtrace(injected.frames, injected.depth + 1);
  for (int f = 1; f < injected.n_frames; f++)
    hash = (hash ^ (uint64_t)(uintptr_t)injected.frames[f]) * 1099511628211u;
  for (size_t at = hash % WAYS;; at = (at + 1) % WAYS) {
    if (injected.ways[at] == hash) return false;
    if (injected.ways[at]) continue;
    injected.ways[at] = hash;
    return injected.n_ways++ % injected.step == 0;
  }
}

ALWAYS_INLINE bool is_failing(injected_kind kind) {
  if (injected.left < 0 || kind != injected.kind) return false;
  if (injected.depth ? injected.has_failed || !is_new_way() : injected.left--) return false;
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

/* ---- memory: what was allocated since injected_watch() and is not free ---- */

static struct {
  void *blocks[BLOCKS]; /* where they begin; NULL: free, or watched: was one */
  void *makers[BLOCKS][4];
  size_t n;
  bool is_on;
} watched;

static inline size_t place_of_block(const void *block) {
  return (size_t)((uintptr_t)block >> 6) * 2654435761u % BLOCKS;
}

static inline void injected_watch(void) {
  memset(watched.blocks, 0, sizeof watched.blocks);
  watched.n = 0;
  watched.is_on = true;
}

/* Gives the number of blocks that nobody freed, and who made one of them. */
static inline size_t injected_unwatch(void *maker[4]) {
  watched.is_on = false;
  for (size_t at = 0; at < BLOCKS && watched.n; at++)
    if (watched.blocks[at] && watched.blocks[at] != &watched)
      memcpy(maker, watched.makers[at], sizeof watched.makers[at]);
  return watched.n;
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  void *frames[6] = {NULL}; /* 0: this function, 1: rx_new() */

  if (is_failing(MEMORY)) return NULL;
  void *block = __real_aligned_alloc(alignment, size);
  if (!watched.is_on || !block || watched.n > BLOCKS / 2) return block;
  size_t at = place_of_block(block);
  while (watched.blocks[at] && watched.blocks[at] != &watched) at = (at + 1) % BLOCKS;
  backtrace(frames, 6);
  memcpy(watched.makers[at], frames + 2, sizeof watched.makers[at]);
  watched.blocks[at] = block;
  watched.n++;
  return block;
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block) {
  for (size_t at = place_of_block(block); watched.is_on && watched.blocks[at];
       at = (at + 1) % BLOCKS)
    if (watched.blocks[at] == block) {
      watched.blocks[at] = &watched;
      watched.n--;
      break;
    }
  __real_free(block);
}

/* The same for one that opens. */
#define INJECT_OPEN(kind, name, parameters, arguments) \
  hid_t __real_##name parameters;                      \
  hid_t __wrap_##name parameters;                      \
  hid_t __wrap_##name parameters {                     \
    hid_t result = __real_##name arguments;            \
    if (!is_failing(kind)) return result;              \
    if (result >= 0) H5Oclose(result);                 \
    return H5I_INVALID_HID;                            \
  }

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
INJECT(MEMORY, FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)
INJECT(READING, gzFile, gzopen, (const char *path, const char *mode), (path, mode), NULL)
INJECT(READING, int, gzread, (gzFile file, void *bytes, unsigned n), (file, bytes, n), -1)

/* What is written by stdio reaches the disk at the end at the latest; a stream in memory lacks
 * room. */
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file) {
  int descriptor = fileno(file);
  bool is_written = descriptor < 0 || (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY;
  int result = __real_fclose(file);

  return is_written && is_failing(descriptor < 0 ? MEMORY : WRITING) ? EOF : result;
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
INJECT_OPEN(READING, H5Dopen2, (hid_t file, const char *name, hid_t access), (file, name, access))
INJECT_AFTER(READING, herr_t, H5Dread,
             (hid_t dataset, hid_t type, hid_t memory, hid_t space, hid_t transfer, void *data),
             (dataset, type, memory, space, transfer, data), -1)
INJECT(READING, hid_t, H5Aopen, (hid_t object, const char *name, hid_t access),
       (object, name, access), H5I_INVALID_HID)
INJECT_AFTER(READING, herr_t, H5Aread, (hid_t attribute, hid_t type, void *data),
             (attribute, type, data), -1)
INJECT_OPEN(READING, H5Gopen2, (hid_t file, const char *name, hid_t access), (file, name, access))

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
