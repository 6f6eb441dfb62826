#!/usr/bin/env bash
# Kills ranks of `run` at random moments: bench_faults.sh RADMIX [ROUNDS [SEED]]
#
# Each round starts the whole flow of a small cohort on 3 ranks, and at a random moment does one of
# three things to a random rank: kill -9; SIGTERM; SIGSTOP and, a second later, kill -9. It must end
# within 30 s; every file under a final name must have the right bits; and the next run, on 1 to 4
# ranks, must complete with the right bits. Prints a line a round and a table.
set -u
radmix=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
rounds=${2:-50}
RANDOM=${3:-1}
limit=30
export OPENBLAS_NUM_THREADS=1 OMPI_MCA_rmaps_base_oversubscribe=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

cat > study.ini << 'END'
[study]
clinical = cohort/simulated/clinical.tsv
[images]
manifest = cohort/simulated/images.tsv
size = 32
[autoencoder]
epochs = 40
checkpoint_minutes = 0.01
[genomics]
expression = cohort/simulated/expression.tsv
gene_sets = cohort/simulated/genesets.gmt
[association]
permutations = 200
[clustering]
clusters = 3
perplexity = 4
iterations = 20
pca = 10
[prediction]
folds = 2
inner_folds = 2
lambdas = 20
bootstrap = 100
[simulation]
patients = 24
images_per_patient = 6-10
genes = 60
sets = 6
links = 4
END

now() { date +%s%N; }
milliseconds_since() { echo $((($(now) - $1) / 1000000)); }
launch() { # launch RANKS FOLDER
  mpirun -q --oversubscribe -n "$1" "$radmix" run study.ini -s study.directory="$2"
}

# The same but for how it was made. Clusters and predictions may differ in the last digits between
# rank counts.
same_bits() {
  local group=/uns/radmix options=()
  case $1 in
    *.tsv | *.txt) cmp -s "$1" "$2"; return ;;
    *.h5) group=/radmix ;;
  esac
  case $1 in */clusters.h5ad | */predictions.h5) options=(--delta=1e-8) ;; esac
  h5diff "${options[@]}" --exclude-path "$group" "$1" "$2" > difference.txt 2>&1
}

# The names in FOLDER that are final and not as they should be.
damaged() {
  local file bad=''
  for file in "$1"/*.h5ad "$1"/*.h5 "$1"/*.tsv; do
    [ -e "$file" ] || continue
    # A checkpoint is checked by whoever goes on from it.
    case $file in *checkpoint*) continue ;; esac
    same_bits "right/${file##*/}" "$file" || bad+=" ${file##*/}"
  done
  echo "$bad"
}

mpirun -q --oversubscribe -n 2 "$radmix" simulate study.ini -s study.directory=cohort 2> simulate.log ||
  { cat simulate.log; exit 1; }
begin=$(now)
launch 3 right 2> right.log || { cat right.log; exit 1; }
length=$(milliseconds_since "$begin")
echo "the flow takes $length ms undisturbed, on 3 ranks"

kinds=(kill term stop)
declare -A n_rounds n_ended n_whole n_completed slowest
for kind in "${kinds[@]}"; do n_rounds[$kind]=0 n_ended[$kind]=0 n_whole[$kind]=0 n_completed[$kind]=0 slowest[$kind]=0; done

tries=0
for ((round = 1; round <= rounds && tries < 3 * rounds; round++, tries++)); do
  kind=${kinds[RANDOM % 3]}
  moment=$((length * (RANDOM % 1000) / 1000))
  rm -rf study
  (exec mpirun -q --oversubscribe -n 3 "$radmix" run study.ini -s study.directory=study) 2> round.log &
  mpirun=$!
  sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
  mapfile -t ranks < <(pgrep -P $mpirun -x radmix)
  if [ ${#ranks[@]} = 0 ]; then
    # It had ended, or not begun: another moment.
    wait $mpirun
    round=$((round - 1))
    continue
  fi
  rank=$((RANDOM % ${#ranks[@]}))
  victim=${ranks[rank]}
  case $kind in
    kill) kill -9 "$victim" ;;
    term) kill -TERM "$victim" ;;
    stop) kill -STOP "$victim"; sleep 1; kill -9 "$victim" ;;
  esac 2> /dev/null
  begin=$(now)
  # What goes on after SIGTERM (saved work apart) has its whole length.
  allowed=$((limit * 1000 + (length > 5000 ? length : 5000)))
  while kill -0 $mpirun 2> /dev/null && [ "$(milliseconds_since "$begin")" -lt $allowed ]; do sleep 0.05; done
  took=$(milliseconds_since "$begin")
  ended=yes
  if kill -0 $mpirun 2> /dev/null; then ended=no; kill -9 $mpirun "${ranks[@]}"; fi
  wait $mpirun 2> /dev/null
  code=$?
  stage=$(grep -oE '\] [a-z]+:' round.log | tail -n 1 | tr -d ']: ')
  broken=''
  [ ! -d study ] || broken=$(damaged study)
  again=$((1 + RANDOM % 4))
  launch $again study 2> again.log
  code_again=$?
  wrong=$(damaged study)
  missing=''
  for file in right/*; do [ -e "study/${file##*/}" ] || missing+=" ${file##*/}"; done
  result=ok
  n_rounds[$kind]=$((n_rounds[$kind] + 1))
  if [ $ended = yes ]; then n_ended[$kind]=$((n_ended[$kind] + 1)); else result="did not end"; fi
  if [ -z "$broken" ]; then n_whole[$kind]=$((n_whole[$kind] + 1)); else result="damaged:$broken"; fi
  if [ $code_again = 0 ] && [ -z "$wrong$missing" ]; then
    n_completed[$kind]=$((n_completed[$kind] + 1))
  else
    result="next run: exit $code_again, wrong:$wrong, missing:$missing: $(grep '^radmix: ' again.log)"
  fi
  [ "$took" -le "${slowest[$kind]}" ] || slowest[$kind]=$took
  printf '%3d  %-4s rank %d at %6d ms, in %-9s ended with %3d after %5d ms, next run on %d ranks: %s\n' \
    "$round" "$kind" "$rank" "$moment" "${stage:-start}" "$code" "$took" "$again" "$result"
done

echo
printf '%-12s %7s %7s %12s %10s %14s\n' what rounds ended 'files whole' completed 'slowest end'
bad=0
for kind in "${kinds[@]}"; do
  printf '%-12s %7d %7d %12d %10d %11d ms\n' "$kind" "${n_rounds[$kind]}" "${n_ended[$kind]}" \
    "${n_whole[$kind]}" "${n_completed[$kind]}" "${slowest[$kind]}"
  for n in "${n_ended[$kind]}" "${n_whole[$kind]}" "${n_completed[$kind]}"; do
    [ "$n" = "${n_rounds[$kind]}" ] || bad=1
  done
done
exit $bad
