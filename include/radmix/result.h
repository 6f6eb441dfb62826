/* result.h: files that appear whole, know how they were made, and are not made twice.
 *
 * A recipe is what a result depends on: the format number, the settings of the stage, the seed, and
 * for each input its id. The id of a result is the xxh64 of its recipe; the id of a file that
 * radmix did not write is the xxh64 of its content. */
#ifndef RADMIX_RESULT_H
#define RADMIX_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "radmix/job.h"
#include "radmix/status.h"
#include "radmix/store.h"

/* ---- files that appear whole; local ---- */

/* Writes PATH.part into part. Errors: RX_ERR_CONFIG when it does not fit. */
rx_status rx_output_part(const char *path, char *part, size_t size);
/* Opens PATH.part for text. Errors: RX_ERR_OUTPUT. */
rx_status rx_output_open(const char *path, FILE **file);
/* Closes file, brings it to the disk and names it PATH. When status is a failure already, or there
 * is one now (a full disk), removes PATH.part and returns it. */
rx_status rx_output_close(const char *path, FILE **file, rx_status status);
/* Brings PATH.part to the disk, names it PATH, brings the folder to the disk. */
rx_status rx_output_commit(const char *path);
/* Makes a folder and those above it. */
rx_status rx_output_folder(const char *path);

/* ---- recipes ---- */

typedef struct rx_recipe rx_recipe;

/* stage  "train"; format  raised when the same recipe gives another result */
rx_status rx_recipe_create(const char *stage, int format, rx_recipe **out);
void rx_recipe_destroy(rx_recipe **recipe);

/* Adds all settings of a section that are no paths, but those that leave the result as it is
 * (checkpoint_minutes). Local, like the next one; the same on all ranks. */
rx_status rx_recipe_section(rx_recipe *recipe, const rx_config *config, const char *section);
rx_status rx_recipe_add(rx_recipe *recipe, const char *name, const char *value);

/* Adds an input by its id. name "images.manifest"; path "" adds nothing. Collective over comm.
 * Errors: RX_ERR_NOINPUT, RX_ERR_INPUT (a folder). */
rx_status rx_recipe_input(MPI_Comm comm, rx_recipe *recipe, const char *name, const char *path);
/* The same for many files, their hashing shared by the ranks; they add one line. */
rx_status rx_recipe_inputs(MPI_Comm comm, rx_recipe *recipe, const char *name, size_t n,
                           char *const *paths);
uint64_t rx_recipe_id(const rx_recipe *recipe);
/* The lines of the recipe, "name = value". */
const char *rx_recipe_text(const rx_recipe *recipe);

/* ---- what is there already ---- */

/* Tells whether path holds the result of this recipe, and says so in the log. When it holds another
 * one: RX_ERR_EXISTS naming the first setting or input that differs, unless job->force. Collective.
 * group  "uns/radmix" of .h5ad, "radmix" of .h5 */
rx_status rx_result_check(const rx_job *job, const rx_recipe *recipe, const char *path,
                          bool *is_current);

/* Writes how a result was made: version, id, recipe, command line, all settings, ranks, seconds,
 * memory. memory_peak in bytes, over ranks. Local (rank 0). */
rx_status rx_result_record(rx_store *store, const rx_job *job, const rx_recipe *recipe,
                           size_t memory_peak);
/* The highest memory over ranks, on rank 0. Collective. */
size_t rx_result_memory(MPI_Comm comm);

/* The group of the record in a file of this name. */
const char *rx_result_group(const char *path);

/* ---- one writer ---- */

/* Takes study.directory for this job, making it when it is not there; refuses with RX_ERR_EXISTS
 * when another job that lives has it. Collective. */
rx_status rx_lock_take(const rx_job *job);
void rx_lock_release(const rx_job *job);

#endif
