#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/store.h"

/* Name and shape of a layer's weights or biases in a group of weights. */
static void describe(const rx_network *network, const char *group, int l, char part, char name[64],
                     size_t dims[4], int *n_dims) {
  const rx_layer *layer = &network->layers[l];
  char short_name[RX_LAYER_NAME_SIZE];

  rx_layer_name(l, part, short_name);
  snprintf(name, 64, "weights/%s/%s", group, short_name);
  dims[0] = (size_t)layer->outputs;
  dims[1] = (size_t)layer->inputs;
  dims[2] = dims[3] = 3;
  *n_dims = part == 'w' ? 4 : 1;
}

static rx_status put_weights(rx_store *store, const rx_network *network, const char *group,
                             const float *weights) {
  for (int l = 0; l < network->n_layers; l++)
    for (int part = 0; part < 2; part++) {
      const rx_layer *layer = &network->layers[l];
      char name[64];
      size_t dims[4];
      int n_dims;

      describe(network, group, l, part ? 'b' : 'w', name, dims, &n_dims);
      RX_TRY(rx_store_put(store, name, RX_FLOAT32, n_dims, dims,
                          weights + (part ? layer->biases : layer->weights)));
    }
  return RX_OK;
}

/* Columns of the history, in the order of history.tsv. */
enum { EPOCH, LOSS, VALIDATION_LOSS, LEARNING_RATE, DEAD_FEATURES, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"epoch", "loss", "validation_loss",
                                                    "learning_rate", "dead_features"};

static double history_value(const rx_training_state *state, int64_t epoch, int column) {
  const rx_history_row *row = &state->history[epoch];

  switch (column) {
    case LOSS:
      return row->loss;
    case VALIDATION_LOSS:
      return row->validation_loss;
    case LEARNING_RATE:
      return row->learning_rate;
    case DEAD_FEATURES:
      return row->n_dead;
    default:
      return (double)epoch;
  }
}

static rx_status put_history(rx_store *store, const rx_training_state *state) {
  size_t n = (size_t)state->epoch + 1;
  double *values;
  char name[64];
  rx_status status = RX_NEW(&values, "history", n);

  for (int column = 0; column < N_COLUMNS && !status; column++) {
    for (size_t epoch = 0; epoch < n; epoch++)
      values[epoch] = history_value(state, (int64_t)epoch, column);
    snprintf(name, sizeof name, "history/%s", column_names[column]);
    status = rx_store_put(store, name, RX_FLOAT64, 1, &n, values);
  }
  free(values);
  return status;
}

static rx_status put_network(rx_store *store, const rx_network *network, double noise) {
  RX_TRY(rx_store_put_integer(store, "network/levels", network->levels));
  RX_TRY(rx_store_put_integer(store, "network/channels", network->channels));
  RX_TRY(rx_store_put_integer(store, "network/size", network->size));
  return rx_store_put_number(store, "network/noise", noise);
}

static rx_status put_quality(rx_store *store, const rx_qualities *q) {
  RX_TRY(rx_store_put_number(store, "quality/cosine", q->network.cosine));
  RX_TRY(rx_store_put_number(store, "quality/psnr", q->network.psnr));
  RX_TRY(rx_store_put_number(store, "quality/mean_image_cosine", q->mean_image.cosine));
  RX_TRY(rx_store_put_number(store, "quality/mean_image_psnr", q->mean_image.psnr));
  RX_TRY(rx_store_put_integer(store, "quality/dead_features", (int64_t)q->n_dead));
  return rx_store_put_integer(store, "quality/dead_features_black", (int64_t)q->n_black);
}

static rx_status write_model(const rx_job *job, const rx_recipe *recipe,
                             const rx_training *training, const rx_qualities *qualities,
                             const char *path) {
  rx_store *store = NULL;

  RX_TRY(rx_store_create(path, &store));
  rx_status status = put_network(store, &training->network, training->settings.noise);
  if (!status) status = put_weights(store, &training->network, "best", training->state.best);
  if (!status) status = put_weights(store, &training->network, "last", training->state.weights);
  if (!status) status = put_history(store, &training->state);
  if (!status) status = put_quality(store, qualities);
  if (!status) status = rx_result_record(store, job, recipe, training->memory_peak);
  if (!status) return rx_store_commit(&store);
  rx_store_close(&store);
  return status;
}

