#include "encoded.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/isa.h"
#include "radmix/memory.h"
#include "radmix/partition.h"
#include "ranks.h"

enum { BLOCK = 256 /* slices read at once */, DENSITY_SLICES = 1000, N_KEYS = 1 << 15 };

/* What the passes over the slices need. */
typedef struct {
  const rx_job *job;
  const rx_cohort *cohort;
  rx_encoded *encoded;
  rx_engine *engine;
  rx_ranking *ranking;
  float *pixels;       /* [BLOCK][size][size] */
  float *sorted;       /* [n_features] */
  double *of_patient;  /* [n_features], sums of sorted values */
  double *sums;        /* [n_features], the same over the patients so far */
  int64_t *n_zero;     /* [n_features] */
  int64_t *key_counts; /* [N_KEYS], values by the high half of their bits */
  float most;          /* the largest value */
  bool is_normalised;
  const rx_names *training; /* whose slices the reference is made of; NULL: of all */
} passes;

static rx_status allocate(passes *p, const rx_model *model, const rx_encoding *encoding, int isa) {
  rx_encoded *e = p->encoded;
  size_t n = e->n_features;
  size_t n_pixels = (size_t)p->cohort->size * (size_t)p->cohort->size;

  RX_TRY(RX_NEW(&e->values, "features", e->n_slices * n));
  if (encoding->keeps_raw) RX_TRY(RX_NEW(&e->raw, "features", e->n_slices * n));
  if (encoding->is_normalised) RX_TRY(RX_NEW(&e->reference, "quantile reference", n));
  RX_TRY(RX_NEW(&e->fraction_zero, "features", n));
  RX_TRY(RX_NEW(&e->mean, "patient summaries", e->n_patients * n));
  RX_TRY(RX_NEW(&e->within_ss, "patient summaries", e->n_patients * n));
  RX_TRY(RX_NEW(&p->pixels, "slices", BLOCK * n_pixels));
  RX_TRY(RX_NEW(&p->sorted, "features", n));
  RX_TRY(RX_NEW(&p->of_patient, "features", n));
  RX_TRY(RX_NEW(&p->sums, "features", n));
  RX_TRY(RX_NEW(&p->n_zero, "features", n));
  RX_TRY(RX_NEW(&p->key_counts, "density", N_KEYS));
  RX_TRY(rx_ranking_create(n, &p->ranking));
  RX_TRY(rx_engine_create(&model->network, isa, &p->engine));
  rx_engine_set_weights(p->engine, model->weights);
  return RX_OK;
}

static void release(passes *p) {
  rx_engine_destroy(&p->engine);
  rx_ranking_destroy(&p->ranking);
  free(p->pixels);
  free(p->sorted);
  free(p->of_patient);
  free(p->sums);
  free(p->n_zero);
  free(p->key_counts);
}

/* Gives this rank a run of patients, by their slices. */
static rx_status take_patients(const rx_job *job, const rx_cohort *cohort, rx_encoded *e) {
  size_t *n_slices;

  RX_TRY(RX_NEW(&n_slices, "patients", cohort->n_patients));
  for (size_t p = 0; p < cohort->n_patients; p++)
    n_slices[p] = cohort->first[p + 1] - cohort->first[p];
  rx_partition_weighted(n_slices, cohort->n_patients, job->rank, job->n_ranks, &e->first_patient,
                        &e->n_patients);
  free(n_slices);
  e->first_slice = cohort->first[e->first_patient];
  e->n_slices = cohort->first[e->first_patient + e->n_patients] - e->first_slice;
  e->rows = cohort->rows + e->first_slice;
  return RX_OK;
}

/* Tells whether a row of the file is one of those that the density is made of. */
static bool is_sampled(const passes *p, size_t row) {
  return row % (p->cohort->n_slices / DENSITY_SLICES + 1) == 0;
}

/* Counts the values of a slice, which are not negative, by the high half of their bits: 128 steps
 * from one power of 2 to the next. */
static void count_keys(passes *p, const float *values) {
  for (size_t i = 0; i < p->encoded->n_features; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    p->key_counts[bits >> 16 & (N_KEYS - 1)]++;
  }
}

static void count_zeros(passes *p, const float *values) {
  for (size_t i = 0; i < p->encoded->n_features; i++) {
    p->n_zero[i] += values[i] == 0;
    p->most = values[i] > p->most ? values[i] : p->most;
  }
}

