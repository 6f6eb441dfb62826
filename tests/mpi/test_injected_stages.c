/* Each stage of the flow on a small cohort, on two ranks, with an allocation or a call that reads
 * or writes failing, on both or on the last: all ranks end with the same code and a message that is
 * new, no result is there, nothing is left in memory or open; then the stage runs as if nothing had
 * been.
 *
 * A way to such a call is the functions that led to it. Of the ways one in STEP is tried, so that
 * this takes seconds. RADMIX_INJECTED_DEPTH=4 tries every way of so many functions, in more
 * variants of each stage, as `make coverage` does; RADMIX_INJECTED_STAGE=train only where the name
 * holds the word. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "injected.h"
#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/error.h"
#include "radmix/result.h"

enum { LIMIT = 60, MOST_SETTINGS = 48, DEPTH = 3, STEP = 60 };
static const char stale[] = "no message was given";

/* One run of a stage: what it is given, and what it makes. */
typedef struct {
  const char *name;
  rx_status (*run)(const rx_job *job); /* NULL: a file gets a second name, as settings says */
  const char *settings;                /* besides those of all, with spaces between */
  const char *results; /* in the folder of the study, the last that is made first; NULL: no call
                        * fails here, the run is for those that come */
  int status;          /* of a run in which none does */
} variant;

static const char common[] =
    "study.directory=study study.clinical=study/simulated/clinical.tsv simulation.patients=12 "
    "simulation.images_per_patient=2 simulation.genes=20 simulation.sets=2 simulation.links=2 "
    "images.manifest=study/simulated/images.tsv images.size=8 autoencoder.epochs=1 "
    "autoencoder.batch=8 autoencoder.checkpoint_minutes=1e-9 "
    "genomics.expression=study/simulated/expression.tsv genomics.unit=count "
    "genomics.gene_sets=study/simulated/genesets.gmt association.covariates=age "
    "clustering.clusters=2 clustering.pca=3 clustering.kmeans=2 clustering.perplexity=2 "
    "clustering.iterations=2 prediction.outcomes=ER,N prediction.folds=2 prediction.inner_folds=2 "
    "prediction.lambdas=3 prediction.bootstrap=5 prediction.level=patient output.chunk=16";

#define PREDICTIONS                                                                    \
  "predictions.h5 predictions-summary.tsv predictions-scores.tsv predictions-roc.tsv " \
  "predictions-calibration.tsv predictions-path.tsv predictions-selected.tsv "         \
  "predictions-learned.tsv folds.tsv"
#define ASSOCIATIONS "associations.h5ad associations.tsv"

static const variant few[] = {
    {"simulate", rx_simulation_run, "", "simulated", 0},
    {"slice", rx_images_run, "", "images.h5ad", 0},
    {"train", rx_autoencoder_run, "", "model.h5 history.tsv", 0},
    {"encode", rx_features_run, "features.keep_raw=yes", "features.h5ad patients.h5ad", 0},
    {"factors", rx_genomics_run, "", "factors.h5ad factors.tsv", 0},
    {"associate", rx_association_run, "association.permutations=3", ASSOCIATIONS, 0},
    {"cluster", rx_clustering_run, "", "clusters.h5ad", 0},
    {"predict", rx_prediction_run, "prediction.permutations=2", PREDICTIONS, 0},
};

