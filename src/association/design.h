/* design.h: the covariates of some patients, as columns of numbers. Local.
 *
 * A covariate that is the same in all slices of each of these patients is a column of the patients,
 * whatever the setting that named it, and costs a degree of freedom; one that varies within any of
 * them does not (containment, as in nlme). A text has treatment contrasts against its first level
 * among these patients. */
#ifndef RADMIX_ASSOCIATION_DESIGN_H
#define RADMIX_ASSOCIATION_DESIGN_H

#include "contrasts.h"
#include "roster.h"

typedef struct {
  size_t n_members;
  double *rows;          /* [n_members], n_i; owned, as all that follows */
  int n_columns;         /* of the patients, without the intercept */
  int n_outer;           /* of these, from image covariates */
  double *columns;       /* [n_members][n_columns] */
  int n_images;          /* columns that vary within patients */
  int *image;            /* [n_images], columns of measures->image */
  double *image_mean;    /* [n_members][n_images] */
  double *image_product; /* [n_images][n_images], within patients, over all members */
} rx_design;

/* member  [n_members], patients of the roster. Errors: RX_ERR_MEMORY. */
rx_status rx_design_create(const rx_roster *roster, size_t n_members, const size_t *member,
                           rx_design **out);
void rx_design_destroy(rx_design **design);

#endif
