/* Patients that are not in every analysis, and why. */
#include <math.h>
#include <string.h>

#include "parts.h"
#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

enum { MOST_ROWS = 2000, N_SOURCES = 2 };

/* A patient and where it is. */
typedef struct {
  const char *name;      /* a view */
  bool is_in[N_SOURCES]; /* images (or the features that were tested), factors */
  double n_slices;
} patient;

typedef struct {
  size_t n, room;
  patient *patients; /* owned */
  rx_names *names;
} roster;

static rx_status grow(roster *r) {
  patient *larger;

  if (r->n < r->room) return RX_OK;
  RX_TRY(RX_NEW(&larger, "patients", 2 * r->room + 64));
  for (size_t i = 0; i < r->n; i++) larger[i] = r->patients[i];
  free(r->patients);
  r->patients = larger;
  r->room = 2 * r->room + 64;
  return RX_OK;
}

static rx_status add(roster *r, const char *name, int source, double n_slices) {
  char key[RX_KEY_SIZE];
  ptrdiff_t before;

  if (!*name) return RX_OK;
  RX_TRY(grow(r));
  rx_patient_key(name, key);
  RX_TRY(rx_names_add(r->names, key, (ptrdiff_t)r->n, &before));
  patient *p = &r->patients[before < 0 ? r->n : (size_t)before];
  if (before < 0) {
    p->name = name;
    r->n++;
  }
  p->is_in[source] = true;
  p->n_slices += n_slices;
  return RX_OK;
}

/* The patients of the slices, else those of the patient summaries. */
static rx_status add_images(const rx_study *study, roster *r) {
  const rx_matrix *images = study->matrices[RX_STUDY_IMAGES];
  const rx_matrix *patients = study->matrices[RX_STUDY_PATIENTS];
  const rx_column *column = images ? rx_frame_find(images->obs, "patient") : NULL;

  if (column && column->kind == RX_TEXT) {
    for (size_t s = 0; s < images->n_obs; s++) RX_TRY(add(r, column->text[s], 0, 1));
  } else if (patients) {
    const rx_column *n = rx_frame_find(patients->obs, "n_images");
    for (size_t p = 0; p < patients->n_obs; p++)
      RX_TRY(add(r, patients->obs->names[p], 0, n ? rx_study_value(n, p) : 0));
  }
  return RX_OK;
}

static rx_status collect(const rx_study *study, roster *r) {
  const rx_matrix *factors = study->matrices[RX_STUDY_FACTORS];

  RX_TRY(rx_names_create(&r->names));
  RX_TRY(add_images(study, r));
  for (size_t p = 0; factors && p < factors->n_obs; p++)
    RX_TRY(add(r, factors->obs->names[p], 1, 0));
  return RX_OK;
}

static void put_row(rx_page *page, const patient *p) {
  rx_html_row(page->out);
  rx_html_cell(page->out, p->name);
  rx_html_integer(page->out, p->n_slices);
  rx_html_cell(page->out,
               p->is_in[0] ? "associations, not in training" : "everything that needs images");
  rx_html_cell(page->out, p->is_in[0] ? "no genomic factors" : "no images");
}

static void show(rx_page *page, const roster *r) {
  size_t n_both = 0, n_images = 0, n_factors = 0;

  for (size_t i = 0; i < r->n; i++) {
    n_both += r->patients[i].is_in[0] && r->patients[i].is_in[1];
    n_images += r->patients[i].is_in[0];
    n_factors += r->patients[i].is_in[1];
  }
  rx_html_print(page->out,
                "<p>%zu patients have images and genomic factors; %zu have images alone, %zu "
                "factors alone.</p>\n",
                n_both, n_images - n_both, n_factors - n_both);
  if (n_both == r->n) return;
  rx_html_table(page->out, "left-out", "Patient|#Slices|Left out of|Why", "3");
  for (size_t i = 0, n = 0; i < r->n && n < MOST_ROWS; i++) {
    if (r->patients[i].is_in[0] && r->patients[i].is_in[1]) continue;
    put_row(page, &r->patients[i]);
    n++;
  }
  rx_html_table_end(page->out);
}

/* Outcomes and covariates that are missing, and the patients who lack them. */
static void show_missing(rx_page *page, const rx_frame *obs) {
  fputs("<h3>Missing values of clinical columns</h3>\n", page->out);
  rx_html_table(page->out, "missing", "Column|#Patients with a value|#Missing", "");
  for (size_t c = 0; c < obs->n_columns; c++) {
    const rx_column *column = &obs->columns[c];
    size_t n = 0;
    for (size_t p = 0; p < obs->n_rows; p++)
      n += column->kind == RX_TEXT ? rx_is_missing(column->text[p])
                                   : isnan(rx_study_value(column, p));
    rx_html_row(page->out);
    rx_html_cell(page->out, column->name);
    rx_html_integer(page->out, (double)(obs->n_rows - n));
    rx_html_integer(page->out, (double)n);
  }
  rx_html_table_end(page->out);
}

rx_status rx_part_patients(rx_page *page) {
  const rx_matrix *patients = page->study->matrices[RX_STUDY_PATIENTS];
  const rx_matrix *factors = page->study->matrices[RX_STUDY_FACTORS];
  roster r = {0};

  rx_page_section(page, "patients", "Patients left out");
  rx_status status = collect(page->study, &r);
  if (!status && r.n && factors) show(page, &r);
  if (!status && (!r.n || !factors))
    fputs("<p>Images and genomic factors are not both there: nothing to compare.</p>\n", page->out);
  if (!status && patients) show_missing(page, patients->obs);
  rx_names_destroy(&r.names);
  free(r.patients);
  return status;
}
