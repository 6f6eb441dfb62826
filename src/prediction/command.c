/* predict: clinical outcomes from features, patients held out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prediction/apply.h"
#include "prediction/evaluate.h"
#include "prediction/fold_checkpoint.h"
#include "prediction/permute.h"
#include "prediction/say.h"
#include "prediction/split.h"
#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/prediction.h"
#include "radmix/result.h"
#include "radmix/text.h"

enum { FORMAT = 2 };

typedef struct {
  rx_recipe *recipe;
  rx_panel *panel;
  rx_folds *folds;
  rx_refit *refit;
  rx_results *results;
  rx_results *beside; /* split = image: the same with patients held out */
  rx_fold_checkpoint *checkpoint;
  int isa;
} work;

static void destroy_work(work *w) {
  rx_results_destroy(&w->results);
  rx_results_destroy(&w->beside);
  rx_fold_checkpoint_close(&w->checkpoint);
  rx_refit_destroy(&w->refit);
  rx_folds_destroy(&w->folds);
  rx_panel_destroy(&w->panel);
  rx_recipe_destroy(&w->recipe);
}

/* ---- what the result depends on ---- */

static rx_status begin_recipe(const rx_job *job, rx_recipe **recipe) {
  char seed[32];

  snprintf(seed, sizeof seed, "%d", job->config->study_seed);
  RX_TRY(rx_recipe_create("predict", FORMAT, recipe));
  RX_TRY(rx_recipe_section(*recipe, job->config, "prediction"));
  RX_TRY(rx_recipe_add(*recipe, "study.seed", seed));
  return rx_recipe_add(*recipe, "study.subset", job->config->study_subset);
}

static rx_status add_compared(const rx_job *job, rx_recipe *recipe) {
  rx_list list;

  RX_TRY(rx_list_agreed(job->comm, job->config->prediction_compare, ',', &list));
  rx_status status =
      list.n > 1
          ? rx_recipe_inputs(job->comm, recipe, "prediction.compare", (size_t)list.n, list.items)
      : list.n ? rx_recipe_input(job->comm, recipe, "prediction.compare", list.items[0])
               : RX_OK;
  rx_list_destroy(&list);
  return status;
}

static rx_status make_recipe(const rx_job *job, rx_recipe **recipe) {
  const rx_config *config = job->config;
  char features[4096];

  RX_TRY(RX_AGREE(job->comm, begin_recipe(job, recipe)));
  RX_TRY(RX_AGREE(job->comm, rx_panel_path(job, features, sizeof features)));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "prediction.features", features));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "study.clinical", config->study_clinical));
  RX_TRY(rx_recipe_input(job->comm, *recipe, "prediction.fold_file", config->prediction_fold_file));
  return add_compared(job, *recipe);
}

/* ---- the work ---- */

static rx_status create_results(const rx_job *job, work *w) {
  RX_TRY(rx_results_create(w->panel, w->folds, &w->results));
  RX_TRY(rx_say_learned(job, w->panel, w->refit, &w->results->learned));
  if (!rx_is(job->config->prediction_split, "image")) return RX_OK;
  RX_TRY(rx_results_create(w->panel, w->folds, &w->beside));
  w->results->beside = w->beside;
  return RX_OK;
}

/* What is done is kept, from here on. */
static rx_status begin_checkpoint(const rx_job *job, work *w) {
  rx_results *all[2] = {w->results, w->beside};

  RX_TRY(rx_fold_checkpoint_open(job, w->recipe, w->beside ? 2 : 1, all, &w->checkpoint));
  for (int k = 0; k < 2 && all[k]; k++) {
    all[k]->checkpoint = w->checkpoint;
    all[k]->number = k;
  }
  return RX_OK;
}

/* Slices held out, whatever patient they are of. */
static rx_status evaluate_rows(const rx_job *job, work *w, rx_nested_plan plan, int s) {
  int *fold = NULL;
  rx_status status =
      RX_AGREE(job->comm, rx_split_rows(job, w->panel, &w->panel->sets[s], w->folds, &fold));

  plan.is_by_row = true;
  plan.refit = NULL;
  if (!status) status = rx_evaluate_set(job, &plan, fold, w->results, s);
  free(fold);
  return status;
}

static rx_status evaluate(const rx_job *job, work *w) {
  RX_TRY(RX_AGREE(job->comm, create_results(job, w)));
  RX_TRY(begin_checkpoint(job, w));
  rx_results *honest = w->beside ? w->beside : w->results;
  if (w->beside) rx_say_leak(job);
  for (int s = 0; s < w->panel->n_sets; s++) {
    rx_nested_plan plan = rx_evaluate_plan(job, w->panel, &w->panel->sets[s], w->folds, w->isa);
    plan.refit = rx_refit_has(w->refit, s) ? w->refit : NULL;
    plan.set = s;
    RX_TRY(rx_evaluate_set(job, &plan, w->folds->fold, honest, s));
    if (w->beside) RX_TRY(evaluate_rows(job, w, plan, s));
    if (job->config->prediction_permutations) RX_TRY(rx_permute_set(job, w->results, s, w->isa));
  }
  return RX_AGREE(job->comm, rx_evaluate_compare(honest));
}

static rx_status store(const rx_job *job, const work *w, const char *path) {
  size_t memory = rx_result_memory(job->comm);
  rx_status status = RX_OK;

  if (job->rank == 0) {
    status = rx_results_tables(job, w->results);
    if (!status) status = rx_results_store(job, w->results, w->recipe, memory, path);
    if (!status) rx_fold_checkpoint_remove(job);
  }
  return RX_AGREE(job->comm, status);
}

/* Settings that cannot be followed are refused, never passed over. */
static rx_status check_settings(const rx_config *config) {
  if (rx_is(config->prediction_split, "image") && rx_is(config->prediction_level, "patient"))
    return RX_FAIL(RX_ERR_CONFIG,
                   "prediction.split = image: expected prediction.level = image, found patient");
  if (rx_is(config->prediction_split, "image") && config->prediction_strict_folds)
    return RX_FAIL(RX_ERR_CONFIG,
                   "prediction.strict_folds: expected prediction.split = patient, found image");
  return RX_OK;
}

rx_status rx_prediction_run(const rx_job *job) {
  char path[4096], done[256];
  bool is_current = false;
  work w = {.recipe = NULL};
  rx_status status = RX_AGREE(job->comm, check_settings(job->config));

  if (status) return status;
  if (*job->config->prediction_apply) return rx_apply_run(job);
  rx_memory_give_back();
  status = RX_AGREE(job->comm, rx_job_path(job, "predictions.h5", path, sizeof path));
  if (status) return status;
  if ((status = make_recipe(job, &w.recipe))) goto done;
  if ((status = rx_result_check(job, w.recipe, path, &is_current)) || is_current) goto done;
  if ((status = rx_isa_choose(job->comm, &w.isa))) goto done;
  if ((status = rx_panel_load(job, &w.panel))) goto done;
  if ((status = rx_split_patients(job, w.panel, &w.folds))) goto done;
  if ((status = rx_refit_create(job, w.panel, w.folds, &w.refit))) goto done;
  if ((status = evaluate(job, &w))) goto done;
  if ((status = store(job, &w, path))) goto done;
  rx_say_results(job, w.results);
  snprintf(done, sizeof done, "%d outcomes, %d feature sets, %d x %d outer folds",
           w.panel->n_outcomes, w.panel->n_sets, w.folds->n_repeats, w.folds->n_folds);
  rx_job_totals(job, "predict", done, path);
done:
  destroy_work(&w);
  return status;
}
