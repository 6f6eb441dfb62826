/* tsne.h: exact t-SNE (van der Maaten & Hinton 2008), the same bits at any number of ranks.
 *
 * Each rank has some rows of P and gives, in every step, what pulls and pushes their points, summed
 * over all points in fixed lanes; all ranks gather these and move all points alike. n^2 steps an
 * iteration: for more than some 20,000 points Barnes and Hut's tree (van der Maaten 2014) would
 * belong here, in place of rx_tsne_forces().
 *
 * As in scikit-learn: exaggeration 12 and momentum 0.5 for 250 iterations, then 1 and 0.8; learning
 * rate max(n/48, 50), gains; a start from principal components, the first with standard deviation
 * 1e-4. */
#ifndef RADMIX_CLUSTERING_TSNE_H
#define RADMIX_CLUSTERING_TSNE_H

#include <mpi.h>
#include <stddef.h>

#include "distance.h"
#include "radmix/log.h"
#include "radmix/status.h"

typedef struct rx_tsne rx_tsne;

/* Makes the joint probabilities P of points (squared Euclidean distances). Collective over comm.
 * isa  the same on all ranks; perplexity at most rx_tsne_perplexity()
 * Errors: RX_ERR_MEMORY. */
rx_status rx_tsne_create(MPI_Comm comm, int isa, const rx_points *points, double perplexity,
                         rx_tsne **out);
void rx_tsne_destroy(rx_tsne **tsne);

/* The largest perplexity that n points allow, (n - 1) / 3 as in Rtsne; below 1 there is no t-SNE.
 */
double rx_tsne_most_perplexity(size_t n);

/* Makes a start: the first two principal components. On rank 0; all get it. Collective over comm.
 * y  [n][2], set */
rx_status rx_tsne_start(MPI_Comm comm, const rx_points *points, double *y);

/* Moves y through so many iterations, and gives the divergence KL(P|Q) at the end (may be NULL).
 * Collective. y  [n][2], the same on all ranks; progress may be NULL */
rx_status rx_tsne_run(rx_tsne *tsne, int iterations, double *y, double *divergence,
                      rx_progress *progress);

/* The gradient of KL(exaggeration * P | Q), and KL(P|Q) at y (may be NULL). Collective.
 * gradient  [n][2], set */
void rx_tsne_gradient(rx_tsne *tsne, const double *y, double exaggeration, double *gradient,
                      double *divergence);

/* This rank's rows of P. rows  [count][stride] */
const double *rx_tsne_probabilities(const rx_tsne *tsne, size_t *first, size_t *count,
                                    size_t *stride);

/* ---- local ---- */

/* The conditional probabilities of a point: p(j) = exp(-precision (d_j - least)) / sum over the
 * other points j, with d_j the squared distance to j. */
typedef struct {
  double precision, least, sum;
} rx_tsne_bell;

/* Finds the precision with the perplexity asked for, to 1e-5 in its logarithm; where points
 * coincide the nearest there is. squares  [n], squared distances from point self */
rx_tsne_bell rx_tsne_search(const double *squares, size_t n, size_t self, double perplexity);

/* What acts on a point, summed over all others: p q dx, p q dy, q^2 dx, q^2 dy, q
 * with q = 1 / (1 + |dy|^2). */
enum { RX_TSNE_FORCES = 5 };
/* forces  [count][RX_TSNE_FORCES], set; p  [count][stride]; x, y  [stride], padded far away */
void rx_tsne_forces_v2(double *restrict forces, const double *restrict p, const double *restrict x,
                       const double *restrict y, size_t first, size_t count, size_t stride);
void rx_tsne_forces_v3(double *restrict forces, const double *restrict p, const double *restrict x,
                       const double *restrict y, size_t first, size_t count, size_t stride);
void rx_tsne_forces_v4(double *restrict forces, const double *restrict p, const double *restrict x,
                       const double *restrict y, size_t first, size_t count, size_t stride);

#endif
