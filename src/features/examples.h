/* examples.h: a few slices, what they look like with noise, and what the network makes of that. */
#ifndef RADMIX_FEATURES_EXAMPLES_H
#define RADMIX_FEATURES_EXAMPLES_H

#include "radmix/autoencoder.h"
#include "radmix/job.h"
#include "radmix/store.h"

enum { RX_MOST_EXAMPLES = 8 };

typedef struct {
  size_t n;
  int size;
  size_t rows[RX_MOST_EXAMPLES];            /* of the file, ascending */
  float *original, *noisy, *reconstruction; /* [n][size][size]; owned */
} rx_examples;

/* Draws the slices and computes their images on rank 0. Collective over job->comm. */
rx_status rx_examples_make(const rx_job *job, const rx_matrix *images, const rx_model *model,
                           rx_examples **out);
void rx_examples_destroy(rx_examples **examples);

/* Writes uns/examples: original, noisy, reconstruction, and the names of the slices. Local. */
rx_status rx_examples_put(const rx_examples *examples, const rx_frame *obs, rx_store *store);

#endif
