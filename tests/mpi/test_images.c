/* radmix slice on all ranks: the same bits at any number of ranks, and each way an input can be
 * wrong ends all ranks with its status and message and leaves nothing behind. */
#include <math.h>
#include <nifti2_io.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "job_for_test.h"
#include "mpi_cmocka.h"
#include "radmix/images.h"
#include "radmix/matrix.h"

enum { N_I = 16, N_J = 24, N_K = 3, N_VOXELS = N_I * N_J * N_K };

static char folder[256];

/* Rank 0 makes a folder that all know; collective. */
static void make_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/radmix-images-XXXXXX");
  if (rank_of_test() == 0 && !mkdtemp(folder)) folder[0] = '\0';
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static void remove_folder(void) {
  char command[300];
  MPI_Barrier(MPI_COMM_WORLD);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (rank_of_test() == 0 && system(command)) fprintf(stderr, "%s failed\n", command);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void in_folder(const char *name, char *path, size_t size) {
  snprintf(path, size, "%s/%s", folder, name);
}

static void write_bytes(const char *name, const void *bytes, size_t n) {
  char path[512];
  in_folder(name, path, sizeof path);
  FILE *file = fopen(path, "wb");
  if (n) fwrite(bytes, 1, n, file);
  fclose(file);
}

static void write_text(const char *name, const char *text) {
  write_bytes(name, text, strlen(text));
}

typedef struct {
  nifti_1_header header;
  char gap[4];
  unsigned char voxels[2 * N_VOXELS];
} volume_file;

static volume_file plain_volume(int kind) {
  volume_file file = {.header = {.sizeof_hdr = 348,
                                 .dim = {3, N_I, N_J, N_K, 1, 1, 1, 1},
                                 .datatype = NIFTI_TYPE_UINT8,
                                 .bitpix = 8,
                                 .vox_offset = 352,
                                 .scl_slope = 1,
                                 .magic = "n+1"}};
  for (int v = 0; v < 2 * N_VOXELS; v++)
    file.voxels[v] = (unsigned char)((v * 7 + kind * 13) % 251);
  return file;
}

static size_t size_of(const volume_file *file) {
  return sizeof file->header + 4 + (size_t)N_VOXELS * (file->header.dim[0] == 4 ? 2 : 1);
}

static void write_volume(const char *name, const volume_file *file) {
  write_bytes(name, file, size_of(file));
}

static rx_status slice(MPI_Comm comm, const char *out, const char *where, rx_config *config) {
  rx_log log;
  rx_job job = job_for_test(config, &log);

  job.comm = comm;
  MPI_Comm_rank(comm, &job.rank);
  MPI_Comm_size(comm, &job.n_ranks);
  log.level = RX_LOG_WARNING;
  log.is_speaker = false;
  in_folder("images.tsv", config->images_manifest, RX_TEXT_SIZE);
  in_folder(out, config->study_directory, RX_TEXT_SIZE);
  snprintf(config->images_where, RX_TEXT_SIZE, "%s", where);
  config->images_size = 16;
  if (job.rank == 0) rx_output_folder(config->study_directory);
  MPI_Barrier(comm);
  return rx_images_run(&job);
}

/* Seven volumes of three patients who take turns; one has two volumes in time, one an empty slice.
 */
static void write_cohort(void) {
  char name[32];

  if (rank_of_test() != 0) return;
  write_text("images.tsv",
             "patient\tpath\tsequence\tside\tdose\n"
             "P1\tv0.nii\tDCE\tL\t0.5\nP2\tv1.nii\tDCE\tR\t\nP1\tv2.nii\tT2\tL\t2\n"
             "P3\tv3.nii\tDCE\tL\t1\nP2\tv4.nii\tT2\tR\tNA\nP1\tv5.nii\tDCE\tR\t3\n"
             "P3\tv6.nii\tT2\tR\t1e-3\n");
  for (int n = 0; n < 7; n++) {
    volume_file file = plain_volume(n);
    if (n == 3) file.header.dim[0] = file.header.dim[4] = 4, file.header.dim[4] = 2;
    if (n == 4) memset(file.voxels + N_I * N_J, 0, (size_t)N_I * N_J);
    snprintf(name, sizeof name, "v%d.nii", n);
    write_volume(name, &file);
  }
}

static rx_matrix *open_images(const char *out) {
  char path[512], name[64];
  rx_matrix *matrix = NULL;

  snprintf(name, sizeof name, "%s/images.h5ad", out);
  in_folder(name, path, sizeof path);
  assert_all(rx_matrix_open(MPI_COMM_WORLD, path, &matrix) == RX_OK);
  return matrix;
}

static float *read_images(const rx_matrix *matrix) {
  float *pixels = calloc(matrix->n_obs * matrix->n_var, sizeof *pixels);
  assert_all(rx_matrix_read(matrix, "X", RX_FLOAT32, 0, matrix->n_obs, 0, matrix->n_var, pixels) ==
             RX_OK);
  return pixels;
}

static void slices_are_the_same_at_any_number_of_ranks(void **state) {
  (void)state;
  rx_config *config = calloc(1, sizeof *config);
  rx_status status = RX_OK;

  make_folder();
  write_cohort();
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank_of_test() == 0) status = slice(MPI_COMM_SELF, "alone", "", config);
  assert_all(status == RX_OK);
  assert_all(slice(MPI_COMM_WORLD, "together", "", config) == RX_OK);
  rx_matrix *alone = open_images("alone"), *together = open_images("together");
  assert_all(alone->n_obs == 8 * N_K - 1 && together->n_obs == alone->n_obs);
  float *a = read_images(alone), *b = read_images(together);
  assert_all(memcmp(a, b, alone->n_obs * alone->n_var * sizeof *a) == 0);
  for (size_t row = 0; row < alone->n_obs; row++)
    assert_string_equal(alone->obs->names[row], together->obs->names[row]);
  free(a);
  free(b);
  rx_matrix_destroy(&alone);
  rx_matrix_destroy(&together);
  free(config);
  remove_folder();
}