static rx_status write_history(const rx_training_state *state, const char *path) {
  FILE *file;

  RX_TRY(rx_output_open(path, &file));
  for (int column = 0; column < N_COLUMNS; column++)
    fprintf(file, "%s%c", column_names[column], column < N_COLUMNS - 1 ? '\t' : '\n');
  for (int64_t epoch = 0; epoch <= state->epoch; epoch++)
    for (int column = 0; column < N_COLUMNS; column++) {
      double value = history_value(state, epoch, column);
      if (isnan(value))
        fputs("NA", file);
      else
        fprintf(file, "%.9g", value);
      fputc(column < N_COLUMNS - 1 ? '\t' : '\n', file);
    }
  return rx_output_close(path, &file, RX_OK);
}

rx_status rx_model_write(const rx_job *job, const rx_recipe *recipe, rx_training *training,
                         const rx_qualities *qualities, const char *model_path,
                         const char *history_path) {
  rx_status status = RX_OK;

  training->memory_peak = rx_result_memory(job->comm);

  if (job->rank == 0) {
    status = write_history(&training->state, history_path);
    if (!status) status = write_model(job, recipe, training, qualities, model_path);
  }
  return RX_AGREE(job->comm, status);
}

/* A number of the file as one of a network; -1, which no network has, when it is beyond all. */
static int size_of(double number) {
  return number >= 0 && number <= 512 ? (int)number : -1;
}

static rx_status get_network(const rx_store *store, const char *path, rx_model *model) {
  double levels, channels, size;

  RX_TRY(rx_store_get_number(store, "network/levels", &levels));
  RX_TRY(rx_store_get_number(store, "network/channels", &channels));
  RX_TRY(rx_store_get_number(store, "network/size", &size));
  RX_TRY(rx_store_get_number(store, "network/noise", &model->noise));
  rx_status status =
      rx_network_build(size_of(levels), size_of(channels), size_of(size), &model->network);
  return status ? RX_FAIL(RX_ERR_INPUT, "%s: network: %s", path, rx_error_message()) : RX_OK;
}

static rx_status get_weights(const rx_store *store, const rx_network *network, float *weights) {
  for (int l = 0; l < network->n_layers; l++)
    for (int part = 0; part < 2; part++) {
      const rx_layer *layer = &network->layers[l];
      size_t dims[4], count = part ? (size_t)layer->outputs : rx_layer_n_weights(layer);
      char name[64];
      int n_dims;

      describe(network, "best", l, part ? 'b' : 'w', name, dims, &n_dims);
      RX_TRY(rx_store_get(store, name, RX_FLOAT32, count,
                          weights + (part ? layer->biases : layer->weights)));
    }
  return RX_OK;
}

static rx_status read_model(const char *path, rx_model *model) {
  rx_store *store;

  RX_TRY(rx_store_open(path, &store));
  rx_status status = get_network(store, path, model);
  if (!status) status = RX_NEW(&model->weights, "weights", model->network.n_weights);
  if (!status) status = get_weights(store, &model->network, model->weights);
  rx_store_close(&store);
  return status;
}

static rx_status share_model(MPI_Comm comm, rx_model *model, int rank) {
  rx_status status = RX_OK;

  MPI_Bcast(&model->network, (int)sizeof model->network, MPI_BYTE, 0, comm);
  MPI_Bcast(&model->noise, 1, MPI_DOUBLE, 0, comm);
  if (rank) status = RX_NEW(&model->weights, "weights", model->network.n_weights);
  RX_TRY(RX_AGREE(comm, status));
  MPI_Bcast(model->weights, (int)model->network.n_weights, MPI_FLOAT, 0, comm);
  return RX_OK;
}

rx_status rx_model_load(MPI_Comm comm, const char *path, rx_model **out) {
  int rank;

  MPI_Comm_rank(comm, &rank);
  rx_status status = RX_NEW(out, "model", 1);
  if (!status && rank == 0) status = read_model(path, *out);
  status = RX_AGREE(comm, status);
  if (!status) status = share_model(comm, *out, rank);
  if (status) rx_model_destroy(out);
  return status;
}

void rx_model_destroy(rx_model **model) {
  if (!*model) return;
  free((*model)->weights);
  free(*model);
  *model = NULL;
}

void rx_model_put_noise(const rx_model *model, uint64_t seed, size_t row, float *noisy,
                        const float *image) {
  rx_noise noise = {.seed = seed, .image = (uint32_t)row, .deviation = (float)model->noise};

  rx_noise_v2(noisy, image, (size_t)model->network.size * (size_t)model->network.size, &noise);
}
