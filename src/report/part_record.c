/* How every file was made. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/log.h"
#include "radmix/memory.h"
#include "radmix/result.h"

/* The section of settings that a file depends on. */
static const char *const sections[RX_N_STUDY_FILES] = {"images",     "autoencoder", "features",
                                                       "features",   "genomics",    "association",
                                                       "clustering", "prediction"};

/* A text of the record; "" when there is none; free() it. */
static char *read_text(const rx_store *store, rx_study_file file, const char *key) {
  char name[256], *text = NULL;

  snprintf(name, sizeof name, "%s/%s", rx_result_group(rx_study_name(file)), key);
  if (rx_store_has(store, name) && rx_store_get_text(store, name, &text)) text = NULL;
  return text;
}

static void put_text(rx_page *page, const rx_store *store, rx_study_file file, const char *key) {
  char *text = read_text(store, file, key);

  rx_html_cell(page->out, text ? text : "");
  free(text);
}

static double read_number(const rx_store *store, rx_study_file file, const char *key) {
  char name[256];

  snprintf(name, sizeof name, "%s/%s", rx_result_group(rx_study_name(file)), key);
  return rx_study_number(store, name);
}

static void put_file(rx_page *page, rx_study_file file) {
  const rx_store *store = page->study->stores[file];
  char duration[32] = "";

  rx_html_row(page->out);
  rx_html_cell(page->out, rx_study_name(file));
  if (!store) {
    fputs("<td>absent<td><td><td class=\"n\"><td><td class=\"n\">", page->out);
    return;
  }
  double seconds = read_number(store, file, "seconds");
  if (isfinite(seconds)) rx_duration(seconds, duration);
  put_text(page, store, file, "version");
  put_text(page, store, file, "id");
  put_text(page, store, file, "command_line");
  rx_html_integer(page->out, read_number(store, file, "ranks"));
  rx_html_cell(page->out, duration);
  rx_html_number(page->out, read_number(store, file, "memory_peak_bytes") / 1e6, 4);
}

static void put_setting(rx_page *page, rx_study_file file, int setting, const rx_config *defaults) {
  char key[256], preset[RX_TEXT_SIZE];

  snprintf(key, sizeof key, "settings/%s.%s", rx_config_section(setting), rx_config_key(setting));
  char *value = read_text(page->study->stores[file], file, key);
  if (!value) return;
  rx_config_value(defaults, setting, preset);
  rx_html_row(page->out);
  rx_html_cell(page->out, rx_study_name(file));
  rx_html_cell(page->out, key + strlen("settings/"));
  rx_html_cell(page->out, value);
  rx_html_cell(page->out, strcmp(value, preset) ? preset : "");
  free(value);
}

static void show_settings(rx_page *page, const rx_config *defaults) {
  rx_html_table(page->out, "settings", "File|Setting|Value|Default, where it is another", "0");
  for (int file = 0; file < RX_N_STUDY_FILES; file++) {
    if (!page->study->stores[file] || file == RX_STUDY_PATIENTS) continue;
    put_setting(page, (rx_study_file)file, RX_SETTING_study_seed, defaults);
    put_setting(page, (rx_study_file)file, RX_SETTING_study_subset, defaults);
    for (int s = 0; s < RX_N_SETTINGS; s++)
      if (!strcmp(rx_config_section(s), sections[file]))
        put_setting(page, (rx_study_file)file, s, defaults);
  }
  rx_html_table_end(page->out);
}

rx_status rx_part_record(rx_page *page) {
  rx_config *defaults;

  rx_page_section(page, "record", "How it was made");
  RX_TRY(RX_NEW(&defaults, "settings", 1));
  rx_config_defaults(defaults);
  rx_html_table(page->out, "files", "File|Version|Id|Command|#Ranks|Time|#Memory of a rank, MB",
                "");
  for (int file = 0; file < RX_N_STUDY_FILES; file++) put_file(page, (rx_study_file)file);
  rx_html_table_end(page->out);
  fputs(
      "<p>The id is a hash of the settings and of the ids of what a file was made from: equal ids "
      "mean equal results, on any number of ranks.</p>\n<details><summary>Settings</summary>\n",
      page->out);
  show_settings(page, defaults);
  fputs("</details>\n", page->out);
  free(defaults);
  return RX_OK;
}
