/* The slices: how many, of whom, and what they look like on average. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"
#include "tiles.h"

enum { MOST_GROUPS = 8, MOST_SAMPLED = 2048, LABEL_SIZE = 256 };

/* Slices of the same sequence and side. */
typedef struct {
  char label[LABEL_SIZE];
  double n_slices, n_sampled;
  double *mean; /* [size][size], a view */
} group;

typedef struct {
  const rx_matrix *images;
  size_t size; /* edge of a slice */
  size_t n_patients;
  double least, most; /* slices of a patient */
  int n_groups;
  group groups[MOST_GROUPS];
  double *means; /* [MOST_GROUPS][size][size]; owned */
} overview;

/* ---- who ---- */

static rx_status count_patients(overview *o) {
  const rx_column *patient = rx_frame_find(o->images->obs, "patient");
  rx_names *names = NULL;
  double *counts = NULL;
  char number[32];
  ptrdiff_t before;

  if (!patient) return RX_OK;
  rx_status status = rx_names_create(&names);
  if (!status) status = RX_NEW(&counts, "patients", o->images->n_obs);
  for (size_t s = 0; s < o->images->n_obs && !status; s++) {
    const char *name = rx_study_text(patient, s, number);
    status = rx_names_add(names, name, (ptrdiff_t)o->n_patients, &before);
    if (!status) counts[before < 0 ? o->n_patients++ : (size_t)before]++;
  }
  o->least = INFINITY;
  for (size_t p = 0; p < o->n_patients && !status; p++) {
    o->least = fmin(o->least, counts[p]);
    o->most = fmax(o->most, counts[p]);
  }
  rx_names_destroy(&names);
  free(counts);
  return status;
}

/* ---- what they look like ---- */

/* "DCE-T1, left": what the manifest says of a slice. */
static void label_slice(const rx_frame *obs, size_t slice, char label[LABEL_SIZE]) {
  static const char *const names[] = {"sequence", "side"};
  char number[32];
  size_t at = 0;

  *label = '\0';
  for (int i = 0; i < 2; i++) {
    const char *text = rx_study_text(rx_frame_find(obs, names[i]), slice, number);
    if (*text && at < LABEL_SIZE / 2)
      at += (size_t)snprintf(label + at, LABEL_SIZE - at, "%s%.100s", at ? ", " : "", text);
  }
  if (!*label) snprintf(label, LABEL_SIZE, "all slices");
}

/* The group of a label; the last place is for all that is left. */
static group *find_group(overview *o, const char *label) {
  for (int g = 0; g < o->n_groups; g++)
    if (!strcmp(o->groups[g].label, label)) return &o->groups[g];
  bool is_last = o->n_groups >= MOST_GROUPS - 1;
  if (o->n_groups == MOST_GROUPS) return &o->groups[MOST_GROUPS - 1];
  group *new = &o->groups[o->n_groups];
  snprintf(new->label, LABEL_SIZE, "%s", is_last ? "others" : label);
  new->mean = o->means + (size_t)o->n_groups * o->size * o->size;
  o->n_groups++;
  return new;
}

/* Means over slices that lie evenly in the file; a reading of all would take longer than the page
 * is worth. */
static rx_status average(overview *o, double *mean) {
  size_t n_pixels = o->size * o->size, n = o->images->n_obs;
  size_t step = (n + MOST_SAMPLED - 1) / MOST_SAMPLED, n_sampled = 0;
  char label[LABEL_SIZE];
  double *pixels;

  RX_TRY(RX_NEW(&pixels, "slice", n_pixels));
  rx_status status = RX_OK;
  for (size_t s = 0; s < n && !status; s++) {
    label_slice(o->images->obs, s, label);
    group *of = find_group(o, label);
    of->n_slices++;
    if (s % step) continue;
    status = rx_matrix_read(o->images, "X", RX_FLOAT64, s, 1, 0, n_pixels, pixels);
    for (size_t i = 0; i < n_pixels && !status; i++) of->mean[i] += pixels[i], mean[i] += pixels[i];
    of->n_sampled++;
    n_sampled++;
  }
  free(pixels);
  for (size_t i = 0; i < n_pixels; i++) mean[i] /= (double)n_sampled;
  for (int g = 0; g < o->n_groups; g++)
    for (size_t i = 0; i < n_pixels; i++) o->groups[g].mean[i] /= fmax(1, o->groups[g].n_sampled);
  return status;
}

