#include "picture.h"

#include <math.h>

/* All lengths are in units in which the picture runs from -1 to 1, x to the right and y down. */

/* 0 far below 0, 1 far above, over about four widths. */
static double step(double distance, double width) {
  return 1 / (1 + exp(-distance / width));
}

/* 1 inside an ellipse, 0 outside, with a soft edge. */
static double blob(double x, double y, double radius_x, double radius_y, double edge) {
  double r = sqrt(x * x / (radius_x * radius_x) + y * y / (radius_y * radius_y));
  return step((1 - r) * fmin(radius_x, radius_y), edge);
}

void rx_picture_anatomy(const rx_population *population, size_t patient, rx_anatomy *anatomy) {
  rx_random random = rx_random_at(population->seed, RX_SIMULATE_ANATOMY, (uint32_t)patient, 0);

  anatomy->group = population->n_groups ? population->group[patient] : -1;
  for (int wave = 0; wave < 6; wave++) {
    anatomy->waves[wave][0] = 0.008 * rx_random_normal(&random);
    anatomy->waves[wave][1] = 3 * rx_random_normal(&random);
    anatomy->waves[wave][2] = 3 * rx_random_normal(&random);
    anatomy->waves[wave][3] = 6.2831853 * rx_random_uniform(&random);
  }
}

static double tissue(const rx_anatomy *anatomy, double x, double y) {
  double sum = 0.32;

  for (int wave = 0; wave < 6; wave++) {
    const double *w = anatomy->waves[wave];
    sum += w[0] * cos(w[1] * x + w[2] * y + w[3]);
  }
  if (anatomy->group >= 0) { /* stripes across: their number and direction tell the group */
    double angle = 2.4 * anatomy->group;
    sum += 0.08 * cos((4 + anatomy->group) * (cos(angle) * x + sin(angle) * y) + angle);
  }
  return sum;
}

static double lesions(const double *p, double x, double y) {
  double sum = 0;

  sum += 0.35 * blob(x - 0.46, y - 0.02, 0.15 * (1 + 0.25 * p[RX_LESION_SIZE]),
                     0.15 * (1 + 0.25 * p[RX_LESION_SIZE]), 0.02);
  sum += (0.30 + 0.09 * p[RX_LESION_BRIGHTNESS]) * blob(x + 0.46, y - 0.02, 0.16, 0.16, 0.02);
  sum += 0.35 * blob(x - 0.05 * p[RX_LESION_POSITION], y - 0.13, 0.10, 0.12, 0.02);
  sum += 0.40 * blob(x, y - 0.46, 0.15, 0.12, 0.03 * exp(-0.6 * p[RX_MARGIN_SHARPNESS]));
  return sum;
}

static double structures(const double *p, double x, double y) {
  double stripes =
      (0.10 + 0.05 * p[RX_TEXTURE]) * cos(26 * x) * blob(x - 0.5, y - 0.46, 0.2, 0.14, 0.03);
  double along = (x + 0.5) * 0.92 - (y - 0.46) * 0.38,
         across = (x + 0.5) * 0.38 + (y - 0.46) * 0.92;
  double vessel = (0.28 + 0.09 * p[RX_VESSEL_BRIGHTNESS]) * blob(along, across, 0.24, 0.06, 0.02);
  double gland = (0.20 + 0.07 * p[RX_DENSITY]) * blob(x, y + 0.30, 0.34, 0.22, 0.04);
  double muscle = (0.16 + 0.07 * p[RX_MUSCLE_BRIGHTNESS]) * step(y - 0.74, 0.02);
  return stripes + vessel + gland + muscle;
}

/* The brightness of a point, 0 .. about 1. */
static double paint_point(const rx_anatomy *anatomy, const double *p, double x, double y) {
  double inside = (1 - sqrt(x * x / 0.81 + (y - 0.75) * (y - 0.75) / 2.1)) * 0.9; /* depth */
  if (inside < -0.1) return 0;
  double skin_width = 0.07 * (1 + 0.25 * p[RX_SKIN_THICKNESS]);
  double skin = 0.40 * step(skin_width - inside, 0.012);
  double nipple = blob(x, y + 0.64, 0.07, 0.07, 0.01);
  double light = tissue(anatomy, x, y) + skin + lesions(p, x, y) + structures(p, x, y);
  light = fmin(fmax(light, 0), 0.95) * step(inside, 0.012);
  return light + nipple * (1 - light);
}

void rx_picture_paint(short *pixels, const rx_anatomy *anatomy, const double *properties, int slice,
                      int n_slices, rx_random *noise) {
  double p[RX_N_PROPERTIES];
  double place = n_slices > 1 ? 2.0 * slice / (n_slices - 1) - 1 : 0;
  double fade = 1 - 0.1 * place * place;

  /* Beyond 3 standard units structures would leave their places. */
  for (int n = 0; n < RX_N_PROPERTIES; n++) p[n] = fmin(fmax(properties[n], -3), 3);
  for (int row = 0; row < RX_PICTURE_EDGE; row++)
    for (int column = 0; column < RX_PICTURE_EDGE; column++) {
      double x = (2.0 * column + 1) / RX_PICTURE_EDGE - 1,
             y = (2.0 * row + 1) / RX_PICTURE_EDGE - 1;
      double light = paint_point(anatomy, p, x, y);
      if (light < 0.97) light *= fade; /* the nipple stays */
      light += 0.012 * rx_random_normal(noise);
      pixels[row * RX_PICTURE_EDGE + column] = (short)fmax(round(1000 * light), 0);
    }
}