/* Other ways through the stages. */
static const variant many[] = {
    {"simulate", rx_simulation_run, "", "simulated", 0},
    {"simulate a table", rx_simulation_run,
     "study.directory=table simulation.features=5 simulation.groups=2", NULL, 0},
    {"slice", rx_images_run, "images.where=sequence=DCE-T1 images.intensity=volume-p99",
     "images.h5ad", 0},
    {"slice axially", rx_images_run, "images.resample=cubic images.plane=axial", "images.h5ad", 0},
    {"slice", rx_images_run, "", "images.h5ad", 0},
    {"train on some", rx_autoencoder_run,
     "study.training=own/training.tsv autoencoder.weight=patient autoencoder.patience=1 "
     "autoencoder.loss=cosine autoencoder.levels=1",
     "model.h5 history.tsv", 0},
    {"train", rx_autoencoder_run, "", "model.h5 history.tsv", 0},
    {"encode", rx_features_run, "features.keep_raw=yes", "features.h5ad patients.h5ad", 0},
    {"kept", NULL, "study/features.h5ad own/features.h5ad", NULL, 0},
    {"encode by some", rx_features_run,
     "study.training=own/training.tsv features.reference=own/features.h5ad",
     "features.h5ad patients.h5ad", 0},
    {"encode", rx_features_run, "", "features.h5ad patients.h5ad", 0},
    {"factors for them", rx_genomics_run, "study.directory=trained genomics.signatures=own/own.sig",
     NULL, 0},
    {"factors applied", rx_genomics_run,
     "genomics.apply=trained/factors.h5ad genomics.signatures=own/own.sig",
     "factors.h5ad factors.tsv", 0},
    {"factors renamed", rx_genomics_run,
     "genomics.id_map=own/ids.tsv genomics.gene_lengths=own/lengths.tsv "
     "genomics.genes=own/genes.txt genomics.gene_sets= genomics.table=own/more.tsv "
     "study.training=own/training.tsv genomics.centre=median",
     "factors.h5ad factors.tsv", 0},
    {"factors by ssgsea", rx_genomics_run, "genomics.pathway_method=ssgsea genomics.genes=none",
     "factors.h5ad factors.tsv", 0},
    {"factors by plage", rx_genomics_run, "genomics.pathway_method=plage genomics.genes=none",
     "factors.h5ad factors.tsv", 0},
    {"factors by zscore", rx_genomics_run, "genomics.pathway_method=zscore genomics.genes=none",
     "factors.h5ad factors.tsv", 0},
    {"factors", rx_genomics_run, "", "factors.h5ad factors.tsv", 0},
    {"associate hits", rx_association_run,
     "association.output=hits association.output_p=1 association.df=kenward-roger "
     "association.covariates=age,N association.factor_transform=rank-normal study.subset=T=0",
     ASSOCIATIONS, 0},
    {"associate slices", rx_association_run, "association.image_covariates=slice", ASSOCIATIONS, 0},
    {"associate in blocks", rx_association_run,
     "association.features=table/simulated/features.tsv association.blocks=HER2 "
     "association.permutations=2 "
     "association.test=lrt association.covariates= association.transform=rank-normal",
     ASSOCIATIONS, 0},
    {"associate", rx_association_run, "association.permutations=3", ASSOCIATIONS, 0},
    {"cluster", rx_clustering_run, "", "clusters.h5ad", 0},
    {"cluster by correlation", rx_clustering_run,
     "clustering.distance=correlation clustering.linkage=average clustering.scale=yes "
     "clustering.height=0.5 study.subset=T=0",
     "clusters.h5ad", 0},
    {"predict for them", rx_prediction_run, "", NULL, 0},
    {"kept", NULL, "study/predictions.h5 own/predictions.h5", NULL, 0},
    {"predict folds learned anew", rx_prediction_run,
     "prediction.strict_folds=yes prediction.fold_file=own/folds.tsv prediction.outcomes=ER",
     PREDICTIONS, 0},
    {"predict slices held out", rx_prediction_run,
     "prediction.split=image prediction.level=image prediction.outcomes=ER", PREDICTIONS, 0},
    {"predict two tables", rx_prediction_run,
     "prediction.compare=study/factors.h5ad prediction.family=gaussian "
     "prediction.outcomes=age "
     "prediction.level=image study.subset=T=0",
     PREDICTIONS, 0},
    {"predict new patients", rx_prediction_run, "prediction.apply=own/predictions.h5",
     "predictions-applied.h5 predictions-applied.tsv", 0},
    {"predict", rx_prediction_run, "prediction.permutations=2", PREDICTIONS, 0},
    {"report", rx_report_run, "", "report/index.html report", RX_ERR_MISSING},
};