static void rows_are_in_the_order_of_patients_and_carry_the_manifest(void **state) {
  (void)state;
  const char *names[] = {"P1|v0|0", "P1|v2|0",   "P1|v5|0",   "P2|v1|0",
                         "P2|v4|0", "P3|v3:0|0", "P3|v3:1|0", "P3|v6|0"};
  const double doses[] = {0.5, 2, 3, NAN, NAN, 1, 1, 1e-3};
  rx_config *config = calloc(1, sizeof *config);

  make_folder();
  write_cohort();
  assert_all(slice(MPI_COMM_WORLD, "out", "", config) == RX_OK);
  rx_matrix *images = open_images("out");
  const rx_column *dose = rx_frame_find(images->obs, "dose");
  const rx_column *side = rx_frame_find(images->obs, "side");
  const rx_column *number = rx_frame_find(images->obs, "slice");
  assert_all(dose && dose->kind == RX_REAL && side && side->kind == RX_TEXT && number);
  size_t row = 0;
  for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
    assert_string_equal(images->obs->names[row], names[n]);
    assert_true(isnan(doses[n]) ? isnan(dose->real[row]) : dose->real[row] == doses[n]);
    assert_int_equal(number->integer[row], 0);
    row += strcmp(names[n], "P2|v4|0") == 0 ? N_K - 1 : N_K; /* its slice 1 is empty */
  }
  assert_string_equal(images->obs->names[13], "P2|v4|2");
  assert_string_equal(side->text[0], "L");
  rx_matrix_destroy(&images);
  free(config);
  remove_folder();
}

