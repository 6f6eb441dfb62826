/* status.h: what a function of radmix returns, and what the program exits with. */
#ifndef RADMIX_STATUS_H
#define RADMIX_STATUS_H

/* The values are the exit codes of the program (sysexits.h where one fits). */
typedef enum {
  RX_OK = 0,
  RX_ERR_USAGE = 64,    /* the command line is wrong */
  RX_ERR_INPUT = 65,    /* an input is there and is wrong */
  RX_ERR_NOINPUT = 66,  /* an input is not there or cannot be opened */
  RX_ERR_MISSING = 69,  /* the machine lacks something that is needed */
  RX_ERR_INTERNAL = 70, /* radmix is wrong */
  RX_ERR_MEMORY = 71,   /* no memory */
  RX_ERR_EXISTS = 73,   /* a result exists that was made otherwise, or another writer is at work */
  RX_ERR_OUTPUT = 74,   /* a result cannot be written */
  RX_ERR_INTERRUPTED = 75, /* stopped after a checkpoint: the same command goes on */
  RX_ERR_CONFIG = 78       /* a setting is wrong */
} rx_status;

#endif