static const char *const kinds[] = {"memory", "reading", "writing", "shared open"};

/* ---- one run ---- */

static char at_work[128];

/* A hang: says in what, and ends the process. */
static void give_up(int signal) {
  (void)signal;
  (void)!write(STDERR_FILENO, at_work, strlen(at_work));
  _exit(1);
}

static void configure(const variant *v, rx_config *config) {
  const char *overrides[MOST_SETTINGS];
  char text[4096], *next = text;
  int n = 0;

  snprintf(text, sizeof text, "%s %s", common, v->settings);
  for (char *word; (word = strsep(&next, " "));)
    if (*word) overrides[n++] = word;
  assert_true(n <= MOST_SETTINGS);
  if (rx_config_load(MPI_COMM_WORLD, NULL, n, overrides, config))
    fail_msg("%s", rx_error_message());
}

/* Removes a file or a folder; false: there was none. */
static bool erase(const char *path) {
  char inner[4096];
  struct dirent *entry;
  DIR *folder;

  if (!unlink(path)) return true;
  if (!(folder = opendir(path))) return false;
  while ((entry = readdir(folder))) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    erase(inner);
  }
  closedir(folder);
  return !rmdir(path);
}

/* Removes the results of a stage; tells whether the first was there, which is the last that is
 * made. */
static bool erase_results(const variant *v) {
  char names[256], path[512], *next = names;
  bool is_there = false;

  snprintf(names, sizeof names, "%s", v->results);
  for (char *name; (name = strsep(&next, " "));) {
    snprintf(path, sizeof path, "study/%s", name);
    if (erase(path) && name == names) is_there = true;
  }
  return is_there;
}

/* Removes what a stage should not have left: what is neither a result nor a checkpoint. */
static int erase_parts(void) {
  char path[4096];
  struct dirent *entry;
  int n = 0;
  DIR *folder = opendir("study");

  while (folder && (entry = readdir(folder))) {
    snprintf(path, sizeof path, "study/%s", entry->d_name);
    if (strstr(entry->d_name, ".part")) n += erase(path);
    if (strstr(entry->d_name, "checkpoint")) erase(path);
  }
  if (folder) closedir(folder);
  return n;
}

static int count_descriptors(void) {
  int n = 0;
  DIR *folder = opendir("/proc/self/fd");

  while (folder && readdir(folder)) n++;
  if (folder) closedir(folder);
  return n;
}

/* ---- attempts ---- */

/* Ways of so many functions, and of these one in step. */
typedef struct {
  int depth;
  long step;
} search;

typedef struct {
  int has_failed; /* a call was made to fail, on any rank */
  int status, is_same;
  int n_results, n_parts;
  int n_blocks, n_objects, n_descriptors; /* left behind, on the rank that has most */
  void *maker[4];
} outcome;

static outcome attempt(const rx_job *job, const variant *v, injected_kind kind, bool is_mine,
                       const search *how) {
  outcome o = {0};
  int descriptors = count_descriptors();

  (void)RX_FAIL(RX_OK, stale);
  MPI_Barrier(job->comm);
  alarm(LIMIT);
  injected_watch();
  if (is_mine) injected_arm_ways(kind, how->depth, how->step);
  rx_status status = v->run(job);
  o.has_failed = injected_disarm();
  o.n_blocks = (int)injected_unwatch(o.maker);
  alarm(0);
  o.n_objects = (int)H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL);
  o.n_descriptors = count_descriptors() - descriptors;
  int say[] = {o.has_failed, (int)status, -(int)status, o.n_blocks, o.n_objects, o.n_descriptors};
  MPI_Allreduce(MPI_IN_PLACE, say, 6, MPI_INT, MPI_MAX, job->comm);
  o.has_failed = say[0];
  o.status = say[1];
  o.is_same = say[1] == -say[2];
  if (job->rank == 0) o.n_results = erase_results(v), o.n_parts = erase_parts();
  MPI_Barrier(job->comm);
  return o;
}

