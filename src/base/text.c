#include "radmix/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "radmix/error.h"
#include "radmix/memory.h"

char *rx_trim(char *text) {
  while (isspace((unsigned char)*text)) text++;
  size_t length = strlen(text);
  while (length && isspace((unsigned char)text[length - 1])) text[--length] = '\0';
  return text;
}

rx_status rx_list_create(const char *text, char separator, rx_list *list) {
  int parts = 1;

  *list = (rx_list){0};
  for (const char *p = text; *p; p++) parts += *p == separator;
  rx_status status = rx_copy_text(text, &list->memory);
  if (!status) status = RX_NEW(&list->items, "list", parts);
  if (status) return rx_list_destroy(list), status;
  for (char *p = list->memory, *next; p; p = next) {
    next = strchr(p, separator);
    if (next) *next++ = '\0';
    char *item = rx_trim(p);
    if (*item) list->items[list->n++] = item;
  }
  return RX_OK;
}

rx_status rx_list_agreed(MPI_Comm comm, const char *text, char separator, rx_list *list) {
  rx_status status = RX_AGREE(comm, rx_list_create(text, separator, list));

  if (status) rx_list_destroy(list);
  return status;
}

void rx_list_destroy(rx_list *list) {
  free(list->items);
  free(list->memory);
  list->items = NULL, list->memory = NULL, list->n = 0;
}

bool rx_is_missing(const char *text) {
  return !*text || !strcmp(text, "NA") || !strcmp(text, "NaN") || !strcmp(text, "nan");
}

bool rx_number_read(const char *text, double *value) {
  char *end;

  if (!*text || isspace((unsigned char)*text)) return false;
  if (strpbrk(text, "xXpP")) return false; /* hexadecimal is never meant */
  *value = strtod(text, &end);
  return end != text && !*end && *value == *value;
}

static rx_status too_long(const char *path) {
  return RX_FAIL(RX_ERR_CONFIG, "%.200s...: expected a shorter path", path);
}

rx_status rx_path_join(const char *folder, const char *path, char *out, size_t size) {
  bool plain = !*folder || !*path || *path == '/';
  int n = snprintf(out, size, "%s%s%s", plain ? "" : folder, plain ? "" : "/", path);

  return n < 0 || (size_t)n >= size ? too_long(path) : RX_OK;
}

rx_status rx_path_folder(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;

  if (slash == path) length = 1;
  if (length >= size) return too_long(path);
  memcpy(out, path, length);
  out[length] = '\0';
  return RX_OK;
}

rx_status rx_path_absolute(const char *path, char *out, size_t size) {
  char here[4096];

  if (*path == '/' || !getcwd(here, sizeof here)) return rx_path_join("", path, out, size);
  return rx_path_join(here, path, out, size);
}

const char *rx_path_name(const char *path) {
  const char *slash = strrchr(path, '/');

  return slash ? slash + 1 : path;
}

bool rx_path_ends(const char *path, const char *ending) {
  size_t n = strlen(path), m = strlen(ending);

  return n >= m && !strcmp(path + n - m, ending);
}

rx_status rx_path_check(const char *path, const char *expected) {
  struct stat about;

  if (stat(path, &about))
    return RX_FAIL(RX_ERR_NOINPUT, "%s: expected %s, found: %s", path, expected, strerror(errno));
  if (S_ISREG(about.st_mode)) return RX_OK;
  return RX_FAIL(RX_ERR_INPUT, "%s: expected %s, found %s", path, expected,
                 S_ISDIR(about.st_mode) ? "a folder" : "a pipe or a device");
}

/* TCGA-AA-BBBB, or longer: TCGA-AA-BBBB-01A-... */
bool rx_is_barcode(const char *id) {
  if (strlen(id) < 12 || strncmp(id, "TCGA-", 5) || id[7] != '-') return false;
  if (id[12] && id[12] != '-') return false;
  for (int i = 5; i < 12; i++)
    if (i != 7 && !isalnum((unsigned char)id[i])) return false;
  return true;
}

void rx_patient_key(const char *id, char key[RX_KEY_SIZE]) {
  snprintf(key, RX_KEY_SIZE, "%.*s", rx_is_barcode(id) ? 12 : RX_KEY_SIZE - 1, id);
}
