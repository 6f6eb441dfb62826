/* config.h: every setting of radmix, in one table.
 *
 * A row gives the section and key in the deck, the type, the default, what is allowed, and what it
 * means. From it come the struct, the reader, the checks, the help and the copy that is kept in
 * each result. To add a setting, add a row.
 *
 * Types: int, real ("least..most"), flag (yes, no), choice ("one|other"), text, path (relative to
 * the deck, or on the command line to the working directory), paths (the same for each item of a
 * list with commas; an item without '/' and '.' is a name and stays as it is). A number whose
 * default is "auto" is RX_AUTO or NAN until it is named. */
#ifndef RADMIX_CONFIG_H
#define RADMIX_CONFIG_H

#include <limits.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>

#include "radmix/status.h"

enum { RX_TEXT_SIZE = 1024, RX_AUTO = INT_MIN };

/* clang-format off */
#define RX_CONFIG_TABLE(X) \
  X(study, directory, path, "out", "", "folder of all results; made when it is not there") \
  X(study, seed, int, "1", "0..2147483647", "of every random number") \
  X(study, clinical, path, "", "", "table with one row a patient: covariates, blocks, outcomes") \
  X(study, stages, text, "all", "", "what run does: all, or some of slice,train,encode,factors,associate,cluster,predict,report") \
  X(study, subset, text, "", "", "patients to associate, cluster and predict: ER=1 or ER=1,T=0") \
  X(study, training, path, "", "", "table of patients: train, encode and factors learn from these alone; factors gives only them") \
  X(images, manifest, path, "", "", "table of volumes: patient, path, optional split = train or validate, free columns") \
  X(images, where, text, "", "", "rows of the manifest to use: sequence=DCE-T1") \
  X(images, plane, choice, "acquired", "acquired|sagittal|coronal|axial", "how a volume is cut") \
  X(images, size, int, "64", "8..512", "edge of a slice, in pixels") \
  X(images, resample, choice, "area", "area|cubic", "area averages, or splines as scipy.ndimage.zoom(order=3)") \
  X(images, intensity, choice, "image-max", "image-max|volume-p99", "what a pixel is divided by") \
  X(images, drop_empty, flag, "yes", "", "leave out slices that are 0 everywhere") \
  X(images, nonfinite, choice, "refuse", "refuse|zero", "a volume with NaN or infinite voxels") \
  X(autoencoder, preset, choice, "recommended", "recommended|paper-figure|paper-code", "what the settings below are where the deck does not name them") \
  X(autoencoder, levels, int, "2", "1..4", "poolings; the features are the second (or only) one") \
  X(autoencoder, channels, int, "16", "16..256", "channels of each layer, a multiple of 16") \
  X(autoencoder, loss, choice, "mse", "mse|cosine|bce|cosine-keras", "what training makes small") \
  X(autoencoder, optimiser, choice, "adam", "adam|adam-keras|adadelta|adadelta-keras", "as in torch, or as in Keras") \
  X(autoencoder, learning_rate, real, "auto", "0..1000", "0.001 for adam, 1 for adadelta") \
  X(autoencoder, epsilon, real, "auto", "0..1", "1e-8 for adam, else 1e-7") \
  X(autoencoder, rho, real, "0.95", "0..1", "decay of adadelta") \
  X(autoencoder, schedule, choice, "constant", "constant|cosine|step", "learning rate over the epochs; step: a tenth after half and after three quarters") \
  X(autoencoder, warmup, real, "0", "0..1000", "epochs over which the learning rate rises from 0") \
  X(autoencoder, noise, real, "0.05", "0..1", "standard deviation of the noise put on the inputs") \
  X(autoencoder, batch, int, "64", "1..65536", "slices a step, over all ranks") \
  X(autoencoder, epochs, int, "100", "0..100000", "passes over all training slices; 0 = the random encoder") \
  X(autoencoder, validation, real, "0.15", "0..0.9", "share of patients held out, unless the manifest has a column split") \
  X(autoencoder, patience, int, "0", "0..100000", "stop after so many epochs without a better validation loss; 0 = never") \
  X(autoencoder, output_bias, choice, "logit-mean", "logit-mean|zero", "start of the last bias") \
  X(autoencoder, weight, choice, "slice", "slice|patient", "what counts the same in the loss") \
  X(autoencoder, checkpoint_minutes, real, "5", "0..100000", "minutes between checkpoints; 0 = only when asked by SIGUSR1") \
  X(features, normalise, choice, "quantile", "quantile|none", "make the values of all slices one distribution") \
  X(features, reference, path, "", "", "a features.h5ad whose quantile reference is used") \
  X(features, keep_raw, flag, "no", "", "keep the values before normalisation too") \
  X(genomics, expression, path, "", "", "table of genes and patients") \
  X(genomics, unit, choice, "log", "log|count|fpkm|fpkm-uq|tpm", "of the expression table; all but log become log2(x + 1)") \
  X(genomics, patients, choice, "auto", "auto|rows|columns", "where the patients are in expression and factor tables") \
  X(genomics, id_map, path, "", "", "table that renames genes: id, symbol") \
  X(genomics, gene_lengths, path, "", "", "table: gene, length; makes FPKM-UQ of counts") \
  X(genomics, min_cpm, real, "1", "0..1e9", "counts per million that a gene must exceed (unit = count)") \
  X(genomics, min_samples, int, "3", "0..1000000", "in so many samples (unit = count)") \
  X(genomics, genes, paths, "all", "", "genes that are factors: all, none, or a file with one a line") \
  X(genomics, gene_sets, path, "", "", "pathways (.gmt)") \
  X(genomics, pathway_method, choice, "gsva", "gsva|ssgsea|zscore|plage", "how a pathway is scored") \
  X(genomics, kernel, choice, "gaussian", "gaussian|poisson|none", "of gsva") \
  X(genomics, mx_diff, flag, "yes", "", "gsva: difference of the two extremes, not the larger one") \
  X(genomics, tau, real, "auto", "0..100", "weight of the tail: 1 for gsva, 0.25 for ssgsea") \
  X(genomics, abs_ranking, flag, "no", "", "gsva: rank by absolute value") \
  X(genomics, ssgsea_norm, flag, "yes", "", "ssgsea: divide by the range over all scores") \
  X(genomics, normal, choice, "table", "table|exact", "gsva: the normal distribution by GSVA's table, or exact") \
  X(genomics, min_size, int, "1", "1..1000000", "genes that a set must have in the table") \
  X(genomics, max_size, int, "0", "0..1000000", "genes that a set may have in the table; 0 = no limit") \
  X(genomics, signatures, paths, "", "", "names of signatures, files, or folders of them") \
  X(genomics, centre, choice, "none", "none|median|mean|z", "of genes, before signatures") \
  X(genomics, min_share, real, "0", "0..1", "share of its genes that a factor must have in the table") \
  X(genomics, table, paths, "", "", "ready-made factors: tables of patients and factors") \
  X(genomics, apply, path, "", "", "a factors.h5ad whose cohort-wise scales are used") \
  X(association, features, path, "", "", "a table of features instead of patients.h5ad") \
  X(association, covariates, text, "", "", "columns of the clinical table") \
  X(association, image_covariates, text, "", "", "columns of the slices") \
  X(association, df, choice, "containment", "containment|satterthwaite|kenward-roger|normal", "degrees of freedom") \
  X(association, test, choice, "wald", "wald|lrt", "t, or likelihood ratio") \
  X(association, adjust, choice, "bh", "bh|by|storey|bonferroni", "how q is made from p") \
  X(association, permutations, int, "0", "0..10000000", "of patients, for max-T p values") \
  X(association, blocks, text, "", "", "clinical column: permute within its levels") \
  X(association, min_patients, int, "auto", "1..1000000", "patients that must differ from the commonest value of a feature; the larger of 10 and 10 %, at most half") \
  X(association, transform, choice, "none", "none|rank-normal", "of features, at patient level") \
  X(association, factor_transform, choice, "none", "none|rank-normal", "of factors") \
  X(association, output, choice, "full", "full|hits", "the whole grid, or only what has p below output_p") \
  X(association, output_p, real, "1e-4", "0..1", "largest p that is kept by output = hits") \
  X(association, top, int, "1000", "0..100000000", "rows of associations.tsv") \
  X(clustering, linkage, choice, "ward.D2", "ward.D2|ward.D|average|complete|single", "as in R's hclust") \
  X(clustering, distance, choice, "euclidean", "euclidean|correlation", "between patients, and between features") \
  X(clustering, clusters, int, "5", "1..100000", "number of clusters") \
  X(clustering, height, real, "auto", "0..1e300", "cut the tree here instead") \
  X(clustering, pca, int, "50", "0..100000", "components kept") \
  X(clustering, scale, flag, "no", "", "PCA of features divided by their standard deviation") \
  X(clustering, kmeans, int, "0", "0..100000", "clusters of slices by k-means; 0 = none") \
  X(clustering, perplexity, real, "30", "1..10000", "of t-SNE") \
  X(clustering, iterations, int, "1000", "0..1000000", "of t-SNE; 0 = none") \
  X(prediction, features, path, "", "", "a table of features instead of features.h5ad") \
  X(prediction, compare, paths, "", "", "further tables, on the same folds") \
  X(prediction, outcomes, text, "T,N,ER,PR,HER2", "", "clinical columns to predict") \
  X(prediction, family, choice, "binomial", "binomial|gaussian", "logistic or linear") \
  X(prediction, level, choice, "image", "image|patient", "what a row is") \
  X(prediction, split, choice, "patient", "patient|image", "what a fold holds; image leaks, as in the paper") \
  X(prediction, weights, choice, "patient", "patient|image", "what counts the same") \
  X(prediction, folds, int, "5", "1..1000", "outer folds; 1 = a single split, test_share is held out") \
  X(prediction, inner_folds, int, "5", "2..1000", "folds that choose lambda") \
  X(prediction, repeats, int, "1", "1..10000", "of the outer folds") \
  X(prediction, fold_file, path, "", "", "table: patient, repeat, fold") \
  X(prediction, test_share, real, "0.3", "0.01..0.99", "held out with folds = 1, as in the paper") \
  X(prediction, alpha, real, "1", "0..1", "1 = lasso, below = elastic net") \
  X(prediction, lambdas, int, "100", "1..10000", "of a path") \
  X(prediction, lambda_ratio, real, "auto", "0..1", "smallest to largest; 1e-4 with over 5 rows a column, else 0.01") \
  X(prediction, bootstrap, int, "2000", "0..1000000", "of patients, for intervals") \
  X(prediction, permutations, int, "0", "0..1000000", "of labels over patients") \
  X(prediction, strict_folds, flag, "no", "", "learn encoder and normalisation anew in each outer fold") \
  X(prediction, apply, path, "", "", "a predictions.h5 that scores these patients") \
  X(simulation, patients, int, "48", "1..1000000", "patients of the simulated cohort") \
  X(simulation, images_per_patient, text, "20", "", "slices of a patient: 20 or 5-40") \
  X(simulation, features, int, "0", "0..1000000", "0 = images; else a table of so many features") \
  X(simulation, genes, int, "300", "1..1000000", "genes of the expression table") \
  X(simulation, sets, int, "12", "0..100000", "gene sets") \
  X(simulation, links, int, "12", "0..100000", "genes that change a property of the images") \
  X(simulation, effect, real, "0.3", "0..0.99", "partial R^2 of a link") \
  X(simulation, icc, real, "0.5", "0..0.99", "share of a property's variance that lies between patients") \
  X(simulation, confounding, real, "0.5", "0..0.99", "share of variance that the clinical confounder explains in its gene and its property") \
  X(simulation, groups, int, "0", "0..1000", "groups of patients whose images share a property") \
  X(simulation, outcomes, choice, "linked", "linked|null", "outcomes that follow the images, or chance") \
  X(report, controls, flag, "no", "", "random encoders, permutations and CRFs beside the real run") \
  X(output, chunk, int, "1024", "1..1048576", "rows of a chunk of a large array") \
  X(output, alignment, int, "0", "0..1048576", "KiB at whose multiples arrays and chunks begin; 0 = anywhere") \
  X(output, buffering, choice, "enable", "enable|disable|automatic", "few ranks write large pieces for all") \
  X(output, writers, int, "0", "0..1048576", "how many ranks those are (cb_nodes); 0 = as MPI chooses") \
  X(output, buffer, int, "0", "0..2047", "MiB of such a piece (cb_buffer_size); 0 = as MPI chooses") \
  X(output, stripe, int, "0", "0..1048576", "stripes of a file on a parallel file system; 0 = as the folder") \
  X(output, stripe_size, int, "0", "0..2047", "MiB of a stripe; 0 = as the folder")
