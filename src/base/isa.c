#include "radmix/isa.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"

int rx_isa_of_machine(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return 4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    return 3;
  return 2;
}

static rx_status choose_here(int *isa) {
  const char *wish = getenv("RADMIX_ISA");

  *isa = rx_isa_of_machine();
  if (!wish || !*wish) return RX_OK;
  if (strcmp(wish, "v2") && strcmp(wish, "v3") && strcmp(wish, "v4"))
    return RX_FAIL(RX_ERR_CONFIG, "RADMIX_ISA: expected v2, v3 or v4, found '%s'", wish);
  if (wish[1] - '0' > *isa)
    return RX_FAIL(RX_ERR_MISSING, "RADMIX_ISA: this machine has x86-64-v%d, not %s", *isa, wish);
  *isa = wish[1] - '0';
  return RX_OK;
}

rx_status rx_isa_choose(MPI_Comm comm, int *isa) {
  int mine;

  RX_TRY(RX_AGREE(comm, choose_here(&mine)));
  MPI_Allreduce(&mine, isa, 1, MPI_INT, MPI_MIN, comm);
  return RX_OK;
}
