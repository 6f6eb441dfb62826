/* properties.h: what can be seen in an image, and how much of it genes explain. Local. */
#ifndef RADMIX_SIMULATION_PROPERTIES_H
#define RADMIX_SIMULATION_PROPERTIES_H

#include <stddef.h>

#include "radmix/status.h"

typedef enum {
  RX_LESION_SIZE,
  RX_LESION_BRIGHTNESS,
  RX_LESION_POSITION,
  RX_MARGIN_SHARPNESS,
  RX_TEXTURE,
  RX_MUSCLE_BRIGHTNESS,
  RX_SKIN_THICKNESS,
  RX_VESSEL_BRIGHTNESS,
  RX_DENSITY, /* last: no gene changes it, age does */
  RX_N_PROPERTIES
} rx_property;

enum { RX_N_LINKED_PROPERTIES = RX_DENSITY };

extern const char *const rx_property_names[RX_N_PROPERTIES];

/* Makes values that have exactly the wanted partial correlation with each gene, given the
 * covariate: the part that the genes span solves the normal equations, the rest is noise made
 * orthogonal to genes, covariate and constant. values       [n]; noise in, the property out: mean
 * 0, sum of squares n genes        [n_genes][n], destroyed correlation  [n_genes], wanted, signed
 * covariate    [n]
 * Errors: RX_ERR_CONFIG when the genes would explain more than all, or n is too small. */
rx_status rx_property_plant(double *values, double *genes, const double *correlation,
                            size_t n_genes, const double *covariate, size_t n);

/* Makes mean 0 and sum of squares n; all 0 when the values are constant. */
void rx_property_standardise(double *values, size_t n);

/* Gives the partial R^2 of x and y given the covariate; 0 when one of them is explained by it.
 * Errors: RX_ERR_MEMORY. */
rx_status rx_property_partial_r2(const double *x, const double *y, const double *covariate,
                                 size_t n, double *r2);

#endif
