#!/bin/bash
# How training, encoding, association and prediction scale, here or on nodes of a cluster.
#
#   jobs/scaling.sh [FOLDER [RANKS...]]           in a job of RADMIX_NODES x RADMIX_RANKS ranks
#   RADMIX_HERE=yes jobs/scaling.sh [FOLDER]      on this machine
#
# Strong: the same cohort on every number of ranks; weak: as many patients and factors a rank; copies:
# so many runs on one rank each at the same time, which know nothing of each other: what processors
# that share memory, a clock or a host allow (not on several nodes). The cohort is simulated. FOLDER
# (default scaling/) gets scaling.tsv, machine.tsv and scaling.svg: efficiency as measured and, up to
# 1,024 ranks, as modelled from one rank and the network (site/scaling.awk). Seconds are those of whole
# commands; work is the part that is to be divided: steps of training, reading and encoding, fits with
# p and q.
#
#   SCALING_PATIENTS, SCALING_IMAGES   of the cohort, of a patient (64, 160)
#   SCALING_TIMES                      each simulated volume is read so often (8): simulating is slow
#   SCALING_GENES                      factors of the association (8000)
#   SCALING_EPOCHS                     of training (2)
#   SCALING_OUTPUT                     of the association: hits, or full for the disk too (hits)
#   SCALING_REPEATS                    the best of so many runs counts (3)
#   SCALING_STAGES, SCALING_KINDS      "train encode associate predict", "strong weak copies"; what was
#                                      measured in FOLDER of others is kept
#SBATCH --job-name=radmix-scaling
#SBATCH --output=radmix-scaling-%j.log
#SBATCH --time=2:00:00
#SBATCH --exclusive
jobs=${RADMIX_JOBS:-$(cd "$(dirname "$0")" && pwd)}
[ -e "$jobs/site/launch.sh" ] || jobs=$SLURM_SUBMIT_DIR/jobs
# shellcheck source=jobs/site/launch.sh
. "$jobs/site/launch.sh"

if [ -z "${SLURM_JOB_ID-}" ] && [ "${RADMIX_HERE-}" != yes ] && command -v sbatch > /dev/null 2>&1; then
  job=$(submit scaling --exclusive -- "$jobs/scaling.sh" "$@") || exit 1
  echo "scaling: job $job, log radmix-scaling-$job.log"
  exit 0
fi

patients=${SCALING_PATIENTS:-64} images=${SCALING_IMAGES:-160} times=${SCALING_TIMES:-8}
genes=${SCALING_GENES:-8000} epochs=${SCALING_EPOCHS:-2} output=${SCALING_OUTPUT:-hits}
repeats=${SCALING_REPEATS:-3}
stages=${SCALING_STAGES:-train encode associate predict}
kinds=${SCALING_KINDS:-strong weak copies}
folder=${1:-scaling}
mkdir -p "$folder" || exit 74
folder=$(cd "$folder" && pwd)
shift
load_modules
find_program
RADMIX=$(cd "$(dirname "$RADMIX")" && pwd)/$(basename "$RADMIX")
bench=${RADMIX_BUILD:-$(dirname "$RADMIX")}/tests/bench/bench_scaling
case $bench in /*) ;; *) bench=$PWD/$bench ;; esac
if [ -n "${SLURM_JOB_ID-}" ]; then all=$SLURM_NTASKS; else all=$(nproc); fi
counts=("$@")
if [ ${#counts[@]} = 0 ]; then
  for ((n = 1; n < all; n *= 2)); do counts+=("$n"); done
  counts+=("$all")
fi
RADMIX_RANKS=1 set_launcher
cd "$folder" || exit 74

# on RANKS WORD...: runs the words on so many ranks.
on() {
  local ranks=$1 start=("${launcher[@]}")
  shift
  if [ -z "${SLURM_JOB_ID-}" ]; then
    start=(mpirun -q --oversubscribe --bind-to none -n "$ranks")
  elif [ "$RADMIX_LAUNCHER" = srun ]; then
    start+=(--overlap -n "$ranks")
  else
    start+=(-n "$ranks")
  fi
  "${start[@]}" "$@" < /dev/null
}

record_of() { # record_of FILE NAME: a number of the record in a result
  local group=/uns/radmix
  case $1 in *.h5) group=/radmix ;; esac
  h5dump -d "$group/$2" "$1" 2> /dev/null | sed -n 's/^ *(0): *//p' | head -n 1
}

# The settings of FACTOR times the patients.
settings_of() {
  settings=(-s study.clinical="cohort-$1/simulated/clinical.tsv"
    -s images.manifest="cohort-$1/simulated/many.tsv"
    -s genomics.expression="cohort-$1/simulated/expression.tsv"
    -s autoencoder.epochs="$epochs" -s autoencoder.validation=0 -s autoencoder.batch=$((64 * $1))
    -s association.output="$output" -s prediction.outcomes=ER -s prediction.folds=2
    -s prediction.inner_folds=2 -s prediction.lambdas=10 -s prediction.bootstrap=0)
}

# The cohort of FACTOR times the patients, with every stage's inputs, in cohort-FACTOR.
make_cohort() {
  local at=cohort-$1 stage settings i
  [ ! -e "$at/features.h5ad" ] || return 0
  settings_of "$1"
  on "$all" "$RADMIX" simulate -q -s study.directory="$at" -s simulation.patients=$((patients * $1)) \
    -s simulation.images_per_patient=$((images / times)) -s simulation.genes=$((genes * $1)) \
    -s simulation.sets=0 || exit
  # A volume that is read again has a name of its own.
  for ((i = 1; i < times; i++)); do ln -s nifti "$at/simulated/nifti-$i"; done
  awk -v times="$times" '{ print } FNR > 1 { line = $0
    for (i = 1; i < times; i++) { $0 = line; sub("nifti/", "nifti-" i "/"); print } }' \
    "$at/simulated/images.tsv" > "$at/simulated/many.tsv"
  for stage in slice factors train encode; do
    on "$all" "$RADMIX" $stage -q -s study.directory="$at" "${settings[@]}" || exit
  done
}

