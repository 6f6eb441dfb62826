#!/usr/bin/env bash
# Training under fire: bench_kills.sh RADMIX [ROUNDS [SEED]]. make bench-kills, 2 minutes.
#
# The weights of real volumes (simulated ones where the shared data are absent) must have the same
# bits on 1, 2, 3, 4, 7 and 16 ranks, with AVX2, and in each of ROUNDS (10) rounds in which a
# random rank is killed (-9) at a random moment and another number of ranks goes on.
set -u
radmix=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
rounds=${2:-10}
RANDOM=${3:-1}
data=${RADMIX_SHARED:-$(cd "$(dirname "$0")/../.." && pwd)/../shared}/data/tcga-brca/images.tsv
export OPENBLAS_NUM_THREADS=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
counts=(1 2 3 4 7 16)
bad=0

if [ ! -e "$data" ]; then
  "$radmix" simulate -s study.directory=. 2> log || { cat log; exit 1; }
  data=simulated/images.tsv
fi
"$radmix" slice -s images.manifest="$data" -s study.directory=right 2> log || { cat log; exit 1; }

# train FOLDER RANKS
train() {
  mpirun -q --oversubscribe -n "$2" "$radmix" train -s study.directory="$1" -s autoencoder.epochs=60 \
    -s autoencoder.checkpoint_minutes=0.003 2> "$1.log"
}

# empty FOLDER: an empty study with the slices.
empty() {
  rm -rf "$1" && mkdir "$1" && cp right/images.h5ad "$1"
}

# compare FOLDER WHAT
compare() {
  if h5diff --exclude-path /radmix right/model.h5 "$1/model.h5" > difference.txt 2>&1 && [ ! -s difference.txt ]; then
    echo "$2: the same bits"
  else
    echo "$2: OTHER BITS"
    tail -n 2 "$1.log"
    bad=1
  fi
}

begin=$(date +%s%N)
train right 2 || { cat right.log; exit 1; }
length=$((($(date +%s%N) - begin) / 1000000))
for ranks in "${counts[@]}"; do
  empty other
  train other "$ranks"
  compare other "$ranks ranks"
done
empty other
RADMIX_ISA=v3 train other 3
compare other "3 ranks with AVX2"

for ((round = 1, tries = 0; round <= rounds && tries < 5 * rounds; tries++)); do
  ranks=${counts[RANDOM % 5 + 1]} # with one rank there is nobody left
  empty killed
  (exec mpirun -q --oversubscribe -n "$ranks" "$radmix" train -s study.directory=killed -s autoencoder.epochs=60 \
    -s autoencoder.checkpoint_minutes=0.003) 2> killed.log &
  launched=$!
  moment=$((length * (300 + RANDOM % 700) / 1000)) # before, MPI begins
  sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
  mapfile -t processes < <(pgrep -P $launched -x radmix)
  victim=${processes[RANDOM % (${#processes[@]} > 0 ? ${#processes[@]} : 1)]:-}
  if [ -z "$victim" ] || [ -e killed/model.h5 ] || ! kill -9 "$victim" 2> /dev/null; then
    wait $launched # not begun, or over: another moment
    continue
  fi
  wait $launched 2> /dev/null
  for process in "${processes[@]}"; do # mpirun may end before the last of its ranks
    while kill -0 "$process" 2> /dev/null; do sleep 0.05; done
  done
  where=$(if [ -e killed/checkpoint.h5 ]; then echo "from a checkpoint"; else echo "from the start"; fi)
  after=$ranks
  while [ "$after" = "$ranks" ]; do after=${counts[RANDOM % 6]}; done
  if ! train killed "$after"; then echo "round $round: did not go on"; fi
  compare killed "round $round: one of $ranks ranks killed, $after go on $where"
  round=$((round + 1))
done
[ "$round" -gt "$rounds" ] || { echo "only $((round - 1)) rounds hit a running rank"; bad=1; }
exit $bad
