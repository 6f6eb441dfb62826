/* isa.h: one kernel source, compiled once per instruction set.
 *
 * A file src/STAGE/NAME.kernel.c is compiled three times, for x86-64 v2 (SSE4), v3 (AVX2, FMA) and
 * v4 (AVX-512), with RX_ISA = 2, 3, 4. Its public functions are named through RX_ISA_NAME(), so
 * that the three live side by side; the caller keeps a pointer to the one that rx_isa_choose()
 * gives. v3 and v4 give the same bits when sums run in lanes whose number does not depend on the
 * set. */
#ifndef RADMIX_ISA_H
#define RADMIX_ISA_H

#include <mpi.h>

#include "radmix/status.h"

#define RX_ISA_JOIN_(name, isa) name##_v##isa
#define RX_ISA_JOIN(name, isa) RX_ISA_JOIN_(name, isa)
#ifdef RX_ISA
#define RX_ISA_NAME(name) RX_ISA_JOIN(name, RX_ISA)
#endif

/* Picks one of three variants: RX_ISA_PICK(isa, convolve) is convolve_v2, _v3 or _v4. */
#define RX_ISA_PICK(isa, name) ((isa) >= 4 ? name##_v4 : (isa) == 3 ? name##_v3 : name##_v2)

/* Returns the best instruction set of this machine: 2, 3 or 4. */
int rx_isa_of_machine(void);

/* Gives the lowest set among the ranks, or what RADMIX_ISA asks for (v2, v3, v4). Collective.
 * Errors: RX_ERR_CONFIG when RADMIX_ISA is another word; RX_ERR_MISSING when a machine lacks it. */
rx_status rx_isa_choose(MPI_Comm comm, int *isa);

#endif
