#include "examples.h"

#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/random.h"

static int compare_rows(const void *a, const void *b) {
  size_t left = *(const size_t *)a, right = *(const size_t *)b;

  return left < right ? -1 : left > right;
}

/* Draws different rows. */
static rx_status draw_rows(uint64_t seed, size_t n_slices, rx_examples *examples) {
  rx_random random = rx_random_at(seed, RX_RANDOM_EXAMPLES, 0, 0);
  int64_t *order;

  RX_TRY(RX_NEW(&order, "slices", n_slices));
  for (size_t slice = 0; slice < n_slices; slice++) order[slice] = (int64_t)slice;
  rx_random_shuffle(&random, order, n_slices);
  examples->n = n_slices < RX_MOST_EXAMPLES ? n_slices : RX_MOST_EXAMPLES;
  for (size_t i = 0; i < examples->n; i++) examples->rows[i] = (size_t)order[i];
  free(order);
  qsort(examples->rows, examples->n, sizeof *examples->rows, compare_rows);
  return RX_OK;
}

static rx_status allocate(const rx_matrix *images, uint64_t seed, rx_examples *examples) {
  size_t n = RX_MOST_EXAMPLES * images->n_var;

  RX_TRY(draw_rows(seed, images->n_obs, examples));
  RX_TRY(RX_NEW(&examples->original, "examples", n));
  RX_TRY(RX_NEW(&examples->noisy, "examples", n));
  return RX_NEW(&examples->reconstruction, "examples", n);
}

static rx_status compute(const rx_model *model, int isa, uint64_t seed, rx_examples *examples) {
  size_t n_pixels = (size_t)examples->size * (size_t)examples->size;
  rx_engine *engine;

  RX_TRY(rx_engine_create(&model->network, isa, &engine));
  rx_engine_set_weights(engine, model->weights);
  for (size_t i = 0; i < examples->n; i++) {
    float *noisy = examples->noisy + i * n_pixels;

    rx_model_put_noise(model, seed, examples->rows[i], noisy, examples->original + i * n_pixels);
    rx_engine_reconstruct(engine, examples->reconstruction + i * n_pixels, noisy);
  }
  rx_engine_destroy(&engine);
  return RX_OK;
}

rx_status rx_examples_make(const rx_job *job, const rx_matrix *images, const rx_model *model,
                           rx_examples **out) {
  uint64_t seed = (uint64_t)job->config->study_seed;
  int isa;

  RX_TRY(rx_isa_choose(job->comm, &isa));
  rx_status status = RX_NEW(out, "examples", 1);
  if (!status) status = allocate(images, seed, *out);
  status = RX_AGREE(job->comm, status);
  if (!status) {
    (*out)->size = model->network.size;
    status = rx_cohort_read(job->comm, images, (*out)->rows, job->rank == 0 ? (*out)->n : 0,
                            (*out)->original);
  }
  if (!status) {
    if (job->rank == 0) status = compute(model, isa, seed, *out);
    status = RX_AGREE(job->comm, status);
  }
  if (status) rx_examples_destroy(out);
  return status;
}

void rx_examples_destroy(rx_examples **examples) {
  if (!*examples) return;
  free((*examples)->original);
  free((*examples)->noisy);
  free((*examples)->reconstruction);
  free(*examples);
  *examples = NULL;
}

rx_status rx_examples_put(const rx_examples *examples, const rx_frame *obs, rx_store *store) {
  size_t dims[3] = {examples->n, (size_t)examples->size, (size_t)examples->size};
  char *names[RX_MOST_EXAMPLES];

  for (size_t i = 0; i < examples->n; i++) names[i] = obs->names[examples->rows[i]];
  RX_TRY(rx_store_put_group(store, "uns/examples", "dict"));
  RX_TRY(rx_store_put(store, "uns/examples/original", RX_FLOAT32, 3, dims, examples->original));
  RX_TRY(rx_store_put(store, "uns/examples/noisy", RX_FLOAT32, 3, dims, examples->noisy));
  RX_TRY(rx_store_put(store, "uns/examples/reconstruction", RX_FLOAT32, 3, dims,
                      examples->reconstruction));
  return rx_store_put_texts(store, "uns/examples/slice", examples->n, names);
}
