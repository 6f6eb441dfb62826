#!/usr/bin/env bash
# What splitting by slice does: labels that are noise, predicted from slices that know their patient.
# SEEDS (10) cohorts of 110 patients x 40 slices, ICC 0.5, one outcome, the single 70/30 split:
#   500 features   slices held out: mean AUC of slices 0.97 to 1
#                  patients held out: mean AUC of patients 0.45 to 0.55, each 0.30 to 0.70
#   36 features    slices held out: less than that
#
#     tests/bench/bench_leak.sh [BUILD-FOLDER]      RANKS=2 SEEDS=10 LAMBDAS=20
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/release}
ranks=${RANKS:-2}
seeds=${SEEDS:-10}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/leak.ini" << 'INI'
[study]
directory = out
clinical = out/simulated/clinical.tsv
[simulation]
patients = 110
images_per_patient = 40
icc = 0.5
genes = 10
sets = 0
links = 0
outcomes = null
[prediction]
features = out/simulated/features.tsv
outcomes = ER
split = image
folds = 1
bootstrap = 0
INI

radmix() {
  mpirun -q --oversubscribe -n "$ranks" "$build/radmix" "$@" 2> "$work/log" && return
  cat "$work/log" >&2
  exit 1
}

# study FEATURES SEED: a line with features, seed and the four AUCs, in the table.
study() {
  local settings=(-s simulation.features="$1" -s study.seed="$2" -s prediction.lambdas="${LAMBDAS:-20}")
  rm -rf "$work/out"
  radmix simulate "$work/leak.ini" "${settings[@]}"
  radmix predict "$work/leak.ini" "${settings[@]}"
  grep -q 'warning: split = image puts slices of one patient on both sides' "$work/log" || exit 1
  awk -F '\t' -v features="$1" -v seed="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    NR == 2 { print features, seed, $at["auc_rows"], $at["auc"], $at["patient_split_auc_rows"],
                    $at["patient_split_auc"] }' "$work/out/predictions-summary.tsv" >> "$work/table"
  tail -n 1 "$work/table" | awk '{
    printf "%3d features, seed %2d: slices held out %.3f (patients %.3f), patients held out %.3f (patients %.3f)\n",
      $1, $2, $3, $4, $5, $6 }'
}

begin=$SECONDS
for ((seed = 1; seed <= seeds; seed++)); do study 500 "$seed"; done
for ((seed = 1; seed <= seeds; seed++)); do study 36 "$seed"; done
awk -v seconds=$((SECONDS - begin)) '
  $1 == 500 { many += $3; patients += $6; n++; if ($6 < 0.3 || $6 > 0.7) out++ }
  $1 == 36 { few += $3; m++ }
  END {
    many /= n; patients /= n; few /= m
    printf "500 features, slices held out: AUC of slices %.3f on average (0.97 to 1)\n", many
    printf "500 features, patients held out: AUC of patients %.3f on average (0.45 to 0.55), %d of %d outside 0.30 to 0.70\n", patients, out, n
    printf "36 features, slices held out: %.3f (less than 500)\n", few
    printf "%d s\n", seconds
    exit many < 0.97 || patients < 0.45 || patients > 0.55 || out || few >= many
  }' "$work/table"