static bool is_expected(injected_kind kind, int status) {
  if (kind == MEMORY) return status == RX_ERR_MEMORY;
  if (kind == WRITING) return status == RX_ERR_OUTPUT;
  /* What was not read may be taken for a file without its record. */
  return status == RX_ERR_INPUT || status == RX_ERR_NOINPUT || status == RX_ERR_EXISTS ||
         status == RX_ERR_OUTPUT;
}

/* Whether an attempt ended as it should. A file that cannot be read may be one that need not be
 * there, a folder that cannot be brought to the disk is no failure; memory that is not there is
 * one. */
static bool is_right(const rx_job *job, const variant *v, injected_kind kind, const outcome *o) {
  bool is_clean = !o->n_parts && !o->n_blocks && o->n_objects <= 0 && o->n_descriptors <= 0;

  if (!o->is_same || !is_clean) return false;
  if (o->status == v->status)
    return (kind != MEMORY || !o->has_failed) && (job->rank || o->n_results);
  return o->has_failed && is_expected(kind, o->status) && !o->n_results && rx_error_message()[0] &&
         strcmp(rx_error_message(), stale);
}

static void say_wrong(const rx_job *job, const variant *v, injected_kind kind, const outcome *o) {
  fprintf(stderr,
          "# %s, %s: rank %d: status %d (same %d), results %d, parts %d, blocks %d, objects %d, "
          "descriptors %d: %s\n",
          v->name, kinds[kind], job->rank, o->status, o->is_same, o->n_results, o->n_parts,
          o->n_blocks, o->n_objects, o->n_descriptors, rx_error_message());
  backtrace_symbols_fd(injected.frames, injected.has_failed ? injected.n_frames : 0, STDERR_FILENO);
  if (o->n_blocks) backtrace_symbols_fd(o->maker, 4, STDERR_FILENO);
}

/* All ways of one kind. victims  the ranks on which calls fail */
static int fail_all_ways(const rx_job *job, const variant *v, injected_kind kind, int first_victim,
                         const search *how, long *n_attempts) {
  bool is_mine = job->rank >= first_victim, goes_on = true;
  int n_wrong = 0;

  injected_forget_ways();
  while (goes_on) {
    snprintf(at_work, sizeof at_work, "# hang: %s, %s, rank %d\n", v->name, kinds[kind], job->rank);
    outcome o = attempt(job, v, kind, is_mine, how);
    if (!is_right(job, v, kind, &o)) {
      n_wrong++;
      say_wrong(job, v, kind, &o);
    }
    goes_on = o.has_failed;
    ++*n_attempts;
  }
  return n_wrong;
}

/* ---- what is read ---- */

