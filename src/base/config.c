#include "radmix/config.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/text.h"

typedef enum { TYPE_int, TYPE_real, TYPE_flag, TYPE_choice, TYPE_text, TYPE_path, TYPE_paths } kind;

typedef struct {
  const char *section, *key;
  kind type;
  const char *preset, *range, *meaning;
  size_t offset;
} row;

static const row rows[RX_N_SETTINGS] = {
#define X(section, key, type, preset, range, meaning) \
  {#section, #key, TYPE_##type, preset, range, meaning, offsetof(rx_config, section##_##key)},
    RX_CONFIG_TABLE(X)
#undef X
};

static void *member(rx_config *config, int setting) {
  return (char *)config + rows[setting].offset;
}

static const void *member_of(const rx_config *config, int setting) {
  return (const char *)config + rows[setting].offset;
}

static rx_status refuse(const row *r, const char *expected, const char *text) {
  return RX_FAIL(RX_ERR_CONFIG, "%s.%s: expected %s, found '%.200s'", r->section, r->key, expected,
                 text);
}

/* Reads a number within "least..most". */
static rx_status read_number(const row *r, const char *text, double *value) {
  const char *dots = strstr(r->range, "..");
  char expected[128], first[32];

  snprintf(first, sizeof first, "%.*s", (int)(dots - r->range), r->range);
  double least = strtod(first, NULL), most = strtod(dots + 2, NULL);
  snprintf(expected, sizeof expected, "%s from %.10g to %.10g",
           r->type == TYPE_int ? "a whole number" : "a number", least, most);
  double number;
  if (!rx_number_read(text, &number) || !(number >= least && number <= most))
    return refuse(r, expected, text);
  if (r->type == TYPE_int && number != floor(number)) return refuse(r, expected, text);
  *value = number;
  return RX_OK;
}

static bool is_auto(const row *r, const char *text) {
  return rx_is(r->preset, "auto") && rx_is(text, "auto");
}

static rx_status read_flag(const row *r, const char *text, int *value) {
  if (rx_is(text, "yes")) return *value = 1, RX_OK;
  if (rx_is(text, "no")) return *value = 0, RX_OK;
  return refuse(r, "yes or no", text);
}

/* Checks that text is one of the words of "one|other". */
static rx_status check_choice(const row *r, const char *text) {
  size_t length = strlen(text);

  for (const char *word = r->range; *word;) {
    size_t n = strcspn(word, "|");
    if (n == length && !strncmp(word, text, n)) return RX_OK;
    word += n + (word[n] == '|');
  }
  char expected[256];
  snprintf(expected, sizeof expected, "one of %s", r->range);
  for (char *p = expected; *p; p++)
    if (*p == '|') *p = ',';
  return refuse(r, expected, text);
}

/* Puts folder before a relative path, or before each path of a list. */
static rx_status resolve(const row *r, const char *folder, const char *text, char *out) {
  rx_list list;
  rx_status status = RX_OK;
  size_t used = 0;

  *out = '\0';
  if (r->type == TYPE_path) return rx_path_join(folder, text, out, RX_TEXT_SIZE);
  RX_TRY(rx_list_create(text, ',', &list));
  for (int i = 0; i < list.n && !status; i++) {
    char item[RX_TEXT_SIZE];
    bool is_name = !strpbrk(list.items[i], "/.");
    status = rx_path_join(is_name ? "" : folder, list.items[i], item, sizeof item);
    int n = snprintf(out + used, RX_TEXT_SIZE - used, "%s%s", i ? "," : "", item);
    if (!status && (n < 0 || (size_t)n >= RX_TEXT_SIZE - used))
      status = refuse(r, "a shorter list", text);
    used += (size_t)n;
  }
  rx_list_destroy(&list);
  return status;
}

static rx_status set(rx_config *config, int setting, const char *folder, const char *text) {
  const row *r = &rows[setting];
  void *value = member(config, setting);
  double number;

  if (strlen(text) >= RX_TEXT_SIZE - 1) return refuse(r, "fewer than 1023 characters", text);
  switch (r->type) {
    case TYPE_int:
      if (is_auto(r, text)) return *(int *)value = RX_AUTO, RX_OK;
      RX_TRY(read_number(r, text, &number));
      *(int *)value = (int)number;
      return RX_OK;
    case TYPE_real:
      if (is_auto(r, text)) return *(double *)value = NAN, RX_OK;
      return read_number(r, text, value);
    case TYPE_flag:
      return read_flag(r, text, value);
    case TYPE_choice:
      RX_TRY(check_choice(r, text));
      break;
    case TYPE_path:
    case TYPE_paths:
      return resolve(r, folder, text, value);
    case TYPE_text:
      break;
  }
  snprintf(value, RX_TEXT_SIZE, "%s", text);
  return RX_OK;
}

void rx_config_defaults(rx_config *config) {
  memset(config, 0, sizeof *config); /* padding too: the struct is broadcast as bytes */
  for (int i = 0; i < RX_N_SETTINGS; i++) {
    if (rows[i].type == TYPE_paths) /* names as they are: reading a list takes memory */
      snprintf(member(config, i), RX_TEXT_SIZE, "%s", rows[i].preset);
    else if (set(config, i, "", rows[i].preset))
      RX_DIE("%s", rx_error_message());
  }
}

static int find(const char *section, const char *key) {
  for (int i = 0; i < RX_N_SETTINGS; i++)
    if (rx_is(rows[i].section, section) && rx_is(rows[i].key, key)) return i;
  return -1;
}

static rx_status set_named(rx_config *config, const char *section, const char *key,
                           const char *folder, const char *text) {
  int setting = find(section, key);

  if (setting < 0) return RX_FAIL(RX_ERR_CONFIG, "%.80s.%.80s: no such setting", section, key);
  RX_TRY(set(config, setting, folder, text));
  config->is_named[setting] = 1;
  return RX_OK;
}

rx_status rx_config_set(rx_config *config, const char *section, const char *key, const char *text) {
  return set_named(config, section, key, "", text);
}

/* One line of a deck: nothing, a comment, a [section], or key = value. */
static rx_status take_line(rx_config *config, const char *folder, char *line, char *section) {
  char *text = rx_trim(line);

  if (!*text || *text == '#' || *text == ';') return RX_OK;
  if (*text == '[') {
    size_t n = strlen(text);
    if (text[n - 1] != ']' || n > 80)
      return RX_FAIL(RX_ERR_CONFIG, "expected [section], found '%.80s'", text);
    text[n - 1] = '\0';
    snprintf(section, RX_TEXT_SIZE, "%s", rx_trim(text + 1));
    for (int i = 0; i < RX_N_SETTINGS; i++)
      if (rx_is(rows[i].section, section)) return RX_OK;
    return RX_FAIL(RX_ERR_CONFIG, "[%s]: no such section", section);
  }
  char *equals = strchr(text, '=');
  if (!equals) return RX_FAIL(RX_ERR_CONFIG, "expected key = value, found '%.80s'", text);
  *equals = '\0';
  char *key = rx_trim(text), *value = rx_trim(equals + 1);
  if (!*section) return RX_FAIL(RX_ERR_CONFIG, "expected a [section] before '%.80s'", key);
  int setting = find(section, key);
  if (setting >= 0 && config->is_named[setting])
    return RX_FAIL(RX_ERR_CONFIG, "%s.%s: given twice", section, key);
  return set_named(config, section, key, folder, value);
}

static rx_status read_deck(const char *path, rx_config *config) {
  char folder[RX_TEXT_SIZE], section[RX_TEXT_SIZE] = "", *line = NULL;
  size_t room = 0;
  rx_status status;

  FILE *file = fopen(path, "r");
  if (!file) return RX_FAIL(RX_ERR_NOINPUT, "%s: %s", path, strerror(errno));
  status = rx_path_folder(path, folder, sizeof folder);
  snprintf(config->deck, sizeof config->deck, "%s", path);
  errno = 0;
  for (int number = 1; !status && getline(&line, &room, file) >= 0; number++) {
    char *start = number == 1 && !strncmp(line, "\xef\xbb\xbf", 3) ? line + 3 : line;
    status = take_line(config, folder, start, section);
    if (status) status = RX_FAIL(status, "%s:%d: %s", path, number, rx_error_message());
  }
  if (!status && errno) status = RX_FAIL(RX_ERR_NOINPUT, "%s: %s", path, strerror(errno));
  free(line);
  fclose(file);
  return status;
}

static rx_status apply_override(const char *text, rx_config *config) {
  char section[64], key[64];
  int length = 0;

  if (sscanf(text, "%63[^.=].%63[^=]=%n", section, key, &length) != 2 || !length)
    return RX_FAIL(RX_ERR_USAGE, "-s: expected section.key=value, found '%.200s'", text);
  return rx_config_set(config, section, key, text + length);
}

rx_status rx_config_load(MPI_Comm comm, const char *deck, int n_overrides,
                         const char *const *overrides, rx_config *config) {
  rx_status status = RX_OK;
  int rank;

  rx_config_defaults(config);
  MPI_Comm_rank(comm, &rank);
  if (rank == 0 && deck) status = read_deck(deck, config);
  for (int i = 0; rank == 0 && !status && i < n_overrides; i++)
    status = apply_override(overrides[i], config);
  RX_TRY(RX_AGREE(comm, status));
  MPI_Bcast(config, (int)sizeof *config, MPI_BYTE, 0, comm);
  return RX_OK;
}

bool rx_config_is_named(const rx_config *config, int setting) {
  return config->is_named[setting];
}

const char *rx_config_section(int setting) {
  return rows[setting].section;
}

const char *rx_config_key(int setting) {
  return rows[setting].key;
}

bool rx_config_is_path(int setting) {
  return rows[setting].type == TYPE_path || rows[setting].type == TYPE_paths;
}

void rx_config_value(const rx_config *config, int setting, char *text) {
  const void *value = member_of(config, setting);

  switch (rows[setting].type) {
    case TYPE_int:
      if (*(const int *)value == RX_AUTO)
        snprintf(text, RX_TEXT_SIZE, "auto");
      else
        snprintf(text, RX_TEXT_SIZE, "%d", *(const int *)value);
      break;
    case TYPE_real:
      if (isnan(*(const double *)value))
        snprintf(text, RX_TEXT_SIZE, "auto");
      else
        snprintf(text, RX_TEXT_SIZE, "%.15g", *(const double *)value);
      break;
    case TYPE_flag:
      snprintf(text, RX_TEXT_SIZE, "%s", *(const int *)value ? "yes" : "no");
      break;
    default:
      snprintf(text, RX_TEXT_SIZE, "%s", (const char *)value);
  }
}

/* A path as it must stand in a deck that may be put anywhere. */
static void print_value(const rx_config *config, int setting, FILE *out) {
  char text[RX_TEXT_SIZE], whole[RX_TEXT_SIZE];

  rx_config_value(config, setting, text);
  if (rows[setting].type == TYPE_path && *text &&
      rx_path_absolute(text, whole, sizeof whole) == RX_OK)
    fputs(whole, out);
  else
    fputs(text, out);
}

void rx_config_print(const rx_config *config, const char *section, FILE *out) {
  static const char *const types[] = {"whole number", "number", "yes or no", "choice",
                                      "text",         "path",   "list"};
  const char *last = "";

  for (int i = 0; i < RX_N_SETTINGS; i++) {
    const row *r = &rows[i];
    if (section && !rx_is(r->section, section)) continue;
    if (!rx_is(last, r->section)) fprintf(out, "%s[%s]\n", *last ? "\n" : "", r->section);
    last = r->section;
    fprintf(out, "# %s (%s%s%s%s%s)\n%s =", r->meaning, types[r->type], *r->range ? " " : "",
            r->range, *r->preset ? ", default " : "", r->preset, r->key);
    fputc(' ', out);
    print_value(config, i, out);
    fputc('\n', out);
  }
}

bool rx_is(const char *setting, const char *word) {
  return !strcmp(setting, word);
}
