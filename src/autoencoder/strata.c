#include "strata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "radmix/random.h"

/* Marks the slices whose row of the manifest says validate. */
static rx_status mark_by_column(const rx_matrix *images, const rx_column *split, bool *validates) {
  for (size_t row = 0; row < images->n_obs; row++) {
    const char *word = split->text[row];

    if (strcmp(word, "validate") && strcmp(word, "train") && *word)
      return RX_FAIL(RX_ERR_INPUT, "%s: obs/split: expected train or validate, found '%.80s' (%s)",
                     images->path, word, images->obs->names[row]);
    validates[row] = !strcmp(word, "validate");
  }
  return RX_OK;
}

/* Marks the slices of a random share of the patients: at least one, but never all. */
static rx_status mark_by_patient(const rx_cohort *cohort, const rx_training_settings *settings,
                                 bool *validates) {
  size_t n = cohort->n_patients, n_validating = (size_t)lround(settings->validation * (double)n);
  int64_t *order;

  if (settings->validation == 0 || n < 2) return RX_OK;
  if (n_validating < 1) n_validating = 1;
  if (n_validating > n - 1) n_validating = n - 1;
  RX_TRY(RX_NEW(&order, "patients", n));
  for (size_t p = 0; p < n; p++) order[p] = (int64_t)p;
  rx_random random = rx_random_at(settings->seed, RX_RANDOM_VALIDATION, 0, 0);
  rx_random_shuffle(&random, order, n);
  for (size_t i = 0; i < n_validating; i++)
    for (size_t s = cohort->first[order[i]]; s < cohort->first[order[i] + 1]; s++)
      validates[cohort->rows[s]] = true;
  free(order);
  return RX_OK;
}

/* Lists the slices of one purpose, patient after patient, with their weights. */
static rx_status list_slices(const rx_cohort *cohort, const bool *validates, bool wanted,
                             bool weighs_patients, rx_share *share) {
  RX_TRY(RX_NEW(&share->rows, "slices", cohort->n_slices));
  RX_TRY(RX_NEW(&share->weights, "slices", cohort->n_slices));
  for (size_t p = 0; p < cohort->n_patients; p++) {
    size_t begin = share->n_slices;

    for (size_t s = cohort->first[p]; s < cohort->first[p + 1]; s++)
      if (validates[cohort->rows[s]] == wanted) share->rows[share->n_slices++] = cohort->rows[s];
    for (size_t s = begin; s < share->n_slices; s++)
      share->weights[s] = 1 / (double)(share->n_slices - begin);
    share->n_patients += share->n_slices > begin;
  }
  for (size_t s = 0; s < share->n_slices; s++)
    share->weights[s] =
        weighs_patients ? share->weights[s] * (double)share->n_slices / (double)share->n_patients
                        : 1;
  return RX_OK;
}

static rx_status choose(const rx_matrix *images, const rx_cohort *cohort,
                        const rx_training_settings *settings, rx_strata *strata) {
  const rx_column *split = rx_frame_find(images->obs, "split");
  bool *validates;

  RX_TRY(RX_NEW(&validates, "slices", images->n_obs));
  rx_status status = split && split->kind == RX_TEXT ? mark_by_column(images, split, validates)
                                                     : mark_by_patient(cohort, settings, validates);
  bool weighs = settings->weighs_patients;
  if (!status) status = list_slices(cohort, validates, false, weighs, &strata->training);
  if (!status) status = list_slices(cohort, validates, true, weighs, &strata->validation);
  free(validates);
  if (!status && strata->training.n_slices == 0)
    status = RX_FAIL(RX_ERR_INPUT, "%s: expected slices to train on, found none", images->path);
  return status;
}

/* Where a stratum begins in the training slices, and its length. */
static void find_stratum(const rx_strata *strata, size_t stratum, size_t *first, size_t *length) {
  rx_partition(strata->training.n_slices, (int)stratum, (int)strata->n_strata, first, length);
}

