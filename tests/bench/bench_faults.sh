#!/usr/bin/env bash
# Kills ranks of `run` at random moments: bench_faults.sh RADMIX [ROUNDS [SEED]]
#
# Each round starts the whole flow of a small cohort on 3 ranks, and at a random moment does one of
# three things to a random rank: kill -9; SIGTERM; SIGSTOP and, a second later, kill -9. It must end
# within 30 s; every file under a final name must have the right bits; and the next run, on 1 to 4
# ranks, must complete with the right bits and make no finished stage anew.
#
# A moment is a place of the undisturbed flow, not a time, so that a busy machine shifts nothing: a
# stage and a part of its length, waited for from the end of the stage before. In odd rounds each
# moment of the flow is as likely as any other, in even rounds each stage is, since some last a tenth
# of a second. Where a rank was really hit is read from the log. Time is counted in polls of at most
# half a second, so that it stands still while the machine stops this script.
# Prints a line a round, a table by what was done, and one by stage.
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

stages=(slice train encode factors associate cluster predict report)

now() { date +%s%N; }
launch() { # launch RANKS
  mpirun -q --oversubscribe -n "$1" "$radmix" run study.ini -s study.directory=study
}
pause() { # pause MILLISECONDS
  sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

# wait_until LIMIT-IN-MILLISECONDS CONDITION...: polls; the time waited is in $waited.
waited=0
wait_until() {
  local allowed=$1 before step
  shift
  waited=0
  before=$(now)
  until "$@"; do
    [ $waited -lt "$allowed" ] || return 1
    sleep 0.03
    step=$((($(now) - before) / 1000000))
    waited=$((waited + (step < 500 ? step : 500)))
    before=$(now)
  done
}
# shellcheck disable=SC2317 # called by wait_until
has_gone() { ! kill -0 "$1" 2> /dev/null; }

# The same but for how it was made. Clusters and predictions may differ in the last digits between
# rank counts; a page tells its folder and times.
same_bits() {
  local group=/uns/radmix options=()
  case $1 in
    *.html) [ "$(wc -l < "$1")" = "$(wc -l < "$2")" ] && tail -n 1 "$2" | grep -q '</html>$'; return ;;
    *.h5ad) ;;
    *.h5) group=/radmix ;;
    *) cmp -s "$1" "$2"; return ;;
  esac
  case $1 in */clusters.h5ad | */predictions.h5) options=(--delta=1e-8) ;; esac
  h5diff "${options[@]}" --exclude-path "$group" "$1" "$2" > difference.txt 2>&1
}

# The files of the study that stay: not checkpoints, which are checked by whoever goes on from them, and
# not what is dated (.pdf) or told by another (.gp, .dat of a figure).
final_names() {
  (cd "$1" && find . -type f \( -name '*.h5ad' -o -name '*.h5' -o -name '*.tsv' -o -name '*.svg' \
    -o -name '*.html' \) ! -name '*checkpoint*' -printf '%P\n')
}

# The names that are final and not as they should be, of files newer than STAMP when it is given.
damaged() {
  local file
  while read -r file; do
    if [ -n "${1-}" ] && [ ! "study/$file" -nt "$1" ]; then continue; fi
    same_bits "right/$file" "study/$file" || printf ' %s' "$file"
  done < <(final_names study)
}
missing() {
  local file
  while read -r file; do [ -e "study/$file" ] || printf ' %s' "$file"; done < <(final_names right)
}

# The stages that LOG says are done, by their lines of totals.
done_of() { grep -oE '\] [a-z]+: .* of memory a rank$' "$1" | sed 's/^\] //; s/:.*//'; }
# The stage that was on its way when LOG ended; nothing after the last one.
stage_of() { echo "${stages[$(done_of "$1" | wc -l)]-}"; }
# shellcheck disable=SC2317
is_under_way() { # is_under_way STAGE PROCESS: has it begun, or can it no more?
  has_gone "$2" || { [ "$(pgrep -P "$2" -x radmix | wc -l)" = 3 ] && has_begun "$1"; }
}
# shellcheck disable=SC2317
has_begun() { # has_begun STAGE: all before it are in round.log
  [ "$1" = slice ] || done_of round.log | grep -qx "${predecessor[$1]}"
}

mpirun -q --oversubscribe -n 2 "$radmix" simulate study.ini -s study.directory=cohort 2> simulate.log ||
  { cat simulate.log; exit 1; }
launch 3 2> right.log || { cat right.log; exit 1; }
mv study right

