/* autoencoder_reference.h: the shared reference networks of PyTorch, for unit tests. */
#ifndef RADMIX_TESTS_AUTOENCODER_REFERENCE_H
#define RADMIX_TESTS_AUTOENCODER_REFERENCE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radmix/autoencoder.h"

/* A reference network: weights, images, and what PyTorch made of them. */
typedef struct {
  char folder[600];
  rx_network network;
  float *weights, *noisy, *target;
} reference;

static inline void *read_floats(const char *folder, const char *name, const char *type,
                                size_t width, size_t *n) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%.200s.%s", folder, name, type);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *n = (size_t)ftell(file) / width;
  rewind(file);
  void *values = malloc(*n * width);
  assert_int_equal(fread(values, width, *n, file), *n);
  fclose(file);
  return values;
}

static inline double *read_doubles(const char *folder, const char *name, size_t *n) {
  return read_floats(folder, name, "f64", sizeof(double), n);
}

static inline bool open_reference(reference *r, const char *which) {
  const char *shared = getenv("RADMIX_SHARED");
  size_t n, n_pixels;

  snprintf(r->folder, sizeof r->folder, "%s/reference/autoencoder/%s",
           shared ? shared : "../shared", which);
  r->target = read_floats(r->folder, "target", "f32", sizeof(float), &n);
  if (!r->target) return false;
  r->noisy = read_floats(r->folder, "noisy", "f32", sizeof(float), &n);
  double *output = read_doubles(r->folder, "f64_act_out", &n_pixels);
  free(output);
  int size = (int)lround(sqrt((double)n_pixels / 4)); /* the first batch has four images */
  assert_int_equal(rx_network_build(!strcmp(which, "data") ? 3 : 2, 16, size, &r->network), 0);
  r->weights = calloc(r->network.n_weights, sizeof(float));
  for (int l = 0; l < r->network.n_layers; l++)
    for (int part = 0; part < 2; part++) {
      char name[32];
      snprintf(name, sizeof name, "init_%c%d", part ? 'b' : 'w', l + 1);
      float *values = read_floats(r->folder, name, "f32", sizeof(float), &n);
      const rx_layer *layer = &r->network.layers[l];
      memcpy(r->weights + (part ? layer->biases : layer->weights), values, n * sizeof(float));
      free(values);
    }
  return true;
}

static inline void close_reference(reference *r) {
  free(r->weights);
  free(r->noisy);
  free(r->target);
}

/* Largest difference, as a share of the largest value. */
static inline double difference(const float *found, const double *expected, size_t n) {
  double most = 0, largest = 0;
  for (size_t i = 0; i < n; i++) {
    most = fmax(most, fabs((double)found[i] - expected[i]));
    largest = fmax(largest, fabs(expected[i]));
  }
  return most / fmax(largest, 1e-30);
}

#endif
