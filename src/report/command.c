/* radmix report: what is in the files of a study, on one page. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controls.h"
#include "page.h"
#include "parts.h"
#include "radmix/error.h"
#include "radmix/report.h"
#include "radmix/result.h"

enum { FORMAT = 1, ID_SIZE = 32 };

/* Parts in the order of the page. */
static rx_status (*const parts[])(rx_page *page) = {
    rx_part_images,   rx_part_training,    rx_part_features, rx_part_factors,  rx_part_associations,
    rx_part_clusters, rx_part_predictions, rx_part_controls, rx_part_patients, rx_part_record,
};

static rx_status write_parts(rx_page *page) {
  for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) RX_TRY(parts[p](page));
  return RX_OK;
}

/* The page is written also when there is no gnuplot, without its figures and without its id. */
static rx_status write_page(const rx_job *job, const char *path, const char *id, size_t *n) {
  rx_page *page = NULL;

  rx_status status = rx_page_create(job, &page);
  if (!status) status = rx_study_open(job->config->study_directory, &page->study);
  if (!status) status = write_parts(page);
  rx_status drawn = status ? status : rx_figures_draw(&page->figures);
  if (!status && (!drawn || drawn == RX_ERR_MISSING))
    status = rx_page_write(page, path, drawn ? "" : id);
  if (page) *n = page->figures.n;
  rx_page_destroy(&page);
  return status ? status : drawn;
}

/* ---- up to date ---- */

/* Adds a file when it is there. */
static rx_status add_input(const rx_job *job, rx_recipe *recipe, const char *name) {
  char path[RX_PATH_SIZE];

  RX_TRY(RX_AGREE(job->comm, rx_job_path(job, name, path, sizeof path)));
  int is_there = !access(path, F_OK);
  MPI_Bcast(&is_there, 1, MPI_INT, 0, job->comm);
  return is_there ? rx_recipe_input(job->comm, recipe, name, path) : RX_OK;
}

/* Adds the files of the study and of its controls. */
static rx_status add_inputs(const rx_job *job, rx_recipe *recipe) {
  static const char *const controls[] = {
      "controls/permutations.tsv", "controls/compare/associations.h5ad",
      "controls/compare-deep/associations.h5ad", "controls/split-image/predictions.h5"};
  char name[64];

  for (int file = 0; file < RX_N_STUDY_FILES; file++)
    RX_TRY(add_input(job, recipe, rx_study_name((rx_study_file)file)));
  for (size_t c = 0; c < sizeof controls / sizeof *controls; c++)
    RX_TRY(add_input(job, recipe, controls[c]));
  for (int k = 1; k <= RX_CONTROLS_RANDOM; k++) {
    snprintf(name, sizeof name, "controls/random-%d/associations.h5ad", k);
    RX_TRY(add_input(job, recipe, name));
  }
  return RX_OK;
}

static rx_status find_id(const rx_job *job, char id[ID_SIZE]) {
  rx_recipe *recipe = NULL;

  rx_status status = RX_AGREE(job->comm, rx_recipe_create("report", FORMAT, &recipe));
  if (!status) status = RX_AGREE(job->comm, rx_recipe_section(recipe, job->config, "report"));
  if (!status) status = add_inputs(job, recipe);
  if (!status) snprintf(id, ID_SIZE, "%016lx", (unsigned long)rx_recipe_id(recipe));
  rx_recipe_destroy(&recipe);
  return status;
}

/* Tells whether the page that is there was made of the same files. */
static bool is_current(const rx_job *job, const char *path, const char *id) {
  char head[1024], line[ID_SIZE + 64];
  FILE *file = job->force == RX_FORCE_ALWAYS ? NULL : fopen(path, "r");

  if (!file) return false;
  size_t n = fread(head, 1, sizeof head - 1, file);
  head[n] = '\0';
  fclose(file);
  snprintf(line, sizeof line, "name=\"radmix-id\" content=\"%s\"", id);
  return strstr(head, line);
}

rx_status rx_report_run(const rx_job *job) {
  char path[RX_PATH_SIZE], id[ID_SIZE], done[64];
  size_t n_figures = 0;

  RX_TRY(RX_AGREE(job->comm, rx_job_path(job, "report/index.html", path, sizeof path)));
  if (job->config->report_controls) RX_TRY(rx_controls_run(job));
  RX_TRY(find_id(job, id));
  int is_done = job->rank == 0 && is_current(job, path, id);
  MPI_Bcast(&is_done, 1, MPI_INT, 0, job->comm);
  if (is_done) {
    rx_log_info(job->log, "report: %s is up to date", path);
    return RX_OK;
  }
  rx_status status = RX_OK;
  if (job->rank == 0) status = write_page(job, path, id, &n_figures);
  RX_TRY(RX_AGREE(job->comm, status));
  snprintf(done, sizeof done, "%zu figures", n_figures);
  rx_job_totals(job, "report", done, path);
  return RX_OK;
}
