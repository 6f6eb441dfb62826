/* Real corner cases of the format: read as nibabel reads them, to the last bit of float32, or
 * refused with the reason. Needs nibabel and the shared data; skipped without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "images/nifti.h"
#include "radmix/error.h"

/* tests/golden, from the folder of the build or the project's own. */
static const char *golden_folder(void) {
  static char path[512];
  const char *build = getenv("RADMIX_BUILD");

  snprintf(path, sizeof path, "%s%stests/golden", build ? build : "", build ? "/../../" : "");
  return path;
}

static void run(const char *command, const char *why_skip) {
  int code = system(command);
  if (WIFEXITED(code) && WEXITSTATUS(code) == 0) return;
  print_message("skipped: %s\n", why_skip);
  skip();
}

/* Returns the voxels of all volumes as the file of nibabel should have them, or NULL when refused.
 */
static float *read_voxels(const char *path, size_t *n) {
  rx_nifti *nifti;
  float *voxels = NULL;

  rx_status status = rx_nifti_open(path, &nifti);
  if (!status) {
    const rx_nifti_header *header = rx_nifti_header_of(nifti);
    size_t n_volume = (size_t)(header->dim[0] * header->dim[1] * header->dim[2]);
    *n = n_volume * (size_t)header->dim[3];
    voxels = malloc(*n * sizeof *voxels);
    for (size_t t = 0; t < (size_t)header->dim[3] && !status; t++)
      status = rx_nifti_read_volume(nifti, voxels + t * n_volume);
  }
  rx_nifti_close(&nifti);
  if (!status) return voxels;
  if (status != RX_ERR_INPUT && status != RX_ERR_NOINPUT) fail_msg("%s: status %d", path, status);
  print_message("refused: %s\n", rx_error_message());
  free(voxels);
  return NULL;
}

static void assert_equals_file(const float *voxels, size_t n, const char *expected,
                               const char *path) {
  FILE *file = fopen(expected, "rb");
  float *values = malloc((n + 1) * sizeof *values);

  if (!file) fail_msg("%s is read, but not by nibabel", path);
  if (fread(values, sizeof *values, n + 1, file) != n)
    fail_msg("%s: another number of voxels", path);
  fclose(file);
  for (size_t v = 0; v < n; v++)
    if (memcmp(voxels + v, values + v, sizeof *voxels) != 0 &&
        !(voxels[v] != voxels[v] && values[v] != values[v]))
      fail_msg("%s: voxel %zu is %.9g, but %.9g in nibabel", path, v, (double)voxels[v],
               (double)values[v]);
  free(values);
}

static void corner_cases_are_read_as_nibabel_reads_them(void **state) {
  (void)state;
  const char *shared = getenv("RADMIX_SHARED");
  char folder[] = "/tmp/radmix-corner-XXXXXX", command[4096], path[1024], expected[128];
  int number, must_read, n_read = 0;

  assert_non_null(mkdtemp(folder));
  snprintf(command, sizeof command, "test -d '%s/data/nifti-corner'",
           shared ? shared : "../shared");
  run(command, "no shared data");
  snprintf(command, sizeof command,
           "for python in python3 /usr/bin/python3; do $python '%s/nifti_nibabel.py' "
           "'%s/data/nifti-corner' %s > %s/list && exit 0; done; exit 69",
           golden_folder(), shared ? shared : "../shared", folder, folder);
  run(command, "no nibabel");

  snprintf(path, sizeof path, "%s/list", folder);
  FILE *list = fopen(path, "r");
  while (fscanf(list, "%d %d %1023[^\n]", &number, &must_read, path) == 3) {
    size_t n = 0;
    float *voxels = read_voxels(path, &n);
    snprintf(expected, sizeof expected, "%s/%d.f32", folder, number);
    if (voxels) assert_equals_file(voxels, n, expected, path);
    if (!voxels && must_read) fail_msg("%s: refused", path);
    n_read += voxels != NULL;
    free(voxels);
  }
  fclose(list);
  print_message("%d files read as nibabel reads them\n", n_read);
  assert_true(n_read > 0);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  run(command, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(corner_cases_are_read_as_nibabel_reads_them),
  };
  return cmocka_run_group_tests_name("nifti corner cases", tests, NULL, NULL);
}
