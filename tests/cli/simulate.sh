#!/usr/bin/env bash
# `radmix simulate` on the command line; R confirms the planted partial R^2 from the written tables.
# Output: TAP.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
here=$(cd "$(dirname "$0")/.." && pwd)
radmix=${RADMIX:-$here/../build/${MODE:-release}/radmix}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n_tests=0
n_failed=0

verdict() { # verdict CODE NAME
  n_tests=$((n_tests + 1))
  if [ "$1" = 0 ]; then
    echo "ok $n_tests - $2"
  else
    echo "not ok $n_tests - $2"
    sed 's/^/# /' "$work/log"
    n_failed=$((n_failed + 1))
  fi
}

simulate() {
  timeout 60 mpirun -q --oversubscribe -n 2 "$radmix" simulate "$here/../inputs/demo.ini" \
    -s study.directory="$work/out" -s simulation.images_per_patient=1-3 "$@" >"$work/log" 2>&1
}

simulate
verdict $? 'the demo deck makes a cohort'
simulate && grep -q 'is up to date' "$work/log"
verdict $? 'made again it is up to date'
simulate -s simulation.effect=0.2
[ $? = 73 ] && grep -q 'simulation.effect = 0.35' "$work/log"
verdict $? 'made otherwise it stops with 73 and names the setting'
timeout 60 mpirun -q --oversubscribe -n 2 "$radmix" slice -s study.directory="$work/out" \
  -s images.manifest="$work/out/simulated/images.tsv" -s images.plane=axial >"$work/log" 2>&1
verdict $? 'its volumes are cut into slices'
if command -v Rscript >/dev/null; then
  Rscript "$here/golden/partial_r2.R" "$work/out/simulated" 0.35 >"$work/log" 2>&1
  verdict $? 'R finds the planted partial R^2 in the tables'
else
  n_tests=$((n_tests + 1))
  echo "ok $n_tests - R finds the planted partial R^2 in the tables # SKIP no Rscript"
fi
echo "1..$n_tests"
exit $((n_failed > 0))
