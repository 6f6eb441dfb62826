/* picture.h: a breast-like MR slice with the properties it is given. Local.
 *
 * Each property has a place of its own, as in registered images: skin around, muscle below, the
 * nipple on top (always the brightest, so that dividing by the largest pixel changes nothing),
 * gland in the middle, four lesions (one for size, brightness, position and margin each), striped
 * tissue and a vessel at the sides. Patients differ by a smooth field, groups by a pattern, slices
 * by their distance from the middle, pixels by noise. */
#ifndef RADMIX_SIMULATION_PICTURE_H
#define RADMIX_SIMULATION_PICTURE_H

#include "population.h"
#include "radmix/random.h"

enum { RX_PICTURE_EDGE = 96 };

/* What is the same in all slices of a patient. */
typedef struct {
  double waves[6][4]; /* amplitude, frequencies along x and y, phase */
  int group;          /* -1: none */
} rx_anatomy;

void rx_picture_anatomy(const rx_population *population, size_t patient, rx_anatomy *anatomy);

/* Paints slice of n_slices.
 * pixels      [RX_PICTURE_EDGE][RX_PICTURE_EDGE], set: 0 .. about 1100
 * properties  [RX_N_PROPERTIES], standard units
 * noise       a sequence of this slice alone */
void rx_picture_paint(short *pixels, const rx_anatomy *anatomy, const double *properties, int slice,
                      int n_slices, rx_random *noise);

#endif
