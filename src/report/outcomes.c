#include "outcomes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "study.h"

enum { NAME_SIZE = 640 };

/* The group of an outcome and a set, in which slashes within names are written as '_'. */
static void name_group(rx_outcome *o) {
  size_t begin = (size_t)snprintf(o->group, sizeof o->group, "predictions/");
  size_t middle =
      begin + (size_t)snprintf(o->group + begin, sizeof o->group - begin, "%.200s", o->outcome);

  snprintf(o->group + middle, sizeof o->group - middle, "/%.200s", o->set);
  for (char *c = o->group + begin; *c; c++)
    if (*c == '/' && c != o->group + middle) *c = '_';
}

double rx_outcomes_number(const rx_outcomes *outcomes, const rx_outcome *of, const char *name) {
  char path[NAME_SIZE];

  snprintf(path, sizeof path, "%s/%s", of->group, name);
  return rx_study_number(outcomes->store, path);
}

rx_status rx_outcomes_vector(const rx_outcomes *outcomes, const rx_outcome *of, const char *name,
                             size_t *n, double **values) {
  char path[NAME_SIZE];

  snprintf(path, sizeof path, "%s/%s", of->group, name);
  return rx_study_vector(outcomes->store, path, n, values);
}

static rx_status read_outcome(const rx_outcomes *all, rx_outcome *o) {
  char path[NAME_SIZE];

  snprintf(path, sizeof path, "%s/status", o->group);
  RX_TRY(rx_store_get_text(all->store, path, &o->status));
  const struct {
    const char *name;
    double *value;
  } numbers[] = {
      {"n_patients", &o->n_patients},
      {"n_positive", &o->n_positive},
      {"performance/auc", &o->auc},
      {"performance/delong_lower", &o->lower},
      {"performance/delong_upper", &o->upper},
      {"performance/bootstrap_lower", &o->bootstrap_lower},
      {"performance/bootstrap_upper", &o->bootstrap_upper},
      {"auc_rows", &o->rows_auc},
      {"auc_mean_of_folds", &o->folds_auc},
      {"performance/f1", &o->f1},
      {"performance/f1_all_positive", &o->f1_all_positive},
      {"performance/balanced_accuracy", &o->balanced_accuracy},
      {"performance/brier", &o->brier},
      {"performance/calibration_slope", &o->slope},
      {"performance/r2", &o->r2},
      {"permutation/p", &o->permutation_p},
      {"permutation/mean_auc", &o->permutation_mean},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    *numbers[i].value = rx_outcomes_number(all, o, numbers[i].name);
  return RX_OK;
}

static bool is_text(const rx_store *store, const char *name, const char *word) {
  char *text = NULL;
  bool is_same =
      rx_store_has(store, name) && !rx_store_get_text(store, name, &text) && !strcmp(text, word);

  free(text);
  return is_same;
}

static rx_status read_all(rx_outcomes *all) {
  RX_TRY(rx_store_get_texts(all->store, "outcomes", &all->n_outcomes, &all->outcomes));
  RX_TRY(rx_store_get_texts(all->store, "sets", &all->n_sets, &all->sets));
  if (rx_store_has(all->store, "positive"))
    RX_TRY(rx_store_get_texts(all->store, "positive", &all->n_positive, &all->positive));
  RX_TRY(RX_NEW(&all->items, "outcomes", all->n_outcomes * all->n_sets));
  for (size_t i = 0; i < all->n_outcomes * all->n_sets; i++) {
    all->items[i].outcome = all->outcomes[i / all->n_sets];
    all->items[i].set = all->sets[i % all->n_sets];
    name_group(&all->items[i]);
    RX_TRY(read_outcome(all, &all->items[i]));
  }
  return RX_OK;
}

rx_status rx_outcomes_read(const rx_store *store, rx_outcomes **out) {
  RX_TRY(RX_NEW(out, "outcomes", 1));
  (*out)->store = store;
  (*out)->is_binary = !is_text(store, "family", "gaussian");
  (*out)->is_split_by_image = is_text(store, "radmix/settings/prediction.split", "image");
  rx_status status = read_all(*out);
  if (status) rx_outcomes_destroy(out);
  return status;
}

void rx_outcomes_destroy(rx_outcomes **outcomes) {
  rx_outcomes *o = *outcomes;

  if (!o) return;
  for (size_t i = 0; o->items && i < o->n_outcomes * o->n_sets; i++) free(o->items[i].status);
  rx_texts_destroy(&o->outcomes, o->n_outcomes);
  rx_texts_destroy(&o->sets, o->n_sets);
  rx_texts_destroy(&o->positive, o->n_positive);
  free(o->items);
  free(o);
  *outcomes = NULL;
}
