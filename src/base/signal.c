#include "radmix/signal.h"

#include <signal.h>

static volatile sig_atomic_t is_pending;

static void note(int number) {
  (void)number;
  is_pending = 1;
}

void rx_signal_install(void) {
  struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  /* A write beyond a limit of file sizes fails like one on a full disk, and does not end the rank.
   */
  signal(SIGXFSZ, SIG_IGN);
}

bool rx_signal_pending(void) {
  return is_pending;
}

bool rx_signal_agree(MPI_Comm comm) {
  int mine = is_pending != 0, any;

  MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, comm);
  return any;
}
