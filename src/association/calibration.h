/* calibration.h: how often a method finds something where there is nothing, for the patients of a
 * study.
 *
 * t values of a mixed model have no exact distribution when the numbers of slices differ or the
 * variance between patients is small against that of a patient's mean. So null features with the
 * patients, slices and covariates of the study are simulated from their summaries (the mean of n_i
 * slices is normal, the sum of squares within all patients a chi-square) and fitted with normal
 * factors by the same solver. */
#ifndef RADMIX_ASSOCIATION_CALIBRATION_H
#define RADMIX_ASSOCIATION_CALIBRATION_H

#include <mpi.h>

#include "pattern.h"
#include "radmix/random.h"

enum { RX_CALIBRATION_LEVELS = 3 };
extern const double rx_calibration_level[RX_CALIBRATION_LEVELS]; /* 0.05, 1e-3, 1e-5 */

/* Of n fits; share[k] have p <= level[k], error[k] is its standard error, by features and factors
 * (cells of a feature share its variances, those of a factor its values). */
typedef struct {
  int64_t n;
  double share[RX_CALIBRATION_LEVELS], error[RX_CALIBRATION_LEVELS];
} rx_calibration;

/* Simulates n_features with an intraclass correlation and n_factors, which are dealt to the ranks.
 * Collective; the same on any number of ranks.
 * roster   patients, slices and covariates; its features are not looked at
 * Errors: RX_ERR_MEMORY, RX_ERR_INTERNAL. */
rx_status rx_calibration_run(MPI_Comm comm, const rx_roster *roster, const rx_fit_options *options,
                             double icc, size_t n_features, size_t n_factors, int seed,
                             rx_calibration *out);

/* The same for features whose means [n_patients][n_features] and sums of squares are given. */
rx_status rx_calibration_count(MPI_Comm comm, const rx_roster *roster,
                               const rx_fit_options *options, const rx_measures *measures,
                               size_t n_factors, int seed, rx_calibration *out);

/* A chi-square number of df > 0 (Marsaglia & Tsang 2000). */
double rx_calibration_chi_square(rx_random *random, double df);

#endif
