#include "base/hints.h"

#include <stdio.h>
#include <unistd.h>

#include "radmix/error.h"

static void set_number(MPI_Info info, const char *key, long long number) {
  char text[32];

  if (number <= 0) return;
  snprintf(text, sizeof text, "%lld", number);
  MPI_Info_set(info, key, text);
}

MPI_Info rx_hints_create(const rx_config *config) {
  MPI_Info info;

  MPI_Info_create(&info);
  MPI_Info_set(info, "romio_ds_write", "disable"); /* ranks would read what others write */
  if (!config) return info;
  if (!rx_is(config->output_buffering, "automatic")) {
    MPI_Info_set(info, "romio_cb_write", config->output_buffering);
    MPI_Info_set(info, "collective_buffering",
                 rx_is(config->output_buffering, "enable") ? "true" : "false");
  }
  set_number(info, "cb_nodes", config->output_writers);
  set_number(info, "cb_buffer_size", (long long)config->output_buffer << 20);
  set_number(info, "striping_factor", config->output_stripe);
  set_number(info, "striping_unit", (long long)config->output_stripe_size << 20);
  return info;
}

rx_status rx_hints_make_file(MPI_Comm comm, const rx_config *config, const char *path) {
  MPI_File file;

  if (config->output_stripe == 0 && config->output_stripe_size == 0) return RX_OK;
  unlink(path); /* one that was left has the stripes of its time */
  MPI_Info info = rx_hints_create(config);
  int failed = MPI_File_open(comm, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, info, &file);
  MPI_Info_free(&info);
  if (failed) return RX_FAIL(RX_ERR_OUTPUT, "%s: cannot be made with the stripes asked for", path);
  MPI_File_close(&file);
  return RX_OK;
}

unsigned long long rx_hints_alignment(const rx_config *config) {
  return config->output_alignment > 0 ? (unsigned long long)config->output_alignment << 10 : 1;
}
