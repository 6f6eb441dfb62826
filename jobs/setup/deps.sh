#!/bin/sh
# What radmix needs on Debian and Ubuntu: says it, and installs it when it may.
#
#   deps.sh probe GROUP...    0 when everything of the groups is there (0.1 s), else 1
#   deps.sh install GROUP...  prints the apt-get line and runs it as root, or with sudo on a terminal;
#                             elsewhere prints what is missing and exits 69
#
# Groups: build (compile and run), test (make check), reference (R and Python packages that tests
# compare with; tests say that they skipped what is absent), cluster (make check-cluster), clang (make
# fuzz, make tidy).
set -u

packages_of() {
  case $1 in
    build) echo "build-essential pkg-config libopenmpi-dev openmpi-bin libhdf5-openmpi-dev
      libscalapack-openmpi-dev libopenblas-pthread-dev liblapacke-dev libnifti2-dev libznz-dev
      zlib1g-dev librandom123-dev r-mathlib libxxhash-dev gnuplot-nox" ;;
    test) echo "libcmocka-dev hdf5-tools shellcheck clang-format cppcheck python3 python3-h5py
      python3-numpy" ;;
    reference) echo "r-base-core r-cran-nlme r-cran-lme4 r-cran-lmertest r-cran-pbkrtest
      r-cran-glmnet r-bioc-gsva python3-torch python3-anndata python3-nibabel python3-scipy
      python3-pandas chromium" ;;
    clang) echo "clang-14 clang-tidy-14 libclang-rt-14-dev" ;;
    cluster) echo "slurm-wlm munge libpmix2 iproute2 uidmap util-linux hdf5-tools" ;;
    *) echo "deps.sh: $1: expected build, test, reference, cluster or clang" >&2; exit 64 ;;
  esac
}

# One file or command for each package, so that the probe asks no package manager.
signs_of() {
  case $1 in
    build) echo "gcc make pkg-config mpicc mpirun gnuplot /usr/include/hdf5/openmpi/hdf5.h
      /usr/include/nifti/nifti2_io.h /usr/include/nifti/znzlib.h /usr/include/zlib.h
      /usr/include/Random123/philox.h /usr/include/Rmath.h /usr/include/xxhash.h
      /usr/lib/*/libscalapack-openmpi.so /usr/lib/*/libopenblas.so /usr/include/lapacke.h" ;;
    test) echo "h5diff shellcheck clang-format cppcheck /usr/bin/python3 /usr/include/cmocka.h
      /usr/lib/python3/dist-packages/h5py /usr/lib/python3/dist-packages/numpy" ;;
    reference) echo "Rscript chromium /usr/lib/R/site-library/lme4 /usr/lib/R/library/nlme
      /usr/lib/R/site-library/lmerTest /usr/lib/R/site-library/pbkrtest
      /usr/lib/R/site-library/glmnet /usr/lib/R/site-library/GSVA
      /usr/lib/python3/dist-packages/torch /usr/lib/python3/dist-packages/anndata
      /usr/lib/python3/dist-packages/nibabel /usr/lib/python3/dist-packages/scipy
      /usr/lib/python3/dist-packages/pandas" ;;
    clang) echo "clang-14 clang-tidy-14 /usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a" ;;
    cluster) echo "sbatch srun /usr/sbin/slurmd /usr/sbin/slurmctld /usr/sbin/munged newuidmap
      unshare h5diff /usr/lib/*/slurm-wlm/mpi_pmix.so" ;;
    *) echo "deps.sh: $1: expected build, test, reference, cluster or clang" >&2; exit 64 ;;
  esac
}

is_there() {
  case $1 in
    /*) for file in $1; do [ -e "$file" ] && return 0; done; return 1 ;;
    *) command -v "$1" > /dev/null 2>&1 ;;
  esac
}

# Prints what is missing of the groups.
missing() {
  for group in "$@"; do
    set -f
    for thing in $(signs_of "$group"); do
      set +f
      is_there "$thing" || printf '%s ' "$thing"
      set -f
    done
    set +f
  done
}

packages() {
  for group in "$@"; do packages_of "$group"; done
}

install() {
  line="apt-get install -y --no-install-recommends $(packages "$@" | tr -s ' \n' ' ')"
  if ! command -v apt-get > /dev/null 2>&1; then
    echo "radmix: expected $(missing "$@")- found none; on Debian or Ubuntu: $line" >&2
    exit 69
  fi
  if [ "$(id -u)" = 0 ]; then
    root=
  elif [ -t 0 ] && command -v sudo > /dev/null 2>&1; then
    root=sudo
  else
    echo "radmix: expected $(missing "$@")- found none; as root: apt-get update && $line" >&2
    exit 69
  fi
  echo "$root $line"
  $root apt-get -q update > /dev/null || echo "deps: apt-get update failed; the lists that are here are used" >&2
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $root $line -q -o DPkg::Lock::Timeout=600 > /tmp/radmix-deps.$$ 2>&1 || {
    tail -n 5 /tmp/radmix-deps.$$ >&2
    echo "radmix: apt-get: expected the packages above, found that they cannot be installed" >&2
    exit 69
  }
  rm -f /tmp/radmix-deps.$$
}

case ${1-} in
  probe) shift; [ -z "$(missing "$@")" ] ;;
  install) shift; install "$@" ;;
  *) echo "usage: deps.sh probe|install build|test|reference|cluster|clang..." >&2; exit 64 ;;
esac