static void write_own(const char *name, const char *text) {
  char path[256];

  snprintf(path, sizeof path, "own/%s", name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* A line for each of n patients or genes, numbered from 1, with what follows. */
static void write_lines(const char *name, const char *heading, const char *word, int n,
                        const char *odd, const char *even) {
  char text[8192];
  int used = snprintf(text, sizeof text, "%s", heading);

  for (int i = 1; i <= n; i++) {
    used += snprintf(text + used, sizeof text - (size_t)used, "%s%04d\t%s\n", word, i,
                     i % 2 ? odd : even);
  }
  write_own(name, text);
}

static void write_files(void) {
  rx_output_folder("own");
  rx_output_folder("trained");
  rx_output_folder("table");
  write_lines("training.tsv", "patient\tgroup\n", "SIM-", 9, "a", "b");
  write_lines("folds.tsv", "patient\trepeat\tfold\n", "SIM-", 12, "1\t1", "1\t2");
  write_lines("lengths.tsv", "gene\tlength\n", "GENE", 20, "1000", "2500");
  write_lines("ids.tsv", "id\tsymbol\n", "GENE", 1, "RENAMED", "");
  write_lines("more.tsv", "patient\tone\ttwo\n", "SIM-", 12, "1.5\tNA", "2.5\t0");
  write_own("genes.txt", "RENAMED\nGENE0004\nGENE0005\n");
  write_own("own.sig",
            "signature own\ntitle Sums\ncitation none\ngenes panel\n  symbol entrez group weight\n"
            "  GENE0004 - a 1\n  GENE0005 - b 0.5\nend\nsteps\n  rescale panel range 0 15\n"
            "  sum one = panel weight a\n  clip one 8 inf\n  sum other = panel weight b\n"
            "  combine score = 0.5 * one + other\n  rescale score quantile 0.1 0 100\nend\n"
            "score score\n");
}

static void keep_file(const char *names) {
  char from[256], to[256];

  assert_int_equal(sscanf(names, "%255s %255s", from, to), 2);
  unlink(to);
  assert_int_equal(link(from, to), 0);
}

/* ---- tests ---- */

static bool is_wanted(const variant *v) {
  const char *only = getenv("RADMIX_INJECTED_STAGE");

  return v->results && (!only || !*only || strstr(v->name, only));
}

/* Runs a stage undisturbed. */
static void run_whole(const rx_job *job, const variant *v) {
  int status = (int)v->run(job);

  if (status != v->status && job->rank == 0) fprintf(stderr, "# %s: %d\n", v->name, status);
  assert_all(status == v->status);
}

static int fail_in_stage(rx_job *job, const variant *v, const search *how) {
  double start = rx_seconds();
  int last = job->n_ranks - 1, n_wrong = 0;
  long n = 0;

  run_whole(job, v);
  if (!is_wanted(v)) return 0;
  if (job->rank == 0) erase_results(v);
  job->log->is_speaker = false; /* warnings come with every attempt */
  for (int kind = 0; kind < N_KINDS; kind++) {
    n_wrong += fail_all_ways(job, v, (injected_kind)kind, 0, how, &n);
    if (last && kind != SHARED_OPEN)
      n_wrong += fail_all_ways(job, v, (injected_kind)kind, last, how, &n);
  }
  job->log->is_speaker = job->rank == 0;
  run_whole(job, v);
  if (job->rank == 0)
    printf("# %s: %ld attempts, %d wrong, %.1f s\n", v->name, n, n_wrong, rx_seconds() - start);
  return n_wrong;
}

static void stages_end_alike_on_all_ranks_and_leave_nothing(void **state) {
  const char *asked = getenv("RADMIX_INJECTED_DEPTH");
  const variant *variants = asked ? many : few;
  size_t n = asked ? sizeof many / sizeof *many : sizeof few / sizeof *few;
  const char *step = getenv("RADMIX_INJECTED_STEP");
  const search how = {asked ? (int)strtol(asked, NULL, 10) : DEPTH, step    ? strtol(step, NULL, 10)
                                                                    : asked ? 1
                                                                            : STEP};
  int n_wrong = 0;
  rx_config *config = calloc(1, sizeof *config);
  rx_log log;

  (void)state;
  if (ranks_of_test() != 2) {
    free(config);
    skip(); /* on two ranks, as more only wait */
  }
  rx_job job = job_for_test(config, &log);
  job.force = RX_FORCE_ALWAYS;
  signal(SIGALRM, give_up);
  setenv("PATH", "/nowhere", 1); /* figures take long: report without gnuplot */
  if (job.rank == 0) write_files();
  for (size_t k = 0; k < n; k++) {
    if (variants[k].run) {
      configure(&variants[k], config);
      n_wrong += fail_in_stage(&job, &variants[k], &how);
    } else if (job.rank == 0) {
      keep_file(variants[k].settings);
    }
  }
  assert_all(n_wrong == 0);
  free(config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(stages_end_alike_on_all_ranks_and_leave_nothing),
};

MPI_TEST_MAIN(tests)