static void script_means(const overview *o, const rx_tiles *tiles, const rx_figure *figure) {
  FILE *script = figure->script;
  char text[128];

  rx_figure_bare(script);
  rx_figure_panel(figure, 8, figure->width - 8, 6, figure->height - 24);
  fprintf(script, "set palette gray; unset colorbox; set cbrange [0:*]\n");
  for (int g = 0; g < o->n_groups; g++) {
    rx_html_short(o->groups[g].label, o->n_groups > 4 ? 13 : 22, text, sizeof text);
    fputs("set label ", script);
    rx_figure_quote(script, text);
    fprintf(script, " at first %g, graph 1 offset 0,0.7 center\n", rx_tiles_x(tiles, (size_t)g));
  }
  fprintf(script, "set xrange [-0.5:%g]; set yrange [-0.5:%g]\nplot data matrix with image\n",
          (double)tiles->total_width - 0.5, (double)tiles->total_height - 0.5);
}

static rx_status draw_means(rx_page *page, const overview *o, size_t *index) {
  rx_tiles tiles;
  rx_figure figure;
  size_t n = (size_t)o->n_groups;
  int width = n > 4 ? 720 : (int)(150 * n + 16);

  RX_TRY(rx_tiles_create(1, n, o->size, o->size, 2, &tiles));
  rx_status status =
      rx_figure_begin(&page->figures, "mean-slices", width, (width - 16) / (int)n + 30, &figure);
  if (!status) {
    for (size_t g = 0; g < n; g++) rx_tiles_put(&tiles, 0, g, o->groups[g].mean);
    rx_tiles_write(&tiles, figure.data);
    script_means(o, &tiles, &figure);
    *index = page->figures.n;
    status = rx_figure_end(&page->figures, &figure, status);
  }
  rx_tiles_destroy(&tiles);
  return status;
}

/* ---- words ---- */

static void say(rx_page *page, const overview *o) {
  char slices[RX_WORD_SIZE], patients[RX_WORD_SIZE], least[RX_WORD_SIZE], most[RX_WORD_SIZE];

  rx_html_count((double)o->images->n_obs, slices);
  rx_html_count((double)o->n_patients, patients);
  FILE *fact = rx_page_fact(page, "How many patients and slices?");
  rx_html_print(fact, "<b>%s patients, %s slices</b>", patients, slices);
  if (o->least < o->most)
    rx_html_print(fact, ", %s to %s of a patient", rx_html_count(o->least, least),
                  rx_html_count(o->most, most));
  rx_page_fact_end(page);
  rx_html_print(page->out, "<p>%s slices of %s patients, %zu x %zu pixels in [0, 1].", slices,
                patients, o->size, o->size);
  if (o->most > 0.5 * (double)o->images->n_obs && o->n_patients > 1)
    rx_html_print(page->out,
                  " One patient has %s of them: it dominates what is learned from "
                  "slices; the tests count patients.",
                  rx_html_count(o->most, most));
  fputs("</p>\n", page->out);
}

static void show_means(rx_page *page, const overview *o, size_t index) {
  char count[RX_WORD_SIZE];
  double n_sampled = 0;

  rx_page_figure(page, index, "Mean slices");
  for (int g = 0; g < o->n_groups; g++) {
    rx_html_print(page->out, "%s%s (%s slices)", g ? ", " : "", o->groups[g].label,
                  rx_html_count(o->groups[g].n_slices, count));
    n_sampled += o->groups[g].n_sampled;
  }
  rx_html_print(page->out,
                "; means over %s slices that lie evenly in <code>images.h5ad</code>. Slices are "
                "not registered: this is the picture frame, not anatomy.",
                rx_html_count(n_sampled, count));
  rx_page_figure_end(page);
}

rx_status rx_part_images(rx_page *page) {
  overview o = {.images = page->study->matrices[RX_STUDY_IMAGES]};
  size_t index = 0;

  rx_page_section(page, "slices", "Slices");
  if (!o.images) {
    rx_page_absent(page, "Slices", RX_STUDY_IMAGES);
    return RX_OK;
  }
  o.size = (size_t)lround(sqrt((double)o.images->n_var));
  RX_TRY(count_patients(&o));
  say(page, &o);
  if (o.size * o.size != o.images->n_var) return RX_OK;
  RX_TRY(RX_NEW(&page->mean_image, "mean slice", o.images->n_var));
  page->image_size = o.size;
  rx_status status = RX_NEW(&o.means, "mean slices", MOST_GROUPS * o.images->n_var);
  if (!status) status = average(&o, page->mean_image);
  if (!status) status = draw_means(page, &o, &index);
  if (!status) show_means(page, &o, index);
  free(o.means);
  return status;
}
