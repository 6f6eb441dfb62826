/* pattern.h: the features as seen by all factors that miss the same patients.
 *
 * A missing factor drops its patient from that factor's fits. Factors with the same patients share
 * everything that does not depend on the factor: the contrasts, the features in these contrasts,
 * and each feature's fit without a factor. */
#ifndef RADMIX_ASSOCIATION_PATTERN_H
#define RADMIX_ASSOCIATION_PATTERN_H

#include "contrasts.h"
#include "design.h"
#include "inference.h"
#include "radmix/association.h"
#include "reml.h"
#include "roster.h"
#include "tail.h"

/* What a run asks for, the same for all its fits. */
typedef struct {
  int isa;
  rx_df df;
  bool is_ratio;    /* likelihood ratio, by ML */
  int min_patients; /* below: sparse */
} rx_fit_options;

typedef struct {
  size_t n_members, *member; /* patients of the roster; owned, as all that follows */
  rx_design *design;
  rx_contrasts *contrasts;
  rx_reml_space *space;       /* by REML, or by ML with is_ratio */
  double df;                  /* containment, of a fit with a factor; may be <= 0 */
  double df_means;            /* of regression on means with a factor */
  rx_tail tail, tail_means;   /* of these df, when they are above 0 */
  size_t first, n_features;   /* of the measures */
  double *y;                  /* [n_features][contrasts->n], in units of scale */
  double *scale;              /* [n_features], a power of two */
  double *within;             /* [n_features], S in units of scale^2 */
  double *means;              /* [n_features][n_ordinary], patient means for ordinary regression, in
                                 units of scale; y itself without covariates within patients */
  double *square;             /* [n_features], sum of squares of means */
  double *square_means;       /* [n_features], but for the first n_skipped */
  double *lambda;             /* [n_features], without a factor */
  double *residual;           /* [n_features], R there */
  unsigned char *fit;         /* [n_features], rx_fit so far as the feature alone decides it */
  unsigned char *is_multiple; /* [n_features], f has several minima */
} rx_pattern;

/* Prepares features first .. first + n_features - 1 for some patients. Local.
 * member  [n_members], patients of the roster, ascending
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL. */
rx_status rx_pattern_create(const rx_roster *roster, const rx_fit_options *options,
                            size_t n_members, const size_t *member, size_t first, size_t n_features,
                            rx_pattern **out);
void rx_pattern_destroy(rx_pattern **pattern);

#endif
