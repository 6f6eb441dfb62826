#!/usr/bin/env bash
# Permutations that are interrupted or killed go on with the bits of those that were not.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

radmix_on 1 simulate -q -s study.directory=sim -s simulation.features=60 -s simulation.patients=40 \
  -s simulation.genes=40 -s simulation.sets=4
inputs=(-s association.features=sim/simulated/features.tsv -s genomics.expression=sim/simulated/expression.tsv
  -s study.clinical=sim/simulated/clinical.tsv -s association.permutations=6000)
radmix_on 1 factors -q -s study.directory=whole "${inputs[@]}"
radmix_on 2 associate -q -s study.directory=whole "${inputs[@]}"
ok "$code" "permutations that nobody disturbs"
[ ! -e whole/associations-checkpoint.h5 ]
ok $? "leave no checkpoint"
mkdir part && cp whole/factors.h5ad part

# disturb SIGNAL RANKS SECONDS: a run that gets a signal so long after it has begun; code is its exit code.
disturb() {
  mpirun -q --oversubscribe -n "$2" "$RADMIX" associate -s study.directory=part "${inputs[@]}" > out.txt 2> err.txt &
  local launcher=$! victim
  for _ in $(seq 300); do
    grep -q ' features x ' err.txt && break
    sleep 0.1
  done
  sleep "$3"
  if [ "$1" = USR1 ]; then
    kill -USR1 "$launcher" 2> kill.txt
  else
    victim=$(pgrep -P "$launcher" radmix | tail -1)
    [ -n "$victim" ] && kill "-$1" "$victim"
  fi
  wait "$launcher"
  code=$?
}
for seconds in 0.4 0.8 2 4; do # longer where the machine is so busy that nothing was done yet
  disturb USR1 2 $seconds
  [ -e part/associations-checkpoint.h5 ] && break
done
[ "$code" = 75 ] && [ -e part/associations-checkpoint.h5 ] && [ ! -e part/associations.h5ad ] &&
  grep -q 'of 6000 permutations; the same command goes on' err.txt
ok $? "USR1 leaves a checkpoint and 75"

radmix_on 1 associate -q -s study.directory=part "${inputs[@]}" -s association.df=normal
[ "$code" = 73 ] && grep -q 'df = ' err.txt
ok $? "other settings are refused by name"
disturb KILL 3 0.2
rm -f part/.lock
[ -e part/associations-checkpoint.h5 ] && [ ! -e part/associations.h5ad ]
ok $? "kill -9 leaves the checkpoint"
radmix_on 3 associate -s study.directory=part "${inputs[@]}"
[ "$code" = 0 ] && grep -q 'goes on after' err.txt && [ ! -e part/associations-checkpoint.h5 ]
ok $? "another number of ranks goes on from it and removes it"
if command -v h5diff > h5diff.txt; then
  h5diff --exclude-path /uns/radmix whole/associations.h5ad part/associations.h5ad > differences.txt 2>&1 &&
    [ ! -s differences.txt ] && cmp -s whole/associations.tsv part/associations.tsv
  ok $? "the bits are those of permutations that nobody disturbed"
else
  skip "the bits are those of permutations that nobody disturbed" "h5diff is absent"
fi
finish