static rx_status divide(const rx_job *job, const rx_training_settings *settings, size_t n_pixels,
                        rx_strata *strata) {
  rx_share *training = &strata->training, *validation = &strata->validation;
  size_t n_batch = (size_t)settings->batch, length;

  strata->n_strata = n_batch < training->n_slices ? n_batch : training->n_slices;
  strata->n_steps = (int64_t)((training->n_slices - 1) / strata->n_strata + 1);
  rx_partition(strata->n_strata, job->rank, job->n_ranks, &strata->first_stratum,
               &strata->n_own_strata);
  if (strata->n_own_strata) {
    find_stratum(strata, strata->first_stratum, &training->first, &length);
    find_stratum(strata, strata->first_stratum + strata->n_own_strata - 1, &training->n, &length);
    training->n += length - training->first;
  }
  rx_partition(validation->n_slices, job->rank, job->n_ranks, &validation->first, &validation->n);
  RX_TRY(RX_NEW(&training->pixels, "training slices", training->n * n_pixels));
  RX_TRY(RX_NEW(&validation->pixels, "validation slices", validation->n * n_pixels));
  return RX_NEW(&strata->order, "order of slices", training->n);
}

/* An image made elsewhere may hold anything; sums in fixed point hold what an image of radmix does.
 */
static rx_status check_pixels(const rx_matrix *images, const rx_share *share) {
  for (size_t i = 0; i < share->n * images->n_var; i++) {
    float pixel = share->pixels[i];
    if (!(pixel >= -0.5F && pixel <= 1.5F))
      return RX_FAIL(RX_ERR_INPUT, "%s: /X: expected pixels from 0 to 1, found %g in row %zu",
                     images->path, (double)pixel, share->rows[share->first + i / images->n_var]);
  }
  return RX_OK;
}

rx_status rx_strata_load(const rx_job *job, const rx_matrix *images, const rx_cohort *cohort,
                         const rx_training_settings *settings, rx_strata **out) {
  rx_status status = RX_NEW(out, "strata", 1);

  if (!status) status = choose(images, cohort, settings, *out);
  if (!status) status = divide(job, settings, images->n_var, *out);
  status = RX_AGREE(job->comm, status);
  for (int i = 0; i < 2 && !status; i++) {
    const rx_share *share = i ? &(*out)->validation : &(*out)->training;
    status = rx_cohort_read(job->comm, images, share->rows + share->first, share->n, share->pixels);
    if (!status) status = RX_AGREE(job->comm, check_pixels(images, share));
  }
  if (status) rx_strata_destroy(out);
  return status;
}

static void destroy_share(rx_share *share) {
  free(share->rows);
  free(share->weights);
  free(share->pixels);
}

void rx_strata_destroy(rx_strata **strata) {
  if (!*strata) return;
  destroy_share(&(*strata)->training);
  destroy_share(&(*strata)->validation);
  free((*strata)->order);
  free(*strata);
  *strata = NULL;
}

void rx_strata_shuffle(rx_strata *strata, uint64_t seed, int64_t epoch) {
  for (size_t s = 0; s < strata->n_own_strata; s++) {
    size_t stratum = strata->first_stratum + s, first, length;
    rx_random random = rx_random_at(seed, RX_RANDOM_ORDER, (uint32_t)epoch, (uint32_t)stratum);

    find_stratum(strata, stratum, &first, &length);
    int64_t *order = strata->order + (first - strata->training.first);
    for (size_t i = 0; i < length; i++) order[i] = (int64_t)(first - strata->training.first + i);
    rx_random_shuffle(&random, order, length);
  }
}

int64_t rx_strata_step_size(const rx_strata *strata, int64_t step) {
  int64_t done = step * (int64_t)strata->n_strata, left = (int64_t)strata->training.n_slices - done;

  return left < (int64_t)strata->n_strata ? left : (int64_t)strata->n_strata;
}

ptrdiff_t rx_strata_slice(const rx_strata *strata, size_t stratum, int64_t step) {
  size_t first, length;

  find_stratum(strata, strata->first_stratum + stratum, &first, &length);
  if ((size_t)step >= length) return -1;
  return strata->order[first - strata->training.first + (size_t)step];
}
