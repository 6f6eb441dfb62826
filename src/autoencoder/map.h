/* map.h: feature maps as the kernels hold them: blocks of 16 channels, channels last, and a border
 * of one pixel of zeros, so that no kernel asks where the image ends. */
#ifndef RADMIX_AUTOENCODER_MAP_H
#define RADMIX_AUTOENCODER_MAP_H

#include <stddef.h>

enum { RX_BLOCK = 16 }; /* channels */

typedef struct {
  int size;      /* edge, in pixels */
  int pitch;     /* edge with border: size rounded up to even, + 2 */
  int n_blocks;  /* channels / 16 */
  float *values; /* [n_blocks][pitch][pitch][16] */
} rx_map;

static inline int rx_map_pitch(int size) {
  return (size + 1) / 2 * 2 + 2;
}

/* Floats from one block of channels to the next. */
static inline size_t rx_map_block(const rx_map *map) {
  return (size_t)map->pitch * (size_t)map->pitch * RX_BLOCK;
}

/* The 16 channels of a pixel; row and column -1 are the border. */
static inline float *rx_map_at(const rx_map *map, int block, int row, int column) {
  ptrdiff_t pixel = ((ptrdiff_t)block * map->pitch + row + 1) * map->pitch + column + 1;
  return map->values + pixel * RX_BLOCK;
}

/* One image as the first layer reads it and the gradient as the last layer reads it. */
typedef struct {
  int size;
  int pitch;     /* floats from one row to the next, border included */
  float *values; /* [size + 2][pitch]; column 0 is the border */
} rx_plane;

static inline int rx_plane_pitch(int size) {
  return (size + 2 + RX_BLOCK - 1) / RX_BLOCK * RX_BLOCK;
}

/* A pixel; row and column -1 are the border. */
static inline float *rx_plane_at(const rx_plane *plane, int row, int column) {
  return plane->values + (ptrdiff_t)(row + 1) * plane->pitch + column + 1;
}

#endif