static void where_chooses_rows_and_a_result_made_otherwise_is_kept(void **state) {
  (void)state;
  rx_config *config = calloc(1, sizeof *config);

  make_folder();
  write_cohort();
  assert_all(slice(MPI_COMM_WORLD, "out", "sequence=T2, side=R", config) == RX_OK);
  rx_matrix *images = open_images("out");
  assert_all(images->n_obs == 2 * N_K - 1);
  assert_string_equal(images->obs->names[0], "P2|v4|0");
  rx_matrix_destroy(&images);
  assert_all(slice(MPI_COMM_WORLD, "out", "sequence=T2, side=R", config) == RX_OK);
  assert_all(slice(MPI_COMM_WORLD, "out", "side=R,side=L", config) == RX_ERR_EXISTS);
  assert_all(strstr(rx_error_message(), "images.where") != NULL);
  free(config);
  remove_folder();
}

typedef struct {
  const char *words; /* of the message */
  rx_status status;
  void (*spoil)(volume_file *file);
  long keep; /* bytes of the file; 0: all */
} bad_volume;

#define SPOIL(name, change)             \
  static void name(volume_file *file) { \
    change;                             \
  }
SPOIL(nothing, (void)file)
SPOIL(colours, (file->header.datatype = NIFTI_TYPE_RGB24, file->header.bitpix = 24))
SPOIL(no_dims, file->header.dim[0] = 0)
SPOIL(large, (file->header.dim[1] = file->header.dim[2] = 30000, file->header.dim[3] = 1000))
SPOIL(one_row, (file->header.dim[1] = N_I * N_J, file->header.dim[2] = 1))
SPOIL(negative_offset, file->header.vox_offset = -1)
SPOIL(nan_slope, file->header.scl_slope = NAN)
SPOIL(five_dims, (file->header.dim[0] = 5, file->header.dim[5] = 2))

static void not_finite(volume_file *file) {
  const float values[2] = {1, NAN};
  file->header.datatype = NIFTI_TYPE_FLOAT32;
  file->header.bitpix = 32;
  file->header.dim[3] = 1;
  file->header.dim[2] = N_J / 2;
  memcpy(file->voxels + 40, values, sizeof values);
}

static const bad_volume bad_volumes[] = {
    {"cut: 700 bytes", RX_ERR_INPUT, nothing, 700},
    {"the header is cut: 300 bytes of 348", RX_ERR_INPUT, nothing, 300},
    {"not a NIfTI file", RX_ERR_INPUT, nothing, 2},
    {"a colour image", RX_ERR_INPUT, colours, 0},
    {"expected 2 to 4 dimensions", RX_ERR_INPUT, no_dims, 0},
    {"but its header asks for 900000000352", RX_ERR_INPUT, large, 0},
    {"slices of 2 x 2 pixels or more", RX_ERR_INPUT, one_row, 0},
    {"vox_offset", RX_ERR_INPUT, negative_offset, 0},
    {"scl_slope", RX_ERR_INPUT, nan_slope, 0},
    {"a dimension 5 of 2", RX_ERR_INPUT, five_dims, 0},
    {"voxel (11, 0, 0) is NaN or infinite, as 1 of 192", RX_ERR_INPUT, not_finite, 0},
};

static bool is_there(const char *name) {
  char path[512];
  in_folder(name, path, sizeof path);
  return access(path, F_OK) == 0;
}

static void assert_fails(rx_status expected, const char *words, const char *where,
                         rx_config *config) {
  rx_status status = slice(MPI_COMM_WORLD, "out", where, config);
  if (status != expected || !strstr(rx_error_message(), words))
    print_message("expected %d and '%s', found %d and '%s'\n", (int)expected, words, (int)status,
                  rx_error_message());
  assert_all(status == expected && strstr(rx_error_message(), words));
  assert_all(!is_there("out/images.h5ad") && !is_there("out/images.h5ad.part"));
}