# A folder with what a stage reads: prepare FOLDER FACTOR
prepare() {
  local file
  rm -rf "$1" && mkdir "$1"
  for file in images.h5ad factors.h5ad model.h5 features.h5ad patients.h5ad; do
    ln -s "../cohort-$2/$file" "$1/"
  done
}

# The result of a stage, by which it is timed.
result_of() {
  case $1 in
    train) echo model.h5 ;;
    encode) echo features.h5ad ;;
    associate) echo associations.h5ad ;;
    predict) echo predictions.h5 ;;
  esac
}

# seconds_of STAGE FOLDER SLICES: of the whole command, from reading to the file in place, and of its
# work: the steps of training; reading and encoding; fits, p and q. Prediction is not told apart.
seconds_of() {
  local all
  all=$(record_of "$2/$(result_of "$1")" seconds)
  case $1 in
    train)
      sed -n 's/.*, \([0-9]*\) images\/s.*/\1/p' "$2.log" | tail -n 1 |
        awk -v n="$3" -v e="$epochs" -v all="$all" '{ print all, e * n / $1 }'
      ;;
    encode) echo "$all $(sed -n 's/.*encode: read, .* in \([0-9.]*\) s on each.*/\1/p' "$2.log")" ;;
    associate) echo "$all $(sed -n 's/.*: fits, p and q in \([0-9.]*\) s.*/\1/p' "$2.log")" ;;
    predict) echo "$all $all" ;;
  esac
}

# run_in FOLDER STAGE RANKS: runs a stage anew.
run_in() {
  rm -f "$1/$(result_of "$2")" "$1/.lock"
  [ "$2" != encode ] || rm -f "$1/patients.h5ad"
  on "$3" "$RADMIX" "$2" -s study.directory="$1" "${settings[@]}" 2> "$1.log" ||
    { tail -n 3 "$1.log" >&2; return 1; }
}

# run_stage STAGE RANKS FACTOR COPIES: the seconds of the fastest run, whole and of its work, of copies
# those of the slowest copy, and the bytes of the result.
run_stage() {
  local stage=$1 ranks=$2 factor=$3 copies=$4 best="1e9 1e9" settings i c slowest
  settings_of "$factor"
  for ((c = 0; c < copies; c++)); do prepare "work-$c" "$factor"; done
  for ((i = 0; i < repeats; i++)); do
    local processes=() failed=''
    for ((c = 0; c < copies; c++)); do
      run_in "work-$c" "$stage" "$ranks" &
      processes+=($!)
    done
    for c in "${processes[@]}"; do wait "$c" || failed=yes; done
    [ -z "$failed" ] || exit 1
    slowest=$(for ((c = 0; c < copies; c++)); do
      seconds_of "$stage" "work-$c" $((patients * factor * images))
    done | awk '{ if ($1 > a) a = $1; if ($2 > b) b = $2 } END { print a, b }')
    best=$(echo "$best $slowest" | awk '{ print ($1 < $3) ? $1 : $3, ($2 < $4) ? $2 : $4 }')
  done
  echo "$best $(stat -c %s "work-0/$(result_of "$stage")")"
  rm -rf work-*
}

echo "machine: $all ranks at most, $RADMIX" >&2
if [ -x "$bench" ]; then on "$all" "$bench" write.bin 64 > machine.tsv || exit; fi
touch measured.tsv
awk -F '\t' -v kinds=" $kinds " -v stages=" $stages " 'NR > 1 &&
  !(index(kinds, " " $1 " ") && index(stages, " " $2 " "))' measured.tsv > kept.tsv
printf 'kind\tstage\tranks\tpatients\timages\tseconds\twork\tbytes\n' > measured.tsv
cat kept.tsv >> measured.tsv
rm kept.tsv
for kind in $kinds; do
  for ranks in "${counts[@]}"; do
    factor=1 copies=1 each=$ranks
    case $kind in
      weak) factor=$ranks ;;
      copies)
        # On several nodes copies would all run on the first.
        if [ "$ranks" = 1 ] || [ "${SLURM_JOB_NUM_NODES:-1}" != 1 ]; then continue; fi
        copies=$ranks each=1
        ;;
    esac
    make_cohort "$factor"
    for stage in $stages; do
      # On one rank weak is strong.
      if [ "$kind$ranks" = weak1 ] && grep -q "^strong	$stage	1	" measured.tsv; then
        sed -n "s/^strong\(	$stage	1	\)/weak\1/p" measured.tsv | tee -a measured.tsv >&2
        continue
      fi
      read -r seconds work bytes < <(run_stage "$stage" "$each" "$factor" "$copies")
      [ -n "$bytes" ] || exit 1
      printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$kind" "$stage" "$ranks" $((patients * factor)) \
        $((patients * factor * images)) "$seconds" "$work" "$bytes" | tee -a measured.tsv >&2
    done
  done
done
touch machine.tsv
awk -f "$jobs/site/scaling.awk" -v epochs="$epochs" -v genes="$genes" machine.tsv measured.tsv > scaling.tsv
command -v gnuplot > /dev/null 2>&1 && gnuplot "$jobs/site/scaling.gnuplot" && echo "scaling: $folder/scaling.svg" >&2
echo "scaling: $folder/scaling.tsv" >&2
