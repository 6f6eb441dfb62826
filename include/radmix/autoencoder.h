/* autoencoder.h: a denoising convolutional autoencoder, trained on the slices of images.h5ad.
 *
 * With L levels, C channels and S x S images the layers are (3 x 3 convolutions, zero border):
 *   first   1 -> C, ReLU, 2 x 2 max pooling                                     S -> S/2
 *   pooled  C -> C, ReLU, pooling; L - 1 times                              S/2 -> ... S/2^L
 *   plain   C -> C, ReLU
 *   up      each pixel doubled in both directions, C -> C, ReLU; L - 1 times    ... -> S/2
 *   last    doubled, C -> 1, sigmoid                                            S/2 -> S
 * L = 2 is the network of Figure 2 of Liu & Hu 2023, L = 3 that of the authors' code. The features
 * are the output of the second layer, or of the only pooling when L = 1. */
#ifndef RADMIX_AUTOENCODER_H
#define RADMIX_AUTOENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "radmix/job.h"
#include "radmix/matrix.h"
#include "radmix/status.h"

enum { RX_MAX_LEVELS = 4, RX_MAX_LAYERS = 2 * RX_MAX_LEVELS + 1, RX_LAYER_NAME_SIZE = 16 };

typedef enum {
  RX_LAYER_FIRST,
  RX_LAYER_POOLED,
  RX_LAYER_PLAIN,
  RX_LAYER_UP,
  RX_LAYER_LAST
} rx_layer_kind;

typedef struct {
  rx_layer_kind kind;
  int inputs, outputs;         /* channels */
  int input_size, output_size; /* edges of the maps, after pooling */
  size_t weights;              /* place of [outputs][inputs][3][3] in the array of all weights */
  size_t biases;               /* place of [outputs] */
} rx_layer;

typedef struct {
  int levels, channels, size;
  int n_layers;
  rx_layer layers[RX_MAX_LAYERS];
  size_t n_weights;  /* length of the array of all weights, biases among them */
  int feature_layer; /* whose output are the features */
  int feature_size;  /* edge of a map of features */
  size_t n_features; /* channels x feature_size x feature_size */
} rx_network;

/* Lays the layers out.
 * Errors: RX_ERR_CONFIG when levels is not 1-4, channels not a multiple of 16, or size not
 * divisible by 2^levels. */
rx_status rx_network_build(int levels, int channels, int size, rx_network *network);

size_t rx_layer_n_weights(const rx_layer *layer);
/* Writes the name of a layer's weights ('w') or biases ('b'): conv1_w, conv1_b, ... */
void rx_layer_name(int layer, char part, char name[RX_LAYER_NAME_SIZE]);

/* The network at work, one image at a time, by the kernels of an instruction set. */
typedef struct rx_engine rx_engine;

/* Makes an engine with all the memory it needs. isa  2, 3 or 4: isa.h. Errors: RX_ERR_MEMORY. */
rx_status rx_engine_create(const rx_network *network, int isa, rx_engine **out);
void rx_engine_destroy(rx_engine **engine);

/* Takes over new weights [n_weights]. */
void rx_engine_set_weights(rx_engine *engine, const float *weights);

/* Computes the features of an image.
 * features  [channels][feature_size][feature_size], set; image  [size][size] in [0,1] */
void rx_engine_encode(rx_engine *engine, float *features, const float *image);

/* Computes the image that the network makes of an image. Both [size][size]. */
void rx_engine_reconstruct(rx_engine *engine, float *output, const float *image);

/* The slices of images.h5ad, patient after patient. */
typedef struct {
  size_t n_slices, n_patients;
  size_t *rows;    /* [n_slices], of the file; a patient's slices in their order there; owned */
  size_t *first;   /* [n_patients + 1], where in rows a patient begins; owned */
  char **patients; /* [n_patients], in the order of their first slices; views into the matrix */
  int size;        /* edge of a slice */
} rx_cohort;

/* Finds the patients of the slices (column `patient` of obs). Local.
 * Errors: RX_ERR_INPUT when there is no such column, or the slices are not square. */
rx_status rx_cohort_create(const rx_matrix *images, rx_cohort **out);
void rx_cohort_destroy(rx_cohort **cohort);
/* Keeps the patients of study.training (NULL: all). Local. Errors: RX_ERR_INPUT when none is left.
 */
rx_status rx_cohort_keep(rx_cohort *cohort, const rx_names *training);

/* Reads n rows of X in any order, data [n][n_var]; ranks may ask for unlike numbers of rows.
 * Collective over comm, the communicator of the matrix. */
rx_status rx_cohort_read(MPI_Comm comm, const rx_matrix *images, const size_t *rows, size_t n,
                         float *data);

/* A trained network. */
typedef struct {
  rx_network network;
  double noise;   /* standard deviation it was trained with */
  float *weights; /* [n_weights], the best; owned */
} rx_model;

/* Reads model.h5. Collective over comm. Errors: RX_ERR_NOINPUT, RX_ERR_INPUT. */
rx_status rx_model_load(MPI_Comm comm, const char *path, rx_model **out);
void rx_model_destroy(rx_model **model);

/* Puts noise of the kind it was trained with, but none that it has seen, on an image.
 * noisy, image  [size][size]; row  of the slice in the file */
void rx_model_put_noise(const rx_model *model, uint64_t seed, size_t row, float *noisy,
                        const float *image);

/* radmix train: images.h5ad to model.h5 and history.tsv. Collective over job->comm. */
rx_status rx_autoencoder_run(const rx_job *job);

#endif