# When each stage begins and how long it takes, in milliseconds.
declare -A predecessor length begins
at=0 last=''
for stage in "${stages[@]}"; do
  end=$(sed -nE "s/^\[ *([0-9]+)\.([0-9]) s\] $stage: .* of memory a rank\$/\1\200/p" right.log)
  [ -n "$end" ] || { echo "bench_faults: expected a line of totals of $stage, found none"; exit 1; }
  end=$((10#$end))
  predecessor[$stage]=$last begins[$stage]=$at length[$stage]=$((end - at > 50 ? end - at : 50))
  at=$end last=$stage
done
echo "the flow takes $at ms undisturbed on 3 ranks:" \
  "$(for stage in "${stages[@]}"; do printf '%s %d  ' "$stage" "${length[$stage]}"; done)"

# A moment as a stage and milliseconds in it: in odd rounds any of the flow, in even ones any of a stage.
choose_moment() {
  local place
  if (($1 % 2)); then
    place=$((at * (RANDOM % 1000) / 1000))
    for stage in "${stages[@]}"; do [ "${begins[$stage]}" -gt $place ] || target=$stage; done
    offset=$((place - begins[$target]))
  else
    target=${stages[RANDOM % ${#stages[@]}]}
    offset=$((length[$target] * (RANDOM % 1000) / 1000))
  fi
}

kinds=(kill term stop)
declare -A n_rounds n_ended n_whole n_completed slowest codes
for name in "${kinds[@]}" "${stages[@]}"; do
  n_rounds[$name]=0 n_ended[$name]=0 n_whole[$name]=0 n_completed[$name]=0 slowest[$name]=0 codes[$name]=''
done

round=0 tries=0
while [ $round -lt "$rounds" ] && [ $tries -lt $((3 * rounds)) ]; do
  tries=$((tries + 1))
  kind=${kinds[RANDOM % 3]}
  choose_moment $((round + 1))
  rm -rf study && : > round.log
  (exec mpirun -q --oversubscribe -n 3 "$radmix" run study.ini -s study.directory=study) 2> round.log &
  mpirun=$!
  wait_until 300000 is_under_way "$target" $mpirun
  pause "$offset"
  mapfile -t ranks < <(pgrep -P $mpirun -x radmix)
  if [ ${#ranks[@]} != 3 ]; then
    # It had ended: another moment.
    wait $mpirun
    continue
  fi
  round=$((round + 1))
  rank=$((RANDOM % 3))
  victim=${ranks[rank]}
  stage=$(stage_of round.log)
  case $kind in
    kill) kill -9 "$victim" ;;
    term) kill -TERM "$victim" ;;
    stop) kill -STOP "$victim"; sleep 1; kill -9 "$victim" ;;
  esac 2> /dev/null
  # A stage that does not heed SIGTERM has its whole length: of the one that waits, and of the flow.
  ended=no
  if wait_until $((limit * 1000)) has_gone $mpirun; then ended=yes; else kill -9 $mpirun "${ranks[@]}"; fi
  took=$waited
  wait $mpirun 2> /dev/null
  code=$?
  broken=''
  [ ! -d study ] || broken=$(damaged)
  touch stamp
  again=$((1 + RANDOM % 4))
  launch $again 2> again.log
  code_again=$?
  # What was whole and is older than the stamp has been seen.
  if [ -z "$broken" ]; then wrong=$(damaged stamp); else wrong=$(damaged); fi
  lost=$(missing)
  anew=$(comm -12 <(done_of round.log | sort) <(done_of again.log | sort) | tr '\n' ' ')
  result=ok
  for name in $kind "${stage:-report}"; do
    n_rounds[$name]=$((n_rounds[$name] + 1))
    codes[$name]+="$code "
    if [ $ended = yes ]; then n_ended[$name]=$((n_ended[$name] + 1)); else result="did not end"; fi
    if [ -z "$broken" ]; then n_whole[$name]=$((n_whole[$name] + 1)); else result="damaged:$broken"; fi
    if [ $code_again = 0 ] && [ -z "$wrong$lost$anew" ]; then
      n_completed[$name]=$((n_completed[$name] + 1))
    else
      result="next run: exit $code_again, wrong:$wrong, missing:$lost, anew: $anew: $(grep '^radmix: ' again.log)"
    fi
    [ "$took" -le "${slowest[$name]}" ] || slowest[$name]=$took
  done
  printf '%3d  %-4s rank %d, %5d ms into %-9s ended with %3d after %5d ms, next run on %d ranks: %s\n' \
    $round "$kind" $rank "$offset" "${stage:-the end}" $code "$took" $again "$result"
done

# how_often CODE...: each code and how often, as "137 x 12, 75 x 2"
how_often() {
  [ $# = 0 ] || printf '%s\n' "$@" | sort -n | uniq -c | awk '{printf "%s%s x %s", (NR > 1) ? ", " : "", $2, $1}'
}

bad=0
[ $round = "$rounds" ] || { echo "bench_faults: $round rounds instead of $rounds: the flow is too short"; bad=1; }
table() { # table TITLE NAME...
  local title=$1 name n
  shift
  printf '\n%-10s %7s %7s %12s %10s %14s  %s\n' "$title" rounds ended 'files whole' completed 'slowest end' codes
  for name; do
    # shellcheck disable=SC2086 # the codes are words
    printf '%-10s %7d %7d %12d %10d %11d ms  %s\n' "$name" "${n_rounds[$name]}" "${n_ended[$name]}" \
      "${n_whole[$name]}" "${n_completed[$name]}" "${slowest[$name]}" "$(how_often ${codes[$name]})"
    for n in "${n_ended[$name]}" "${n_whole[$name]}" "${n_completed[$name]}"; do
      [ "$n" = "${n_rounds[$name]}" ] || bad=1
    done
  done
}
table what "${kinds[@]}"
table stage "${stages[@]}"
exit $bad