static void a_bad_volume_on_the_last_rank_ends_all(void **state) {
  (void)state;
  rx_config *config = calloc(1, sizeof *config);

  make_folder();
  write_cohort();
  for (size_t n = 0; n < sizeof bad_volumes / sizeof *bad_volumes; n++) {
    const bad_volume *bad = &bad_volumes[n];
    if (rank_of_test() == 0) {
      volume_file file = plain_volume(0);
      bad->spoil(&file);
      write_bytes("v6.nii", &file, bad->keep ? (size_t)bad->keep : size_of(&file));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    assert_fails(bad->status, bad->words, "", config);
    assert_all(strstr(rx_error_message(), "images.tsv:8: ") != NULL);
  }
  free(config);
  remove_folder();
}

typedef struct {
  const char *text, *where, *words;
  rx_status status;
} bad_manifest;

static const bad_manifest bad_manifests[] = {
    {"", "", "images.tsv", RX_ERR_INPUT},
    {"patient\tpath\n", "", "no rows", RX_ERR_INPUT},
    {"patient\tfile\nP1\tv0.nii\n", "", "path", RX_ERR_INPUT},
    {"name\tpath\nP1\tv0.nii\n", "", "patient", RX_ERR_INPUT},
    {"patient\tpath\nP1\tv0.nii\n\tv1.nii\n", "", "images.tsv:3: expected a patient, found ''",
     RX_ERR_INPUT},
    {"patient\tpath\nP1\tNA\n", "", "images.tsv:2: expected a path, found 'NA'", RX_ERR_INPUT},
    {"patient\tpath\nP1\tv0.nii\nP2\n", "", "images.tsv:3", RX_ERR_INPUT},
    {"patient\tpath\nP1\tv0.nii\nP2\tv0.nii\n", "", "stands already in line 2", RX_ERR_INPUT},
    {"patient\tpath\nP1\tnone.nii\n", "", "none.nii: cannot open it", RX_ERR_NOINPUT},
    {"patient\tpath\nP1\tout\n", "", "out: a folder", RX_ERR_INPUT},
    {"patient\tpath\tsplit\nP1\tv0.nii\ttest\n", "", "expected train or validate, found 'test'",
     RX_ERR_INPUT},
    {"patient\tpath\tslice\nP1\tv0.nii\t1\n", "", "'slice'", RX_ERR_INPUT},
    {"patient\tpath\nP1\tv0.nii\n", "sequence=T1", "no column 'sequence'", RX_ERR_CONFIG},
    {"patient\tpath\nP1\tv0.nii\n", "T1", "expected column=value, found 'T1'", RX_ERR_CONFIG},
    {"patient\tpath\nP1\tv0.nii\n", "patient=P2", "no row has images.where", RX_ERR_INPUT},
    {"patient\tpath\nP1\tempty.nii\n", "", "are empty", RX_ERR_INPUT},
};

static void a_bad_manifest_ends_all_ranks(void **state) {
  (void)state;
  rx_config *config = calloc(1, sizeof *config);

  make_folder();
  write_cohort();
  if (rank_of_test() == 0) {
    volume_file file = plain_volume(0);
    memset(file.voxels, 0, sizeof file.voxels);
    write_volume("empty.nii", &file);
  }
  for (size_t n = 0; n < sizeof bad_manifests / sizeof *bad_manifests; n++) {
    const bad_manifest *bad = &bad_manifests[n];
    if (rank_of_test() == 0) write_text("images.tsv", bad->text);
    MPI_Barrier(MPI_COMM_WORLD);
    assert_fails(bad->status, bad->words, bad->where, config);
  }
  free(config);
  remove_folder();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(slices_are_the_same_at_any_number_of_ranks),
    cmocka_unit_test(rows_are_in_the_order_of_patients_and_carry_the_manifest),
    cmocka_unit_test(where_chooses_rows_and_a_result_made_otherwise_is_kept),
    cmocka_unit_test(a_bad_volume_on_the_last_rank_ends_all),
    cmocka_unit_test(a_bad_manifest_ends_all_ranks),
};

MPI_TEST_MAIN(tests)
