#!/usr/bin/env bash
# How fast mixed models are fitted from the summaries of 110 patients: 4,096 features with 476 factors (the
# paper's) and 16,197 (all genes), on 1 and 2 ranks; with three covariates; without the write (output =
# hits); and nlme's and lmer's own fits in the same run.
#
#     tests/bench/bench_associate.sh build/release          SMALL=yes: without the 16,197
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
here=$(cd "$(dirname "$0")" && pwd)
bench=$(realpath "$1")/tests/bench/bench_associate
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# run RANKS FEATURES FACTORS PATIENTS COVARIATES OUTPUT: what the log says of rates.
run() {
  local ranks=$1
  shift
  printf '%s x %s, %s covariates, output = %s, %s ranks: ' "$1" "$2" "$4" "$5" "$ranks"
  mpirun -q --oversubscribe -n "$ranks" "$bench" "$@" 2>&1 | sed -n 's/.*associate: \(fits, p and q\)/\1/p'
  rm -rf bench_associate
}
for ranks in 1 2; do
  run $ranks 4096 476 110 0 full
  run $ranks 4096 476 110 3 full
done
if [ -z "${SMALL:-}" ]; then
  run 1 4096 16197 110 0 hits
  run 2 4096 16197 110 0 full
  run 2 4096 16197 110 0 hits
fi
if command -v Rscript > /dev/null; then
  Rscript "$here/bench_associate.R" 5
else
  echo "nlme, lme4: no Rscript"
fi