/* clang-format on */

#define RX_MEMBER_int(name) int name;
#define RX_MEMBER_real(name) double name;
#define RX_MEMBER_flag(name) int name;
#define RX_MEMBER_choice(name) char name[RX_TEXT_SIZE];
#define RX_MEMBER_text(name) char name[RX_TEXT_SIZE];
#define RX_MEMBER_path(name) char name[RX_TEXT_SIZE];
#define RX_MEMBER_paths(name) char name[RX_TEXT_SIZE];

enum {
#define X(section, key, type, preset, range, meaning) RX_SETTING_##section##_##key,
  RX_CONFIG_TABLE(X)
#undef X
      RX_N_SETTINGS
};

typedef struct {
#define X(section, key, type, preset, range, meaning) RX_MEMBER_##type(section##_##key)
  RX_CONFIG_TABLE(X)
#undef X
  unsigned char is_named[RX_N_SETTINGS]; /* 1 where the deck or the command line names it */
  char deck[RX_TEXT_SIZE];               /* path of the deck; "" without one */
} rx_config;

/* Fills config with the defaults. Local. */
void rx_config_defaults(rx_config *config);

/* Reads the deck (NULL: none) and then each override, "section.key=value". Rank 0 reads; all ranks
 * get the same. Collective over comm.
 * Errors: RX_ERR_NOINPUT, RX_ERR_CONFIG (unknown or repeated key, bad value), RX_ERR_USAGE. */
rx_status rx_config_load(MPI_Comm comm, const char *deck, int n_overrides,
                         const char *const *overrides, rx_config *config);

/* Sets one setting as the command line does, relative paths as they are. Local. */
rx_status rx_config_set(rx_config *config, const char *section, const char *key, const char *text);

/* Tells whether the deck or the command line names a setting (RX_SETTING_section_key). */
bool rx_config_is_named(const rx_config *config, int setting);

/* Writes the settings of one section (NULL: all) as a deck that can be read back. Local. */
void rx_config_print(const rx_config *config, const char *section, FILE *out);

/* What a row of the table says, for help, records and recipes. */
const char *rx_config_section(int setting);
const char *rx_config_key(int setting);
bool rx_config_is_path(int setting);
/* Writes the value as it would stand in a deck; size RX_TEXT_SIZE. */
void rx_config_value(const rx_config *config, int setting, char *text);

/* Tells whether a choice or a text is this word. */
bool rx_is(const char *setting, const char *word);

#endif