/* Encodes one slice; its values become ranks when they are to be normalised. */
static void encode_slice(passes *p, size_t slice, const float *pixels) {
  rx_encoded *e = p->encoded;
  float *values = e->values + slice * e->n_features;
  double start = rx_seconds();

  rx_engine_encode(p->engine, values, pixels);
  e->seconds += rx_seconds() - start;
  count_zeros(p, values);
  if (is_sampled(p, e->rows[slice])) count_keys(p, values);
  if (e->raw) memcpy(e->raw + slice * e->n_features, values, e->n_features * sizeof *values);
  if (!p->is_normalised) return;
  rx_ranking_rank(p->ranking, (uint32_t *)(void *)values, p->sorted, values);
  for (size_t r = 0; r < e->n_features; r++) p->of_patient[r] += (double)p->sorted[r];
}

/* Reads and encodes all slices. Sums of sorted values are kept by patient in the memory of the
 * means, which are made later. */
static rx_status encode_slices(passes *p, const rx_matrix *images) {
  rx_encoded *e = p->encoded;
  size_t n_pixels = images->n_var, patient = 0;
  uint64_t n_rounds = (e->n_slices + BLOCK - 1) / BLOCK;
  rx_progress progress =
      rx_progress_begin(p->job->log, "encode", (double)e->n_slices, "slices of this rank");

  MPI_Allreduce(MPI_IN_PLACE, &n_rounds, 1, MPI_UINT64_T, MPI_MAX, p->job->comm);
  for (size_t at = 0; n_rounds > 0; n_rounds--) {
    size_t n = e->n_slices - at < BLOCK ? e->n_slices - at : BLOCK;

    RX_TRY(rx_cohort_read(p->job->comm, images, e->rows + at, n, p->pixels));
    for (size_t i = 0; i < n; i++, at++) {
      encode_slice(p, at, p->pixels + i * n_pixels);
      bool is_last = at + 1 + e->first_slice == p->cohort->first[e->first_patient + patient + 1];
      if (!is_last) continue;
      memcpy(e->mean + patient++ * e->n_features, p->of_patient,
             e->n_features * sizeof *p->of_patient);
      memset(p->of_patient, 0, e->n_features * sizeof *p->of_patient);
    }
    rx_progress_update(&progress, (double)at);
  }
  rx_progress_end(&progress);
  return RX_OK;
}

/* The slices that the reference is made of, of all ranks. */
static size_t count_training(const passes *p) {
  size_t n = 0;

  for (size_t patient = 0; patient < p->cohort->n_patients; patient++)
    if (rx_learners_has(p->training, p->cohort->patients[patient]))
      n += p->cohort->first[patient + 1] - p->cohort->first[patient];
  return n;
}

/* Adds up the patients' sums in patient order, from rank to rank. */
static void make_reference(passes *p) {
  rx_encoded *e = p->encoded;
  size_t n_training = count_training(p);
  const rx_job *job = p->job;
  int n = (int)e->n_features, next = job->rank + 1 < job->n_ranks ? job->rank + 1 : MPI_PROC_NULL;

  if (job->rank > 0)
    MPI_Recv(p->sums, n, MPI_DOUBLE, job->rank - 1, 0, job->comm, MPI_STATUS_IGNORE);
  for (size_t patient = 0; patient < e->n_patients; patient++) {
    if (!rx_learners_has(p->training, p->cohort->patients[e->first_patient + patient])) continue;
    for (size_t r = 0; r < e->n_features; r++) p->sums[r] += e->mean[patient * e->n_features + r];
  }
  MPI_Send(p->sums, n, MPI_DOUBLE, next, 0, job->comm);
  MPI_Bcast(p->sums, n, MPI_DOUBLE, job->n_ranks - 1, job->comm);
  for (size_t r = 0; r < e->n_features; r++) e->reference[r] = p->sums[r] / (double)n_training;
}

/* Turns ranks into values of the reference, in place. */
static void normalise(rx_encoded *e) {
  for (size_t slice = 0; slice < e->n_slices; slice++) {
    float *values = e->values + slice * e->n_features;
    for (size_t i = 0; i < e->n_features; i++) {
      uint32_t rank;
      memcpy(&rank, &values[i], sizeof rank);
      values[i] = (float)e->reference[rank];
    }
  }
}

