#!/usr/bin/env bash
# make bench-train: training and encoding against PyTorch, in turn, in one run on one core.
#
# TURNS (3) turns each; the best of them count. The ratios are the figures: absolute rates depend on
# the machine. PyTorch is Debian's python3-torch; without it radmix runs alone.
set -eu
build=$1
turns=${TURNS:-3}
here=$(dirname "$0")
export MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=4000000000 OMP_NUM_THREADS=1
python=/usr/bin/python3
has_torch=no
$python -c 'import torch' 2> /dev/null && has_torch=yes

# Keeps the larger of the rates that follow a word.
best() {
  awk -v word="$1" '{for (i = 1; i < NF; i++) if ($i == word && $(i + 1) > most) most = $(i + 1)} END {print most + 0}'
}

for levels in 3 2; do
  echo "# $levels levels, images/s on one core"
  ours="" theirs=""
  for _ in $(seq "$turns"); do
    ours="$ours$(taskset -c 0 "$build/tests/bench/bench_train" $levels)"$'\n'
    [ $has_torch = no ] || theirs="$theirs$(taskset -c 0 $python "$here/bench_train.py" $levels)"$'\n'
  done
  printf '%s' "$ours" | tail -1
  train=$(printf '%s' "$ours" | best train) encode=$(printf '%s' "$ours" | best encode)
  if [ $has_torch = no ]; then
    echo "PyTorch is not installed: nothing to compare with"
    continue
  fi
  printf '%s' "$theirs" | tail -1
  awk -v a="$train" -v b="$(printf '%s' "$theirs" | best train)" \
    -v c="$encode" -v d="$(printf '%s' "$theirs" | best encode)" \
    'BEGIN {printf "radmix / PyTorch: training %.2f, encoding %.2f\n", a / b, c / d}'
done
