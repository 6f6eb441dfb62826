#!/usr/bin/env bash
# Does the whole flow find what is true, and nothing else? The demo deck on SEEDS cohorts (20):
#   with its links:           share of planted genes found >= 80 %, false share <= 7.5 %, both means
#   without links:            a gene is found in at most 4 of 20 cohorts
#   without the covariate:    the confounded gene is found
# A gene is found when its Simes p over the features passes BH over the genes at 0.05.
#
#     tests/bench/bench_recovery.sh [BUILD-FOLDER]      RANKS=2 SEEDS=20
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/release}
ranks=${RANKS:-2}
seeds=${SEEDS:-20}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

radmix() {
  mpirun -q --oversubscribe -n "$ranks" "$build/radmix" "$@" -q >>"$work/log" 2>&1 && return
  tail -n 5 "$work/log" >&2
  exit 1
}

# flow NAME SEED SETTINGS...: a cohort, all stages to associate, and what was found, in NAME.txt.
flow() {
  local name=$1 seed=$2 out=$work/out settings
  shift 2
  rm -rf "$out"
  settings=(-s study.directory="$out" -s study.seed="$seed" -s genomics.gene_sets=
    -s images.manifest="$out/simulated/images.tsv"
    -s genomics.expression="$out/simulated/expression.tsv"
    -s study.clinical="$out/simulated/clinical.tsv")
  radmix simulate inputs/demo.ini "${settings[@]}" "$@"
  radmix run inputs/demo.ini "${settings[@]}" "$@" \
    -s study.stages=slice,train,encode,factors,associate
  score "$name" "$seed"
}

score() {
  "$build/tests/bench/bench_recovery" "$work/out/associations.h5ad" \
    "$work/out/simulated/truth.tsv" | tee -a "$work/$1.txt" | awk -v name="$1" -v seed="$2" '{
      printf "%-12s seed %2d: %2d of %2d planted genes found, %2d in all, %d false%s\n",
        name, seed, $2, $1, $3, $4, $5 ? ", the confounded one among them" : ""}'
}

begin=$SECONDS
for ((seed = 1; seed <= seeds; seed++)); do
  flow linked "$seed"
  # The same cohort without age: only the last stage is made again.
  radmix associate inputs/demo.ini -s study.directory="$work/out" -s study.seed="$seed" \
    -s study.clinical="$work/out/simulated/clinical.tsv" -s association.covariates= --force
  score no-covariate "$seed"
  flow null "$seed" -s simulation.links=0
done

awk -v seeds="$seeds" -v seconds=$((SECONDS - begin)) '
  FILENAME ~ /linked/ {found += $2 / $1; wrong += $3 ? $4 / $3 : 0}
  FILENAME ~ /null/ {any += $3 > 0}
  FILENAME ~ /no-covariate/ {confounded += $5}
  END {
    found /= seeds; wrong /= seeds
    printf "found %.1f %% of the planted genes (at least 80)\n", 100 * found
    printf "%.2f %% of what is found is false (at most 7.5)\n", 100 * wrong
    printf "without links a gene is found in %d of %d cohorts (at most %d)\n", any, seeds, seeds / 5
    printf "without the covariate the confounded gene is found in %d of %d cohorts\n",
           confounded, seeds
    printf "%d s\n", seconds
    exit found < 0.8 || wrong > 0.075 || any > seeds / 5 || confounded < seeds / 2
  }' "$work/linked.txt" "$work/null.txt" "$work/no-covariate.txt"