/* Mean and sum of squares around it, over a patient's slices in their order. */
static void summarise(const passes *p) {
  rx_encoded *e = p->encoded;
  size_t n = e->n_features;

  memset(e->mean, 0, e->n_patients * n * sizeof *e->mean);
  for (size_t patient = 0; patient < e->n_patients; patient++) {
    size_t first = p->cohort->first[e->first_patient + patient] - e->first_slice;
    size_t end = p->cohort->first[e->first_patient + patient + 1] - e->first_slice;
    double *mean = e->mean + patient * n, *within = e->within_ss + patient * n;

    for (size_t slice = first; slice < end; slice++)
      for (size_t i = 0; i < n; i++) mean[i] += (double)e->values[slice * n + i];
    for (size_t i = 0; i < n; i++) mean[i] /= (double)(end - first);
    for (size_t slice = first; slice < end; slice++)
      for (size_t i = 0; i < n; i++) {
        double deviation = (double)e->values[slice * n + i] - mean[i];
        within[i] += deviation * deviation;
      }
  }
}

static size_t find_bin(double value, double most) {
  size_t bin = (size_t)(value / most * RX_DENSITY_BINS);
  return bin < RX_DENSITY_BINS ? bin : RX_DENSITY_BINS - 1;
}

/* Spreads the values counted by key over bins. */
static void bin_keys(const passes *p, double most, int64_t bins[RX_DENSITY_BINS]) {
  for (uint32_t key = 0; key < N_KEYS; key++) {
    uint32_t bits = key << 16;
    float value;

    if (!p->key_counts[key]) continue;
    memcpy(&value, &bits, sizeof value);
    bins[find_bin((double)value, most)] += p->key_counts[key];
  }
}

static void make_density(const passes *p) {
  rx_encoded *e = p->encoded;
  rx_density *density = &e->density;
  int64_t counts[2][RX_DENSITY_BINS] = {{0}}, total = 0;
  double last = e->reference ? e->reference[e->n_features - 1] : 0;

  density->most = (double)p->most > last ? (double)p->most : last;
  if (!(density->most > 0)) density->most = 1;
  bin_keys(p, density->most, counts[0]);
  for (size_t slice = 0; slice < e->n_slices; slice++) {
    if (!is_sampled(p, e->rows[slice])) continue;
    for (size_t i = 0; i < e->n_features; i++)
      counts[1][find_bin((double)e->values[slice * e->n_features + i], density->most)]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, counts, 2 * RX_DENSITY_BINS, MPI_INT64_T, MPI_SUM, p->job->comm);
  for (int bin = 0; bin < RX_DENSITY_BINS; bin++) total += counts[0][bin];
  double width = density->most / RX_DENSITY_BINS;
  for (int bin = 0; bin < RX_DENSITY_BINS; bin++) {
    density->before[bin] = (double)counts[0][bin] / (double)total / width;
    density->after[bin] = (double)counts[1][bin] / (double)total / width;
  }
}

static void share_counts(passes *p) {
  rx_encoded *e = p->encoded;
  MPI_Comm comm = p->job->comm;

  MPI_Allreduce(MPI_IN_PLACE, p->n_zero, (int)e->n_features, MPI_INT64_T, MPI_SUM, comm);
  MPI_Allreduce(MPI_IN_PLACE, &p->most, 1, MPI_FLOAT, MPI_MAX, comm);
  for (size_t i = 0; i < e->n_features; i++)
    e->fraction_zero[i] = (double)p->n_zero[i] / (double)p->cohort->n_slices;
}

rx_status rx_encoded_make(const rx_job *job, const rx_matrix *images, const rx_cohort *cohort,
                          const rx_model *model, const rx_encoding *encoding, rx_encoded **out) {
  passes p = {.job = job,
              .cohort = cohort,
              .is_normalised = encoding->is_normalised,
              .training = encoding->training};
  int isa;

  *out = NULL;
  RX_TRY(rx_isa_choose(job->comm, &isa));
  rx_status status = RX_NEW(out, "features", 1);
  if (!status) {
    p.encoded = *out;
    p.encoded->n_features = model->network.n_features;
    status = take_patients(job, cohort, p.encoded);
  }
  if (!status) status = allocate(&p, model, encoding, isa);
  status = RX_AGREE(job->comm, status);
  if (!status) status = encode_slices(&p, images);
  if (!status) {
    share_counts(&p);
    if (encoding->reference)
      memcpy(p.encoded->reference, encoding->reference, p.encoded->n_features * sizeof(double));
    else if (encoding->is_normalised)
      make_reference(&p);
    if (encoding->is_normalised) normalise(p.encoded);
    summarise(&p);
    make_density(&p);
  }
  release(&p);
  if (status) rx_encoded_destroy(out);
  return status;
}

void rx_encoded_destroy(rx_encoded **encoded) {
  rx_encoded *e = *encoded;

  if (!e) return;
  free(e->values);
  free(e->raw);
  free(e->reference);
  free(e->fraction_zero);
  free(e->mean);
  free(e->within_ss);
  free(e);
  *encoded = NULL;
}
